"""The pages on which a key gets a new secret, and the finer parts of creating and editing one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from apps.access.actions import Action
from apps.access.actors import UserActor
from apps.access.rows import permission_ids
from apps.access.scopes import KeyType
from apps.apikeys import operations as apikeys
from apps.apikeys import policy, rotation
from apps.apikeys.models import ApiKey
from apps.audit.models import AuditEvent, AuditNames
from apps.core.clock import now
from apps.workspaces import operations as workspaces
from apps.workspaces.models import Workspace, WorkspaceGroupPermission
from tests.apikeys.test_pages import changed, filled, keys, keys_there, make, page, secret_in, text
from tests.world import Company, World, system

SUNDAY = datetime(2026, 11, 22, 12, tzinfo=UTC)


def fresh(key: ApiKey) -> ApiKey:
    found: ApiKey = ApiKey.objects.with_places().get(pk=key.pk)
    return found


def asked(browser: Any, address: str, **more: Any) -> dict[str, Any]:
    """A confirmation as its page gives it out."""
    shown = browser.get(address).context
    return {"version": shown["form"].initial["version"], "seen": shown["seen"], **more}


def by_calendar(key: ApiKey) -> ApiKey:
    """A key whose day has come and gone."""
    apikeys.update(key, rotation_policy={"rotation_period": "weekly"}, by=system())
    ApiKey.objects.filter(pk=key.pk).update(next_rotation_at=now() - timedelta(minutes=1))
    assert rotation.rotate_by_calendar(fresh(key), by=system())
    return fresh(key)


class TestRotating:
    def test_shows_the_new_secret_once_and_says_until_when_the_old_one_works(
        self, sign_in: Any, acme: Company, call: Any
    ) -> None:
        browser, address = sign_in(acme.manager), page(acme, acme.workspace_key, "rotate/")
        with time_machine.travel(SUNDAY, tick=False):
            answer = browser.post(address, asked(browser, address, grace="60"))
            assert answer.status_code == 200
            assert answer["Cache-Control"] == "no-store"
            new, old = secret_in(answer), acme.secrets["workspace_key"]
            assert new != old
            assert "it will not be shown again" in text(answer)
            assert f"<code>{acme.workspace_key.mask}</code>, works until 13:00 on 22 Nov 2026" in text(answer)
            assert [call("GET", "/v1/whoami", each).status_code for each in (new, old)] == [200, 200]
        with time_machine.travel(SUNDAY + timedelta(minutes=61), tick=False):
            assert [call("GET", "/v1/whoami", each).status_code for each in (new, old)] == [200, 401]

    def test_leaves_the_secret_nowhere_afterwards(self, sign_in: Any, acme: Company, caplog: Any) -> None:
        browser, address = sign_in(acme.manager), page(acme, acme.workspace_key, "rotate/")
        secret = secret_in(browser.post(address, asked(browser, address, grace="60")))
        kept = [
            *AuditEvent.objects.values_list("details", flat=True),
            *AuditNames.objects.values_list("names", flat=True),
        ]
        assert secret not in str(kept) + str(dict(browser.session)) + caplog.text
        for act in ("", "edit/", "rotate/", "end-old/", "revoke/"):
            assert secret not in browser.get(page(acme, acme.workspace_key, act)).content.decode()

    def test_sent_twice_rotates_once_and_says_that_it_was_shown(self, sign_in: Any, acme: Company) -> None:
        browser, address = sign_in(acme.manager), page(acme, acme.workspace_key, "rotate/")
        given = asked(browser, address, grace="60")
        secret = secret_in(browser.post(address, given))
        before = fresh(acme.workspace_key)
        again = browser.post(address, given)
        assert again.status_code == 409
        assert secret not in again.content.decode()
        assert "This secret was shown already" in text(again)
        assert "Sending the form once more did not rotate the key again." in text(again)
        assert fresh(acme.workspace_key).mask == before.mask

    def test_on_a_key_somebody_else_changed_is_asked_again(self, sign_in: Any, acme: Company) -> None:
        browser, address = sign_in(acme.manager), page(acme, acme.workspace_key, "rotate/")
        given = asked(browser, address, grace="60")
        apikeys.update(acme.workspace_key, name="newer", by=UserActor(acme.owner))
        answer = browser.post(address, given)
        assert answer.status_code == 409
        assert "shown" not in text(answer).partition("<main")[2]
        assert fresh(acme.workspace_key).last_rotated_at is None

    @pytest.mark.parametrize(
        ("grace", "field"),
        [
            ({"grace": "29"}, "grace"),
            ({"grace": "custom"}, "grace_number"),
            ({"grace": "custom", "grace_number": "29", "grace_unit": "minutes"}, "grace_number"),
            ({"grace": "custom", "grace_number": "31", "grace_unit": "days"}, "grace_number"),
            ({"grace": "custom", "grace_number": "-1", "grace_unit": "days"}, "grace_number"),
            ({"grace": "custom", "grace_number": "1e99", "grace_unit": "days"}, "grace_number"),
            ({"grace": "custom", "grace_number": "9" * 30, "grace_unit": "days"}, "grace_number"),
            ({"grace": "custom", "grace_number": "1", "grace_unit": "years"}, "grace_unit"),
        ],
    )
    def test_says_at_the_field_which_length_is_none(
        self, sign_in: Any, acme: Company, grace: dict[str, str], field: str
    ) -> None:
        browser, address = sign_in(acme.manager), page(acme, acme.workspace_key, "rotate/")
        answer = browser.post(address, asked(browser, address, **grace))
        assert answer.status_code == 400
        assert answer.context["form"].errors[field]
        assert fresh(acme.workspace_key).last_rotated_at is None

    def test_takes_a_length_of_ones_own(self, sign_in: Any, acme: Company) -> None:
        browser, address = sign_in(acme.manager), page(acme, acme.workspace_key, "rotate/")
        browser.post(address, asked(browser, address, grace="custom", grace_number="3", grace_unit="days"))
        key = fresh(acme.workspace_key)
        assert key.transition_ends_at - key.last_rotated_at == timedelta(days=3)

    def test_says_that_the_transition_must_be_shorter_than_the_period(self, sign_in: Any, acme: Company) -> None:
        apikeys.update(acme.workspace_key, rotation_policy={"rotation_period": "weekly"}, by=system())
        browser, address = sign_in(acme.manager), page(acme, acme.workspace_key, "rotate/")
        answer = browser.post(address, asked(browser, address, grace="10080"))
        assert answer.status_code == 400
        assert "shorter than the time between two rotations" in str(answer.context["form"].errors["grace"])

    def test_begins_with_what_the_keys_own_calendar_says(self, sign_in: Any, acme: Company) -> None:
        length = int(timedelta(hours=6).total_seconds() * 1000)
        calendar = {"rotation_period": "weekly", "key_transition_period_ms": length}
        apikeys.update(acme.workspace_key, rotation_policy=calendar, by=system())
        shown = sign_in(acme.manager).get(page(acme, acme.workspace_key, "rotate/"))
        assert shown.context["form"]["grace"].value() == "360"
        assert "The calendar rotates it next on Monday" in text(shown)

    def test_is_ones_own_to_do(self, sign_in: Any, acme: Company, call: Any) -> None:
        browser, address = sign_in(acme.member), page(acme, acme.user_key, "rotate/")
        assert 'rotate/"' in text(browser.get(page(acme, acme.user_key)))
        secret = secret_in(browser.post(address, asked(browser, address, grace="30")))
        assert call("GET", "/v1/whoami", secret).json()["name"] == acme.user_key.name

    def test_is_nobody_elses(self, sign_in: Any, world: World) -> None:
        acme = world.acme
        expected = {"member": 403, "bystander": 404}
        for person, status in expected.items():
            for act in ("rotate/", "end-old/"):
                address = page(acme, acme.workspace_key, act)
                assert sign_in(acme[person]).get(address).status_code == status
                assert sign_in(acme[person]).post(address, {"version": 1, "seen": "x"}).status_code == status
        assert sign_in(world.stranger).get(page(acme, acme.workspace_key, "rotate/")).status_code == 404
        assert sign_in(acme.owner).get(page(acme, world.globex.workspace_key, "rotate/")).status_code == 404

    def test_needs_the_right_to_issue_that_very_key(self, sign_in: Any, acme: Company) -> None:
        permission = permission_ids(Workspace)[Action.PROMPTS_DELETE]
        WorkspaceGroupPermission.objects.filter(content_object=acme.workspace, permission=permission).delete()
        browser, address = sign_in(acme.manager), page(acme, acme.workspace_key, "rotate/")
        shown = browser.get(address)
        assert "You may not: delete prompts." in text(shown)
        assert 'type="submit"><span>Rotate' not in text(shown)
        answer = browser.post(address, asked(browser, address, grace="30"))
        assert answer.status_code == 400
        assert fresh(acme.workspace_key).last_rotated_at is None

    def test_is_never_offered_in_an_archived_workspace(self, sign_in: Any, acme: Company) -> None:
        workspaces.archive(acme.workspace, by=system())
        browser = sign_in(acme.owner)
        assert "rotate/" not in text(browser.get(page(acme, acme.workspace_key)))
        assert browser.get(page(acme, acme.workspace_key, "rotate/")).status_code == 403
        assert sign_in(acme.member).get(page(acme, acme.user_key, "rotate/")).status_code == 404

    def test_of_a_disabled_a_revoked_or_a_rotated_key_says_why_not(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        apikeys.disable(acme.workspace_key, by=system())
        shown = text(browser.get(page(acme, acme.workspace_key, "rotate/")))
        assert "The key is disabled." in shown
        rotation.rotate(acme.user_key, by=system())
        shown = text(browser.get(page(acme, acme.user_key, "rotate/")))
        assert "Two secrets of this key are alive." in shown
        assert page(acme, acme.user_key, "end-old/") in shown
        apikeys.revoke(acme.organization_key, by=system())
        assert browser.get(page(acme, acme.organization_key, "rotate/")).status_code == 404

    def test_of_a_key_that_does_not_keep_to_the_policy_says_what_is_asked(self, sign_in: Any, acme: Company) -> None:
        policy.change(acme.organization, addresses_required=True, by=UserActor(acme.owner))
        browser, address = sign_in(acme.manager), page(acme, acme.workspace_key, "rotate/")
        answer = browser.post(address, asked(browser, address, grace="30"))
        assert answer.status_code == 400
        assert "Keys here must say from which addresses they call." in text(answer)


class TestTwoSecrets:
    def test_are_shown_with_their_masks_and_the_end_of_the_old_one(self, sign_in: Any, acme: Company) -> None:
        with time_machine.travel(SUNDAY, tick=False):
            made = rotation.rotate(acme.workspace_key, transition=timedelta(hours=6), by=system())
            shown = text(sign_in(acme.manager).get(page(acme, acme.workspace_key)))
        assert "Two secrets work until 18:00 on 22 Nov" in shown
        assert "in 6 hours" in shown
        assert made.key.mask in shown
        assert acme.workspace_key.mask in shown
        assert made.secret.clear not in shown
        assert page(acme, acme.workspace_key, "end-old/") in shown
        assert page(acme, acme.workspace_key, "rotate/") not in shown

    def test_become_one_when_the_old_one_is_ended(self, sign_in: Any, acme: Company, call: Any) -> None:
        rotation.rotate(acme.workspace_key, by=system())
        browser, address = sign_in(acme.manager), page(acme, acme.workspace_key, "end-old/")
        assert acme.workspace_key.mask in text(browser.get(address))
        given = asked(browser, address)
        assert browser.post(address, given).status_code == 302
        assert call("GET", "/v1/whoami", acme.secrets["workspace_key"]).status_code == 401
        assert browser.post(address, given).status_code == 409
        assert browser.get(address).status_code == 409

    def test_are_not_ended_unseen(self, sign_in: Any, acme: Company) -> None:
        rotation.rotate(acme.workspace_key, by=system())
        browser, address = sign_in(acme.manager), page(acme, acme.workspace_key, "end-old/")
        given = asked(browser, address)
        assert browser.post(address, {**given, "seen": "x"}).status_code == 409
        assert browser.post(address, {"version": given["version"]}).status_code == 400
        assert fresh(acme.workspace_key).is_in_transition


class TestCollecting:
    def test_shows_the_secret_that_the_calendar_made_room_for(self, sign_in: Any, acme: Company, call: Any) -> None:
        key = by_calendar(acme.workspace_key)
        browser, address = sign_in(acme.manager), page(acme, key, "rotate/")
        detail = text(browser.get(page(acme, key)))
        assert "Nobody has collected the new secret yet" in detail
        assert key.mask not in detail  # nobody has that secret
        shown = text(browser.get(address))
        assert "Collect the new secret of" in shown
        assert 'name="grace"' not in shown
        given = asked(browser, address)
        answer = browser.post(address, given)
        secret = secret_in(answer)
        assert call("GET", "/v1/whoami", secret).status_code == 200
        assert fresh(key).transition_ends_at == key.transition_ends_at
        assert "Two secrets work until" in text(browser.get(page(acme, key)))
        again = browser.post(address, given)
        assert again.status_code == 409
        assert secret not in again.content.decode()
        assert "This secret was shown already" in text(again)

    def test_says_when_no_secret_works_any_more(self, sign_in: Any, acme: Company) -> None:
        key = by_calendar(acme.workspace_key)
        with time_machine.travel(key.transition_ends_at + timedelta(minutes=1), tick=False):
            browser = sign_in(acme.manager)
            assert "no secret of this key works until the new one is collected" in text(browser.get(page(acme, key)))
            address = page(acme, key, "rotate/")
            assert "No secret of this key works now" in text(browser.get(address))
            answer = browser.post(address, asked(browser, address))
            assert "only this one opens the key" in text(answer)


class TestTheCalendar:
    def test_of_a_new_key_begins_on_the_day_it_says(self, sign_in: Any, acme: Company) -> None:
        with time_machine.travel(SUNDAY, tick=False):
            browser, address = sign_in(acme.manager), f"{keys_there(acme)}new/"
            given = filled(browser, address, rotates="weekly", grace="360")
            shown = text(browser.post(f"{address}draft/", given))
            assert "It rotates first on Monday 23 Nov 2026, 00:00 UTC." in shown
            browser.post(address, given)
        key = ApiKey.objects.get(name="ci")
        assert key.next_rotation_at == datetime(2026, 11, 23, tzinfo=UTC)
        assert key.rotation_policy["key_transition_period_ms"] == 6 * 3_600_000
        assert "Every Monday" in text(sign_in(acme.manager).get(page(acme, key)))

    @pytest.mark.parametrize(
        ("given", "policy_", "first"),
        [
            ({"rotates": "monthly"}, ("monthly", None), datetime(2026, 12, 1, tzinfo=UTC)),
            ({"rotates": "days", "rotates_days": "30"}, (None, 30), datetime(2026, 12, 22, tzinfo=UTC)),
            (
                {"rotates": "days", "rotates_days": "30", "rotates_on": "2026-11-25"},
                (None, 30),
                datetime(2026, 11, 25, tzinfo=UTC),
            ),
            ({"rotates": "once", "rotates_on": "2027-01-31"}, (None, None), datetime(2027, 1, 31, tzinfo=UTC)),
        ],
    )
    def test_takes_every_rhythm(
        self, sign_in: Any, acme: Company, given: dict[str, str], policy_: tuple[Any, Any], first: datetime
    ) -> None:
        with time_machine.travel(SUNDAY, tick=False):
            browser, address = sign_in(acme.manager), f"{keys_there(acme)}new/"
            answer = browser.post(address, filled(browser, address, **given))
            assert answer.status_code == 200, answer.context["form"].errors
        key = ApiKey.objects.get(name="ci")
        kept = (key.rotation_policy["rotation_period"], key.rotation_policy["rotation_period_days"])
        assert (kept, key.next_rotation_at) == (policy_, first)

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"rotates": "daily"}, "rotates"),
            ({"rotates": "days"}, "rotates_days"),
            ({"rotates": "days", "rotates_days": "0"}, "rotates_days"),
            ({"rotates": "days", "rotates_days": "366"}, "rotates_days"),
            ({"rotates": "once"}, "rotates_on"),
            ({"rotates": "once", "rotates_on": "2020-01-01"}, "rotates_on"),
            ({"rotates": "weekly", "rotates_on": "tomorrow"}, "rotates_on"),
            ({"rotates": "weekly", "rotates_on": "9999-12-31"}, "rotates_on"),
            ({"rotates": "weekly", "grace": "10080"}, "grace"),
            ({"rotates": "days", "rotates_days": "1", "grace": "1440"}, "grace"),
        ],
    )
    def test_says_at_the_field_what_is_wrong(
        self, sign_in: Any, acme: Company, given: dict[str, str], field: str
    ) -> None:
        browser, address = sign_in(acme.manager), f"{keys_there(acme)}new/"
        answer = browser.post(address, filled(browser, address, **given))
        assert answer.status_code == 400
        assert answer.context["form"].errors[field]
        assert browser.post(f"{address}draft/", filled(browser, address, **given)).status_code == 200

    def test_of_a_key_is_changed_and_ended(self, sign_in: Any, acme: Company) -> None:
        browser, address = sign_in(acme.manager), page(acme, acme.workspace_key, "edit/")
        browser.post(address, changed(browser, address, rotates="days", rotates_days="14", grace="1440"))
        key = fresh(acme.workspace_key)
        assert (key.rotation_policy["rotation_period_days"], key.next_rotation_at is not None) == (14, True)
        form = browser.get(address).context["form"]
        assert (form["rotates"].value(), form["rotates_days"].value(), form["grace"].value()) == ("days", 14, "1440")
        browser.post(address, changed(browser, address, rotates="never"))
        assert fresh(key).rotation_policy is None

    def test_stays_as_it_is_when_something_else_is_changed(self, sign_in: Any, acme: Company) -> None:
        odd = {"rotation_period_days": 30, "key_transition_period_ms": 1_800_001}
        apikeys.update(acme.workspace_key, rotation_policy=odd, by=system())
        before = fresh(acme.workspace_key)
        browser, address = sign_in(acme.manager), page(acme, acme.workspace_key, "edit/")
        with time_machine.travel(now() + timedelta(days=3), tick=False):
            browser = sign_in(acme.manager)
            assert browser.post(address, changed(browser, address, name="renamed")).status_code == 302
        after = fresh(acme.workspace_key)
        assert after.name == "renamed"
        assert (after.rotation_policy, after.next_rotation_at) == (before.rotation_policy, before.next_rotation_at)

    def test_of_personal_keys_is_the_organizations_where_it_says_so(self, sign_in: Any, acme: Company) -> None:
        policy.change(acme.organization, rotation_days=90, by=UserActor(acme.owner))
        browser, address = sign_in(acme.manager), f"{keys_there(acme)}new/"
        personal = {"kind": KeyType.USER.value, "person": acme.member.email}
        shown = text(browser.post(f"{address}draft/", filled(browser, address, **personal)))
        assert "rotate every 90 days: the organization says so" in shown
        answer = browser.post(address, filled(browser, address, rotates="weekly", **personal))
        assert answer.status_code == 200
        assert ApiKey.objects.get(name="ci").rotation_policy["rotation_period_days"] == 90
        edit = page(acme, ApiKey.objects.get(name="ci"), "edit/")
        given = {name: value for name, value in changed(browser, edit).items() if not name.startswith(("rot", "grace"))}
        assert browser.post(edit, {**given, "name": "renamed"}).status_code == 302
        assert ApiKey.objects.get(name="renamed").rotation_policy["rotation_period_days"] == 90


class TestAddresses:
    def test_are_kept_one_per_line(self, sign_in: Any, acme: Company) -> None:
        browser, address = sign_in(acme.manager), f"{keys_there(acme)}new/"
        browser.post(address, filled(browser, address, addresses="203.0.113.7\r\n\r\n 10.1.2.3/8 \r\n2001:db8::/32"))
        key = ApiKey.objects.get(name="ci")
        assert key.allowed_addresses == ["203.0.113.7", "10.0.0.0/8", "2001:db8::/32"]
        assert "<code>10.0.0.0/8</code>" in text(browser.get(page(acme, key)))
        edit = page(acme, key, "edit/")
        browser.post(edit, changed(browser, edit, addresses=""))
        assert fresh(key).allowed_addresses is None

    @pytest.mark.parametrize("wrong", ["10.0.0.300", "example.com", "10.0.0.0/40", "fe80::1%eth0", "x" * 400])
    def test_that_are_none_are_named_by_their_line(self, sign_in: Any, acme: Company, wrong: str) -> None:
        browser, address = sign_in(acme.manager), f"{keys_there(acme)}new/"
        answer = browser.post(address, filled(browser, address, addresses=f"10.0.0.1\n{wrong}"))
        assert answer.status_code == 400
        assert answer.context["form"].errors["addresses"][0].startswith("Line 2: ")

    def test_are_not_more_than_can_be_read(self, sign_in: Any, acme: Company) -> None:
        browser, address = sign_in(acme.manager), f"{keys_there(acme)}new/"
        lines = "\n".join(f"10.0.0.{number}" for number in range(51))
        answer = browser.post(address, filled(browser, address, addresses=lines))
        assert answer.context["form"].errors["addresses"]

    def test_say_where_the_reader_calls_from(self, sign_in: Any, acme: Company) -> None:
        shown = sign_in(acme.manager).get(f"{keys_there(acme)}new/", REMOTE_ADDR="10.1.2.3")
        assert "You call from <code>10.1.2.3</code> now." in text(shown)


class TestTheExactList:
    def test_is_what_stands_behind_the_table(self, sign_in: Any, acme: Company) -> None:
        browser, address = sign_in(acme.manager), f"{keys_there(acme)}new/"
        given = filled(browser, address, level_prompts="delete", exact="ignored")
        shown = browser.post(f"{address}draft/", given)
        assert shown.context["exact_text"].split() == shown.context["scopes"]
        assert "prompts.delete" in shown.context["scopes"]

    def test_wins_where_it_is_used(self, sign_in: Any, acme: Company) -> None:
        browser, address = sign_in(acme.manager), f"{keys_there(acme)}new/"
        words = "prompts.publish\r\nlogs.view\r\nprompts.publish"
        browser.post(address, filled(browser, address, use_exact="on", exact=words, preset="all"))
        key = ApiKey.objects.get(name="ci")
        assert key.scopes == ["logs.view", "prompts.publish"]
        edit = page(acme, key, "edit/")
        browser.post(edit, changed(browser, edit, use_exact="on", exact="logs.list"))
        assert fresh(key).scopes == ["logs.list"]

    def test_counts_for_nothing_where_it_is_not_used(self, sign_in: Any, acme: Company) -> None:
        browser, address = sign_in(acme.manager), page(acme, acme.workspace_key, "edit/")
        browser.post(address, changed(browser, address, exact="nonsense", name="renamed"))
        assert fresh(acme.workspace_key).scopes == acme.workspace_key.scopes

    def test_names_each_word_that_is_no_scope_with_its_line(self, sign_in: Any, acme: Company) -> None:
        browser, address = sign_in(acme.manager), f"{keys_there(acme)}new/"
        words = "prompts.read\nprompts.reed\nbilling.manage"
        answer = browser.post(address, filled(browser, address, use_exact="on", exact=words))
        assert answer.status_code == 400
        (said,) = answer.context["form"].errors["exact"]
        assert "Line 2: “prompts.reed”: there is no such scope." in said
        assert "Line 3: “billing.manage”: a key of this kind cannot carry it." in said
        draft = browser.post(f"{address}draft/", filled(browser, address, use_exact="on", exact=words))
        assert draft.context["scopes"] == ["prompts.read"]
        assert "prompts.reed" in text(draft)

    def test_gives_nobody_more_than_they_hold(self, sign_in: Any, acme: Company) -> None:
        permission = permission_ids(Workspace)[Action.PROMPTS_PUBLISH]
        WorkspaceGroupPermission.objects.filter(content_object=acme.workspace, permission=permission).delete()
        browser, address = sign_in(acme.manager), f"{keys_there(acme)}new/"
        answer = browser.post(address, filled(browser, address, use_exact="on", exact="prompts.publish"))
        assert answer.status_code == 400
        assert "You may not: publish prompts." in answer.context["form"].errors["exact"][0]

    def test_of_nothing_is_refused(self, sign_in: Any, acme: Company) -> None:
        browser, address = sign_in(acme.manager), f"{keys_there(acme)}new/"
        answer = browser.post(address, filled(browser, address, use_exact="on", exact=" \n "))
        assert answer.status_code == 400
        assert answer.context["form"].errors["exact"]


class TestTheForm:
    def test_begins_with_the_defaults(self, sign_in: Any, acme: Company) -> None:
        browser, address = sign_in(acme.manager), f"{keys_there(acme)}new/"
        form = browser.get(address).context["form"]
        labels = [str(label) for _, label in form.fields["preset"].choices]
        assert (form["preset"].value(), labels) == ("default", ["Default", "Read only", "Full", "Custom"])
        browser.post(address, filled(browser, address, preset="default", level_prompts="delete"))
        calls = {"completions.write", "logs.write", "guardrails.invoke"}
        wanted = calls | {"prompts.list", "prompts.read", "prompts.render"}
        assert set(ApiKey.objects.get(name="ci").scopes) == wanted

    def test_of_a_key_that_is_changed_says_what_it_would_do(self, sign_in: Any, acme: Company) -> None:
        browser, address = sign_in(acme.manager), page(acme, acme.workspace_key, "edit/")
        before, lines = fresh(acme.workspace_key), AuditEvent.objects.count()
        given = changed(browser, address, preset="read", expires="never")
        shown = text(browser.post(f"{address}draft/", given))
        assert "This key can" in shown
        assert "has no end" in shown
        assert "<html" not in shown
        assert (fresh(acme.workspace_key).version, AuditEvent.objects.count()) == (before.version, lines)
        assert sign_in(acme.member).post(f"{address}draft/", given).status_code == 403

    def test_offers_only_the_lives_that_the_place_allows(self, sign_in: Any, acme: Company) -> None:
        policy.change(acme.organization, max_days=30, by=UserActor(acme.owner))
        browser, address = sign_in(acme.manager), f"{keys_there(acme)}new/"
        shown = browser.get(address)
        offered = {value: (chosen, shut) for value, _, chosen, shut in shown.context["expiries"]}
        assert offered == {"7": (False, False), "30": (True, False), "date": (False, False), "never": (False, True)}
        assert "live at most 30 days: its key policy says so" in text(shown)
        answer = browser.post(address, filled(browser, address, expires="never"))
        assert answer.status_code == 400
        assert answer.context["form"].errors["expires"]
        assert browser.post(address, filled(browser, address, expires="30")).status_code == 200

    def test_offers_no_personal_keys_where_only_services_have_some(self, sign_in: Any, acme: Company) -> None:
        policy.change(acme.workspace, service_only=True, by=UserActor(acme.owner))
        browser, address = sign_in(acme.manager), f"{keys_there(acme)}new/"
        assert "Not here: the key policy lets only services have keys." in text(browser.get(address))
        personal = {"kind": KeyType.USER.value, "person": acme.member.email}
        answer = browser.post(address, filled(browser, address, **personal))
        assert answer.status_code == 400
        assert "Only services have keys here" in str(answer.context["form"].errors["person"])

    def test_says_what_of_the_rest_cannot_be_given(self, sign_in: Any, acme: Company) -> None:
        permission = permission_ids(Workspace)[Action.WORKSPACES_UPDATE]
        WorkspaceGroupPermission.objects.filter(content_object=acme.workspace, permission=permission).delete()
        shown = text(sign_in(acme.manager).get(f"{keys_there(acme)}new/"))
        assert "What is greyed out you may not do here yourself" in shown

    def test_shows_how_to_use_the_key_everywhere(self, sign_in: Any, acme: Company, settings: Any) -> None:
        settings.BASE_URL = "https://keys.acme.example/"
        browser, address = sign_in(acme.manager), f"{keys_there(acme)}new/"
        answer = browser.post(address, filled(browser, address))
        shown, secret = answer.content.decode(), secret_in(answer)
        for example in ("env", "curl", "python", "node", "mcp"):
            part = shown.partition(f'<pre class="snippet" data-example="{example}"')[2].partition("</pre>")[0]
            assert secret in part, example
            assert "https://keys.acme.example/v1" in part, example

    def test_already_shown_offers_to_rotate(self, sign_in: Any, acme: Company) -> None:
        browser, address = sign_in(acme.manager), f"{keys_there(acme)}new/"
        given = filled(browser, address)
        browser.post(address, given)
        again = text(browser.post(address, given))
        assert page(acme, ApiKey.objects.get(name="ci"), "rotate/") in again


class TestUsage:
    def test_of_a_budget_and_of_rates_is_shown_as_bars(self, sign_in: Any, acme: Company) -> None:
        limits = {
            "usage_limits": {"type": "cost", "credit_limit": 10},
            "rate_limits": [{"type": "requests", "unit": "rpm", "value": 7}],
        }
        key = make(acme, "limited", **limits)
        shown = text(sign_in(acme.manager).get(page(acme, key)))
        assert "$0.00 of $10.00" in shown
        assert "0 of 7" in shown
        assert page(acme, key, "reset/") in shown
        assert page(acme, key, "reset/") not in text(sign_in(acme.owner).get(page(acme, acme.workspace_key)))

    def test_is_set_back_when_asked(self, sign_in: Any, acme: Company) -> None:
        key = make(acme, "limited", usage_limits={"type": "cost", "credit_limit": 10})
        browser, address = sign_in(acme.manager), page(acme, key, "reset/")
        assert "set back to nothing" in text(browser.get(address))
        assert browser.post(address, {"version": key.version}).status_code == 302
        assert AuditEvent.objects.filter(event="api_key.usage_reset", target_id=str(key.pk)).exists()
        assert sign_in(acme.member).post(address, {"version": key.version}).status_code == 403


def test_pages_cost_eight_queries_at_most(sign_in: Any, acme: Company, django_assert_max_num_queries: Any) -> None:
    limits = {"usage_limits": {"credit_limit": 5}, "rate_limits": [{"type": "requests", "unit": "rpm", "value": 7}]}
    key = make(acme, "limited", **limits)
    rotation.rotate(acme.workspace_key, by=system())
    for person in ("owner", "manager"):
        browser = sign_in(acme[person])
        addresses = [
            page(acme, key),
            page(acme, key, "rotate/"),
            page(acme, key, "edit/"),
            page(acme, acme.workspace_key),
            page(acme, acme.workspace_key, "end-old/"),
            f"{keys(acme)}new/",
        ]
        for address in addresses:
            browser.get(address)
            with django_assert_max_num_queries(8):
                assert browser.get(address).status_code == 200, address
