"""API keys as the wire spells them (contract 1.6)."""

from copy import deepcopy
from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from apps.access.actions import Action
from apps.access.scopes import KeyType
from apps.apikeys import policy
from apps.apikeys.models import ApiKey
from apps.apikeys.reasons import Reason
from apps.core.clock import wire
from apps.core.text import NAME_LENGTH, TEXT_LENGTH
from apps.limits.standing import BudgetStanding, RateStanding
from apps.limits.terms import MICRO, Unit
from apps.organizations.models import Organization
from apps.tenancy.fields import (
    Always,
    AsSent,
    Computed,
    Exact,
    Flag,
    Id,
    Instant,
    Scopes,
    Serializer,
    ShownOnce,
    Text,
    TextOrNull,
)
from apps.tenancy.schema import BUDGET, METADATA, rates
from apps.workspaces.limits import UNITS_OF_KEYS
from apps.workspaces.models import Workspace

_RATES: Final = rates(UNITS_OF_KEYS)
_ADDRESSES: Final = {"type": "array", "items": {"type": "string"}, "nullable": True}
_DEFAULTS: Final = {
    "type": "object",
    "nullable": True,
    "properties": {
        "metadata": METADATA,
        "config_id": {"type": "string", "nullable": True},
        "allow_config_override": {"type": "boolean"},
    },
}
_BUDGET_SHOWN: Final[dict[str, Any]] = deepcopy(BUDGET)
_BUDGET_SHOWN["properties"]["current_usage"] = {"type": "number"}
_NETWORKS: Final = {"type": "array", "items": {"type": "string"}, "nullable": True}
_ROTATION: Final = {
    "type": "object",
    "nullable": True,
    "properties": {
        "rotation_period": {"type": "string", "enum": ["weekly", "monthly", None], "nullable": True},
        "rotation_period_days": {"type": "integer", "minimum": 1, "maximum": 365, "nullable": True},
        "next_rotation_at": {"type": "string", "format": "date-time", "nullable": True},
        "key_transition_period_ms": {"type": "integer", "minimum": 1_800_000, "maximum": 2_592_000_000},
    },
}
_ROTATION_SHOWN: Final = {
    **_ROTATION,
    "properties": {**_ROTATION["properties"], "status": {"type": "string", "enum": ["ACTIVE"]}},  # type: ignore[dict-item]
}
_LEFT: Final = {
    "type": "object",
    "properties": {
        "usage": {
            "type": "object",
            "nullable": True,
            "properties": {
                "type": {"type": "string", "enum": ["cost", "tokens"]},
                "current_usage": {"type": "number"},
                "left": {"type": "number", "nullable": True},
                "next_usage_reset_at": {"type": "string", "format": "date-time", "nullable": True},
            },
        },
        "rates": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "type": {"type": "string", "enum": ["requests", "tokens"]},
                    "unit": {"type": "string", "enum": list(UNITS_OF_KEYS)},
                    "value": {"type": "integer"},
                    "left": {"type": "integer", "nullable": True},
                },
            },
        },
    },
}
_UNSET: Final = {"metadata": None, "config_id": None, "allow_config_override": True}


