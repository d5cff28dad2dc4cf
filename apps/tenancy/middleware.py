"""Names every request, and says who makes it."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from apps.access.actors import Actor, NobodyActor, Origin, UserActor
from apps.apikeys import uses
from apps.apikeys.models import ApiKey
from apps.core import logs
from apps.core.clock import now
from apps.core.models import new_id
from apps.tenancy import refusing

Handler = Callable[[HttpRequest], HttpResponse]
# A caller may name its own request, as long as the name is harmless in a log line.
_HARMLESS = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_SOMEBODY = re.compile(r"[^/]*@[^/]*")  # a part of a path that is an address
# What routes call the parts of a path that open a door by being known: links of letters.
_SECRET = ("token", "key", "uidb36")
TRACE_HEADER, REQUEST_HEADER = "x-portkey-trace-id", "x-portkey-request-id"


class TraceMiddleware:
    """Every answer carries its request's id: without it, clients repeat a failed POST (contract 1.0)."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(TRACE_HEADER, "")
        request_id = given if _HARMLESS.fullmatch(given) and logs.masked(given) == given else str(new_id())
        request.origin = Origin(  # type: ignore[attr-defined]
            door="api" if is_api(request.path) else "admin" if request.path.startswith("/admin/") else "page",
            request_id=request_id,
            address=address_of(request),
            agent=str(logs.masked(request.headers.get("User-Agent", ""))),
            method=request.method or "",
            uri=unspoken(request.path),
        )
        if request.origin.door == "api":  # type: ignore[attr-defined]
            # Keys only (product P26): no session is looked for, let alone written.
            request.COOKIES = {}
        # A quoted cookie can spell a NUL, which no database takes in a session's key.
        request.COOKIES = {name: value for name, value in request.COOKIES.items() if "\0" not in value}
        structlog.contextvars.bind_contextvars(trace_id=request_id)
        response = self.get_response(request)
        response[TRACE_HEADER] = response[REQUEST_HEADER] = request_id
        follow(request, response)
        refusing.heed(request, response)
        return response

    def process_view(self, request: Any, view: Any, args: Any, kwargs: dict[str, Any]) -> None:
        """The address as the log keeps it: without what opens a door by being known."""
        route = request.resolver_match.route
        request.origin = replace(request.origin, uri=without_secrets(request.path, kwargs), route=route)


class ActorMiddleware:
    """`request.actor`: the person who is signed in, or nobody. Keys become actors in the API alone."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = SimpleLazyObject(lambda: actor_of(request))  # type: ignore[attr-defined]
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def without_secrets(path: str, given: dict[str, Any]) -> str:
    """The path without the parts that its route calls secret."""
    for name in _SECRET:
        if isinstance(secret := given.get(name), str) and secret:
            path = path.replace(secret, "…")
    return unspoken(path)


def unspoken(path: str) -> str:
    """The path without what looks like a secret or an address of somebody: a line of the log is for ever."""
    return _SOMEBODY.sub("…", str(logs.masked(path)))


def actor_of(request: HttpRequest) -> Actor:
    origin: Origin = request.origin  # type: ignore[attr-defined]
    return UserActor(request.user, origin) if request.user.is_authenticated else NobodyActor(origin)


def follow(request: HttpRequest, response: HttpResponse) -> None:
    """Notes the use of a key once its answer is out. What was refused used the key, but none of its scopes."""
    key = getattr(request, "auth", None)
    if not isinstance(key, ApiKey):
        return
    at, is_refused = now(), response.status_code in {401, 403}

    def note() -> None:
        match = request.resolver_match
        uses.note(
            key,
            at=at,
            address=request.origin.address,  # type: ignore[attr-defined]
            agent=request.origin.agent,  # type: ignore[attr-defined]
            route=uses.template(request.method or "", match.route if match else ""),
            scopes=() if is_refused else key.used,
        )

    response._resource_closers.append(note)  # type: ignore[attr-defined]


def is_api(path: str) -> bool:
    return path.startswith(("/v1/", "/v2/")) or path in {"/v1", "/v2"}


def address_of(request: HttpRequest) -> str:
    """The caller's address, as the outermost trusted proxy saw it; nothing a caller can write counts."""
    hops: int = settings.ALLAUTH_TRUSTED_PROXY_COUNT
    forwarded = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    if hops and len(forwarded) >= hops:
        return forwarded[-hops][:64]
    return str(request.META.get("REMOTE_ADDR", ""))[:64]
