"""The frame of every page: who may come in, where it is, whether it may be seen, how a refusal looks."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, cast, final

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ImproperlyConfigured
from django.db.models import QuerySet
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views import View
from django_htmx.http import HttpResponseClientRedirect, reswap, retarget

from apps.access.actions import Action
from apps.access.actors import UserActor
from apps.access.roles import WorkspaceRole
from apps.audit import refusals
from apps.core import search
from apps.core.errors import (
    Closed,
    Conflict,
    DomainError,
    Exhausted,
    Forbidden,
    Invalid,
    Missing,
    Stale,
    TooMany,
    Unavailable,
)
from apps.core.models import TenantRow
from apps.memberships.models import OrganizationMembership
from apps.organizations.models import Organization
from apps.tenancy import keyset
from apps.tenancy.context import came_from, memberships_of
from apps.tenancy.tenant import Tenant, resolve
from apps.tenancy.undo import Undo
from apps.tenancy.versions import AUTHORS, versions
from apps.workspaces.models import Workspace

_STATUS: dict[type[DomainError], int] = {
    Forbidden: 403,
    Closed: 403,
    Conflict: 409,
    Exhausted: 412,
    Invalid: 400,
    TooMany: 429,
    Unavailable: 503,
}
_HELPERS = 5


class DomainErrorMixin:
    """Says the domain's refusals as pages. Comes before every other base."""

    request: HttpRequest
    http_method_names = ["get", "post", "head", "options"]  # what browsers send; a form view would take PUT, too

    @final
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return self.enter(request, *args, **kwargs)
        except Missing:
            raise Http404 from None
        except DomainError as refusal:
            return refused(request, refusal)

    def enter(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc,no-any-return]


