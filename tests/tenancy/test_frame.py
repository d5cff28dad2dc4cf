"""What every page inside an organization has in common: its switcher, its refusals, its weight."""

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

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


class TestTheSwitcher:
    def test_shows_my_organizations_with_my_role_and_my_workspaces(self, sign_in: Any, acme: Company) -> None:
        text = re.sub(r"\s+", " ", text_of(sign_in(acme.member).get(f"/o/{acme.organization.slug}/")))
        panel = text[text.index('id="switcher"') : text.index('<nav aria-label="Main"')]
        assert "<b><bdi>Acme</bdi></b><small>Member</small>" in panel
        assert "Acme Search" in panel
        assert "Acme Support" not in panel
        assert "Create a workspace" not in panel

    def test_offers_to_create_to_those_who_may(self, sign_in: Any, acme: Company) -> None:
        assert "Create a workspace" in text_of(sign_in(acme.admin).get(f"/o/{acme.organization.slug}/"))

    def test_works_without_scripts(self, sign_in: Any, acme: Company) -> None:
        text = text_of(sign_in(acme.member).get(f"/o/{acme.organization.slug}/"))
        assert 'popovertarget="switcher"' in text
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|javascript:", text)


class TestTheNavigation:
    @pytest.mark.parametrize(
        ("person", "shown"),
        [
            ("owner", {"Overview", "Workspaces", "Members", "Invitations", "Roles", "Settings"}),
            ("admin", {"Overview", "Workspaces", "Members", "Invitations", "Roles", "Settings"}),
            ("member", {"Overview", "Workspaces", "Members", "Roles"}),
        ],
    )
    def test_leads_nowhere_one_would_be_refused(
        self, sign_in: Any, acme: Company, person: str, shown: set[str]
    ) -> None:
        browser = sign_in(acme[person])
        text = text_of(browser.get(f"/o/{acme.organization.slug}/"))
        nav = text[text.index('<nav aria-label="Main"') : text.index("</nav>")]
        links = re.findall(r'<a href="([^"]+)"', nav)
        assert set(re.findall(r"</svg>\s*(\w[\w ]*\w)\s*</a>", nav)) == shown
        assert all(browser.get(link).status_code == 200 for link in links)


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

    def test_a_first_view_is_light(self, sign_in: Any, acme: Company) -> None:
        """At most 40 KB over the wire and 8 requests, fonts and pictures included."""
        for path in pages(acme):
            answer = sign_in(acme.owner).get(path, headers={"accept-encoding": "gzip"})
            assert answer["Content-Encoding"] == "gzip"
            text = gzip.decompress(answer.content).decode()
            files = set(re.findall(r'(?:src|href)="/static/([^"]+)"', text))
            sizes = [len(gzip.compress(Path(finders.find(name)).read_bytes())) for name in files]
            assert len(files) + 1 <= 8
            assert len(answer.content) + sum(sizes) <= 40_000, path


class TestWords:
    def test_actions_read_as_what_somebody_does(self) -> None:
        assert in_words("organisation_users.delete") == "remove members"
        assert in_words("prompts.publish") == "publish prompts"
        assert in_words("installation.operate") == "do this"

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
