"""Checkpoints: how far a chain reached at an instant, signed. One that is kept elsewhere shows what is cut off here."""

import json
import os
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce

from apps.audit import signing
from apps.audit.models import AuditCheckpoint, AuditHead
from apps.core.clock import now, wire

OBJECT: Final = "audit_checkpoint"
_SIGNED: Final = ("object", "organization_id", "sequence", "head", "at", "reason", "key")
EVERY: Final = timedelta(hours=1)
_MOST_AT_ONCE: Final = 1000
_log = structlog.get_logger(__name__)


class Unproven(ValueError):
    """What claims to be a checkpoint and is none of ours: not complete, altered, or signed by nobody we know."""


@dataclass(frozen=True)
class Checkpoint:
    """One that is kept somewhere, and that we have signed."""

    chain: uuid.UUID
    sequence: int
    head: bytes
    reason: str
    at: datetime


def make(chain: uuid.UUID, reason: AuditCheckpoint.Reason, *, sequence: int, head: bytes) -> AuditCheckpoint:
    """Signs that the chain reached this line, and keeps it."""
    checkpoint = AuditCheckpoint(chain=chain, sequence=sequence, head=head, at=now(), reason=reason)
    checkpoint.key_version = next(iter(settings.AUDIT_SIGNING_KEYS or settings.ENCRYPTION_KEYS))
    checkpoint.key_version, checkpoint.signature = signing.sign(_content(_facts(checkpoint)))
    checkpoint.save(force_insert=True)
    return checkpoint


def shown(checkpoint: AuditCheckpoint) -> dict[str, Any]:
    """What leaves the house, and can be brought back: JSON, with the key that verifies it."""
    facts = _facts(checkpoint)
    public = signing.public_key(checkpoint.key_version)
    return {
        **facts,
        "signature": bytes(checkpoint.signature).hex(),
        "algorithm": "ed25519",
        "public_key": public.hex() if public else None,
        "signed": _content(facts).decode(),
    }


def read(told: Any) -> Checkpoint:
    """A checkpoint that somebody brings back. Raises Unproven."""
    try:
        facts = {name: told[name] for name in _SIGNED}
        signature = bytes.fromhex(told["signature"])
        chain, head = uuid.UUID(facts["organization_id"]), bytes.fromhex(facts["head"])
        at = datetime.fromisoformat(facts["at"]).astimezone(UTC)
        sequence, version = int(facts["sequence"]), int(facts["key"])
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as fault:
        raise Unproven("This is not a checkpoint of an audit log.") from fault
    if not signing.is_signed(_content(facts), version=version, signature=signature):
        raise Unproven("This checkpoint was altered, or is not one of this installation.")
    return Checkpoint(chain, sequence, head, str(facts["reason"]), at)


def kept(chain: uuid.UUID, *, of_retention: bool = False) -> Iterator[tuple[AuditCheckpoint, bool]]:
    """Those kept here, each with whether its signature holds; those of retention alone, newest first, if so asked."""
    found = AuditCheckpoint.objects.filter(chain=chain).order_by("sequence", "pk")
    if of_retention:
        found = found.filter(reason=AuditCheckpoint.Reason.RETENTION).reverse()
    for checkpoint in found.iterator():
        signature = bytes(checkpoint.signature)
        content = _content(_facts(checkpoint))
        yield checkpoint, signing.is_signed(content, version=checkpoint.key_version, signature=signature)


def take_all() -> int:
    """One for each chain that has grown since its last, an hour ago or more; the longest ago first.

    Where that is configured each is written outside the database too, before it counts as taken.
    """
    own = AuditCheckpoint.objects.filter(chain=OuterRef("chain")).values("chain")
    last = own.annotate(sequence=Max("sequence")).values("sequence"), own.annotate(at=Max("at")).values("at")
    heads = AuditHead.objects.annotate(reached=Coalesce(Subquery(last[0]), Value(0)), taken_at=Subquery(last[1]))
    due = heads.filter(Q(taken_at=None) | Q(taken_at__lte=now() - EVERY), sequence__gt=F("reached"))
    chains = due.order_by(F("taken_at").asc(nulls_first=True)).values_list("chain", flat=True)[:_MOST_AT_ONCE]
    return sum(_take_and_write(chain) for chain in chains)


def _take_and_write(chain: uuid.UUID) -> bool:
    try:
        with transaction.atomic():
            taken = take(chain, AuditCheckpoint.Reason.REGULAR)
            if taken is not None and settings.AUDIT_CHECKPOINTS:
                write(Path(settings.AUDIT_CHECKPOINTS), taken)
    except OSError:
        _log.exception("checkpoint_not_written", chain=str(chain))
        return False
    return taken is not None


@transaction.atomic
def take(chain: uuid.UUID, reason: AuditCheckpoint.Reason) -> AuditCheckpoint | None:
    """One of where the chain ends now, or None where it has no line."""
    head = AuditHead.objects.filter(chain=chain).first()
    if head is None or not head.sequence:
        return None
    return make(chain, reason, sequence=head.sequence, head=bytes(head.digest))


def write(folder: Path, taken: AuditCheckpoint) -> None:
    """Adds it to the file of its chain, as a line, and waits until the disk has it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{taken.chain}.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(shown(taken)) + "\n")
        file.flush()
        os.fsync(file.fileno())


def brought(path: Path) -> list[Checkpoint]:
    """Those in a file: one as it was downloaded, or one a line. Raises Unproven."""
    text = path.read_text(encoding="utf-8")
    try:
        try:
            told = [json.loads(text)]
        except json.JSONDecodeError:
            told = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (json.JSONDecodeError, RecursionError) as fault:
        raise Unproven("This file holds no checkpoint.") from fault
    return [read(checkpoint) for checkpoint in told]


def _facts(checkpoint: AuditCheckpoint) -> dict[str, Any]:
    values = (
        OBJECT,
        str(checkpoint.chain),
        checkpoint.sequence,
        bytes(checkpoint.head).hex(),
        wire(checkpoint.at),
        str(checkpoint.reason),
        checkpoint.key_version,
    )
    return dict(zip(_SIGNED, values, strict=True))


def _content(facts: Mapping[str, Any]) -> bytes:
    return json.dumps({name: facts[name] for name in _SIGNED}, sort_keys=True, separators=(",", ":")).encode()