class ApiKeySerializer(Serializer):
    """A key as it is shown after its creation: by its mask."""

    id = serializers.UUIDField()
    key = serializers.CharField(source="mask")
    name = serializers.CharField()
    description = TextOrNull()
    type = serializers.ChoiceField(KeyType.values)
    organisation_id = serializers.UUIDField(source="organization_id")
    workspace_id = serializers.UUIDField(allow_null=True)
    user_id = serializers.UUIDField(allow_null=True)
    status = serializers.ChoiceField([*ApiKey.Status.values, "expired", "exhausted"], source="shown_status")
    creation_mode = serializers.ChoiceField(ApiKey.Creation.values, source="creation")
    scopes = serializers.ListField(child=serializers.CharField())
    defaults = Computed({**_DEFAULTS, "nullable": False})
    allow_config_override = Computed({"type": "integer", "enum": [0, 1, None], "nullable": True})
    api_key_defaults_id = Always(None)
    rate_limits = Computed({**_RATES, "nullable": False})
    usage_limits = Computed(_BUDGET_SHOWN)
    reset_usage = Always(None)
    last_reset_at = Computed({"type": "string", "format": "date-time", "nullable": True})
    next_usage_reset_at = Computed({"type": "string", "format": "date-time", "nullable": True})
    alert_emails = AsSent(_ADDRESSES)
    expires_at = Instant(allow_null=True)
    expiry_enforced = Computed({"type": "integer", "enum": [0, 1]})
    rotation_policy = Computed(_ROTATION_SHOWN)
    last_rotated_at = Instant(allow_null=True)
    key_transition_expires_at = Computed({"type": "string", "format": "date-time", "nullable": True})
    allowed_addresses = AsSent(_NETWORKS)
    created_at = Instant()
    last_updated_at = Instant(source="updated_at")
    object = Always("api-key")

    def get_defaults(self, key: ApiKey) -> dict[str, Any]:
        return {**_UNSET, **(key.defaults or {})}

    def get_allow_config_override(self, key: ApiKey) -> int | None:
        """A number here and a flag inside `defaults`: clients were written against both (contract D23)."""
        return int(key.defaults["allow_config_override"]) if key.defaults else None

    def get_expiry_enforced(self, key: ApiKey) -> int:
        """A number here: whether the policy of its place lets no key live for ever."""
        return int(policy.binding(key.place).must_end)

    def get_rotation_policy(self, key: ApiKey) -> dict[str, Any] | None:
        if key.rotation_policy is None:
            return None
        return {**key.rotation_policy, "next_rotation_at": wire(key.next_rotation_at), "status": "ACTIVE"}

    def get_key_transition_expires_at(self, key: ApiKey) -> str | None:
        """Until when the secret before this one works, while it does."""
        return wire(key.transition_ends_at) if key.is_in_transition else None

    def get_rate_limits(self, key: ApiKey) -> list[dict[str, Any]]:
        return key.rate_limits or []

    def get_usage_limits(self, key: ApiKey) -> dict[str, Any] | None:
        """As it was sent, with what is used of it."""
        if key.usage_limits is None:
            return None
        budget = _budget(key)
        used = 0 if budget is None else budget.current_usage
        return {
            **key.usage_limits,
            "next_usage_reset_at": self.get_next_usage_reset_at(key),
            "current_usage": used,
        }

    def get_last_reset_at(self, key: ApiKey) -> str | None:
        budget = _budget(key)
        return None if budget is None else wire(budget.last_reset_at)

    def get_next_usage_reset_at(self, key: ApiKey) -> str | None:
        budget = _budget(key)
        if budget is None:  # one that limits nothing is counted nowhere
            return (key.usage_limits or {}).get("next_usage_reset_at")
        return wire(budget.resets_at)


def _budget(key: ApiKey) -> BudgetStanding | None:
    """How much of the key's budget is used; the endpoint has looked, for all keys of a page at once."""
    return key.standing.budget if key.standing is not None else None


class IssuedSerializer(Serializer):
    """A new key, in clear for the one time it is shown."""

    id = serializers.UUIDField(source="key.id")
    key = ShownOnce(source="secret.clear")
    object = Always("api-key")


class RotatedSerializer(Serializer):
    """A key with a new secret, in clear for the one time it is shown."""

    id = serializers.UUIDField(source="key.id")
    key = ShownOnce(source="secret.clear")
    key_transition_expires_at = Instant(source="transition_ends_at", allow_null=True)
    object = Always("api-key")


class Rotation(Serializer):
    """Nothing has to be said: without a time the old secret lives on for what the key's policy says, or 30 minutes."""

    key_transition_period_ms = AsSent(
        {"type": "integer", "nullable": True, "minimum": 1_800_000, "maximum": 2_592_000_000}
    )


class WhoAmISerializer(Serializer):
    """The key that asks, with the scopes that count for it at this moment."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    type = serializers.ChoiceField(KeyType.values)
    organisation_id = serializers.UUIDField(source="organization_id")
    workspace_id = serializers.UUIDField(allow_null=True)
    user_id = serializers.UUIDField(allow_null=True)
    scopes = serializers.SerializerMethodField()
    expires_at = Instant(allow_null=True)
    status = serializers.CharField(source="shown_status")
    key_transition_expires_at = Computed(
        {"type": "string", "format": "date-time", "nullable": True},
    )
    limits = Computed(_LEFT)
    object = Always("api-key")

    def get_scopes(self, key: ApiKey) -> list[str]:
        return sorted(key.actions_in(key.place))

    def get_key_transition_expires_at(self, key: ApiKey) -> str | None:
        """Until when the secret before the present one works, while it does."""
        return wire(key.transition_ends_at) if key.is_in_transition else None

    def get_limits(self, key: ApiKey) -> dict[str, Any]:
        """What is left of the key's budget and of each of its rates; null where that is not known."""
        standing, budget = key.standing, _budget(key)
        return {
            "usage": None if budget is None else _left_of_budget(budget),
            "rates": [_left_of_rate(rate) for rate in (standing.rates if standing is not None else ())],
        }


