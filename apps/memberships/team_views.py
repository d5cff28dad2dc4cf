"""The pages about the team of a workspace."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, ClassVar, Final
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.generic import FormView, TemplateView

from apps.access.actions import Action
from apps.access.roles import REACHING_INTO_WORKSPACES, OrganizationRole, WorkspaceRole
from apps.core import search, text
from apps.memberships import access, consequences, gathering
from apps.memberships import operations as memberships
from apps.memberships.answer_views import once
from apps.memberships.member_views import CHOICES
from apps.memberships.models import OrganizationMembership, WorkspaceMembership
from apps.memberships.person_forms import GatheringForm, PreviewedTeamRoleForm
from apps.organizations.matrix import workspace_summary
from apps.tenancy import keyset
from apps.tenancy.consequences import ReadAgainMixin, SeenForm, digest
from apps.tenancy.forms import grantable_in
from apps.tenancy.undo import Undo
from apps.tenancy.views import ListMixin, OperationMixin, WorkspaceMixin, finish, who_may

ABOVE: Final = 6  # of those whose organization role reaches in


class TeamMixin(WorkspaceMixin):
    model = WorkspaceMembership

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.select_related("membership__user")

    @cached_property
    def placed(self) -> WorkspaceMembership:
        found = get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])
        found.workspace, found.membership.organization = self.workspace, self.tenant.organization
        return found

    @property
    def _slugs(self) -> tuple[str, str]:
        return (self.tenant.organization.slug, self.workspace.slug)

    @property
    def _members(self) -> Any:
        return self.tenant.own(OrganizationMembership)

    def done(self, message: str, undo: Undo | None = None) -> HttpResponse:
        return finish(self.request, message, "memberships:team", *self._slugs, undo=undo)


class TeamList(TeamMixin, ListMixin, TemplateView):
    """Who is on the team, and who acts here through a role in the organization: each with where it comes from."""

    action = Action.WORKSPACE_USERS_LIST
    orders: ClassVar = {"added": keyset.NEWEST_FIRST}

    @property
    def role(self) -> str:
        asked = self.request.GET.get("role", "")
        return asked if asked in WorkspaceRole else ""

    @cached_property
    def beginning(self) -> str:
        return self.request.GET.get("q", "").replace("\0", " ").strip()[:200]

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        found = access.with_authors(super().narrow(rows))
        if self.role:
            found = found.filter(role=self.role)
        if self.beginning:
            people = search.matching(self._members, self.beginning, self.tenant.organization)
            found = found.filter(membership__in=people.values("pk"))
        return found

    @property
    def _above(self) -> Any:
        return self._members.active().filter(role__in=REACHING_INTO_WORKSPACES)

    @property
    def _shown_above(self) -> Any:
        return self._above.select_related("user").order_by("name_key", "pk")[:ABOVE]

    def to_count(self) -> dict[str, QuerySet[Any]]:
        return {"above": self._above}

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(
            roles=grantable_in(self.tenant, self.workspace),
            told=[(role.label, workspace_summary(role)) for role in WorkspaceRole],
            filters={"role": self.role, "q": self.beginning, "choices": WorkspaceRole.choices},
            above=[] if self.role or self.beginning else self._shown_above,
            reaching=[role.value for role in REACHING_INTO_WORKSPACES],
            organization_roles=[role for role in OrganizationRole if role in REACHING_INTO_WORKSPACES],
            **more,
        )

    def get_template_names(self) -> list[str]:
        return [f"memberships/{'_team' if self.request.htmx else 'team_list'}.html"]


class TeamAdd(TeamMixin, OperationMixin, FormView):
    """Puts people on the team. Somebody who is no member yet is invited instead (product P15)."""

    action = Action.WORKSPACE_USERS_CREATE
    form_class = GatheringForm
    template_name = "memberships/team_add.html"

    @cached_property
    def people(self) -> list[Any]:
        """Members who could be chosen: those looked for, and those chosen before."""
        rows = self._members.active().exclude(workspaces__workspace=self.workspace).select_related("user")
        asked = self.request.POST.get("find", "").replace("\0", " ").strip()
        found = search.matching(rows, asked, self.tenant.organization) if asked else rows
        shown = list(found.order_by("name_key", "pk")[:CHOICES])
        chosen = _ids(self.request.POST.getlist("people")) - {member.pk for member in shown}
        return shown + list(rows.filter(pk__in=chosen)) if chosen else shown

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "people": self.people}

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        roles = [(role, workspace_summary(role)) for role in grantable_in(self.tenant, self.workspace)]
        helpers = [] if self.tenant.may(Action.ORGANISATION_USERS_CREATE) else self._inviters()
        return super().get_context_data(roles=roles, people=self.people, helpers=helpers, **more)

    def _inviters(self) -> list[Any]:
        return who_may(self.tenant, Action.ORGANISATION_USERS_CREATE)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "look" in request.POST:  # the list of people was searched, without scripts
            form = self.get_form()
            form.errors.clear()
            return self.render_to_response(self.get_context_data(form=form))
        return super().post(request, *args, **kwargs)

    def run(self, form: GatheringForm) -> HttpResponse:
        outcomes = gathering.gather(
            self.workspace, form.chosen, form.cleaned_data["emails"], form.role_given, by=self.tenant.actor
        )
        if all(outcome.is_added for outcome in outcomes):
            number = len(outcomes)
            said = ngettext("%(number)d person is on the team.", "%(number)d people are on the team.", number)
            return self.done(said % {"number": number})
        return once(render(self.request, "memberships/team_added.html", {"outcomes": outcomes}))


class TeamAct(TeamMixin, ReadAgainMixin, FormView):
    """Something that is done to a place on the team, once what it brings has been read."""

    action = Action.WORKSPACE_USERS_UPDATE

    def may_be(self) -> None:
        """Raises what stands against the act before anybody reads on."""
        raise NotImplementedError

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.may_be()
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.may_be()
        return super().post(request, *args, **kwargs)

    def get_initial(self) -> dict[str, Any]:
        return {"version": self.placed.version}


class TeamRole(TeamAct):
    """Another role on the team, once what it changes has been read."""

    form_class = PreviewedTeamRoleForm
    template_name = "memberships/team_role.html"

    @cached_property
    def role(self) -> WorkspaceRole:
        asked = self.request.POST.get("role") or self.request.GET.get("role", "")
        return WorkspaceRole(asked if asked in WorkspaceRole else self.placed.role)

    def get_initial(self) -> dict[str, Any]:
        return {**super().get_initial(), "role": self.role}

    def may_be(self) -> None:
        memberships.refuse_team_role(self.placed, self.role, by=self.tenant.actor)

    def weigh(self) -> Any:
        return consequences.of_team_role(self.placed, self.role)

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        roles = [(role, workspace_summary(role)) for role in grantable_in(self.tenant, self.workspace)]
        return super().get_context_data(placed=self.placed, roles=roles, role=self.role, **more)

    def run(self, form: Any) -> HttpResponse:
        given, before = form.cleaned_data, WorkspaceRole(self.placed.role)
        placed = memberships.change_workspace_role(
            self.placed, WorkspaceRole(given["role"]), version=given["version"], by=self.tenant.actor
        )
        placed.membership.organization = self.tenant.organization
        seen = digest(consequences.of_team_role(placed, before))
        fields = {"role": before, "version": placed.version, "seen": seen}
        undo = Undo("memberships:team-role", (*self._slugs, placed.pk), fields)
        told = {"person": placed.membership, "role": text.amid(placed.role_name)}
        return self.done(_("%(person)s is now %(role)s here.") % told, undo=undo)


class TeamRemove(TeamAct):
    action = Action.WORKSPACE_USERS_DELETE
    form_class = SeenForm
    template_name = "memberships/team_remove.html"

    def may_be(self) -> None:
        memberships.refuse_team_removal(self.placed, by=self.tenant.actor)

    def weigh(self) -> Any:
        return consequences.of_team_removal(self.placed)

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        stays = OrganizationRole(self.placed.membership.role) in REACHING_INTO_WORKSPACES
        return super().get_context_data(placed=self.placed, stays=stays, **more)

    def run(self, form: Any) -> HttpResponse:
        version = form.cleaned_data["version"]
        memberships.remove_from_workspace(self.placed, version=version, by=self.tenant.actor)
        return self.done(_("%(person)s is no longer on the team.") % {"person": self.placed.membership})


def _ids(given: Iterable[str]) -> set[UUID]:
    """Those that are ids; what is none, the form refuses by itself."""
    found = set()
    for each in given:
        with suppress(ValueError):
            found.add(UUID(each))
    return found
