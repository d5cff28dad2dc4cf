"""The list of invitations, and what can be done with one of them or with many."""

from collections.abc import Callable
from typing import Any, ClassVar, Final, NamedTuple

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView, TemplateView, View
from django.views.generic.detail import SingleObjectMixin

from apps.access.actions import Action
from apps.access.roles import OrganizationRole, makes_owners
from apps.accounts.reauthentication import require_recent
from apps.core.clock import wire
from apps.core.errors import DomainError
from apps.memberships import invitations
from apps.memberships.answer_views import once
from apps.memberships.forms import ChosenInvitationsForm, GraveInvitationForm, RoleForm
from apps.memberships.links import invitation_link
from apps.memberships.models import Invitation
from apps.organizations.matrix import summary
from apps.tenancy import export, keyset
from apps.tenancy.forms import PageForm, grantable
from apps.tenancy.undo import Undo
from apps.tenancy.views import ListMixin, OperationMixin, TenantMixin, finish

TABS: Final = {
    "pending": gettext_lazy("Pending"),
    "expired": gettext_lazy("Expired"),
    "accepted": gettext_lazy("Accepted"),
    "cancelled": gettext_lazy("Cancelled"),
    "all": gettext_lazy("All"),
}


class Tab(NamedTuple):
    """One way to look at the list, and how many it shows."""

    name: str
    label: str
    number: keyset.Total


class InvitationsMixin(TenantMixin):
    action, model = Action.ORGANISATION_USERS_CREATE, Invitation

    def done(self, message: str, undo: Undo | None = None) -> HttpResponse:
        return finish(self.request, message, "memberships:invitations", self.tenant.organization.slug, undo=undo)


class InvitationList(InvitationsMixin, ListMixin, TemplateView):
    searched: ClassVar[bool] = False  # by the address alone, which is a column of its own

    @cached_property
    def tab(self) -> str:
        asked = self.request.GET.get("status", "")
        return asked if asked in TABS else next(iter(TABS))

    @cached_property
    def beginning(self) -> str:
        return self.request.GET.get("q", "").replace("\0", " ").strip()[:200]

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        found: Any = self._of(self.tab, rows)
        return found.with_workspaces().with_inviter()  # type: ignore[no-any-return]

    def to_count(self) -> dict[str, QuerySet[Any]]:
        return {name: self._of(name, self.tenant.own(Invitation)) for name in TABS}

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.GET.get("format") == "csv":
            return export.recorded(self.tenant, "invitations", _header(), map(_line, self._all()))
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        context = super().get_context_data(tab=self.tab, beginning=self.beginning, **more)
        tabs = [Tab(name, str(label), context["counted"][name]) for name, label in TABS.items()]
        return {**context, "tabs": tabs, "grantable": grantable(self.tenant)}

    def get_template_names(self) -> list[str]:
        return [f"memberships/{'_invitations' if self.request.htmx else 'invitation_list'}.html"]

    def _all(self) -> Any:
        """Row by row, so that a long list is never held as a whole."""
        rows: Any = self.get_queryset()
        return rows.newest_first().iterator(chunk_size=500)

    def _of(self, tab: str, rows: Any) -> Any:
        rows = rows.to_addresses(self.beginning) if self.beginning else rows
        return rows if tab == "all" else rows.shown_as(tab)


class InvitationResend(InvitationsMixin, SingleObjectMixin, View):
    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        invitation = invitations.resend(self.get_object(), by=self.tenant.actor)
        if settings.EMAIL_IS_CONFIGURED:
            message = _("Another letter is on its way to %(address)s. The older one's link is void.")
        else:
            message = _("The invitation of %(address)s is valid for another seven days. Copy a link to hand over.")
        return self.done(message % {"address": invitation})


class InvitationAct(InvitationsMixin, SingleObjectMixin, OperationMixin, FormView):
    """Something that happens to one invitation once it was confirmed."""

    form_class = PageForm

    @cached_property
    def object(self) -> Any:
        return self.get_object()

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(invitation=self.object, **more)


class InvitationCopy(InvitationAct):
    """Answers with the new link instead of leading elsewhere, because it is shown this once."""

    template_name = "memberships/invitation_copy.html"

    def run(self, form: PageForm) -> HttpResponse:
        if makes_owners(OrganizationRole(self.object.role)):
            # Whoever holds the link becomes an owner: it is not for a session that somebody found open.
            require_recent(self.request)
        copied = invitations.copy_link(self.object, by=self.tenant.actor)
        context = {"invitation": copied.invitation, "link": invitation_link(copied.token)}
        return once(render(self.request, "memberships/invitation_link.html", context))


