"""What the frame of every page shows: my organizations, where I am, and what the installation says of itself."""

from dataclasses import replace
from typing import Any, Final

from django.conf import settings
from django.db.models import Case, Value, When
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from apps.access import gate
from apps.access.actions import Action
from apps.memberships.models import OrganizationMembership
from apps.onboarding.operations import may_found
from apps.tenancy.tenant import Tenant
from apps.workspaces.models import Workspace
from apps.workspaces.querysets import WorkspaceQuerySet

SHOWN: Final = 20  # of each, in the switcher; the rest is one click away
LISTED: Final = 500  # at home, where somebody can be in very many


def frame(request: HttpRequest) -> dict[str, Any]:
    tenant: Tenant | None = getattr(request, "tenant", None)
    return {
        "tenant": tenant,
        "my_membership": getattr(request, "membership", None),
        "my_memberships": SimpleLazyObject(lambda: memberships_of(request)),
        "my_workspaces": SimpleLazyObject(lambda: list(reachable_workspaces(tenant).order_by("name", "id")[:SHOWN]))
        if tenant
        else [],
        "may_found": SimpleLazyObject(lambda: may_found(request.actor)),  # type: ignore[attr-defined]
        "mail_is_off": not settings.EMAIL_IS_CONFIGURED,
    }


def memberships_of(request: HttpRequest, current: str = "") -> list[OrganizationMembership]:
    """The person's active memberships with their organizations, the current one first: one query a request."""
    if not hasattr(request, "memberships"):
        request.memberships = list(_memberships(request, current)[:SHOWN])  # type: ignore[attr-defined]
    return request.memberships  # type: ignore[no-any-return,attr-defined]


def all_memberships_of(request: HttpRequest) -> list[OrganizationMembership]:
    """The same without the switcher's limit."""
    mine = list(_memberships(request, "")[:LISTED])
    request.memberships = mine[:SHOWN]  # type: ignore[attr-defined]
    return mine


def reachable_workspaces(tenant: Tenant) -> WorkspaceQuerySet:
    """The organization's open workspaces that exist for this person (product P10, P17)."""
    rows: Any = replace(tenant, workspace=None).own(Workspace)
    if not reaches_every_workspace(tenant):
        rows = rows.joined_by(tenant.actor.person_id)
    return rows.active()  # type: ignore[no-any-return]


def reaches_every_workspace(tenant: Tenant) -> bool:
    """Whether the person's role in the organization opens its workspaces without joining them."""
    return gate.may(tenant.actor, Action.WORKSPACES_READ, tenant.organization)


def _memberships(request: HttpRequest, current: str) -> Any:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return OrganizationMembership.objects.none()
    mine = OrganizationMembership.objects.active().of(user.pk).select_related("organization")
    return mine.order_by(
        Case(When(organization__slug=current, then=Value(0)), default=Value(1)), "organization__name", "pk"
    )
