"""The console's pages on organizations and people: what is founded and ended through several apps at once."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from apps.access.actions import Action
from apps.accounts.models import User
from apps.accounts.operations import has_verified_address
from apps.audit.models import INSTALLATION
from apps.core.clock import now
from apps.memberships.models import OrganizationMembership
from apps.onboarding import operations
from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from apps.tenancy.admin import Made, ReadOnlyAdmin, ReadOnlyInline, TenantModelAdmin
from apps.tenancy.console.forms import ChangeForm, OperationForm, PersonField, VerbForm
from apps.tenancy.console.links import counted, link, links
from apps.tenancy.console.verbs import verb

Status = Organization.Status
LIFETIMES = [("30", "30 days"), ("90", "90 days"), ("365", "a year"), ("", "never")]


class FoundForm(OperationForm):
    founder = PersonField(label="Founder's e-mail address", help_text="Of an account there is.")
    with_master_key = forms.BooleanField(label="Create a master key now", required=False, initial=True)
    lifetime = forms.ChoiceField(label="The key expires after", choices=LIFETIMES, required=False, initial="90")


class TypedName(VerbForm):
    typed_name = forms.CharField(label="Type the organization's name", widget=forms.TextInput({"autocomplete": "off"}))


def is_active(organization: Organization) -> bool:
    return not organization.is_suspended


def is_suspended(organization: Organization) -> bool:
    return organization.is_suspended


@admin.register(Organization)
class OrganizationAdmin(TenantModelAdmin):
    section, icon = "Places", "apartment"
    may_view, may_change = Action.ORGANISATIONS_READ, Action.ORGANISATIONS_UPDATE
    path = "pk"
    list_display = ("name", "slug", "state", "created")
    list_filter = ("status",)
    search_fields = ("slug__startswith", "name__istartswith")
    add_fields, add_form = ("name", "founder", "with_master_key", "lifetime"), FoundForm
    written, form = ("name", "description"), ChangeForm
    fieldsets = (
        (None, {"fields": ("name", "description")}),
        ("What is in it", {"fields": ("workspaces", "members", "invitations", "keys", "roles")}),
        ("About", {"fields": ("slug", "id", "state", "created_at", "created_by_kind", "created_by", "updated_at")}),
    )
    actions_detail = ("suspend", "resume", "delete")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may_act(request, None, None)

    def create(self, given: dict[str, Any], by: Any) -> Made:
        expires_at = now() + timedelta(days=int(given["lifetime"])) if given["lifetime"] else None
        founded = operations.found_organization(
            given["founder"],
            name=given["name"],
            with_master_key=given["with_master_key"],
            key_expires_at=expires_at,
            by=by,
        )
        return Made(founded.organization, founded.master_key and founded.master_key.secret.clear)

    def update(self, row: Organization, changes: dict[str, Any], by: Any) -> None:
        organizations.update(row, **changes, by=by)

    @verb(
        "Suspend",
        done="Suspended",
        when=is_active,
        icon="pause",
        says=lambda row: (
            f"Nobody can do anything in {row}, and its {counted(row.api_keys.live(), 'key')} stop, until resumed."
        ),
    )
    def suspend(self, row: Organization, by: Any) -> None:
        organizations.set_status(row, Status.SUSPENDED, by=by)

    @verb(
        "Resume",
        done="Resumed",
        when=is_suspended,
        icon="play_arrow",
        says=lambda row: f"{row} opens again as it was: people have their roles, and its keys work.",
    )
    def resume(self, row: Organization, by: Any) -> None:
        organizations.set_status(row, Status.ACTIVE, by=by)

    @verb(
        "Delete",
        done="Deleted",
        asks=Action.ORGANISATIONS_DELETE,
        icon="delete",
        is_grave=True,
        form=TypedName,
        says=lambda row: (
            f"This ends {row} with everything in it, for good: {counted(row.workspaces, 'workspace')}, "
            f"{counted(row.memberships, 'membership')} and {counted(row.api_keys, 'key')}. The audit log stays."
        ),
    )
    def delete(self, row: Organization, by: Any, typed_name: str) -> None:
        operations.delete_organization(row, typed_name=typed_name, by=by)

    @display(label={"active": "success", "suspended": "warning"})
    def state(self, row: Organization) -> str:
        return row.status

    def workspaces(self, row: Organization) -> str:
        shown = link(counted(row.workspaces, "workspace"), "workspaces_workspace", organization=row.pk)
        return links(shown, link("Open a workspace", "workspaces_workspace", "add", organization=row.pk))

    def members(self, row: Organization) -> str:
        return link(counted(row.memberships, "member"), "memberships_organizationmembership", organization=row.pk)

    def invitations(self, row: Organization) -> str:
        shown = link(counted(row.invitations, "invitation"), "memberships_invitation", organization=row.pk)
        return links(shown, link("Invite somebody", "memberships_invitation", "add", organization=row.pk))

    @display(description="API keys")
    def keys(self, row: Organization) -> str:
        shown = link(counted(row.api_keys, "key"), "apikeys_apikey", organization=row.pk)
        return links(shown, link("Issue a key", "apikeys_apikey", "add", organization=row.pk))

    def roles(self, row: Organization) -> str:
        return link("What each role holds", "organizations_organizationrolegroup", organization=row.pk)


class Memberships(ReadOnlyInline):
    model = OrganizationMembership
    verbose_name_plural = "Organizations they are in"
    fields = ("organization", "role", "status", "last_active_at")


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    """People: no password, no promotion. Superusers are made by a command alone."""

    section, label, icon = "People", "People", "person"
    list_display = ("email", "first_name", "last_name", "is_active", "is_staff", "is_superuser", "created")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email__startswith", "first_name__istartswith", "last_name__istartswith")
    fieldsets = (
        (None, {"fields": ("email", "first_name", "last_name", "address_is_verified")}),
        ("Standing", {"fields": ("is_active", "is_staff", "is_superuser")}),
        ("About", {"fields": ("acts", "sessions", "id", "language", "timezone", "created_at", "last_login")}),
    )
    inlines = (Memberships,)
    actions_detail = ("deactivate", "reactivate")

    def history_of(self, row: User) -> dict[str, Any]:
        return {"chain": INSTALLATION, "target_type": row._meta.label_lower, "target_id": row.pk}

    @verb(
        "Deactivate",
        done="Deactivated",
        when=lambda user: user.is_active,
        icon="person_off",
        is_grave=True,
        says=lambda row: (
            f"{row} can no longer sign in anywhere, and their personal keys stop. Their roles stay for later."
        ),
    )
    def deactivate(self, row: User, by: Any) -> None:
        operations.deactivate_account(row, by=by)

    @verb(
        "Reactivate",
        done="Reactivated",
        when=lambda user: not user.is_active,
        icon="person_check",
        says=lambda row: f"{row} can sign in again, with the roles they had, and their personal keys work.",
    )
    def reactivate(self, row: User, by: Any) -> None:
        operations.reactivate_account(row, by=by)

    @display(boolean=True)
    def address_is_verified(self, row: User) -> bool:
        return has_verified_address(row)

    def acts(self, row: User) -> str:
        return link("What they did", "audit_auditevent", actor_id=row.pk)

    def sessions(self, row: User) -> str:
        return link("Where they are signed in", "usersessions_usersession", user=row.pk)
