"""The pages about the team of a workspace, as a browser sees them."""

from typing import Any
from uuid import UUID

import pytest
from django.db.models.signals import post_init

from apps.access.actors import UserActor
from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.access.scopes import KeyType
from apps.apikeys.models import ApiKey
from apps.memberships import gathering
from apps.memberships import operations as memberships
from apps.memberships.models import Invitation, OrganizationMembership, WorkspaceMembership
from apps.memberships.pasting import entries
from tests.memberships.confirming import assert_stale, confirm, shown, squeezed
from tests.memberships.test_pages import crowd, root, team
from tests.world import Company, World, system


def act(company: Company, person: str, name: str) -> str:
    return f"{team(company)}{company.placed(company[person]).pk}/{name}/"


def on_the_page(answer: Any) -> set[str]:
    return {placed.membership.user.email for placed in answer.context["page"].rows}


class TestTheTeam:
    def test_is_listed_to_those_who_are_in_the_workspace(self, sign_in: Any, acme: Company) -> None:
        for person in ("owner", "admin", "manager", "member", "workspace_admin"):
            answer = sign_in(acme[person]).get(team(acme))
            assert on_the_page(answer) == {
                acme[role].email for role in ("member", "manager", "workspace_admin", "suspended")
            }
        for person in ("bystander", "suspended"):
            assert sign_in(acme[person]).get(team(acme)).status_code == 404

    def test_says_of_each_where_access_comes_from(self, sign_in: Any, acme: Company) -> None:
        memberships.change_role(acme.membership(acme.manager), OrganizationRole.ADMIN, by=system())
        text = squeezed(sign_in(acme.owner).get(team(acme)))
        assert "Manager · direct Admin · through the organization" in text
        assert "Member · direct" in text

    def test_says_who_acts_here_through_the_organization(self, sign_in: Any, acme: Company) -> None:
        answer = sign_in(acme.member).get(team(acme))
        assert {member.user for member in answer.context["above"]} == {acme.owner, acme.second_owner, acme.admin}
        assert "through your organization role" in sign_in(acme.owner).get(team(acme)).content.decode()

    def test_does_not_list_everybody_who_does(self, sign_in: Any, acme: Company) -> None:
        crowd(acme, 9)
        for placed in WorkspaceMembership.objects.filter(membership__user__email__startswith="crowd"):
            memberships.change_role(placed.membership, OrganizationRole.ADMIN, by=system())
        answer = sign_in(acme.owner).get(team(acme))
        assert len(answer.context["above"]) == 6
        assert "All with the role Admin" in answer.content.decode()

    def test_can_be_searched_and_narrowed(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.manager)
        assert on_the_page(browser.get(team(acme), {"q": "mana"})) == {acme.manager.email}
        assert on_the_page(browser.get(team(acme), {"q": "acme mem"})) == {acme.member.email}
        assert on_the_page(browser.get(team(acme), {"role": "manager"})) == {acme.manager.email, acme.suspended.email}
        assert len(on_the_page(browser.get(team(acme), {"role": "king"}))) == 4
        assert "Nobody on the team matches" in browser.get(team(acme), {"q": "nobody"}).content.decode()

    @pytest.mark.parametrize("sought", ["%", "_", "\\", "'", "\x00", "é" * 300, "<b>"])
    def test_takes_odd_searches(self, sign_in: Any, acme: Company, sought: str) -> None:
        assert sign_in(acme.owner).get(team(acme), {"q": sought}).status_code == 200

    def test_is_sorted_by_who_came_when(self, sign_in: Any, acme: Company) -> None:
        crowd(acme, 1)
        browser = sign_in(acme.owner)
        newest = browser.get(team(acme)).context["page"].rows
        oldest = browser.get(team(acme), {"sort": "added"}).context["page"].rows
        assert [row.pk for row in newest] == [row.pk for row in oldest][::-1]
        assert newest[0].membership.user.email == "crowd0@crowd.example"

    def test_says_who_added_whom(self, sign_in: Any, acme: Company) -> None:
        by = UserActor(acme.manager)
        memberships.add_to_workspace(acme.workspace, acme.membership(acme.bystander), WorkspaceRole.MEMBER, by=by)
        rows = sign_in(acme.owner).get(team(acme)).context["page"].rows
        assert rows[0].author == str(acme.manager)

    def test_is_drawn_in_part_where_only_a_part_is_asked(self, sign_in: Any, acme: Company) -> None:
        answer = sign_in(acme.owner).get(f"{team(acme)}?role=member", headers={"hx-request": "true"})
        assert "<html" not in answer.content.decode()
        assert on_the_page(answer) == {acme.member.email}

    def test_shows_a_member_no_way_to_change_it(self, sign_in: Any, acme: Company) -> None:
        text = sign_in(acme.member).get(team(acme)).content.decode()
        assert "/role/" not in text
        assert "/remove/" not in text
        assert "/team/add/" not in text


