"""The pages about people in places: members, teams, and the invitations that bring them."""

from typing import Any, Final

from django.conf import settings
from django.contrib.auth import logout
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import cached_property
from django.views.generic import FormView, TemplateView, View
from django.views.generic.detail import SingleObjectMixin

from apps.access.actions import Action
from apps.access.actors import UserActor
from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.apikeys.models import ApiKey
from apps.core.errors import Conflict, Invalid, Missing
from apps.memberships import invitations
from apps.memberships import operations as memberships
from apps.memberships.forms import InviteForm, RoleForm, TeamForm, WorkspaceRoleForm
from apps.memberships.links import invitation_link
from apps.memberships.models import Invitation, OrganizationMembership, WorkspaceMembership
from apps.organizations.matrix import summary, workspace_summary
from apps.tenancy import invited, keyset
from apps.tenancy.context import reachable_workspaces
from apps.tenancy.forms import PageForm, TypedForm, grantable, grantable_in
from apps.tenancy.views import (
    DomainErrorMixin,
    ListMixin,
    OperationMixin,
    SignedInMixin,
    TenantMixin,
    WorkspaceMixin,
    finish,
    who_may,
)
from apps.tenancy.wording import listed

CHOICES: Final = 100  # of workspaces or people, in a form


# Members of the organization.


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

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        found: Any = super().narrow(rows)
        if self.role:
            found = found.filter(role=self.role)
        return found.at_addresses(self.beginning) if self.beginning else found  # type: ignore[no-any-return]

    @property
    def role(self) -> str:
        asked = self.request.GET.get("role", "")
        return asked if asked in OrganizationRole else ""

    @property
    def beginning(self) -> str:
        return self.request.GET.get("q", "").replace("\0", "").strip()

    def to_count(self) -> dict[str, QuerySet[Any]]:
        everybody: Any = self.tenant.own(OrganizationMembership)
        asked: Any = self.tenant.own(Invitation)
        suspended = everybody.filter(status=OrganizationMembership.Status.SUSPENDED)
        return {
            "everybody": everybody,
            "owners": everybody.active().owners(),
            "suspended": suspended,
            "asked": asked.pending(),
        }

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        told = [(role.label, summary(role)) for role in OrganizationRole]
        filters = {"role": self.role, "q": self.beginning, "choices": OrganizationRole.choices}
        return super().get_context_data(told=told, filters=filters, **more)

    def get_template_names(self) -> list[str]:
        return [f"memberships/{'_members' if self.request.htmx else 'member_list'}.html"]


class MemberRole(MembersMixin, SingleObjectMixin, View):
    action = Action.ORGANISATION_USERS_UPDATE

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        given = RoleForm(request.POST).taken()
        member = memberships.change_role(
            self.get_object(), OrganizationRole(given["role"]), version=given["version"], by=self.tenant.actor
        )
        answer = finish(
            request,
            f"{member} is now {member.role_name.lower()}.",
            "memberships:members",
            self.tenant.organization.slug,
        )
        if not request.htmx:
            return answer
        self.object = self.get_object()
        return render(request, "memberships/_member_saved.html", self.get_context_data(member=self.object))


class MemberReactivate(MembersMixin, SingleObjectMixin, View):
    action = Action.ORGANISATION_USERS_UPDATE

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        member = memberships.reactivate(self.get_object(), by=self.tenant.actor)
        slug = self.tenant.organization.slug
        return finish(request, f"{member} is active again.", "memberships:members", slug)


class MemberAct(MembersMixin, SingleObjectMixin, OperationMixin, FormView):
    """Something that ends or pauses a membership, with all that ends or pauses with it."""

    action = Action.ORGANISATION_USERS_UPDATE
    form_class = PageForm

    @cached_property
    def object(self) -> Any:
        return self.get_object()

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        keys: Any = self.tenant.own(ApiKey)
        theirs, made = keys.not_revoked().filter(user=self.object.user), keys.not_revoked().filter(user=None)
        counted = keyset.count(
            api_keys=theirs, stays=made.filter(created_by=self.object.user_id, created_by_kind=UserActor.kind)
        )
        return super().get_context_data(member=self.object, counted=counted, **more)

    def done(self, message: str) -> HttpResponse:
        return finish(self.request, message, "memberships:members", self.tenant.organization.slug)


class MemberSuspend(MemberAct):
    template_name = "memberships/member_suspend.html"

    def run(self, form: PageForm) -> HttpResponse:
        memberships.suspend(self.object, by=self.tenant.actor)
        return self.done(f"{self.object} is suspended.")


