"""The frame of every page inside an organization: where it is, whether it may be seen, how a refusal looks."""

from typing import Any, ClassVar, final

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ImproperlyConfigured
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views import View

from apps.access.actions import Action
from apps.audit import log
from apps.core.errors import Closed, Conflict, DomainError, Forbidden, Invalid, Missing
from apps.core.models import TenantRow
from apps.organizations.models import Organization
from apps.tenancy.tenant import Tenant, resolve
from apps.workspaces.models import Workspace

_STATUS: dict[type[DomainError], int] = {Forbidden: 403, Closed: 403, Conflict: 409, Invalid: 400}


class DomainErrorMixin:
    """Says the domain's refusals as pages. Comes before every other base."""

    request: HttpRequest

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
            return redirect_to_login(request.get_full_path())
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
            raise ImproperlyConfigured(f"{cls.__qualname__}: a page may narrow its rows, not replace the frame around it.")

    def enter(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        self.tenant = tenant_of_page(request, kwargs["organization"], kwargs.get("workspace"))
        request.tenant = self.tenant  # type: ignore[attr-defined]
        self.tenant.require(self.action)
        return super().enter(request, *args, **kwargs)

    @final
    def get_queryset(self) -> QuerySet[Any]:
        return self.narrow(self.tenant.own(self.model))

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows


def tenant_of_page(request: HttpRequest, organization: str, workspace: str | None) -> Tenant:
    """The tenant a page's URL names. Raises Missing."""
    actor = request.actor  # type: ignore[attr-defined]
    if workspace is None:
        return resolve(actor, Organization.objects.filter(slug=organization).first())
    rows = Workspace.objects.select_related("organization").filter(organization__slug=organization, slug=workspace)
    found = rows.first()
    return resolve(actor, found.organization if found else None, found)


def refused(request: HttpRequest, refusal: DomainError) -> HttpResponse:
    """The page that says no: what was refused, why, and who can help. Writes the refusal down."""
    tenant: Tenant | None = getattr(request, "tenant", None)
    if isinstance(refusal, Forbidden) and hasattr(refusal.place, "organization_key"):
        log.refused(refusal.action, actor=request.actor, place=refusal.place)  # type: ignore[attr-defined]
    status = next(code for kind, code in _STATUS.items() if isinstance(refusal, kind))
    context = {"refusal": refusal, "status": status, "tenant": tenant, "is_forbidden": isinstance(refusal, Forbidden)}
    return render(request, "refused.html", context, status=status)


def _guards_dispatch(cls: type) -> bool:
    return cls.__mro__.index(DomainErrorMixin) < cls.__mro__.index(View)
