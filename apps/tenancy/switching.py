"""What the switcher offers: my organizations, the workspaces of one of them, and the invitations that wait for me."""

from typing import Any, Final, NamedTuple

from django.http import HttpRequest

from apps.access import gate
from apps.access.roles import OrganizationRole, actions_of
from apps.core import search
from apps.memberships.models import OrganizationMembership
from apps.tenancy.context import SHOWN, memberships_of, mine, reachable_workspaces, reaches_every_workspace
from apps.tenancy.navigation import Standpoint, counterpart
from apps.tenancy.tenant import Tenant
from apps.workspaces.models import Workspace

ASKED: Final = 200  # letters of a question that are read


class Choice(NamedTuple):
    """One place to go to, and the page there that is like the one somebody comes from."""

    place: Any
    href: str
    role: str = ""


class Choices(NamedTuple):
    """Those that are shown, and whether there are more that only a question finds."""

    shown: list[Choice]
    has_more: bool


def question(request: HttpRequest) -> str:
    return request.GET.get("q", "").replace("\0", " ").strip()[:ASKED]


def organizations(request: HttpRequest, page: str, asked: str) -> Choices:
    """Mine, those whose name contains what is asked."""
    found = list(mine(request).filter(organization__name__icontains=asked)[: SHOWN + 1]) if asked else None
    rows = memberships_of(request) if found is None else found
    return Choices([_organization(own, page) for own in rows[:SHOWN]], len(rows) > SHOWN)


def workspaces(tenant: Tenant, page: str, asked: str, *, archived: bool = False) -> Choices:
    """Those of the organization that I reach, or those I could restore, by how the words of their names begin."""
    rows: Any = reachable_workspaces(tenant)
    if archived and reaches_every_workspace(tenant):
        rows = tenant.own(Workspace).archived()  # type: ignore[attr-defined]
    if asked:
        rows = search.matching(rows, asked, tenant.organization)
    found = list(rows.order_by("name_key", "id")[: SHOWN + 1])
    for workspace in found:
        workspace.organization = tenant.organization
    tenant.actor.look_at(found[:SHOWN])  # type: ignore[attr-defined]
    return Choices([_workspace(tenant, each, page) for each in found[:SHOWN]], len(found) > SHOWN)


def _organization(own: OrganizationMembership, page: str) -> Choice:
    # Another organization's rows are not read for a link: the role says what it holds, the place what it permits.
    held = actions_of(OrganizationRole(own.role)) & own.organization.permitted
    there = Standpoint((own.organization.slug,), held.__contains__)
    return Choice(own.organization, counterpart(page, there), own.role_name)


def _workspace(tenant: Tenant, workspace: Workspace, page: str) -> Choice:
    there = Standpoint(
        (tenant.organization.slug, workspace.slug), lambda action: gate.may(tenant.actor, action, workspace)
    )
    return Choice(workspace, counterpart(page, there))