class InvitationRole(InvitationAct):
    """Another role to offer. Inviting an owner is typed, and asks who is there."""

    template_name = "memberships/invitation_role.html"

    @cached_property
    def role(self) -> OrganizationRole:
        asked = self.request.POST.get("role") or self.request.GET.get("role", "")
        return OrganizationRole(asked if asked in OrganizationRole else self.object.role)

    @property
    def is_grave(self) -> bool:
        return makes_owners(self.role) and not makes_owners(OrganizationRole(self.object.role))

    def get_form_class(self) -> Any:
        return GraveInvitationForm if self.is_grave else RoleForm

    def get_form_kwargs(self) -> dict[str, Any]:
        typed = {"expected": self.object.email} if self.is_grave else {}
        return {**super().get_form_kwargs(), **typed}

    def get_initial(self) -> dict[str, Any]:
        return {"role": self.role, "version": self.object.version}

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        roles = [(role, summary(role)) for role in grantable(self.tenant)]
        return super().get_context_data(roles=roles, **more)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.is_grave:
            self.tenant.require(Action.ORGANISATION_OWNERS_MANAGE)
        return super().post(request, *args, **kwargs)

    def run(self, form: RoleForm) -> HttpResponse:
        if self.is_grave:
            require_recent(self.request, back=f"{self.request.path}?role={self.role}")
        before, given = OrganizationRole(self.object.role), form.cleaned_data
        invitation = invitations.change_role(
            self.object, OrganizationRole(given["role"]), version=given["version"], by=self.tenant.actor
        )
        message = _("%(address)s is invited as %(role)s.") % {"address": invitation, "role": invitation.role_name}
        if invitation.role == before or makes_owners(before):
            return self.done(message)  # inviting an owner is never one click
        back = {"role": before, "version": invitation.version}
        return self.done(
            message, Undo("memberships:invitation-role", (self.tenant.organization.slug, invitation.pk), back)
        )


class InvitationCancel(InvitationAct):
    action = Action.ORGANISATION_USERS_DELETE
    template_name = "memberships/invitation_cancel.html"

    def run(self, form: PageForm) -> HttpResponse:
        invitation = invitations.cancel(self.object, by=self.tenant.actor)
        return self.done(_("The invitation of %(address)s is cancelled. Its links are void.") % {"address": invitation})


class Result(NamedTuple):
    """What became of one of many, and why where nothing did."""

    invitation: Invitation
    refusal: str = ""


class InvitationsTogether(InvitationsMixin, FormView):
    """Sends many invitations again, or cancels them: shows them first, then what became of each."""

    form_class = ChosenInvitationsForm
    template_name = "memberships/invitations_together.html"
    acts: ClassVar[dict[str, Callable[..., Invitation]]] = {
        "resend": invitations.resend,
        "cancel": invitations.cancel,
    }

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Where somebody lands who reloads: there is nothing to see here without a choice."""
        return redirect("memberships:invitations", self.tenant.organization.slug)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = ChosenInvitationsForm(request.POST, tenant=self.tenant)
        given = form.taken()
        act = given["act"]
        if act == "cancel":
            self.tenant.require(Action.ORGANISATION_USERS_DELETE)
        chosen: Any = self.get_queryset().filter(pk__in=given["chosen"])
        rows = list(chosen.with_workspaces().newest_first())
        results = [self._try(self.acts[act], row) for row in rows] if given["confirmed"] else []
        return render(
            request, self.template_name, self.get_context_data(form=form, rows=rows, act=act, results=results)
        )

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        results = more["results"]
        failed = [result for result in results if result.refusal]
        return super().get_context_data(failed=failed, succeeded=len(results) - len(failed), **more)

    def _try(self, act: Callable[..., Invitation], row: Invitation) -> Result:
        try:
            return Result(act(row, by=self.tenant.actor))
        except DomainError as refusal:
            return Result(row, str(refusal))


def _header() -> list[str]:
    return [_("E-mail"), _("Role"), _("Workspaces"), _("Invited by"), _("Invited"), _("Expires"), _("Status")]


def _line(invitation: Any) -> list[str]:
    seats = "; ".join(f"{seat.workspace} ({seat.role_name})" for seat in invitation.seats)
    instants = [wire(invitation.created_at) or "", wire(invitation.expires_at) or ""]
    return [
        invitation.email,
        invitation.role_name,
        seats,
        invitation.inviter,
        *instants,
        str(TABS[invitation.shown_status]),
    ]
