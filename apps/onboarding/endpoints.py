"""Which endpoints of the API need an action, read from the table of addresses itself."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

from django.urls import URLPattern, get_resolver

from apps.access.actions import Action
from apps.access.scopes import KeyType
from apps.apikeys.models import ApiKey, action_on

# What the handlers of an endpoint are called, in the words of actions.
_VERBS = {"list": "list", "retrieve": "read", "create": "create", "update": "update", "destroy": "delete"}


class Endpoint(NamedTuple):
    """One method of one address: GET /v1/admin/users."""

    method: str
    path: str


def needing(actions: Iterable[Action]) -> list[Endpoint]:
    """The endpoints that need one of these actions, in order."""
    known = by_action()
    found = {endpoint for action in actions for endpoint in known.get(action, ())}
    return sorted(found, key=lambda endpoint: (endpoint.path, endpoint.method))


@cache
def by_action() -> Mapping[Action, list[Endpoint]]:
    found: dict[Action, list[Endpoint]] = defaultdict(list)
    for pattern in get_resolver("config.api_urls").url_patterns:
        view = getattr(pattern.callback, "cls", None) if isinstance(pattern, URLPattern) else None
        for method, handler in (getattr(pattern.callback, "actions", None) or {}).items():
            for action in _needed(view, handler):
                found[action].append(Endpoint(method.upper(), f"/v1/{_path(str(pattern.pattern))}"))
    return found


def _needed(view: Any, handler: str) -> Iterable[Action]:
    needed = getattr(view, "actions", {}).get(handler)  # one that asks for no key needs no action
    if isinstance(needed, Action):
        return [needed]
    # Where it is decided by the key that the path names, each family of keys has an action for it.
    is_on_keys = getattr(view, "model", None) is ApiKey and handler in _VERBS
    return [action_on(key_type, _VERBS[handler]) for key_type in KeyType] if is_on_keys else []


def _path(pattern: str) -> str:
    named = re.sub(r"\(\?P<(\w+)>[^)]*\)|<\w+:(\w+)>", lambda found: f"{{{found[1] or found[2]}}}", pattern)
    return named.strip("^$")
