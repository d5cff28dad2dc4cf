"""What can be done with the log itself: verify it, take a checkpoint, erase a person's names, let old lines go."""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from apps.access import gate
from apps.access.actions import Action
from apps.access.actors import Actor
from apps.audit import checkpoints, log, tasks, verification, words
from apps.audit.events import Event
from apps.audit.models import INSTALLATION, AuditCheckpoint, AuditEvent, AuditHead, AuditNames, AuditWord
from apps.audit.retention import declared
from apps.audit.verification import Report
from apps.core import outbox
from apps.core.clock import now
from apps.core.search import folded

LONG: Final = 100_000  # lines: more are not read while somebody waits for a page
VERIFIED_EVERY: Final = timedelta(days=1)
_BATCH: Final = 1_000
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
    outbox.post(tasks.verify, str(organization.pk))


def verify_due() -> int:
    """Verifies the logs that nobody has for a day, some at a time; what is not whole is an error in the server's log.

    Returns how many lines were read.
    """
    read, due = 0, AuditHead.objects.filter(sequence__gt=0).exclude(verified_at__gt=now() - VERIFIED_EVERY)
    for chain in due.order_by(F("verified_at").asc(nulls_first=True)).values_list("chain", flat=True)[:_CHAINS]:
        report = verification.verify(chain)
        if not report.is_whole:
            _log.error("audit_log_not_whole", chain=str(chain), fault=str(report.faults[0]), faults=len(report.faults))
        read += report.lines
        if read > _LINES:
            break
    return read


@transaction.atomic
def take_checkpoint(organization: Any, *, by: Actor) -> dict[str, Any]:
    """A signed checkpoint of where the log ends now, to be kept where nobody of this installation can write."""
    gate.require(by, Action.AUDIT_LOGS_LIST, organization)
    line = log.record(Event.AUDIT_LOG_CHECKPOINT_TAKEN, actor=by, target=organization, organization_id=organization.pk)
    asked = AuditCheckpoint.Reason.ASKED
    taken = checkpoints.make(organization.pk, asked, sequence=line.sequence, head=bytes(line.digest))
    return checkpoints.shown(taken)


def erase(person: Any, *, addresses: Iterable[str] = (), by: Actor) -> int:
    """Erases a person's names and addresses beside the lines of every chain; the lines stay, and the chains hold.

    Arguments: `addresses` are the e-mail addresses that the person had. Returns of how many lines. In batches, each in
    a transaction of its own: what is erased stays erased when the rest fails. Raises Forbidden to all but operators.
    """
    gate.require_operator(by)
    called = {folded(address) for address in (person.email, *addresses) if address}
    erased = sum(_erase_in(chain, person.pk, called) for chain in AuditHead.objects.values_list("chain", flat=True))
    with transaction.atomic():
        unnamed = {"target": ""}
        event = Event.AUDIT_LOG_NAMES_ERASED
        log.record(event, actor=by, target=person, organization_id=None, names=unnamed, lines=erased)
    words.forget()
    return erased


def _erase_in(chain: uuid.UUID, person_id: uuid.UUID, called: set[str]) -> int:
    known = AuditWord.objects.filter(chain=chain, word__in=called).values_list("subject", flat=True)
    subjects = {str(person_id), *known}
    theirs = Q(actor_id=person_id) | Q(person_id=person_id) | Q(target_id__in=subjects)
    lines = AuditEvent.objects.filter(theirs, chain=chain).exclude(side__names={}).order_by("pk")
    erased = 0
    while batch := list(lines.values_list("pk", flat=True)[:_BATCH]):
        with declared():
            AuditNames.objects.filter(line__in=batch).update(names={}, salt=b"", address="")
        erased += len(batch)
    AuditWord.objects.filter(chain=chain, subject__in=subjects).delete()
    return erased


def shorten(chain: uuid.UUID, *, before: datetime, by: Actor) -> int:
    """Deletes the lines older than this, and leaves a signed checkpoint at which the chain begins from then on.

    The last line stays. Returns how many went. In batches, each in a transaction of its own.
    """
    gone = 0
    while number := _shorten_once(chain, before):
        gone += number
    if gone:
        with transaction.atomic():
            log.record(
                Event.AUDIT_LOG_SHORTENED,
                actor=by,
                target=None,
                organization_id=None if chain == INSTALLATION else chain,
                lines=gone,
                before=before.isoformat(),
            )
    return gone


def shorten_all(*, by: Actor) -> int:
    """The same for every chain, as old as the installation keeps lines; nothing where it keeps them for ever."""
    if not settings.AUDIT_RETENTION_DAYS:
        return 0
    before = now() - timedelta(days=settings.AUDIT_RETENTION_DAYS)
    chains = list(AuditHead.objects.values_list("chain", flat=True))
    return sum(shorten(chain, before=before, by=by) for chain in chains)


def _shorten_once(chain: uuid.UUID, before: datetime) -> int:
    lines = AuditEvent.objects.filter(chain=chain).order_by("sequence")
    with declared():
        AuditHead.objects.select_for_update().filter(chain=chain).first()
        batch = list(lines[: _BATCH + 1])
        old = list(takewhile(lambda line: line.at < before, batch))
        going = old[:-1] if len(old) == len(batch) else old  # what follows them is there to be read
        if not going:
            return 0
        last = going[-1]
        reason = AuditCheckpoint.Reason.RETENTION
        checkpoints.make(chain, reason, sequence=last.sequence, head=bytes(last.digest))
        AuditNames.objects.filter(line__in=[line.pk for line in going]).delete()
        AuditEvent.objects.filter(chain=chain, sequence__lte=last.sequence).delete()
        return len(going)
