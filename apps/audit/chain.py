"""The chain: the bytes of a line that are hashed, and the hash over them and the line before.

A digest is SHA-256 over the digest before it, the line's number and SHA-256 of the line's canonical bytes. So the
database can number and chain a line in the statement that writes it, and nothing depends on how it shows a value.
"""

import hashlib
import json
from typing import Any, Final

from apps.audit.models import AuditEvent

# What the canonical bytes say, in this order. A column that is added goes into a new form; no form ever changes.
FACTS: Final = (
    *("chain", "at", "event", "status", "actor_kind", "actor_id", "actor_role", "workspace_id"),
    *("target_type", "target_id", "door", "method", "uri", "request_id", "code", "count", "details", "names_digest"),
)
_FIRST_FORM: Final = (
    *("chain", "sequence", "at", "event", "status", "actor_kind", "actor_id", "workspace_id"),
    *("target_type", "target_id", "door", "request_id", "count", "details"),
)
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def digest_of(line: AuditEvent) -> bytes:
    """What the line's digest must be."""
    previous = bytes(line.previous)
    if line.form == 1:
        return hashlib.sha256(previous + _first_form(line)).digest()
    return linked(previous, line.sequence, facts_digest([getattr(line, name) for name in FACTS]))


def linked(previous: bytes, sequence: int, facts: bytes) -> bytes:
    """The digest of the line with this number after the one with that digest."""
    return hashlib.sha256(previous + sequence.to_bytes(8, "big", signed=True) + facts).digest()


def facts_digest(values: list[Any]) -> bytes:
    """SHA-256 of the canonical bytes of a line. Arguments: `values` are those of FACTS, in that order."""
    return hashlib.sha256(_encode([_plain(value) for value in values]).encode()).digest()


def names_digest(names: dict[str, str], salt: bytes) -> bytes:
    """What a line keeps of the names beside it: without the salt, which is erased with them, it tells nothing."""
    return hashlib.sha256(salt + _encode(names).encode()).digest()


def _first_form(line: AuditEvent) -> bytes:
    facts = {name: _plain(getattr(line, name)) for name in _FIRST_FORM}
    return _encode(facts).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview | bytearray):
        return bytes(value).hex()
    if hasattr(value, "timestamp"):
        return round(value.timestamp() * 1_000_000)  # microseconds since the epoch, in no zone
    return value if isinstance(value, str | int | dict | None) else str(value)
