"""Sends the log's lines, in their order: the next one only when the one before has arrived, or was given up.

A lease keeps two workers from sending to one stream at once. It is a moment in the row: whoever dies lets it pass.
What was sent is noted after the receiver has answered, so that a line may come twice and none is left out.
"""

import random
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import transaction

from apps.access.actors import Origin, SystemActor
from apps.audit.models import AuditEvent
from apps.core.clock import now
from apps.core.errors import DomainError
from apps.streams import operations, sending
from apps.streams.events import message_of
from apps.streams.models import Stream, Undelivered
from apps.streams.querysets import StreamQuerySet
from apps.streams.sending import Outcome

LEASE: Final = timedelta(seconds=60)  # longer than one line can take
FIRST, LONGEST = timedelta(seconds=5), timedelta(hours=1)
LINES_AT_ONCE: Final = 500
IN_ALL, EACH = 30.0, 10.0  # seconds; the line in hand is finished
_BEFORE_THOSE_THAT_FAIL: Final = 2 / 3  # of the time; what is left then is for them
_log = structlog.get_logger(__name__)


@dataclass
class Done:
    """What became of the lines that were due."""

    delivered: int = 0
    failed: int = 0
    given_up: int = 0

    def __str__(self) -> str:
        return ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in asdict(self).items())


def _never() -> bool:
    return False


def run(
    *, stop: Callable[[], bool] = _never, organization_id: uuid.UUID | None = None, seconds: float = IN_ALL
) -> Done:
    """Sends what is due to every stream, or to those of one organization, as far as the time reaches.

    Arguments: `stop` is asked before each line. `seconds` are for all of it: those that fail come last, and have a
    part of the time that nobody else takes, so that none is kept waiting for ever by receivers that are slow.
    """
    done, at_the_end = Done(), _or_after(seconds, stop)
    before_those_that_fail = _or_after(seconds * _BEFORE_THOSE_THAT_FAIL, stop)
    for pk, next_try_at in list(due(organization_id).in_turn().values_list("pk", "next_try_at")):
        is_over = before_those_that_fail if next_try_at is None else at_the_end
        if is_over():
            continue
        try:
            deliver(pk, done, stop=is_over)
        except Exception:  # noqa: BLE001 (logged; the other streams go on)
            done.failed += 1
            _log.exception("stream_failed", stream=str(pk))
    return done


def due(organization_id: uuid.UUID | None = None) -> StreamQuerySet:
    """The streams that there is something to send to now."""
    rows: StreamQuerySet = Stream.objects.active().free().with_something_to_send()
    return rows if organization_id is None else rows.filter(organization=organization_id)


def _or_after(seconds: float, stop: Callable[[], bool]) -> Callable[[], bool]:
    """Whether to stop: when `stop` says so, or so many seconds from now."""
    end = time.monotonic() + seconds
    return lambda: stop() or time.monotonic() >= end


def deliver(pk: uuid.UUID, done: Done, *, stop: Callable[[], bool] = _never) -> None:
    """Sends to one stream until there is nothing more, something fails, its time is over, or somebody else does it."""
    lease = _Lease.take(pk)
    if lease is None:
        return
    is_over = _or_after(EACH, stop)
    try:
        for _ in range(LINES_AT_ONCE):
            stream = None if is_over() else lease.renew()
            if stream is None or not _deliver_next(stream, lease, done):
                break
    finally:
        lease.end()


class _Lease:
    """The right to send to one stream; everything that delivery notes is written under it, or not at all."""

    def __init__(self, pk: uuid.UUID, until: datetime) -> None:
        self._pk, self._until = pk, until

    @classmethod
    def take(cls, pk: uuid.UUID) -> "_Lease | None":
        until = now() + LEASE
        taken = Stream.objects.active().free().filter(pk=pk).update(leased_until=until)
        return cls(pk, until) if taken else None

    def renew(self) -> Stream | None:
        """The stream as it is now, with a whole lease for the next line; None when it is paused, gone or not ours."""
        if not self.note(leased_until=now() + LEASE):
            return None
        return Stream.objects.active().filter(pk=self._pk, leased_until=self._until).first()

    def note(self, **changes: Any) -> bool:
        """Writes it if the lease is still ours, and says so. Nobody else takes it before the transaction ends."""
        changes = {"leased_until": self._until, **changes}
        written = Stream.objects.filter(pk=self._pk, leased_until=self._until).update(**changes)
        self._until = changes["leased_until"] if written else self._until
        return bool(written)

    def end(self) -> None:
        self.note(leased_until=None)


