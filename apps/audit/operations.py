"""What can be done with the log itself: verify it, take a checkpoint, erase a person's names, let old lines go."""

import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any, Final

import structlog
from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import F, Q

from apps.access import gate
from apps.access.actions import Action
from apps.access.actors import Actor
from apps.audit import checkpoints, log, tasks, verification, words
from apps.audit.events import Event
from apps.audit.models import INSTALLATION, AuditCheckpoint, AuditEvent, AuditHead, AuditNames, AuditWord
from apps.audit.reading import batched
from apps.audit.retention import declared
from apps.audit.verification import Report
from apps.core import outbox
from apps.core.clock import now
from apps.core.search import folded

LONG: Final = 100_000  # lines: more are not read while somebody waits for a page
VERIFIED_EVERY: Final = timedelta(days=1)
_BATCH: Final = 20_000  # lines that go at once
_SUBJECTS: Final = 500
_WAITS: Final = 15 * 60  # seconds in which one job for a log is enough
_CHAINS, _LINES = 1_000, 1_000_000  # at once, by the clock
_log = structlog.get_logger(__name__)


def verify(organization: Any, *, by: Actor) -> Report | None:
    """Verifies the organization's log from its first line to its last, and writes down that it was.

    A long one is verified by a job: then there is no report yet, and what it finds is noted beside the head.
    """
    gate.require(by, Action.AUDIT_LOGS_LIST, organization)
    if AuditHead.objects.filter(chain=organization.pk, sequence__gt=LONG).exists():
        return _verify_later(organization, by)
    report = verification.verify(organization.pk)
    with transaction.atomic():
        found: dict[str, Any] = {"lines": report.lines, "faults": len(report.faults)}
        log.record(Event.AUDIT_LOG_VERIFIED, actor=by, target=organization, organization_id=organization.pk, **found)
    return report


@transaction.atomic
def _verify_later(organization: Any, by: Actor) -> None:
    log.record(Event.AUDIT_LOG_VERIFIED, actor=by, target=organization, organization_id=organization.pk, by_job=True)
    if cache.add(tasks.waiting(organization.pk), value=True, timeout=_WAITS):
        outbox.post(tasks.verify, str(organization.pk))


def verify_due() -> int:
    """Verifies the logs that nobody has for a day, some at a time; what is not whole is an error in the server's log.

    Returns how many lines were read.
    """
    read = 0
    for chain in _due():
        try:
            report = verification.verify(chain)
        except Exception:  # noqa: BLE001  # one that cannot even be read holds up no other
            _log.exception("audit_log_not_verified", chain=str(chain))
            continue
        if not report.is_whole:
            _log.error("audit_log_not_whole", chain=str(chain), fault=str(report.faults[0]), faults=len(report.faults))
        read += report.lines
        if read > _LINES:
            break
    return read


def _due() -> Iterator[uuid.UUID]:
    """Organizations whose log has lost its head, then those looked at longest ago; a time to come is none."""
    known = AuditHead.objects.values("chain")
    yield from (
        apps.get_model("organizations.organization")._default_manager.exclude(pk__in=known).values_list("pk", flat=True)
    )
    lately = Q(verified_at__gt=now() - VERIFIED_EVERY, verified_at__lte=now())
    due = AuditHead.objects.filter(sequence__gt=0).exclude(lately).order_by(F("verified_at").asc(nulls_first=True))
    yield from due.values_list("chain", flat=True)[:_CHAINS]


@transaction.atomic
def take_checkpoint(organization: Any, *, by: Actor) -> dict[str, Any]:
    """A signed checkpoint of where the log ends now, to be kept where nobody of this installation can write."""
    gate.require(by, Action.AUDIT_LOGS_LIST, organization)
    line = log.record(Event.AUDIT_LOG_CHECKPOINT_TAKEN, actor=by, target=organization, organization_id=organization.pk)
    asked = AuditCheckpoint.Reason.ASKED
    taken = checkpoints.make(organization.pk, asked, sequence=line.sequence, head=bytes(line.digest))
    return checkpoints.shown(taken)


