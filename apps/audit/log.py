"""Writes lines of the log: in the transaction that makes them true, or after the one that was refused."""

import os
import re
import uuid
from collections.abc import Callable
from typing import Any, Final

from django.db import models, transaction

from apps.access.actors import Actor
from apps.audit import appending, words
from apps.audit.canonical import text_of
from apps.audit.chain import facts_digest, facts_of, names_digest
from apps.audit.events import Event
from apps.audit.models import INSTALLATION, URI_LENGTH, AuditEvent, AuditNames
from apps.core.clock import now

_SALT: Final = 16  # bytes
_AGENT: Final = 300
_MEMBER: Final = "memberships.organizationmembership"
_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_listeners: list[Callable[[uuid.UUID], None]] = []


def record(
    event: Event,
    *,
    actor: Actor,
    target: models.Model | None,
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
    chain = organization_id or INSTALLATION
    line = line_of(event, actor, target, chain, workspace_id=workspace_id, count=count, details=details)
    called = str(target) if target is not None else ""
    return append(line, names_of(actor, {"target": called, **(names or {})}))


def line_of(event: Event, actor: Actor, target: models.Model | None, chain: uuid.UUID, **facts: Any) -> AuditEvent:
    """The line as far as it is known before it has a place in its chain."""
    origin = actor.origin
    return AuditEvent(
        chain=chain,
        event=event,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_role=actor.role_in(chain, facts.get("workspace_id")),
        target_type=target._meta.label_lower if target is not None else "",
        target_id=str(target.pk) if target is not None else "",
        person_id=facts["details"].get("person"),
        door=origin.door,
        method=origin.method,
        uri=_BREAKS.sub(" ", origin.uri)[:URI_LENGTH],
        request_id=origin.request_id,
        **facts,
    )


def names_of(actor: Actor, names: dict[str, str]) -> dict[str, str]:
    """What stands beside the line: names and addresses, which may be erased."""
    known = {"actor": actor.label, "address": actor.origin.address, "agent": actor.origin.agent[:_AGENT], **names}
    return {key: value for key, value in known.items() if value}


def append(line: AuditEvent, names: dict[str, str]) -> AuditEvent:
    """Puts the line at the end of its chain, with the names beside it, and wakes whoever waits for it."""
    line.at = now()
    salt = os.urandom(_SALT)
    line.names_digest = names_digest(text_of(names), salt)
    side = AuditNames(line=line, chain=line.chain, address=names.get("address", ""), names=names, salt=salt)
    is_streamed = appending.append(line, side, facts_digest(facts_of(line)))
    # Under the lock of the head, so that no two transactions wait for each other's words.
    words.note(line.chain, _called(line, names))
    if is_streamed:
        for listener in _listeners:
            listener(line.chain)
    line.side = side
    return line


def _called(line: AuditEvent, names: dict[str, str]) -> list[tuple[str, str]]:
    """Who and what the line speaks of, each with what it is called there; a membership is called as its person is."""
    target = names.get("target", "")
    person = str(line.person_id or "") if line.target_type == _MEMBER else ""
    return [(str(line.actor_id or ""), names.get("actor", "")), (line.target_id, target), (person, target)]


def listen(listener: Callable[[uuid.UUID], None]) -> None:
    """Has this called, in the transaction of each line, with the chain of one that is streamed."""
    _listeners.append(listener)
