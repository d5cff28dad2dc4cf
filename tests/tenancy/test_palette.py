"""The command palette: it finds by how words begin, and nothing that one may not see."""

import re
from html import unescape
from typing import Any

import pytest

from apps.access.roles import OrganizationRole
from apps.memberships import operations as memberships
from apps.workspaces import operations as workspaces
from tests.factories import UserFactory
from tests.world import Company, World, system

OPENS = {200, 302}  # a page about the account may ask for the password first, and home leads on
PART = {"hx-request": "true", "hx-target": "found"}


def search(company: Company, workspace: bool = False) -> str:
    root = f"/o/{company.organization.slug}/"
    return f"{root}w/{company.workspace.slug}/search/" if workspace else f"{root}search/"


def found(browser: Any, page: str, asked: str = "") -> dict[str, str]:
    """What is found: {name: address}."""
    text = browser.get(page, {"q": asked}, headers=PART).content.decode()
    options = re.findall(r'role="option"[^>]*href="([^"]+)".*?<span [^>]*>(.*?)</span>', text, re.DOTALL)
    return {unescape(name): href for href, name in options}


class TestPages:
    @pytest.mark.parametrize(
        ("asked", "page"),
        [
            ("people", "Members"),
            ("peo", "Members"),
            ("MEM", "Members"),
            ("token", "API keys"),
            ("api k", "API keys"),
            ("permissions", "Roles"),
            ("invite", "Invite people"),
            ("shortcuts", "Keyboard shortcuts"),
            ("passkeys", "Second factors"),
        ],
    )
    def test_are_found_by_what_people_call_them(self, sign_in: Any, acme: Company, asked: str, page: str) -> None:
        assert page in found(sign_in(acme.owner), search(acme), asked)

    def test_are_all_offered_before_anything_is_asked(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        pages = found(browser, search(acme))
        assert {"Members", "Invitations", "Settings", "Profile", "Create a workspace"} <= pages.keys()
        answers = {page: browser.get(page).status_code for page in pages.values()}
        assert {page for page, status in answers.items() if status not in OPENS} == set()

    def test_are_only_those_one_may_open(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.bystander)
        pages = found(browser, search(acme))
        assert not {"Invitations", "Settings", "Invite people", "Create a workspace"} & pages.keys()
        answers = {page: browser.get(page).status_code for page in pages.values()}
        assert {page for page, status in answers.items() if status not in OPENS} == set()

    def test_of_a_workspace_are_there_inside_it(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.member)
        assert found(browser, search(acme, workspace=True), "people")["Team"].endswith(f"/{acme.workspace.slug}/team/")
        assert "Team" not in found(browser, search(acme), "people")

    def test_of_an_account_are_there_everywhere(self, sign_in: Any, world: World) -> None:
        assert "Sessions" in found(sign_in(world.stranger), "/search/", "devices")

    def test_to_found_an_organization_is_offered_to_those_who_may(
        self, sign_in: Any, world: World, settings: Any
    ) -> None:
        assert "Found an organization" in found(sign_in(world.stranger), "/search/", "company")
        settings.FOUNDING = "operators"
        assert "Found an organization" not in found(sign_in(world.stranger), "/search/", "company")


class TestThings:
    def test_are_people_workspaces_and_keys(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        assert str(acme.manager) in found(browser, search(acme), "manag")
        assert "Acme Search" in found(browser, search(acme), "sea acm")
        assert str(acme.workspace_key) in found(browser, search(acme), str(acme.workspace_key)[:4])

    def test_of_another_organization_are_not_there(self, sign_in: Any, world: World) -> None:
        browser = sign_in(world.acme.owner)
        globex = world.globex
        for asked in ("globex", str(globex.owner), globex.owner.email, str(globex.organization_key), "glo"):
            text = browser.get(search(world.acme), {"q": asked}, headers=PART).content.decode()
            assert globex.organization.slug not in text
            assert globex.owner.email not in text
        assert sign_in(globex.owner).get(search(world.acme), {"q": "acme"}).status_code == 404

    def test_are_only_those_one_may_see(self, sign_in: Any, acme: Company) -> None:
        bystander = sign_in(acme.bystander)
        assert "Acme Search" not in found(bystander, search(acme), "acme")
        for key in (acme.organization_key, acme.workspace_key, acme.user_key):
            assert str(key) not in found(bystander, search(acme), str(key))
        theirs = found(sign_in(acme.member), search(acme), str(acme.user_key))
        assert str(acme.user_key) in theirs
        assert str(acme.organization_key) not in found(sign_in(acme.member), search(acme), str(acme.organization_key))

    def test_lead_where_one_may_go(self, sign_in: Any, acme: Company) -> None:
        for person in (acme.owner, acme.member):
            browser = sign_in(person)
            for asked in ("a", "m", "k", "s", "o"):
                things = found(browser, search(acme, workspace=person == acme.member), asked)
                assert {browser.get(href).status_code for href in things.values()} <= OPENS


class TestTheSearch:
    @pytest.mark.parametrize("asked", ["\0", "%", "_", "'; --", "🦉", "a" * 5000, "<script>alert(1)</script>", " "])
    def test_takes_anything(self, sign_in: Any, acme: Company, asked: str) -> None:
        for headers in (PART, {}):
            answer = sign_in(acme.owner).get(search(acme), {"q": asked}, headers=headers)
            assert answer.status_code == 200
            assert "<script>alert" not in answer.content.decode()

    def test_is_a_page_without_scripts(self, sign_in: Any, acme: Company) -> None:
        text = sign_in(acme.owner).get(search(acme), {"q": "people"}).content.decode()
        assert "<html" in text
        assert f'href="/o/{acme.organization.slug}/members/"' in text[text.index("<main") :]

    def test_asks_the_database_no_more_for_many_rows(
        self, sign_in: Any, acme: Company, django_assert_max_num_queries: Any
    ) -> None:
        for number in range(15):
            person = UserFactory(first_name=f"Annika{number}")
            memberships.join(person, acme.organization, OrganizationRole.MEMBER, by=system())
            workspaces.create(acme.organization, name=f"Annex {number}", by=system())
        for person in (acme.owner, acme.member):
            browser = sign_in(person)
            browser.get(search(acme))
            for page in (search(acme), search(acme, workspace=True)):
                with django_assert_max_num_queries(8):
                    text = browser.get(page, {"q": "ann"}, headers=PART).content.decode()
                assert text.count("Annika") // 2 == 6
