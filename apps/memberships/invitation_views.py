"""The pages about invitations: of those who send them, and of those who receive them."""

from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.generic import FormView, TemplateView, View
from django.views.generic.detail import SingleObjectMixin

from apps.access.actions import Action
from apps.access.roles import OrganizationRole
from apps.core.errors import Conflict, Invalid, Missing
from apps.memberships import invitations
from apps.memberships.forms import InviteForm
from apps.memberships.links import invitation_link
from apps.memberships.models import Invitation
from apps.memberships.views import CHOICES
from apps.organizations.matrix import summary
from apps.tenancy import invited
from apps.tenancy.context import reachable_workspaces
from apps.tenancy.forms import grantable, grantable_in
from apps.tenancy.views import (
    DomainErrorMixin,
    ListMixin,
    OperationMixin,
    SignedInMixin,
    TenantMixin,
    finish,
)

# Invitations, as those who send them see them.


class InvitationsMixin(TenantMixin):
    action, model = Action.ORGANISATION_USERS_CREATE, Invitation

    def done(self, message: str) -> HttpResponse:
        return finish(self.request, message, "memberships:invitations", self.tenant.organization.slug)


class InvitationList(InvitationsMixin, ListMixin, TemplateView):
    template_name = "memberships/invitation_list.html"
    shown_as = ("pending", "expired", "accepted", "cancelled")

    @property
    def status(self) -> str:
        asked = self.request.GET.get("status", "")
        return asked if asked in self.shown_as else ""

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        found: Any = rows
        return (found.shown_as(self.status) if self.status else found).with_workspaces()  # type: ignore[no-any-return]

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(status=self.status, statuses=self.shown_as, **more)


class Invite(InvitationsMixin, OperationMixin, FormView):
    """Asks one or many addresses; each gets its own answer, and its own link for the one time it is shown."""

    form_class = InviteForm
    template_name = "memberships/invitation_new.html"

    def get_form_kwargs(self) -> dict[str, Any]:
        rows = list(reachable_workspaces(self.tenant).select_related("organization").order_by("name")[:CHOICES])
        actor: Any = self.tenant.actor
        actor.look_at(rows)
        places = [place for place in rows if Action.WORKSPACE_USERS_CREATE in actor.actions_in(place)]
        given = super().get_form_kwargs()
        return {**given, "workspaces": places, "roles": lambda place: grantable_in(self.tenant, place)}

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        roles = [(role, summary(role)) for role in grantable(self.tenant)]
        return super().get_context_data(roles=roles, **more)

    def run(self, form: InviteForm) -> HttpResponse:
        offer = invitations.Offer(OrganizationRole(form.cleaned_data["role"]), form.seats)
        results = [self._ask(address, offer) for address in form.cleaned_data["emails"]]
        return _once(render(self.request, "memberships/invitation_results.html", {"results": results}))

    def _ask(self, address: str, offer: invitations.Offer) -> dict[str, Any]:
        try:
            made = invitations.invite(self.tenant.organization, address, offer, by=self.tenant.actor)
        except (Conflict, Invalid) as refusal:
            if isinstance(refusal, Invalid) and "email" not in refusal.errors:
                raise  # it is about the offer, so it would be the same for every address
            return {"address": address, "refusal": refusal}
        return {"address": made.invitation.email, "link": invitation_link(made.token)}


class InvitationResend(InvitationsMixin, SingleObjectMixin, View):
    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        invitation = invitations.resend(self.get_object(), by=self.tenant.actor)
        if settings.EMAIL_IS_CONFIGURED:
            return self.done(f"Another letter is on its way to {invitation}. The older one's link is void.")
        return self.done(f"The invitation of {invitation} is valid for another seven days. Copy a link to hand over.")


class InvitationCopy(InvitationsMixin, SingleObjectMixin, View):
    """Answers with the new link instead of leading elsewhere, because it is shown this once."""

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        copied = invitations.copy_link(self.get_object(), by=self.tenant.actor)
        context = {"invitation": copied.invitation, "link": invitation_link(copied.token)}
        return _once(render(request, "memberships/invitation_link.html", context))


class InvitationCancel(InvitationsMixin, SingleObjectMixin, View):
    action = Action.ORGANISATION_USERS_DELETE

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        invitation = invitations.cancel(self.get_object(), by=self.tenant.actor)
        return self.done(f"The invitation of {invitation} is cancelled. Its links are void.")


# Invitations, as those who receive them see them.


class InvitationLink(DomainErrorMixin, View):
    """Where a link leads: its token leaves the address bar at once (product P14)."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        found = invitations.find(token)
        if found.status == Invitation.Status.ACCEPTED and found.accepted_by == request.user:
            return redirect("onboarding:organization", found.organization.slug)
        if found.status != Invitation.Status.PENDING:
            raise Missing("invitation")
        answer = _once(redirect("memberships:open"))
        invited.remember(answer, token)
        answer["Referrer-Policy"] = "no-referrer"
        return answer


class InvitationOpen(DomainErrorMixin, TemplateView):
    template_name = "memberships/invitation_open.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        opened = invited.opened(request)
        if opened is None:
            raise Missing("invitation")
        context = self.get_context_data(
            invitation=opened.invitation,
            places=opened.invitation.workspaces.select_related("workspace"),
            inviter=invitations.inviter_name(opened.invitation),
            is_mine=request.user.is_authenticated and request.user.email == opened.address,
        )
        return _once(self.render_to_response(context, status=410 if opened.invitation.is_expired else 200))


class InvitationAccept(SignedInMixin, View):
    """Yes, with the link that was opened or, from home, with one's verified address."""

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        invitation, token = _named(request, kwargs)
        accepted = invitations.accept(invitation, token=token, by=request.actor)
        if accepted.keys:
            return _once(render(request, "memberships/invitation_accepted.html", {"accepted": accepted}))
        organization = accepted.membership.organization
        return finish(request, f"Welcome to {organization}.", "onboarding:organization", organization.slug)


class InvitationDecline(DomainErrorMixin, View):
    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        invitation, token = _named(request, kwargs)
        invitations.decline(invitation, token=token, by=request.actor)
        message = f"You have declined the invitation to {invitation.organization}."
        return finish(request, message, "home" if request.user.is_authenticated else "account_login")


class InvitationSignOut(DomainErrorMixin, View):
    """For somebody signed in under another address: out, with the link still in hand."""

    def post(self, request: HttpRequest) -> HttpResponse:
        invited.held(request)
        logout(request)
        return redirect("memberships:open")


def _named(request: HttpRequest, kwargs: dict[str, Any]) -> tuple[Invitation, str | None]:
    """The invitation an answer is about, and the token that comes with it. Raises Missing."""
    if "pk" not in kwargs:
        return invited.held(request)
    if not request.user.is_authenticated:
        raise Missing("invitation")
    return invitations.addressed_to(request.user, kwargs["pk"]), None


def _once(answer: HttpResponse) -> HttpResponse:
    """An answer that holds a secret, or leads from one: no browser and no proxy keeps it.

    Its address holds none, so the usual referrer policy is enough; without any, browsers send forms as from nowhere.
    """
    answer["Cache-Control"] = "no-store"
    return answer
