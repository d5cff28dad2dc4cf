"""The log as a file: the lines that a search finds, with all that is known of each, and the line that says so."""

import json
import uuid
from collections.abc import Iterator
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from apps.access import gate
from apps.access.actions import Action
from apps.access.actors import Actor
from apps.audit import log
from apps.audit.events import Event
from apps.audit.models import AuditEvent
from apps.audit.search import WINDOW, Query
from apps.core.clock import wire

FORMATS: Final = ("csv", "jsonl")
CHUNK: Final = 1_000
HEADER: Final = (
    "sequence", "at", "event", "result", "status_code", "count", "actor_kind", "actor_id", "actor", "actor_role",
    "target_type", "target_id", "target", "person_id", "workspace_id", "workspace", "door", "address", "agent",
    "method", "uri", "request_id", "details", "previous_digest", "digest",
)  # fmt: skip


def applied(query: Query) -> Query:
    """The search as it is really made: one that says nothing of time is of the page's window."""
    return query if query.is_timed else query.having("after", WINDOW)


@transaction.atomic
def record(organization: Any, query: Query, kind: str, *, by: Actor) -> AuditEvent:
    """Writes down that somebody takes a copy of these lines, before the first of them is sent.

    Who was searched for is not kept: a line is for ever, and a name is not.
    """
    gate.require(by, Action.AUDIT_LOGS_LIST, organization)
    return log.record(
        Event.AUDIT_LOG_EXPORTED,
        actor=by,
        target=organization,
        organization_id=organization.pk,
        filter=str(query.unnamed()),
        format=kind,
    )


def rows(found: QuerySet[AuditEvent], *, before: AuditEvent) -> Iterator[list[Any]]:
    """What was found, newest first, as it was before this line: read some at a time, in no transaction."""
    found, last = found.order_by("-pk"), before.pk
    while some := list(found.filter(pk__lt=last)[:CHUNK]):
        yield from map(_told, some)
        last = some[-1].pk


def spelt(row: list[Any]) -> list[Any]:
    """A row whose cells are all text."""
    return [json.dumps(cell, sort_keys=True, ensure_ascii=False) if isinstance(cell, dict) else cell for cell in row]


def named(row: list[Any]) -> dict[str, Any]:
    """A row with the name of each cell."""
    return dict(zip(HEADER, row, strict=True))


def _told(line: AuditEvent) -> list[Any]:
    names = line.names
    done = [line.sequence, wire(line.at), line.event, line.status, line.code, line.count]
    actor = [line.actor_kind, _id(line.actor_id), names.get("actor", ""), line.actor_role]
    target = [line.target_type, line.target_id, names.get("target", ""), _id(line.person_id)]
    place = [_id(line.workspace_id), names.get("workspace", "") or getattr(line, "workspace_name", "") or ""]
    came = [line.door, names.get("address", ""), names.get("agent", ""), line.method, line.uri, line.request_id]
    return [*done, *actor, *target, *place, *came, line.details, bytes(line.previous).hex(), bytes(line.digest).hex()]


def _id(value: uuid.UUID | None) -> str:
    return str(value) if value else ""