def _attempt(stream: Stream, line: AuditEvent) -> Outcome:
    """One line that breaks something counts as one that did not arrive, or it would hold up all that come after."""
    try:
        return sending.send(stream, message_of(line, stream))
    except Exception:  # noqa: BLE001 (logged)
        _log.exception("stream_line_failed", stream=str(stream.pk), sequence=line.sequence)
        return Outcome(sending.BROKEN)


def _deliver_next(stream: Stream, lease: _Lease, done: Done) -> bool:
    """Sends one line; answers whether to go on."""
    wanted = stream.undelivered.filter(is_wanted=True).order_by("sequence").first()
    if wanted is not None:
        return _deliver_again(stream, wanted, lease, done)
    lines = AuditEvent.objects.filter(chain=stream.organization_id, sequence__gt=stream.position)
    line = lines.select_related("side").order_by("sequence").first()
    if line is None:
        return False
    outcome = _attempt(stream, line)
    if outcome.is_delivered:
        arrived = {"position": line.sequence, "attempts": 0, "next_try_at": None, "last_error": ""}
        done.delivered += 1
        return lease.note(**arrived, last_delivered_at=now())
    if outcome.is_hopeless:
        _pause(stream, outcome, lease)
        return False
    if stream.attempts + 1 >= settings.STREAM_ATTEMPTS:
        done.given_up += 1
        return _give_up(stream, line, outcome, lease)
    done.failed += 1
    attempts = stream.attempts + 1
    lease.note(attempts=attempts, next_try_at=now() + pause_after(attempts), last_error=outcome.error)
    return False


def pause_after(attempts: int) -> timedelta:
    """How long to wait: twice as long each time, and never the same for all, so that they do not come back at once."""
    whole: timedelta = min(FIRST * 2 ** (attempts - 1), LONGEST)
    return whole * random.uniform(0.5, 1.0)  # noqa: S311 (no secret)


def _give_up(stream: Stream, line: AuditEvent, outcome: Outcome, lease: _Lease) -> bool:
    """Keeps the line for somebody to look at, and goes on with the next one."""
    passed = {"position": line.sequence, "attempts": 0, "next_try_at": None, "last_error": outcome.error}
    with transaction.atomic():
        if not lease.note(**passed):
            return False
        left = Undelivered(
            organization_id=stream.organization_id,
            stream=stream,
            sequence=line.sequence,
            attempts=stream.attempts + 1,
            error=outcome.error,
        )
        Undelivered.objects.bulk_create([left], ignore_conflicts=True)
    _log.warning("stream_gave_up", stream=str(stream.pk), sequence=line.sequence, error=outcome.error)
    return True


def _deliver_again(stream: Stream, left: Undelivered, lease: _Lease, done: Done) -> bool:
    """Sends one that was given up; when that is in vain, it stays where it is and nobody waits for it.

    Whoever has lost the lease meanwhile leaves it to the other one, who sends it once more.
    """
    lines = AuditEvent.objects.filter(chain=stream.organization_id, sequence=left.sequence)
    line = lines.select_related("side").first()
    outcome = _attempt(stream, line) if line is not None else Outcome()
    mine = Undelivered.objects.filter(pk=left.pk)
    if outcome.is_delivered:
        done.delivered += 1
        with transaction.atomic():
            if not lease.note(last_delivered_at=now()):
                return False
            mine.delete()
        return True
    done.failed += 1
    with transaction.atomic():
        if not lease.note():
            return False
        mine.update(is_wanted=False, attempts=left.attempts + 1, error=outcome.error, at=now())
    if outcome.is_hopeless:
        _pause(stream, outcome, lease)
    return not outcome.is_hopeless


def _pause(stream: Stream, outcome: Outcome, lease: _Lease) -> None:
    """The receiver wants no more, or nothing can be signed: somebody has to look at it."""
    if not lease.note(attempts=stream.attempts + 1, last_error=outcome.error):
        return
    by = SystemActor(reason="stream_delivery", actions=operations.NEEDED, origin=Origin(door="command"))
    try:
        operations.pause(stream, because=outcome.error, version=stream.version, by=by)
    except DomainError as refusal:  # paused, suspended or deleted meanwhile
        _log.info("stream_not_paused", stream=str(stream.pk), because=type(refusal).__name__)