@transaction.atomic
def erase(person: Any, *, addresses: Iterable[str] = (), by: Actor) -> int:
    """Erases a person's names and addresses beside the lines of every chain; the lines stay, and the chains hold.

    Arguments: `addresses` are the e-mail addresses that the person had. Returns of how many lines. Raises Forbidden to
    all but operators.
    """
    gate.require_operator(by)
    called = {folded(address) for address in (person.email, *addresses) if address}
    with declared():
        erased = sum(_erase_in(chain, person.pk, called) for chain in AuditHead.objects.values_list("chain", flat=True))
    unnamed = {"target": ""}
    event = Event.AUDIT_LOG_NAMES_ERASED
    log.record(event, actor=by, target=person, organization_id=None, names=unnamed, lines=erased)
    words.forget()
    return erased


def _erase_in(chain: uuid.UUID, person_id: uuid.UUID, called: set[str]) -> int:
    known = AuditWord.objects.filter(chain=chain, word__in=called).values_list("subject", flat=True)
    subjects = {str(person_id), *known}
    theirs = Q(actor_id=person_id) | Q(person_id=person_id) | Q(target_id__in=subjects)
    lines = AuditEvent.objects.filter(theirs, chain=chain)
    erased: int = (
        AuditNames.objects.filter(line__in=lines.values("pk")).exclude(names={}).update(names={}, salt=b"", address="")
    )
    AuditWord.objects.filter(chain=chain, subject__in=subjects).delete()
    return erased


def shorten(chain: uuid.UUID, *, before: datetime, by: Actor) -> int:
    """Deletes the lines older than this, and leaves a signed checkpoint at which the chain begins from then on.

    The last line stays. Returns how many went. In batches, each in a transaction of its own with a line of its own.
    """
    gone, end = 0, AuditHead.objects.filter(chain=chain).values_list("sequence", flat=True).first() or 0
    while number := _shorten_once(chain, before, end, by):
        gone += number
    return gone


def shorten_all(*, by: Actor) -> int:
    """The same for every chain, as old as the installation keeps lines; nothing where it keeps them for ever."""
    if not settings.AUDIT_RETENTION_DAYS:
        return 0
    before = now() - timedelta(days=settings.AUDIT_RETENTION_DAYS)
    chains = list(AuditHead.objects.values_list("chain", flat=True))
    return sum(shorten(chain, before=before, by=by) for chain in chains)


def _shorten_once(chain: uuid.UUID, before: datetime, end: int, by: Actor) -> int:
    """Lets the oldest of the lines up to the number `end` go, with the line that says so."""
    lines = AuditEvent.objects.filter(chain=chain, sequence__lte=end).order_by("sequence")
    with declared():
        AuditHead.objects.select_for_update().filter(chain=chain).first()
        ahead = list(lines.values_list("sequence", "at")[: _BATCH + 1])
        old = [sequence for sequence, _ in takewhile(lambda line: line[1] < before, ahead)]
        going = old[:-1] if len(old) == len(ahead) else old  # what follows them is there to be read
        if not going:
            return 0
        last = lines.get(sequence=going[-1])
        reason = AuditCheckpoint.Reason.RETENTION
        checkpoints.make(chain, reason, sequence=last.sequence, head=bytes(last.digest))
        leaving = lines.filter(sequence__lte=last.sequence)
        spoken_of = _subjects(leaving)
        AuditNames.objects.filter(line__in=leaving.order_by().values("pk")).delete()
        leaving._raw_delete(leaving.db)
        _forget_words(chain, spoken_of)
        organization_id = None if chain == INSTALLATION else chain
        told: dict[str, Any] = {"lines": len(going), "before": before.isoformat()}
        log.record(Event.AUDIT_LOG_SHORTENED, actor=by, target=None, organization_id=organization_id, **told)
    words.forget()
    return len(going)


def _subjects(lines: Any) -> set[str]:
    """Who and what these lines speak of."""
    columns = ("actor_id", "target_id", "person_id")
    return {str(found) for column in columns for found in lines.order_by().values_list(column, flat=True).distinct()}


def _forget_words(chain: uuid.UUID, subjects: set[str]) -> None:
    """Drops the words of whoever no line speaks of any more: a name is kept no longer than its lines."""
    for some in batched(iter(sorted(subjects)), _SUBJECTS):
        ids = [each for each in map(_as_id, some) if each is not None]
        spoken = Q(actor_id__in=ids) | Q(person_id__in=ids) | Q(target_id__in=some)
        left = _subjects(AuditEvent.objects.filter(spoken, chain=chain))
        AuditWord.objects.filter(chain=chain, subject__in=set(some) - left).delete()


def _as_id(subject: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(subject)
    except ValueError:
        return None
