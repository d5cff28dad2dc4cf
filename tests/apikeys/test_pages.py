"""The pages of API keys, as a browser sees them."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils.html import escape

from apps.access.actions import Action
from apps.access.actors import UserActor
from apps.access.levels import FEATURES
from apps.access.rows import permission_ids
from apps.access.scopes import ALLOWED, FREELY_GIVEN, KeyType
from apps.apikeys import operations as apikeys
from apps.apikeys.models import ApiKey
from apps.audit.models import AuditEvent, AuditNames
from apps.core.clock import now
from apps.memberships import operations as memberships
from apps.workspaces import operations as workspaces
from apps.workspaces.models import Workspace, WorkspaceGroupPermission
from apps.workspaces.types import WorkspaceType
from tests.world import Company, World, system

CALL = ["completions.write"]


def root(company: Company) -> str:
    return f"/o/{company.organization.slug}"


def keys(company: Company) -> str:
    return f"{root(company)}/keys/"


def keys_there(company: Company) -> str:
    return f"{root(company)}/w/{company.workspace.slug}/keys/"


def page(company: Company, key: ApiKey, act: str = "") -> str:
    return f"{keys(company)}{key.pk}/{act}"


def names(answer: Any) -> set[str]:
    return {key.name for key in answer.context["page"].rows}


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def make(company: Company, name: str, **more: Any) -> ApiKey:
    place = more.pop("place", company.workspace)
    key: ApiKey = apikeys.issue(place, name=name, scopes=more.pop("scopes", CALL), by=system(), **more).key
    return key


def filled(browser: Any, address: str, **more: Any) -> dict[str, Any]:
    """The form as the page gives it out, with what a person types."""
    form = browser.get(address).context["form"]
    levels = {f"level_{feature.slug}": str(feature.default) for feature in FEATURES}
    given = {"visit": form["visit"].value(), "kind": KeyType.WORKSPACE.value, "preset": "custom", "expires": "90"}
    there = form["workspace"].value()
    return {**given, **levels, "workspace": there, "name": "ci", **more}


def secret_in(answer: Any) -> str:
    return re.search(r"gth[owu]_[0-9A-Za-z]{38}", answer.content.decode())[0]


class TestTheList:
    def test_shows_each_reader_the_keys_that_exist_for_them(self, sign_in: Any, acme: Company) -> None:
        """Drop the narrowing from apikeys.visibility, and this fails."""
        make(acme, "elsewhere", place=acme.other_workspace)
        all_of_it = {"Acme organization key", "Acme workspace key", "Acme user key", "elsewhere"}
        of_workspace = {"Acme workspace key", "Acme user key"}
        expected = {"owner": all_of_it, "admin": all_of_it, "manager": of_workspace, "workspace_admin": of_workspace}
        expected |= {"member": {"Acme user key"}, "bystander": set()}
        for person, seen in expected.items():
            assert names(sign_in(acme[person]).get(keys(acme))) == seen, person

    def test_of_a_workspace_holds_its_keys_alone(self, sign_in: Any, acme: Company) -> None:
        make(acme, "elsewhere", place=acme.other_workspace)
        assert names(sign_in(acme.owner).get(keys_there(acme))) == {"Acme workspace key", "Acme user key"}
        assert names(sign_in(acme.member).get(keys_there(acme))) == {"Acme user key"}
        assert sign_in(acme.bystander).get(keys_there(acme)).status_code == 404

    def test_never_holds_a_neighbours(self, sign_in: Any, world: World) -> None:
        assert not any("Globex" in name for name in names(sign_in(world.acme.owner).get(keys(world.acme))))
        assert sign_in(world.globex.owner).get(keys(world.acme)).status_code == 404

    def test_masks_every_secret(self, sign_in: Any, acme: Company) -> None:
        shown = sign_in(acme.owner).get(keys(acme)).content.decode()
        for label in ("organization_key", "workspace_key", "user_key"):
            assert acme.secrets[label] not in shown
            assert acme[label].mask in shown

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("kind=organisation-service", {"Acme organization key"}),
            ("kind=workspace-user", {"Acme user key", "short"}),
            ("status=disabled", {"paused"}),
            ("status=expired", {"over"}),
            ("status=revoked", {"ended"}),
            ("status=active&expiry=soon", {"short"}),
            ("expiry=over", {"over"}),
            ("q=acme+work", {"Acme workspace key"}),
            ("q=WORK", {"Acme workspace key"}),
            ("q=orkspace", set()),
            ("owner=membe", {"Acme user key", "short"}),
            ("owner=nobody", set()),
        ],
    )
    def test_is_narrowed_by_what_the_address_says(
        self, sign_in: Any, acme: Company, query: str, expected: set[str]
    ) -> None:
        apikeys.disable(make(acme, "paused"), by=system())
        apikeys.revoke(make(acme, "ended"), by=system())
        make(acme, "short", user=acme.member, expires_at=now() + timedelta(days=9))
        with time_machine.travel(now() - timedelta(days=9)):
            make(acme, "over", expires_at=now() + timedelta(days=2))
        assert names(sign_in(acme.owner).get(f"{keys(acme)}?{query}")) == expected

    def test_is_narrowed_by_workspace_and_by_the_last_four_characters(self, sign_in: Any, acme: Company) -> None:
        make(acme, "elsewhere", place=acme.other_workspace)
        browser = sign_in(acme.owner)
        assert names(browser.get(keys(acme), {"workspace": acme.other_workspace.slug})) == {"elsewhere"}
        assert names(browser.get(keys(acme), {"q": acme.secrets["user_key"][-4:]})) >= {"Acme user key"}
        assert names(browser.get(keys(acme), {"owner": str(acme.member.pk)})) == {"Acme user key"}

    def test_hides_the_revoked_until_they_are_asked_for(self, sign_in: Any, acme: Company) -> None:
        apikeys.revoke(acme.workspace_key, by=system())
        browser = sign_in(acme.owner)
        assert "Acme workspace key" not in names(browser.get(keys(acme)))
        assert names(browser.get(f"{keys(acme)}?status=revoked")) == {"Acme workspace key"}

    @pytest.mark.parametrize(
        "query",
        ["kind=x", "status=%00", "workspace=%00", "workspace=nothing", "owner=%00", "q=%00%25_", "sort=x", "size=9999"],
    )
    def test_takes_hostile_addresses_calmly(self, sign_in: Any, acme: Company, query: str) -> None:
        assert sign_in(acme.owner).get(f"{keys(acme)}?{query}").status_code == 200

    @pytest.mark.parametrize("sort", ["name", "-name", "expires", "-expires", "created", "-created"])
    def test_is_sorted_and_continued_in_every_order(self, sign_in: Any, acme: Company, sort: str) -> None:
        for number in range(30):
            ends = now() + timedelta(days=number + 1) if number % 2 else None
            make(acme, f"key {number:02}", expires_at=ends)
        browser = sign_in(acme.owner)
        first = browser.get(keys(acme), {"sort": sort, "size": "25"})
        second = browser.get(keys(acme), {"sort": sort, "size": "25", "after": first.context["page"].older})
        assert (len(first.context["page"].rows), len(second.context["page"].rows)) == (25, 8)
        assert not names(first) & names(second)

    def test_comes_as_a_file_of_what_is_shown(self, sign_in: Any, acme: Company) -> None:
        make(acme, "=cmd()")
        answer = sign_in(acme.owner).get(f"{keys(acme)}?format=csv&kind=workspace-service")
        told = b"".join(answer.streaming_content if answer.streaming else [answer.content]).decode()
        assert answer["Content-Type"].startswith("text/csv")
        assert "Acme workspace key" in told
        assert "Acme organization key" not in told
        assert not re.search(r"^=cmd|,=cmd", told, re.MULTILINE)
        assert acme.secrets["workspace_key"] not in told

    def test_says_when_an_owner_is_away(self, sign_in: Any, acme: Company) -> None:
        memberships.suspend(acme.membership(acme.member), by=system())
        shown = text(sign_in(acme.owner).get(keys(acme)))
        assert f"<s><bdi>{acme.member}</bdi></s>" in shown
        assert "suspended" in shown

    def test_says_what_to_do_where_there_is_none(self, sign_in: Any, acme: Company) -> None:
        for key in ApiKey.objects.filter(organization=acme.organization):
            apikeys.revoke(key, by=system())
        shown = text(sign_in(acme.owner).get(keys(acme)))
        assert "Keys are shown once, stored as a hash." in shown
        assert f'href="{keys(acme)}new/"' in shown
        helpless = text(sign_in(acme.bystander).get(keys(acme)))
        assert "These people can create one for you" in helpless
        assert str(acme.owner) in helpless
        assert "keys/new/" not in helpless

    def test_offers_the_filters_that_are_on_to_be_cleared(self, sign_in: Any, acme: Company) -> None:
        shown = text(sign_in(acme.owner).get(f"{keys(acme)}?q=nothing+like+it"))
        assert "No key matches" in shown
        assert "nothing like it" in shown

    def test_hides_keys_of_archived_workspaces_from_members(self, sign_in: Any, acme: Company) -> None:
        workspaces.archive(acme.workspace, by=system())
        assert names(sign_in(acme.member).get(keys(acme))) == set()
        assert names(sign_in(acme.manager).get(keys(acme))) == set()
        owner = sign_in(acme.owner).get(keys(acme))
        assert "Acme workspace key" in names(owner)
        assert "Workspace archived" in text(owner)

    @pytest.mark.parametrize("person", ["owner", "manager", "member"])
    def test_costs_the_same_for_few_and_for_many(
        self, sign_in: Any, acme: Company, django_assert_max_num_queries: Any, person: str
    ) -> None:
        browser = sign_in(acme[person])
        for address in (keys(acme), keys_there(acme)):
            browser.get(address)
            for _ in range(2):
                with django_assert_max_num_queries(8):
                    assert browser.get(address).status_code == 200
                for number in range(20):
                    make(acme, f"key {number}", user=acme.member if number % 2 else None)

    def test_is_drawn_in_part_where_a_part_is_asked(self, sign_in: Any, acme: Company) -> None:
        answer = sign_in(acme.owner).get(f"{keys(acme)}?q=user", headers={"hx-request": "true"})
        assert "<html" not in answer.content.decode()
        assert names(answer) == {"Acme user key"}

    def test_shows_names_as_they_are_written(self, sign_in: Any, acme: Company) -> None:
        hostile = "<script>alert(1)</script> \u202etxt"
        make(acme, hostile)
        shown = sign_in(acme.owner).get(keys(acme)).content.decode()
        assert "<script>alert" not in shown
        assert f"<bdi>{escape(hostile)}</bdi>" in shown


class TestCreating:
    def test_offers_the_kinds_that_somebody_may_create(self, sign_in: Any, acme: Company) -> None:
        def offered(person: str, address: str) -> list[str]:
            return [value for value, _ in sign_in(acme[person]).get(address).context["form"].fields["kind"].choices]

        of_workspaces = ["workspace-service", "workspace-user"]
        assert offered("owner", f"{keys(acme)}new/") == [*of_workspaces, "organisation-service"]
        assert offered("manager", f"{keys(acme)}new/") == of_workspaces
        assert offered("owner", f"{keys_there(acme)}new/") == of_workspaces
        for person in ("member", "bystander"):
            assert sign_in(acme[person]).get(f"{keys(acme)}new/").status_code == 403

    def test_offers_only_workspaces_where_one_may(self, sign_in: Any, acme: Company) -> None:
        places = sign_in(acme.manager).get(f"{keys(acme)}new/").context["places"]
        assert list(places) == [acme.workspace.slug]

    def test_shows_the_secret_in_that_one_answer(self, sign_in: Any, acme: Company, call: Any) -> None:
        browser = sign_in(acme.manager)
        answer = browser.post(f"{keys_there(acme)}new/", filled(browser, f"{keys_there(acme)}new/"))
        secret = secret_in(answer)
        assert answer.status_code == 200
        assert answer["Cache-Control"] == "no-store"
        assert "it will not be shown again" in text(answer)
        assert call("GET", "/v1/whoami", secret).json()["name"] == "ci"

    def test_leaves_the_secret_nowhere_afterwards(self, sign_in: Any, acme: Company, caplog: Any) -> None:
        browser = sign_in(acme.manager)
        secret = secret_in(browser.post(f"{keys_there(acme)}new/", filled(browser, f"{keys_there(acme)}new/")))
        key = ApiKey.objects.get(name="ci")
        kept = [
            *AuditEvent.objects.values_list("details", flat=True),
            *AuditNames.objects.values_list("names", flat=True),
        ]
        assert secret not in str(kept) + str(dict(browser.session)) + caplog.text
        for address in (keys(acme), page(acme, key), page(acme, key, "edit/"), page(acme, key, "revoke/")):
            shown = browser.get(address).content.decode()
            assert secret not in shown
            assert secret[5:-4] not in shown

    def test_sent_twice_makes_one_key_and_says_that_it_was_shown(self, sign_in: Any, acme: Company) -> None:
        """Drop `once` from the operation, and this fails."""
        browser = sign_in(acme.manager)
        given = filled(browser, f"{keys_there(acme)}new/")
        secret = secret_in(browser.post(f"{keys_there(acme)}new/", given))
        again = browser.post(f"{keys_there(acme)}new/", given)
        assert again.status_code == 409
        assert secret not in again.content.decode()
        assert "was shown to you at" in text(again)
        assert page(acme, ApiKey.objects.get(name="ci"), "revoke/") in text(again)

    @pytest.mark.parametrize("visit", ["", "x", "W10:x:y"])
    def test_needs_a_form_that_was_given_out(self, sign_in: Any, acme: Company, visit: str) -> None:
        browser = sign_in(acme.manager)
        answer = browser.post(f"{keys_there(acme)}new/", filled(browser, f"{keys_there(acme)}new/", visit=visit))
        assert answer.status_code == 400
        assert not ApiKey.objects.filter(name="ci").exists()

    def test_takes_nobody_elses_form(self, sign_in: Any, acme: Company) -> None:
        theirs = filled(sign_in(acme.owner), f"{keys_there(acme)}new/")
        assert sign_in(acme.manager).post(f"{keys_there(acme)}new/", theirs).status_code == 400

    def test_gives_the_seeds_defaults(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.manager)
        browser.post(f"{keys_there(acme)}new/", filled(browser, f"{keys_there(acme)}new/"))
        key = ApiKey.objects.get(name="ci")
        calls = {"completions.write", "logs.write", "guardrails.invoke"}
        assert set(key.scopes) == calls | {"prompts.list", "prompts.read", "prompts.render"}
        assert timedelta(days=89) < key.expires_at - now() <= timedelta(days=90)

    def test_takes_a_preset_for_all_there_is(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.manager)
        address = f"{keys_there(acme)}new/"
        browser.post(address, filled(browser, address, preset="all", expires="never"))
        key = ApiKey.objects.get(name="ci")
        assert set(key.scopes) == ALLOWED[KeyType.WORKSPACE]
        assert key.expires_at is None

    def test_takes_a_preset_that_only_reads(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        given = filled(browser, f"{keys(acme)}new/", preset="read", kind=KeyType.ORGANIZATION.value)
        browser.post(f"{keys(acme)}new/", given)
        verbs = {scope.partition(".")[2] for scope in ApiKey.objects.get(name="ci").scopes}
        assert verbs <= {"list", "read", "copy", "view", "export"}

    def test_takes_levels_and_what_has_no_row(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        wanted = {"level_prompts": "delete", "level_completions": "disabled", "more": ["workspaces.read"]}
        browser.post(f"{keys_there(acme)}new/", filled(browser, f"{keys_there(acme)}new/", **wanted))
        prompts = {a for a in Action if a.resource == "prompts"}
        assert set(ApiKey.objects.get(name="ci").scopes) == prompts | {"workspaces.read"}

    def test_makes_a_personal_key_for_somebody_on_the_team(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.manager)
        kind = {"kind": KeyType.USER.value, "person": acme.member.email.upper()}
        browser.post(f"{keys_there(acme)}new/", filled(browser, f"{keys_there(acme)}new/", **kind))
        assert ApiKey.objects.get(name="ci").user == acme.member

    @pytest.mark.parametrize("who", ["bystander", "suspended", "stranger"])
    def test_makes_none_for_somebody_who_is_not_there(self, sign_in: Any, world: World, who: str) -> None:
        acme, browser = world.acme, sign_in(world.acme.manager)
        person = world.stranger if who == "stranger" else acme[who]
        kind = {"kind": KeyType.USER.value, "person": person.email}
        answer = browser.post(f"{keys_there(acme)}new/", filled(browser, f"{keys_there(acme)}new/", **kind))
        assert answer.status_code == 400
        assert answer.context["form"].errors["person"]

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("name", ""),
            ("name", "x\x00y"),
            ("name", "x" * 256),
            ("kind", "organisation-service"),
            ("kind", "king"),
            ("workspace", "ws-nothing-000000"),
            ("preset", "everything"),
            ("level_prompts", "own"),
            ("more", ["billing.manage"]),
            ("expires", "1000"),
            ("budget", "-1"),
            ("budget", "1e400"),
            ("reset_days", "999"),
            ("requests_rpm", str(2**60)),
            ("alert_emails", "nobody"),
            ("metadata", "no sign"),
        ],
    )
    def test_says_at_the_field_what_is_wrong(self, sign_in: Any, acme: Company, field: str, value: Any) -> None:
        browser = sign_in(acme.manager)
        answer = browser.post(f"{keys_there(acme)}new/", filled(browser, f"{keys_there(acme)}new/", **{field: value}))
        assert answer.status_code == 400
        assert answer.context["form"].errors[field]
        assert not ApiKey.objects.filter(name="ci").exists()

    @pytest.mark.parametrize("day", ["", "yesterday", "2020-01-01", "9999-12-31", "0001-01-01"])
    def test_takes_a_day_that_is_one(self, sign_in: Any, acme: Company, day: str) -> None:
        browser, address = sign_in(acme.manager), f"{keys_there(acme)}new/"
        answer = browser.post(address, filled(browser, address, expires="date", expires_on=day))
        assert answer.status_code == 400
        assert answer.context["form"].errors["expires_on"]

    def test_lets_a_key_work_through_its_last_day(self, sign_in: Any, acme: Company) -> None:
        browser, address = sign_in(acme.manager), f"{keys_there(acme)}new/"
        day = (now() + timedelta(days=5)).date()
        browser.post(address, filled(browser, address, expires="date", expires_on=day.isoformat()))
        ends = ApiKey.objects.get(name="ci").expires_at
        assert (ends.date(), ends.hour, ends.minute) == (day, 23, 59)

    def test_keeps_the_limits_as_the_wire_has_them(self, sign_in: Any, acme: Company) -> None:
        browser, address = sign_in(acme.manager), f"{keys_there(acme)}new/"
        limits = {"budget": "100", "budget_in": "cost", "alert_at": "80", "resets": "days", "reset_days": "14"}
        more = {"requests_rpm": "60", "tokens_rpd": "0", "alert_emails": "a@x.example", "metadata": "team = search"}
        browser.post(address, filled(browser, address, **limits, **more))
        key = ApiKey.objects.get(name="ci")
        assert key.usage_limits == {
            "type": "cost",
            "credit_limit": 100,
            "alert_threshold": 80,
            "periodic_reset": None,
            "periodic_reset_days": 14,
            "next_usage_reset_at": None,
        }
        assert {(r["type"], r["unit"], r["value"]) for r in key.rate_limits} == {
            ("requests", "rpm", 60),
            ("tokens", "rpd", 0),
        }
        assert key.alert_emails == ["a@x.example"]
        assert key.defaults["metadata"] == {"team": "search"}

    def test_leaves_out_what_the_creator_does_not_hold_and_says_so(self, sign_in: Any, acme: Company) -> None:
        permission = permission_ids(Workspace)[Action.PROMPTS_PUBLISH]
        WorkspaceGroupPermission.objects.filter(content_object=acme.workspace, permission=permission).delete()
        browser, address = sign_in(acme.manager), f"{keys_there(acme)}new/"
        assert "because you may not do it here yourself: publish prompts" in text(browser.get(address))
        browser.post(address, filled(browser, address, preset="all"))
        assert "prompts.publish" not in ApiKey.objects.get(name="ci").scopes

    def test_says_in_words_what_was_too_much(self, sign_in: Any, acme: Company, monkeypatch: Any) -> None:
        """What the page left out the operation would refuse: should they ever disagree, it is said at the table."""
        permission = permission_ids(Workspace)[Action.PROMPTS_PUBLISH]
        monkeypatch.setattr("apps.apikeys.presets.Bounds.given", lambda self, actions: actions & ALLOWED[self.key_type])
        WorkspaceGroupPermission.objects.filter(content_object=acme.workspace, permission=permission).delete()
        browser, address = sign_in(acme.manager), f"{keys_there(acme)}new/"
        answer = browser.post(address, filled(browser, address, level_prompts="delete"))
        assert answer.status_code == 400
        (said,) = answer.context["form"].errors["preset"]
        assert said == "You cannot give a key more than you may do here yourself. You may not: publish prompts."

    def test_of_another_type_of_workspace_has_only_its_features(self, sign_in: Any, acme: Company) -> None:
        vault = workspaces.create(acme.organization, name="Vault", kind=WorkspaceType.SECRETS, by=system())
        shown = sign_in(acme.owner).get(f"{root(acme)}/w/{vault.slug}/keys/new/")
        slugs = [row.feature.slug for _, rows in shown.context["table"] for row in rows]
        assert slugs == ["workspace_users", "workspace_service_api_keys"]
        assert not any(scope in FREELY_GIVEN for scope in shown.context["scopes"])

    def test_of_the_organization_offers_no_calls_to_models(self, sign_in: Any, acme: Company) -> None:
        shown = sign_in(acme.owner).get(f"{keys(acme)}new/?kind=organisation-service")
        rows = {row.feature.slug: row for _, rows in shown.context["table"] for row in rows}
        assert not rows["completions"].is_for_this_type
        assert "A key of this kind cannot carry it." in text(shown)

    def test_says_in_a_sentence_what_the_key_could_do_and_writes_nothing(self, sign_in: Any, acme: Company) -> None:
        browser, before = sign_in(acme.manager), (ApiKey.objects.count(), AuditEvent.objects.count())
        given = filled(browser, f"{keys_there(acme)}new/", expires="never", level_prompts="write", name="")
        shown = text(browser.post(f"{keys_there(acme)}new/draft/", given))
        said = "This key can call models and read and write prompts in <em><bdi>Acme Search</bdi></em>, and has no end."
        assert said in shown
        assert "<html" not in shown
        assert (ApiKey.objects.count(), AuditEvent.objects.count()) == before
        given = {**given, "check": "1", "name": "ci"}
        assert said in text(browser.post(f"{keys_there(acme)}new/", given))
        assert (ApiKey.objects.count(), AuditEvent.objects.count()) == before

    def test_says_what_a_personal_key_would_wait_for(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.manager)
        kind = {"kind": "workspace-user", "person": acme.member.email}
        given = filled(browser, f"{keys_there(acme)}new/", preset="all", **kind)
        shown = text(browser.post(f"{keys_there(acme)}new/draft/", given))
        assert f"<bdi>{acme.member}</bdi> may not do now:" in shown
        assert "delete prompts" in shown

    def test_is_refused_to_members_however_they_ask(self, sign_in: Any, acme: Company) -> None:
        given = filled(sign_in(acme.manager), f"{keys_there(acme)}new/")
        for person in ("member", "bystander"):
            for address in (f"{keys(acme)}new/", f"{keys(acme)}new/draft/"):
                assert sign_in(acme[person]).post(address, given).status_code == 403
        assert not ApiKey.objects.filter(name="ci").exists()

    @pytest.mark.parametrize("person", ["owner", "manager"])
    def test_costs_eight_queries_at_most_to_look_at(
        self, sign_in: Any, acme: Company, django_assert_max_num_queries: Any, person: str
    ) -> None:
        for number in range(12):
            workspaces.create(acme.organization, name=f"Room {number}", by=system())
        browser = sign_in(acme[person])
        for address in (f"{keys(acme)}new/", f"{keys_there(acme)}new/"):
            browser.get(address)
            with django_assert_max_num_queries(8):
                assert browser.get(address).status_code == 200


class TestOneKey:
    @pytest.mark.parametrize(
        ("person", "key", "status"),
        [
            ("owner", "organization_key", 200),
            ("admin", "user_key", 200),
            ("manager", "workspace_key", 200),
            ("manager", "organization_key", 403),
            ("member", "user_key", 200),
            ("member", "workspace_key", 403),
            ("member", "organization_key", 403),
            ("bystander", "workspace_key", 404),
            ("bystander", "user_key", 404),
            ("suspended", "workspace_key", 404),
        ],
    )
    def test_is_shown_to_whom_it_concerns(
        self, sign_in: Any, acme: Company, person: str, key: str, status: int
    ) -> None:
        assert sign_in(acme[person]).get(page(acme, acme[key])).status_code == status

    def test_of_a_neighbour_is_not_there(self, sign_in: Any, world: World) -> None:
        browser = sign_in(world.acme.owner)
        for act in ("", "edit/", "disable/", "revoke/"):
            assert browser.get(page(world.acme, world.globex.workspace_key, act)).status_code == 404
        for act in ("edit/", "disable/", "enable/", "revoke/"):
            answer = browser.post(page(world.acme, world.globex.workspace_key, act), {"version": 1})
            assert answer.status_code == 404

    def test_says_what_of_a_personal_key_does_not_count_now(self, sign_in: Any, acme: Company) -> None:
        answer = sign_in(acme.owner).get(page(acme, acme.user_key))
        assert "delete prompts" in answer.context["idle"]
        assert Action.PROMPTS_DELETE not in answer.context["counted"]
        assert sign_in(acme.owner).get(page(acme, acme.workspace_key)).context["idle"] == []

    def test_tells_its_activity_to_those_who_read_the_log(self, sign_in: Any, acme: Company) -> None:
        apikeys.disable(acme.workspace_key, by=UserActor(acme.manager))
        shown = text(sign_in(acme.owner).get(f"{page(acme, acme.workspace_key)}?tab=activity"))
        assert "disabled the API key" in shown
        assert "tab=activity" not in text(sign_in(acme.manager).get(page(acme, acme.workspace_key)))
        assert "disabled the API key" not in text(
            sign_in(acme.manager).get(f"{page(acme, acme.workspace_key)}?tab=activity")
        )

    @pytest.mark.parametrize("tab", ["", "?tab=activity"])
    @pytest.mark.parametrize(
        ("person", "key"),
        [
            ("owner", "organization_key"),
            ("owner", "workspace_key"),
            ("owner", "user_key"),
            ("manager", "workspace_key"),
            ("manager", "user_key"),
        ],
    )
    def test_costs_eight_queries_at_most(
        self, sign_in: Any, acme: Company, django_assert_max_num_queries: Any, person: str, key: str, tab: str
    ) -> None:
        browser, address = sign_in(acme[person]), f"{page(acme, acme[key])}{tab}"
        browser.get(address)
        with django_assert_max_num_queries(8):
            browser.get(address)

    def test_offers_only_what_would_be_answered(self, sign_in: Any, acme: Company) -> None:
        member = text(sign_in(acme.member).get(page(acme, acme.user_key)))
        assert "revoke/" in member
        assert "edit/" not in member
        assert "disable/" not in member
        apikeys.revoke(acme.workspace_key, by=system())
        over = text(sign_in(acme.owner).get(page(acme, acme.workspace_key)))
        assert "This key is revoked" in over
        assert not re.search("/(edit|disable|enable|revoke)/", over)


def changed(browser: Any, address: str, **more: Any) -> dict[str, Any]:
    form = browser.get(address).context["form"]
    sent = {name: form[name].value() for name in form.fields if name not in {"check", "drawn"}}
    return {name: value for name, value in {**sent, **more}.items() if value is not None}


class TestEditing:
    def test_changes_nothing_by_itself(self, sign_in: Any, acme: Company) -> None:
        key = make(
            acme,
            "ci",
            scopes=["prompts.publish", "prompts.list", "workspaces.create"],
            expires_at=now() + timedelta(days=3),
            usage_limits={"credit_limit": 5, "periodic_reset": "weekly"},
            rate_limits=[{"type": "requests", "unit": "rpm", "value": 7}],
            defaults={"metadata": {"team": "a"}, "allow_config_override": False},
        )
        browser, before = sign_in(acme.owner), ApiKey.objects.filter(pk=key.pk).values().get()
        answer = browser.post(page(acme, key, "edit/"), changed(browser, page(acme, key, "edit/")))
        assert answer.status_code == 302
        assert ApiKey.objects.filter(pk=key.pk).values().get() == before

    def test_changes_what_was_changed(self, sign_in: Any, acme: Company) -> None:
        browser, address = sign_in(acme.manager), page(acme, acme.workspace_key, "edit/")
        more = {"name": "renamed", "level_prompts": "read", "expires": "30", "description": "For search"}
        assert browser.post(address, changed(browser, address, **more)).status_code == 302
        key = ApiKey.objects.get(pk=acme.workspace_key.pk)
        assert (key.name, key.description) == ("renamed", "For search")
        assert {s for s in key.scopes if s.startswith("prompts.")} == {"prompts.list", "prompts.read", "prompts.render"}
        assert "configs.delete" in key.scopes
        assert key.expires_at < now() + timedelta(days=31)

    def test_on_an_older_version_is_refused(self, sign_in: Any, acme: Company) -> None:
        browser, address = sign_in(acme.manager), page(acme, acme.workspace_key, "edit/")
        given = changed(browser, address, name="older")
        apikeys.update(acme.workspace_key, name="newer", by=system())
        assert browser.post(address, given).status_code == 409
        assert ApiKey.objects.get(pk=acme.workspace_key.pk).name == "newer"

    def test_is_not_a_members_even_of_their_own(self, sign_in: Any, acme: Company) -> None:
        for act in ("edit/", "disable/"):
            assert sign_in(acme.member).get(page(acme, acme.user_key, act)).status_code == 403


class TestStopping:
    def test_can_be_a_pause_that_is_undone(self, sign_in: Any, acme: Company, call: Any) -> None:
        browser, secret = sign_in(acme.manager), acme.secrets["workspace_key"]
        version = acme.workspace_key.version
        answer = browser.post(page(acme, acme.workspace_key, "disable/"), {"version": version}, follow=True)
        assert "is disabled: calls with it are turned away." in text(answer)
        assert page(acme, acme.workspace_key, "enable/") in text(answer)
        assert call("GET", "/v1/whoami", secret).status_code == 401
        browser.post(page(acme, acme.workspace_key, "enable/"), {"version": version + 1})
        assert call("GET", "/v1/whoami", secret).status_code == 200

    @pytest.mark.parametrize("sent", [{}, {"version": "x"}, {"version": "2", "junk": "1"}])
    def test_is_not_ended_by_half_a_form_and_says_why(self, sign_in: Any, acme: Company, sent: dict[str, str]) -> None:
        apikeys.disable(acme.workspace_key, by=system())
        answer = sign_in(acme.manager).post(page(acme, acme.workspace_key, "enable/"), sent)
        assert answer.status_code == 400
        said = "no field called junk" if "junk" in sent else "does not say which version"
        assert said in text(answer)
        assert not ApiKey.objects.get(pk=acme.workspace_key.pk).is_live

    def test_for_good_is_confirmed_by_typing_the_name(self, sign_in: Any, acme: Company, call: Any) -> None:
        browser, address = sign_in(acme.manager), page(acme, acme.workspace_key, "revoke/")
        shown = browser.get(address)
        given = {"version": acme.workspace_key.version, "seen": shown.context["seen"]}
        assert "ends, for good" in text(shown)
        assert browser.post(address, {**given, "typed": "Acme"}).status_code == 400
        assert browser.post(address, {**given, "typed": acme.workspace_key.name}).status_code == 302
        assert call("GET", "/v1/whoami", acme.secrets["workspace_key"]).status_code == 401

    def test_for_good_is_asked_again_when_it_would_end_something_else(self, sign_in: Any, acme: Company) -> None:
        browser, address = sign_in(acme.manager), page(acme, acme.workspace_key, "revoke/")
        given = {"version": 1, "seen": browser.get(address).context["seen"], "typed": acme.workspace_key.name}
        apikeys.update(acme.workspace_key, scopes=CALL, by=system())
        assert browser.post(address, given).status_code == 409
        assert not ApiKey.objects.get(pk=acme.workspace_key.pk).is_revoked

    def test_for_good_is_ones_own_to_do(self, sign_in: Any, acme: Company) -> None:
        browser, address = sign_in(acme.member), page(acme, acme.user_key, "revoke/")
        seen = browser.get(address).context["seen"]
        browser.post(address, {"version": acme.user_key.version, "seen": seen, "typed": acme.user_key.name})
        assert ApiKey.objects.get(pk=acme.user_key.pk).is_revoked

    def test_reaches_into_an_archived_workspace(self, sign_in: Any, acme: Company) -> None:
        workspaces.archive(acme.workspace, by=system())
        browser, address = sign_in(acme.owner), page(acme, acme.workspace_key, "revoke/")
        seen = browser.get(address).context["seen"]
        given = {"version": acme.workspace_key.version, "seen": seen, "typed": acme.workspace_key.name}
        assert browser.post(address, given).status_code == 302
        assert ApiKey.objects.get(pk=acme.workspace_key.pk).is_revoked
        assert sign_in(acme.manager).get(address).status_code == 404

    def test_a_forged_request_changes_nothing(self, sign_in: Any, acme: Company) -> None:
        for person, key in (("member", acme.workspace_key), ("manager", acme.organization_key)):
            for act in ("disable/", "enable/", "revoke/", "edit/"):
                given = {"version": key.version, "seen": "x", "typed": key.name}
                assert sign_in(acme[person]).post(page(acme, key, act), given).status_code == 403
            assert ApiKey.objects.get(pk=key.pk).status == "active"
