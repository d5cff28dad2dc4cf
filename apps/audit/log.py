"""Writes lines of the log: in the transaction that makes them true, or after the one that was refused."""

import uuid
from typing import Any

from django.db import models, transaction

from apps.access.actors import Actor
from apps.audit.chain import digest_of
from apps.audit.events import Event
from apps.audit.models import INSTALLATION, AuditEvent, AuditHead, AuditNames
from apps.core.clock import now


def record(
    event: Event,
    *,
    actor: Actor,
    target: models.Model,
    organization_id: uuid.UUID | None,
    workspace_id: uuid.UUID | None = None,
    names: dict[str, str] | None = None,
    count: int = 1,
    **details: Any,
) -> AuditEvent:
    """Writes one line, as the last act of an operation.

    Arguments: `details` are facts without names or secrets; `names` are what people are called and where
    they were, kept beside the line. Raises RuntimeError outside a transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("Record the event inside the transaction that makes it true.")
    line = _line(event, actor, target, workspace_id=workspace_id, count=count, details=details)
    line.chain = organization_id or INSTALLATION
    return _append(line, _names(actor, {"target": str(target), **(names or {})}))


@transaction.atomic
def refused(action: str, *, actor: Actor, place: Any) -> AuditEvent:
    """Writes down that somebody was refused, in a transaction of its own, after the refused one has ended."""
    workspace_id = place.pk if place.parent is not None else None
    line = _line(Event.ACCESS_REFUSED, actor, place, workspace_id=workspace_id, details={"action": action})
    line.chain, line.status = place.organization_key, AuditEvent.Status.REFUSED
    return _append(line, _names(actor, {"target": str(place)}))


def _line(event: Event, actor: Actor, target: models.Model, **facts: Any) -> AuditEvent:
    return AuditEvent(
        event=event,
        actor_kind=actor.kind,
        actor_id=actor.id,
        target_type=target._meta.label_lower,
        target_id=str(target.pk),
        door=actor.origin.door,
        request_id=actor.origin.request_id,
        **facts,
    )


def _append(line: AuditEvent, names: dict[str, str]) -> AuditEvent:
    head, _ = AuditHead.objects.select_for_update().get_or_create(chain=line.chain)
    line.sequence, line.previous, line.at = head.sequence + 1, bytes(head.digest), now()
    line.digest = digest_of(line)
    line.save(force_insert=True)
    AuditNames.objects.create(line=line, names=names)
    AuditHead.objects.filter(chain=line.chain).update(sequence=line.sequence, digest=line.digest)
    return line


def _names(actor: Actor, names: dict[str, str]) -> dict[str, str]:
    known = {"actor": actor.label, "address": actor.origin.address, "agent": actor.origin.agent[:300], **names}
    return {key: value for key, value in known.items() if value}
