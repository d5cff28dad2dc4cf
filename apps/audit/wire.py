"""Lines of the log in the wire's two words for each: the type of resource and what was done to it (contract 3.12)."""

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Final

from django.db.models import Q

from apps.access.actions import Action
from apps.audit.events import Event
from apps.audit.models import AuditEvent

Words = tuple[str, str]

_ORGANIZATION, _WORKSPACES, _KEYS = "Organization", "Workspaces", "API Keys"
_USERS, _TEAMS, _INVITES, _ACCOUNTS = "Users", "Workspace Users", "Invites", "Accounts"
_LOG, _STREAMS = "Audit Logs", "Audit Streams"
CREATE, UPDATE, DELETE, EXPORT, ROTATE, MANAGE = "Create", "Update", "Delete", "Export", "Rotate", "Manage"
PUBLISH, DUPLICATE = "Publish", "Duplicate"  # of refusals alone, so far
READ: Final = "Read"  # of refusals alone: what is only looked at leaves no line

WORDS: Final[Mapping[Event, Words]] = {
    Event.ORGANIZATION_FOUNDED: (_ORGANIZATION, CREATE),
    Event.ORGANIZATION_UPDATED: (_ORGANIZATION, UPDATE),
    Event.ORGANIZATION_SUSPENDED: (_ORGANIZATION, MANAGE),
    Event.ORGANIZATION_RESUMED: (_ORGANIZATION, MANAGE),
    Event.ORGANIZATION_DELETED: (_ORGANIZATION, DELETE),
    Event.WORKSPACE_CREATED: (_WORKSPACES, CREATE),
    Event.WORKSPACE_UPDATED: (_WORKSPACES, UPDATE),
    Event.WORKSPACE_ARCHIVED: (_WORKSPACES, DELETE),  # what the wire's DELETE does
    Event.WORKSPACE_RESTORED: (_WORKSPACES, MANAGE),
    Event.WORKSPACE_DELETED: (_WORKSPACES, DELETE),
    Event.INVITATION_CREATED: (_INVITES, CREATE),
    Event.INVITATION_RESENT: (_INVITES, MANAGE),
    Event.INVITATION_ROLE_CHANGED: (_INVITES, UPDATE),
    Event.INVITATION_LINK_COPIED: (_INVITES, MANAGE),
    Event.INVITATION_TAKEN_OVER: (_INVITES, MANAGE),
    Event.INVITATION_CANCELLED: (_INVITES, DELETE),
    Event.INVITATION_ACCEPTED: (_INVITES, MANAGE),
    Event.INVITATION_DECLINED: (_INVITES, DELETE),
    Event.MEMBERSHIP_CREATED: (_USERS, CREATE),
    Event.MEMBERSHIP_ROLE_CHANGED: (_USERS, UPDATE),
    Event.MEMBERSHIP_REMOVED: (_USERS, DELETE),
    Event.MEMBERSHIP_LEFT: (_USERS, DELETE),
    Event.MEMBERSHIP_SUSPENDED: (_USERS, MANAGE),
    Event.MEMBERSHIP_REACTIVATED: (_USERS, MANAGE),
    Event.WORKSPACE_MEMBERSHIP_CREATED: (_TEAMS, CREATE),
    Event.WORKSPACE_MEMBERSHIP_ROLE_CHANGED: (_TEAMS, UPDATE),
    Event.WORKSPACE_MEMBERSHIP_REMOVED: (_TEAMS, DELETE),
    Event.API_KEY_ISSUED: (_KEYS, CREATE),
    Event.API_KEY_UPDATED: (_KEYS, UPDATE),
    Event.API_KEY_DISABLED: (_KEYS, MANAGE),
    Event.API_KEY_ENABLED: (_KEYS, MANAGE),
    Event.API_KEY_REVOKED: (_KEYS, DELETE),
    Event.API_KEY_ROTATED: (_KEYS, ROTATE),
    Event.API_KEY_COLLECTED: (_KEYS, ROTATE),
    Event.API_KEY_TRANSITION_ENDED: (_KEYS, ROTATE),
    Event.API_KEY_EXPIRED: (_KEYS, MANAGE),
    Event.API_KEY_EXHAUSTED: (_KEYS, MANAGE),
    Event.API_KEY_USAGE_RESET: (_KEYS, MANAGE),
    Event.API_KEY_LEAKED: (_KEYS, MANAGE),
    Event.KEY_POLICY_CHANGED: (_KEYS, MANAGE),
    Event.ACCOUNT_RENAMED: (_ACCOUNTS, UPDATE),
    Event.ACCOUNT_LOCALE_CHANGED: (_ACCOUNTS, UPDATE),
    Event.ACCOUNT_FACTOR_ADDED: (_ACCOUNTS, UPDATE),
    Event.ACCOUNT_FACTOR_REMOVED: (_ACCOUNTS, UPDATE),
    Event.ACCOUNT_RECOVERY_CODES_RENEWED: (_ACCOUNTS, UPDATE),
    Event.ACCOUNT_RECOVERY_CODE_USED: (_ACCOUNTS, MANAGE),
    Event.ACCOUNT_CLOSED: (_ACCOUNTS, DELETE),
    Event.ACCOUNT_DEACTIVATED: (_ACCOUNTS, MANAGE),
    Event.ACCOUNT_REACTIVATED: (_ACCOUNTS, MANAGE),
    Event.ACCOUNT_SIGNED_UP: (_ACCOUNTS, CREATE),
    Event.ACCOUNT_SIGNED_IN: (_ACCOUNTS, MANAGE),
    Event.ACCOUNT_SIGNED_OUT: (_ACCOUNTS, MANAGE),
    Event.ACCOUNT_SESSIONS_ENDED: (_ACCOUNTS, MANAGE),
    Event.ACCOUNT_PASSWORD_CHANGED: (_ACCOUNTS, UPDATE),
    Event.ACCOUNT_ADDRESS_ADDED: (_ACCOUNTS, UPDATE),
    Event.ACCOUNT_ADDRESS_REMOVED: (_ACCOUNTS, UPDATE),
    Event.ACCOUNT_ADDRESS_CHANGED: (_ACCOUNTS, UPDATE),
    Event.ACCOUNT_ADDRESS_VERIFIED: (_ACCOUNTS, UPDATE),
    Event.LIST_EXPORTED: (_USERS, EXPORT),
    Event.AUDIT_LOG_EXPORTED: (_LOG, EXPORT),
    Event.AUDIT_LOG_VERIFIED: (_LOG, MANAGE),
    Event.AUDIT_LOG_CHECKPOINT_TAKEN: (_LOG, EXPORT),
    Event.AUDIT_LOG_SHORTENED: (_LOG, DELETE),
    Event.AUDIT_LOG_NAMES_ERASED: (_LOG, DELETE),
    Event.STREAM_CREATED: (_STREAMS, CREATE),
    Event.STREAM_UPDATED: (_STREAMS, UPDATE),
    Event.STREAM_PAUSED: (_STREAMS, MANAGE),
    Event.STREAM_RESUMED: (_STREAMS, MANAGE),
    Event.STREAM_TESTED: (_STREAMS, MANAGE),
    Event.STREAM_RESENT: (_STREAMS, MANAGE),
    Event.STREAM_DELETED: (_STREAMS, DELETE),
    Event.ROLES_REPAIRED: (_ORGANIZATION, MANAGE),
    Event.ACCESS_REFUSED: (_ORGANIZATION, MANAGE),  # unless the line says which action; see below
    Event.SIGN_IN_REFUSED: (_ACCOUNTS, MANAGE),
    Event.CREDENTIALS_REFUSED: (_KEYS, MANAGE),
    Event.CALL_THROTTLED: (_KEYS, MANAGE),
}
# A refused action in the same words: by what it is of, and by its verb.
_RESOURCES: Final[Mapping[str, str]] = {
    "organisations": _ORGANIZATION,
    "billing": _ORGANIZATION,
    "organisation_owners": _USERS,
    "organisation_users": _USERS,
    "workspaces": _WORKSPACES,
    "workspace_users": _TEAMS,
    "organisation_service_api_keys": _KEYS,
    "workspace_service_api_keys": _KEYS,
    "workspace_user_api_keys": _KEYS,
    "audit_logs": _LOG,
    "organisation_integrations": "Integrations",
    "workspace_integrations": "Integrations",
    "providers": "Model Catalog",
    "virtual_keys": "Model Catalog",
    "models": "Model Catalog",
    "prompts": "Prompts",
    "configs": "Configs",
    "guardrails": "Guardrails",
}
_VERBS: Final[Mapping[str, str]] = {
    "create": CREATE,
    "update": UPDATE,
    "delete": DELETE,
    "publish": PUBLISH,
    "export": EXPORT,
    "rotate": ROTATE,
    "duplicate": DUPLICATE,
    "copy": DUPLICATE,
    "list": READ,
    "read": READ,
    "view": READ,
}
_OPERATE: Final = "installation.operate"  # what no role holds: the operator's own acts at the console


