"""Workspace types: which features a workspace has (seed 003, product 2.4)."""

from collections.abc import Mapping
from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from apps.access.actions import Action, Level


class WorkspaceType(TextChoices):
    AI_GATEWAY = "ai_gateway", _("AI gateway")
    SECRETS = "secrets", _("Secrets")


# Every workspace has a team, keys and settings; the rest comes with its type.
_EVERYWHERE: Final = frozenset(
    {"workspaces", "workspace_users", "workspace_service_api_keys", "workspace_user_api_keys"}
)
RESOURCES: Final[Mapping[WorkspaceType, frozenset[str]]] = {
    WorkspaceType.AI_GATEWAY: frozenset(action.resource for action in Action),
    WorkspaceType.SECRETS: _EVERYWHERE,
}
# What can be done in a workspace of each type.
ACTIONS: Final[Mapping[str, frozenset[Action]]] = {
    kind: frozenset(action for action in Action if action.level is Level.WORKSPACE and action.resource in resources)
    for kind, resources in RESOURCES.items()
}
