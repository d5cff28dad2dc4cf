"""The pages of a workspace itself: the list, a new one, its settings, its end and its return."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import FormView, TemplateView

from apps.access.actions import Action
from apps.accounts.operations import prefer
from apps.core import search
from apps.core.clock import now
from apps.organizations.matrix import FEATURES
from apps.tenancy import export, keyset
from apps.tenancy.consequences import ReadAgainMixin
from apps.tenancy.context import reaches_every_workspace
from apps.tenancy.forms import VersionedForm
from apps.tenancy.undo import Undo
from apps.tenancy.views import ListMixin, OperationMixin, TenantMixin, WorkspaceMixin, finish, who_may
from apps.workspaces import contents, operations
from apps.workspaces.forms import (
    TYPES,
    ArchiveForm,
    LimitsForm,
    ProtectionForm,
    WorkspaceForm,
    WorkspaceSettingsForm,
)
from apps.workspaces.models import KEPT_AFTER_ARCHIVING, Workspace
from apps.workspaces.types import ACTIONS, WorkspaceType

_SHAPES: Final = ("table", "cards")
_SHAPE: Final = "workspaces_as"


class WorkspaceList(TenantMixin, ListMixin, TemplateView):
    """The workspaces that exist for this person; those who reach into all of them see all, and what is archived."""

    action, model = Action.ORGANISATIONS_READ, Workspace
    orders = {"created": keyset.NEWEST_FIRST, "name": keyset.Order("name_key")}
    searched = True

    @cached_property
    def sees_all(self) -> bool:
        return reaches_every_workspace(self.tenant)

    @cached_property
    def tab(self) -> str:
        tabs = ("all", "mine", "archived") if self.sees_all else ("mine",)
        asked = self.request.GET.get("show", "")
        return asked if asked in tabs else tabs[0]

    @cached_property
    def shape(self) -> str:
        """Cards or a table: as the address says, or as the person chose last."""
        asked, kept = self.request.GET.get("as", ""), self.request.user.preferences.get(_SHAPE, _SHAPES[0])
        return asked if asked in _SHAPES else kept if kept in _SHAPES else _SHAPES[0]

    @cached_property
    def filters(self) -> dict[str, str]:
        given = self.request.GET
        return {
            "type": given.get("type", "") if given.get("type") in WorkspaceType else "",
            "protected": "1" if given.get("protected") == "1" else "",
            "managers": "one" if self.sees_all and given.get("managers") == "one" else "",
        }

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.GET.get("as") in _SHAPES and request.user.preferences.get(_SHAPE) != self.shape:
            prefer(request.user, _SHAPE, self.shape, by=self.tenant.actor)
        if request.GET.get("format") == "csv":
            return export.recorded(self.tenant, "workspaces", self._header(), self._lines())
        return super().get(request, *args, **kwargs)

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        shown: Any = self._of_tab(rows, self.tab)
        if self.filters["type"]:
            shown = shown.filter(type=self.filters["type"])
        if self.filters["protected"]:
            shown = shown.filter(delete_protected=True)
        if self.filters["managers"]:
            shown = shown.managed_by_one(self.tenant.organization)
        return shown.select_related("organization").with_team_size().with_live_keys()  # type: ignore[no-any-return]

    def to_count(self) -> dict[str, QuerySet[Any]]:
        rows: Any = self.tenant.own(Workspace)
        return {tab: self._of_tab(rows, tab) for tab in ("mine", "all", "archived")} if self.sees_all else {}

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        shown = {"tab": self.tab, "sees_all": self.sees_all, "shape": self.shape, "filters": self.filters}
        is_narrowed = bool(self.asked or any(self.filters.values()))
        context = super().get_context_data(**shown, types=WorkspaceType.choices, is_narrowed=is_narrowed, **more)
        self.request.actor.look_at(context["page"].rows)
        if not context["page"].rows and not is_narrowed and self.tab != "archived":
            context["helpers"] = who_may(self.tenant, Action.WORKSPACE_USERS_CREATE)
        return context

    def get_template_names(self) -> list[str]:
        return [f"workspaces/{'_workspaces' if self.request.htmx else 'workspace_list'}.html"]

    def _of_tab(self, rows: Any, tab: str) -> Any:
        shown = rows.archived() if tab == "archived" else rows.active()
        return shown.joined_as(self.request.membership.pk) if tab == "mine" else shown

    def _header(self) -> list[str]:
        return [_("Name"), _("Id"), _("Type"), _("Members"), _("Active keys"), _("Protected"), _("Opened")]

    def _lines(self) -> Iterator[list[Any]]:
        rows = self.get_queryset()
        found = search.matching(rows, self.asked, self.tenant.organization) if self.asked else rows
        for row in self.order.applied(found).iterator(chunk_size=1000):
            protected = _("yes") if row.delete_protected else _("no")
            yield [
                row.name,
                row.slug,
                row.get_type_display(),
                row.team_size,
                row.live_keys,
                protected,
                row.created_at.isoformat(),
            ]


class TypeCard(NamedTuple):
    """One type of workspace for the person who picks one: what it is for and what it switches on."""

    value: str
    label: str
    told: Any
    things: list[str]

    @classmethod
    def of(cls, kind: WorkspaceType) -> "TypeCard":
        things = [str(feature.name) for feature in FEATURES if ACTIONS[kind].issuperset(feature.actions)]
        return cls(kind.value, str(kind.label), TYPES[kind], [*things, _("Team")])


class WorkspaceCreate(TenantMixin, OperationMixin, FormView):
    action = Action.WORKSPACES_CREATE
    form_class = WorkspaceForm
    template_name = "workspaces/workspace_new.html"

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(types=[TypeCard.of(kind) for kind in WorkspaceType], **more)

    def run(self, form: WorkspaceForm) -> HttpResponse:
        made = operations.create(self.tenant.organization, **form.cleaned_data, by=self.tenant.actor)
        slugs = (self.tenant.organization.slug, made.slug)
        return finish(self.request, _("%(workspace)s is open.") % {"workspace": made}, "onboarding:workspace", *slugs)


class SettingsMixin(WorkspaceMixin, OperationMixin):
    """One tab of a workspace's settings, saved by the one operation there is for them."""

    action = Action.WORKSPACES_UPDATE

    def current(self) -> Workspace:
        self.workspace.refresh_from_db()
        return self.workspace

    def save(self, page: str, version: int, **changes: Any) -> HttpResponse:
        changed = operations.update(self.workspace, version=version, **changes, by=self.tenant.actor)
        return finish(self.request, _("The settings are saved."), page, self.tenant.organization.slug, changed.slug)


