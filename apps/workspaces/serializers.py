"""Workspaces as the wire spells them (contract 1.3)."""

from functools import cache
from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from apps.access.actions import Action
from apps.access.roles import OrganizationRole, Role, WorkspaceRole, actions_of
from apps.core.text import NAME_LENGTH, TEXT_LENGTH
from apps.tenancy.fields import (
    Always,
    AsSent,
    Computed,
    Flag,
    Id,
    Instant,
    ListOf,
    Serializer,
    Text,
    TextOrNull,
    ZeroOrOne,
)
from apps.tenancy.schema import BUDGET, METADATA, rates
from apps.workspaces.limits import UNITS_OF_WORKSPACES
from apps.workspaces.models import Workspace
from apps.workspaces.operations import ICON_LENGTH
from apps.workspaces.types import ACTIONS, WorkspaceType

STATES: Final = ("active", "archived")

_admins, _managers, _members = OrganizationRole.ADMIN, WorkspaceRole.MANAGER, WorkspaceRole.MEMBER
# What clients show as switches is here what the matrix says: who must hold which action for the switch to be on (P6).
SECURITY_SETTINGS: Final[dict[str, tuple[Role, Action]]] = {
    "managersUpdateWs": (_managers, Action.WORKSPACES_UPDATE),
    "managersWriteWsUsers": (_managers, Action.WORKSPACE_USERS_UPDATE),
    "managersViewApiKeys": (_managers, Action.WORKSPACE_SERVICE_API_KEYS_LIST),
    "managersWriteApiKeys": (_managers, Action.WORKSPACE_SERVICE_API_KEYS_UPDATE),
    "membersViewApiKeys": (_members, Action.WORKSPACE_USER_API_KEYS_LIST),
    "membersWriteApiKeys": (_members, Action.WORKSPACE_USER_API_KEYS_UPDATE),
    "managersViewLogs": (_managers, Action.LOGS_VIEW),
    "membersViewLogs": (_members, Action.LOGS_VIEW),
    "organisationAdminsViewLogs": (_admins, Action.LOGS_VIEW),
    "managersViewLogMetadata": (_managers, Action.LOGS_LIST),
    "membersViewLogMetadata": (_members, Action.LOGS_LIST),
    "organisationAdminsViewLogMetadata": (_admins, Action.LOGS_LIST),
    "managersViewAllData": (_managers, Action.LOGS_VIEW),
    "membersViewAllData": (_members, Action.LOGS_VIEW),
    "managersViewAnalytics": (_managers, Action.ANALYTICS_VIEW),
    "membersViewAnalytics": (_members, Action.ANALYTICS_VIEW),
    "managersViewPrompts": (_managers, Action.PROMPTS_READ),
    "managersWritePrompts": (_managers, Action.PROMPTS_UPDATE),
    "membersViewPrompts": (_members, Action.PROMPTS_READ),
    "membersWritePrompts": (_members, Action.PROMPTS_UPDATE),
    "managersViewConfigs": (_managers, Action.CONFIGS_READ),
    "managersWriteConfigs": (_managers, Action.CONFIGS_UPDATE),
    "membersViewConfigs": (_members, Action.CONFIGS_READ),
    "membersWriteConfigs": (_members, Action.CONFIGS_UPDATE),
    "managersViewGuardrails": (_managers, Action.GUARDRAILS_READ),
    "managersWriteGuardrails": (_managers, Action.GUARDRAILS_UPDATE),
    "membersViewGuardrails": (_members, Action.GUARDRAILS_READ),
    "membersWriteGuardrails": (_members, Action.GUARDRAILS_UPDATE),
    "managersViewVirtualKeys": (_managers, Action.VIRTUAL_KEYS_LIST),
    "managersWriteVirtualKeys": (_managers, Action.VIRTUAL_KEYS_UPDATE),
    "membersViewVirtualKeys": (_members, Action.VIRTUAL_KEYS_LIST),
    "membersWriteVirtualKeys": (_members, Action.VIRTUAL_KEYS_UPDATE),
    "managersWriteMcpServers": (_managers, Action.MCP_SERVERS_UPDATE),
    "managersWriteWsIntegrations": (_managers, Action.WORKSPACE_INTEGRATIONS_UPDATE),
    "managersWriteWsMcpIntegrations": (_managers, Action.WORKSPACE_MCP_INTEGRATIONS_UPDATE),
}
# Settings of the contract that nothing here changes yet.
_SETTINGS: Final = {"debug_log": 1, "user_api_key_ttl": 0, "user_key_metadata": 1, "user_key_metadata_override": 1}
_SETTINGS_SHOWN: Final = {
    "type": "object",
    "properties": {name: {"type": "integer"} for name in (*_SETTINGS, "user_api_key_count", "user_api_key_max_ttl")},
}