class TestAnotherRoleOnTheTeam:
    def test_is_shown_given_and_taken_back(self, sign_in: Any, acme: Company) -> None:
        browser, page = sign_in(acme.manager), f"{act(acme, 'member', 'role')}?role=manager"
        assert "Prompts Delete, Publish" in squeezed(browser.get(page))
        answer = confirm(browser, page)
        assert answer["Location"] == team(acme)
        assert acme.placed(acme.member).role == WorkspaceRole.MANAGER
        text = browser.get(team(acme)).content.decode()
        assert "Undo" in text

    def test_changes_nothing_for_whoever_acts_here_through_the_organization(self, sign_in: Any, acme: Company) -> None:
        memberships.change_role(acme.membership(acme.member), OrganizationRole.ADMIN, by=system())
        text = squeezed(sign_in(acme.owner).get(f"{act(acme, 'member', 'role')}?role=manager"))
        assert "Nothing changes in what this person can do" in text
        assert "Stays as it is Acme Search Admin · through the role in the organization" in text

    def test_is_refused_when_what_it_does_has_changed(self, sign_in: Any, acme: Company) -> None:
        browser, page = sign_in(acme.manager), f"{act(acme, 'member', 'role')}?role=manager"
        read = shown(browser, page)
        memberships.change_role(acme.membership(acme.member), OrganizationRole.ADMIN, by=system())
        assert browser.post(act(acme, "member", "role"), read).status_code == 409
        assert acme.placed(acme.member).role == WorkspaceRole.MEMBER

    def test_is_not_ones_own_to_change(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.manager)
        assert browser.get(act(acme, "manager", "role")).status_code == 409
        assert browser.post(act(acme, "manager", "role"), {"role": "admin"}).status_code == 409
        assert browser.get(act(acme, "manager", "remove")).status_code == 409

    def test_is_not_for_members(self, sign_in: Any, acme: Company) -> None:
        for name in ("role", "remove"):
            assert sign_in(acme.member).get(act(acme, "manager", name)).status_code == 403
            assert sign_in(acme.member).post(act(acme, "manager", name), {"role": "member"}).status_code == 403
        assert acme.placed(acme.manager).role == WorkspaceRole.MANAGER

    def test_of_another_workspace_is_not_there(self, sign_in: Any, world: World) -> None:
        acme, browser = world.acme, sign_in(world.acme.owner)
        placed, theirs = acme.placed(acme.member), world.globex.placed(world.globex.member)
        elsewhere = f"{root(acme)}/w/{acme.other_workspace.slug}/team/{placed.pk}/role/"
        for page in (elsewhere, f"{team(acme)}{theirs.pk}/role/"):
            assert browser.get(page).status_code == 404
            assert browser.post(page, {"role": "admin"}).status_code == 404


