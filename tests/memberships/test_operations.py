"""What can happen to people in places, in sentences, without HTTP."""

import pytest

from apps.access.actions import Action
from apps.access.actors import NobodyActor, SystemActor, UserActor
from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.apikeys import operations as apikeys
from apps.apikeys.models import ApiKey
from apps.audit.models import AuditEvent
from apps.core.errors import Closed, Conflict, Forbidden, Missing, Overreach, Stale
from apps.memberships import operations as memberships
from apps.memberships.models import OrganizationMembership, WorkspaceMembership
from apps.onboarding import operations as onboarding
from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from tests.world import Company, World, system


def lines(event: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(event=event).order_by("id"))


class TestChangingARole:
    def test_a_promotion_holds_at_once_and_in_every_workspace(self, acme: Company) -> None:
        memberships.change_role(acme.membership(acme.bystander), OrganizationRole.ADMIN, by=UserActor(acme.owner))
        promoted = UserActor(acme.bystander)
        assert Action.WORKSPACES_CREATE in promoted.actions_in(acme.organization)
        assert Action.PROMPTS_PUBLISH in promoted.actions_in(acme.other_workspace)

    def test_a_demotion_holds_at_once(self, acme: Company) -> None:
        memberships.change_role(acme.membership(acme.admin), OrganizationRole.MEMBER, by=UserActor(acme.owner))
        assert not UserActor(acme.admin).belongs_to(acme.workspace)
        assert Action.ORGANISATIONS_UPDATE not in UserActor(acme.admin).actions_in(acme.organization)

    def test_it_leaves_one_line_with_before_and_after(self, acme: Company) -> None:
        membership = acme.membership(acme.bystander)
        memberships.change_role(membership, OrganizationRole.ADMIN, by=UserActor(acme.owner))
        (line,) = lines("membership.role_changed")
        assert line.details["before"] == {"role": "member"}
        assert line.details["after"] == {"role": "admin"}
        assert (line.actor_kind, line.actor_id) == ("person", acme.owner.pk)
        assert line.target_id == str(membership.pk)

    def test_the_same_role_again_changes_nothing(self, acme: Company) -> None:
        membership = acme.membership(acme.member)
        same = memberships.change_role(membership, OrganizationRole.MEMBER, by=UserActor(acme.admin))
        assert same.version == membership.version
        assert not lines("membership.role_changed")

    @pytest.mark.parametrize("person", ["member", "manager", "workspace_admin", "bystander", "suspended"])
    def test_members_of_the_organization_may_not(self, acme: Company, person: str) -> None:
        """Drop the gate from the operation, and this fails."""
        with pytest.raises(Forbidden) as refusal:
            memberships.change_role(acme.membership(acme.bystander), OrganizationRole.ADMIN, by=UserActor(acme[person]))
        assert refusal.value.action == Action.ORGANISATION_USERS_UPDATE
        assert refusal.value.roles == ("Organization owner", "Organization admin")

    def test_owners_of_another_organization_may_not(self, acme: Company, globex: Company) -> None:
        with pytest.raises(Forbidden):
            memberships.change_role(acme.membership(acme.member), OrganizationRole.ADMIN, by=UserActor(globex.owner))

    def test_a_superuser_is_nobody_special(self, world: World) -> None:
        acme = world.acme
        with pytest.raises(Forbidden):
            memberships.change_role(acme.membership(acme.member), OrganizationRole.ADMIN, by=UserActor(world.operator))

    @pytest.mark.parametrize("person", ["owner", "admin"])
    def test_nobody_changes_their_own(self, acme: Company, person: str) -> None:
        with pytest.raises(Conflict, match="your own role"):
            memberships.change_role(acme.membership(acme[person]), OrganizationRole.MEMBER, by=UserActor(acme[person]))

    def test_an_admin_makes_no_owners(self, acme: Company) -> None:
        with pytest.raises(Forbidden) as refusal:
            memberships.change_role(acme.membership(acme.member), OrganizationRole.OWNER, by=UserActor(acme.admin))
        assert refusal.value.action == Action.ORGANISATION_OWNERS_MANAGE
        assert acme.membership(acme.member).role == OrganizationRole.MEMBER

    def test_an_admin_unmakes_no_owners(self, acme: Company) -> None:
        with pytest.raises(Forbidden):
            memberships.change_role(
                acme.membership(acme.second_owner), OrganizationRole.MEMBER, by=UserActor(acme.admin)
            )

    def test_no_key_makes_or_unmakes_an_owner(self, acme: Company) -> None:
        for person, role in ((acme.member, OrganizationRole.OWNER), (acme.second_owner, OrganizationRole.ADMIN)):
            with pytest.raises(Forbidden):
                memberships.change_role(acme.membership(person), role, by=acme.organization_key)

    def test_an_owner_makes_and_unmakes_owners(self, acme: Company) -> None:
        made = memberships.change_role(acme.membership(acme.member), OrganizationRole.OWNER, by=UserActor(acme.owner))
        assert Action.BILLING_MANAGE in UserActor(acme.member).actions_in(acme.organization)
        memberships.change_role(made, OrganizationRole.MEMBER, by=UserActor(acme.owner))
        assert Action.BILLING_MANAGE not in UserActor(acme.member).actions_in(acme.organization)

    def test_a_stale_edit_is_refused(self, acme: Company) -> None:
        seen = acme.membership(acme.bystander)
        memberships.change_role(seen, OrganizationRole.ADMIN, by=UserActor(acme.owner))
        with pytest.raises(Stale):
            memberships.change_role(seen, OrganizationRole.MEMBER, version=seen.version, by=UserActor(acme.owner))

    def test_a_key_without_the_rights_of_a_role_cannot_hand_it_out(self, acme: Company) -> None:
        """Nobody grants more than they hold: drop gate.require_to_grant, and this fails."""
        scopes = ["organisation_users.update", "organisation_users.read"]
        narrow = apikeys.issue(acme.organization, name="narrow", scopes=scopes, by=UserActor(acme.owner)).key
        with pytest.raises(Overreach) as refusal:
            memberships.change_role(acme.membership(acme.bystander), OrganizationRole.ADMIN, by=narrow)
        assert "workspaces.delete" in refusal.value.beyond
        assert list(refusal.value.errors) == ["role"]

    def test_a_key_is_measured_against_what_its_kind_may_carry(self, acme: Company) -> None:
        changed = memberships.change_role(
            acme.membership(acme.bystander), OrganizationRole.ADMIN, by=acme.organization_key
        )
        assert changed.role == OrganizationRole.ADMIN


