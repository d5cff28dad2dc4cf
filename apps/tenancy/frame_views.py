"""What the frame opens: the switcher, the search over everything, the keyboard's help. Each is a page of its own."""

from typing import Any

from django.views.generic import TemplateView

from apps.access.actions import Action
from apps.memberships import answers
from apps.tenancy import palette, switching
from apps.tenancy.context import reaches_every_workspace
from apps.tenancy.navigation import action_at
from apps.tenancy.views import SignedInMixin, TenantMixin, WorkspaceMixin


class Switch(SignedInMixin, TemplateView):
    """Where I can go: my organizations, and the invitations that wait for me."""

    def get_template_names(self) -> list[str]:
        return ["frame/_switcher.html" if self.request.htmx else "frame/switch.html"]  # type: ignore[attr-defined]

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        asked, page = switching.question(self.request), self.request.GET.get("at", "")
        told: dict[str, Any] = {"asked": asked, "at": page}
        told["organizations"] = switching.organizations(self.request, page, asked)
        if not asked:
            told["waiting"] = answers.waiting_for(self.request.user)
        return super().get_context_data(**told, **more)


class SwitchHere(TenantMixin, Switch):
    """The same from inside an organization, with its workspaces; `?in=` is the one somebody comes from."""

    action = Action.ORGANISATIONS_READ

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        archived, reaches = self.request.GET.get("show") == "archived", reaches_every_workspace(self.tenant)
        context = super().get_context_data(archived=archived, reaches=reaches, **more)
        found = switching.workspaces(self.tenant, context["at"], context["asked"], archived=archived)
        return {**context, "workspaces": found, "inside": self.request.GET.get("in", "")}


class Search(SignedInMixin, TemplateView):
    """The command palette; without scripts, a page that finds the same."""

    def get_template_names(self) -> list[str]:
        return ["frame/_found.html" if self.request.htmx else "frame/search.html"]  # type: ignore[attr-defined]

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        asked = switching.question(self.request)
        kinds = palette.find(self.request.actor, getattr(self, "tenant", None), asked)  # type: ignore[attr-defined]
        return super().get_context_data(asked=asked, kinds=kinds, **more)


class SearchHere(TenantMixin, Search):
    action = Action.ORGANISATIONS_READ


class SearchThere(WorkspaceMixin, Search):
    action = Action.WORKSPACES_READ


class Keyboard(SignedInMixin, TemplateView):
    """The keys and what they do."""

    template_name = "frame/keyboard.html"

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(has_log=action_at("audit:list") is not None, **more)
