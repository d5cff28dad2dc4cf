"""The list of an organization's members, and how each reader has arranged it."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final, NamedTuple
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView, View
from django_htmx.http import push_url

from apps.access.actions import Action
from apps.access.roles import OrganizationRole, makes_owners
from apps.accounts import operations as accounts
from apps.core.clock import wire
from apps.memberships import listing
from apps.memberships.forms import ColumnsForm
from apps.memberships.listing import INACTIVE_DAYS, Filters
from apps.memberships.models import Invitation, OrganizationMembership
from apps.memberships.querysets import SEEN
from apps.organizations.matrix import summary
from apps.tenancy import export, keyset
from apps.tenancy.context import reachable_workspaces
from apps.tenancy.forms import grantable
from apps.tenancy.tenant import Tenant
from apps.tenancy.views import ListMixin, TenantMixin, finish

CHOICES: Final = 100  # of workspaces or people, in a form
OFFERED: Final[dict[str, list[tuple[str, Any]]]] = {
    "role": OrganizationRole.choices,
    "status": [("active", gettext_lazy("Active")), ("suspended", gettext_lazy("Suspended"))],
    "factor": [("yes", gettext_lazy("With a second factor")), ("no", gettext_lazy("Without a second factor"))],
    "inactive": [(str(INACTIVE_DAYS), gettext_lazy("Not here for 90 days"))],
}


class Chip(NamedTuple):
    """One filter that is at work: how it is said, and the list without it."""

    said: str
    without: str


class MembersMixin(TenantMixin):
    """The organization's members, each with those of their workspaces that the reader may know of."""

    model = OrganizationMembership

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        known: Any = rows.select_related("user")
        return known.with_workspaces(reachable_workspaces(self.tenant))  # type: ignore[no-any-return]

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        roles = grantable(self.tenant)
        return super().get_context_data(roles=roles, **more)  # type: ignore[misc,no-any-return]


class MemberList(MembersMixin, ListMixin, TemplateView):
    action = Action.ORGANISATION_USERS_LIST
    searched = True
    orders: ClassVar = {
        "joined": keyset.NEWEST_FIRST,
        "name": keyset.Order("name_key"),
        "email": keyset.Order("address_key"),
        "role": keyset.Order("role"),
        "seen": keyset.Order(SEEN, descending=True),
    }

    @cached_property
    def filters(self) -> Filters:
        return Filters.read(self.request.GET, self.tenant.may)

    @cached_property
    def columns(self) -> list[listing.Column]:
        return listing.chosen(self.tenant.may, kept(self.request))

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        places = reachable_workspaces(self.tenant)
        found = self.filters.narrow(rows.select_related("user"), places)
        return listing.with_columns(found, [column.name for column in self.columns], places)  # type: ignore[no-any-return]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.GET.get("format") == "csv":
            return written(self.order.applied(found(self.tenant, self.filters)), self.tenant)
        answer = super().get(request, *args, **kwargs)
        return push_url(answer, self._address) if request.htmx else answer

    def to_count(self) -> dict[str, QuerySet[Any]]:
        everybody: Any = self.tenant.own(OrganizationMembership)
        asked: Any = self.tenant.own(Invitation)
        counted = {"everybody": everybody, "owners": everybody.active().owners()}
        if self.tenant.may(Action.ORGANISATION_USERS_UPDATE):
            counted["unguarded"] = Filters(factor="no").narrow(everybody, reachable_workspaces(self.tenant))
        else:
            counted["suspended"] = everybody.filter(status=OrganizationMembership.Status.SUSPENDED)
        if self.tenant.may(Action.ORGANISATION_USERS_CREATE):
            counted["asked"] = asked.pending()
        return counted

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        places = self._places()
        return super().get_context_data(
            told=[(role.label, summary(role)) for role in OrganizationRole],
            filters=self.filters,
            offered={**OFFERED, "workspace": list(places.items())},
            places=places,
            chips=[Chip(*chip) for chip in self._chips(places)],
            carried=urlencode(self.filters.said),
            columns=self.columns,
            arrangement=arrangement(self.request, self.tenant),
            owning=[role for role in OrganizationRole if makes_owners(role)],
            **more,
        )

    def _places(self) -> dict[str, str]:
        """The workspaces to choose from, where the filters are drawn or one is at work."""
        if self.request.htmx and not self.filters.workspace:
            return {}
        named = reachable_workspaces(self.tenant).order_by("name_key", "pk").values_list("slug", "name")
        return dict(named[:CHOICES])

    @property
    def _address(self) -> str:
        """The address of what is shown, without the filters that are at rest."""
        asked = urlencode([(name, value) for name, value in self.request.GET.items() if value])
        return f"{self.request.path}?{asked}" if asked else str(self.request.path)

    def get_template_names(self) -> list[str]:
        is_part = self.request.htmx and not self.request.htmx.history_restore_request
        return [f"memberships/{'_members' if is_part else 'member_list'}.html"]

    def _chips(self, places: Mapping[str, str]) -> Any:
        for name, value in self.filters.said.items():
            rest = self.request.GET.copy()
            for each in (name, "after", "before"):
                rest.pop(each, None)
            yield in_words(name, value, places), f"{self.request.path}?{rest.urlencode()}"


