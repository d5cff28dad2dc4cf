"""Who may do what here, as a browser is told: one cell of the matrix, and a question in one's own words."""

from typing import Any

import pytest

from apps.access.actions import Action
from apps.access.roles import OrganizationRole
from apps.memberships import operations as memberships
from apps.onboarding import endpoints
from apps.workspaces import operations as workspaces
from tests.factories import UserFactory
from tests.world import Company, World, system


def roles(company: Company) -> str:
    return f"/o/{company.organization.slug}/roles/"


def found(answer: Any) -> tuple[set[str], set[str]]:
    """The addresses of those through the organization, and of those on teams."""
    held = answer.context["found"]
    return {row.user.email for row in held.members}, {row.membership.user.email for row in held.seats}


class TestTheQuestion:
    def test_is_answered_with_people_and_their_paths(self, sign_in: Any, acme: Company) -> None:
        answer = sign_in(acme.owner).get(f"{roles(acme)}who/?q=publish prompts")
        through, on_teams = found(answer)
        assert through == {acme.owner.email, acme.second_owner.email, acme.admin.email}
        assert on_teams == {acme.workspace_admin.email, acme.manager.email}
        text = answer.content.decode()
        for fact in ("prompts.publish", "on the team of <bdi>Acme Search</bdi>", "so in every workspace"):
            assert fact in text

    def test_is_answered_for_one_workspace(self, sign_in: Any, acme: Company) -> None:
        page = f"{roles(acme)}who/?action=prompts.publish&workspace="
        assert found(sign_in(acme.owner).get(page + acme.other_workspace.slug))[1] == set()
        assert len(found(sign_in(acme.owner).get(page + acme.workspace.slug))[1]) == 2

    def test_nobody_can_where_the_type_has_nothing_of_the_kind(self, sign_in: Any, acme: Company) -> None:
        vault = workspaces.create(acme.organization, name="Vault", kind="secrets", by=system())
        answer = sign_in(acme.owner).get(f"{roles(acme)}who/?action=prompts.publish&workspace={vault.slug}")
        assert found(answer) == (set(), set())
        assert "Nobody:" in answer.content.decode()

    def test_about_the_organization_looks_at_no_team(self, sign_in: Any, acme: Company) -> None:
        answer = sign_in(acme.owner).get(f"{roles(acme)}who/?q=manage billing")
        assert found(answer) == ({acme.owner.email, acme.second_owner.email}, set())

    def test_leaves_out_who_is_suspended_or_shut_out(self, sign_in: Any, acme: Company) -> None:
        acme.second_owner.is_active = False
        acme.second_owner.save()
        memberships.suspend(acme.membership(acme.manager), by=system())
        through, on_teams = found(sign_in(acme.owner).get(f"{roles(acme)}who/?action=prompts.publish"))
        assert acme.second_owner.email not in through
        assert on_teams == {acme.workspace_admin.email}

    def test_tells_a_member_of_the_teams_they_are_on_alone(self, sign_in: Any, acme: Company) -> None:
        page = f"{roles(acme)}who/?action=prompts.publish"
        assert found(sign_in(acme.member).get(page))[1] == {acme.workspace_admin.email, acme.manager.email}
        assert found(sign_in(acme.bystander).get(page))[1] == set()
        assert "Acme Search" not in sign_in(acme.bystander).get(page).content.decode()

    def test_about_a_workspace_one_cannot_see_finds_nothing(self, sign_in: Any, world: World) -> None:
        acme = world.acme
        for slug in (acme.workspace.slug, world.globex.workspace.slug, "nonsense", "%00x"):
            answer = sign_in(acme.bystander).get(f"{roles(acme)}who/?action=prompts.publish&workspace={slug}")
            assert answer.status_code == 404

    @pytest.mark.parametrize("query", ["", "q=xyzzy", "action=nonsense", "q=%00", f"q={'x' * 3000}", "q=prompts"])
    def test_whatever_is_asked_there_is_a_page(self, sign_in: Any, acme: Company, query: str) -> None:
        assert sign_in(acme.member).get(f"{roles(acme)}who/?{query}").status_code == 200

    def test_costs_the_same_however_many_have_it(
        self, sign_in: Any, acme: Company, django_assert_max_num_queries: Any
    ) -> None:
        browser, page = sign_in(acme.owner), f"{roles(acme)}who/?q=publish prompts"
        browser.get(page)
        for _ in range(2):
            with django_assert_max_num_queries(8):
                answer = browser.get(page)
            for _ in range(30):
                memberships.join(UserFactory(), acme.organization, OrganizationRole.ADMIN, by=system())
        assert len(answer.context["found"].members) == 25
        assert answer.context["found"].counted["members"].number == 33


class TestACell:
    def test_says_what_is_held_where_it_is_needed_and_who_has_it(self, sign_in: Any, acme: Company) -> None:
        answer = sign_in(acme.owner).get(f"{roles(acme)}workspace-manager/workspace_users/")
        text = answer.content.decode()
        for fact in ("workspace_users.create", "add people to the team", "/v1/admin/workspaces/{workspace}/users"):
            assert fact in text
        assert found(answer) == (set(), {acme.manager.email})

    def test_tells_the_two_admins_apart(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        assert found(browser.get(f"{roles(acme)}organization-admin/prompts/")) == ({acme.admin.email}, set())
        assert found(browser.get(f"{roles(acme)}workspace-admin/prompts/")) == (set(), {acme.workspace_admin.email})

    @pytest.mark.parametrize("cell", ["nobody/prompts", "workspace-owner/prompts", "workspace-admin/nonsense"])
    def test_that_is_none_is_not_found(self, sign_in: Any, acme: Company, cell: str) -> None:
        assert sign_in(acme.owner).get(f"{roles(acme)}{cell}/").status_code == 404


class TestTheEndpoints:
    def test_name_every_address_of_the_api_that_needs_something(self) -> None:
        known = {str(endpoint.path) for listed in endpoints.by_action().values() for endpoint in listed}
        assert "/v1/api-keys/{type}/{sub_type}" in known
        assert "/v1/admin/users/invites/{invite}/resend" in known
        assert {"/v1/whoami", "/v1/schema"} & known == set()

    def test_are_those_that_ask_for_the_action(self) -> None:
        (found,) = endpoints.needing([Action.WORKSPACES_DELETE])
        assert found == ("DELETE", "/v1/admin/workspaces/{workspace}")
