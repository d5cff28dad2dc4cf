"""The pages on which an organization or a workspace says what it asks of its keys."""

from datetime import timedelta
from typing import Any

import pytest

from apps.access.actors import UserActor
from apps.apikeys import operations as apikeys
from apps.apikeys import policy
from apps.apikeys.models import ApiKey
from apps.apikeys.policy import KeyPolicy
from apps.audit.models import AuditEvent
from apps.core.clock import now
from apps.organizations.models import Organization
from apps.workspaces.models import Workspace
from tests.apikeys.test_pages import keys, keys_there, make, page, text
from tests.world import Company, World, system


def above(company: Company) -> str:
    return f"{keys(company)}policy/"


def there(company: Company) -> str:
    return f"{keys_there(company)}policy/"


def policy_of(place: Organization | Workspace) -> KeyPolicy:
    return KeyPolicy.of(type(place)._default_manager.get(pk=place.pk))


def filled(browser: Any, address: str, **more: Any) -> dict[str, Any]:
    """The form as the page gives it out, with what is not said in the way browsers leave it out."""
    form = browser.get(address).context["form"]
    sent = {name: form[name].value() for name in form.fields if not form.fields[name].disabled}
    given = {**sent, "seen": browser.get(address).context["seen"], **more}
    return {name: value for name, value in given.items() if value not in {None, False, ""}}


def saved(browser: Any, address: str, **more: Any) -> Any:
    """Checks, as the page asks for, and saves what it then shows."""
    given = filled(browser, address, **more)
    checked = browser.post(address, {**given, "check": "1"})
    assert checked.status_code == 200, checked.context["form"].errors
    return browser.post(address, {**given, "seen": checked.context["seen"]})


class TestReading:
    def test_is_for_those_who_list_keys(self, sign_in: Any, world: World) -> None:
        acme = world.acme
        expected = {"owner": (200, 200), "admin": (200, 200), "manager": (403, 200), "member": (403, 403)}
        expected["bystander"] = (403, 404)
        for person, statuses in expected.items():
            found = tuple(sign_in(acme[person]).get(address).status_code for address in (above(acme), there(acme)))
            assert found == statuses, person
        assert sign_in(world.stranger).get(above(acme)).status_code == 404
        assert sign_in(world.globex.owner).get(there(acme)).status_code == 404

    def test_stands_beside_the_list(self, sign_in: Any, acme: Company) -> None:
        assert f'href="{above(acme)}"' in text(sign_in(acme.owner).get(keys(acme)))
        assert f'href="{there(acme)}"' in text(sign_in(acme.manager).get(keys_there(acme)))
        assert f'href="{above(acme)}"' not in text(sign_in(acme.member).get(keys(acme)))

    def test_shows_todays_violators(self, sign_in: Any, acme: Company) -> None:
        endless = make(acme, "endless")
        policy.change(acme.organization, expiry_required=True, by=UserActor(acme.owner))
        make(acme, "short", expires_at=now() + timedelta(days=3))
        shown = sign_in(acme.owner).get(above(acme))
        assert "Have no end" in text(shown)
        assert page(acme, endless) in text(shown)
        assert "expiry=never" in text(shown)
        assert "short" not in [key.name for one in shown.context["violations"] for key in one.some]

    def test_names_no_key_that_the_reader_does_not_see(self, sign_in: Any, acme: Company) -> None:
        hidden = make(acme, "hidden", place=acme.other_workspace)
        policy.change(acme.organization, expiry_required=True, by=UserActor(acme.owner))
        shown = sign_in(acme.manager).get(there(acme)).content.decode()
        assert str(hidden.pk) not in shown
        assert str(acme.organization_key.pk) not in shown

    @pytest.mark.parametrize("person", ["owner", "manager"])
    def test_costs_few_queries(
        self, sign_in: Any, acme: Company, django_assert_max_num_queries: Any, person: str
    ) -> None:
        browser = sign_in(acme[person])
        browser.get(there(acme))
        with django_assert_max_num_queries(8):
            browser.get(there(acme))


