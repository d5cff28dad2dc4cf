"""The console's pages on people in places: members, teams, invitations."""

from typing import Any

from django import forms
from django.contrib import admin
from unfold.decorators import display

from apps.access.actions import Action
from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.memberships import invitations, operations
from apps.memberships.links import invitation_link
from apps.memberships.models import Invitation, InvitedWorkspace, OrganizationMembership, WorkspaceMembership
from apps.tenancy.admin import Made, ReadOnlyAdmin, ReadOnlyInline, TenantModelAdmin
from apps.tenancy.console.forms import UNKNOWN, ChangeForm, ChoiceField, OperationForm, person_in
from apps.tenancy.console.links import counted, to_list
from apps.tenancy.console.verbs import verb

_RECORD = {"fields": ("id", "created_at", "created_by_kind", "created_by", "updated_at"), "classes": ("collapse",)}


def is_active(membership: OrganizationMembership) -> bool:
    return membership.is_active


def is_suspended(membership: OrganizationMembership) -> bool:
    return not membership.is_active


@admin.register(OrganizationMembership)
class OrganizationMembershipAdmin(TenantModelAdmin):
    section, label, icon = "People", "Members", "group"
    may_view, may_change = Action.ORGANISATION_USERS_READ, Action.ORGANISATION_USERS_UPDATE
    list_display = ("user", "address", "organization", "role", "state", "last_active_at", "created")
    list_filter = ("role", "status")
    list_select_related = ("user", "organization")
    search_fields = ("user__email__startswith", "user__first_name__istartswith", "user__last_name__istartswith")
    narrowed_by = ("organization", "user")
    written, form = ("role",), ChangeForm
    fieldsets = (
        (None, {"fields": ("role", "user", "address", "organization", "state", "last_active_at")}),
        ("What comes with it", {"fields": ("teams", "keys")}),
        ("Record", _RECORD),
    )
    actions_detail = ("suspend", "reactivate", "remove")

    def update(self, row: OrganizationMembership, changes: dict[str, Any], by: Any) -> None:
        if "role" in changes:
            operations.change_role(row, OrganizationRole(changes["role"]), version=changes["version"], by=by)

    @verb(
        "Suspend",
        done="Suspended",
        asks=Action.ORGANISATION_USERS_UPDATE,
        when=is_active,
        icon="pause",
        says=lambda row: f"{row} loses every role in {row.organization}, and their keys there stop, until reactivated.",
    )
    def suspend(self, row: OrganizationMembership, by: Any) -> None:
        operations.suspend(row, by=by)

    @verb(
        "Reactivate",
        done="Reactivated",
        asks=Action.ORGANISATION_USERS_UPDATE,
        when=is_suspended,
        icon="play_arrow",
        says=lambda row: f"{row} gets back every role they had in {row.organization}, and their keys there work again.",
    )
    def reactivate(self, row: OrganizationMembership, by: Any) -> None:
        operations.reactivate(row, by=by)

    @verb(
        "Remove",
        done="Removed",
        asks=Action.ORGANISATION_USERS_DELETE,
        icon="person_remove",
        is_grave=True,
        says=lambda row: (
            f"{row} leaves {row.organization} at once, with {counted(row.workspaces, 'place')} on teams there and "
            f"{counted(_keys_of(row).not_revoked(), 'personal key')}, which are revoked. What they made stays."
        ),
    )
    def remove(self, row: OrganizationMembership, by: Any) -> None:
        operations.remove(row, by=by)

    @display(description="e-mail address")
    def address(self, row: OrganizationMembership) -> str:
        return row.user.email

    @display(label={"active": "success", "suspended": "warning"})
    def state(self, row: OrganizationMembership) -> str:
        return row.status

    def teams(self, row: OrganizationMembership) -> str:
        return to_list(row, counted(row.workspaces, "team"), "memberships.workspacemembership", membership=row.pk)

    @display(description="personal keys")
    def keys(self, row: OrganizationMembership) -> str:
        theirs = {"organization": row.organization_id, "user": row.user_id}
        return to_list(row, counted(_keys_of(row), "key"), "apikeys.apikey", **theirs)


class PlaceForm(OperationForm):
    member = forms.EmailField(label="Member's e-mail address")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        address, workspace = cleaned.get("member"), cleaned.get("workspace")
        if address and workspace:
            user = person_in(workspace.organization_id, address)
            rows = OrganizationMembership.objects.filter(organization=workspace.organization_id, user=user)
            cleaned["membership"] = rows.select_related("user", "organization").first()
            if cleaned["membership"] is None:
                self.add_error("member", UNKNOWN)
        return cleaned


