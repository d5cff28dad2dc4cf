"""The switcher: where one can go, as whom, and to which page there."""

import re
from typing import Any

import pytest

from apps.access.roles import OrganizationRole
from apps.memberships import invitations
from apps.onboarding import operations as onboarding
from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from apps.workspaces import operations as workspaces
from tests.world import Company, World, system


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def switch(company: Company) -> str:
    return f"/o/{company.organization.slug}/switch/"


def places(answer: Any) -> dict[str, tuple[str, str]]:
    """What is offered: {name: (address, role)}."""
    found = re.findall(
        r'<li data-find> <a href="([^"]*)".*?<b dir="auto"[^>]*>(.*?)</b> ?<small>(.*?)</small>', text_of(answer)
    )
    return {name: (href, role) for href, name, role in found}


class TestWhatItOffers:
    def test_my_organizations_and_my_workspaces_with_my_role_in_each(self, sign_in: Any, acme: Company) -> None:
        found = places(sign_in(acme.member).get(switch(acme)))
        assert found["Acme"][1] == "Member"
        assert found["Acme Search"][1] == "Member"
        assert "Acme Support" not in found
        assert "Globex" not in found

    def test_says_when_a_role_comes_from_the_organization(self, sign_in: Any, acme: Company) -> None:
        assert places(sign_in(acme.owner).get(switch(acme)))["Acme Search"][1] == "Owner, through the organization"

    def test_to_create_for_those_who_may(self, sign_in: Any, acme: Company) -> None:
        assert "Create a workspace" in text_of(sign_in(acme.admin).get(switch(acme)))
        assert "Create a workspace" not in text_of(sign_in(acme.member).get(switch(acme)))

    def test_what_is_archived_behind_a_toggle_for_those_who_reach_it(self, sign_in: Any, acme: Company) -> None:
        workspaces.archive(acme.other_workspace, by=system())
        owner, member = sign_in(acme.owner), sign_in(acme.member)
        assert "Acme Support" not in places(owner.get(switch(acme)))
        assert "Acme Support" in places(owner.get(f"{switch(acme)}?show=archived"))
        assert "Acme Support" not in text_of(member.get(f"{switch(acme)}?show=archived"))
        assert "Show archived workspaces" not in text_of(member.get(switch(acme)))

    def test_invitations_that_wait(self, sign_in: Any, world: World) -> None:
        person = world.globex.member
        invitations.invite(
            world.acme.organization, person.email, invitations.Offer(OrganizationRole.MEMBER), by=system()
        )
        person.emailaddress_set.update_or_create(email=person.email, defaults={"verified": True, "primary": True})
        text = text_of(sign_in(person).get(switch(world.globex)))
        assert "Pending invitation (1)" in text
        assert "asks you to join as" in text

    def test_nothing_of_a_place_that_is_not_mine(self, sign_in: Any, world: World) -> None:
        for person in (world.stranger, world.globex.owner, world.acme.suspended):
            assert sign_in(person).get(switch(world.acme)).status_code == 404

    def test_which_one_is_open(self, sign_in: Any, acme: Company) -> None:
        text = text_of(sign_in(acme.owner).get(f"{switch(acme)}?in={acme.workspace.slug}"))
        marked = re.findall(
            r'aria-current="true".*?<b dir="auto"[^>]*>(.*?)</b>', text[text.index('id="switch-places"') :]
        )
        assert marked == ["Acme", "Acme Search"]

    def test_a_part_to_whoever_asks_for_one(self, sign_in: Any, acme: Company) -> None:
        answer = sign_in(acme.owner).get(switch(acme), headers={"hx-request": "true", "hx-target": "switcher"})
        assert "<html" not in text_of(answer)

    def test_outside_every_organization(self, sign_in: Any, world: World) -> None:
        assert "Acme" in places(sign_in(world.acme.owner).get("/switch/"))
        assert "You are in no organization yet." in text_of(sign_in(world.stranger).get("/switch/"))


