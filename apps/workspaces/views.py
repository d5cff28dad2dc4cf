"""The pages of a workspace itself: the list, a new one, its settings, its end and its return."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.functional import cached_property
from django.views.generic import FormView, TemplateView

from apps.access.actions import Action
from apps.core.clock import now
from apps.tenancy.context import reaches_every_workspace
from apps.tenancy.forms import TypedForm
from apps.tenancy.views import ListMixin, OperationMixin, TenantMixin, WorkspaceMixin, finish
from apps.workspaces import contents, operations
from apps.workspaces.forms import TYPES, WorkspaceForm, WorkspaceSettingsForm
from apps.workspaces.models import KEPT_AFTER_ARCHIVING, Workspace
from apps.workspaces.types import WorkspaceType


class WorkspaceList(TenantMixin, ListMixin, TemplateView):
    """The workspaces that exist for this person; those who reach into all of them see all, and what is archived."""

    action, model = Action.ORGANISATIONS_READ, Workspace
    template_name = "workspaces/workspace_list.html"

    @cached_property
    def tab(self) -> str:
        tabs = ("all", "mine", "archived") if reaches_every_workspace(self.tenant) else ("mine",)
        asked = self.request.GET.get("show", "")
        return asked if asked in tabs else tabs[0]

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        shown: Any = rows.archived() if self.tab == "archived" else rows.active()  # type: ignore[attr-defined]
        if self.tab == "mine":
            shown = shown.joined_by(self.tenant.actor.person_id)
        return shown.select_related("organization").with_team_size()  # type: ignore[no-any-return]

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        context = super().get_context_data(tab=self.tab, sees_all=reaches_every_workspace(self.tenant), **more)
        self.request.actor.look_at(context["page"].rows)  # type: ignore[attr-defined]
        return context


class WorkspaceCreate(TenantMixin, OperationMixin, FormView):
    action = Action.WORKSPACES_CREATE
    form_class = WorkspaceForm
    template_name = "workspaces/workspace_new.html"
    extra_context = {"types": [(kind, TYPES[kind]) for kind in WorkspaceType]}

    def run(self, form: WorkspaceForm) -> HttpResponse:
        made = operations.create(self.tenant.organization, **form.cleaned_data, by=self.tenant.actor)
        slugs = (self.tenant.organization.slug, made.slug)
        return finish(self.request, f"{made} is open.", "onboarding:workspace", *slugs)


class WorkspaceSettings(WorkspaceMixin, OperationMixin, FormView):
    action = Action.WORKSPACES_UPDATE
    form_class = WorkspaceSettingsForm
    template_name = "workspaces/workspace_settings.html"

    def get_initial(self) -> dict[str, Any]:
        return {name: getattr(self.workspace, name) for name in WorkspaceSettingsForm.base_fields}

    def run(self, form: WorkspaceSettingsForm) -> HttpResponse:
        changed = operations.update(self.workspace, **form.cleaned_data, by=self.tenant.actor)
        slugs = (self.tenant.organization.slug, changed.slug)
        return finish(self.request, "The settings are saved.", "workspaces:settings", *slugs)


class WorkspaceArchive(WorkspaceMixin, OperationMixin, FormView):
    """The end of a workspace, with what ends with it, confirmed by typing its name."""

    action = Action.WORKSPACES_DELETE
    form_class = TypedForm
    template_name = "workspaces/workspace_archive.html"

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "expected": self.workspace.name}

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        held = contents.held_by(self.workspace)
        people = self.workspace.memberships.count()
        return super().get_context_data(held=held, people=people, until=now() + KEPT_AFTER_ARCHIVING, **more)

    def run(self, form: TypedForm) -> HttpResponse:
        operations.archive(self.workspace, by=self.tenant.actor)
        message = f"{self.workspace} is archived."
        return finish(self.request, message, "workspaces:list", self.tenant.organization.slug)


class WorkspaceRestore(WorkspaceMixin, OperationMixin, FormView):
    action = Action.WORKSPACES_DELETE
    form_class = TypedForm
    template_name = "workspaces/workspace_restore.html"

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "expected": self.workspace.name}

    def run(self, form: TypedForm) -> HttpResponse:
        restored = operations.restore(self.workspace, by=self.tenant.actor)
        slugs = (self.tenant.organization.slug, restored.slug)
        return finish(self.request, f"{restored} is open again.", "onboarding:workspace", *slugs)
