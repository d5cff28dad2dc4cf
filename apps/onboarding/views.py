"""The pages that need several apps at once: home, founding an organization, and the two overviews."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import FormView, TemplateView

from apps.access.actions import Action
from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.access.scopes import KeyType
from apps.apikeys import uses
from apps.apikeys.models import ApiKey, action_on
from apps.audit import lines
from apps.core.errors import Closed
from apps.memberships import answers
from apps.memberships.models import Invitation, OrganizationMembership, WorkspaceMembership
from apps.onboarding import hygiene, operations
from apps.onboarding.forms import FoundForm
from apps.organizations.matrix import summary, workspace_summary
from apps.organizations.models import Organization
from apps.tenancy import keyset
from apps.tenancy.context import all_memberships_of, reachable_workspaces, reaches_every_workspace
from apps.tenancy.tenant import Tenant
from apps.tenancy.views import OperationMixin, SignedInMixin, TenantMixin, WorkspaceMixin, finish, who_may

_VISIT = "founded"
PLACES_SHOWN = TEAM_SHOWN = 6


class Home(SignedInMixin, TemplateView):
    """My organizations and the invitations that wait for me; straight to the one organization there is."""

    template_name = "onboarding/home.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        mine, waiting = all_memberships_of(request), answers.waiting_for(request.user)
        if len(mine) == 1 and not waiting and "all" not in request.GET:
            return redirect("onboarding:organization", mine[0].organization.slug)
        return self.render_to_response(self.get_context_data(mine=mine, waiting=waiting))


class FoundOrganization(SignedInMixin, OperationMixin, FormView):
    """Founds an organization and, once, shows its master key: in this answer and nowhere else."""

    form_class = FoundForm
    template_name = "onboarding/organization_new.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not operations.may_found(request.actor):
            raise Closed(_("Only the people who run this installation can found organizations here."))
        return super().get(request, *args, **kwargs)

    def get_initial(self) -> dict[str, Any]:
        return {"visit": uuid4().hex}

    def run(self, form: FoundForm) -> HttpResponse:
        visit, before = form.cleaned_data["visit"], self.request.session.get(_VISIT, ["", ""])
        if visit and visit == before[0]:
            message = _(
                "The organization is founded already. Its master key was shown then, and cannot be shown again."
            )
            return finish(self.request, message, "onboarding:organization", before[1])
        founded = operations.found_organization(self.request.user, **form.input, by=self.request.actor)
        self.request.session[_VISIT] = [visit, founded.organization.slug]
        return self._answer(founded)

    def _answer(self, founded: operations.Founded) -> HttpResponse:
        organization: Organization = founded.organization
        if founded.master_key is None:
            message = _("%(organization)s is founded.") % {"organization": organization}
            return finish(self.request, message, "onboarding:organization", organization.slug)
        context = {"founded": founded, "key": founded.master_key, "base_url": settings.BASE_URL}
        answer = render(self.request, "onboarding/organization_founded.html", context)
        answer["Cache-Control"] = "no-store"
        return answer


class Step(NamedTuple):
    """One of the first things to do in a new organization; it ticks itself."""

    name: str
    is_done: bool
    act: str = ""
    link: str = ""


class OrganizationOverview(TenantMixin, TemplateView):
    """What there is, what is still to do, what could be tidied up, and what happened last: each as the role allows."""

    action = Action.ORGANISATIONS_READ
    template_name = "onboarding/organization_overview.html"

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        chores = list(hygiene.chores(self.tenant))
        shown = self._may_be_counted()
        called = uses.any_in(self.tenant.organization)
        counted = keyset.count(**shown, **{chore.name: chore.rows for chore in chores}, called=called)
        stats, mine = {name: counted[name] for name in shown}, self._workspaces()
        return super().get_context_data(
            counted=stats,
            shape={1: "one", 2: "two", 3: "three"}.get(len(stats), ""),
            steps=self._steps(stats, has_called=bool(counted["called"])),
            tidies=bool(chores),
            findings=hygiene.findings(self.tenant, chores, counted),
            may_read_log=self.tenant.may(Action.AUDIT_LOGS_LIST),
            acts=last_acts(self.tenant),
            reaches=reaches_every_workspace(self.tenant),
            places=mine,
            helpers=[] if mine else who_may(self.tenant, Action.WORKSPACE_USERS_CREATE),
            summary=summary(OrganizationRole(self.request.membership.role)),
            **more,
        )

    def _may_be_counted(self) -> dict[str, Any]:
        own: Any = self.tenant.own
        rows = {
            "members": (Action.ORGANISATION_USERS_LIST, own(OrganizationMembership).active()),
            "workspaces": (Action.ORGANISATIONS_READ, reachable_workspaces(self.tenant)),
            "invitations": (Action.ORGANISATION_USERS_CREATE, own(Invitation).pending()),
            "api_keys": (action_on(KeyType.ORGANIZATION, "list"), own(ApiKey).live()),
        }
        return {name: found for name, (action, found) in rows.items() if self.tenant.may(action)}

    def _workspaces(self) -> list[Any]:
        """The first of those that exist for this person, with what is in them."""
        rows = reachable_workspaces(self.tenant).select_related("organization").with_team_size()
        if self.tenant.may(action_on(KeyType.ORGANIZATION, "list")):
            rows = rows.with_live_keys()
        found = list(rows.order_by("name_key", "id")[:PLACES_SHOWN])
        if not reaches_every_workspace(self.tenant):
            self.request.actor.look_at(found)
        return found

    def _steps(self, counted: Mapping[str, keyset.Total], *, has_called: bool) -> list[Step]:
        """For whoever may take all of them, until all are done."""
        if not {"api_keys", "invitations"} <= counted.keys() or not self.tenant.may(Action.WORKSPACES_CREATE):
            return []
        has_company = counted["members"].number > 1 or bool(counted["invitations"])
        steps = [
            Step(_("Found the organization"), is_done=True),
            Step(
                _("Open a workspace for a project"),
                counted["workspaces"].number > 1,
                _("Create a workspace"),
                self._link("workspaces:create"),
            ),
            Step(_("Bring somebody in"), has_company, _("Invite people"), self._link("memberships:invite")),
            Step(
                _("Have an API key for your programs"),
                bool(counted["api_keys"]),
                _("Create an API key"),
                self._link("apikeys:create"),
            ),
            Step(_("Make a call with it"), has_called, _("See how"), reverse("v1:docs")),
        ]
        return [] if all(step.is_done for step in steps) else steps

    def _link(self, page: str) -> str:
        return reverse(page, args=[self.tenant.organization.slug])


class WorkspaceOverview(WorkspaceMixin, TemplateView):
    """Who works here, what opens from here, and what happened here last."""

    action = Action.WORKSPACES_READ
    template_name = "onboarding/workspace_overview.html"

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        own: Any = self.tenant.own
        rows = {
            "team": (Action.WORKSPACE_USERS_LIST, own(WorkspaceMembership)),
            "api_keys": (action_on(KeyType.WORKSPACE, "list"), own(ApiKey).live()),
        }
        seen = {name: found for name, (action, found) in rows.items() if self.tenant.may(action)}
        here = self.request.actor.held_in(self.workspace).here
        told = [workspace_summary(role) for role in WorkspaceRole if role in here]
        team = seen["team"].select_related("membership__user").order_by("created_at", "id")
        return super().get_context_data(
            counted=keyset.count(**seen),
            told=told,
            team=team[:TEAM_SHOWN],
            may_read_log=self.tenant.may(Action.AUDIT_LOGS_LIST),
            acts=last_acts(self.tenant),
            **more,
        )


def last_acts(tenant: Tenant) -> list[lines.Line]:
    """The newest lines of the log of this place, for those who may read it."""
    return lines.lines(lines.of(tenant)[: lines.FEW], tenant) if tenant.may(Action.AUDIT_LOGS_LIST) else []