class TestTheLastOwner:
    @pytest.fixture
    def alone(self, acme: Company) -> Company:
        memberships.change_role(acme.membership(acme.second_owner), OrganizationRole.ADMIN, by=UserActor(acme.owner))
        return acme

    def test_stays_whoever_demotes(self, alone: Company) -> None:
        with pytest.raises(Conflict, match="at least one active owner"):
            memberships.change_role(alone.membership(alone.owner), OrganizationRole.ADMIN, by=system())

    def test_stays_whoever_removes(self, alone: Company) -> None:
        with pytest.raises(Conflict, match="at least one active owner"):
            memberships.remove(alone.membership(alone.owner), by=system())

    def test_stays_whoever_suspends(self, alone: Company) -> None:
        with pytest.raises(Conflict, match="at least one active owner"):
            memberships.suspend(alone.membership(alone.owner), by=system())

    def test_cannot_leave(self, alone: Company) -> None:
        with pytest.raises(Conflict, match="at least one active owner"):
            memberships.leave(alone.membership(alone.owner), by=UserActor(alone.owner))

    def test_cannot_be_deactivated(self, alone: Company) -> None:
        with pytest.raises(Conflict, match="at least one active owner"):
            onboarding.deactivate_account(alone.owner, by=system())
        alone.owner.refresh_from_db()
        assert alone.owner.is_active

    def test_a_suspended_owner_does_not_count(self, acme: Company) -> None:
        memberships.suspend(acme.membership(acme.second_owner), by=UserActor(acme.owner))
        with pytest.raises(Conflict):
            memberships.leave(acme.membership(acme.owner), by=UserActor(acme.owner))

    def test_a_deactivated_owner_does_not_count(self, acme: Company) -> None:
        onboarding.deactivate_account(acme.second_owner, by=system())
        with pytest.raises(Conflict):
            memberships.leave(acme.membership(acme.owner), by=UserActor(acme.owner))

    def test_one_of_two_may_go(self, acme: Company) -> None:
        memberships.leave(acme.membership(acme.owner), by=UserActor(acme.owner))
        assert not UserActor(acme.owner).belongs_to(acme.organization)
        (line,) = lines("membership.left")
        assert line.actor_id == acme.owner.pk


