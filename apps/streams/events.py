"""A line of the log as a receiver gets it: one JSON object of facts, in no language."""

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from apps.audit.models import AuditEvent
from apps.core.clock import now
from apps.core.models import new_id
from apps.streams.models import Stream


@dataclass(frozen=True)
class Message:
    """What is sent at once: a body, and by what the receiver tells that it has had it before."""

    id: str
    event: str
    at: datetime
    is_refusal: bool
    body: bytes


def message_of(line: AuditEvent, stream: Stream) -> Message:
    """The same for the same line and stream, however often it is sent."""
    body = _encoded(facts_of(line))
    return Message(_message_id(stream, line.sequence), line.event, line.at, line.status == line.Status.REFUSED, body)


def trial(stream: Stream) -> Message:
    """An event that never happened, for a receiver to try itself on."""
    event_id, at = new_id(), now()
    facts = {"id": str(event_id), "organization_id": str(stream.organization_id), "at": _instant(at)}
    told = {
        "event": "stream.test",
        "result": "done",
        "target": _target(stream._meta.label_lower, stream.pk, str(stream)),
    }
    return Message(f"msg_{event_id.hex}", "stream.test", at, is_refusal=False, body=_encoded({**facts, **told}))


def facts_of(line: AuditEvent) -> dict[str, Any]:
    """All that the line says, what is erased of its names left out, and what proves its place in the chain."""
    names = line.names
    actor = {"kind": line.actor_kind, "id": _text(line.actor_id), "role": line.actor_role, "name": names.get("actor")}
    return {
        "id": line.name_of_its_own,
        "sequence": line.sequence,
        "organization_id": str(line.chain),
        "at": _instant(line.at),
        "event": line.event,
        "result": line.status,
        "code": line.code,
        "count": line.count,
        "actor": actor,
        "target": _target(line.target_type, line.target_id, names.get("target")),
        "workspace_id": _text(line.workspace_id),
        "door": line.door,
        "method": line.method,
        "uri": line.uri,
        "request_id": line.request_id,
        "address": names.get("address"),
        "agent": names.get("agent"),
        "details": line.details,
        "digest": bytes(line.digest).hex(),
        "previous": bytes(line.previous).hex(),
    }


def _message_id(stream: Stream, sequence: int) -> str:
    return f"msg_{uuid.uuid5(stream.pk, str(sequence)).hex}"


def _target(kind: str, row_id: Any, name: str | None) -> dict[str, Any]:
    return {"type": kind, "id": str(row_id), "name": name}


def _text(value: uuid.UUID | None) -> str | None:
    return None if value is None else str(value)


def _instant(moment: datetime) -> str:
    """To the microsecond, as the chain hashes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _encoded(facts: dict[str, Any]) -> bytes:
    return json.dumps(facts, separators=(",", ":")).encode()