class TestChanging:
    def test_first_says_what_it_would_touch_and_saves_nothing(self, sign_in: Any, acme: Company) -> None:
        make(acme, "endless")
        browser, before = sign_in(acme.owner), AuditEvent.objects.count()
        given = filled(browser, above(acme), expiry_required="on", check="1")
        checked = browser.post(above(acme), given)
        assert "What this would touch" in text(checked)
        assert "Nothing is saved yet." in text(checked)
        touched = ApiKey.objects.filter(organization=acme.organization, expires_at=None).count()
        assert checked.context["consequences"]["touched"] == touched
        assert f"{touched} keys do not keep to this." in text(checked)
        assert f"Save, although {touched} keys do not keep to it" in text(checked)
        assert (policy_of(acme.organization), AuditEvent.objects.count()) == (KeyPolicy(), before)

    def test_then_holds(self, sign_in: Any, acme: Company) -> None:
        answer = saved(sign_in(acme.owner), above(acme), max_days="90", expiry_required="on", on_leak="tell")
        assert answer.status_code == 302
        assert policy_of(acme.organization) == KeyPolicy(max_days=90, expiry_required=True, on_leak="tell")
        assert AuditEvent.objects.filter(event="key_policy.changed").count() == 1

    def test_is_not_saved_unseen(self, sign_in: Any, acme: Company) -> None:
        """What was shown is the policy as it is; what would hold is another, and is shown first."""
        browser = sign_in(acme.owner)
        answer = browser.post(above(acme), filled(browser, above(acme), service_only="on"))
        assert answer.status_code == 409
        assert "What this would touch" in text(answer)
        assert policy_of(acme.organization) == KeyPolicy()
        given = {**filled(browser, above(acme), service_only="on"), "seen": answer.context["seen"]}
        assert browser.post(above(acme), given).status_code == 302

    def test_is_asked_again_when_it_would_touch_others(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        given = filled(browser, above(acme), expiry_required="on")
        checked = browser.post(above(acme), {**given, "check": "1"})
        make(acme, "meanwhile")
        answer = browser.post(above(acme), {**given, "seen": checked.context["seen"]})
        assert answer.status_code == 409
        assert policy_of(acme.organization) == KeyPolicy()

    def test_on_an_older_version_shows_both(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        given = filled(browser, above(acme), max_keys="500")
        checked = browser.post(above(acme), {**given, "check": "1"})
        policy.change(acme.organization, max_keys=400, by=UserActor(acme.second_owner))
        answer = browser.post(above(acme), {**given, "seen": checked.context["seen"]})
        assert answer.status_code == 409
        assert policy_of(acme.organization).max_keys == 400

    def test_of_nothing_writes_nothing(self, sign_in: Any, acme: Company) -> None:
        browser, before = sign_in(acme.owner), AuditEvent.objects.count()
        assert browser.post(above(acme), filled(browser, above(acme))).status_code == 302
        assert AuditEvent.objects.count() == before

    def test_names_how_many_personal_keys_get_a_rhythm(self, sign_in: Any, acme: Company) -> None:
        make(acme, "hers", user=acme.member)
        browser = sign_in(acme.owner)
        checked = browser.post(above(acme), filled(browser, above(acme), rotation_days="90", check="1"))
        number = ApiKey.objects.filter(organization=acme.organization, type="workspace-user").count()
        assert f"{number} personal keys get this rhythm: they rotate first on" in text(checked)
        saved(browser, above(acme), rotation_days="90")
        assert ApiKey.objects.get(name="hers").rotation_policy["rotation_period_days"] == 90
        given = {name: v for name, v in filled(browser, above(acme)).items() if name != "rotation_days"}
        checked = browser.post(above(acme), {**given, "check": "1"})
        assert f"{number} personal keys stop rotating by the calendar." in text(checked)

    def test_names_how_many_personal_keys_there_are_where_there_should_be_none(
        self, sign_in: Any, acme: Company
    ) -> None:
        browser = sign_in(acme.owner)
        checked = browser.post(above(acme), filled(browser, above(acme), service_only="on", check="1"))
        assert "Are personal" in text(checked)
        assert page(acme, acme.user_key) in text(checked)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("max_days", "0"),
            ("max_days", "3651"),
            ("max_days", "x"),
            ("max_keys", "-1"),
            ("max_keys", "1e9"),
            ("rotation_days", "366"),
            ("on_leak", "sing"),
            ("on_leak", ""),
        ],
    )
    def test_says_at_the_field_what_is_wrong(self, sign_in: Any, acme: Company, field: str, value: str) -> None:
        browser = sign_in(acme.owner)
        for more in ({"check": "1"}, {}):
            answer = browser.post(above(acme), filled(browser, above(acme), **{field: value}, **more))
            assert answer.status_code == 400
            assert answer.context["form"].errors[field]
        assert policy_of(acme.organization) == KeyPolicy()

    @pytest.mark.parametrize("given", [{"seen": ""}, {"version": ""}, {"version": "x"}, {"nothing": "1"}])
    def test_takes_only_a_form_that_was_given_out(self, sign_in: Any, acme: Company, given: dict[str, str]) -> None:
        browser = sign_in(acme.owner)
        answer = browser.post(above(acme), filled(browser, above(acme), max_days="5", **given))
        assert answer.status_code in {400, 409}
        assert policy_of(acme.organization) == KeyPolicy()

    def test_is_for_those_who_change_the_place(self, sign_in: Any, world: World) -> None:
        acme = world.acme
        given = {"max_days": "5", "version": "1", "seen": "x", "on_leak": "tell", "check": "1"}
        for person, statuses in {"manager": (403, 200), "member": (403, 403), "bystander": (403, 404)}.items():
            own = {name: value for name, value in given.items() if name != "on_leak"}
            assert sign_in(acme[person]).post(above(acme), given).status_code == statuses[0]
            assert sign_in(acme[person]).post(there(acme), own).status_code == statuses[1]
        assert sign_in(world.stranger).post(above(acme), given).status_code == 404


