"""What the frame of every page shows: my organizations, where I am, and what the installation says of itself."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.db.models import Case, Value, When
from django.http import HttpRequest
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.functional import SimpleLazyObject
from django.utils.http import url_has_allowed_host_and_scheme

from apps.access import gate
from apps.access.actions import Action
from apps.memberships.models import OrganizationMembership
from apps.onboarding.operations import may_found
from apps.tenancy import navigation
from apps.tenancy.tenant import Tenant
from apps.workspaces.models import Workspace
from apps.workspaces.querysets import WorkspaceQuerySet

DIALOG: Final = "dialog-body"
SHOWN: Final = 20  # of each, in the switcher; the rest is one click away
LISTED: Final = 500  # at home, where somebody can be in very many


def frame(request: HttpRequest) -> dict[str, Any]:
    tenant: Tenant | None = getattr(request, "tenant", None)
    return {
        "frame": frame_of(request),
        "came_from": SimpleLazyObject(lambda: came_from(request)),
        "tenant": tenant,
        "my_membership": getattr(request, "membership", None),
        "my_memberships": SimpleLazyObject(lambda: memberships_of(request)),
        "my_workspaces": SimpleLazyObject(lambda: list(reachable_workspaces(tenant).order_by("name_key", "id")[:SHOWN]))
        if tenant
        else [],
        "navigation": SimpleLazyObject(lambda: navigation_of(request, tenant)),
        "frame_tabs": SimpleLazyObject(lambda: navigation.tabs(navigation.standpoint(tenant), request.path)),
        "may_found": SimpleLazyObject(lambda: may_found(request.actor)),  # type: ignore[attr-defined]
        "mail_is_off": not settings.EMAIL_IS_CONFIGURED,
    }


def navigation_of(request: HttpRequest, tenant: Tenant | None) -> list[tuple[Any, list[navigation.Link]]]:
    """The pages at the side, the workspace's above the organization's, each with the place they belong to."""
    if tenant is None:
        return []
    here = navigation.standpoint(tenant)
    floors: list[tuple[Any, Iterable[navigation.Page]]] = [(tenant.organization, navigation.ORGANIZATION)]
    if tenant.workspace is not None:
        floors.insert(0, (tenant.workspace, navigation.WORKSPACE))
    return [(place, navigation.links(here, pages, request.path)) for place, pages in floors]


def frame_of(request: HttpRequest) -> str:
    """The template around a page that may open in a dialog; a script asks for it there without the rest."""
    asked_for = request.htmx.target if getattr(request, "htmx", False) else None  # type: ignore[attr-defined]
    return "dialog.html" if asked_for == DIALOG else "shell.html"


def came_from(request: HttpRequest) -> str:
    """The page of ours that a link or a form says to come back to; empty where there is none."""
    given = (request.POST if request.method == "POST" else request.GET).get("next", "")
    if not given.startswith("/") or not url_has_allowed_host_and_scheme(given, allowed_hosts=None):
        return ""
    try:
        found = resolve(unquote(urlsplit(given).path))
    except (Resolver404, ValueError):
        return ""
    is_ours = found.view_name == "home" or "organization" in found.kwargs
    return given if is_ours and _can_be_looked_at(found) else ""


def _can_be_looked_at(found: ResolverMatch) -> bool:
    """Whether a browser that is sent there finds a page: an address that only takes forms has none."""
    view: Any = getattr(found.func, "view_class", None)
    return hasattr(view, "get") and "get" in view.http_method_names


def memberships_of(request: HttpRequest, current: str = "") -> list[OrganizationMembership]:
    """The person's active memberships with their organizations, the current one first: one query a request."""
    if not hasattr(request, "memberships"):
        request.memberships = list(mine(request, current)[: SHOWN + 1])  # type: ignore[attr-defined]
    return request.memberships  # type: ignore[no-any-return,attr-defined]


def all_memberships_of(request: HttpRequest) -> list[OrganizationMembership]:
    """The same without the switcher's limit."""
    request.memberships = list(mine(request)[:LISTED])  # type: ignore[attr-defined]
    return request.memberships  # type: ignore[no-any-return,attr-defined]


def reachable_workspaces(tenant: Tenant) -> WorkspaceQuerySet:
    """The organization's open workspaces that exist for this person (product P10, P17)."""
    rows: Any = replace(tenant, workspace=None).own(Workspace)
    if not reaches_every_workspace(tenant):
        rows = rows.joined_by(tenant.actor.person_id)
    return rows.active()  # type: ignore[no-any-return]


def reaches_every_workspace(tenant: Tenant) -> bool:
    """Whether the person's role in the organization opens its workspaces without joining them."""
    return gate.may(tenant.actor, Action.WORKSPACES_READ, tenant.organization)


def mine(request: HttpRequest, current: str = "") -> Any:
    """The person's active memberships, the current one first, then by the name of the organization."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return OrganizationMembership.objects.none()
    rows = OrganizationMembership.objects.active().of(user.pk).select_related("organization")
    return rows.order_by(
        Case(When(organization__slug=current, then=Value(0)), default=Value(1)), "organization__name", "pk"
    )
