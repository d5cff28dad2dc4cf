"""The pages about invitations as those see them who receive one: the link, the offer, yes and no."""

from typing import Any

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.generic import TemplateView, View

from apps.core.errors import Missing
from apps.memberships import answers, inviters
from apps.memberships.models import Invitation
from apps.tenancy import invited
from apps.tenancy.views import DomainErrorMixin, SignedInMixin, finish


class InvitationLink(DomainErrorMixin, View):
    """Where a link leads: its token leaves the address bar at once (product P14)."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        found = answers.find(token)
        if found.status == Invitation.Status.ACCEPTED and found.accepted_by == request.user:
            return redirect("onboarding:organization", found.organization.slug)
        if found.status != Invitation.Status.PENDING:
            raise Missing("invitation")
        answer = once(redirect("memberships:open"))
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
            places=opened.invitation.workspaces.filter(workspace__archived_at=None).select_related("workspace"),
            inviter=inviters.name_of(opened.invitation),
            is_mine=request.user.is_authenticated and request.user.email == opened.address,
        )
        return once(self.render_to_response(context, status=410 if opened.invitation.is_expired else 200))


class InvitationAccept(SignedInMixin, View):
    """Yes, with the link that was opened or, from home, with one's verified address."""

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        invitation, token = _named(request, kwargs)
        accepted = answers.accept(invitation, token=token, by=request.actor)
        if accepted.keys:
            return once(render(request, "memberships/invitation_accepted.html", {"accepted": accepted}))
        organization = accepted.membership.organization
        message = _("Welcome to %(organization)s.") % {"organization": organization}
        return finish(request, message, "onboarding:organization", organization.slug)


class InvitationDecline(DomainErrorMixin, View):
    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        invitation, token = _named(request, kwargs)
        answers.decline(invitation, token=token, by=request.actor)
        message = _("You have declined the invitation to %(organization)s.") % {"organization": invitation.organization}
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
    return answers.addressed_to(request.user, kwargs["pk"]), None


def once(answer: HttpResponse) -> HttpResponse:
    """An answer that holds a secret, or leads from one: no browser and no proxy keeps it.

    Its address holds none, so the usual referrer policy is enough; without any, browsers send forms as from nowhere.
    """
    answer["Cache-Control"] = "no-store"
    return answer
