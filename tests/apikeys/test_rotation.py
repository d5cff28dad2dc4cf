"""A key changes its secret without downtime, and never has a third (contract 3.7, security RV)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from time_machine import Traveller

from apps.access.actions import Action
from apps.access.actors import SystemActor, UserActor
from apps.access.scopes import KeyType, every_scope
from apps.apikeys import operations as apikeys
from apps.apikeys import policy, rotation, schedule
from apps.apikeys.models import ApiKey
from apps.audit.models import AuditEvent
from apps.core.clock import now
from apps.core.errors import Conflict, Forbidden, Invalid, Missing, Overreach, Stale
from tests.world import Company

CALL = ["completions.write"]
HALF_AN_HOUR = timedelta(minutes=30)
TICK = SystemActor(reason="tick", actions=Action)


def loaded(key: ApiKey) -> ApiKey:
    found: ApiKey = ApiKey.objects.with_places().get(pk=key.pk)
    return found


@pytest.fixture
def works(call: Any) -> Any:
    """Whether a secret is let in."""

    def asked(secret: str) -> bool:
        status = call("GET", "/v1/whoami", secret).status_code
        assert status in {200, 401}
        return bool(status == 200)

    return asked


@pytest.fixture
def clock() -> Iterator[Traveller]:
    with time_machine.travel(datetime(2030, 1, 2, 12, tzinfo=UTC), tick=False) as frozen:
        yield frozen


class TestByHand:
    def test_both_secrets_work_until_the_transition_ends(self, acme: Company, works: Any, clock: Traveller) -> None:
        """RV-01: strictly before the end it works, at the end it does not."""
        old = acme.secrets["workspace_key"]
        made = rotation.rotate(acme.workspace_key, by=UserActor(acme.manager))
        assert made.key.pk == acme.workspace_key.pk
        assert works(old)
        assert works(made.secret.clear)
        clock.shift(HALF_AN_HOUR - timedelta(milliseconds=1))
        assert works(old)
        clock.shift(timedelta(milliseconds=1))
        assert not works(old)
        assert works(made.secret.clear)

    def test_never_are_there_three(self, acme: Company, works: Any, clock: Traveller) -> None:
        """RV-02."""
        made = rotation.rotate(acme.workspace_key, by=UserActor(acme.manager))
        with pytest.raises(rotation.InTransition):
            rotation.rotate(acme.workspace_key, by=UserActor(acme.manager))
        clock.shift(HALF_AN_HOUR)
        again = rotation.rotate(acme.workspace_key, by=UserActor(acme.manager))
        secrets = (acme.secrets["workspace_key"], made.secret.clear, again.secret.clear)
        assert [works(secret) for secret in secrets] == [False, True, True]

    def test_what_is_revoked_is_revoked_with_both_secrets(self, acme: Company, works: Any) -> None:
        """RV-03."""
        made = rotation.rotate(acme.workspace_key, by=UserActor(acme.manager))
        apikeys.revoke(made.key, by=UserActor(acme.manager))
        assert not works(acme.secrets["workspace_key"])
        assert not works(made.secret.clear)
        assert loaded_row(made.key)["previous_digest"] is None
        with pytest.raises(Missing):
            rotation.rotate(made.key, by=UserActor(acme.manager))

    def test_the_old_one_can_be_ended_now(self, acme: Company, works: Any) -> None:
        made = rotation.rotate(acme.workspace_key, by=UserActor(acme.manager))
        rotation.end_transition(made.key, by=UserActor(acme.manager))
        assert not works(acme.secrets["workspace_key"])
        assert works(made.secret.clear)
        with pytest.raises(Conflict):
            rotation.end_transition(made.key, by=UserActor(acme.manager))

    def test_the_secret_is_nowhere_but_in_the_answer(self, acme: Company) -> None:
        made = rotation.rotate(acme.workspace_key, by=UserActor(acme.manager))
        assert made.secret.clear not in str(loaded_row(made.key)) + repr(made)
        assert not any(made.secret.clear in str(line) for line in AuditEvent.objects.values_list("details", flat=True))
        line = AuditEvent.objects.get(event="api_key.rotated")
        assert line.details["before"]["mask"] == acme.workspace_key.mask
        assert line.details["after"]["rotation_mode"] == "manual"

    def test_a_disabled_or_expired_key_does_not_rotate(self, acme: Company, clock: Traveller) -> None:
        by = UserActor(acme.manager)
        apikeys.disable(acme.workspace_key, by=by)
        with pytest.raises(Conflict):
            rotation.rotate(acme.workspace_key, by=by)
        apikeys.enable(acme.workspace_key, by=by)
        apikeys.update(acme.workspace_key, expires_at=now() + HALF_AN_HOUR, by=by)
        clock.shift(HALF_AN_HOUR)
        with pytest.raises(Conflict):
            rotation.rotate(acme.workspace_key, by=by)

    def test_the_old_secret_does_not_outlive_its_key(self, acme: Company, works: Any, clock: Traveller) -> None:
        apikeys.update(acme.workspace_key, expires_at=now() + timedelta(minutes=10), by=UserActor(acme.manager))
        rotation.rotate(acme.workspace_key, by=UserActor(acme.manager))
        clock.shift(timedelta(minutes=10))
        assert not works(acme.secrets["workspace_key"])

    @pytest.mark.parametrize("length", [timedelta(0), timedelta(minutes=29), timedelta(days=31), timedelta(days=-1)])
    def test_a_transition_has_its_bounds(self, acme: Company, length: timedelta) -> None:
        with pytest.raises(Invalid):
            rotation.rotate(acme.workspace_key, transition=length, by=UserActor(acme.manager))

    def test_a_stale_page_rotates_nothing(self, acme: Company) -> None:
        apikeys.update(acme.workspace_key, name="Other", by=UserActor(acme.manager))
        with pytest.raises(Stale):
            rotation.rotate(acme.workspace_key, version=1, by=UserActor(acme.manager))


def loaded_row(key: ApiKey) -> dict[str, Any]:
    row: dict[str, Any] = ApiKey.objects.filter(pk=key.pk).values().get()
    return row


class TestWhoMay:
    def test_whose_key_it_is_may(self, acme: Company, works: Any) -> None:
        made = rotation.rotate(acme.user_key, by=UserActor(acme.member))
        assert works(made.secret.clear)

    @pytest.mark.parametrize("person", ["member", "bystander"])
    def test_members_may_not_rotate_others(self, acme: Company, person: str) -> None:
        with pytest.raises(Forbidden):
            rotation.rotate(acme.workspace_key, by=UserActor(acme[person]))

    def test_a_manager_does_not_get_a_key_they_could_not_issue(self, acme: Company) -> None:
        """A rotation hands out a secret (P12): drop the measuring from rotation, and this fails."""
        acme.workspace_key.scopes = every_scope(KeyType.WORKSPACE)
        key = apikeys.issue(acme.workspace, name="all", scopes=["completions.write"], by=UserActor(acme.owner)).key
        ApiKey.objects.filter(pk=key.pk).update(scopes=["completions.write", "prompts.publish"])
        narrow = apikeys.issue(
            acme.workspace,
            name="rotates",
            scopes=["workspace_service_api_keys.rotate", "workspace_service_api_keys.create"],
            by=UserActor(acme.owner),
        ).key
        with pytest.raises(Overreach) as refusal:
            rotation.rotate(loaded(key), by=loaded(narrow))
        assert refusal.value.beyond == ("prompts.publish",)

    def test_a_strangers_key_is_not_there(self, acme: Company, globex: Company, call: Any) -> None:
        answer = call("POST", f"/v1/api-keys/{globex.workspace_key.pk}/rotate", acme.secrets["organization_key"], {})
        assert answer.status_code == 404


class TestByTheCalendar:
    @pytest.fixture
    def weekly(self, acme: Company, clock: Traveller) -> ApiKey:
        """Wednesday, 2 January 2030: the next Monday is the 7th."""
        return apikeys.update(
            acme.workspace_key,
            rotation_policy={"rotation_period": "weekly", "key_transition_period_ms": 86_400_000},
            by=UserActor(acme.manager),
        )

    def test_is_done_on_its_day_and_not_before(self, weekly: ApiKey, clock: Traveller) -> None:
        assert weekly.next_rotation_at == datetime(2030, 1, 7, tzinfo=UTC)
        clock.move_to(datetime(2030, 1, 6, 23, 59, 59, tzinfo=UTC))
        assert not rotation.rotate_by_calendar(weekly, by=TICK)
        clock.move_to(datetime(2030, 1, 7, tzinfo=UTC))
        assert rotation.rotate_by_calendar(weekly, by=TICK)
        assert not rotation.rotate_by_calendar(weekly, by=TICK)
        assert loaded(weekly).next_rotation_at == datetime(2030, 1, 14, tzinfo=UTC)

    def test_shows_the_new_secret_to_who_comes_for_it(
        self, acme: Company, weekly: ApiKey, works: Any, clock: Traveller
    ) -> None:
        clock.move_to(datetime(2030, 1, 7, 3, tzinfo=UTC))
        rotation.rotate_by_calendar(weekly, by=TICK)
        assert loaded(weekly).awaits_collection
        assert works(acme.secrets["workspace_key"])
        collected = rotation.rotate(weekly, by=UserActor(acme.manager))
        assert collected.transition_ends_at == datetime(2030, 1, 8, 3, tzinfo=UTC)
        assert works(collected.secret.clear)
        assert works(acme.secrets["workspace_key"])
        with pytest.raises(rotation.InTransition):
            rotation.rotate(weekly, by=UserActor(acme.manager))
        clock.move_to(datetime(2030, 1, 8, 3, tzinfo=UTC))
        assert not works(acme.secrets["workspace_key"])

    def test_what_nobody_comes_for_opens_nothing_and_waits_on(
        self, acme: Company, weekly: ApiKey, works: Any, clock: Traveller
    ) -> None:
        clock.move_to(datetime(2030, 1, 7, tzinfo=UTC))
        rotation.rotate_by_calendar(weekly, by=TICK)
        clock.move_to(datetime(2030, 1, 15, tzinfo=UTC))
        assert not works(acme.secrets["workspace_key"])
        assert not rotation.rotate_by_calendar(weekly, by=TICK), "the secret before is still to be collected"
        collected = rotation.rotate(weekly, by=UserActor(acme.manager))
        assert collected.transition_ends_at is None
        assert works(collected.secret.clear)

    def test_a_disabled_key_stays_as_it_is(self, acme: Company, weekly: ApiKey, clock: Traveller) -> None:
        apikeys.disable(weekly, by=UserActor(acme.manager))
        clock.move_to(datetime(2030, 1, 8, tzinfo=UTC))
        assert not rotation.rotate_by_calendar(weekly, by=TICK)

    def test_ended_secrets_are_forgotten(self, acme: Company, clock: Traveller) -> None:
        rotation.rotate(acme.workspace_key, by=UserActor(acme.manager))
        assert rotation.forget_ended_transitions() == 0
        clock.shift(HALF_AN_HOUR)
        assert rotation.forget_ended_transitions() == 1
        assert loaded_row(acme.workspace_key)["previous_digest"] is None

    def test_a_policy_of_null_ends_it(self, acme: Company, weekly: ApiKey) -> None:
        key = apikeys.update(weekly, rotation_policy=None, by=UserActor(acme.manager))
        assert (key.rotation_policy, key.next_rotation_at) == (None, None)

    def test_saving_something_else_moves_no_date(self, acme: Company, weekly: ApiKey) -> None:
        key = apikeys.update(weekly, rotation_policy=weekly.rotation_policy, name="New", by=UserActor(acme.manager))
        assert key.next_rotation_at == weekly.next_rotation_at


class TestTheCadenceOfTheOrganization:
    def test_binds_every_personal_key_and_no_other(self, acme: Company, clock: Traveller) -> None:
        """Contract rule 48."""
        policy.change(acme.organization, rotation_days=30, by=UserActor(acme.owner))
        new = apikeys.issue(acme.workspace, name="n", scopes=CALL, user=acme.member, by=UserActor(acme.owner)).key
        for key in (loaded(acme.user_key), new):
            assert key.next_rotation_at == datetime(2030, 2, 1, tzinfo=UTC)
        assert loaded(acme.workspace_key).next_rotation_at is None
        policy.change(acme.organization, rotation_days=None, by=UserActor(acme.owner))
        assert loaded(acme.user_key).next_rotation_at is None

    @pytest.mark.parametrize("other", [{"rotation_period": "weekly"}, {"rotation_period_days": 29}])
    def test_a_differing_policy_is_refused(self, acme: Company, other: dict[str, Any]) -> None:
        policy.change(acme.organization, rotation_days=30, by=UserActor(acme.owner))
        with pytest.raises(Invalid) as refusal:
            apikeys.update(acme.user_key, rotation_policy=other, by=UserActor(acme.owner))
        assert list(refusal.value.errors) == ["rotation_policy"]
        apikeys.update(acme.workspace_key, rotation_policy=other, by=UserActor(acme.owner))

    def test_the_date_is_nobodys_to_move(self, acme: Company, clock: Traveller) -> None:
        policy.change(acme.organization, rotation_days=30, by=UserActor(acme.owner))
        moved = {"rotation_period_days": 30, "next_rotation_at": "2031-01-01T00:00:00Z"}
        with pytest.raises(Invalid):
            apikeys.update(acme.user_key, rotation_policy=moved, by=UserActor(acme.owner))
        apikeys.update(acme.user_key, rotation_policy=None, by=UserActor(acme.owner))
        assert loaded(acme.user_key).next_rotation_at == datetime(2030, 2, 1, tzinfo=UTC)


class TestTheCalendar:
    @pytest.mark.parametrize(
        ("moment", "given", "wanted"),
        [
            ("2030-01-02T12:00", {"rotation_period": "weekly"}, "2030-01-07"),
            ("2030-01-07T00:00", {"rotation_period": "weekly"}, "2030-01-14"),
            ("2030-01-06T23:59", {"rotation_period": "weekly"}, "2030-01-07"),
            ("2030-01-31T12:00", {"rotation_period": "monthly"}, "2030-02-01"),
            ("2030-12-01T00:00", {"rotation_period": "monthly"}, "2031-01-01"),
            ("2028-02-28T01:00", {"rotation_period_days": 1}, "2028-02-29"),
            ("2030-01-02T23:00", {"rotation_period_days": 365}, "2031-01-02"),
        ],
    )
    def test_days_begin_at_midnight_utc(self, moment: str, given: dict[str, Any], wanted: str) -> None:
        kept = schedule.policy(given)
        found = schedule.next_after(kept, datetime.fromisoformat(f"{moment}:00+00:00"))
        assert found == datetime.fromisoformat(f"{wanted}T00:00:00+00:00")

    def test_a_day_that_is_named_wins_once(self, acme: Company, clock: Traveller) -> None:
        """Contract rule 46."""
        given = {"rotation_period": "weekly", "next_rotation_at": "2030-01-20T17:30:00+02:00"}
        key = apikeys.update(acme.workspace_key, rotation_policy=given, by=UserActor(acme.manager))
        assert key.next_rotation_at == datetime(2030, 1, 20, tzinfo=UTC)
        clock.move_to(datetime(2030, 1, 20, 1, tzinfo=UTC))
        rotation.rotate_by_calendar(key, by=TICK)
        assert loaded(key).next_rotation_at == datetime(2030, 1, 21, tzinfo=UTC)

    @pytest.mark.parametrize(
        "given",
        [
            {},
            [],
            "weekly",
            {"rotation_period": "daily"},
            {"rotation_period": ["weekly"]},
            {"rotation_period_days": 0},
            {"rotation_period_days": 366},
            {"rotation_period_days": True},
            {"rotation_period_days": 2**63},
            {"rotation_period": "weekly", "rotation_period_days": 7},
            {"rotation_period": "weekly", "key_transition_period_ms": 1_799_999},
            {"rotation_period": "weekly", "key_transition_period_ms": 7 * 86_400_000},
            {"rotation_period": "weekly", "key_transition_period_ms": 2**63},
            {"rotation_period": "weekly", "key_transition_period_ms": 1e309},
            {"rotation_period": "weekly", "key_transition_period_ms": -1},
            {"rotation_period": "weekly", "key_transition_period_ms": "x"},
            {"rotation_period_days": 1, "key_transition_period_ms": 86_400_000},
            {"next_rotation_at": "yesterday"},
            {"next_rotation_at": "2001-01-01T00:00:00Z"},
            {"next_rotation_at": "2030-01-01T00:00:00"},
            {"next_rotation_at": "9999-12-31T23:59:59-12:00"},
            {"next_rotation_at": 12},
        ],
        ids=repr,
    )
    def test_nonsense_is_refused(self, acme: Company, given: Any) -> None:
        """RV-04."""
        with pytest.raises(Invalid):
            apikeys.update(acme.workspace_key, rotation_policy=given, by=UserActor(acme.manager))


class TestTheWire:
    def rotate(self, call: Any, key: ApiKey, secret: str, body: Any = None) -> Any:
        return call("POST", f"/v1/api-keys/{key.pk}/rotate", secret, body)

    def test_answers_the_new_secret_and_the_end_of_the_old(
        self, acme: Company, call: Any, works: Any, clock: Traveller
    ) -> None:
        master = acme.secrets["organization_key"]
        answer = self.rotate(call, acme.workspace_key, master, {"key_transition_period_ms": 3_600_000}).json()
        assert answer["id"] == str(acme.workspace_key.pk)
        assert answer["key_transition_expires_at"] == "2030-01-02T13:00:00.000Z"
        assert works(answer["key"])
        read = call("GET", f"/v1/api-keys/{acme.workspace_key.pk}", master).json()
        assert read["last_rotated_at"] == "2030-01-02T12:00:00.000Z"
        assert read["key_transition_expires_at"] == "2030-01-02T13:00:00.000Z"
        assert answer["key"] not in str(read)
        again = self.rotate(call, acme.workspace_key, master, {})
        assert (again.status_code, again.json()["errorCode"]) == (409, "AB07")

    def test_takes_no_body_at_all(self, acme: Company, call: Any, works: Any) -> None:
        answer = self.rotate(call, acme.workspace_key, acme.secrets["organization_key"])
        assert works(answer.json()["key"])

    @pytest.mark.parametrize("length", [0, 1_799_999, 2_592_000_001, 2**31 * 2, 2**63, -1, "x", 1.5, True, [], {}])
    def test_refuses_other_times(self, acme: Company, call: Any, length: Any) -> None:
        body = {"key_transition_period_ms": length}
        answer = self.rotate(call, acme.workspace_key, acme.secrets["organization_key"], body)
        assert (answer.status_code, answer.json()["errorCode"]) == (400, "AB01")

    def test_a_key_without_the_scope_rotates_nothing(self, acme: Company, call: Any) -> None:
        weak = apikeys.issue(acme.workspace, name="w", scopes=CALL, by=UserActor(acme.owner)).secret.clear
        assert self.rotate(call, acme.workspace_key, weak).status_code == 403

    def test_a_key_may_rotate_itself(self, acme: Company, call: Any, works: Any) -> None:
        scopes = ["workspace_service_api_keys.rotate", "completions.write"]
        made = apikeys.issue(acme.workspace, name="self", scopes=scopes, by=UserActor(acme.owner))
        answer = self.rotate(call, made.key, made.secret.clear).json()
        assert works(answer["key"])
        assert works(made.secret.clear)

    def test_the_policy_is_read_back_as_it_was_given(self, acme: Company, call: Any, clock: Traveller) -> None:
        master, path = acme.secrets["organization_key"], f"/v1/api-keys/{acme.workspace_key.pk}"
        given = {"rotation_period": "monthly", "key_transition_period_ms": 3_600_000}
        assert call("PUT", path, master, {"rotation_policy": given}).status_code == 200
        assert call("GET", path, master).json()["rotation_policy"] == {
            **given,
            "rotation_period_days": None,
            "next_rotation_at": "2030-02-01T00:00:00.000Z",
            "status": "ACTIVE",
        }