class TestTheEndOfAPlaceOnTheTeam:
    def test_says_what_ends_with_it(self, sign_in: Any, acme: Company) -> None:
        text = squeezed(sign_in(acme.manager).get(act(acme, "member", "remove")))
        assert "1 key is revoked for good" in text
        assert "The workspace is out of their sight at once" in text

    def test_says_what_stays_through_the_organization(self, sign_in: Any, acme: Company) -> None:
        memberships.change_role(acme.membership(acme.member), OrganizationRole.ADMIN, by=system())
        text = squeezed(sign_in(acme.owner).get(act(acme, "member", "remove")))
        assert "As admin of the organization they can still do all of this here" in text

    def test_comes_when_it_is_confirmed(self, sign_in: Any, acme: Company) -> None:
        confirm(sign_in(acme.manager), act(acme, "member", "remove"))
        assert sign_in(acme.member).get(team(acme)).status_code == 404
        assert ApiKey.objects.get(pk=acme.user_key.pk).is_revoked

    def test_is_refused_on_an_older_version(self, sign_in: Any, acme: Company) -> None:
        browser, page = sign_in(acme.manager), act(acme, "member", "remove")
        assert_stale(browser.post(page, {**shown(browser, page), "version": 999}))
        assert acme.placed(acme.member)

    def test_is_refused_without_having_been_read(self, sign_in: Any, acme: Company) -> None:
        assert sign_in(acme.manager).post(act(acme, "member", "remove")).status_code == 400
        assert acme.placed(acme.member)


