"""What an organization and a workspace ask of their keys (beyond 15, contract rule 31, security AK-12)."""

from datetime import timedelta
from typing import Any

import pytest

from apps.access.actors import UserActor
from apps.access.scopes import KeyType
from apps.apikeys import operations as apikeys
from apps.apikeys import policy, rotation
from apps.apikeys.models import ApiKey
from apps.apikeys.policy import KeyPolicy
from apps.audit.models import AuditEvent
from apps.core.clock import now
from apps.core.errors import Conflict, Forbidden, Invalid, Stale
from apps.workspaces import operations as workspaces
from tests.world import Company

CALL = ["completions.write"]
DAY = timedelta(days=1)


def ask(place: Any, by: Any, **given: Any) -> KeyPolicy:
    return policy.change(place, by=UserActor(by), **given)


def make(acme: Company, **given: Any) -> ApiKey:
    return apikeys.issue(acme.workspace, name="k", scopes=CALL, by=UserActor(acme.owner), **given).key


class TestWhatBinds:
    @pytest.mark.parametrize(
        ("asked", "given", "field"),
        [
            ({"expiry_required": True}, {}, "expires_at"),
            ({"max_days": 30}, {}, "expires_at"),
            ({"max_days": 30}, {"expires_at": 31 * DAY}, "expires_at"),
            ({"addresses_required": True}, {}, "allowed_addresses"),
            ({"addresses_required": True}, {"allowed_addresses": []}, "allowed_addresses"),
        ],
    )
    @pytest.mark.parametrize("where", ["organization", "workspace"])
    def test_no_key_is_made_that_does_not_keep_to_it(
        self, acme: Company, where: str, asked: dict[str, Any], given: dict[str, Any], field: str
    ) -> None:
        ask(getattr(acme, where), acme.owner, **asked)
        with pytest.raises(Invalid) as refusal:
            make(acme, **_dated(given))
        assert list(refusal.value.errors) == [field]

    @pytest.mark.parametrize(
        ("asked", "given"),
        [
            ({"expiry_required": True}, {"expires_at": 900 * DAY}),
            ({"max_days": 30}, {"expires_at": 30 * DAY - timedelta(minutes=1)}),
            ({"addresses_required": True}, {"allowed_addresses": ["10.0.0.0/8"]}),
        ],
    )
    def test_one_that_does_is(self, acme: Company, asked: dict[str, Any], given: dict[str, Any]) -> None:
        ask(acme.organization, acme.owner, **asked)
        assert make(acme, **_dated(given)).pk

    def test_services_alone_can_be_asked_for(self, acme: Company) -> None:
        ask(acme.organization, acme.owner, service_only=True)
        with pytest.raises(Invalid) as refusal:
            make(acme, user=acme.member)
        assert list(refusal.value.errors) == ["user_id"]
        assert make(acme).type == KeyType.WORKSPACE

    def test_an_end_cannot_be_taken_from_a_key_or_moved_too_far(self, acme: Company) -> None:
        """AK-12."""
        key = make(acme, expires_at=now() + DAY)
        ask(acme.organization, acme.owner, max_days=30)
        for end in (None, now() + 31 * DAY):
            with pytest.raises(Invalid) as refusal:
                apikeys.update(key, expires_at=end, by=UserActor(acme.owner))
            assert list(refusal.value.errors) == ["expires_at"]
        apikeys.update(key, expires_at=now() + 29 * DAY, by=UserActor(acme.owner))

    def test_what_was_there_before_works_on_and_can_be_renamed_but_not_rotated(self, acme: Company) -> None:
        ask(acme.organization, acme.owner, expiry_required=True)
        apikeys.update(acme.workspace_key, name="Old", by=UserActor(acme.owner))
        assert ApiKey.objects.with_places().get(pk=acme.workspace_key.pk).is_let_in
        with pytest.raises(Invalid):
            rotation.rotate(acme.workspace_key, by=UserActor(acme.owner))

    def test_a_workspace_asks_on_top_and_never_for_less(self, acme: Company) -> None:
        ask(acme.organization, acme.owner, max_days=30, addresses_required=True)
        ask(acme.workspace, acme.manager, max_days=300, expiry_required=True)
        bound = policy.binding(acme_again(acme).workspace)
        assert (bound.max_days, bound.expiry_required, bound.addresses_required) == (30, True, True)
        other = make_in(acme, acme.other_workspace, expires_at=now() + 29 * DAY, allowed_addresses=["::1"])
        assert other.pk

    def test_keys_are_counted_here_and_above(self, acme: Company) -> None:
        ask(acme.workspace, acme.manager, max_keys=3)
        make(acme)
        with pytest.raises(Conflict) as refusal:
            make(acme)
        assert acme.workspace.name in str(refusal.value)
        make_in(acme, acme.other_workspace)
        ask(acme.organization, acme.owner, max_keys=5)
        with pytest.raises(Conflict) as refusal:
            make_in(acme, acme.other_workspace)
        assert acme.organization.name in str(refusal.value)

    def test_one_that_comes_back_is_counted_again(self, acme: Company) -> None:
        ask(acme.workspace, acme.manager, max_keys=3)
        idle = apikeys.disable(acme.workspace_key, by=UserActor(acme.owner))
        make(acme)
        spare = make(acme)
        with pytest.raises(Conflict):
            apikeys.enable(idle, by=UserActor(acme.owner))
        assert ApiKey.objects.get(pk=idle.pk).status == "disabled"
        apikeys.revoke(spare, by=UserActor(acme.owner))
        apikeys.enable(idle, by=UserActor(acme.owner))

    def test_what_is_over_or_archived_is_not_counted(self, acme: Company) -> None:
        ask(acme.organization, acme.owner, max_keys=4)
        spare = make_in(acme, acme.other_workspace)
        with pytest.raises(Conflict):
            make(acme)
        apikeys.revoke(spare, by=UserActor(acme.owner))
        make_in(acme, acme.other_workspace)
        workspaces.archive(acme.other_workspace, by=UserActor(acme.owner))
        assert make(acme).pk

    def test_a_key_that_was_promised_gets_the_latest_end_there_may_be(self, acme: Company) -> None:
        ask(acme.organization, acme.owner, max_days=10)
        issued = apikeys.hand_over(
            acme.workspace, name="default_user_key", scopes=CALL, offered={}, by=UserActor(acme.member)
        )
        assert issued is not None
        assert issued.key.expires_at is not None
        assert abs(issued.key.expires_at - now() - 10 * DAY) < timedelta(minutes=1)

    def test_and_is_not_made_where_people_hold_none(self, acme: Company) -> None:
        ask(acme.organization, acme.owner, service_only=True)
        made = apikeys.hand_over(
            acme.workspace, name="default_user_key", scopes=CALL, offered={}, by=UserActor(acme.member)
        )
        assert made is None


