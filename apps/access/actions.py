"""Every verb the product knows, and the kind of place it is granted on.

An action, a key's scope and the permission a page declares are one word (product 3). The spelling is the
wire's, hence "organisation".
"""

from enum import StrEnum
from typing import Any


class Level(StrEnum):
    ORGANIZATION = "organization"
    WORKSPACE = "workspace"


class Action(StrEnum):
    """One act on one kind of thing: "prompts.publish"."""

    # Granted on an organization.
    ORGANISATIONS_READ = "organisations.read"
    ORGANISATIONS_UPDATE = "organisations.update"
    ORGANISATIONS_DELETE = "organisations.delete"
    BILLING_MANAGE = "billing.manage"
    ORGANISATION_OWNERS_MANAGE = "organisation_owners.manage"
    ORGANISATION_USERS_LIST = "organisation_users.list"
    ORGANISATION_USERS_READ = "organisation_users.read"
    ORGANISATION_USERS_CREATE = "organisation_users.create"
    ORGANISATION_USERS_UPDATE = "organisation_users.update"
    ORGANISATION_USERS_DELETE = "organisation_users.delete"
    WORKSPACES_CREATE = "workspaces.create"
    WORKSPACES_DELETE = "workspaces.delete"
    ORGANISATION_SERVICE_API_KEYS_CREATE = "organisation_service_api_keys.create"
    ORGANISATION_SERVICE_API_KEYS_READ = "organisation_service_api_keys.read"
    ORGANISATION_SERVICE_API_KEYS_UPDATE = "organisation_service_api_keys.update"
    ORGANISATION_SERVICE_API_KEYS_DELETE = "organisation_service_api_keys.delete"
    ORGANISATION_SERVICE_API_KEYS_LIST = "organisation_service_api_keys.list"
    ORGANISATION_SERVICE_API_KEYS_ROTATE = "organisation_service_api_keys.rotate"
    AUDIT_LOGS_LIST = "audit_logs.list"
    PLUGINS_CREATE = "plugins.create"
    PLUGINS_UPDATE = "plugins.update"
    PLUGINS_LIST = "plugins.list"
    DEPLOYMENTS_CREATE = "deployments.create"
    DEPLOYMENTS_READ = "deployments.read"
    DEPLOYMENTS_UPDATE = "deployments.update"
    DEPLOYMENTS_DELETE = "deployments.delete"
    DEPLOYMENTS_LIST = "deployments.list"
    SECRET_REFERENCES_CREATE = "secret_references.create"
    SECRET_REFERENCES_READ = "secret_references.read"
    SECRET_REFERENCES_UPDATE = "secret_references.update"
    SECRET_REFERENCES_DELETE = "secret_references.delete"
    SECRET_REFERENCES_LIST = "secret_references.list"
    ORGANISATION_EXCLUSIONS_UPDATE = "organisation_exclusions.update"
    ORGANISATION_EXCLUSIONS_LIST = "organisation_exclusions.list"
    ORGANISATION_INTEGRATIONS_CREATE = "organisation_integrations.create"
    ORGANISATION_INTEGRATIONS_READ = "organisation_integrations.read"
    ORGANISATION_INTEGRATIONS_UPDATE = "organisation_integrations.update"
    ORGANISATION_INTEGRATIONS_DUPLICATE = "organisation_integrations.duplicate"
    ORGANISATION_INTEGRATIONS_DELETE = "organisation_integrations.delete"

    # Granted on a workspace.
    ORGANISATION_INTEGRATIONS_LIST = "organisation_integrations.list"
    ORGANISATION_INTEGRATIONS_COPY = "organisation_integrations.copy"
    WORKSPACES_LIST = "workspaces.list"
    WORKSPACES_READ = "workspaces.read"
    WORKSPACES_UPDATE = "workspaces.update"
    WORKSPACE_USERS_LIST = "workspace_users.list"
    WORKSPACE_USERS_READ = "workspace_users.read"
    WORKSPACE_USERS_CREATE = "workspace_users.create"
    WORKSPACE_USERS_UPDATE = "workspace_users.update"
    WORKSPACE_USERS_DELETE = "workspace_users.delete"
    WORKSPACE_SERVICE_API_KEYS_CREATE = "workspace_service_api_keys.create"
    WORKSPACE_SERVICE_API_KEYS_READ = "workspace_service_api_keys.read"
    WORKSPACE_SERVICE_API_KEYS_UPDATE = "workspace_service_api_keys.update"
    WORKSPACE_SERVICE_API_KEYS_DELETE = "workspace_service_api_keys.delete"
    WORKSPACE_SERVICE_API_KEYS_LIST = "workspace_service_api_keys.list"
    WORKSPACE_SERVICE_API_KEYS_ROTATE = "workspace_service_api_keys.rotate"
    WORKSPACE_USER_API_KEYS_CREATE = "workspace_user_api_keys.create"
    WORKSPACE_USER_API_KEYS_READ = "workspace_user_api_keys.read"
    WORKSPACE_USER_API_KEYS_UPDATE = "workspace_user_api_keys.update"
    WORKSPACE_USER_API_KEYS_DELETE = "workspace_user_api_keys.delete"
    WORKSPACE_USER_API_KEYS_LIST = "workspace_user_api_keys.list"
    WORKSPACE_USER_API_KEYS_ROTATE = "workspace_user_api_keys.rotate"
    PROMPTS_LIST = "prompts.list"
    PROMPTS_READ = "prompts.read"
    PROMPTS_CREATE = "prompts.create"
    PROMPTS_UPDATE = "prompts.update"
    PROMPTS_RENDER = "prompts.render"
    PROMPTS_DELETE = "prompts.delete"
    PROMPTS_PUBLISH = "prompts.publish"
    CONFIGS_LIST = "configs.list"
    CONFIGS_READ = "configs.read"
    CONFIGS_CREATE = "configs.create"
    CONFIGS_UPDATE = "configs.update"
    CONFIGS_DELETE = "configs.delete"
    GUARDRAILS_LIST = "guardrails.list"
    GUARDRAILS_READ = "guardrails.read"
    GUARDRAILS_CREATE = "guardrails.create"
    GUARDRAILS_UPDATE = "guardrails.update"
    GUARDRAILS_DELETE = "guardrails.delete"
    WORKSPACE_INTEGRATIONS_LIST = "workspace_integrations.list"
    WORKSPACE_INTEGRATIONS_COPY = "workspace_integrations.copy"
    WORKSPACE_INTEGRATIONS_READ = "workspace_integrations.read"
    WORKSPACE_INTEGRATIONS_CREATE = "workspace_integrations.create"
    WORKSPACE_INTEGRATIONS_UPDATE = "workspace_integrations.update"
    WORKSPACE_INTEGRATIONS_DUPLICATE = "workspace_integrations.duplicate"
    WORKSPACE_INTEGRATIONS_DELETE = "workspace_integrations.delete"
    PROVIDERS_LIST = "providers.list"
    PROVIDERS_COPY = "providers.copy"
    PROVIDERS_READ = "providers.read"
    PROVIDERS_CREATE = "providers.create"
    PROVIDERS_UPDATE = "providers.update"
    PROVIDERS_DUPLICATE = "providers.duplicate"
    PROVIDERS_DELETE = "providers.delete"
    VIRTUAL_KEYS_LIST = "virtual_keys.list"
    VIRTUAL_KEYS_COPY = "virtual_keys.copy"
    VIRTUAL_KEYS_READ = "virtual_keys.read"
    VIRTUAL_KEYS_CREATE = "virtual_keys.create"
    VIRTUAL_KEYS_UPDATE = "virtual_keys.update"
    VIRTUAL_KEYS_DUPLICATE = "virtual_keys.duplicate"
    VIRTUAL_KEYS_DELETE = "virtual_keys.delete"
    MODELS_LIST = "models.list"
    MODELS_COPY = "models.copy"
    MODELS_READ = "models.read"
    MODELS_CREATE = "models.create"
    MODELS_UPDATE = "models.update"
    MODELS_DUPLICATE = "models.duplicate"
    MODELS_DELETE = "models.delete"
    LOGS_LIST = "logs.list"
    LOGS_VIEW = "logs.view"
    LOGS_EXPORT = "logs.export"
    ANALYTICS_VIEW = "analytics.view"
    POLICIES_CREATE = "policies.create"
    POLICIES_READ = "policies.read"
    POLICIES_UPDATE = "policies.update"
    POLICIES_DELETE = "policies.delete"
    POLICIES_LIST = "policies.list"
    MCP_SERVERS_CREATE = "mcp_servers.create"
    MCP_SERVERS_READ = "mcp_servers.read"
    MCP_SERVERS_UPDATE = "mcp_servers.update"
    MCP_SERVERS_DELETE = "mcp_servers.delete"
    MCP_SERVERS_LIST = "mcp_servers.list"
    AGENT_SERVERS_CREATE = "agent_servers.create"
    AGENT_SERVERS_READ = "agent_servers.read"
    AGENT_SERVERS_UPDATE = "agent_servers.update"
    AGENT_SERVERS_DELETE = "agent_servers.delete"
    AGENT_SERVERS_LIST = "agent_servers.list"
    WORKSPACE_MCP_INTEGRATIONS_CREATE = "workspace_mcp_integrations.create"
    WORKSPACE_MCP_INTEGRATIONS_READ = "workspace_mcp_integrations.read"
    WORKSPACE_MCP_INTEGRATIONS_UPDATE = "workspace_mcp_integrations.update"
    WORKSPACE_MCP_INTEGRATIONS_DELETE = "workspace_mcp_integrations.delete"
    WORKSPACE_MCP_INTEGRATIONS_LIST = "workspace_mcp_integrations.list"
    WORKSPACE_AGENT_INTEGRATIONS_CREATE = "workspace_agent_integrations.create"
    WORKSPACE_AGENT_INTEGRATIONS_READ = "workspace_agent_integrations.read"
    WORKSPACE_AGENT_INTEGRATIONS_UPDATE = "workspace_agent_integrations.update"
    WORKSPACE_AGENT_INTEGRATIONS_DELETE = "workspace_agent_integrations.delete"
    WORKSPACE_AGENT_INTEGRATIONS_LIST = "workspace_agent_integrations.list"
    # The data plane.
    COMPLETIONS_WRITE = "completions.write"
    LOGS_WRITE = "logs.write"
    GUARDRAILS_INVOKE = "guardrails.invoke"
    MCP_INVOKE = "mcp.invoke"
    AGENTS_INVOKE = "agents.invoke"

    @property
    def level(self) -> Level:
        return Level.ORGANIZATION if self in _ON_ORGANIZATIONS else Level.WORKSPACE

    @property
    def resource(self) -> str:
        return self.value.partition(".")[0]

    @property
    def verb(self) -> str:
        return self.value.partition(".")[2]

    @property
    def codename(self) -> str:
        # guardian reads "a.b" as "app.codename", so a codename may hold no dot.
        return self.value.replace(".", "_")

    @classmethod
    def with_codename(cls, codename: str) -> "Action | None":
        return _BY_CODENAME.get(codename)


_ACTIONS = list(Action)
_ON_ORGANIZATIONS = frozenset(_ACTIONS[: _ACTIONS.index(Action.ORGANISATION_INTEGRATIONS_LIST)])
_BY_CODENAME = {action.codename: action for action in Action}

DATA_PLANE = frozenset(
    {Action.COMPLETIONS_WRITE, Action.LOGS_WRITE, Action.GUARDRAILS_INVOKE, Action.MCP_INVOKE, Action.AGENTS_INVOKE}
)
EVERYTHING = frozenset(Action)
# What a place that is being wound up still allows to those who may see it (product P22).
READING = frozenset(action for action in Action if action.verb in {"list", "read", "view"})


def permissions_on(level: Level) -> list[tuple[str, Any]]:
    """The Meta.permissions of the model that stands for this level.

    An organization holds every action, because a grant on it reaches into its workspaces.
    """
    return [(a.codename, f"Can {a.value}") for a in Action if level is Level.ORGANIZATION or a.level is level]
