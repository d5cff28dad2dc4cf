"""Who holds an act here, and by which way: through a role in the organization, or on the team of a workspace."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db.models import QuerySet

from apps.access.actions import Action, Level
from apps.access.roles import OrganizationRole, Role, WorkspaceRole, holders
from apps.memberships.models import OrganizationMembership, WorkspaceMembership
from apps.tenancy import keyset
from apps.tenancy.context import reachable_workspaces
from apps.tenancy.tenant import Tenant
from apps.workspaces.models import Workspace

SHOWN = 25


class Holders(NamedTuple):
    """The first of the people on each way, and how many there are in all."""

    members: list[Any]
    seats: list[Any]
    counted: Any


def of_action(tenant: Tenant, action: Action, workspace: Workspace | None = None) -> Holders:
    """Who may do this: in one workspace, or in any that the reader can see."""
    if workspace is not None and action not in workspace.permitted:
        return Holders([], [], keyset.count(members=_nobody(tenant), seats=_nobody(tenant)))
    return of_roles(tenant, holders(action), workspace, on_teams=action.level is Level.WORKSPACE)


def of_roles(
    tenant: Tenant, roles: Iterable[Role], workspace: Workspace | None = None, *, on_teams: bool = True
) -> Holders:
    """Who has one of these roles: in the organization, and on the teams that the reader can see."""
    listed = list(roles)
    members = _members(tenant, [role for role in listed if isinstance(role, OrganizationRole)])
    there = [role for role in listed if isinstance(role, WorkspaceRole)] if on_teams else []
    seats = _seats(tenant, there, workspace)
    counted = keyset.count(members=members, seats=seats)
    shown = list(members.select_related("user").order_by("name_key", "id")[:SHOWN]) if counted["members"] else []
    seated = seats.select_related("workspace", "membership__user") if counted["seats"] else None
    return Holders(shown, list(seated.order_by("created_at", "id")[:SHOWN]) if seated is not None else [], counted)


def _members(tenant: Tenant, roles: list[OrganizationRole]) -> QuerySet[Any]:
    rows: Any = tenant.own(OrganizationMembership)
    found: QuerySet[Any] = rows.active().filter(role__in=roles, user__is_active=True)
    return found


def _seats(tenant: Tenant, roles: list[WorkspaceRole], workspace: Workspace | None) -> QuerySet[Any]:
    there = reachable_workspaces(tenant)
    rows: Any = tenant.own(WorkspaceMembership)
    found: QuerySet[Any] = rows.filter(
        role__in=roles,
        membership__status=OrganizationMembership.Status.ACTIVE,
        membership__user__is_active=True,
        workspace__in=there.filter(pk=workspace.pk) if workspace is not None else there,
    )
    return found


def _nobody(tenant: Tenant) -> QuerySet[Any]:
    return tenant.own(OrganizationMembership).none()