def _left_of_budget(budget: BudgetStanding) -> dict[str, Any]:
    left = budget.left
    per = MICRO if budget.unit is Unit.COST else 1
    return {
        "type": str(budget.unit),
        "current_usage": budget.current_usage,
        "left": None if left is None else left / per if per != 1 else left,
        "next_usage_reset_at": wire(budget.resets_at),
    }


def _left_of_rate(rate: RateStanding) -> dict[str, Any]:
    return {"type": rate.rate.type, "unit": rate.rate.unit, "value": rate.rate.value, "left": rate.left}


class Question(Exact):
    """An act, and where: without a workspace, where the key lives, or across the organization."""

    action = Text(help_text="A scope: `prompts.publish`.")
    workspace_id = Text(required=False, allow_null=True, help_text="Id or slug.")
    organisation_id = Text(required=False, allow_null=True, help_text="The key's own organization, if given at all.")

    def validate_action(self, action: str) -> Action:
        try:
            return Action(action)
        except ValueError:
            raise serializers.ValidationError("There is no such action.") from None


class PlaceSerializer(Serializer):
    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    object = Computed({"type": "string", "enum": ["organisation", "workspace"]})

    def get_object(self, place: Organization | Workspace) -> str:
        return "organisation" if isinstance(place, Organization) else "workspace"


class VerdictSerializer(Serializer):
    """Whether a key would be allowed something, what decides it, and who holds the right."""

    allowed = serializers.BooleanField()
    action = serializers.CharField()
    place = PlaceSerializer()
    code = serializers.ChoiceField(Reason.values)
    reason = serializers.CharField(help_text="The same as one sentence or two, for people.")
    roles = serializers.ListField(child=serializers.CharField(), help_text="The roles that hold the action.")


class _Settings(Serializer):
    description = Text(required=False, allow_null=True, allow_blank=True, max_length=TEXT_LENGTH)
    rate_limits = AsSent(_RATES)
    usage_limits = AsSent(BUDGET)
    defaults = AsSent(_DEFAULTS)
    alert_emails = AsSent(_ADDRESSES)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)
    rotation_policy = AsSent(_ROTATION)
    allowed_addresses = AsSent(_NETWORKS)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A service key of a workspace",
            {"name": "Search, production", "workspace_id": "ws-search-1a2b3c", "scopes": ["completions.write"]},
            request_only=True,
        ),
        OpenApiExample(
            "A personal key with a budget",
            {
                "name": "Grace, laptop",
                "workspace_id": "ws-search-1a2b3c",
                "user_id": "0190a0b1-7e4c-7c31-9c0a-0a4f6b1c2d3e",
                "scopes": ["completions.write", "prompts.read"],
                "usage_limits": {
                    "type": "cost",
                    "credit_limit": 100,
                    "alert_threshold": 80,
                    "periodic_reset": "monthly",
                },
                "expires_at": "2099-12-31T23:59:59Z",
            },
            request_only=True,
        ),
    ]
)
class NewApiKey(_Settings):
    name = Text(max_length=NAME_LENGTH)
    scopes = Scopes(min_length=1)
    user_id = Id(required=False, allow_null=True, help_text="Whose key it is; needed for the sub-type user.")
    organisation_id = Text(required=False, allow_null=True, help_text="The key's own organization, if given at all.")
    workspace_id = Text(
        required=False,
        allow_null=True,
        help_text="Id or slug; needed when an organization's key makes a workspace key.",
    )

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        # The hallway has read these two, and found the place they name (product P26).
        return {name: value for name, value in asked.items() if name not in {"organisation_id", "workspace_id"}}


class ApiKeyChanges(_Settings):
    """What is absent stays; null clears. Type, person and place of a key never change."""

    name = Text(required=False, max_length=NAME_LENGTH)
    scopes = Scopes(min_length=1, required=False)
    reset_usage = Flag(required=False, help_text="True sets what it has used of its budget back to nothing.")


class ApiKeyFilter(Serializer):
    workspace_id = Text(required=False, help_text="Id or slug; only the keys of this workspace.")