class WorkspaceSettings(SettingsMixin, FormView):
    action = Action.WORKSPACES_UPDATE
    form_class = WorkspaceSettingsForm
    template_name = "workspaces/workspace_settings.html"

    def get_initial(self) -> dict[str, Any]:
        return {name: getattr(self.workspace, name) for name in WorkspaceSettingsForm.base_fields}

    def run(self, form: WorkspaceSettingsForm) -> HttpResponse:
        return self.save("workspaces:settings", **form.cleaned_data)


class WorkspaceLimits(SettingsMixin, FormView):
    """What the workspace may spend and how often it may call, in the shapes that the wire has for it."""

    action = Action.WORKSPACES_UPDATE
    form_class = LimitsForm
    template_name = "workspaces/workspace_limits.html"

    def get_initial(self) -> dict[str, Any]:
        return LimitsForm.initial_of(self.workspace)

    def values_of(self, row: Workspace) -> dict[str, Any]:
        return LimitsForm.initial_of(row)

    def run(self, form: LimitsForm) -> HttpResponse:
        return self.save("workspaces:limits", form.cleaned_data["version"], **form.limits(self.workspace))


class WorkspaceDanger(SettingsMixin, FormView):
    """Protection from deletion, and the way to the end."""

    action = Action.WORKSPACES_UPDATE
    form_class = ProtectionForm
    template_name = "workspaces/workspace_danger.html"

    def get_initial(self) -> dict[str, Any]:
        return {"delete_protected": self.workspace.delete_protected, "version": self.workspace.version}

    def run(self, form: ProtectionForm) -> HttpResponse:
        before, slugs = self.workspace.delete_protected, (self.tenant.organization.slug, self.workspace.slug)
        changed = operations.update(self.workspace, **form.cleaned_data, by=self.tenant.actor)
        said = (
            _("%(workspace)s is protected from deletion.")
            if changed.delete_protected
            else _("%(workspace)s is no longer protected from deletion.")
        )
        fields = {"version": changed.version, **({"delete_protected": "on"} if before else {})}
        undo = Undo("workspaces:danger", slugs, fields)
        return finish(self.request, said % {"workspace": changed}, "workspaces:danger", *slugs, undo=undo)


class WorkspaceArchive(WorkspaceMixin, ReadAgainMixin, FormView):
    """The end of a workspace, with what ends with it, confirmed by typing its name."""

    action = Action.WORKSPACES_DELETE
    form_class = ArchiveForm
    template_name = "workspaces/workspace_archive.html"

    def get_initial(self) -> dict[str, Any]:
        return {"version": self.workspace.version}

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "expected": self.workspace.name}

    def weigh(self) -> dict[str, Any]:
        return {"held": contents.held_by(self.workspace), "people": self.workspace.memberships.count()}

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(until=now() + KEPT_AFTER_ARCHIVING, **self.consequences, **more)

    def run(self, form: ArchiveForm) -> HttpResponse:
        archived = operations.archive(self.workspace, version=form.cleaned_data["version"], by=self.tenant.actor)
        slug = self.tenant.organization.slug
        undo = Undo("workspaces:restore", (slug, self.workspace.slug), {"version": archived.version})
        message = _("%(workspace)s is archived.") % {"workspace": self.workspace}
        return finish(self.request, message, "workspaces:list", slug, undo=undo)


class WorkspaceRestore(WorkspaceMixin, OperationMixin, FormView):
    """The return of an archived workspace: nothing is lost by it, so nothing is typed."""

    action = Action.WORKSPACES_DELETE
    form_class = VersionedForm
    template_name = "workspaces/workspace_restore.html"

    def get_initial(self) -> dict[str, Any]:
        return {"version": self.workspace.version}

    def run(self, form: VersionedForm) -> HttpResponse:
        restored = operations.restore(self.workspace, version=form.cleaned_data["version"], by=self.tenant.actor)
        slugs = (self.tenant.organization.slug, restored.slug)
        message = _("%(workspace)s is open again.") % {"workspace": restored}
        return finish(self.request, message, "onboarding:workspace", *slugs)
