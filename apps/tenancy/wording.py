"""Actions in the words of the people who read pages: "organisation_users.delete" is "remove members"."""

import re
from collections.abc import Iterable
from typing import Final

from apps.access.actions import Action

_PHRASES: Final = {
    Action.ORGANISATIONS_READ: "see this organization",
    Action.ORGANISATIONS_UPDATE: "change this organization's settings",
    Action.ORGANISATIONS_DELETE: "delete this organization",
    Action.BILLING_MANAGE: "manage billing",
    Action.ORGANISATION_OWNERS_MANAGE: "make or unmake owners",
    Action.ORGANISATION_USERS_LIST: "see the members",
    Action.ORGANISATION_USERS_READ: "see the members",
    Action.ORGANISATION_USERS_CREATE: "invite people",
    Action.ORGANISATION_USERS_UPDATE: "change members",
    Action.ORGANISATION_USERS_DELETE: "remove members",
    Action.WORKSPACES_DELETE: "archive workspaces",
    Action.WORKSPACES_UPDATE: "change the workspace's settings",
    Action.WORKSPACE_USERS_LIST: "see the team",
    Action.WORKSPACE_USERS_READ: "see the team",
    Action.WORKSPACE_USERS_CREATE: "add people to the team",
    Action.WORKSPACE_USERS_UPDATE: "change roles on the team",
    Action.WORKSPACE_USERS_DELETE: "remove people from the team",
    Action.COMPLETIONS_WRITE: "call models",
    Action.GUARDRAILS_INVOKE: "run guardrails",
    Action.MCP_INVOKE: "call MCP servers",
    Action.AGENTS_INVOKE: "call agents",
}
_VERBS: Final = {"list": "see", "read": "open", "update": "change", "view": "see"}
_RESOURCES: Final = {
    "organisations": "the organization",
    "organisation_owners": "owners",
    "organisation_users": "members",
    "workspace_users": "team",
    "organisation_service_api_keys": "API keys of the organization",
    "workspace_service_api_keys": "service API keys",
    "workspace_user_api_keys": "personal API keys",
    "organisation_integrations": "integrations of the organization",
    "organisation_exclusions": "exclusions",
    "workspace_integrations": "integrations",
    "audit_logs": "audit log",
    "mcp": "MCP calls",
    "mcp_servers": "MCP servers",
    "workspace_mcp_integrations": "MCP integrations",
    "workspace_agent_integrations": "agent integrations",
    "agents": "agent calls",
}


def in_words(action: str) -> str:
    """What somebody does who uses this action, to follow "can" or "can't"."""
    try:
        known = Action(action)
    except ValueError:
        return "do this"
    return _PHRASES.get(known) or f"{_VERBS.get(known.verb, known.verb)} {thing(known.resource)}"


def thing(resource: str) -> str:
    """What a resource is called."""
    return _RESOURCES.get(resource, resource.replace("_", " "))


def listed(words: Iterable[str], last: str = "and") -> str:
    """Joins words as people do: "a, b and c"."""
    *first, final = words
    return f"{', '.join(first)} {last} {final}" if first else final


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
    return f"{browser} on {system}" if browser and system else agent[:60] or "Unknown program"