class MemberRemove(MemberAct):
    action = Action.ORGANISATION_USERS_DELETE
    form_class = TypedForm
    template_name = "memberships/member_remove.html"

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "expected": self.object.user.email}

    def run(self, form: TypedForm) -> HttpResponse:
        memberships.remove(self.object, by=self.tenant.actor)
        return self.done(f"{self.object} is no longer in {self.tenant.organization}.")


class OrganizationLeave(MemberAct):
    """One's own way out, which needs no right but being a member (product P3)."""

    action = Action.ORGANISATIONS_READ
    template_name = "memberships/member_leave.html"

    @cached_property
    def object(self) -> Any:
        return get_object_or_404(self.get_queryset(), user=self.tenant.actor.person_id)

    def run(self, form: PageForm) -> HttpResponse:
        memberships.leave(self.object, by=self.tenant.actor)
        return finish(self.request, f"You have left {self.tenant.organization}.", "home")


# The team of a workspace.


class TeamMixin(WorkspaceMixin):
    model = WorkspaceMembership

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.select_related("membership__user")

    def get_object(self, queryset: QuerySet[Any] | None = None) -> WorkspaceMembership:
        found = get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])
        found.workspace = self.workspace
        return found  # type: ignore[no-any-return]

    def done(self, message: str) -> HttpResponse:
        slugs = (self.tenant.organization.slug, self.workspace.slug)
        return finish(self.request, message, "memberships:team", *slugs)


class TeamList(TeamMixin, ListMixin, TemplateView):
    action = Action.WORKSPACE_USERS_LIST
    template_name = "memberships/team_list.html"

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        told = [(role.label, workspace_summary(role)) for role in WorkspaceRole]
        return super().get_context_data(roles=grantable_in(self.tenant, self.workspace), told=told, **more)


class TeamAdd(TeamMixin, OperationMixin, FormView):
    """Puts a member on the team. Somebody who is no member yet is invited instead (product P15)."""

    action = Action.WORKSPACE_USERS_CREATE
    form_class = TeamForm
    template_name = "memberships/team_add.html"

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        rows: Any = self._members().active().exclude(workspaces__workspace=self.workspace)
        roles = [(role, workspace_summary(role)) for role in grantable_in(self.tenant, self.workspace)]
        people = rows.select_related("user").newest_first()[:CHOICES]
        return super().get_context_data(people=people, roles=roles, **more)

    def run(self, form: TeamForm) -> HttpResponse:
        email = form.cleaned_data["email"].strip().lower()
        member = self._members().filter(user__email=email).select_related("user", "organization").first()
        if member is None:
            raise Invalid({"email": f"Nobody with this address is in {self.tenant.organization}. {self._way_in()}"})
        role = WorkspaceRole(form.cleaned_data["role"])
        memberships.add_to_workspace(self.workspace, member, role, by=self.tenant.actor)
        return self.done(f"{member} is on the team.")

    def _members(self) -> Any:
        return self.tenant.own(OrganizationMembership)

    def _way_in(self) -> str:
        if self.tenant.may(Action.ORGANISATION_USERS_CREATE):
            return "Invite them first."
        able = [str(person) for person in who_may(self.tenant, Action.ORGANISATION_USERS_CREATE)]
        return f"{listed(able, 'or')} can invite them."


class TeamRole(TeamMixin, View):
    action = Action.WORKSPACE_USERS_UPDATE

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        given = WorkspaceRoleForm(request.POST).taken()
        placed = memberships.change_workspace_role(
            self.get_object(), WorkspaceRole(given["role"]), version=given["version"], by=self.tenant.actor
        )
        answer = self.done(f"{placed.membership} is now {placed.role_name.lower()} here.")
        if not request.htmx:
            return answer
        roles = grantable_in(self.tenant, self.workspace)
        return render(request, "memberships/_team_saved.html", {"placed": self.get_object(), "roles": roles})


class TeamRemove(TeamMixin, OperationMixin, FormView):
    action = Action.WORKSPACE_USERS_DELETE
    form_class = PageForm
    template_name = "memberships/team_remove.html"

    @cached_property
    def placed(self) -> WorkspaceMembership:
        return self.get_object()

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        keys: Any = self.tenant.own(ApiKey)
        counted = keyset.count(api_keys=keys.not_revoked().filter(user=self.placed.membership.user))
        return super().get_context_data(placed=self.placed, counted=counted, **more)

    def run(self, form: PageForm) -> HttpResponse:
        memberships.remove_from_workspace(self.placed, by=self.tenant.actor)
        return self.done(f"{self.placed.membership} is no longer on the team.")


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
