"""The console's pages on the log: every line, and nothing that could change one."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from apps.access.actions import Action
from apps.audit.events import Event
from apps.audit.models import INSTALLATION, AuditCheckpoint, AuditEvent, AuditFold, AuditHead, AuditNames
from apps.tenancy.admin import ReadOnlyAdmin, TenantModelAdmin
from apps.tenancy.console.links import moment, organization_name


class EventFilter(admin.SimpleListFilter):
    """By event, from the list in the code: the table is too long to ask which there are."""

    title = parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(event.value, event.value) for event in Event]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(event=self.value()) if self.value() else queryset


@admin.register(AuditEvent)
class AuditEventAdmin(TenantModelAdmin):
    section, label, icon = "History", "Audit log", "history"
    may_view = Action.AUDIT_LOGS_LIST
    path = "chain"
    list_display = ("when", "event", "result", "who", "target", "where", "door")
    list_filter = (EventFilter, "status")
    list_select_related = ("side",)
    search_fields = ("target_id__exact", "request_id__exact", "event__startswith")
    search_help_text = "The id of what it happened to, of the request, or the start of an event"
    narrowed_by = ("chain", "target_type", "target_id", "actor_id")
    fieldsets = (
        (None, {"fields": ("when", "event", "status", "who", "target", "where", "count", "details")}),
        ("By", {"fields": ("actor_kind", "actor_id", "actor_role", "door", "method", "uri", "code", "request_id")}),
        ("To", {"fields": ("target_type", "target_id", "workspace_id")}),
        ("In the chain", {"fields": ("chain", "sequence", "form")}),
        ("Names beside the line", {"fields": ("names",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(organization_name=organization_name("chain"))

    def place_id(self, row: AuditEvent, action: Action) -> UUID:
        return row.chain

    def history_of(self, row: AuditEvent) -> None:
        return None

    @display(description="at (UTC)")
    def when(self, line: AuditEvent) -> str:
        return moment(line.at)

    @display(label={"done": "success", "refused": "danger"})
    def result(self, line: AuditEvent) -> str:
        return line.status

    @display(description="by")
    def who(self, line: AuditEvent) -> str:
        return line.names.get("actor") or line.actor_kind

    @display(description="what")
    def target(self, line: AuditEvent) -> str:
        return line.names.get("target") or line.target_type

    @display(description="organization")
    def where(self, line: AuditEvent) -> str:
        return (
            "The installation" if line.chain == INSTALLATION else getattr(line, "organization_name", None) or "Deleted"
        )

    @display(description="names beside the line")
    def names(self, line: AuditEvent) -> str:
        return "\n".join(f"{key}: {value}" for key, value in line.names.items())


@admin.register(AuditHead)
class AuditHeadAdmin(ReadOnlyAdmin):
    label, icon = "Ends of the log", "link"
    list_display = ("chain", "sequence", "verified_at", "fault")
    ordering = ("pk",)
    fields = ("chain", "sequence", "is_streamed", "verified_at", "verified_sequence", "verified_lines", "fault")


@admin.register(AuditNames)
class AuditNamesAdmin(ReadOnlyAdmin):
    label, icon = "Names beside the log", "badge"
    list_display = ("line", "names")
    list_select_related = ("line",)
    fields = ("line", "names")


@admin.register(AuditCheckpoint)
class AuditCheckpointAdmin(ReadOnlyAdmin):
    label, icon = "Checkpoints of the log", "verified"
    list_display = ("chain", "sequence", "reason", "at")
    ordering = ("-pk",)
    fields = ("chain", "sequence", "reason", "at", "key_version")


@admin.register(AuditFold)
class AuditFoldAdmin(ReadOnlyAdmin):
    label, icon = "Refusals that are counted", "layers"
    list_display = ("line", "count", "last_at", "until")
    ordering = ("-pk",)
    fields = ("line", "count", "last_at", "until")
