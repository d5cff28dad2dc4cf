"""Members and teams, as a browser sees them."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.apikeys.models import ApiKey
from apps.core.clock import now
from apps.memberships import operations as memberships
from apps.memberships.models import OrganizationMembership, WorkspaceMembership
from tests.factories import UserFactory
from tests.world import Company, World, system


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
        assert 'value="owner"' not in re.sub(r'type="radio" name="role" value="owner"', "", text)

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


class TestChangingARole:
    def test_an_owner_gives_another_role(self, sign_in: Any, acme: Company) -> None:
        answer = sign_in(acme.owner).post(member_page(acme, "member", "role"), {"role": "admin"})
        assert answer["Location"] == f"{root(acme)}/members/"
        assert acme.membership(acme.member).role == OrganizationRole.ADMIN

    def test_answers_a_part_of_the_page_to_whoever_asks_for_one(self, sign_in: Any, acme: Company) -> None:
        page, version = member_page(acme, "member", "role"), acme.membership(acme.member).version
        answer = sign_in(acme.owner).post(page, {"role": "admin", "version": version}, headers={"hx-request": "true"})
        text = answer.content.decode()
        assert text.lstrip().startswith("<tr>")
        assert f'name="version" value="{version + 1}"' in text
        assert "is now admin" in text

    @pytest.mark.parametrize(
        ("person", "whom", "role"),
        [
            ("admin", "member", "owner"),  # making an owner
            ("admin", "owner", "member"),  # unmaking one
            ("admin", "second_owner", "admin"),
            ("member", "bystander", "admin"),
            ("manager", "bystander", "admin"),
        ],
    )
    def test_a_forged_request_is_refused_and_changes_nothing(
        self, sign_in: Any, acme: Company, person: str, whom: str, role: str
    ) -> None:
        before = acme.membership(acme[whom]).role
        answer = sign_in(acme[person]).post(member_page(acme, whom, "role"), {"role": role})
        assert answer.status_code == 403
        assert acme.membership(acme[whom]).role == before

    def test_a_refusal_comes_as_a_message_where_a_part_was_asked(self, sign_in: Any, acme: Company) -> None:
        answer = sign_in(acme.admin).post(
            member_page(acme, "member", "role"), {"role": "owner"}, headers={"hx-request": "true"}
        )
        assert (answer.status_code, answer["HX-Retarget"], answer["HX-Reswap"]) == (403, "#toasts", "beforeend")
        assert 'class="toast error"' in answer.content.decode()

    def test_nobody_changes_their_own(self, sign_in: Any, acme: Company) -> None:
        answer = sign_in(acme.owner).post(member_page(acme, "owner", "role"), {"role": "member"})
        assert answer.status_code == 409
        assert acme.membership(acme.owner).role == OrganizationRole.OWNER

    def test_an_older_version_is_refused(self, sign_in: Any, acme: Company) -> None:
        version = acme.membership(acme.member).version
        memberships.change_role(acme.membership(acme.member), OrganizationRole.ADMIN, by=system())
        sent = {"role": "member", "version": version}
        assert sign_in(acme.owner).post(member_page(acme, "member", "role"), sent).status_code == 409
        assert acme.membership(acme.member).role == OrganizationRole.ADMIN

    @pytest.mark.parametrize("role", ["", "king", "OWNER", "manager"])
    def test_a_role_there_is_not_is_an_error(self, sign_in: Any, acme: Company, role: str) -> None:
        answer = sign_in(acme.owner).post(member_page(acme, "member", "role"), {"role": role})
        assert answer.status_code == 400

    def test_somebody_elses_member_is_not_there(self, sign_in: Any, world: World) -> None:
        theirs = world.globex.membership(world.globex.member).pk
        page = f"{root(world.acme)}/members/{theirs}/role/"
        assert sign_in(world.acme.owner).post(page, {"role": "admin"}).status_code == 404


class TestTheEndOfAMembership:
    def test_says_what_ends_with_it(self, sign_in: Any, acme: Company) -> None:
        text = re.sub(r"\s+", " ", sign_in(acme.owner).get(member_page(acme, "member", "remove")).content.decode())
        for fact in ("in 1 workspace", "Acme Search", "1 personal key is revoked"):
            assert fact in text

    def test_is_confirmed_by_typing_the_address(self, sign_in: Any, acme: Company) -> None:
        browser, page = sign_in(acme.admin), member_page(acme, "member", "remove")
        assert browser.post(page, {"typed": "Member"}).status_code == 400
        assert acme.membership(acme.member)
        assert browser.post(page, {"typed": acme.member.email}).status_code == 302
        assert not OrganizationMembership.objects.filter(user=acme.member, organization=acme.organization).exists()
        assert not WorkspaceMembership.objects.filter(membership__user=acme.member).exists()
        assert ApiKey.objects.get(pk=acme.user_key.pk).is_revoked
        assert sign_in(acme.member).get(f"{root(acme)}/").status_code == 404

    def test_never_comes_for_the_last_owner(self, sign_in: Any, acme: Company) -> None:
        memberships.remove(acme.membership(acme.second_owner), by=system())
        answer = sign_in(acme.owner).post(f"{root(acme)}/leave/")
        assert answer.status_code == 409
        assert acme.membership(acme.owner).role == OrganizationRole.OWNER

    def test_is_ones_own_to_choose(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.bystander)
        assert "You have left Acme" in browser.post(f"{root(acme)}/leave/", follow=True).content.decode()
        assert browser.get(f"{root(acme)}/").status_code == 404

    def test_can_be_a_pause(self, sign_in: Any, acme: Company, call: Any) -> None:
        owner, member = sign_in(acme.owner), sign_in(acme.member)
        owner.post(member_page(acme, "member", "suspend"))
        assert member.get(f"{root(acme)}/").status_code == 404
        assert call("GET", "/v1/whoami", acme.secrets["user_key"]).status_code == 401
        owner.post(member_page(acme, "member", "reactivate"))
        assert member.get(f"{root(acme)}/").status_code == 200
        assert call("GET", "/v1/whoami", acme.secrets["user_key"]).status_code == 200

    @pytest.mark.parametrize("act", ["suspend", "remove"])
    def test_does_not_come_for_oneself_from_the_list(self, sign_in: Any, acme: Company, act: str) -> None:
        answer = sign_in(acme.owner).post(member_page(acme, "owner", act), {"typed": acme.owner.email})
        assert answer.status_code in {400, 409}
        assert acme.membership(acme.owner).is_active


class TestTheTeam:
    def test_is_listed_to_those_who_are_in_the_workspace(self, sign_in: Any, acme: Company) -> None:
        for person in ("owner", "admin", "manager", "member", "workspace_admin"):
            answer = sign_in(acme[person]).get(team(acme))
            assert {placed.membership.user.email for placed in answer.context["page"].rows} == {
                acme[role].email for role in ("member", "manager", "workspace_admin", "suspended")
            }
        for person in ("bystander", "suspended"):
            assert sign_in(acme[person]).get(team(acme)).status_code == 404

    def test_a_manager_adds_a_member_of_the_organization(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.manager)
        offered = {member.user.email for member in browser.get(f"{team(acme)}add/").context["people"]}
        assert acme.bystander.email in offered
        assert not offered & {acme.member.email, acme.manager.email, acme.suspended.email}
        browser.post(f"{team(acme)}add/", {"email": acme.bystander.email.upper(), "role": "member"})
        assert acme.placed(acme.bystander).role == WorkspaceRole.MEMBER

    def test_somebody_outside_the_organization_is_invited_first(self, sign_in: Any, world: World) -> None:
        for stranger in (world.stranger.email, world.globex.owner.email, "nobody@nowhere.example"):
            answer = sign_in(world.acme.manager).post(f"{team(world.acme)}add/", {"email": stranger, "role": "member"})
            assert answer.status_code == 400
            (message,) = answer.context["form"].errors["email"]
            assert "Owner of Acme" in message
            assert message.endswith("can invite them.")

    def test_a_manager_changes_roles_and_removes(self, sign_in: Any, acme: Company) -> None:
        browser, placed = sign_in(acme.manager), acme.placed(acme.member)
        browser.post(f"{team(acme)}{placed.pk}/role/", {"role": "manager", "version": placed.version})
        assert acme.placed(acme.member).role == WorkspaceRole.MANAGER
        assert "1 personal key is revoked" in re.sub(
            r"\s+", " ", browser.get(f"{team(acme)}{placed.pk}/remove/").content.decode()
        )
        browser.post(f"{team(acme)}{placed.pk}/remove/")
        assert sign_in(acme.member).get(team(acme)).status_code == 404
        assert ApiKey.objects.get(pk=acme.user_key.pk).is_revoked

    def test_a_member_may_not(self, sign_in: Any, acme: Company) -> None:
        placed = acme.placed(acme.manager)
        for act in ("role", "remove"):
            answer = sign_in(acme.member).post(f"{team(acme)}{placed.pk}/{act}/", {"role": "member"})
            assert answer.status_code == 403
        assert acme.placed(acme.manager).role == WorkspaceRole.MANAGER

    def test_of_another_workspace_is_not_there(self, sign_in: Any, acme: Company) -> None:
        placed = acme.placed(acme.member)
        elsewhere = f"{root(acme)}/w/{acme.other_workspace.slug}/team/{placed.pk}/role/"
        assert sign_in(acme.owner).post(elsewhere, {"role": "admin"}).status_code == 404

    def test_says_who_acts_here_through_the_organization(self, sign_in: Any, acme: Company) -> None:
        assert "through your organization role" in sign_in(acme.owner).get(team(acme)).content.decode()


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