class TestRemoving:
    def test_ends_every_membership_and_personal_key_at_once(self, acme: Company) -> None:
        memberships.remove(acme.membership(acme.member), by=UserActor(acme.admin))
        gone = UserActor(acme.member)
        assert not gone.belongs_to(acme.organization)
        assert not gone.belongs_to(acme.workspace)
        acme.user_key.refresh_from_db()
        assert acme.user_key.is_revoked
        assert not OrganizationMembership.objects.filter(user=acme.member, organization=acme.organization).exists()
        assert not WorkspaceMembership.objects.filter(membership__user=acme.member).exists()

    def test_leaves_a_line_for_the_person_and_one_for_each_key(self, acme: Company) -> None:
        memberships.remove(acme.membership(acme.member), by=UserActor(acme.admin))
        (line,) = lines("membership.removed")
        assert line.details["keys_revoked"] == 1
        assert line.details["person"] == str(acme.member.pk)
        assert [revoked.target_id for revoked in lines("api_key.revoked")] == [str(acme.user_key.pk)]

    def test_leaves_service_keys_alone(self, acme: Company) -> None:
        memberships.remove(acme.membership(acme.member), by=UserActor(acme.admin))
        for key in (acme.workspace_key, acme.organization_key):
            key.refresh_from_db()
            assert key.is_let_in

    def test_leaves_other_organizations_alone(self, acme: Company, globex: Company) -> None:
        memberships.join(acme.member, globex.organization, OrganizationRole.MEMBER, by=system())
        memberships.remove(acme.membership(acme.member), by=UserActor(acme.admin))
        assert UserActor(acme.member).belongs_to(globex.organization)

    def test_oneself_is_leaving_not_removing(self, acme: Company) -> None:
        with pytest.raises(Conflict, match="Leave organization"):
            memberships.remove(acme.membership(acme.admin), by=UserActor(acme.admin))

    def test_an_owner_takes_an_owner(self, acme: Company) -> None:
        with pytest.raises(Forbidden):
            memberships.remove(acme.membership(acme.second_owner), by=UserActor(acme.admin))
        memberships.remove(acme.membership(acme.second_owner), by=UserActor(acme.owner))

    @pytest.mark.parametrize("person", ["member", "manager", "bystander"])
    def test_members_may_not(self, acme: Company, person: str) -> None:
        with pytest.raises(Forbidden):
            memberships.remove(acme.membership(acme.workspace_admin), by=UserActor(acme[person]))

    def test_somebody_who_is_gone_already_is_missing(self, acme: Company) -> None:
        membership = acme.membership(acme.member)
        memberships.remove(membership, by=UserActor(acme.admin))
        with pytest.raises(Missing):
            memberships.remove(membership, by=UserActor(acme.admin))

    def test_no_key_leaves_for_its_person(self, acme: Company) -> None:
        with pytest.raises(Missing):
            memberships.leave(acme.membership(acme.member), by=acme.user_key)

    def test_nobody_leaves_for_somebody_else(self, acme: Company) -> None:
        with pytest.raises(Missing):
            memberships.leave(acme.membership(acme.member), by=UserActor(acme.owner))


