"""What somebody leaves behind, and what is decided about it, without HTTP."""

import uuid
from typing import Any

import pytest

from apps.access.actors import UserActor
from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.access.scopes import KeyType, every_scope
from apps.accounts.models import User
from apps.apikeys import operations as apikeys
from apps.apikeys.models import ApiKey
from apps.audit.models import AuditEvent
from apps.core.errors import Conflict, Forbidden, Invalid, Stale
from apps.memberships import invitations, offboarding, operations
from apps.memberships.models import Invitation, OrganizationMembership, WorkspaceMembership
from apps.memberships.offboarding import Choices, Fate
from apps.workspaces import operations as workspaces
from tests.world import Company, World, system


def events() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("event", flat=True))


def alone(acme: Company) -> OrganizationMembership:
    """The manager, as the last to look after the workspace."""
    operations.remove_from_workspace(acme.placed(acme.workspace_admin), by=system())
    return acme.membership(acme.manager)


class TestTheReport:
    def test_says_what_ends(self, acme: Company) -> None:
        found = offboarding.report(acme.membership(acme.member))
        assert [key.name for key in found.ends.ended] == [acme.user_key.name]
        assert {change.place for change in found.ends.changes} == {"Acme", "Acme Search"}

    def test_names_the_service_keys_they_made_and_no_others(self, acme: Company, globex: Company) -> None:
        found = offboarding.report(acme.membership(acme.owner))
        assert {key.pk for key in found.keys} == {acme.workspace_key.pk, acme.organization_key.pk}
        assert offboarding.report(acme.membership(acme.admin)).keys == []

    def test_leaves_out_keys_that_are_over(self, acme: Company) -> None:
        apikeys.revoke(acme.workspace_key, by=system())
        assert [key.pk for key in offboarding.report(acme.membership(acme.owner)).keys] == [acme.organization_key.pk]

    def test_leaves_out_keys_of_archived_workspaces(self, acme: Company) -> None:
        workspaces.archive(acme.workspace, by=system())
        assert [key.pk for key in offboarding.report(acme.membership(acme.owner)).keys] == [acme.organization_key.pk]

    def test_names_the_workspaces_nobody_else_looks_after(self, acme: Company) -> None:
        assert offboarding.report(acme.membership(acme.manager)).leads == []
        found = offboarding.report(alone(acme))
        assert [placed.workspace for placed in found.leads] == [acme.workspace]

    def test_does_not_count_on_somebody_who_is_suspended(self, acme: Company) -> None:
        """Of the world's team, the suspended person is a manager, too."""
        assert acme.placed(acme.suspended).role == WorkspaceRole.MANAGER
        assert offboarding.report(alone(acme)).leads

    def test_counts_the_pending_invitations_they_stand_for(self, acme: Company) -> None:
        owner = acme.membership(acme.owner)
        assert offboarding.report(owner).invitations == 1
        read = offboarding.with_offers(OrganizationMembership.objects.filter(pk=owner.pk)).get()
        read.organization = acme.organization
        assert offboarding.report(read) == offboarding.report(owner)
        invitations.cancel(acme.invitation, by=system())
        assert offboarding.report(owner).invitations == 0