@admin.register(WorkspaceMembership)
class WorkspaceMembershipAdmin(TenantModelAdmin):
    section, label, icon = "People", "Teams", "diversity_3"
    may_view, may_add, may_change = (
        Action.WORKSPACE_USERS_READ,
        Action.WORKSPACE_USERS_CREATE,
        Action.WORKSPACE_USERS_UPDATE,
    )
    path = "workspace"
    list_display = ("membership", "workspace", "organization", "role", "created")
    list_filter = ("role",)
    list_select_related = ("membership__user", "workspace", "organization")
    search_fields = ("membership__user__email__startswith", "workspace__slug__startswith")
    narrowed_by = ("workspace", "membership", "organization")
    add_fields, add_form = ("workspace", "member", "role"), PlaceForm
    written, form = ("role",), ChangeForm
    fieldsets = ((None, {"fields": ("role", "membership", "workspace", "organization")}), ("Record", _RECORD))
    actions_detail = ("remove",)

    def create(self, given: dict[str, Any], by: Any) -> Made:
        role = WorkspaceRole(given["role"])
        return Made(operations.add_to_workspace(given["workspace"], given["membership"], role, by=by))

    def update(self, row: WorkspaceMembership, changes: dict[str, Any], by: Any) -> None:
        if "role" in changes:
            operations.change_workspace_role(row, WorkspaceRole(changes["role"]), version=changes["version"], by=by)

    @verb(
        "Remove",
        done="Removed",
        asks=Action.WORKSPACE_USERS_DELETE,
        icon="person_remove",
        is_grave=True,
        says=lambda row: (
            f"{row.membership} leaves the team of {row.workspace} at once; their personal keys there are revoked. "
            f"They stay in {row.organization}."
        ),
    )
    def remove(self, row: WorkspaceMembership, by: Any) -> None:
        operations.remove_from_workspace(row, by=by)


class InviteForm(OperationForm):
    workspace = forms.CharField(
        required=False, max_length=255, help_text="Its id or slug, if one should be waiting for them."
    )
    workspace_role = ChoiceField(choices=WorkspaceRole.choices, initial=WorkspaceRole.MEMBER)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        organization, reference = cleaned.get("organization"), cleaned.get("workspace")
        if organization and reference:
            cleaned["found"] = organization.workspaces.active().named(reference).first()
            if cleaned["found"] is None:
                self.add_error("workspace", f"There is no such workspace in {organization}.")
        return cleaned


class Seats(ReadOnlyInline):
    model = InvitedWorkspace
    verbose_name_plural = "Workspaces that wait for them"
    fields = ("workspace", "role")


def is_pending(invitation: Invitation) -> bool:
    return invitation.status == Invitation.Status.PENDING


def is_open(invitation: Invitation) -> bool:
    return invitation.is_open


@admin.register(Invitation)
class InvitationAdmin(TenantModelAdmin):
    """Without its tokens: of those only digests are kept, and even they are shown to nobody."""

    section, icon = "People", "mail"
    may_view = may_add = Action.ORGANISATION_USERS_CREATE
    list_display = ("email", "organization", "role", "state", "expires_at", "created")
    list_filter = ("status", "role")
    list_select_related = ("organization",)
    search_fields = ("email__startswith", "organization__slug__startswith")
    narrowed_by = ("organization",)
    add_fields, add_form = ("organization", "email", "role", "workspace", "workspace_role"), InviteForm
    fieldsets = (
        (None, {"fields": ("email", "organization", "role", "state", "key_scopes")}),
        ("When", {"fields": ("sent_at", "expires_at", "accepted_at", "accepted_by")}),
        ("Record", _RECORD),
    )
    inlines = (Seats,)
    actions_detail = ("resend", "copy_link", "cancel")

    def create(self, given: dict[str, Any], by: Any) -> Made:
        found, seats = given.get("found"), []
        if found is not None:
            seats = [invitations.Seat(found, WorkspaceRole(given["workspace_role"]), given["workspace"])]
        offer = invitations.Offer(OrganizationRole(given["role"]), seats)
        invited = invitations.invite(given["organization"], given["email"], offer, by=by)
        return Made(invited.invitation, invitation_link(invited.token))

    @verb(
        "Send again",
        done="Sent again",
        asks=Action.ORGANISATION_USERS_CREATE,
        when=is_pending,
        icon="forward_to_inbox",
        says=lambda row: f"Another letter goes to {row.email}, valid for seven days; the older letter is void.",
    )
    def resend(self, row: Invitation, by: Any) -> None:
        invitations.resend(row, by=by)

    @verb(
        "New link",
        done="Made a new link",
        asks=Action.ORGANISATION_USERS_CREATE,
        when=is_open,
        icon="link",
        says=lambda row: f"Makes a link that lets {row.email} in, to hand over in person. The older one is void.",
    )
    def copy_link(self, row: Invitation, by: Any) -> str:
        return invitation_link(invitations.copy_link(row, by=by).token)

    @verb(
        "Cancel",
        done="Cancelled",
        asks=Action.ORGANISATION_USERS_DELETE,
        when=is_pending,
        icon="cancel",
        is_grave=True,
        says=lambda row: f"The letter and the link that {row.email} may have are void at once.",
    )
    def cancel(self, row: Invitation, by: Any) -> None:
        invitations.cancel(row, by=by)

    @display(label={"pending": "info", "accepted": "success", "expired": "warning", "cancelled": "danger"})
    def state(self, row: Invitation) -> str:
        return str(row.shown_status)


@admin.register(InvitedWorkspace)
class InvitedWorkspaceAdmin(ReadOnlyAdmin):
    label, icon = "Seats of the invited", "event_seat"
    list_display = ("invitation", "workspace", "role", "created_at")
    list_select_related = ("invitation", "workspace")
    search_fields = ("invitation__email__startswith", "workspace__slug__startswith")
    fields = ("invitation", "workspace", "role", "organization", "reference", "created_at")


def _keys_of(membership: OrganizationMembership) -> Any:
    return membership.user.api_keys.filter(organization=membership.organization_id)
