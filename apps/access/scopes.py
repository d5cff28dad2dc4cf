"""Scopes: the actions a key may be given, by type of key. A scope and an action are one word (product 3)."""

from collections.abc import Iterable, Mapping
from typing import Final

from django.db.models import TextChoices

from apps.access.actions import DATA_PLANE, Action, Level


class KeyType(TextChoices):
    """The three types of key (contract 1.6), spelt as the wire spells them."""

    ORGANIZATION = "organisation-service", "Organization"
    WORKSPACE = "workspace-service", "Workspace service"
    USER = "workspace-user", "Personal"


# People only: no key of any type ever carries these (product 3, P1).
PEOPLE_ONLY: Final = frozenset({Action.ORGANISATIONS_DELETE, Action.BILLING_MANAGE, Action.ORGANISATION_OWNERS_MANAGE})
_KEYS_OF_WORKSPACES: Final = frozenset(
    action for action in Action if action.resource in {"workspace_service_api_keys", "workspace_user_api_keys"}
)
_ON_ORGANIZATIONS: Final = frozenset(action for action in Action if action.level is Level.ORGANIZATION)
_ON_WORKSPACES: Final = frozenset(Action) - _ON_ORGANIZATIONS

ALLOWED: Final[Mapping[KeyType, frozenset[Action]]] = {
    # An organization's key manages; it never calls a model (contract rule 25).
    KeyType.ORGANIZATION: frozenset(Action) - PEOPLE_ONLY - DATA_PLANE - {Action.PROMPTS_RENDER},
    KeyType.WORKSPACE: _ON_WORKSPACES,
    KeyType.USER: _ON_WORKSPACES - _KEYS_OF_WORKSPACES,
}

# May be given to a workspace key by anyone who may create that key there (product P12).
FREELY_GIVEN: Final = DATA_PLANE | {Action.PROMPTS_RENDER}

_FIVE: Final = ("create", "read", "update", "delete", "list")
# Strings the contract lists for a type although no action answers to them there: taken on creation, never effective.
INERT: Final[Mapping[KeyType, frozenset[str]]] = {
    KeyType.ORGANIZATION: frozenset(
        f"{resource}.{verb}"
        for resource in ("organisation_mcp_integrations", "organisation_agent_integrations")
        for verb in _FIVE
    ),
    KeyType.WORKSPACE: frozenset(
        {"workspaces.create", "organisation_mcp_integrations.list", "organisation_agent_integrations.list"}
    ),
    KeyType.USER: frozenset(
        {"workspaces.create", "organisation_mcp_integrations.list", "organisation_agent_integrations.list"}
    ),
}


def effective(scopes: Iterable[str], type_: KeyType) -> frozenset[Action]:
    """What these scopes mean on a key of this type: unknown and inert strings mean nothing."""
    return frozenset(Action(scope) for scope in scopes if scope in ALLOWED[type_])


def not_allowed(scopes: Iterable[str], type_: KeyType) -> list[str]:
    """The strings a key of this type may not be given at all, in order."""
    return sorted(scope for scope in set(scopes) if scope not in ALLOWED[type_] and scope not in INERT[type_])


def every_scope(type_: KeyType) -> list[str]:
    """Everything a key of this type may carry, as the master key does (product P24)."""
    return sorted(ALLOWED[type_])
