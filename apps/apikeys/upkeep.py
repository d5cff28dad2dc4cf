"""What time brings about for keys: rotations and warnings that are due, ends that have come, rows nobody needs.

Safe to run at any time, and twice at once: each thing is decided again in a transaction of its own, under its key's
lock or by what the database lets be there once. What fails is logged, and stops nothing else.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final

import structlog
from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django_tasks import task

from apps.access.actors import Origin, SystemActor
from apps.apikeys import keeping, notices, rotation, schedule
from apps.apikeys.models import ApiKey, Caller, Notice
from apps.apikeys.querysets import ApiKeyQuerySet
from apps.audit.events import Event
from apps.core.clock import now
from apps.core.errors import DomainError
from apps.limits import operations as limits
from apps.organizations.models import Organization
from apps.replays import operations as replays

AHEAD: Final = timedelta(hours=24)
LATEST_NEWS: Final = timedelta(days=30)  # an end that is longer ago is not told any more
UNSENT_FOR: Final = timedelta(minutes=10)
NOTICES_KEPT, CALLERS_KEPT = timedelta(days=90), timedelta(days=30)
BATCH: Final = 500
_log = structlog.get_logger(__name__)


@dataclass
class Done:
    """How often each thing was done."""

    rotated: int = 0
    put_off: int = 0
    warned: int = 0
    expired: int = 0
    secrets_erased: int = 0
    letters_sent_again: int = 0
    notices_removed: int = 0
    callers_removed: int = 0
    budgets_freed: int = 0
    answers_forgotten: int = 0
    failed: int = 0

    def __str__(self) -> str:
        return ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in asdict(self).items())


@task()  # type: ignore[untyped-decorator]  # the library ships no types for it
def keep_up() -> str:
    """The same as a job, for installations without cron."""
    return str(run(SystemActor(reason="keep_up", actions=[], origin=Origin(door="command"))))


def run(by: SystemActor) -> Done:
    """Does all that is due, and says how much it was."""
    done = Done()
    _each(done, "rotated", _to_rotate(), partial(rotation.rotate_by_calendar, by=by))
    _each(done, "put_off", _still_waiting(), partial(_put_off, by=by))
    _each(done, "warned", _rotating_soon(), partial(_warn, Notice.Kind.ROTATES_SOON, "next_rotation_at"))
    _each(done, "warned", _ending_transition(), partial(_warn, Notice.Kind.TRANSITION_ENDS_SOON, "transition_ends_at"))
    _each(done, "warned", _expiring_soon(), partial(_warn, Notice.Kind.EXPIRES_SOON, "expires_at"))
    _each(done, "expired", _expired(), partial(_expire, by=by))
    _once(done, "secrets_erased", rotation.forget_ended_transitions)
    _each(done, "letters_sent_again", _unsent(), notices.send_again)
    _once(done, "notices_removed", _remove_notices)
    _once(done, "callers_removed", _remove_callers)
    _once(done, "budgets_freed", limits.sweep)
    _once(done, "answers_forgotten", replays.purge)
    return done


def _each(done: Done, what: str, due: models.QuerySet[Any], act: Callable[[Any], bool]) -> None:
    """Does it for every row, each for itself: one that is not due any more, or fails, is passed over."""
    for row in _in_batches(due):
        try:
            happened = act(row)
        except DomainError:  # suspended, archived or revoked since it was found
            continue
        except Exception:  # noqa: BLE001 (logged; the rest goes on)
            done.failed += 1
            _log.exception("upkeep_failed", what=what, row=str(row.pk))
            continue
        setattr(done, what, getattr(done, what) + happened)


def _once(done: Done, what: str, act: Callable[[], int]) -> None:
    try:
        setattr(done, what, act())
    except Exception:  # noqa: BLE001 (logged; the rest goes on)
        done.failed += 1
        _log.exception("upkeep_failed", what=what)


def _in_batches(due: models.QuerySet[Any]) -> Iterator[Any]:
    """Every row once, a few at a time, whatever becomes of those before."""
    batch = list(due.order_by("pk")[:BATCH])
    while batch:
        yield from batch
        batch = list(due.filter(pk__gt=batch[-1].pk).order_by("pk")[:BATCH]) if len(batch) == BATCH else []


# What is due.


def _open() -> ApiKeyQuerySet:
    """Live keys in places where something can happen."""
    rows = ApiKey.objects.with_places().filter(organization__status=Organization.Status.ACTIVE)
    return rows.filter(Q(workspace=None) | Q(workspace__archived_at=None), status=ApiKey.Status.ACTIVE)


def _untold(rows: ApiKeyQuerySet, kind: str, field: str) -> ApiKeyQuerySet:
    """Those of which that has not been told about the moment in this column."""
    return rows.filter(~Exists(Notice.objects.filter(key=OuterRef("pk"), kind=kind, about=OuterRef(field))))


def _to_rotate() -> ApiKeyQuerySet:
    at = now()
    is_alone = Q(transition_ends_at=None) | Q(transition_ends_at__lte=at)
    return _open().live().filter(is_alone, next_rotation_at__lte=at, awaits_collection=False)


def _still_waiting() -> ApiKeyQuerySet:
    return _open().filter(next_rotation_at__lte=now(), awaits_collection=True)


def _rotating_soon() -> ApiKeyQuerySet:
    at = now()
    lives_to_it = Q(expires_at=None) | Q(expires_at__gt=F("next_rotation_at"))
    rows = _open().filter(
        lives_to_it, next_rotation_at__gt=at, next_rotation_at__lte=at + AHEAD, awaits_collection=False
    )
    return _untold(rows, Notice.Kind.ROTATES_SOON, "next_rotation_at")


def _ending_transition() -> ApiKeyQuerySet:
    """Of transitions that last longer than a warning is early: of a shorter one, people were told when it began."""
    at = now()
    rows = _open().live().filter(transition_ends_at__gt=at, transition_ends_at__lte=at + AHEAD)
    rows = rows.filter(transition_ends_at__gt=F("last_rotated_at") + AHEAD)
    return _untold(rows, Notice.Kind.TRANSITION_ENDS_SOON, "transition_ends_at")


def _expiring_soon() -> ApiKeyQuerySet:
    """But for keys that were made for less time than a warning is early."""
    at = now()
    rows = _open().filter(expires_at__gt=at, expires_at__lte=at + AHEAD).filter(expires_at__gt=F("created_at") + AHEAD)
    return _untold(rows, Notice.Kind.EXPIRES_SOON, "expires_at")


def _expired() -> ApiKeyQuerySet:
    at = now()
    rows = _open().filter(expires_at__lte=at, expires_at__gt=at - LATEST_NEWS)
    return _untold(rows, Notice.Kind.EXPIRED, "expires_at")


def _unsent() -> models.QuerySet[Notice]:
    return Notice.objects.filter(sent_at=None, created_at__lte=now() - UNSENT_FOR)


# What is done.


@transaction.atomic
def _warn(kind: str, field: str, key: ApiKey) -> bool:
    """Without a lock: the moment is told once, and not at all if it has moved until the letter leaves."""
    return notices.owe(key, kind, getattr(key, field))


@transaction.atomic
def _expire(key: ApiKey, *, by: SystemActor) -> bool:
    key = keeping.lock_key(key, by)
    if key.expires_at is None or key.shown_status != "expired":
        return False
    if not notices.owe(key, Notice.Kind.EXPIRED, key.expires_at):
        return False
    keeping.record(Event.API_KEY_EXPIRED, key, by, before={"mask": key.mask})
    return True


@transaction.atomic
def _put_off(key: ApiKey, *, by: SystemActor) -> bool:
    """Leaves out a turn of the calendar while a secret waits: whoever comes for it is given a new one anyway."""
    key = keeping.lock_key(key, by)
    if not key.awaits_collection or key.next_rotation_at is None or key.next_rotation_at > now():
        return False
    key.revise({"next_rotation_at": schedule.next_after(key.rotation_policy, now())}, by=by)
    return True


def _remove_notices() -> int:
    """Notices are numbered as they come: the oldest are looked at until one batch has none to remove."""
    removed = 0
    while True:
        oldest = list(Notice.objects.order_by("pk").values_list("pk", "sent_at")[:BATCH])
        over = [pk for pk, sent_at in oldest if sent_at is not None and sent_at < now() - NOTICES_KEPT]
        if not over:
            return removed
        Notice.objects.filter(pk__in=over).delete()
        removed += len(over)


def _remove_callers() -> int:
    removed = 0
    gone = Caller.objects.filter(at__lt=now() - CALLERS_KEPT).order_by("pk")
    while batch := list(gone.values_list("pk", flat=True)[:BATCH]):
        removed += Caller.objects.filter(pk__in=batch, at__lt=now() - CALLERS_KEPT).delete()[0]
    return removed
