"""guardian's rows are exactly what the matrix and the memberships say: none missing, none left over."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from apps.access.actions import Action, Level
from apps.access.actors import UserActor
from apps.access.roles import OrganizationRole, WorkspaceRole, actions_of
from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.memberships import grants
from apps.memberships import operations as memberships
from apps.memberships.models import OrganizationMembership, WorkspaceMembership
from apps.organizations import operations as organizations
from apps.organizations.models import OrganizationGroupPermission, OrganizationUserPermission
from apps.workspaces import operations as workspaces
from apps.workspaces.models import WorkspaceGroupPermission, WorkspaceUserPermission
from tests.world import Company, World, system


def test_an_organization_holds_exactly_the_rows_of_its_roles(acme: Company) -> None:
    rows = OrganizationGroupPermission.objects.filter(content_object=acme.organization)
    held = set(rows.values_list("group__organizationrolegroup__role", "permission__codename"))
    assert held == {(role, action.codename) for role in OrganizationRole for action in actions_of(role)}


def test_a_workspace_holds_exactly_the_rows_of_its_roles(acme: Company) -> None:
    rows = WorkspaceGroupPermission.objects.filter(content_object=acme.workspace)
    held = set(rows.values_list("group__workspacerolegroup__role", "permission__codename"))
    assert held == {(role, action.codename) for role in WorkspaceRole for action in actions_of(role)}


def test_every_permission_row_is_an_action_and_every_action_a_row() -> None:
    assert {codename for codename, _ in _permissions("organization")} == {action.codename for action in Action}
    on_workspaces = {action.codename for action in Action if action.level is Level.WORKSPACE}
    assert {codename for codename, _ in _permissions("workspace")} == on_workspaces


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """Every test here looks at rows."""


def _permissions(model: str) -> set[tuple[str, str]]:
    return set(Permission.objects.filter(content_type__model=model).values_list("codename", "content_type__app_label"))


def test_people_hold_their_role_groups_and_nothing_else(world: World) -> None:
    active = OrganizationMembership.objects.active()
    expected = {(m.user_id, f"organization {m.organization_id} {m.role}") for m in active}
    for placed in WorkspaceMembership.objects.filter(membership__in=active).select_related("membership"):
        expected.add((placed.membership.user_id, f"workspace {placed.workspace_id} {placed.role}"))
    assert set(User.groups.through.objects.values_list("user_id", "group__name")) == expected


def test_nobody_holds_a_permission_of_their_own(world: World) -> None:
    assert not OrganizationUserPermission.objects.exists()
    assert not WorkspaceUserPermission.objects.exists()
    assert not User.user_permissions.through.objects.exists()
    assert not Group.permissions.through.objects.exists()


@pytest.mark.parametrize("model", [OrganizationUserPermission, WorkspaceUserPermission])
def test_permissions_reach_people_through_roles_alone(model: type) -> None:
    with pytest.raises(TypeError, match="through a role"):
        model().save()


def test_a_sync_that_finds_nothing_to_do_does_nothing(acme: Company) -> None:
    assert not organizations.sync_roles(acme.organization)
    assert not workspaces.sync_roles(acme.workspace)
    assert not grants.sync(acme.organization)


def test_sync_roles_repairs_every_kind_of_drift_and_says_so(acme: Company, capsys: pytest.CaptureFixture[str]) -> None:
    """Leave out the deletions of access.rows.sync, and this fails."""
    member_group = acme.workspace.role_groups.get(role=WorkspaceRole.MEMBER)
    publish = Permission.objects.get(codename="prompts_publish", content_type__model="workspace")
    WorkspaceGroupPermission.objects.create(content_object=acme.workspace, group=member_group, permission=publish)
    OrganizationGroupPermission.objects.filter(content_object=acme.organization).first().delete()
    acme.organization.role_groups.get(role=OrganizationRole.OWNER).user_set.add(acme.bystander)
    assert Action.PROMPTS_PUBLISH in UserActor(acme.member).actions_in(acme.workspace)

    call_command("sync_roles", verbosity=0)

    assert f"{acme.organization.slug}: 1 rows missing, 2 too many" in capsys.readouterr().out
    assert Action.PROMPTS_PUBLISH not in UserActor(acme.member).actions_in(acme.workspace)
    assert Action.BILLING_MANAGE not in UserActor(acme.bystander).actions_in(acme.organization)
    repaired = AuditEvent.objects.get(event="roles.repaired")
    assert repaired.details == {"after": {"added": 1, "removed": 2}}


def test_sync_roles_makes_a_role_group_that_is_missing(acme: Company) -> None:
    acme.workspace.role_groups.get(role=WorkspaceRole.MEMBER).delete()
    assert not UserActor(acme.member).belongs_to(acme.workspace)
    call_command("sync_roles", verbosity=0)
    assert Action.PROMPTS_CREATE in UserActor(acme.member).actions_in(acme.workspace)


def test_sync_roles_only_looks_when_asked_to_check(acme: Company, capsys: pytest.CaptureFixture[str]) -> None:
    acme.organization.role_groups.get(role=OrganizationRole.OWNER).user_set.add(acme.bystander)
    with pytest.raises(SystemExit):
        call_command("sync_roles", "--check", verbosity=0)
    assert "0 rows missing, 1 too many" in capsys.readouterr().out
    assert acme.organization.role_groups.get(role=OrganizationRole.OWNER).user_set.contains(acme.bystander)


def test_removing_a_person_leaves_no_row_behind(acme: Company) -> None:
    memberships.remove(acme.membership(acme.manager), by=UserActor(acme.owner))
    assert not acme.manager.groups.exists()


def test_deleting_a_place_leaves_no_group_and_no_row(acme: Company) -> None:
    workspace = workspaces.archive(acme.workspace, by=UserActor(acme.owner))
    names = [f"workspace {workspace.pk} {role}" for role in WorkspaceRole]
    assert Group.objects.filter(name__in=names).count() == len(names)
    workspaces.delete(workspace, by=system())
    assert not Group.objects.filter(name__in=names).exists()
    assert not WorkspaceGroupPermission.objects.filter(content_object_id=workspace.pk).exists()
