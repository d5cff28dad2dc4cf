"""Refusals: each kind once a minute as a line of its own, its repetitions counted and written when the minute is over.

They are written after the refused transaction has ended, in one of their own, so that nothing undoes them.
"""

import hashlib
import json
from datetime import timedelta
from typing import Any, Final

from django.db import models, transaction

from apps.access.actors import Actor
from apps.audit import log
from apps.audit.events import Event
from apps.audit.models import INSTALLATION, AuditEvent, AuditFold, AuditNames
from apps.core.clock import now
from apps.core.networks import neighbourhood

WINDOW: Final = timedelta(minutes=1)
# What makes two refusals the same, with the route: not the whole address, or a flood of addresses were one of lines.
_ALIKE: Final = (
    *("chain", "event", "actor_kind", "actor_id", "workspace_id", "target_type", "target_id"),
    *("person_id", "door", "code", "details"),
)
_COPIED: Final = (*_ALIKE, "method", "uri", "status", "actor_role")
_MOST_AT_ONCE: Final = 500


def refused(action: str, *, actor: Actor, place: Any) -> None:
    """Writes down that somebody was refused an action in a place, or one that belongs to no organization."""
    if hasattr(place, "organization_key"):
        chain, workspace_id, target = place.organization_key, place.pk if place.parent is not None else None, place
    else:
        chain, workspace_id, target = INSTALLATION, None, None
    note(Event.ACCESS_REFUSED, 403, actor=actor, chain=chain, workspace_id=workspace_id, target=target, action=action)


@transaction.atomic
def note(
    event: Event,
    code: int,
    *,
    actor: Actor,
    chain: Any = INSTALLATION,
    workspace_id: Any = None,
    target: models.Model | None = None,
    times: int = 1,
    **details: Any,
) -> None:
    """Writes down a refusal, or counts it to the one just like it a moment ago.

    Arguments: `code` is the HTTP status that was answered; `times` is how many there were.
    """
    line = log.line_of(event, actor, target, chain, workspace_id=workspace_id, code=code, details=details)
    line.status = AuditEvent.Status.REFUSED
    names = log.names_of(actor, {"target": str(target)} if target is not None else {})
    fold = _fold(_fingerprint(line, names, actor.origin.route))
    if fold.line is not None and fold.until > now():
        AuditFold.objects.filter(pk=fold.pk).update(count=fold.count + times, last_at=now())
        return
    _close(fold)
    line.count = times
    written = log.append(line, names)
    AuditFold.objects.filter(pk=fold.pk).update(line=written.pk, until=now() + WINDOW, last_at=now(), count=0)


def settle() -> int:
    """Writes the repetitions whose minute is over, and returns how many refusals had been repeated; for a job."""
    settled, over = 0, AuditFold.objects.filter(until__lte=now()).order_by("until")
    while some := list(over.values_list("pk", flat=True)[:_MOST_AT_ONCE]):
        settled += sum(_settle(pk) for pk in some)
    return settled


@transaction.atomic
def _settle(pk: int) -> bool:
    fold = AuditFold.objects.select_for_update().filter(pk=pk, until__lte=now()).first()
    if fold is None:
        return False
    is_told = _close(fold)
    fold.delete()
    return is_told


def _fold(fingerprint: bytes) -> AuditFold:
    """The count of refusals like this one, held still; a new one is over already."""
    while True:  # until there is one that nobody has settled meanwhile
        fresh = AuditFold(fingerprint=fingerprint, until=now(), last_at=now())
        AuditFold.objects.bulk_create([fresh], ignore_conflicts=True)
        fold = AuditFold.objects.select_for_update().filter(fingerprint=fingerprint).first()
        if fold is not None:
            return fold


def _close(fold: AuditFold) -> bool:
    """Writes how often the refusal was repeated, as a line of its own that says of which; if it was at all."""
    first = AuditEvent.objects.filter(pk=fold.line).first() if fold.line is not None and fold.count else None
    if first is None:
        return False
    line = AuditEvent(**{name: getattr(first, name) for name in _COPIED}, count=fold.count)
    line.details = {**first.details, "repeats": first.sequence, "until": fold.last_at.isoformat()}
    log.append(line, AuditNames.objects.get(line=first).names)
    return True


def _fingerprint(line: AuditEvent, names: dict[str, str], route: str) -> bytes:
    facts = [str(getattr(line, name)) for name in _ALIKE if name != "details"]
    told = json.dumps([*facts, route, line.details, neighbourhood(names.get("address", ""))], sort_keys=True)
    return hashlib.sha256(told.encode()).digest()
