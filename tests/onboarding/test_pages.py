"""Home, founding an organization, and the overviews, as a browser sees them."""

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from apps.access.actors import UserActor
from apps.apikeys.models import ApiKey
from apps.core.clock import now
from apps.memberships import operations as memberships
from apps.organizations.models import Organization
from apps.workspaces import operations as workspaces
from tests.conftest import key_named
from tests.factories import UserFactory
from tests.world import Company, World, system

SECRET = re.compile(r"gtho_[0-9A-Za-z]{38}")
FOUND = {"name": "Initech", "with_master_key": "on", "expires_in": "90", "visit": "f" * 32}


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


class TestHome:
    def test_leads_straight_to_the_one_organization(self, sign_in: Any, acme: Company) -> None:
        assert sign_in(acme.bystander).get("/")["Location"] == f"/o/{acme.organization.slug}/"

    def test_can_be_looked_at_all_the_same(self, sign_in: Any, acme: Company) -> None:
        assert "Acme" in text_of(sign_in(acme.bystander).get("/?all=1"))

    def test_lists_my_organizations_and_my_role_in_each_and_nobody_elses(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.admin)
        browser.post("/organizations/new/", {"name": "Initech"})
        text = text_of(browser.get("/"))
        assert re.search(r"Acme</bdi></b>\s*<small>\s*Admin", text)
        assert re.search(r"Initech</bdi></b>\s*<small>\s*Owner", text)
        assert "Globex" not in text

    def test_lists_them_all_even_where_the_switcher_does_not(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.bystander)
        for number in range(25):
            browser.post("/organizations/new/", {"name": f"Company {number}"})
        assert text_of(browser.get("/")).count('class="tile"') == 26
        assert browser.get(f"/o/{acme.organization.slug}/").status_code == 200

    def test_offers_a_stranger_a_beginning(self, sign_in: Any, world: World) -> None:
        text = text_of(sign_in(world.stranger).get("/"))
        assert "You are in no organization yet" in text
        assert "/organizations/new/" in text

    def test_offers_no_founding_where_only_operators_found(self, sign_in: Any, world: World, settings: Any) -> None:
        settings.FOUNDING = "operators"
        browser = sign_in(world.stranger)
        assert "/organizations/new/" not in text_of(browser.get("/"))
        assert browser.get("/organizations/new/").status_code == 403
        assert browser.post("/organizations/new/", FOUND).status_code == 403
        assert not Organization.objects.filter(name="Initech").exists()

    def test_shows_an_invitation_to_a_verified_address(self, sign_in: Any, acme: Company) -> None:
        invited = UserFactory(email=acme.invitation.email)
        browser = sign_in(invited)
        assert "Invitations for you" in text_of(browser.get("/"))
        answer = browser.post(f"/invitations/waiting/{acme.invitation.pk}/accept/")
        assert answer["Location"] == f"/o/{acme.organization.slug}/"
        assert browser.get(answer["Location"]).status_code == 200

    def test_shows_none_to_an_address_that_was_never_proved(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(UserFactory(email=acme.invitation.email, verified=False))
        assert "Invitations for you" not in text_of(browser.get("/"))
        assert browser.post(f"/invitations/waiting/{acme.invitation.pk}/accept/").status_code == 404

    def test_an_invitation_can_be_declined_from_here(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(UserFactory(email=acme.invitation.email))
        browser.post(f"/invitations/waiting/{acme.invitation.pk}/decline/")
        assert "Invitations for you" not in text_of(browser.get("/"))

    def test_nobody_answers_an_invitation_to_somebody_else(self, sign_in: Any, acme: Company, world: World) -> None:
        for verb in ("accept", "decline"):
            answer = sign_in(world.stranger).post(f"/invitations/waiting/{acme.invitation.pk}/{verb}/")
            assert answer.status_code == 404


class TestFounding:
    def test_shows_the_master_key_once_and_it_works(self, sign_in: Any, world: World, call: Any) -> None:
        answer = sign_in(world.stranger).post("/organizations/new/", FOUND)
        (secret,) = set(SECRET.findall(text_of(answer)))
        assert call("GET", "/v1/whoami", secret).status_code == 200
        assert key_named(secret).organization.name == "Initech"
        assert 'id="master-key" value="gtho_' in re.sub(r"\s+", " ", text_of(answer))

    def test_the_key_is_kept_nowhere_else(self, sign_in: Any, world: World, caplog: Any) -> None:
        browser = sign_in(world.stranger)
        answer = browser.post("/organizations/new/", FOUND)
        (secret,) = set(SECRET.findall(text_of(answer)))
        assert answer.status_code == 200
        assert "no-store" in answer["Cache-Control"]
        assert answer["Referrer-Policy"] == "same-origin"
        assert secret not in str(dict(browser.session))
        assert secret not in caplog.text
        assert not any(secret in str(value) for value in answer.headers.values())

    def test_coming_back_shows_no_key(self, sign_in: Any, world: World) -> None:
        browser = sign_in(world.stranger)
        browser.post("/organizations/new/", FOUND)
        for path in ("/organizations/new/", "/?all=1", f"/o/{Organization.objects.get(name='Initech').slug}/"):
            assert not SECRET.search(text_of(browser.get(path)))

    def test_sending_the_form_again_founds_no_second_one(self, sign_in: Any, world: World) -> None:
        browser = sign_in(world.stranger)
        browser.post("/organizations/new/", FOUND)
        again = browser.post("/organizations/new/", FOUND)
        assert again.status_code == 302
        assert Organization.objects.filter(name="Initech").count() == 1
        assert ApiKey.objects.filter(organization__name="Initech").count() == 1
        assert "cannot be shown again" in text_of(browser.get(again["Location"]))

    @pytest.mark.parametrize(("choice", "days"), [("30", 30), ("90", 90), ("365", 365), ("", 90), ("never", None)])
    def test_the_key_expires_when_it_was_said(self, sign_in: Any, world: World, choice: str, days: int | None) -> None:
        sign_in(world.stranger).post("/organizations/new/", {**FOUND, "expires_in": choice})
        key = ApiKey.objects.get(organization__name="Initech")
        assert (key.expires_at and (key.expires_at - key.created_at).days + 1) == days

    def test_the_box_can_be_left_open(self, sign_in: Any, world: World) -> None:
        answer = sign_in(world.stranger).post("/organizations/new/", {"name": "Initech"})
        assert answer.status_code == 302
        assert not ApiKey.objects.filter(organization__name="Initech").exists()

    def test_the_box_is_ticked_and_the_choice_preset(self, sign_in: Any, world: World) -> None:
        form = sign_in(world.stranger).get("/organizations/new/").context["form"]
        assert (form["with_master_key"].value(), form["expires_in"].value()) == (True, "90")

    @pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 256, "\x00"])
    def test_a_bad_name_is_said_at_its_field(self, sign_in: Any, world: World, name: str) -> None:
        answer = sign_in(world.stranger).post("/organizations/new/", {**FOUND, "name": name})
        assert answer.status_code == 400
        assert "name" in answer.context["form"].errors
        assert not Organization.objects.exclude(name__in=["Acme", "Globex"]).exists()

    def test_what_the_form_does_not_ask_is_refused_by_name(self, sign_in: Any, world: World) -> None:
        answer = sign_in(world.stranger).post("/organizations/new/", {**FOUND, "slug": "initech"})
        assert answer.status_code == 400
        assert "no field called slug" in text_of(answer)


