"""What the log is told of answers that refuse whole calls: keys that are not let in, and calls that come too fast.

It is told after the answer is out. What has not even the form of a key costs no query on its way, and its repetitions
from one address are counted here and written once a second at most: a flood of it is no flood of writes.
"""

import threading
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import structlog
from django.http import HttpRequest, HttpResponse

from apps.access.actors import Actor, NobodyActor
from apps.apikeys.models import ApiKey
from apps.audit import refusals
from apps.audit.events import Event
from apps.audit.models import INSTALLATION
from apps.core.networks import neighbourhood

_EVERY: Final = 1.0  # seconds
_MOST: Final = 10_000  # addresses that are told apart
_LOOKING: Final = {"GET", "HEAD", "OPTIONS"}
_TOO_MUCH: Final = {HTTPStatus.PRECONDITION_FAILED, HTTPStatus.TOO_MANY_REQUESTS}
_log = structlog.get_logger(__name__)


class _Counted(NamedTuple):
    """When junk from an address was written last, and how often it came since."""

    at: float
    since: int


class Tally:
    """Counts what comes too often to be written each time."""

    def __init__(self) -> None:
        self._lock, self._counted = threading.Lock(), dict[str, _Counted]()

    def due(self, address: str) -> int:
        """How many are to be written now, this one among them; none while the last writing is a moment ago."""
        with self._lock:
            if address not in self._counted and len(self._counted) >= _MOST:
                self._counted.clear()
            at, since = self._counted.get(address, _Counted(float("-inf"), 0))
            now = time.monotonic()
            if now - at < _EVERY:
                self._counted[address] = _Counted(at, since + 1)
                return 0
            self._counted[address] = _Counted(now, 0)
            return since + 1


junk: Final = Tally()


def heed(request: HttpRequest, response: HttpResponse) -> None:
    """Has a refusal of the whole call written down once its answer is out."""
    told = _told(request, response.status_code)
    if told is not None:
        response._resource_closers.append(partial(_aloud, told))  # type: ignore[attr-defined]


def _aloud(tell: Callable[[], None]) -> None:
    """What fails once the answer is out fails silently otherwise."""
    try:
        tell()
    except Exception:
        _log.exception("refusal_not_written")
        raise


def _told(request: Any, status: int) -> Callable[[], None] | None:
    if status == HTTPStatus.UNAUTHORIZED and hasattr(request, "refused_digests"):
        return partial(_key, request)
    if status == HTTPStatus.FORBIDDEN and request.origin.door == "admin" and request.method not in _LOOKING:
        return None if hasattr(request, "is_refusal_noted") else partial(_console, request)
    return partial(_pace, request, status) if status in _TOO_MUCH else None


def _console(request: Any) -> None:
    """What Django itself refuses in the console."""
    from apps.tenancy.admin import actor_of_console  # noqa: PLC0415  # it stands above this room

    if request.user.is_authenticated:
        refusals.refused("installation.operate", actor=actor_of_console(request), place=None)


def _key(request: Any) -> None:
    """A key that is not let in, into the log of its organization; what is nobody's, into the installation's."""
    key, origin = request.refused_key or _revoked(request.refused_digests), request.origin
    if key is not None:
        key.origin = origin
        place: dict[str, Any] = {"chain": key.organization_id, "workspace_id": key.workspace_id, "target": key}
        refusals.note(Event.CREDENTIALS_REFUSED, HTTPStatus.UNAUTHORIZED, actor=key, **place)
    elif times := junk.due(neighbourhood(origin.address)):
        # Of the call itself nothing is told: where junk knocks is no news.
        by = NobodyActor(type(origin)(door=origin.door, address=origin.address, agent=origin.agent))
        refusals.note(Event.CREDENTIALS_REFUSED, HTTPStatus.UNAUTHORIZED, actor=by, times=times)


def _revoked(digests: list[bytes]) -> ApiKey | None:
    """A revoked key is not even read when it calls (AK-09); here, once it was answered, its organization is told."""
    return ApiKey.objects.filter(digest__in=digests).first() if digests else None


def _pace(request: Any, status: int) -> None:
    actor: Actor = getattr(request, "auth", None) or _person(request)
    tenant = getattr(request, "tenant", None)
    chain = tenant.organization.pk if tenant is not None else getattr(actor, "organization_id", INSTALLATION)
    workspace = tenant.workspace if tenant is not None else None
    refusals.note(
        Event.CALL_THROTTLED, status, actor=actor, chain=chain, workspace_id=workspace.pk if workspace else None
    )


def _person(request: Any) -> Actor:
    """Whoever is signed in; the API, where only keys are known, has nobody."""
    return NobodyActor(request.origin) if request.origin.door == "api" else request.actor
