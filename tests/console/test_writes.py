"""What the operator does through the console: every act an operation, and a line in the log that says who."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail

from apps.access.roles import OrganizationRole
from apps.accounts.models import User
from apps.apikeys.models import ApiKey
from apps.memberships.models import Invitation, OrganizationMembership, WorkspaceMembership
from apps.organizations.models import Organization
from apps.workspaces import operations as workspaces
from apps.workspaces.models import Workspace
from tests.conftest import key_named
from tests.console.desk import Desk, errors_on, latest, lines
from tests.world import Company, World, system


@pytest.fixture(autouse=True)
def _as_the_operator(world: World) -> Iterator[None]:
    """Whatever a test does, every line it leaves says that the operator did it, at this door."""
    before = latest()
    yield
    for line in lines(before):
        if line.actor_kind != "system":
            assert (line.actor_kind, line.actor_id, line.door) == ("operator", world.operator.pk, "admin")


@pytest.fixture
def told(world: World) -> Any:
    """The events since the test began."""
    before = latest()
    return lambda: [line.event for line in lines(before)]


def shown_once(answer: Any) -> str:
    """The secret on the page, which nobody may keep."""
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    return answer.context["secret"]


class TestOrganizations:
    def test_are_founded_for_somebody(self, desk: Desk, world: World, told: Any) -> None:
        answer = desk.add(Organization, name="Initech", founder=world.stranger.email, lifetime="90")
        assert answer.status_code == 302
        initech = Organization.objects.get(name="Initech")
        assert [m.user for m in initech.memberships.owners()] == [world.stranger]
        assert initech.workspaces.filter(is_default=True).count() == 1
        assert told() == ["organization.founded", "membership.created", "workspace.created"]

    def test_come_with_a_master_key_shown_once(self, desk: Desk, world: World) -> None:
        given = {"name": "Initech", "founder": world.stranger.email, "with_master_key": "on", "lifetime": "30"}
        secret = shown_once(desk.add(Organization, **given))
        key = key_named(secret)
        assert key.is_let_in and key.organization.name == "Initech" and key.expires_at is not None
        assert secret.encode() not in desk.get("change", key).content

    def test_have_a_key_that_lasts_if_that_is_wanted(self, desk: Desk, world: World) -> None:
        given = {"name": "Initech", "founder": world.stranger.email, "with_master_key": "on", "lifetime": ""}
        assert key_named(shown_once(desk.add(Organization, **given))).expires_at is None

    def test_need_a_founder_with_an_account(self, desk: Desk) -> None:
        answer = desk.add(Organization, name="Initech", founder="ghost@nowhere.example", lifetime="90")
        assert "Nobody here has this address." in errors_on(answer)
        assert not Organization.objects.filter(name="Initech").exists()

    def test_are_renamed(self, desk: Desk, acme: Company, told: Any) -> None:
        assert desk.change(acme.organization, name="Acme & Sons").status_code == 302
        acme.organization.refresh_from_db()
        assert acme.organization.name == "Acme & Sons"
        assert told() == ["organization.updated"]

    def test_say_what_is_wrong_with_a_name(self, desk: Desk, acme: Company, told: Any) -> None:
        answer = desk.change(acme.organization, name="two\nlines")
        assert answer.status_code == 200
        assert "line breaks" in errors_on(answer)
        assert told() == []

    def test_are_suspended_and_resumed(self, desk: Desk, acme: Company, told: Any) -> None:
        for verb, is_suspended in (("suspend", True), ("resume", False)):
            assert desk.act(verb, acme.organization).status_code == 302
            acme.organization.refresh_from_db()
            assert acme.organization.is_suspended is is_suspended
        assert told() == ["organization.suspended", "organization.resumed"]

    def test_are_deleted_when_their_name_is_typed(self, desk: Desk, globex: Company, told: Any) -> None:
        assert "not the organization" in errors_on(desk.act("delete", globex.organization, typed_name="Acme"))
        assert told() == []
        assert desk.act("delete", globex.organization, typed_name="Globex").status_code == 302
        assert not Organization.objects.filter(pk=globex.organization.pk).exists()
        assert told() == ["organization.deleted"]

    def test_stay_while_a_workspace_is_protected(self, desk: Desk, globex: Company) -> None:
        workspaces.update(globex.workspace, delete_protected=True, by=system())
        answer = desk.act("delete", globex.organization, typed_name="Globex")
        assert "protected from deletion" in errors_on(answer)
        assert Organization.objects.filter(pk=globex.organization.pk).exists()

    def test_take_no_change_while_they_are_suspended(self, desk: Desk, acme: Company, told: Any) -> None:
        desk.act("suspend", acme.organization)
        assert "is suspended" in errors_on(desk.change(acme.organization, name="Other"))
        assert "is suspended" in errors_on(desk.change(acme.membership(acme.member), role="admin"))
        assert told() == ["organization.suspended"]


class TestWorkspaces:
    def test_are_opened(self, desk: Desk, acme: Company, told: Any) -> None:
        answer = desk.add(
            Workspace, organization=acme.organization.pk, name="Lab", kind="secrets", description="For tests"
        )
        made = Workspace.objects.get(name="Lab")
        assert answer.status_code == 302
        assert (made.organization, made.type, made.description) == (acme.organization, "secrets", "For tests")
        assert made.role_groups.count() == 3
        assert told() == ["workspace.created"]

    def test_are_changed(self, desk: Desk, acme: Company, told: Any) -> None:
        assert desk.change(acme.workspace, name="Find", color="green", delete_protected="on").status_code == 302
        acme.workspace.refresh_from_db()
        assert (acme.workspace.name, acme.workspace.color, acme.workspace.delete_protected) == ("Find", "green", True)
        assert told() == ["workspace.updated"]

    def test_are_archived_restored_and_deleted(self, desk: Desk, acme: Company, told: Any) -> None:
        assert "Archive" in errors_on(desk.act("delete", acme.workspace))
        for verb in ("archive", "restore", "archive", "delete"):
            assert desk.act(verb, acme.workspace).status_code == 302, verb
        assert not Workspace.objects.filter(pk=acme.workspace.pk).exists()
        assert told() == [f"workspace.{past}" for past in ("archived", "restored", "archived", "deleted")]

    def test_take_no_change_while_they_are_archived(self, desk: Desk, acme: Company, told: Any) -> None:
        desk.act("archive", acme.workspace)
        assert "archived" in errors_on(desk.change(acme.workspace, name="Other"))
        assert "archived" in errors_on(desk.change(acme.placed(acme.member), role="manager"))
        assert told() == ["workspace.archived"]

    def test_stay_if_they_are_the_default(self, desk: Desk, acme: Company, told: Any) -> None:
        assert "default workspace" in errors_on(desk.act("archive", acme.default))
        assert told() == []

    def test_a_stale_form_is_refused(self, desk: Desk, acme: Company) -> None:
        stale = acme.workspace.version
        workspaces.update(acme.workspace, name="Newer", by=system())
        answer = desk.change(acme.workspace, description="Older", version=stale)
        assert "Somebody changed this" in errors_on(answer)
        assert Workspace.objects.get(pk=acme.workspace.pk).description == ""


class TestMembers:
    def test_get_another_role(self, desk: Desk, acme: Company, told: Any) -> None:
        assert desk.change(acme.membership(acme.member), role="admin").status_code == 302
        assert acme.membership(acme.member).role == OrganizationRole.ADMIN
        assert told() == ["membership.role_changed"]

    def test_nothing_changed_leaves_no_line(self, desk: Desk, acme: Company, told: Any) -> None:
        assert desk.change(acme.membership(acme.member)).status_code == 302
        assert told() == []

    def test_are_suspended_and_reactivated(self, desk: Desk, acme: Company, told: Any) -> None:
        for verb, is_active in (("suspend", False), ("reactivate", True)):
            assert desk.act(verb, acme.membership(acme.member)).status_code == 302
            assert acme.membership(acme.member).is_active is is_active
        assert told() == ["membership.suspended", "membership.reactivated"]

    def test_are_removed_with_their_keys(self, desk: Desk, acme: Company, told: Any) -> None:
        assert desk.act("remove", acme.membership(acme.member)).status_code == 302
        assert not OrganizationMembership.objects.filter(user=acme.member, organization=acme.organization).exists()
        assert ApiKey.objects.get(pk=acme.user_key.pk).is_revoked
        assert told() == ["api_key.revoked", "membership.removed"]

    def test_suspending_twice_says_so(self, desk: Desk, acme: Company) -> None:
        assert "suspended already" in errors_on(desk.act("suspend", acme.membership(acme.suspended)))

    def test_cannot_be_added_past_an_invitation(self, desk: Desk) -> None:
        assert desk.get("add", OrganizationMembership).status_code == 403
        assert desk.add(OrganizationMembership).status_code == 403

    def test_the_operator_does_not_promote_herself(self, desk: Desk, acme: Company, world: World, told: Any) -> None:
        """P3 holds for operators too: whoever is in an organization does not change their own role there."""
        row = OrganizationMembership.objects.create(organization=acme.organization, user=world.operator, role="member")
        assert "your own role" in errors_on(desk.change(row, role="owner"))
        assert told() == []


class TestTeams:
    def test_get_somebody_more(self, desk: Desk, acme: Company, told: Any) -> None:
        answer = desk.add(WorkspaceMembership, workspace=acme.workspace.pk, member=acme.bystander.email, role="manager")
        assert answer.status_code == 302
        assert acme.placed(acme.bystander).role == "manager"
        assert told() == ["workspace_membership.created"]

    def test_get_nobody_from_elsewhere(self, desk: Desk, acme: Company, globex: Company, told: Any) -> None:
        for address in (globex.member.email, "ghost@nowhere.example"):
            answer = desk.add(WorkspaceMembership, workspace=acme.workspace.pk, member=address, role="member")
            assert "Nobody here has this address." in errors_on(answer)
        assert told() == []

    def test_change_a_role(self, desk: Desk, acme: Company, told: Any) -> None:
        assert desk.change(acme.placed(acme.member), role="admin").status_code == 302
        assert acme.placed(acme.member).role == "admin"
        assert told() == ["workspace_membership.role_changed"]

    def test_lose_somebody_with_their_keys(self, desk: Desk, acme: Company, told: Any) -> None:
        assert desk.act("remove", acme.placed(acme.member)).status_code == 302
        assert ApiKey.objects.get(pk=acme.user_key.pk).is_revoked
        assert told() == ["api_key.revoked", "workspace_membership.removed"]


class TestInvitations:
    def test_are_made_with_a_link_shown_once(
        self, desk: Desk, acme: Company, told: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        given = {"role": "member", "workspace": acme.workspace.slug, "workspace_role": "manager"}
        with django_capture_on_commit_callbacks(execute=True):
            answer = desk.add(Invitation, organization=acme.organization.pk, email="new@acme.example", **given)
        link = shown_once(answer)
        invitation = Invitation.objects.get(email="new@acme.example")
        assert "/invitations/gthi_" in link
        assert [(seat.workspace, seat.role) for seat in invitation.workspaces.all()] == [(acme.workspace, "manager")]
        assert told() == ["invitation.created"]
        assert [letter.to for letter in mail.outbox] == [["new@acme.example"]]

    def test_name_a_workspace_of_the_organization(self, desk: Desk, acme: Company, globex: Company) -> None:
        given = {"email": "new@acme.example", "role": "member", "workspace_role": "member"}
        answer = desk.add(Invitation, organization=acme.organization.pk, workspace=globex.workspace.slug, **given)
        assert "no such workspace" in errors_on(answer)

    def test_go_to_an_address_once(self, desk: Desk, acme: Company) -> None:
        given = {"email": acme.invitation.email, "role": "member", "workspace_role": "member"}
        answer = desk.add(Invitation, organization=acme.organization.pk, **given)
        assert "invited already" in errors_on(answer)

    def test_are_sent_again(self, desk: Desk, acme: Company, told: Any) -> None:
        assert desk.act("resend", acme.invitation).status_code == 302
        assert told() == ["invitation.resent"]

    def test_get_a_new_link(self, desk: Desk, acme: Company, told: Any) -> None:
        first, second = (shown_once(desk.act("copy_link", acme.invitation)) for _ in range(2))
        assert first != second
        assert told() == ["invitation.link_copied"] * 2

    def test_are_cancelled_once(self, desk: Desk, acme: Company, told: Any) -> None:
        assert desk.act("cancel", acme.invitation).status_code == 302
        assert "cancelled already" in errors_on(desk.act("cancel", acme.invitation))
        assert told() == ["invitation.cancelled"]


class TestKeys:
    def test_of_an_organization(self, desk: Desk, acme: Company, told: Any) -> None:
        given = {"name": "Ops", "scopes": ["workspaces.list", "workspaces.read"]}
        key = key_named(shown_once(desk.add(ApiKey, organization=acme.organization.pk, **given)))
        assert (key.organization, key.workspace, key.scopes) == (acme.organization, None, given["scopes"])
        assert told() == ["api_key.issued"]

    def test_of_a_workspace_and_of_a_person_in_it(self, desk: Desk, acme: Company) -> None:
        given = {"workspace": acme.workspace.pk, "name": "Calls", "scopes": ["completions.write"]}
        assert key_named(shown_once(desk.add(ApiKey, **given))).type == "workspace-service"
        assert key_named(shown_once(desk.add(ApiKey, person=acme.member.email, **given))).user == acme.member

    def test_of_nobody_who_is_not_there(self, desk: Desk, acme: Company, told: Any) -> None:
        given = {"workspace": acme.workspace.pk, "name": "Calls", "scopes": ["completions.write"]}
        for person in (acme.bystander.email, "ghost@nowhere.example"):
            assert "Nobody here has this address." in errors_on(desk.add(ApiKey, person=person, **given))
        assert told() == []

    def test_of_no_place_or_of_two_that_disagree(self, desk: Desk, acme: Company, globex: Company) -> None:
        given = {"name": "Calls", "scopes": ["completions.write"]}
        assert "Say whose key it is" in errors_on(desk.add(ApiKey, **given))
        both = {"organization": globex.organization.pk, "workspace": acme.workspace.pk}
        assert "not in Globex" in errors_on(desk.add(ApiKey, **both, **given))
        person = {"organization": acme.organization.pk, "person": acme.member.email}
        assert "belongs to no person" in errors_on(desk.add(ApiKey, **person, name="Ops", scopes=["workspaces.list"]))

    def test_with_scopes_of_their_type(self, desk: Desk, acme: Company) -> None:
        given = {"organization": acme.organization.pk, "name": "Ops", "scopes": ["completions.write"]}
        assert "cannot have: completions.write" in errors_on(desk.add(ApiKey, **given))

    def test_are_changed(self, desk: Desk, acme: Company, told: Any) -> None:
        until = {"expires_at_0": "2050-01-01", "expires_at_1": "00:00:00"}
        changed = desk.change(acme.workspace_key, name="Renamed", scopes=["completions.write"], **until)
        assert changed.status_code == 302
        key = ApiKey.objects.get(pk=acme.workspace_key.pk)
        assert (key.name, key.scopes, key.expires_at.year) == ("Renamed", ["completions.write"], 2050)
        assert told() == ["api_key.updated"]

    def test_do_not_expire_in_the_past(self, desk: Desk, acme: Company) -> None:
        past = {"expires_at_0": "2020-01-01", "expires_at_1": "00:00:00"}
        assert "must lie in the future" in errors_on(desk.change(acme.workspace_key, **past))

    def test_are_revoked_and_then_only_looked_at(self, desk: Desk, acme: Company, told: Any) -> None:
        assert desk.act("revoke", acme.workspace_key).status_code == 302
        assert ApiKey.objects.get(pk=acme.workspace_key.pk).is_revoked
        assert desk.get("change", acme.workspace_key).status_code == 200
        assert desk.browser.post(desk.get("change", acme.workspace_key).request["PATH_INFO"], {}).status_code == 403
        assert desk.act("revoke", acme.workspace_key).status_code == 404
        assert told() == ["api_key.revoked", "access.refused"]


class TestPeople:
    def test_are_deactivated_and_reactivated(self, desk: Desk, acme: Company, told: Any) -> None:
        for verb, is_active in (("deactivate", False), ("reactivate", True)):
            assert desk.act(verb, acme.member).status_code == 302
            assert User.objects.get(pk=acme.member.pk).is_active is is_active
        assert told() == ["account.deactivated", "account.reactivated"]

    @pytest.mark.parametrize("field", ["is_superuser", "is_staff", "is_active", "password", "email"])
    def test_are_promoted_by_nobody(self, desk: Desk, acme: Company, field: str) -> None:
        """ES-09: no page writes a person's password, address or standing."""
        before = getattr(acme.member, field)
        page = desk.get("change", acme.member)
        assert page.context["adminform"].form.fields == {}
        path = page.request["PATH_INFO"]
        assert desk.browser.post(path, {field: "on", "email": "x@y.example"}).status_code == 403
        assert getattr(User.objects.get(pk=acme.member.pk), field) == before
        assert desk.browser.get(f"{path.removesuffix('change/')}password/", follow=True).status_code == 404