class TestOverviews:
    def test_an_owner_sees_what_there_is(self, sign_in: Any, acme: Company) -> None:
        answer = sign_in(acme.owner).get(f"/o/{acme.organization.slug}/")
        counted = {name: total.number for name, total in answer.context["counted"].items()}
        assert counted == {"members": 7, "workspaces": 3, "invitations": 1, "api_keys": 3}

    def test_a_member_sees_what_their_role_lists(self, sign_in: Any, acme: Company) -> None:
        answer = sign_in(acme.member).get(f"/o/{acme.organization.slug}/")
        counted = {name: total.number for name, total in answer.context["counted"].items()}
        assert counted == {"members": 7, "workspaces": 1}

    def test_first_steps_tick_themselves(self, sign_in: Any, world: World) -> None:
        browser = sign_in(world.stranger)
        page = browser.post("/organizations/new/", {"name": "Initech"})["Location"]
        assert [step.is_done for step in browser.get(page).context["steps"]] == [True, False, False, False, False]
        browser.post(f"{page}workspaces/new/", {"name": "Search", "kind": "ai_gateway"})
        browser.post(f"{page}invitations/new/", {"emails": "sam@initech.example", "role": "member"})
        assert [step.is_done for step in browser.get(page).context["steps"]] == [True, True, True, False, False]

    def test_first_steps_are_for_those_who_can_take_them(self, sign_in: Any, acme: Company) -> None:
        assert sign_in(acme.member).get(f"/o/{acme.organization.slug}/").context["steps"] == []

    def test_a_workspace_says_where_access_comes_from(self, sign_in: Any, acme: Company) -> None:
        page = f"/o/{acme.organization.slug}/w/{acme.workspace.slug}/"
        assert "through your organization role" in text_of(sign_in(acme.owner).get(page))
        assert "through your organization role" not in text_of(sign_in(acme.manager).get(page))

    def test_the_number_of_queries_does_not_grow(
        self, sign_in: Any, acme: Company, django_assert_max_num_queries: Any
    ) -> None:
        pages = [f"/o/{acme.organization.slug}/", f"/o/{acme.organization.slug}/w/{acme.workspace.slug}/"]
        for page in pages:
            browser: Client = sign_in(acme.owner)
            browser.get(page)
            with django_assert_max_num_queries(8):
                browser.get(page)

    def test_a_member_finds_their_workspaces_and_no_log(self, sign_in: Any, acme: Company) -> None:
        answer = sign_in(acme.member).get(f"/o/{acme.organization.slug}/")
        text = text_of(answer)
        assert "Your workspaces" in text
        assert "Acme Search" in text
        assert not answer.context["acts"]
        assert not answer.context["tidies"]
        for hidden in ("What happened last", "To tidy up", "Acme Support"):
            assert hidden not in text

    def test_who_is_in_none_is_told_who_could_help(self, sign_in: Any, acme: Company) -> None:
        text = text_of(sign_in(acme.bystander).get(f"/o/{acme.organization.slug}/"))
        assert "You are in no workspace yet" in text
        assert acme.owner.email in text

    def test_the_last_acts_are_there_for_who_may_read_the_log(self, sign_in: Any, acme: Company) -> None:
        workspaces.update(acme.workspace, name="Lab", by=UserActor(acme.manager))
        for path in ("", f"w/{acme.workspace.slug}/"):
            text = text_of(sign_in(acme.admin).get(f"/o/{acme.organization.slug}/{path}"))
            assert "renamed <bdi>Acme Search</bdi> to <bdi>Lab</bdi>." in text
        assert "renamed" not in text_of(
            sign_in(acme.manager).get(f"/o/{acme.organization.slug}/w/{acme.workspace.slug}/")
        )


