"""The pages about people in places: the members of an organization, and the teams of its workspaces."""

from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.functional import cached_property
from django.views.generic import FormView, TemplateView, View
from django.views.generic.detail import SingleObjectMixin

from apps.access.actions import Action
from apps.access.actors import UserActor
from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.apikeys.models import ApiKey
from apps.core.errors import Invalid
from apps.memberships import operations as memberships
from apps.memberships.forms import RoleForm, TeamForm, WorkspaceRoleForm
from apps.memberships.models import Invitation, OrganizationMembership, WorkspaceMembership
from apps.organizations.matrix import summary, workspace_summary
from apps.tenancy import keyset
from apps.tenancy.context import reachable_workspaces
from apps.tenancy.forms import PageForm, TypedForm, grantable, grantable_in
from apps.tenancy.views import (
    ListMixin,
    OperationMixin,
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