def _of_action(action: Action) -> Words:
    plain = action.resource.replace("_", " ").title().replace("Mcp", "MCP")
    return _RESOURCES.get(action.resource, plain), _VERBS.get(action.verb, MANAGE)


_ACTS: Final[Mapping[str, Words]] = {
    **{action.value: _of_action(action) for action in Action},
    _OPERATE: (_ORGANIZATION, MANAGE),
}
_EVERY: Final = {*WORDS.values(), *_ACTS.values()}
RESOURCE_TYPES: Final = sorted({resource for resource, _ in _EVERY})
ACTIONS: Final = sorted({action for _, action in _EVERY})


def words_of(line: AuditEvent) -> Words:
    """The type of resource and the action of a line; of a refusal, what was tried."""
    if line.event not in set(Event):
        return "", ""  # somebody has altered it
    said, tried = WORDS[Event(line.event)], str(line.details.get("action", ""))
    return _ACTS.get(tried, said) if line.event == Event.ACCESS_REFUSED else said


def in_words(resource_type: str | None, action: str | None) -> Q:
    """Narrows lines to those that `words_of` describes so, whatever the case of the words; None is any."""
    if resource_type is None and action is None:
        return Q()
    asked = [word.casefold() if word is not None else None for word in (resource_type, action)]

    def fits(words: Words) -> bool:
        return all(word in (None, said.casefold()) for word, said in zip(asked, words, strict=True))

    events = [event for event, words in WORDS.items() if event != Event.ACCESS_REFUSED and fits(words)]
    tried = [act for act, words in _ACTS.items() if fits(words)]
    of_refusals = reduce(or_, (Q(details__contains=f'"action":"{act}"') for act in tried), Q(pk__in=[]))
    return Q(event__in=events) | Q(of_refusals, event=Event.ACCESS_REFUSED)