class TestSearching:
    def test_narrows_both(self, sign_in: Any, acme: Company) -> None:
        assert set(places(sign_in(acme.owner).get(f"{switch(acme)}?q=acm sea"))) == {"Acme Search"}
        assert "Acme" in places(sign_in(acme.owner).get(f"{switch(acme)}?q=acm"))
        assert places(sign_in(acme.owner).get(f"{switch(acme)}?q=nothing")) == {}

    @pytest.mark.parametrize("asked", ["%00", "%25", "_", "'", "%F0%9F%A6%89", "a" * 5000, "<script>"])
    def test_whatever_is_asked(self, sign_in: Any, acme: Company, asked: str) -> None:
        answer = sign_in(acme.owner).get(f"{switch(acme)}?q={asked}&at={asked}&show={asked}")
        assert answer.status_code == 200
        assert "<script>" not in answer.content.decode()

    def test_asks_the_server_once_there_are_more_than_are_shown(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        assert "data-filter" in text_of(browser.get(switch(acme)))
        for number in range(20):
            workspaces.create(acme.organization, name=f"Project {number}", by=system())
        text = text_of(browser.get(switch(acme)))
        assert "data-filter" not in text
        assert "There are more: search for them." in text
        assert "Project 19" in places(browser.get(f"{switch(acme)}?q=proj 19"))


class TestWhereItLeads:
    @pytest.mark.parametrize(
        ("page", "address"),
        [
            ("memberships:members", "team/"),
            ("apikeys:list", "keys/"),
            ("organizations:settings", "settings/"),
            ("memberships:team", "team/"),
            ("organizations:roles", ""),
            ("memberships:remove", ""),
            ("nonsense", ""),
        ],
    )
    def test_to_the_same_page_in_a_workspace(self, sign_in: Any, acme: Company, page: str, address: str) -> None:
        found = places(sign_in(acme.owner).get(f"{switch(acme)}?at={page}"))
        assert found["Acme Search"][0] == f"/o/{acme.organization.slug}/w/{acme.workspace.slug}/{address}"

    def test_to_the_overview_where_the_page_would_refuse(self, sign_in: Any, acme: Company) -> None:
        found = places(sign_in(acme.member).get(f"{switch(acme)}?at=workspaces:settings"))
        assert found["Acme Search"][0] == f"/o/{acme.organization.slug}/w/{acme.workspace.slug}/"

    def test_to_the_same_page_of_another_organization_as_far_as_the_role_there_goes(
        self, sign_in: Any, world: World
    ) -> None:
        acme, globex = world.acme, world.globex
        theirs = onboarding.found_organization(acme.member, name="Initech", by=system())
        found = places(sign_in(acme.member).get(f"{switch(acme)}?at=organizations:settings"))
        assert found["Initech"][0] == f"/o/{theirs.organization.slug}/settings/"
        assert found["Acme"][0] == f"/o/{acme.organization.slug}/"
        organizations.set_status(theirs.organization, Organization.Status.SUSPENDED, by=system())
        found = places(sign_in(acme.member).get(f"{switch(acme)}?at=organizations:settings"))
        assert found["Initech"][0] == f"/o/{theirs.organization.slug}/"
        assert "Globex" not in found
        assert globex.organization.slug not in str(found)


def test_it_asks_the_database_no_more_for_many_places(
    sign_in: Any, acme: Company, django_assert_max_num_queries: Any
) -> None:
    browser = sign_in(acme.owner)
    for number in range(30):
        workspaces.create(acme.organization, name=f"Project {number}", by=system())
    browser.get(switch(acme))
    for page in (switch(acme), f"{switch(acme)}?show=archived", f"{switch(acme)}?q=project", "/switch/"):
        with django_assert_max_num_queries(8):
            assert browser.get(page, headers={"hx-request": "true"}).status_code == 200