class TestSuspending:
    def test_takes_every_right_and_gives_all_back(self, acme: Company) -> None:
        before = UserActor(acme.manager).actions_in(acme.workspace)
        suspended = memberships.suspend(acme.membership(acme.manager), by=UserActor(acme.admin))
        assert UserActor(acme.manager).actions_in(acme.workspace) == frozenset()
        assert not UserActor(acme.manager).belongs_to(acme.organization)
        memberships.reactivate(suspended, by=UserActor(acme.admin))
        assert UserActor(acme.manager).actions_in(acme.workspace) == before

    def test_shuts_out_personal_keys_without_changing_them(self, acme: Company) -> None:
        memberships.suspend(acme.membership(acme.member), by=UserActor(acme.admin))
        key = ApiKey.objects.with_places().get(pk=acme.user_key.pk)
        assert not key.is_let_in
        assert key.status == ApiKey.Status.ACTIVE

    def test_twice_is_a_conflict(self, acme: Company) -> None:
        with pytest.raises(Conflict, match="suspended already"):
            memberships.suspend(acme.membership(acme.suspended), by=UserActor(acme.admin))
        with pytest.raises(Conflict, match="active already"):
            memberships.reactivate(acme.membership(acme.member), by=UserActor(acme.admin))

    def test_nobody_suspends_themselves(self, acme: Company) -> None:
        with pytest.raises(Conflict, match="yourself"):
            memberships.suspend(acme.membership(acme.admin), by=UserActor(acme.admin))

    def test_an_admin_suspends_no_owner(self, acme: Company) -> None:
        with pytest.raises(Forbidden):
            memberships.suspend(acme.membership(acme.second_owner), by=UserActor(acme.admin))

    def test_leaves_a_line_each_way(self, acme: Company) -> None:
        membership = memberships.suspend(acme.membership(acme.manager), by=UserActor(acme.admin))
        memberships.reactivate(membership, by=UserActor(acme.admin))
        mine = list(AuditEvent.objects.filter(target_id=str(membership.pk)).order_by("id"))[-2:]
        assert [line.event for line in mine] == ["membership.suspended", "membership.reactivated"]


