"""Actions in the words of the people who read pages: "organisation_users.delete" is "remove members".

Every phrase is whole and an infinitive, so that each language says it in its own order: it follows "can" or "can't".
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy

from apps.access.actions import Action

_PHRASES: Final[Mapping[Action, Promise]] = {
    Action.ORGANISATIONS_READ: pgettext_lazy("act", "see this organization"),
    Action.ORGANISATIONS_UPDATE: pgettext_lazy("act", "change this organization's settings"),
    Action.ORGANISATIONS_DELETE: pgettext_lazy("act", "delete this organization"),
    Action.BILLING_MANAGE: pgettext_lazy("act", "manage billing"),
    Action.ORGANISATION_OWNERS_MANAGE: pgettext_lazy("act", "make or unmake owners"),
    Action.ORGANISATION_USERS_LIST: pgettext_lazy("act", "see the members"),
    Action.ORGANISATION_USERS_READ: pgettext_lazy("act", "see the members"),
    Action.ORGANISATION_USERS_CREATE: pgettext_lazy("act", "invite people"),
    Action.ORGANISATION_USERS_UPDATE: pgettext_lazy("act", "change members"),
    Action.ORGANISATION_USERS_DELETE: pgettext_lazy("act", "remove members"),
    Action.WORKSPACES_CREATE: pgettext_lazy("act", "create workspaces"),
    Action.WORKSPACES_DELETE: pgettext_lazy("act", "archive workspaces"),
    Action.ORGANISATION_SERVICE_API_KEYS_CREATE: pgettext_lazy("act", "create API keys of the organization"),
    Action.ORGANISATION_SERVICE_API_KEYS_READ: pgettext_lazy("act", "open API keys of the organization"),
    Action.ORGANISATION_SERVICE_API_KEYS_UPDATE: pgettext_lazy("act", "change API keys of the organization"),
    Action.ORGANISATION_SERVICE_API_KEYS_DELETE: pgettext_lazy("act", "revoke API keys of the organization"),
    Action.ORGANISATION_SERVICE_API_KEYS_LIST: pgettext_lazy("act", "see API keys of the organization"),
    Action.ORGANISATION_SERVICE_API_KEYS_ROTATE: pgettext_lazy("act", "rotate API keys of the organization"),
    Action.AUDIT_LOGS_LIST: pgettext_lazy("act", "see the audit log"),
    Action.PLUGINS_CREATE: pgettext_lazy("act", "create plugins"),
    Action.PLUGINS_UPDATE: pgettext_lazy("act", "change plugins"),
    Action.PLUGINS_LIST: pgettext_lazy("act", "see plugins"),
    Action.DEPLOYMENTS_CREATE: pgettext_lazy("act", "create deployments"),
    Action.DEPLOYMENTS_READ: pgettext_lazy("act", "open deployments"),
    Action.DEPLOYMENTS_UPDATE: pgettext_lazy("act", "change deployments"),
    Action.DEPLOYMENTS_DELETE: pgettext_lazy("act", "delete deployments"),
    Action.DEPLOYMENTS_LIST: pgettext_lazy("act", "see deployments"),
    Action.SECRET_REFERENCES_CREATE: pgettext_lazy("act", "create secret references"),
    Action.SECRET_REFERENCES_READ: pgettext_lazy("act", "open secret references"),
    Action.SECRET_REFERENCES_UPDATE: pgettext_lazy("act", "change secret references"),
    Action.SECRET_REFERENCES_DELETE: pgettext_lazy("act", "delete secret references"),
    Action.SECRET_REFERENCES_LIST: pgettext_lazy("act", "see secret references"),
    Action.ORGANISATION_EXCLUSIONS_UPDATE: pgettext_lazy("act", "change exclusions"),
    Action.ORGANISATION_EXCLUSIONS_LIST: pgettext_lazy("act", "see exclusions"),
    Action.ORGANISATION_INTEGRATIONS_CREATE: pgettext_lazy("act", "create integrations of the organization"),
    Action.ORGANISATION_INTEGRATIONS_READ: pgettext_lazy("act", "open integrations of the organization"),
    Action.ORGANISATION_INTEGRATIONS_UPDATE: pgettext_lazy("act", "change integrations of the organization"),
    Action.ORGANISATION_INTEGRATIONS_DUPLICATE: pgettext_lazy("act", "duplicate integrations of the organization"),
    Action.ORGANISATION_INTEGRATIONS_DELETE: pgettext_lazy("act", "delete integrations of the organization"),
    Action.ORGANISATION_INTEGRATIONS_LIST: pgettext_lazy("act", "see integrations of the organization"),
    Action.ORGANISATION_INTEGRATIONS_COPY: pgettext_lazy("act", "copy integrations of the organization"),
    Action.WORKSPACES_LIST: pgettext_lazy("act", "see workspaces"),
    Action.WORKSPACES_READ: pgettext_lazy("act", "open workspaces"),
    Action.WORKSPACES_UPDATE: pgettext_lazy("act", "change the workspace's settings"),
    Action.WORKSPACE_USERS_LIST: pgettext_lazy("act", "see the team"),
    Action.WORKSPACE_USERS_READ: pgettext_lazy("act", "see the team"),
    Action.WORKSPACE_USERS_CREATE: pgettext_lazy("act", "add people to the team"),
    Action.WORKSPACE_USERS_UPDATE: pgettext_lazy("act", "change roles on the team"),
    Action.WORKSPACE_USERS_DELETE: pgettext_lazy("act", "remove people from the team"),
    Action.WORKSPACE_SERVICE_API_KEYS_CREATE: pgettext_lazy("act", "create service API keys"),
    Action.WORKSPACE_SERVICE_API_KEYS_READ: pgettext_lazy("act", "open service API keys"),
    Action.WORKSPACE_SERVICE_API_KEYS_UPDATE: pgettext_lazy("act", "change service API keys"),
    Action.WORKSPACE_SERVICE_API_KEYS_DELETE: pgettext_lazy("act", "revoke service API keys"),
    Action.WORKSPACE_SERVICE_API_KEYS_LIST: pgettext_lazy("act", "see service API keys"),
    Action.WORKSPACE_SERVICE_API_KEYS_ROTATE: pgettext_lazy("act", "rotate service API keys"),
    Action.WORKSPACE_USER_API_KEYS_CREATE: pgettext_lazy("act", "create personal API keys"),
    Action.WORKSPACE_USER_API_KEYS_READ: pgettext_lazy("act", "open personal API keys"),
    Action.WORKSPACE_USER_API_KEYS_UPDATE: pgettext_lazy("act", "change personal API keys"),
    Action.WORKSPACE_USER_API_KEYS_DELETE: pgettext_lazy("act", "revoke personal API keys"),
    Action.WORKSPACE_USER_API_KEYS_LIST: pgettext_lazy("act", "see personal API keys"),
    Action.WORKSPACE_USER_API_KEYS_ROTATE: pgettext_lazy("act", "rotate personal API keys"),
    Action.PROMPTS_LIST: pgettext_lazy("act", "see prompts"),
    Action.PROMPTS_READ: pgettext_lazy("act", "open prompts"),
    Action.PROMPTS_CREATE: pgettext_lazy("act", "create prompts"),
    Action.PROMPTS_UPDATE: pgettext_lazy("act", "change prompts"),
    Action.PROMPTS_RENDER: pgettext_lazy("act", "render prompts"),
    Action.PROMPTS_DELETE: pgettext_lazy("act", "delete prompts"),
    Action.PROMPTS_PUBLISH: pgettext_lazy("act", "publish prompts"),
    Action.CONFIGS_LIST: pgettext_lazy("act", "see configs"),
    Action.CONFIGS_READ: pgettext_lazy("act", "open configs"),
    Action.CONFIGS_CREATE: pgettext_lazy("act", "create configs"),
    Action.CONFIGS_UPDATE: pgettext_lazy("act", "change configs"),
    Action.CONFIGS_DELETE: pgettext_lazy("act", "delete configs"),
    Action.GUARDRAILS_LIST: pgettext_lazy("act", "see guardrails"),
    Action.GUARDRAILS_READ: pgettext_lazy("act", "open guardrails"),
    Action.GUARDRAILS_CREATE: pgettext_lazy("act", "create guardrails"),
    Action.GUARDRAILS_UPDATE: pgettext_lazy("act", "change guardrails"),
    Action.GUARDRAILS_DELETE: pgettext_lazy("act", "delete guardrails"),
    Action.WORKSPACE_INTEGRATIONS_LIST: pgettext_lazy("act", "see integrations"),
    Action.WORKSPACE_INTEGRATIONS_COPY: pgettext_lazy("act", "copy integrations"),
    Action.WORKSPACE_INTEGRATIONS_READ: pgettext_lazy("act", "open integrations"),
    Action.WORKSPACE_INTEGRATIONS_CREATE: pgettext_lazy("act", "create integrations"),
    Action.WORKSPACE_INTEGRATIONS_UPDATE: pgettext_lazy("act", "change integrations"),
    Action.WORKSPACE_INTEGRATIONS_DUPLICATE: pgettext_lazy("act", "duplicate integrations"),
    Action.WORKSPACE_INTEGRATIONS_DELETE: pgettext_lazy("act", "delete integrations"),
    Action.PROVIDERS_LIST: pgettext_lazy("act", "see providers"),
    Action.PROVIDERS_COPY: pgettext_lazy("act", "copy providers"),
    Action.PROVIDERS_READ: pgettext_lazy("act", "open providers"),
    Action.PROVIDERS_CREATE: pgettext_lazy("act", "create providers"),
    Action.PROVIDERS_UPDATE: pgettext_lazy("act", "change providers"),
    Action.PROVIDERS_DUPLICATE: pgettext_lazy("act", "duplicate providers"),
    Action.PROVIDERS_DELETE: pgettext_lazy("act", "delete providers"),
    Action.VIRTUAL_KEYS_LIST: pgettext_lazy("act", "see virtual keys"),
    Action.VIRTUAL_KEYS_COPY: pgettext_lazy("act", "copy virtual keys"),
    Action.VIRTUAL_KEYS_READ: pgettext_lazy("act", "open virtual keys"),
    Action.VIRTUAL_KEYS_CREATE: pgettext_lazy("act", "create virtual keys"),
    Action.VIRTUAL_KEYS_UPDATE: pgettext_lazy("act", "change virtual keys"),
    Action.VIRTUAL_KEYS_DUPLICATE: pgettext_lazy("act", "duplicate virtual keys"),
    Action.VIRTUAL_KEYS_DELETE: pgettext_lazy("act", "delete virtual keys"),
    Action.MODELS_LIST: pgettext_lazy("act", "see models"),
    Action.MODELS_COPY: pgettext_lazy("act", "copy models"),
    Action.MODELS_READ: pgettext_lazy("act", "open models"),
    Action.MODELS_CREATE: pgettext_lazy("act", "create models"),
    Action.MODELS_UPDATE: pgettext_lazy("act", "change models"),
    Action.MODELS_DUPLICATE: pgettext_lazy("act", "duplicate models"),
    Action.MODELS_DELETE: pgettext_lazy("act", "delete models"),
    Action.LOGS_LIST: pgettext_lazy("act", "see logs"),
    Action.LOGS_VIEW: pgettext_lazy("act", "see logs"),
    Action.LOGS_EXPORT: pgettext_lazy("act", "export logs"),
    Action.ANALYTICS_VIEW: pgettext_lazy("act", "see analytics"),
    Action.POLICIES_CREATE: pgettext_lazy("act", "create policies"),
    Action.POLICIES_READ: pgettext_lazy("act", "open policies"),
    Action.POLICIES_UPDATE: pgettext_lazy("act", "change policies"),
    Action.POLICIES_DELETE: pgettext_lazy("act", "delete policies"),
    Action.POLICIES_LIST: pgettext_lazy("act", "see policies"),
    Action.MCP_SERVERS_CREATE: pgettext_lazy("act", "create MCP servers"),
    Action.MCP_SERVERS_READ: pgettext_lazy("act", "open MCP servers"),
    Action.MCP_SERVERS_UPDATE: pgettext_lazy("act", "change MCP servers"),
    Action.MCP_SERVERS_DELETE: pgettext_lazy("act", "delete MCP servers"),
    Action.MCP_SERVERS_LIST: pgettext_lazy("act", "see MCP servers"),
    Action.AGENT_SERVERS_CREATE: pgettext_lazy("act", "create agent servers"),
    Action.AGENT_SERVERS_READ: pgettext_lazy("act", "open agent servers"),
    Action.AGENT_SERVERS_UPDATE: pgettext_lazy("act", "change agent servers"),
    Action.AGENT_SERVERS_DELETE: pgettext_lazy("act", "delete agent servers"),
    Action.AGENT_SERVERS_LIST: pgettext_lazy("act", "see agent servers"),
    Action.WORKSPACE_MCP_INTEGRATIONS_CREATE: pgettext_lazy("act", "create MCP integrations"),
    Action.WORKSPACE_MCP_INTEGRATIONS_READ: pgettext_lazy("act", "open MCP integrations"),
    Action.WORKSPACE_MCP_INTEGRATIONS_UPDATE: pgettext_lazy("act", "change MCP integrations"),
    Action.WORKSPACE_MCP_INTEGRATIONS_DELETE: pgettext_lazy("act", "delete MCP integrations"),
    Action.WORKSPACE_MCP_INTEGRATIONS_LIST: pgettext_lazy("act", "see MCP integrations"),
    Action.WORKSPACE_AGENT_INTEGRATIONS_CREATE: pgettext_lazy("act", "create agent integrations"),
    Action.WORKSPACE_AGENT_INTEGRATIONS_READ: pgettext_lazy("act", "open agent integrations"),
    Action.WORKSPACE_AGENT_INTEGRATIONS_UPDATE: pgettext_lazy("act", "change agent integrations"),
    Action.WORKSPACE_AGENT_INTEGRATIONS_DELETE: pgettext_lazy("act", "delete agent integrations"),
    Action.WORKSPACE_AGENT_INTEGRATIONS_LIST: pgettext_lazy("act", "see agent integrations"),
    Action.COMPLETIONS_WRITE: pgettext_lazy("act", "call models"),
    Action.LOGS_WRITE: pgettext_lazy("act", "write logs"),
    Action.GUARDRAILS_INVOKE: pgettext_lazy("act", "run guardrails"),
    Action.MCP_INVOKE: pgettext_lazy("act", "call MCP servers"),
    Action.AGENTS_INVOKE: pgettext_lazy("act", "call agents"),
}
_THINGS: Final[Mapping[str, Promise]] = {
    "organisations": pgettext_lazy("thing", "the organization"),
    "billing": pgettext_lazy("thing", "billing"),
    "organisation_owners": pgettext_lazy("thing", "owners"),
    "organisation_users": pgettext_lazy("thing", "members"),
    "workspaces": pgettext_lazy("thing", "workspaces"),
    "organisation_service_api_keys": pgettext_lazy("thing", "API keys of the organization"),
    "audit_logs": pgettext_lazy("thing", "audit log"),
    "plugins": pgettext_lazy("thing", "plugins"),
    "deployments": pgettext_lazy("thing", "deployments"),
    "secret_references": pgettext_lazy("thing", "secret references"),
    "organisation_exclusions": pgettext_lazy("thing", "exclusions"),
    "organisation_integrations": pgettext_lazy("thing", "integrations of the organization"),
    "workspace_users": pgettext_lazy("thing", "team"),
    "workspace_service_api_keys": pgettext_lazy("thing", "service API keys"),
    "workspace_user_api_keys": pgettext_lazy("thing", "personal API keys"),
    "prompts": pgettext_lazy("thing", "prompts"),
    "configs": pgettext_lazy("thing", "configs"),
    "guardrails": pgettext_lazy("thing", "guardrails"),
    "workspace_integrations": pgettext_lazy("thing", "integrations"),
    "providers": pgettext_lazy("thing", "providers"),
    "virtual_keys": pgettext_lazy("thing", "virtual keys"),
    "models": pgettext_lazy("thing", "models"),
    "logs": pgettext_lazy("thing", "logs"),
    "analytics": pgettext_lazy("thing", "analytics"),
    "policies": pgettext_lazy("thing", "policies"),
    "mcp_servers": pgettext_lazy("thing", "MCP servers"),
    "agent_servers": pgettext_lazy("thing", "agent servers"),
    "workspace_mcp_integrations": pgettext_lazy("thing", "MCP integrations"),
    "workspace_agent_integrations": pgettext_lazy("thing", "agent integrations"),
    "completions": pgettext_lazy("thing", "completions"),
    "mcp": pgettext_lazy("thing", "MCP calls"),
    "agents": pgettext_lazy("thing", "agent calls"),
}


def in_words(action: str) -> str:
    """What somebody does who uses this action, to follow "can" or "can't"."""
    try:
        return str(_PHRASES[Action(action)])
    except ValueError:
        return pgettext("act", "do this")


def thing(resource: str) -> str:
    """What a resource is called."""
    return str(_THINGS.get(resource) or resource.replace("_", " "))


def listed(words: Iterable[str], last: str = "") -> str:
    """Joins words as people do: "a, b and c"."""
    *first, final = words
    return f"{', '.join(first)} {last or _('and')} {final}" if first else final


# The first that fits names it: nearly every browser also calls itself those before it.
_BROWSERS: Final = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
_SYSTEMS: Final = {
    "Windows": "Windows",
    "Android": "Android",
    "iPhone|iPad": "iOS",
    "Mac OS": "macOS",
    "Linux": "Linux",
}


def program(agent: str) -> str:
    """A browser as its owner knows it: "Firefox on Windows"; anything else as it calls itself, shortened."""
    browser = next((name for pattern, name in _BROWSERS.items() if re.search(pattern, agent)), "")
    system = next((name for pattern, name in _SYSTEMS.items() if re.search(pattern, agent)), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return agent[:60] or _("Unknown program")