class TestTheRemoval:
    def test_does_all_that_was_decided_and_records_each(self, acme: Company) -> None:
        leaving = acme.membership(acme.owner)
        choices = Choices(keys={acme.workspace_key.pk: Fate.REVOKE}, invitations_are_taken_over=True)
        before = len(events())
        offboarding.remove(leaving, choices, by=UserActor(acme.second_owner))
        assert ApiKey.objects.get(pk=acme.workspace_key.pk).is_revoked
        assert not ApiKey.objects.get(pk=acme.organization_key.pk).is_revoked
        assert Invitation.objects.get(pk=acme.invitation.pk).offered_by == acme.second_owner.pk
        assert events()[before:] == ["invitation.taken_over", "api_key.revoked", "membership.removed"]

    def test_revokes_their_personal_keys_whatever_was_decided(self, acme: Company) -> None:
        offboarding.remove(acme.membership(acme.member), Choices(), by=UserActor(acme.owner))
        assert ApiKey.objects.get(pk=acme.user_key.pk).is_revoked

    def test_is_refused_when_something_hangs_on_them_that_was_not_seen(self, acme: Company) -> None:
        """Made between the confirmation and the organization's lock: neither an invitation nor a key goes unread."""
        leaving = offboarding.with_offers(OrganizationMembership.objects.filter(user=acme.admin)).get()
        seen = offboarding.report(leaving).spelt()
        offer = invitations.Offer(OrganizationRole.MEMBER)
        asked = invitations.invite(acme.organization, "new@x.example", offer, by=UserActor(acme.admin)).invitation
        with pytest.raises(Stale):
            offboarding.remove(leaving, Choices(), seen=seen, by=UserActor(acme.owner))
        invitations.cancel(asked, by=system())
        scopes = every_scope(KeyType.WORKSPACE)
        key = apikeys.issue(acme.workspace, name="Made", scopes=scopes, by=UserActor(acme.admin)).key
        with pytest.raises(Stale):
            offboarding.remove(leaving, Choices(), seen=seen, by=UserActor(acme.owner))
        apikeys.revoke(key, by=system())
        offboarding.remove(leaving, Choices(), seen=seen, by=UserActor(acme.owner))
        assert not OrganizationMembership.objects.filter(pk=leaving.pk).exists()

    def test_is_refused_on_an_older_version(self, acme: Company) -> None:
        leaving = acme.membership(acme.member)
        with pytest.raises(Stale):
            offboarding.remove(leaving, Choices(), version=leaving.version + 1, by=UserActor(acme.owner))

    def test_leaves_invitations_to_die_where_nobody_takes_them_over(self, acme: Company) -> None:
        offboarding.remove(acme.membership(acme.owner), Choices(), by=UserActor(acme.second_owner))
        assert Invitation.objects.get(pk=acme.invitation.pk).offered_by == acme.owner.pk

    def test_hands_a_workspace_to_somebody_on_its_team(self, acme: Company) -> None:
        leaving = alone(acme)
        leads = {acme.workspace.pk: acme.membership(acme.member)}
        offboarding.remove(leaving, Choices(leads=leads), by=UserActor(acme.admin))
        assert acme.placed(acme.member).role == WorkspaceRole.MANAGER
        assert not WorkspaceMembership.objects.filter(membership__user=acme.manager).exists()

    def test_hands_a_workspace_to_somebody_from_elsewhere(self, acme: Company) -> None:
        leaving = alone(acme)
        leads = {acme.workspace.pk: acme.membership(acme.bystander)}
        offboarding.remove(leaving, Choices(leads=leads), by=UserActor(acme.admin))
        assert acme.placed(acme.bystander).role == WorkspaceRole.MANAGER

    @pytest.mark.parametrize("end", ["suspended", "removed", "shut out", "elsewhere", "themselves"])
    def test_hands_nothing_to_somebody_who_is_not_active_here(self, world: World, end: str) -> None:
        """Asked again under the lock: the form may have been filled in a while ago."""
        acme = world.acme
        leaving, successor = alone(acme), acme.membership(acme.member)
        if end == "suspended":
            operations.suspend(acme.membership(acme.member), by=system())
        elif end == "removed":
            operations.remove(acme.membership(acme.member), by=system())
        elif end == "shut out":
            User.objects.filter(pk=acme.member.pk).update(is_active=False)
        elif end == "elsewhere":
            successor = world.globex.membership(world.globex.owner)
        else:
            successor = leaving
        with pytest.raises(Invalid, match="not active here any more") as refusal:
            offboarding.remove(leaving, Choices(leads={acme.workspace.pk: successor}), by=UserActor(acme.owner))
        assert list(refusal.value.errors) == [f"lead_{acme.workspace.pk}"]
        assert acme.membership(acme.manager).is_active

    @pytest.mark.parametrize("strange", ["key", "globex key", "workspace"])
    def test_refuses_choices_about_what_is_not_theirs_to_leave(self, world: World, strange: str) -> None:
        acme = world.acme
        choices = {
            "key": Choices(keys={acme.workspace_key.pk: Fate.REVOKE}),
            "globex key": Choices(keys={world.globex.workspace_key.pk: Fate.REVOKE}),
            "workspace": Choices(leads={acme.other_workspace.pk: acme.membership(acme.member)}),
        }[strange]
        with pytest.raises(Invalid, match="has changed"):
            offboarding.remove(acme.membership(acme.manager), choices, by=UserActor(acme.owner))
        assert acme.membership(acme.manager)
        assert not ApiKey.objects.get(pk=acme.workspace_key.pk).is_revoked

    def test_is_all_or_nothing(self, acme: Company) -> None:
        """A successor from another organization ends it, and the key that was to be revoked lives."""
        leaving = alone(acme)
        scopes = every_scope(KeyType.WORKSPACE)
        made = apikeys.issue(acme.workspace, name="Made", scopes=scopes, by=UserActor(acme.manager)).key
        operations.suspend(acme.membership(acme.bystander), by=system())
        choices = Choices(keys={made.pk: Fate.REVOKE, uuid.uuid4(): Fate.REVOKE})
        with pytest.raises(Invalid):
            offboarding.remove(leaving, choices, by=UserActor(acme.owner))
        assert not ApiKey.objects.get(pk=made.pk).is_revoked
        assert acme.placed(acme.manager)

    @pytest.mark.parametrize("person", ["member", "manager", "workspace_admin", "bystander"])
    def test_is_not_for_everybody(self, acme: Company, person: str) -> None:
        with pytest.raises(Forbidden):
            offboarding.remove(acme.membership(acme.member), Choices(), by=UserActor(acme[person]))

    def test_of_an_owner_is_for_owners(self, acme: Company) -> None:
        choices = Choices(keys={acme.workspace_key.pk: Fate.REVOKE})
        with pytest.raises(Forbidden):
            offboarding.remove(acme.membership(acme.owner), choices, by=UserActor(acme.admin))
        assert not ApiKey.objects.get(pk=acme.workspace_key.pk).is_revoked

    def test_of_oneself_is_leaving(self, acme: Company) -> None:
        with pytest.raises(Conflict, match="Leave organization"):
            offboarding.remove(acme.membership(acme.owner), Choices(), by=UserActor(acme.owner))

    def test_of_the_last_owner_never_comes(self, acme: Company) -> None:
        operations.remove(acme.membership(acme.second_owner), by=system())
        with pytest.raises(Conflict, match="at least one active owner"):
            offboarding.remove(acme.membership(acme.owner), Choices(), by=system())


class TestSuccessors:
    def test_are_the_others_on_the_team(self, acme: Company, django_assert_num_queries: Any) -> None:
        leaving = alone(acme)
        found = offboarding.report(leaving)
        with django_assert_num_queries(1):
            able = offboarding.successors(found, leaving)
        assert [member.user for member in able[acme.workspace.pk]] == [acme.member]
        assert offboarding.successors(offboarding.report(acme.membership(acme.member)), leaving) == {}

    def test_an_organization_role_looks_after_nothing_by_itself(self, acme: Company) -> None:
        """Owners and admins can always step in, so they are not counted as the team's own."""
        operations.change_role(acme.membership(acme.member), OrganizationRole.ADMIN, by=system())
        assert offboarding.report(alone(acme)).leads
