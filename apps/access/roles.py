"""The role matrix. This is the only place that says who may do what."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from django.db.models import TextChoices

from apps.access.actions import DATA_PLANE, Action, Level


class Column(StrEnum):
    """The three columns of the product's table (seed 001, seed 002)."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"


class OrganizationRole(TextChoices):
    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    MEMBER = "member", "Member"


class WorkspaceRole(TextChoices):
    ADMIN = "admin", "Admin"
    MANAGER = "manager", "Manager"
    MEMBER = "member", "Member"


Role = OrganizationRole | WorkspaceRole

OWNERS: Final = frozenset({Column.OWNER})
ADMINS: Final = OWNERS | {Column.ADMIN}
EVERYONE: Final = ADMINS | {Column.MEMBER}

MATRIX: Final[Mapping[Action, frozenset[Column]]] = {
    # Organisation
    Action.ORGANISATIONS_READ: EVERYONE,
    Action.ORGANISATIONS_UPDATE: ADMINS,
    Action.ORGANISATIONS_DELETE: OWNERS,
    # Billing
    Action.BILLING_MANAGE: OWNERS,
    # Owners are made by owners (P1)
    Action.ORGANISATION_OWNERS_MANAGE: OWNERS,
    # Team
    Action.ORGANISATION_USERS_LIST: EVERYONE,
    Action.ORGANISATION_USERS_READ: EVERYONE,
    Action.ORGANISATION_USERS_CREATE: ADMINS,
    Action.ORGANISATION_USERS_UPDATE: ADMINS,
    Action.ORGANISATION_USERS_DELETE: ADMINS,
    # Workspaces
    Action.WORKSPACES_CREATE: ADMINS,
    Action.WORKSPACES_DELETE: ADMINS,
    # API keys of the organization
    Action.ORGANISATION_SERVICE_API_KEYS_CREATE: ADMINS,
    Action.ORGANISATION_SERVICE_API_KEYS_READ: ADMINS,
    Action.ORGANISATION_SERVICE_API_KEYS_UPDATE: ADMINS,
    Action.ORGANISATION_SERVICE_API_KEYS_DELETE: ADMINS,
    Action.ORGANISATION_SERVICE_API_KEYS_LIST: ADMINS,
    Action.ORGANISATION_SERVICE_API_KEYS_ROTATE: ADMINS,
    # Audit log
    Action.AUDIT_LOGS_LIST: ADMINS,
    # Plugins, deployments, secret references, exclusions
    Action.PLUGINS_CREATE: ADMINS,
    Action.PLUGINS_UPDATE: ADMINS,
    Action.PLUGINS_LIST: ADMINS,
    Action.DEPLOYMENTS_CREATE: ADMINS,
    Action.DEPLOYMENTS_READ: ADMINS,
    Action.DEPLOYMENTS_UPDATE: ADMINS,
    Action.DEPLOYMENTS_DELETE: ADMINS,
    Action.DEPLOYMENTS_LIST: ADMINS,
    Action.SECRET_REFERENCES_CREATE: ADMINS,
    Action.SECRET_REFERENCES_READ: ADMINS,
    Action.SECRET_REFERENCES_UPDATE: ADMINS,
    Action.SECRET_REFERENCES_DELETE: ADMINS,
    Action.SECRET_REFERENCES_LIST: ADMINS,
    Action.ORGANISATION_EXCLUSIONS_UPDATE: ADMINS,
    Action.ORGANISATION_EXCLUSIONS_LIST: ADMINS,
    # Integrations of the organization
    Action.ORGANISATION_INTEGRATIONS_CREATE: ADMINS,
    Action.ORGANISATION_INTEGRATIONS_READ: ADMINS,
    Action.ORGANISATION_INTEGRATIONS_UPDATE: ADMINS,
    Action.ORGANISATION_INTEGRATIONS_DUPLICATE: ADMINS,
    Action.ORGANISATION_INTEGRATIONS_DELETE: ADMINS,
    Action.ORGANISATION_INTEGRATIONS_LIST: EVERYONE,
    Action.ORGANISATION_INTEGRATIONS_COPY: EVERYONE,
    Action.WORKSPACES_LIST: EVERYONE,
    Action.WORKSPACES_READ: EVERYONE,
    Action.WORKSPACES_UPDATE: ADMINS,
    # Workspace team
    Action.WORKSPACE_USERS_LIST: EVERYONE,
    Action.WORKSPACE_USERS_READ: EVERYONE,
    Action.WORKSPACE_USERS_CREATE: ADMINS,
    Action.WORKSPACE_USERS_UPDATE: ADMINS,
    Action.WORKSPACE_USERS_DELETE: ADMINS,
    # API keys of the workspace
    Action.WORKSPACE_SERVICE_API_KEYS_CREATE: ADMINS,
    Action.WORKSPACE_SERVICE_API_KEYS_READ: ADMINS,
    Action.WORKSPACE_SERVICE_API_KEYS_UPDATE: ADMINS,
    Action.WORKSPACE_SERVICE_API_KEYS_DELETE: ADMINS,
    Action.WORKSPACE_SERVICE_API_KEYS_LIST: ADMINS,
    Action.WORKSPACE_SERVICE_API_KEYS_ROTATE: ADMINS,
    Action.WORKSPACE_USER_API_KEYS_CREATE: ADMINS,
    Action.WORKSPACE_USER_API_KEYS_READ: ADMINS,
    Action.WORKSPACE_USER_API_KEYS_UPDATE: ADMINS,
    Action.WORKSPACE_USER_API_KEYS_DELETE: ADMINS,
    Action.WORKSPACE_USER_API_KEYS_LIST: ADMINS,
    Action.WORKSPACE_USER_API_KEYS_ROTATE: ADMINS,
    # Prompts
    Action.PROMPTS_LIST: EVERYONE,
    Action.PROMPTS_READ: EVERYONE,
    Action.PROMPTS_CREATE: EVERYONE,
    Action.PROMPTS_UPDATE: EVERYONE,
    Action.PROMPTS_RENDER: EVERYONE,
    Action.PROMPTS_DELETE: ADMINS,
    Action.PROMPTS_PUBLISH: ADMINS,
    # Configs: a member may add one but not change one. That is the product, not a slip.
    Action.CONFIGS_LIST: EVERYONE,
    Action.CONFIGS_READ: EVERYONE,
    Action.CONFIGS_CREATE: EVERYONE,
    Action.CONFIGS_UPDATE: ADMINS,
    Action.CONFIGS_DELETE: ADMINS,
    # Guardrails
    Action.GUARDRAILS_LIST: EVERYONE,
    Action.GUARDRAILS_READ: EVERYONE,
    Action.GUARDRAILS_CREATE: EVERYONE,
    Action.GUARDRAILS_UPDATE: EVERYONE,
    Action.GUARDRAILS_DELETE: ADMINS,
    # Integrations of the workspace
    Action.WORKSPACE_INTEGRATIONS_LIST: EVERYONE,
    Action.WORKSPACE_INTEGRATIONS_COPY: EVERYONE,
    Action.WORKSPACE_INTEGRATIONS_READ: ADMINS,
    Action.WORKSPACE_INTEGRATIONS_CREATE: ADMINS,
    Action.WORKSPACE_INTEGRATIONS_UPDATE: ADMINS,
    Action.WORKSPACE_INTEGRATIONS_DUPLICATE: ADMINS,
    Action.WORKSPACE_INTEGRATIONS_DELETE: ADMINS,
    # Model catalog: providers (virtual keys are their older name) and models
    Action.PROVIDERS_LIST: EVERYONE,
    Action.PROVIDERS_COPY: EVERYONE,
    Action.PROVIDERS_READ: ADMINS,
    Action.PROVIDERS_CREATE: ADMINS,
    Action.PROVIDERS_UPDATE: ADMINS,
    Action.PROVIDERS_DUPLICATE: ADMINS,
    Action.PROVIDERS_DELETE: ADMINS,
    Action.VIRTUAL_KEYS_LIST: EVERYONE,
    Action.VIRTUAL_KEYS_COPY: EVERYONE,
    Action.VIRTUAL_KEYS_READ: ADMINS,
    Action.VIRTUAL_KEYS_CREATE: ADMINS,
    Action.VIRTUAL_KEYS_UPDATE: ADMINS,
    Action.VIRTUAL_KEYS_DUPLICATE: ADMINS,
    Action.VIRTUAL_KEYS_DELETE: ADMINS,
    Action.MODELS_LIST: EVERYONE,
    Action.MODELS_COPY: EVERYONE,
    Action.MODELS_READ: ADMINS,
    Action.MODELS_CREATE: ADMINS,
    Action.MODELS_UPDATE: ADMINS,
    Action.MODELS_DUPLICATE: ADMINS,
    Action.MODELS_DELETE: ADMINS,
    # Logs and analytics
    Action.LOGS_LIST: EVERYONE,
    Action.LOGS_VIEW: EVERYONE,
    Action.LOGS_EXPORT: ADMINS,
    Action.ANALYTICS_VIEW: EVERYONE,
    # Policies, MCP and agent servers
    Action.POLICIES_CREATE: ADMINS,
    Action.POLICIES_READ: ADMINS,
    Action.POLICIES_UPDATE: ADMINS,
    Action.POLICIES_DELETE: ADMINS,
    Action.POLICIES_LIST: ADMINS,
    Action.MCP_SERVERS_CREATE: ADMINS,
    Action.MCP_SERVERS_READ: ADMINS,
    Action.MCP_SERVERS_UPDATE: ADMINS,
    Action.MCP_SERVERS_DELETE: ADMINS,
    Action.MCP_SERVERS_LIST: ADMINS,
    Action.AGENT_SERVERS_CREATE: ADMINS,
    Action.AGENT_SERVERS_READ: ADMINS,
    Action.AGENT_SERVERS_UPDATE: ADMINS,
    Action.AGENT_SERVERS_DELETE: ADMINS,
    Action.AGENT_SERVERS_LIST: ADMINS,
    Action.WORKSPACE_MCP_INTEGRATIONS_CREATE: ADMINS,
    Action.WORKSPACE_MCP_INTEGRATIONS_READ: ADMINS,
    Action.WORKSPACE_MCP_INTEGRATIONS_UPDATE: ADMINS,
    Action.WORKSPACE_MCP_INTEGRATIONS_DELETE: ADMINS,
    Action.WORKSPACE_MCP_INTEGRATIONS_LIST: ADMINS,
    Action.WORKSPACE_AGENT_INTEGRATIONS_CREATE: ADMINS,
    Action.WORKSPACE_AGENT_INTEGRATIONS_READ: ADMINS,
    Action.WORKSPACE_AGENT_INTEGRATIONS_UPDATE: ADMINS,
    Action.WORKSPACE_AGENT_INTEGRATIONS_DELETE: ADMINS,
    Action.WORKSPACE_AGENT_INTEGRATIONS_LIST: ADMINS,
    # Data plane
    Action.COMPLETIONS_WRITE: EVERYONE,
    Action.LOGS_WRITE: EVERYONE,
    Action.GUARDRAILS_INVOKE: EVERYONE,
    Action.MCP_INVOKE: EVERYONE,
    Action.AGENTS_INVOKE: EVERYONE,
}