class SignedInMixin(DomainErrorMixin):
    """A page for anybody with an account, outside every organization."""

    def enter(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return sign_in_first(request)
        return super().enter(request, *args, **kwargs)


class TenantMixin(SignedInMixin):
    """A page inside an organization or a workspace: `action` is asked before anything of it is shown.

    Rows come from `get_queryset`, which is the tenant's own; a page may `narrow` them, never replace them.
    """

    action: ClassVar[Action]
    model: ClassVar[type[TenantRow]]
    tenant: Tenant

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not isinstance(getattr(cls, "action", None), Action) and View in cls.__mro__:
            raise ImproperlyConfigured(f"{cls.__qualname__}: say which action the page needs.")
        if View in cls.__mro__ and not _guards_dispatch(cls):
            raise ImproperlyConfigured(f"{cls.__qualname__}: TenantMixin must be the first base, or it guards nothing.")
        if {"dispatch", "enter", "get_queryset"} & vars(cls).keys():
            raise ImproperlyConfigured(
                f"{cls.__qualname__}: a page may narrow its rows, not replace the frame around it."
            )

    def enter(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return sign_in_first(request)
        self.tenant = tenant_of_page(request, kwargs["organization"], kwargs.get("workspace"))
        self.tenant.require(self.action)
        _note_presence(request, self.tenant)
        return super().enter(request, *args, **kwargs)

    @final
    def get_queryset(self) -> QuerySet[Any]:
        return self.narrow(self.tenant.own(self.model))

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows


class WorkspaceMixin(TenantMixin):
    """The same for a page whose address names a workspace."""

    @property
    def workspace(self) -> Workspace:
        return cast("Workspace", self.tenant.workspace)


class OperationMixin:
    """A page whose form one operation answers: what that finds invalid is said at the field it concerns."""

    request: HttpRequest

    def get_form_kwargs(self) -> dict[str, Any]:
        given: dict[str, Any] = super().get_form_kwargs()  # type: ignore[misc]
        return {**given, "tenant": getattr(self, "tenant", None)}

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            return self.run(form)
        except Invalid as refusal:
            form.refuse(refusal)
            return self.form_invalid(form)
        except Stale:
            row = self.current()
            if row is None or self.request.htmx:  # type: ignore[attr-defined]
                raise
            return stale(self.request, form, row, self.values_of(row))

    def form_invalid(self, form: Form, status: int = 400) -> HttpResponse:
        context = self.get_context_data(form=form)  # type: ignore[attr-defined]
        return self.render_to_response(context, status=status)  # type: ignore[attr-defined,no-any-return]

    def run(self, form: Any) -> HttpResponse:
        """Does what the form asks and answers. May raise Invalid, and Stale where the form is on a row."""
        raise NotImplementedError

    def current(self) -> TenantRow | Organization | None:
        """The row that the form is on, read anew; None where it is on none."""
        return None

    def values_of(self, row: Any) -> dict[str, Any]:
        """What is kept in it now, by the form's fields."""
        return {name: getattr(row, name) for name in self.form_class.base_fields if hasattr(row, name)}  # type: ignore[attr-defined]


class ListMixin:
    """One page of a long list, sorted and found as the address says, and how many there are in all.

    `orders` are the ways to sort by the name they have in `?sort=`, the usual one first; `searched` says whether
    `?q=` finds rows by how their words begin.
    """

    orders: ClassVar[Mapping[str, keyset.Order]] = {"created": keyset.NEWEST_FIRST}
    searched: ClassVar[bool] = False

    @cached_property
    def asked(self) -> str:
        """What is searched for."""
        return self.request.GET.get("q", "").replace("\0", " ").strip()[:200] if self.searched else ""  # type: ignore[attr-defined]

    @cached_property
    def size(self) -> int:
        given = self.request.GET.get("size", "")  # type: ignore[attr-defined]
        return int(given) if given in map(str, keyset.SIZES) else keyset.SIZE

    @cached_property
    def sort(self) -> str:
        """The order's name, with a minus where it is turned round from ascending."""
        given = self.request.GET.get("sort", "")  # type: ignore[attr-defined]
        if given.removeprefix("-") in self.orders:
            return str(given)
        name, order = next(iter(self.orders.items()))
        return f"-{name}" if order.descending else name

    @property
    def order(self) -> keyset.Order:
        return replace(self.orders[self.sort.removeprefix("-")], descending=self.sort.startswith("-"))

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        rows = self.get_queryset()  # type: ignore[attr-defined]
        if self.asked:
            rows = search.matching(rows, self.asked, self.tenant.organization)  # type: ignore[attr-defined]
        page = keyset.page(rows, self.request.GET, self.size, self.order)  # type: ignore[attr-defined]
        counted = keyset.count(total=rows, **self.to_count())
        shown = {"sort": self.sort, "size": self.size, "sizes": keyset.SIZES, "asked": self.asked}
        return super().get_context_data(page=page, counted=counted, **shown, **more)  # type: ignore[misc,no-any-return]

    def to_count(self) -> dict[str, QuerySet[Any]]:
        """What else the page says the number of; it costs no query more."""
        return {}


def tenant_of_page(request: HttpRequest, organization: str, workspace: str | None) -> Tenant:
    """The tenant a page's URL names, kept on the request for the frame around it. Raises Missing."""
    mine = memberships_of(request, current=organization)
    membership = next((own for own in mine if own.organization.slug == organization), None)
    if membership is None:
        raise Missing
    place = _workspace(membership, workspace) if workspace is not None else None
    tenant = resolve(request.actor, membership.organization, place)  # type: ignore[attr-defined]
    request.tenant, request.membership = tenant, membership  # type: ignore[attr-defined]
    return tenant


def finish(request: HttpRequest, message: str, to: str, *args: Any, undo: Undo | None = None) -> HttpResponse:
    """What was asked is done: says so, and how to take it back, on the page it was asked from or else on this one."""
    messages.success(request, message, extra_tags=undo.packed() if undo else "")
    return redirect(came_from(request) or resolve_url(to, *args))


def sign_in_first(request: HttpRequest) -> HttpResponse:
    """To the sign-in page and, where that makes sense, back again."""
    answer = redirect_to_login(request.get_full_path() if request.method == "GET" else resolve_url("home"))
    return HttpResponseClientRedirect(answer.url) if getattr(request, "htmx", False) else answer


def refused(request: HttpRequest, refusal: DomainError) -> HttpResponse:
    """The page that says no: what was refused, why, and who can help. Writes the refusal down."""
    answer = _no(request, refusal)
    if isinstance(refusal, TooMany | Unavailable):
        answer["Retry-After"] = str(refusal.wait)
    return answer


def _no(request: HttpRequest, refusal: DomainError) -> HttpResponse:
    tenant: Tenant | None = getattr(request, "tenant", None)
    if isinstance(refusal, Forbidden):
        refusals.refused(refusal.action, actor=request.actor, place=refusal.place)  # type: ignore[attr-defined]
    status = next(code for kind, code in _STATUS.items() if isinstance(refusal, kind))
    context = {"refusal": refusal, "status": status, "tenant": tenant, "is_forbidden": isinstance(refusal, Forbidden)}
    if getattr(request, "htmx", False):
        said = render(request, "components/toast.html", {"message": str(refusal), "level": "error"}, status=status)
        return reswap(retarget(said, "#toasts"), "beforeend")
    if tenant is not None and isinstance(refusal, Forbidden):
        context["helpers"] = who_may(tenant, Action.ORGANISATION_USERS_UPDATE)
        context["standing"] = _standing(tenant, request.membership)  # type: ignore[attr-defined]
    return render(request, "refused.html", context, status=status)


def stale(request: HttpRequest, form: Any, row: Any, kept: Mapping[str, Any]) -> HttpResponse:
    """Both versions, field by field, of what two people changed at once: the reader keeps one of them."""
    context = {"form": form, "row": row, "versions": versions(form, kept), "author": author_of(request, row)}
    return render(request, "stale.html", context, status=409)


def author_of(request: HttpRequest, row: Any) -> str:
    """Who changed the row last, as far as the reader may know."""
    if row.updated_by_kind != UserActor.kind:
        return str(AUTHORS.get(row.updated_by_kind, AUTHORS[""]))
    if row.updated_by == request.user.pk:
        return str(AUTHORS["self"])
    people: Any = request.tenant.own(OrganizationMembership)  # type: ignore[attr-defined]
    found = people.filter(user=row.updated_by).select_related("user").first()
    return str(found.user) if found else str(AUTHORS[""])


def who_may(tenant: Tenant, action: Action) -> list[Any]:
    """Some of the people whose role in the organization includes this, for those who need their help."""
    rows: Any = tenant.own(OrganizationMembership)
    able = rows.active().holding(action).filter(user__is_active=True).select_related("user")
    return [membership.user for membership in able.order_by("created_at")[:_HELPERS]]


def _standing(tenant: Tenant, membership: OrganizationMembership) -> list[str]:
    """What somebody is in a place, and where each part of it comes from."""
    above = _("%(role)s of %(organization)s") % {"role": membership.role_name, "organization": tenant.organization}
    if tenant.workspace is None:
        return [above]
    here = tenant.actor.held_in(tenant.workspace).here  # type: ignore[attr-defined]
    direct = [_("%(role)s, directly") % {"role": role.label} for role in WorkspaceRole if role in here]
    return [*direct, above]


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """What CSRF_FAILURE_VIEW names: nearly always a page left open while its session ended."""
    return render(request, "403_csrf.html", status=403)


def _workspace(membership: OrganizationMembership, slug: str) -> Workspace:
    found = membership.organization.workspaces.filter(slug=slug).first()
    if found is None:
        raise Missing
    found.organization = membership.organization
    return found


def _note_presence(request: HttpRequest, tenant: Tenant) -> None:
    if not request.membership.was_seen_lately:  # type: ignore[attr-defined]
        rows: Any = tenant.own(OrganizationMembership)
        rows.of(tenant.actor.person_id).note_presence()


def _guards_dispatch(cls: type) -> bool:
    return cls.__mro__.index(DomainErrorMixin) < cls.__mro__.index(View)
