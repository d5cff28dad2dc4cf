"""Pages that answer who may do what here: one cell of the matrix, and a question in one's own words."""

from typing import Any

from django.utils.functional import cached_property
from django.views.generic import TemplateView

from apps.access.actions import Action, Level
from apps.access.roles import actions_of, holders
from apps.core.errors import Missing
from apps.onboarding import endpoints
from apps.onboarding import holders as people
from apps.organizations import matrix, questions
from apps.tenancy.context import reachable_workspaces
from apps.tenancy.views import TenantMixin
from apps.workspaces.models import Workspace

_OFFERED = 200


class RoleCell(TenantMixin, TemplateView):
    """What one role holds of one kind of thing, which endpoints need it, and who has the role here."""

    action = Action.ORGANISATION_USERS_LIST
    template_name = "onboarding/role_cell.html"

    def get_context_data(self, role: str, row: str, **more: Any) -> dict[str, Any]:
        held, named = matrix.role_named(role), matrix.row_named(row)
        if held is None or named is None:
            raise Missing("role")
        name, actions = named
        return super().get_context_data(
            title=matrix.title(held),
            role=held,
            name=name,
            acts=[(action, action in actions_of(held)) for action in actions],
            endpoints=endpoints.needing(set(actions) & actions_of(held)),
            found=people.of_roles(self.tenant, [held]),
            **more,
        )


class WhoCan(TenantMixin, TemplateView):
    """Who may do this here, and by which way: asked in words, or by an action's own name."""

    action = Action.ORGANISATION_USERS_LIST
    template_name = "onboarding/who_can.html"

    @cached_property
    def workspaces(self) -> list[Workspace]:
        return list(reachable_workspaces(self.tenant).order_by("name_key", "id")[:_OFFERED])

    @cached_property
    def place(self) -> Workspace | None:
        """The workspace that the question is about, if any. Raises Missing for one the reader cannot see."""
        slug = self.request.GET.get("workspace", "").replace("\0", "")
        if not slug:
            return None
        offered = next((workspace for workspace in self.workspaces if workspace.slug == slug), None)
        found = offered or reachable_workspaces(self.tenant).filter(slug=slug).first()
        if found is None:
            raise Missing("workspace")
        found.organization = self.tenant.organization
        return found

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        asked, named = self.request.GET.get("q", "")[: questions.LONGEST], self.request.GET.get("action", "")
        likely = questions.actions_asked_for(asked)
        meant = Action(named) if named in list(Action) else next(iter(likely), None)
        shown = {"asked": asked, "meant": meant, "others": [action for action in likely if action != meant]}
        return super().get_context_data(**shown, **(self._answer(meant) if meant else {}), **more)

    def _answer(self, action: Action) -> dict[str, Any]:
        is_there = action.level is Level.WORKSPACE
        place = self.place if is_there else None
        return {
            "place": place,
            "offered": self.workspaces if is_there else [],
            "is_lacking": place is not None and action not in place.permitted,
            "roles": [(role, matrix.title(role), matrix.role_key(role)) for role in holders(action)],
            "endpoints": endpoints.needing([action]),
            "found": people.of_action(self.tenant, action, place),
        }
