"""What can happen to a person in a place: join, change role, leave, be removed or suspended."""

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from apps.access import gate
from apps.access.actions import Action
from apps.access.actors import Actor, UserActor
from apps.access.roles import OrganizationRole, Role, WorkspaceRole, makes_owners
from apps.accounts.models import User
from apps.apikeys import operations as apikeys
from apps.audit import log
from apps.audit.events import Event
from apps.core import text
from apps.core.errors import Conflict, Missing
from apps.core.models import Row
from apps.memberships import grants
from apps.memberships.models import OrganizationMembership, WorkspaceMembership
from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from apps.workspaces import operations as workspaces
from apps.workspaces.models import Workspace

Status = OrganizationMembership.Status


def join(user: User, organization: Organization, role: OrganizationRole, *, by: Actor) -> OrganizationMembership:
    """Makes a person a member, as the last step of founding or accepting, which have asked and hold the lock."""
    membership = OrganizationMembership.objects.create(
        organization=organization, user=user, role=role, **Row.authored(by)
    )
    grants.sync(organization, user=user)
    _record(Event.MEMBERSHIP_CREATED, membership, by, after={"role": role})
    return membership


@transaction.atomic
def change_role(
    membership: OrganizationMembership, role: OrganizationRole, *, version: int | None = None, by: Actor
) -> OrganizationMembership:
    """Gives a member another role. Nobody changes their own (P3), nor hands out or takes more than they hold (P4)."""
    membership = _lock(membership, Action.ORGANISATION_USERS_UPDATE, by)
    membership.refuse_stale(version)
    if membership.role == role:
        return membership
    refuse_role(membership, role, by=by)
    if not makes_owners(role):
        refuse_if_last_owner(membership)
    before = membership.role
    membership.revise({"role": role}, by=by)
    grants.sync(membership.organization, user=membership.user)
    _record(Event.MEMBERSHIP_ROLE_CHANGED, membership, by, before={"role": before}, after={"role": role})
    return membership


@transaction.atomic
def remove(membership: OrganizationMembership, *, version: int | None = None, by: Actor) -> None:
    """Ends a person's time in the organization: every membership, and every personal key, at once (P11)."""
    membership = _lock(membership, Action.ORGANISATION_USERS_DELETE, by)
    membership.refuse_stale(version)
    refuse_removal(membership, by=by)
    refuse_if_last_owner(membership)
    _end(membership, Event.MEMBERSHIP_REMOVED, by=by)


@transaction.atomic
def leave(membership: OrganizationMembership, *, version: int | None = None, by: Actor) -> None:
    """Ends one's own time in the organization: a right everybody has, except its last owner (P2, P3)."""
    membership = _lock_row(membership, organizations.lock(membership.organization, by))
    if by.kind != UserActor.kind or by.id != membership.user_id:
        raise Missing("membership")
    membership.refuse_stale(version)
    refuse_if_last_owner(membership)
    _end(membership, Event.MEMBERSHIP_LEFT, by=by)


def end(membership: OrganizationMembership, *, by: Actor) -> None:
    """Ends a membership as one step of closing the person's account, which holds the locks (product 5.2)."""
    refuse_if_last_owner(membership)
    _end(membership, Event.MEMBERSHIP_LEFT, by=by)


@transaction.atomic
def suspend(membership: OrganizationMembership, *, version: int | None = None, by: Actor) -> OrganizationMembership:
    """Takes a person out of every role here, keys included, until somebody reactivates them (P22)."""
    membership = _lock(membership, Action.ORGANISATION_USERS_UPDATE, by)
    membership.refuse_stale(version)
    refuse_status(membership, Status.SUSPENDED, by=by)
    refuse_if_last_owner(membership)
    return _set_status(membership, Status.SUSPENDED, Event.MEMBERSHIP_SUSPENDED, by=by)


@transaction.atomic
def reactivate(membership: OrganizationMembership, *, version: int | None = None, by: Actor) -> OrganizationMembership:
    """Gives a suspended person back all they had."""
    membership = _lock(membership, Action.ORGANISATION_USERS_UPDATE, by)
    membership.refuse_stale(version)
    refuse_status(membership, Status.ACTIVE, by=by)
    return _set_status(membership, Status.ACTIVE, Event.MEMBERSHIP_REACTIVATED, by=by)