@cache
def security_settings(kind: WorkspaceType) -> dict[str, bool]:
    """What each role may do in a workspace of this type, as the contract's switches."""
    return {name: action in actions_of(role) & ACTIONS[kind] for name, (role, action) in SECURITY_SETTINGS.items()}


_DEFAULTS: Final = {"type": "object", "nullable": True, "properties": {"metadata": METADATA}}
_BUDGETS: Final = {"type": "array", "items": {**BUDGET, "nullable": False}, "nullable": True}
_RATES: Final = rates(UNITS_OF_WORKSPACES)


class _WorkspaceSerializer(Serializer):
    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    description = TextOrNull()
    icon = TextOrNull()
    is_default = ZeroOrOne()
    defaults = AsSent(_DEFAULTS)
    usage_limits = AsSent(_BUDGETS)
    rate_limits = AsSent(_RATES)
    security_settings = Computed({"type": "object", "additionalProperties": {"type": "boolean"}})
    created_at = Instant()
    last_updated_at = Instant(source="updated_at")
    object = Always("workspace")

    def get_security_settings(self, workspace: Workspace) -> dict[str, bool]:
        return security_settings(WorkspaceType(workspace.type))


class WorkspaceSerializer(_WorkspaceSerializer):
    """A row of the list, and the answer to creating and changing: clients fail on `users` there."""

    scim_source_id = Always(None)
    status = Computed({"type": "string", "enum": list(STATES)})

    def get_status(self, workspace: Workspace) -> str:
        return STATES[workspace.is_archived]


class TeamMemberSerializer(Serializer):
    """Somebody on the team, as the workspace itself lists them."""

    id = serializers.UUIDField(source="membership.user_id")
    first_name = serializers.CharField(source="membership.user.first_name")
    last_name = serializers.CharField(source="membership.user.last_name")
    org_role = serializers.CharField(source="membership.role")
    role = serializers.CharField()
    status = serializers.CharField(source="membership.status")
    workspace_id = serializers.UUIDField()
    created_at = Instant()
    last_updated_at = Instant(source="updated_at")


class WorkspaceDetailSerializer(_WorkspaceSerializer):
    """The workspace when it is asked for by itself; `users` is null for a key that may not list the team."""

    organisation_id = serializers.UUIDField(source="organization_id")
    settings = Computed(_SETTINGS_SHOWN)
    last_reset_at = Always(None)
    created_by = serializers.UUIDField(allow_null=True)
    creation_source = Always("default")
    users = TeamMemberSerializer(source="team", many=True, allow_null=True)

    def get_settings(self, workspace: Workspace) -> dict[str, int]:
        """How many keys there may be and days they may live, here or above; -1 and 0 where nothing is asked."""
        asked = [place.key_policy or {} for place in (workspace, workspace.organization)]
        counts = [policy["max_keys"] for policy in asked if policy.get("max_keys")]
        days = [policy["max_days"] for policy in asked if policy.get("max_days")]
        return {
            **_SETTINGS,
            "user_api_key_count": min(counts, default=-1),
            "user_api_key_max_ttl": min(days, default=0),
        }


class WorkspaceFilter(Serializer):
    # Composing letters takes quadratic time on text made for it: only what could be a name is composed.
    name = Text(required=False, max_length=NAME_LENGTH, help_text="Part of the name; upper and lower case differ.")
    exact_name = Text(required=False, max_length=NAME_LENGTH)
    status = Text(required=False, help_text="One or both, with a comma: active, archived.")

    def validate_status(self, value: str) -> set[str]:
        states = {state.strip() for state in value.split(",")}
        if not states <= set(STATES):
            raise serializers.ValidationError(f"One or more of: {', '.join(STATES)}.")
        return states


class _Settings(Serializer):
    description = Text(required=False, allow_null=True, allow_blank=True, max_length=TEXT_LENGTH)
    icon = Text(required=False, allow_null=True, allow_blank=True, max_length=ICON_LENGTH)
    defaults = AsSent(_DEFAULTS)
    usage_limits = AsSent(_BUDGETS)
    rate_limits = AsSent(_RATES)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A workspace", {"name": "Search", "defaults": {"metadata": {"team": "search"}}}, request_only=True
        )
    ]
)
class NewWorkspace(_Settings):
    name = Text(max_length=NAME_LENGTH)
    users = ListOf(child=Id(), required=False, help_text="Ids of people, who join as members.")


class WorkspaceChanges(_Settings):
    """What is absent stays; null clears."""

    name = Text(required=False, max_length=NAME_LENGTH)


class WorkspaceDeletion(Serializer):
    name = Text(required=False, allow_null=True, max_length=NAME_LENGTH)
    force_delete = Flag(required=False)

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        # Some clients send no body at all: that is taken while nothing can be lost (contract 1.3).
        if self.initial_data and not asked.get("name") and not asked.get("force_delete"):
            raise serializers.ValidationError({"name": "The workspace's name is needed, to be sure."})
        return asked