class TestTidyingUp:
    def _findings(self, sign_in: Any, acme: Company, role: str = "owner") -> dict[str, str]:
        answer = sign_in(acme[role]).get(f"/o/{acme.organization.slug}/")
        return {finding.text: finding.link.partition("?")[2] for finding in answer.context["findings"]}

    def test_says_what_there_is_with_a_link_to_just_that(self, sign_in: Any, acme: Company) -> None:
        long_ago = now() - timedelta(days=91)
        acme.organization.memberships.filter(user=acme.bystander).update(created_at=long_ago)
        acme.organization.memberships.filter(user=acme.member).update(last_active_at=long_ago)
        acme.organization.invitations.update(expires_at=long_ago)
        acme.organization.api_keys.filter(pk=acme.user_key.pk).update(expires_at=now() + timedelta(days=5))
        memberships.remove_from_workspace(acme.placed(acme.manager), by=system())
        memberships.remove_from_workspace(acme.placed(acme.suspended), by=system())
        assert self._findings(sign_in, acme) == {
            "2 members have not been here for 90 days": "inactive=90",
            "2 owners have no second factor": "role=owner&factor=no",
            "1 admin has no second factor": "role=admin&factor=no",
            "1 invitation has expired": "status=expired",
            "2 API keys never expire": "status=active&expiry=never",
            "1 API key expires within 30 days": "status=active&expiry=soon",
            "1 workspace rests on one manager": "managers=one",
        }

    def test_counts_just_the_rows_that_the_lists_then_show(self, sign_in: Any, acme: Company) -> None:
        long_ago = now() - timedelta(days=91)
        acme.organization.memberships.filter(user__in=[acme.bystander, acme.suspended]).update(created_at=long_ago)
        acme.organization.invitations.update(expires_at=long_ago)
        browser = sign_in(acme.owner)
        for finding in browser.get(f"/o/{acme.organization.slug}/").context["findings"]:
            answer = browser.get(finding.link)
            assert answer.context["counted"]["total"].number == int(finding.text.split()[0]), finding.text

    def test_says_so_when_there_is_nothing(self, sign_in: Any, world: World) -> None:
        browser = sign_in(world.stranger)
        Authenticator.objects.create(user=world.stranger, type=Authenticator.Type.TOTP, data={})
        page = browser.post("/organizations/new/", {"name": "Initech"})["Location"]
        assert "Nothing to tidy up" in text_of(browser.get(page))

    def test_is_not_shown_to_who_could_do_nothing_about_it(self, sign_in: Any, acme: Company) -> None:
        assert self._findings(sign_in, acme, "member") == {}
        assert "To tidy up" not in text_of(sign_in(acme.manager).get(f"/o/{acme.organization.slug}/"))