# A role takes one column, at the levels its place can grant. Owners and admins of an organization act in its
# workspaces without joining them (P17); membership of an organization opens no workspace.
_ORGANIZATION_COLUMNS: Final = {
    OrganizationRole.OWNER: (Column.OWNER, frozenset(Level)),
    OrganizationRole.ADMIN: (Column.ADMIN, frozenset(Level)),
    OrganizationRole.MEMBER: (Column.MEMBER, frozenset({Level.ORGANIZATION})),
}
_WORKSPACE_COLUMNS: Final = {
    WorkspaceRole.ADMIN: (Column.ADMIN, frozenset({Level.WORKSPACE})),
    WorkspaceRole.MANAGER: (Column.ADMIN, frozenset({Level.WORKSPACE})),
    WorkspaceRole.MEMBER: (Column.MEMBER, frozenset({Level.WORKSPACE})),
}


# The organization roles whose holders act in every workspace.
REACHING_INTO_WORKSPACES: Final = frozenset(
    role for role, (_, levels) in _ORGANIZATION_COLUMNS.items() if Level.WORKSPACE in levels
)


def actions_of(role: Role) -> frozenset[Action]:
    """Everything the holder of this role may do, at every level the role reaches."""
    column, levels = _ORGANIZATION_COLUMNS[role] if isinstance(role, OrganizationRole) else _WORKSPACE_COLUMNS[role]
    return frozenset(action for action, columns in MATRIX.items() if column in columns and action.level in levels)


def holders(action: Action) -> tuple[Role, ...]:
    """The roles that hold an action, highest first, for a refusal that says who can help."""
    return tuple(role for role in (*OrganizationRole, *WorkspaceRole) if action in actions_of(role))


def makes_owners(role: Role) -> bool:
    """Whether giving or taking this role is making or unmaking an owner (product P1)."""
    return Action.ORGANISATION_OWNERS_MANAGE in actions_of(role)


def title(role: Role) -> str:
    """A role with the kind of place it is held in: "Organization admin", "Workspace admin"."""
    place = "Organization" if isinstance(role, OrganizationRole) else "Workspace"
    return f"{place} {role.label.lower()}"


# Handing out a role needs what the role holds, less what everybody here holds anyway and less the data plane (P4).
BASELINE: Final = actions_of(OrganizationRole.MEMBER)


def needed_to_grant(role: Role) -> frozenset[Action]:
    """What a person must hold to give or take this role (product P4)."""
    return actions_of(role) - BASELINE - DATA_PLANE
