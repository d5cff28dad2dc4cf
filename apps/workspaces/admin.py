"""The console's pages on workspaces, and on who holds what in them."""

from typing import Any

from django.contrib import admin
from unfold.decorators import display

from apps.access.actions import Action
from apps.tenancy.admin import Made, PermissionRowAdmin, RoleGroupAdmin, TenantModelAdmin
from apps.tenancy.console.forms import ChangeForm, ChoiceField, OperationForm
from apps.tenancy.console.links import counted, side_by_side, to_add, to_list
from apps.tenancy.console.verbs import verb
from apps.workspaces import operations
from apps.workspaces.models import (
    KEPT_AFTER_ARCHIVING,
    Workspace,
    WorkspaceGroupPermission,
    WorkspaceRoleGroup,
    WorkspaceUserPermission,
)
from apps.workspaces.types import WorkspaceType


class OpenForm(OperationForm):
    kind = ChoiceField(label="Type", choices=WorkspaceType.choices)


class SettingsForm(ChangeForm):
    color = ChoiceField(choices=[(color, color or "none") for color in operations.COLORS], required=False)


def is_open(workspace: Workspace) -> bool:
    return not workspace.is_archived


def is_archived(workspace: Workspace) -> bool:
    return workspace.is_archived


@admin.register(Workspace)
class WorkspaceAdmin(TenantModelAdmin):
    section, icon = "Places", "workspaces"
    may_view, may_add, may_change = Action.WORKSPACES_READ, Action.WORKSPACES_CREATE, Action.WORKSPACES_UPDATE
    path = "pk"
    list_display = ("name", "slug", "organization", "type", "state", "is_default", "created")
    list_filter = ("type", "is_default", "delete_protected")
    list_select_related = ("organization",)
    search_fields = ("slug__startswith", "name__istartswith", "organization__slug__startswith")
    narrowed_by = ("organization",)
    add_fields, add_form = ("organization", "name", "kind", "description"), OpenForm
    written, form = ("name", "description", "color", "icon", "delete_protected"), SettingsForm
    fieldsets = (
        (None, {"fields": ("name", "description", "color", "icon", "delete_protected")}),
        ("What is in it", {"fields": ("team", "keys", "roles")}),
        ("About", {"fields": ("organization", "slug", "id", "type", "state", "is_default", "archived_at")}),
        ("Limits", {"fields": ("defaults", "usage_limits", "rate_limits"), "classes": ("collapse",)}),
        ("Record", {"fields": ("created_at", "created_by_kind", "created_by", "updated_at"), "classes": ("collapse",)}),
    )
    actions_detail = ("archive", "restore", "delete")

    def create(self, given: dict[str, Any], by: Any) -> Made:
        return Made(operations.create(given.pop("organization"), **given, by=by))

    def update(self, row: Workspace, changes: dict[str, Any], by: Any) -> None:
        operations.update(row, **changes, by=by)

    @verb(
        "Archive",
        done="Archived",
        asks=Action.WORKSPACES_DELETE,
        when=is_open,
        icon="archive",
        says=lambda row: (
            f"{counted(row.memberships, 'member')} will no longer see it, and {counted(row.api_keys.live(), 'key')} "
            f"will stop working at once. It can be restored for {KEPT_AFTER_ARCHIVING.days} days; then it is deleted."
        ),
    )
    def archive(self, row: Workspace, by: Any) -> None:
        operations.archive(row, by=by)

    @verb(
        "Restore",
        done="Restored",
        asks=Action.WORKSPACES_DELETE,
        when=is_archived,
        icon="unarchive",
        says=lambda row: f"{row} opens again as it was: its team sees it, and its keys work.",
    )
    def restore(self, row: Workspace, by: Any) -> None:
        operations.restore(row, by=by)

    @verb(
        "Delete",
        done="Deleted",
        asks=Action.WORKSPACES_DELETE,
        when=is_archived,
        icon="delete",
        is_grave=True,
        says=lambda row: (
            f"This ends the workspace with everything in it, for good: {counted(row.memberships, 'membership')} "
            f"and {counted(row.api_keys, 'key')}. The audit log stays."
        ),
    )
    def delete(self, row: Workspace, by: Any) -> None:
        operations.delete(row, by=by)

    def known_as(self, row: Workspace) -> str:
        return f"{row} ({row.slug}, {row.organization})"

    @display(label={"open": "success", "archived": "warning"})
    def state(self, row: Workspace) -> str:
        return "archived" if row.is_archived else "open"

    def team(self, row: Workspace) -> str:
        label = "memberships.workspacemembership"
        shown = to_list(row, counted(row.memberships, "member"), label, workspace=row.pk)
        return side_by_side(shown, to_add(row, "Add somebody", label, workspace=row.pk))

    @display(description="API keys")
    def keys(self, row: Workspace) -> str:
        shown = to_list(row, counted(row.api_keys, "key"), "apikeys.apikey", workspace=row.pk)
        return side_by_side(shown, to_add(row, "Issue a key", "apikeys.apikey", workspace=row.pk))

    def roles(self, row: Workspace) -> str:
        return to_list(row, "What each role holds", "workspaces.workspacerolegroup", workspace=row.pk)


@admin.register(WorkspaceRoleGroup)
class WorkspaceRoleGroupAdmin(RoleGroupAdmin):
    label, rows = "Roles in workspaces", "workspaces.workspacegrouppermission"
    list_display = ("workspace", "role")
    list_select_related = ("workspace",)
    search_fields = ("workspace__slug__startswith", "workspace__name__istartswith")
    narrowed_by = ("workspace",)
    fields = ("workspace", "role", "people", "holds", "evidence")


@admin.register(WorkspaceGroupPermission)
class WorkspaceGroupPermissionAdmin(PermissionRowAdmin):
    label = "Permissions on workspaces"
    list_select_related = ("content_object", "permission", "group__workspacerolegroup")

    @display(ordering="group")
    def role(self, row: Any) -> str:
        return str(row.group.workspacerolegroup.get_role_display())


@admin.register(WorkspaceUserPermission)
class WorkspaceUserPermissionAdmin(PermissionRowAdmin):
    """Always empty: permissions reach people through a role."""

    label = "Personal, on workspaces"
    list_display = ("content_object", "user", "action")
    list_select_related = ("content_object", "permission", "user")
    narrowed_by = ("content_object", "user")
    fields = ("content_object", "user", "action")