class TestAddingToTheTeam:
    def add(self, browser: Any, acme: Company, **sent: Any) -> Any:
        return browser.post(f"{team(acme)}add/", {"role": "member", "emails": "", "find": "", **sent})

    def test_offers_the_members_who_are_not_on_it(self, sign_in: Any, acme: Company) -> None:
        people = {member.user for member in sign_in(acme.manager).get(f"{team(acme)}add/").context["people"]}
        assert people == {acme.bystander, acme.owner, acme.second_owner, acme.admin}

    def test_takes_several_at_once(self, sign_in: Any, acme: Company) -> None:
        chosen = [str(acme.membership(user).pk) for user in (acme.bystander, acme.admin)]
        answer = self.add(sign_in(acme.manager), acme, people=chosen, role="manager")
        assert answer["Location"] == team(acme)
        assert {acme.placed(acme.bystander).role, acme.placed(acme.admin).role} == {WorkspaceRole.MANAGER}

    def test_takes_members_by_their_address(self, sign_in: Any, acme: Company) -> None:
        self.add(sign_in(acme.manager), acme, emails=f"Somebody <{acme.bystander.email.upper()}>")
        assert acme.placed(acme.bystander).role == WorkspaceRole.MEMBER

    def test_searches_without_losing_what_was_chosen(self, sign_in: Any, acme: Company) -> None:
        chosen = str(acme.membership(acme.admin).pk)
        answer = self.add(sign_in(acme.manager), acme, people=[chosen], find="bysta", look="1")
        assert answer.status_code == 200
        assert {member.user for member in answer.context["people"]} == {acme.bystander, acme.admin}
        assert f'value="{chosen}" id="p-{chosen}" checked' in answer.content.decode()
        assert not WorkspaceMembership.objects.filter(membership__user=acme.admin).exists()

    @pytest.mark.parametrize("chosen", [str(UUID(int=7)), "x", "\0", ""])
    def test_reads_nobody_who_was_neither_sought_nor_chosen(self, sign_in: Any, acme: Company, chosen: str) -> None:
        read: list[Any] = []

        def note(instance: OrganizationMembership, **more: Any) -> None:
            read.append(instance.user_id)

        browser = sign_in(acme.manager)
        post_init.connect(note, sender=OrganizationMembership)
        try:
            answer = browser.post(f"{team(acme)}add/", {"people": [chosen], "find": "nobody-at-all", "role": "member"})
        finally:
            post_init.disconnect(note, sender=OrganizationMembership)
        assert answer.status_code == 400
        assert acme.bystander.pk not in read

    def test_invites_whoever_is_no_member_where_the_adder_may(self, sign_in: Any, acme: Company) -> None:
        answer = self.add(sign_in(acme.admin), acme, emails="new@elsewhere.example", role="manager")
        assert answer.status_code == 200
        assert "no-store" in answer["Cache-Control"]
        asked = Invitation.objects.get(email="new@elsewhere.example")
        assert asked.role == OrganizationRole.MEMBER
        assert [(seat.workspace, seat.role) for seat in asked.workspaces.all()] == [(acme.workspace, "manager")]
        assert "/invitations/gthi_" in answer.content.decode()

    @pytest.mark.parametrize("whom", ["stranger", "globex", "nobody"])
    def test_says_so_where_the_adder_may_not(self, sign_in: Any, world: World, whom: str) -> None:
        """The same answer for an address with an account and for one without: nothing is told of other places."""
        address = {"stranger": world.stranger.email, "globex": world.globex.owner.email}.get(whom, "n@nowhere.example")
        browser = sign_in(world.acme.manager)
        answer = self.add(browser, world.acme, emails=address)
        assert "Not in Acme yet, and you may not invite people." in squeezed(answer)
        assert not Invitation.objects.filter(email=address).exists()
        assert "Owner of Acme" in squeezed(browser.get(f"{team(world.acme)}add/"))

    def test_tells_each_one_s_fate(self, sign_in: Any, acme: Company) -> None:
        addresses = f"{acme.bystander.email}, {acme.member.email}, nonsense, invited@acme.example, new@x.example"
        text = squeezed(self.add(sign_in(acme.owner), acme, emails=addresses, role="manager"))
        already = "is on this team already, as member"
        for fate in ("On the team", "Not added", already, "Not an address", "Already invited Send that", "Invited"):
            assert fate in text, fate

    @pytest.mark.parametrize(
        "sent",
        [
            {},
            {"people": ["x"]},
            {"people": ["00000000-0000-0000-0000-000000000000"]},
            {"role": "owner", "emails": "a@b.example"},
            {"emails": ",".join(f"a{n}@b.example" for n in range(101))},
            {"emails": "a@b.example", "organization": "1"},
        ],
    )
    def test_refuses_what_makes_no_sense(self, sign_in: Any, acme: Company, sent: dict[str, Any]) -> None:
        before = WorkspaceMembership.objects.count(), Invitation.objects.count()
        assert self.add(sign_in(acme.owner), acme, **sent).status_code == 400
        assert (WorkspaceMembership.objects.count(), Invitation.objects.count()) == before

    def test_takes_nobody_from_another_organization(self, sign_in: Any, world: World) -> None:
        theirs = str(world.globex.membership(world.globex.member).pk)
        assert self.add(sign_in(world.acme.owner), world.acme, people=[theirs]).status_code == 400

    def test_asks_the_gate_for_each(self, acme: Company) -> None:
        chosen, typed = [acme.membership(acme.bystander)], entries("new@x.example")
        found = gathering.gather(acme.workspace, chosen, typed, WorkspaceRole.MEMBER, by=UserActor(acme.member))
        assert not [outcome for outcome in found if outcome.is_added or outcome.link]
        assert not WorkspaceMembership.objects.filter(membership__user=acme.bystander).exists()


def test_every_page_of_the_team_asks_the_database_little(
    sign_in: Any, acme: Company, django_assert_max_num_queries: Any
) -> None:
    crowd(acme, 30)
    for reader in ("owner", "manager"):
        browser = sign_in(acme[reader])
        browser.get(team(acme))
        pages = [team(acme), f"{team(acme)}?q=crowd&role=member&sort=added", f"{team(acme)}add/"]
        for page in [*pages, f"{act(acme, 'member', 'role')}?role=manager", act(acme, "member", "remove")]:
            with django_assert_max_num_queries(8):
                assert browser.get(page).status_code == 200


def test_personal_keys_are_the_only_ones_that_end(sign_in: Any, acme: Company) -> None:
    confirm(sign_in(acme.manager), act(acme, "member", "remove"))
    assert {key.type for key in ApiKey.objects.filter(workspace=acme.workspace, status="active")} == {KeyType.WORKSPACE}
