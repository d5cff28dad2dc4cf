"""What every page inside an organization has in common: its switcher, its refusals, its weight."""

import re
from typing import Any

import pytest
from django.test import Client

from apps.access.actions import Action
from apps.memberships import operations as memberships
from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from apps.tenancy.keyset import Total
from apps.tenancy.wording import in_words, listed, program
from tests.world import Company, World, system

PAGES = [
    "",
    "settings/",
    "members/",
    "invitations/",
    "invitations/new/",
    "workspaces/",
    "workspaces/new/",
    "roles/",
    "leave/",
]
IN_WORKSPACE = ["", "team/", "team/add/", "settings/", "archive/"]


def pages(company: Company) -> list[str]:
    root = f"/o/{company.organization.slug}/"
    workspace = f"{root}w/{company.workspace.slug}/"
    return [*(root + page for page in PAGES), *(workspace + page for page in IN_WORKSPACE)]


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def navigation(answer: Any) -> list[tuple[str, str]]:
    text = text_of(answer)
    nav = text[text.index('<nav aria-label="Main"') : text.index("</nav>")]
    return re.findall(r'<a href="([^"]+)".*?</svg>\s*(\w[\w ]*\w)\s*</a>', nav, re.DOTALL)


class TestTheNavigation:
    @pytest.mark.parametrize(
        ("person", "shown"),
        [
            ("owner", {"Overview", "Workspaces", "Members", "API keys", "Roles", "Audit log", "Settings"}),
            ("admin", {"Overview", "Workspaces", "Members", "API keys", "Roles", "Audit log", "Settings"}),
            ("member", {"Overview", "Workspaces", "Members", "API keys", "Roles"}),
        ],
    )
    def test_leads_nowhere_one_would_be_refused(
        self, sign_in: Any, acme: Company, person: str, shown: set[str]
    ) -> None:
        browser = sign_in(acme[person])
        nav = navigation(browser.get(f"/o/{acme.organization.slug}/"))
        assert {name for _, name in nav} == shown
        assert all(browser.get(link).status_code == 200 for link, _ in nav)

    def test_of_a_workspace_stands_above_that_of_the_organization(self, sign_in: Any, acme: Company) -> None:
        page = f"/o/{acme.organization.slug}/w/{acme.workspace.slug}/"
        names = [name for _, name in navigation(sign_in(acme.manager).get(page))]
        assert names[:4] == ["Overview", "Team", "API keys", "Settings"]
        assert [name for _, name in navigation(sign_in(acme.member).get(page))][:3] == ["Overview", "Team", "API keys"]

    @pytest.mark.parametrize(
        ("page", "current"),
        [
            ("", ("Overview", "page")),
            ("members/", ("Members", "page")),
            ("invitations/", ("Members", "true")),
            ("leave/", ("Members", "true")),
            ("workspaces/new/", ("Workspaces", "true")),
            ("settings/", ("Settings", "page")),
        ],
    )
    def test_says_where_one_is(self, sign_in: Any, acme: Company, page: str, current: tuple[str, str]) -> None:
        text = text_of(sign_in(acme.owner).get(f"/o/{acme.organization.slug}/{page}"))
        nav = text[text.index('<nav aria-label="Main"') : text.index("</nav>")]
        marked = re.findall(r'aria-current="(\w+)"[^>]*>\s*<svg.*?</svg>\s*(\w+)', nav, re.DOTALL)
        assert marked == [current[::-1]]

    def test_of_a_suspended_organization_offers_the_overview_alone(self, sign_in: Any, acme: Company) -> None:
        organizations.set_status(acme.organization, Organization.Status.SUSPENDED, by=system())
        nav = navigation(sign_in(acme.owner).get(f"/o/{acme.organization.slug}/"))
        assert "Settings" not in {name for _, name in nav}

    def test_members_and_invitations_are_tabs_for_those_who_may_open_both(self, sign_in: Any, acme: Company) -> None:
        page = f"/o/{acme.organization.slug}/members/"
        assert '<nav class="tabs"' in text_of(sign_in(acme.owner).get(page))
        assert '<nav class="tabs"' not in text_of(sign_in(acme.member).get(page))


class TestTheFrame:
    def test_works_without_scripts(self, sign_in: Any, acme: Company) -> None:
        text = text_of(sign_in(acme.member).get(f"/o/{acme.organization.slug}/"))
        assert f'href="/o/{acme.organization.slug}/switch/?at=onboarding:organization"' in text
        assert f'href="/o/{acme.organization.slug}/search/"' in text
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|javascript:", text)

    def test_speaks_the_language_of_the_reader(self, sign_in: Any, acme: Company) -> None:
        text = text_of(sign_in(acme.member).get(f"/o/{acme.organization.slug}/", headers={"accept-language": "de"}))
        assert '<html lang="de" dir="ltr">' in text