class TestAWorkspace:
    def test_asks_for_more_on_top(self, sign_in: Any, acme: Company) -> None:
        policy.change(acme.organization, max_days=90, expiry_required=True, by=UserActor(acme.owner))
        browser = sign_in(acme.manager)
        shown = browser.get(there(acme))
        assert "they live at most 90 days" in text(shown)
        assert shown.context["form"].fields["expiry_required"].disabled
        assert saved(browser, there(acme), max_days="30").status_code == 302
        assert policy_of(acme.workspace) == KeyPolicy(max_days=30)  # what is asked above is not copied down
        assert policy.binding(Workspace.objects.select_related("organization").get(pk=acme.workspace.pk)).max_days == 30

    def test_never_asks_for_less(self, sign_in: Any, acme: Company) -> None:
        policy.change(acme.organization, max_days=90, by=UserActor(acme.owner))
        browser = sign_in(acme.manager)
        answer = browser.post(there(acme), filled(browser, there(acme), max_days="91", check="1"))
        assert answer.status_code == 400
        assert "at most 90 days" in answer.context["form"].errors["max_days"][0]

    def test_says_nothing_of_what_only_an_organization_asks(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.manager)
        assert "rotation_days" not in browser.get(there(acme)).context["form"].fields
        answer = browser.post(there(acme), filled(browser, there(acme), rotation_days="5"))
        assert answer.status_code in {400, 409}
        assert policy_of(acme.workspace) == KeyPolicy()

    def test_counts_its_own_keys_alone(self, sign_in: Any, acme: Company) -> None:
        make(acme, "elsewhere", place=acme.other_workspace)
        browser = sign_in(acme.manager)
        checked = browser.post(there(acme), filled(browser, there(acme), expiry_required="on", check="1"))
        ours = ApiKey.objects.filter(workspace=acme.workspace, expires_at=None).count()
        assert checked.context["consequences"]["touched"] == ours


def test_a_revoked_key_violates_nothing(sign_in: Any, acme: Company) -> None:
    for key in ApiKey.objects.filter(organization=acme.organization):
        apikeys.revoke(key, by=system())
    browser = sign_in(acme.owner)
    checked = browser.post(above(acme), filled(browser, above(acme), expiry_required="on", check="1"))
    assert "Every live key keeps to it already." in text(checked)
    assert "Save policy" in text(checked)