class TestChanging:
    @pytest.mark.parametrize("person", ["member", "manager", "bystander"])
    def test_of_an_organization_is_its_admins_business(self, acme: Company, person: str) -> None:
        with pytest.raises(Forbidden):
            ask(acme.organization, acme[person], max_days=1)

    @pytest.mark.parametrize("person", ["member", "bystander"])
    def test_of_a_workspace_is_its_managers(self, acme: Company, person: str) -> None:
        ask(acme.workspace, acme.manager, max_days=1)
        with pytest.raises(Forbidden):
            ask(acme.workspace, acme[person], max_days=2)

    def test_leaves_a_line_that_says_what(self, acme: Company) -> None:
        ask(acme.organization, acme.owner, max_days=30, service_only=True)
        line = AuditEvent.objects.get(event="key_policy.changed")
        assert line.details == {
            "before": {"max_days": None, "service_only": False},
            "after": {"max_days": 30, "service_only": True},
        }

    def test_to_what_it_is_already_writes_nothing(self, acme: Company) -> None:
        ask(acme.organization, acme.owner, max_days=None)
        assert not AuditEvent.objects.filter(event="key_policy.changed").exists()

    def test_from_a_stale_page_is_refused(self, acme: Company) -> None:
        ask(acme.organization, acme.owner, max_days=30)
        with pytest.raises(Stale):
            policy.change(acme.organization, version=1, max_days=3, by=UserActor(acme.owner))

    @pytest.mark.parametrize(
        "nonsense",
        [
            {"max_days": 0},
            {"max_days": -1},
            {"max_days": 2**31},
            {"max_days": "30"},
            {"max_days": True},
            {"max_keys": 0},
            {"rotation_days": 366},
            {"expiry_required": 1},
            {"expiry_required": None},
            {"on_leak": "nothing"},
            {"on_leak": None},
        ],
        ids=repr,
    )
    def test_to_nonsense_is_refused(self, acme: Company, nonsense: dict[str, Any]) -> None:
        with pytest.raises(Invalid) as refusal:
            ask(acme.organization, acme.owner, **nonsense)
        assert list(refusal.value.errors) == list(nonsense)

    @pytest.mark.parametrize("alone", [{"rotation_days": 30}, {"on_leak": "tell"}])
    def test_some_things_only_an_organization_asks(self, acme: Company, alone: dict[str, Any]) -> None:
        with pytest.raises(Invalid) as refusal:
            ask(acme.workspace, acme.owner, **alone)
        assert list(refusal.value.errors) == list(alone)


class TestWhoDoesNotKeepToIt:
    def test_is_listed_before_it_is_saved(self, acme: Company) -> None:
        make(acme, expires_at=now() + 90 * DAY)
        wanted = policy.wanted(acme.organization, max_days=30, service_only=True, addresses_required=True)
        found = policy.violators(acme.organization, wanted)
        assert {name: rows.count() for name, rows in found.items()} == {
            "expiry_required": 3,
            "max_days": 1,
            "service_only": 1,
            "addresses_required": 4,
        }
        assert policy.violating(acme.organization, wanted).count() == 4
        assert policy.violating(acme.workspace, wanted).count() == 3
        assert not AuditEvent.objects.filter(event="key_policy.changed").exists()

    def test_is_nobody_where_nothing_is_asked(self, acme: Company) -> None:
        assert policy.violators(acme.organization, KeyPolicy()) == {}
        assert policy.violating(acme.organization, KeyPolicy()).count() == 0


def _dated(given: dict[str, Any]) -> dict[str, Any]:
    return {name: now() + value if isinstance(value, timedelta) else value for name, value in given.items()}


def acme_again(acme: Company) -> Company:
    """The same, read anew: what binds is read from the rows."""
    acme.organization.refresh_from_db()
    acme.workspace.refresh_from_db()
    return acme


def make_in(acme: Company, workspace: Any, **given: Any) -> ApiKey:
    return apikeys.issue(workspace, name="k", scopes=CALL, by=UserActor(acme.owner), **given).key


def test_the_wire_says_what_a_workspace_lets_keys_be(acme: Company, call: Any) -> None:
    def settings() -> Any:
        path = f"/v1/admin/workspaces/{acme.workspace.slug}"
        return call("GET", path, acme.secrets["organization_key"]).json()["settings"]

    assert (settings()["user_api_key_count"], settings()["user_api_key_max_ttl"]) == (-1, 0)
    ask(acme.organization, acme.owner, max_days=90, max_keys=5)
    ask(acme.workspace, acme.manager, max_days=30)
    assert (settings()["user_api_key_count"], settings()["user_api_key_max_ttl"]) == (5, 30)
