"""What is remembered of a call so that it happens once: held while it runs, kept when it is done, purged in time."""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db import connection, transaction
from django.utils.crypto import salted_hmac

from apps.core.clock import now
from apps.core.errors import Conflict
from apps.organizations.models import Organization
from apps.replays.models import KeptAnswer

KEPT_FOR: Final = timedelta(hours=24)


class StillRunning(Conflict):
    """The same call is being answered at this moment."""

    def __init__(self) -> None:
        super().__init__("The first request with this Idempotency-Key is still running. Try again in a moment.")


class AnotherCall(Conflict):
    """The key stands for another call already."""

    def __init__(self, kept: str) -> None:
        super().__init__(f"This Idempotency-Key was used for another request, {kept}. Use a new key for a new request.")


@dataclass(frozen=True)
class Call:
    """A call as it is recognised: whose, its key, what it is ("POST /v1/admin/workspaces"), and all that it says."""

    actor_id: uuid.UUID
    key: str
    name: str
    said: str

    @property
    def digest(self) -> bytes:
        return salted_hmac("apps.replays", self.said, algorithm="sha256").digest()


def find(call: Call) -> KeptAnswer | None:
    """What the actor's call was answered before, if it was. Until the transaction ends, no other runs beside it.

    Raises StillRunning while another does, AnotherCall where the key stands for something else.
    """
    _hold(call)
    kept = KeptAnswer.objects.filter(actor_id=call.actor_id, key=call.key, created_at__gt=now() - KEPT_FOR).first()
    if kept is not None and (kept.call, bytes(kept.digest)) != (call.name, call.digest):
        raise AnotherCall(kept.call)
    return kept


def keep(call: Call, *, status: int, answer: str, organization: Organization) -> None:
    """Keeps an answer, as the last act of the transaction that did what was asked; one that is too old gives way."""
    answered = KeptAnswer(
        organization=organization,
        actor_id=call.actor_id,
        key=call.key,
        call=call.name,
        digest=call.digest,
        status=status,
        answer=answer,
    )
    KeptAnswer.objects.bulk_create(
        [answered],
        update_conflicts=True,
        unique_fields=["actor_id", "key"],
        update_fields=["call", "digest", "status", "answer", "created_at"],
    )


def purge() -> int:
    """Forgets the answers whose day is over; says how many."""
    forgotten, _ = KeptAnswer.objects.filter(created_at__lte=now() - KEPT_FOR).delete()
    return forgotten


def _hold(call: Call) -> None:
    """A lock that ends with the transaction, however it ends: a process that is killed leaves nothing to clean up.

    On SQLite the transaction itself is the lock. It has one writer at a time, so a second call waits for the first.
    Raises RuntimeError outside a transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("Hold the call inside the transaction that does what it asks for.")
    if connection.vendor != "postgresql":
        return
    number = hashlib.sha256(f"{call.actor_id} {call.key}".encode()).digest()[:8]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [int.from_bytes(number, signed=True)])
        if not cursor.fetchone()[0]:
            raise StillRunning
