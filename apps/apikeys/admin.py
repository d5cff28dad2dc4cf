"""The console's pages on API keys. Of a secret they show the mask, and once, to whoever issues it, the secret."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import FilteredSelectMultiple
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from apps.access.actions import Action
from apps.access.actors import UserActor
from apps.access.scopes import ALLOWED, KeyType
from apps.accounts.models import User
from apps.apikeys import operations, rotation
from apps.apikeys.models import ApiKey, Caller, LastUse, Notice, ScopeUse, action_on
from apps.organizations.models import Organization
from apps.tenancy.admin import Made, ReadOnlyAdmin, StaffActor, TenantModelAdmin
from apps.tenancy.console.forms import UNKNOWN, ChangeForm, OperationForm, person_in
from apps.tenancy.console.verbs import verb
from apps.workspaces.models import Workspace


class ScopesField(forms.MultipleChoiceField):
    """The scopes a key may be given, to choose from side by side."""

    def __init__(self, scopes: Any) -> None:
        super().__init__(choices=[(s, s) for s in sorted(scopes)], widget=FilteredSelectMultiple("scopes", False))


class IssueForm(OperationForm):
    person = forms.EmailField(
        label="Person's e-mail address", required=False, help_text="For a personal key, of somebody in the workspace."
    )
    scopes = ScopesField(frozenset().union(*ALLOWED.values()))

    class Meta:
        help_texts = {
            "organization": "For a key of the organization.",
            "workspace": "For a key of the workspace, or of a person in it.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organization"].required = False

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        organization, workspace = cleaned.get("organization"), cleaned.get("workspace")
        if not (organization or workspace):
            self.add_error("organization", "Say whose key it is: an organization's or a workspace's.")
        if organization and workspace and workspace.organization_id != organization.pk:
            self.add_error("workspace", f"This workspace is not in {organization}.")
        if address := cleaned.get("person"):
            cleaned["person"] = self._person(address, organization, workspace)
        return cleaned

    def _person(self, address: str, organization: Organization | None, workspace: Workspace | None) -> User | None:
        """Looked for in the workspace alone: elsewhere, who has this address makes no difference."""
        if workspace is None:
            if organization is not None:
                self.add_error("person", "A key of the organization belongs to no person.")
            return None
        person = person_in(workspace.organization_id, address)
        if person is None or not UserActor(person).belongs_to(workspace):
            self.add_error("person", UNKNOWN)
            return None
        return person


class KeyForm(ChangeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "scopes" in self.fields:
            # A key may keep what it has, though nobody would be given it now.
            self.fields["scopes"] = ScopesField(ALLOWED[KeyType(self.instance.type)] | set(self.instance.scopes))


def is_live(key: ApiKey) -> bool:
    return not key.is_revoked


def may_rotate(key: ApiKey) -> bool:
    return key.is_live and (key.awaits_collection or not key.is_in_transition)


@admin.register(ApiKey)
class ApiKeyAdmin(TenantModelAdmin):
    section, label, icon = "Keys", "API keys", "key"
    list_display = ("name", "mask", "type", "organization", "workspace", "user", "state", "expires_at", "created")
    list_filter = ("type", "status")
    list_select_related = ("organization", "workspace", "user")
    search_fields = ("name__istartswith", "organization__slug__startswith", "workspace__slug__startswith")
    narrowed_by = ("organization", "workspace", "user")
    add_fields = ("organization", "workspace", "person", "name", "description", "scopes", "expires_at")
    add_form, form = IssueForm, KeyForm
    written = ("name", "description", "scopes", "expires_at")
    fieldsets = (
        (None, {"fields": ("name", "description", "expires_at", "scopes")}),
        ("About", {"fields": ("mask", "state", "type", "organization", "workspace", "user", "creation", "id")}),
        (
            "Secrets",
            {
                "fields": (
                    "previous_mask",
                    "transition_ends_at",
                    "awaits_collection",
                    "last_rotated_at",
                    "next_rotation_at",
                    "rotation_policy",
                    "allowed_addresses",
                ),
                "classes": ("collapse",),
            },
        ),
        (
            "Limits",
            {"fields": ("defaults", "usage_limits", "rate_limits", "alert_emails"), "classes": ("collapse",)},
        ),
        ("Record", {"fields": ("created_at", "created_by_kind", "created_by", "updated_at"), "classes": ("collapse",)}),
    )
    actions_detail = ("rotate", "end_old_secret", "disable", "enable", "revoke")
    compressed_fields = False  # the scopes need the width

    def create(self, given: dict[str, Any], by: Any) -> Made:
        place = given.pop("workspace") or given["organization"]
        issued = operations.issue(
            place,
            name=given["name"],
            scopes=given["scopes"],
            user=given["person"] or None,
            description=given["description"],
            expires_at=given["expires_at"],
            by=by,
        )
        return Made(issued.key, issued.secret.clear)

    def update(self, row: ApiKey, changes: dict[str, Any], by: Any) -> None:
        operations.update(row, **changes, by=by)

    @verb(
        "Rotate",
        done="Rotated",
        asks=lambda key: action_on(key.type, "rotate"),
        when=may_rotate,
        icon="cached",
        says=lambda row: (
            f"A new secret is shown once. The old one, {row.mask}, works on for as long as the key's policy "
            "says, or 30 minutes."
        ),
    )
    def rotate(self, row: ApiKey, by: Any) -> str:
        return rotation.rotate(row, by=by).secret.clear

    @verb(
        "End the old secret",
        done="The old secret has ended",
        asks=lambda key: action_on(key.type, "rotate"),
        when=lambda key: key.is_in_transition,
        icon="timer_off",
        says=lambda row: f"{row.previous_mask} stops working on the next request.",
    )
    def end_old_secret(self, row: ApiKey, by: Any) -> None:
        rotation.end_transition(row, by=by)

    @verb(
        "Disable",
        done="Disabled",
        asks=lambda key: action_on(key.type, "update"),
        when=lambda key: key.status == ApiKey.Status.ACTIVE,
        icon="pause_circle",
        says=lambda row: f"{row.mask} is turned away from the next request on, until the key is enabled again.",
    )
    def disable(self, row: ApiKey, by: Any) -> None:
        operations.disable(row, by=by)

    @verb(
        "Enable",
        done="Enabled",
        asks=lambda key: action_on(key.type, "update"),
        when=lambda key: key.status == ApiKey.Status.DISABLED,
        icon="play_circle",
        says=lambda row: f"{row.mask} is let in again.",
    )
    def enable(self, row: ApiKey, by: Any) -> None:
        operations.enable(row, by=by)

    @verb(
        "Revoke",
        done="Revoked",
        asks=lambda key: action_on(key.type, "delete"),
        when=is_live,
        icon="key_off",
        is_grave=True,
        says=lambda row: f"{row.mask} stops working on the next request, everywhere, for good.",
    )
    def revoke(self, row: ApiKey, by: Any) -> None:
        operations.revoke(row, by=by)

    @display(label={"active": "success", "disabled": "warning", "expired": "warning", "revoked": "danger"})
    def state(self, row: ApiKey) -> str:
        return str(row.shown_status)

    # Each type of key is governed by actions of its own.

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, "read", obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "create", None)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (obj is None or not obj.is_revoked) and self._may(request, "update", obj)

    def action_to_change(self, row: ApiKey) -> Action:
        return action_on(row.type, "update")

    def visible(self, rows: QuerySet[Any], actor: StaffActor) -> QuerySet[Any]:
        theirs = Q(pk=None)
        for key_type in KeyType:
            path = "organization" if key_type is KeyType.ORGANIZATION else "workspace"
            theirs |= Q(type=key_type, **{f"{path}__in": actor.places_where(action_on(key_type, "read"))})
        return rows.filter(theirs)

    def _may(self, request: HttpRequest, verb: str, key: Any) -> bool:
        types = KeyType if key is None else [key.type]
        return any(self.may_act(request, action_on(key_type, verb), key) for key_type in types)


@admin.register(LastUse)
class LastUseAdmin(ReadOnlyAdmin):
    label, icon = "Last uses of keys", "history"
    list_display = ("key", "organization", "at", "route", "address", "agent")
    list_select_related = ("key", "organization")
    search_fields = ("key__id__exact",)
    search_help_text = "The id of a key"
    ordering = ("-at",)
    fields = list_display


@admin.register(Caller)
class CallerAdmin(ReadOnlyAdmin):
    label, icon = "Callers of keys", "lan"
    list_display = ("key", "organization", "address", "agent", "first_at", "at")
    list_select_related = ("key", "organization")
    search_fields = ("key__id__exact", "address__startswith")
    search_help_text = "The id of a key, or an address"
    ordering = ("-at",)
    fields = list_display


@admin.register(ScopeUse)
class ScopeUseAdmin(ReadOnlyAdmin):
    label, icon = "Scopes used", "checklist"
    list_display = ("key", "organization", "scope", "at")
    list_select_related = ("key", "organization")
    search_fields = ("key__id__exact",)
    search_help_text = "The id of a key"
    ordering = ("-id",)
    fields = list_display


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    """What is owed and has not left shows here when a mail server is down."""

    label, icon = "Letters about keys", "mail"
    list_display = ("kind", "key", "organization", "about", "created_at", "sent_at")
    list_filter = ("kind",)
    list_select_related = ("key", "organization")
    search_fields = ("key__id__exact",)
    search_help_text = "The id of a key"
    ordering = ("-id",)
    fields = list_display