class MemberColumns(TenantMixin, View):
    """Keeps which columns somebody wants to see, and in which order."""

    action = Action.ORGANISATION_USERS_LIST
    model = OrganizationMembership
    http_method_names: ClassVar = ["post", "options"]

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        form = arrangement(request, self.tenant, request.POST)
        given = form.taken()
        wanted = None if given["usual"] else form.wanted
        accounts.prefer(request.user, listing.PREFERENCE, wanted, by=self.tenant.actor)
        said = _("The list has the columns you have chosen.")
        return finish(request, said, "memberships:members", self.tenant.organization.slug)


def in_words(name: str, value: str, places: Mapping[str, str]) -> str:
    """A filter as people read it."""
    if name == "q":
        return _("Search: %(words)s") % {"words": value}
    if name == "workspace":
        return _("Workspace: %(workspace)s") % {"workspace": places.get(value, value)}
    said = str(dict(OFFERED[name])[value])
    return _("Role: %(role)s") % {"role": said} if name == "role" else said


def kept(request: Any) -> Any:
    """What the reader has kept of how they want to see the list."""
    return request.user.preferences.get(listing.PREFERENCE)


def arrangement(request: HttpRequest, tenant: Tenant, given: Any = None) -> ColumnsForm:
    """The form of the columns, as the reader has them now: those that are shown first."""
    shown = listing.chosen(tenant.may, kept(request))
    every = list(dict.fromkeys((*shown, *listing.readable(tenant.may))))
    return ColumnsForm(given, columns=every, shown=shown, auto_id="column-%s")


def found(tenant: Tenant, filters: Filters) -> Any:
    """All that a filter finds, in no order."""
    rows = tenant.own(OrganizationMembership).select_related("user")
    return filters.find(filters.narrow(rows, reachable_workspaces(tenant)), tenant.organization)


def written(rows: Any, tenant: Tenant) -> HttpResponseBase:
    """These members as a file, with every column the reader may know of, read row by row."""
    every = listing.readable(tenant.may)
    rows = listing.with_columns(rows, [column.name for column in every], reachable_workspaces(tenant))
    header = [_("Name"), _("E-mail"), _("Status"), *(str(column.label) for column in every)]
    lines = ([*_known(row), *(_CELLS[column.name](row) for column in every)] for row in rows.iterator(chunk_size=500))
    return export.recorded(tenant, "members", header, lines)


def _known(row: Any) -> list[str]:
    return [row.user.get_full_name(), row.user.email, str(dict(OFFERED["status"])[row.status])]


_CELLS: Final[dict[str, Any]] = {
    "role": lambda row: row.role_name,
    "workspaces": lambda row: "; ".join(f"{seat.workspace} ({seat.role_name})" for seat in row.seats),
    "keys": lambda row: row.key_count,
    "factor": lambda row: _("Yes") if row.has_factor else _("No"),
    "seen": lambda row: wire(row.last_active_at),
    "joined": lambda row: wire(row.created_at),
    "added": lambda row: row.added_by,
}