@transaction.atomic
def add_to_workspace(
    workspace: Workspace, membership: OrganizationMembership, role: WorkspaceRole, *, by: Actor
) -> WorkspaceMembership:
    """Puts a member of the organization on a workspace's team. The same role again changes nothing."""
    workspace = workspaces.lock_open(workspace, by)
    gate.require(by, Action.WORKSPACE_USERS_CREATE, workspace)
    if membership.organization_id != workspace.organization_id:
        raise Missing("member")
    membership = _lock_row(membership, workspace.organization)
    gate.require_to_grant(by, [role], workspace, field="role")
    there = WorkspaceMembership.objects.filter(workspace=workspace, membership=membership).first()
    if there is None:
        return place_in_workspace(workspace, membership, role, by=by)
    there.membership = membership
    refuse_another_place(there, role)
    return there


def place_in_workspace(
    workspace: Workspace, membership: OrganizationMembership, role: WorkspaceRole, *, by: Actor
) -> WorkspaceMembership:
    """One place on one team, as the last step of adding, which has asked and holds the locks."""
    (placed,) = place_in_workspaces({workspace: role}, membership, by=by)
    return placed


def place_in_workspaces(
    roles: Mapping[Workspace, WorkspaceRole], membership: OrganizationMembership, *, by: Actor
) -> list[WorkspaceMembership]:
    """Places on several teams at once, as the last step of accepting, which has asked and holds the locks."""
    shared = {"organization": membership.organization, "membership": membership, **Row.authored(by)}
    placed = [WorkspaceMembership(workspace=workspace, role=role, **shared) for workspace, role in roles.items()]
    WorkspaceMembership.objects.bulk_create(placed)
    grants.sync(membership.organization, user=membership.user)
    for row in placed:
        _record_in_workspace(Event.WORKSPACE_MEMBERSHIP_CREATED, row, by, after={"role": row.role})
    return placed


@transaction.atomic
def change_workspace_role(
    placed: WorkspaceMembership, role: WorkspaceRole, *, version: int | None = None, by: Actor
) -> WorkspaceMembership:
    """Gives somebody another role in one workspace."""
    placed = _lock_in_workspace(placed, Action.WORKSPACE_USERS_UPDATE, by)
    placed.refuse_stale(version)
    if placed.role == role:
        return placed
    refuse_team_role(placed, role, by=by)
    before = placed.role
    placed.revise({"role": role}, by=by)
    grants.sync(placed.workspace.organization, user=placed.membership.user)
    _record_in_workspace(
        Event.WORKSPACE_MEMBERSHIP_ROLE_CHANGED, placed, by, before={"role": before}, after={"role": role}
    )
    return placed


@transaction.atomic
def remove_from_workspace(placed: WorkspaceMembership, *, version: int | None = None, by: Actor) -> None:
    """Takes somebody off a workspace's team, with their personal keys there (P11)."""
    placed = _lock_in_workspace(placed, Action.WORKSPACE_USERS_DELETE, by)
    placed.refuse_stale(version)
    refuse_team_removal(placed, by=by)
    user, workspace = placed.membership.user, placed.workspace
    ended = apikeys.revoke_all_of(user, workspace, by=by)
    _record_in_workspace(
        Event.WORKSPACE_MEMBERSHIP_REMOVED, placed, by, before={"role": placed.role}, keys_revoked=ended
    )
    placed.delete()
    grants.sync(workspace.organization, user=user)


def refuse_role(membership: OrganizationMembership, role: OrganizationRole, *, by: Actor) -> None:
    """Raises what stands against giving this member that role; that an owner must stay is asked apart."""
    _refuse_own(membership, by, _("You cannot change your own role. Ask another owner or admin."))
    _require_reach(membership, by, role)


def refuse_removal(membership: OrganizationMembership, *, by: Actor) -> None:
    """Raises what stands against removing this member; that an owner must stay is asked apart."""
    _refuse_own(membership, by, _("You cannot remove yourself. Use Leave organization instead."))
    _require_reach(membership, by)


def refuse_status(membership: OrganizationMembership, status: Status, *, by: Actor) -> None:
    """Raises what stands against suspending or reactivating this member; that an owner must stay is asked apart."""
    is_end = status == Status.SUSPENDED
    own = _("You cannot suspend yourself.") if is_end else _("You cannot reactivate yourself.")
    _refuse_own(membership, by, own)
    _require_reach(membership, by)
    if membership.status == status:
        said = _("%(person)s is suspended already.") if is_end else _("%(person)s is active already.")
        raise Conflict(said % {"person": membership})


