"""The console's pages on who holds what in organizations: guardian's own rows, to look at.

The organization itself is a page of onboarding, which founds and ends one.
"""

from typing import Any

from django.contrib import admin
from unfold.decorators import display

from apps.organizations.models import OrganizationGroupPermission, OrganizationRoleGroup, OrganizationUserPermission
from apps.tenancy.admin import PermissionRowAdmin, RoleGroupAdmin


@admin.register(OrganizationRoleGroup)
class OrganizationRoleGroupAdmin(RoleGroupAdmin):
    label, rows = "Roles in organizations", "organizations.organizationgrouppermission"
    list_display = ("organization", "role")
    list_select_related = ("organization",)
    search_fields = ("organization__slug__startswith", "organization__name__istartswith")
    narrowed_by = ("organization",)
    fields = ("organization", "role", "people", "holds", "evidence")


@admin.register(OrganizationGroupPermission)
class OrganizationGroupPermissionAdmin(PermissionRowAdmin):
    label = "Permissions on organizations"
    list_select_related = ("content_object", "permission", "group__organizationrolegroup")

    @display(ordering="group")
    def role(self, row: Any) -> str:
        return str(row.group.organizationrolegroup.get_role_display())


@admin.register(OrganizationUserPermission)
class OrganizationUserPermissionAdmin(PermissionRowAdmin):
    """Always empty: permissions reach people through a role."""

    label = "Personal, on organizations"
    list_display = ("content_object", "user", "action")
    list_select_related = ("content_object", "permission", "user")
    narrowed_by = ("content_object", "user")
    fields = ("content_object", "user", "action")