class TestRefusals:
    def test_a_stranger_and_nothing_read_alike_to_the_byte(self, world: World, sign_in: Any) -> None:
        nothing = sign_in(world.stranger).get("/o/nothing-0000/").content
        for person in (world.stranger, world.globex.owner, world.operator, world.acme.suspended):
            for path in pages(world.acme):
                answer = sign_in(person).get(path)
                assert (answer.status_code, answer.content) == (404, nothing), path

    def test_a_visitor_is_sent_to_sign_in_whether_or_not_there_is_something(self, acme: Company) -> None:
        for path in [*pages(acme), "/o/nothing-0000/"]:
            assert Client().get(path)["Location"] == f"/accounts/login/?next={path}"

    def test_the_page_of_nothing_echoes_nothing(self, client: Client, db: None) -> None:
        text = text_of(client.get("/o/%3Cscript%3Ealert(1)%3C/script%3E/"))
        assert "script>alert" not in text
        assert "csrf" not in text

    def test_in_a_suspended_organization_only_the_overview_answers(self, sign_in: Any, acme: Company) -> None:
        organizations.set_status(acme.organization, Organization.Status.SUSPENDED, by=system())
        browser = sign_in(acme.owner)
        assert "is suspended" in text_of(browser.get(f"/o/{acme.organization.slug}/"))
        assert browser.get(f"/o/{acme.organization.slug}/members/").status_code == 403

    def test_say_what_it_needs_what_one_is_and_who_may(self, sign_in: Any, acme: Company) -> None:
        page = f"/o/{acme.organization.slug}/w/{acme.workspace.slug}/settings/"
        text = re.sub(r"\s+", " ", text_of(sign_in(acme.member).get(page)))
        assert "<h1> You can't change the workspace&#x27;s settings in <bdi>Acme Search</bdi> </h1>" in text
        assert "<code>workspaces.update</code>" in text
        assert "Member, directly" in text
        assert "Member of Acme" in text

    def test_names_at_most_five_who_can_help_and_nobody_suspended(self, sign_in: Any, acme: Company) -> None:
        memberships.suspend(acme.membership(acme.second_owner), by=system())
        answer = sign_in(acme.member).get(f"/o/{acme.organization.slug}/settings/")
        assert {helper.email for helper in answer.context["helpers"]} == {acme.owner.email, acme.admin.email}

    def test_a_page_half_loaded_by_a_visitor_sends_the_whole_browser_to_sign_in(self, acme: Company) -> None:
        answer = Client().get(f"/o/{acme.organization.slug}/members/", headers={"hx-request": "true"})
        assert answer["HX-Redirect"].startswith("/accounts/login/")


class TestWeight:
    def test_no_page_asks_the_database_more_than_eight_times(
        self, sign_in: Any, acme: Company, django_assert_max_num_queries: Any
    ) -> None:
        browser: Client = sign_in(acme.owner)
        for path in pages(acme):
            browser.get(path)
            with django_assert_max_num_queries(8):
                assert browser.get(path).status_code == 200, path


class TestWords:
    def test_actions_read_as_what_somebody_does(self) -> None:
        assert in_words("organisation_users.delete") == "remove members"
        assert in_words("prompts.publish") == "publish prompts"
        assert in_words("installation.operate") == "do this"

    def test_every_action_has_words_of_its_own(self) -> None:
        assert all(in_words(action) and "_" not in in_words(action) for action in Action)

    def test_lists_read_as_people_say_them(self) -> None:
        assert (listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"], "or")) == ("a", "a and b", "a, b or c")

    @pytest.mark.parametrize(
        ("agent", "name"),
        [
            ("Mozilla/5.0 (Windows NT 10.0) Chrome/1 Safari/1 Edg/1", "Edge on Windows"),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X) Version/1 Safari/1", "Safari on macOS"),
            ("Mozilla/5.0 (Linux; Android 16) Chrome/1 Safari/1", "Chrome on Android"),
            ("curl/8", "curl/8"),
            ("", "Unknown program"),
        ],
    )
    def test_a_browser_is_called_by_its_name(self, agent: str, name: str) -> None:
        assert program(agent) == name

    def test_large_numbers_are_not_counted_to_the_end(self) -> None:
        assert (str(Total(7)), str(Total(10_000)), str(Total(10_001))) == ("7", "10 000", "10 000+")
