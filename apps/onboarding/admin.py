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
from apps.audit import operations as audit
from apps.audit.models import INSTALLATION
from apps.core.clock import now
from apps.memberships.models import OrganizationMembership
from apps.onboarding import operations
from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from apps.tenancy.admin import Made, ReadOnlyAdmin, ReadOnlyInline, TenantModelAdmin
from apps.tenancy.console.forms import ChangeForm, ChoiceField, OperationForm, PersonField, VerbForm
from apps.tenancy.console.links import counted, side_by_side, to_add, to_list
from apps.tenancy.console.verbs import verb

Status = Organization.Status
LIFETIMES = [("30", "30 days"), ("90", "90 days"), ("365", "a year"), ("", "never")]


class FoundForm(OperationForm):
    founder = PersonField(label="Founder's e-mail address", help_text="Of an account that exists.")
    with_master_key = forms.BooleanField(label="Create a master key now", required=False, initial=True)
    lifetime = ChoiceField(label="The key expires after", choices=LIFETIMES, required=False, initial="90")


class TypedName(VerbForm):
    typed_name = forms.CharField(label="Type the organization's name", widget=forms.TextInput({"autocomplete": "off"}))


class ErasureForm(VerbForm):
    addresses = forms.CharField(
        label="E-mail addresses they had",
        required=False,
        help_text="Separated by spaces. A closed account no longer knows its own.",
    )


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

    def known_as(self, row: Organization) -> str:
        return f"{row} ({row.slug})"

    @display(label={"active": "success", "suspended": "warning"})
    def state(self, row: Organization) -> str:
        return row.status

    def workspaces(self, row: Organization) -> str:
        shown = to_list(row, counted(row.workspaces, "workspace"), "workspaces.workspace", organization=row.pk)
        return side_by_side(shown, to_add(row, "Open a workspace", "workspaces.workspace", organization=row.pk))

    def members(self, row: Organization) -> str:
        label = "memberships.organizationmembership"
        return to_list(row, counted(row.memberships, "member"), label, organization=row.pk)

    def invitations(self, row: Organization) -> str:
        shown = to_list(row, counted(row.invitations, "invitation"), "memberships.invitation", organization=row.pk)
        return side_by_side(shown, to_add(row, "Invite somebody", "memberships.invitation", organization=row.pk))

    @display(description="API keys")
    def keys(self, row: Organization) -> str:
        shown = to_list(row, counted(row.api_keys, "key"), "apikeys.apikey", organization=row.pk)
        return side_by_side(shown, to_add(row, "Issue a key", "apikeys.apikey", organization=row.pk))

    def roles(self, row: Organization) -> str:
        return to_list(row, "What each role holds", "organizations.organizationrolegroup", organization=row.pk)


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
    actions_detail = ("deactivate", "reactivate", "erase_names")

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

    @verb(
        "Erase from the audit log",
        done="Erased from the audit log",
        when=lambda user: not user.is_active,
        form=ErasureForm,
        icon="ink_eraser",
        is_grave=True,
        says=lambda row: (
            f"The names and addresses beside the lines of the log that {row} left, or that are about them, are erased "
            "in every organization, and cannot be brought back. The lines stay, and still prove what happened."
        ),
    )
    def erase_names(self, row: User, by: Any, addresses: str) -> None:
        audit.erase(row, addresses=addresses.split(), by=by)

    @display(boolean=True)
    def address_is_verified(self, row: User) -> bool:
        return has_verified_address(row)

    def acts(self, row: User) -> str:
        return to_list(row, "What they did", "audit.auditevent", actor_id=row.pk)

    def sessions(self, row: User) -> str:
        return to_list(row, "Where they are signed in", "usersessions.usersession", user=row.pk)
