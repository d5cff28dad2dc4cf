"""Members and teams, as a browser sees them."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.core.clock import now
from apps.memberships import operations as memberships
from tests.factories import UserFactory
from tests.world import Company, system


def root(company: Company) -> str:
    return f"/o/{company.organization.slug}"


def team(company: Company) -> str:
    return f"{root(company)}/w/{company.workspace.slug}/team/"


def member_page(company: Company, person: str, act: str) -> str:
    return f"{root(company)}/members/{company.membership(company[person]).pk}/{act}/"


def emails(answer: Any) -> list[str]:
    return [member.user.email for member in answer.context["page"].rows]


def crowd(company: Company, number: int, prefix: str = "crowd") -> None:
    for index in range(number):
        user = UserFactory(email=f"{prefix}{index}@crowd.example")
        member = memberships.join(user, company.organization, OrganizationRole.MEMBER, by=system())
        memberships.place_in_workspace(company.workspace, member, WorkspaceRole.MEMBER, by=system())


class TestTheMembers:
    @pytest.mark.parametrize("person", ["owner", "admin", "manager", "member", "bystander"])
    def test_are_listed_to_everybody_in_the_organization(self, sign_in: Any, acme: Company, person: str) -> None:
        listed = emails(sign_in(acme[person]).get(f"{root(acme)}/members/"))
        assert len(listed) == 8
        assert all(email.endswith("@acme.example") for email in listed)

    def test_come_newest_first(self, sign_in: Any, acme: Company) -> None:
        crowd(acme, 1)
        assert emails(sign_in(acme.owner).get(f"{root(acme)}/members/"))[0] == "crowd0@crowd.example"

    def test_can_be_narrowed_by_role_and_by_how_the_address_begins(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.member)
        owners = emails(browser.get(f"{root(acme)}/members/?role=owner"))
        assert set(owners) == {acme.owner.email, acme.second_owner.email}
        assert emails(browser.get(f"{root(acme)}/members/?q= MANA")) == [acme.manager.email]
        assert emails(browser.get(f"{root(acme)}/members/?q=anager")) == []
        assert len(emails(browser.get(f"{root(acme)}/members/?role=nonsense"))) == 8

    @pytest.mark.parametrize("sought", ["%", "_", "\\", "'", "\x00", "é" * 300])
    def test_odd_searches_find_nobody_and_break_nothing(self, sign_in: Any, acme: Company, sought: str) -> None:
        answer = sign_in(acme.owner).get(f"{root(acme)}/members/", {"q": sought})
        assert answer.status_code == 200
        assert sought == "\x00" or emails(answer) == []

    def test_say_nothing_of_workspaces_the_reader_is_not_in(self, sign_in: Any, acme: Company) -> None:
        page = f"{root(acme)}/members/"
        assert "Acme Search" in sign_in(acme.owner).get(page).content.decode()
        assert "Acme Search" in sign_in(acme.manager).get(page).content.decode()
        assert "Acme Search" not in sign_in(acme.bystander).get(page).content.decode()

    def test_a_member_sees_no_way_to_change_anybody(self, sign_in: Any, acme: Company) -> None:
        text = sign_in(acme.member).get(f"{root(acme)}/members/").content.decode()
        for part in ("/role/", "/suspend/", "/remove/", "/invitations/"):
            assert part not in text

    def test_an_admin_sees_no_way_to_touch_an_owner(self, sign_in: Any, acme: Company) -> None:
        text = sign_in(acme.admin).get(f"{root(acme)}/members/").content.decode()
        assert member_page(acme, "owner", "role") not in text
        assert member_page(acme, "member", "role") in text
        assert 'value="owner"' not in re.sub(r'(?s)<select class="pick" id="role" name="role">.*?</select>', "", text)

    def test_ones_own_role_is_shut_and_says_why(self, sign_in: Any, acme: Company) -> None:
        text = sign_in(acme.owner).get(f"{root(acme)}/members/").content.decode()
        assert member_page(acme, "owner", "role") not in text
        assert "Only others can change it" in text

    def test_continue_from_page_to_page_and_back(self, sign_in: Any, acme: Company) -> None:
        crowd(acme, 60)
        browser, page = sign_in(acme.owner), f"{root(acme)}/members/"
        first = browser.get(page)
        second = browser.get(page, {"after": first.context["page"].older})
        back = browser.get(page, {"before": second.context["page"].newer})
        assert (len(emails(first)), len(emails(second))) == (50, 18)
        assert not set(emails(first)) & set(emails(second))
        assert emails(back) == emails(first)
        assert (first.context["page"].newer, second.context["page"].older) == (None, None)
        assert first.context["counted"]["total"].number == 68

    @pytest.mark.parametrize("bookmark", ["", "x", "0", "1-2", "f" * 16 + "-" + "0" * 32, "-1-" + "0" * 32])
    def test_a_bookmark_nobody_handed_out_is_said_to_be_one(self, sign_in: Any, acme: Company, bookmark: str) -> None:
        for name in ("after", "before"):
            answer = sign_in(acme.owner).get(f"{root(acme)}/members/", {name: bookmark})
            assert answer.status_code == 400

    def test_cost_the_same_for_eight_and_for_sixty_eight(
        self, sign_in: Any, acme: Company, django_assert_max_num_queries: Any
    ) -> None:
        pages = [f"{root(acme)}/members/", team(acme)]
        for person in ("owner", "manager"):
            browser: Client = sign_in(acme[person])
            for page in pages:
                browser.get(page)
                for _ in range(2):
                    with django_assert_max_num_queries(8):
                        assert browser.get(page).status_code == 200
                    crowd(acme, 30, prefix=f"{person}{page.count('/')}-{now().microsecond}-")

    def test_are_drawn_in_part_where_only_a_part_is_asked(self, sign_in: Any, acme: Company) -> None:
        answer = sign_in(acme.owner).get(f"{root(acme)}/members/?role=owner", headers={"hx-request": "true"})
        assert "<html" not in answer.content.decode()
        assert acme.second_owner.email in answer.content.decode()


class TestPresence:
    def test_is_noted_when_a_page_is_seen_and_then_not_for_a_while(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.member)
        browser.get(f"{root(acme)}/")
        seen = acme.membership(acme.member).last_active_at
        assert seen is not None
        browser.get(f"{root(acme)}/")
        assert acme.membership(acme.member).last_active_at == seen
        with time_machine.travel(now() + timedelta(minutes=16)):
            browser.get(f"{root(acme)}/")
        assert acme.membership(acme.member).last_active_at > seen

    def test_changes_nothing_else_of_the_membership(self, sign_in: Any, acme: Company) -> None:
        before = acme.membership(acme.member)
        sign_in(acme.member).get(f"{root(acme)}/")
        after = acme.membership(acme.member)
        assert (after.version, after.updated_at) == (before.version, before.updated_at)

    def test_is_not_noted_where_somebody_was_refused(self, sign_in: Any, acme: Company) -> None:
        sign_in(acme.member).get(f"{root(acme)}/settings/")
        assert acme.membership(acme.member).last_active_at is None