class TestTeams:
    def test_a_manager_adds_a_member_to_their_own_workspace(self, acme: Company) -> None:
        memberships.add_to_workspace(
            acme.workspace, acme.membership(acme.bystander), WorkspaceRole.MEMBER, by=UserActor(acme.manager)
        )
        assert UserActor(acme.bystander).belongs_to(acme.workspace)
        assert not UserActor(acme.bystander).belongs_to(acme.other_workspace)
        assert lines("workspace_membership.created")[-1].workspace_id == acme.workspace.pk

    def test_a_manager_of_one_workspace_is_nobody_in_another(self, acme: Company) -> None:
        with pytest.raises(Forbidden):
            memberships.add_to_workspace(
                acme.other_workspace, acme.membership(acme.bystander), WorkspaceRole.MEMBER, by=UserActor(acme.manager)
            )

    def test_a_member_adds_nobody(self, acme: Company) -> None:
        with pytest.raises(Forbidden) as refusal:
            memberships.add_to_workspace(
                acme.workspace, acme.membership(acme.bystander), WorkspaceRole.MEMBER, by=UserActor(acme.member)
            )
        assert refusal.value.action == Action.WORKSPACE_USERS_CREATE

    def test_nobody_from_another_organization_is_added(self, acme: Company, globex: Company) -> None:
        with pytest.raises(Missing):
            memberships.add_to_workspace(
                acme.workspace, globex.membership(globex.member), WorkspaceRole.MEMBER, by=UserActor(acme.owner)
            )

    def test_the_same_role_again_changes_nothing_and_another_is_a_conflict(self, acme: Company) -> None:
        membership = acme.membership(acme.member)
        again = memberships.add_to_workspace(acme.workspace, membership, WorkspaceRole.MEMBER, by=UserActor(acme.owner))
        assert again.pk == acme.placed(acme.member).pk
        with pytest.raises(Conflict, match="already"):
            memberships.add_to_workspace(acme.workspace, membership, WorkspaceRole.MANAGER, by=UserActor(acme.owner))

    def test_a_changed_role_holds_at_once(self, acme: Company) -> None:
        memberships.change_workspace_role(acme.placed(acme.member), WorkspaceRole.MANAGER, by=UserActor(acme.manager))
        assert Action.PROMPTS_DELETE in UserActor(acme.member).actions_in(acme.workspace)
        memberships.change_workspace_role(acme.placed(acme.member), WorkspaceRole.MEMBER, by=UserActor(acme.manager))
        assert Action.PROMPTS_DELETE not in UserActor(acme.member).actions_in(acme.workspace)

    def test_nobody_changes_their_own_role_there(self, acme: Company) -> None:
        with pytest.raises(Conflict, match="your own role"):
            memberships.change_workspace_role(
                acme.placed(acme.manager), WorkspaceRole.ADMIN, by=UserActor(acme.manager)
            )

    def test_leaving_a_team_ends_the_personal_keys_there(self, acme: Company) -> None:
        memberships.remove_from_workspace(acme.placed(acme.member), by=UserActor(acme.manager))
        acme.user_key.refresh_from_db()
        assert acme.user_key.is_revoked
        assert not UserActor(acme.member).belongs_to(acme.workspace)
        assert UserActor(acme.member).belongs_to(acme.organization)
        (line,) = lines("workspace_membership.removed")
        assert line.details["keys_revoked"] == 1

    def test_nobody_removes_themselves_from_a_team(self, acme: Company) -> None:
        with pytest.raises(Conflict):
            memberships.remove_from_workspace(acme.placed(acme.manager), by=UserActor(acme.manager))

    @pytest.mark.parametrize("person", ["member", "bystander"])
    def test_others_remove_nobody(self, acme: Company, person: str) -> None:
        with pytest.raises(Forbidden):
            memberships.remove_from_workspace(acme.placed(acme.manager), by=UserActor(acme[person]))
        with pytest.raises(Forbidden):
            memberships.change_workspace_role(
                acme.placed(acme.manager), WorkspaceRole.MEMBER, by=UserActor(acme[person])
            )


def test_nothing_happens_in_a_suspended_organization(acme: Company) -> None:
    organizations.set_status(acme.organization, Organization.Status.SUSPENDED, by=system())
    with pytest.raises(Closed):
        memberships.remove(acme.membership(acme.member), by=UserActor(acme.owner))
    assert UserActor(acme.owner).actions_in(Organization.objects.get(pk=acme.organization.pk)) == {
        Action.ORGANISATIONS_READ
    }


def test_somebody_who_is_not_signed_in_does_nothing(acme: Company) -> None:
    with pytest.raises(Forbidden):
        memberships.remove(acme.membership(acme.member), by=NobodyActor())


def test_a_job_does_only_what_it_was_made_for(acme: Company) -> None:
    job = SystemActor(reason="a job", actions=[Action.WORKSPACES_DELETE])
    with pytest.raises(Forbidden):
        memberships.remove(acme.membership(acme.member), by=job)


def test_a_refused_act_leaves_neither_change_nor_line(acme: Company) -> None:
    before = AuditEvent.objects.count()
    with pytest.raises(Forbidden):
        memberships.remove(acme.membership(acme.member), by=UserActor(acme.bystander))
    assert AuditEvent.objects.count() == before
    assert UserActor(acme.member).belongs_to(acme.workspace)
