"""The chain: the bytes of a line that are hashed, and the hash over them and the line before."""

import hashlib
import json
from typing import Any

from apps.audit.models import AuditEvent

# Hashed in this order of meaning, never as the database renders them: its settings would change the bytes.
_HASHED = (
    "chain",
    "sequence",
    "at",
    "event",
    "status",
    "actor_kind",
    "actor_id",
    "workspace_id",
    "target_type",
    "target_id",
    "door",
    "request_id",
    "count",
    "details",
)


def digest_of(line: AuditEvent) -> bytes:
    """SHA-256 over the previous line's digest and this line's canonical bytes."""
    return hashlib.sha256(bytes(line.previous) + _canonical(line)).digest()


def _canonical(line: AuditEvent) -> bytes:
    facts = {name: _plain(getattr(line, name)) for name in _HASHED}
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _plain(value: Any) -> Any:
    if hasattr(value, "timestamp"):
        return round(value.timestamp() * 1_000_000)  # microseconds since the epoch, in no zone
    return value if isinstance(value, (int, dict, type(None))) else str(value)