def refuse_team_role(placed: WorkspaceMembership, role: WorkspaceRole, *, by: Actor) -> None:
    """Raises what stands against giving somebody that role on a team."""
    _refuse_own(placed.membership, by, _("You cannot change your own role. Ask another admin or manager."))
    gate.require_to_grant(by, [WorkspaceRole(placed.role), role], placed.workspace, field="role")


def refuse_team_removal(placed: WorkspaceMembership, *, by: Actor) -> None:
    """Raises what stands against taking somebody off a team."""
    _refuse_own(placed.membership, by, _("You cannot remove yourself from a team. Ask another admin or manager."))
    gate.require_to_grant(by, [WorkspaceRole(placed.role)], placed.workspace, field="role")


def refuse_another_place(there: WorkspaceMembership, role: WorkspaceRole) -> None:
    """Raises Conflict where somebody who is to be added is on the team already, as something else."""
    if there.role != role:
        said = _("%(person)s is on this team already, as %(role)s. Change that role instead.")
        raise Conflict(said % {"person": there.membership, "role": text.amid(there.role_name)})


def refuse_if_last_owner(membership: OrganizationMembership, gone: Collection[uuid.UUID] = ()) -> None:
    """Raises Conflict when no other active owner would be left (P2), once those named are gone.

    Under the organization's lock it holds; before, it is what a page foresees.
    """
    if not (makes_owners(OrganizationRole(membership.role)) and membership.is_active):
        return
    others = OrganizationMembership.objects.active().owners().filter(organization=membership.organization_id)
    if not others.filter(user__is_active=True).exclude(pk__in=[membership.pk, *gone]).exists():
        raise Conflict(_("An organization keeps at least one active owner. Make somebody else an owner first."))


def _lock(membership: OrganizationMembership, action: Action, by: Actor) -> OrganizationMembership:
    """The membership, held still after its organization, once the actor has the right to act on it."""
    organization = organizations.lock(membership.organization, by)
    gate.require(by, action, organization)
    return _lock_row(membership, organization)


def _lock_row(membership: OrganizationMembership, organization: Organization) -> OrganizationMembership:
    held = (
        OrganizationMembership.objects.select_for_update(of=("self",)).select_related("user").filter(pk=membership.pk)
    )
    found: OrganizationMembership | None = held.first()
    if found is None:
        raise Missing("member")
    found.organization = organization
    return found


def _lock_in_workspace(placed: WorkspaceMembership, action: Action, by: Actor) -> WorkspaceMembership:
    workspace = workspaces.lock_open(placed.workspace, by)
    gate.require(by, action, workspace)
    rows = WorkspaceMembership.objects.select_for_update(of=("self",)).select_related("membership__user")
    found = rows.filter(pk=placed.pk).first()
    if found is None:
        raise Missing("member")
    found.workspace = workspace
    return found


def _refuse_own(membership: OrganizationMembership, by: Actor, message: str) -> None:
    if by.person_id == membership.user_id:
        raise Conflict(message)


def _require_reach(membership: OrganizationMembership, by: Actor, role: OrganizationRole | None = None) -> None:
    """Nobody gives or takes away more than they hold; owners are made and unmade by owners (P1, P4)."""
    roles: list[Role] = [OrganizationRole(membership.role), *([role] if role else [])]
    if any(makes_owners(reached) for reached in roles):
        gate.require(by, Action.ORGANISATION_OWNERS_MANAGE, membership.organization)
    gate.require_to_grant(by, roles, membership.organization, field="role")


def _set_status(
    membership: OrganizationMembership, status: Status, event: Event, *, by: Actor
) -> OrganizationMembership:
    membership.revise({"status": status}, by=by)
    grants.sync(membership.organization, user=membership.user)
    _record(event, membership, by)
    return membership


def _end(membership: OrganizationMembership, event: Event, *, by: Actor) -> None:
    user, organization = membership.user, membership.organization
    ended = apikeys.revoke_all_of(user, organization, by=by)
    _record(event, membership, by, before={"role": membership.role}, keys_revoked=ended)
    membership.delete()
    grants.sync(organization, user=user)


def _record(event: Event, membership: OrganizationMembership, by: Actor, **details: Any) -> None:
    log.record(
        event,
        actor=by,
        target=membership,
        organization_id=membership.organization_id,
        person=str(membership.user_id),
        **details,
    )


def _record_in_workspace(event: Event, placed: WorkspaceMembership, by: Actor, **details: Any) -> None:
    log.record(
        event,
        actor=by,
        target=placed,
        organization_id=placed.organization_id,
        workspace_id=placed.workspace_id,
        person=str(placed.membership.user_id),
        **details,
    )
