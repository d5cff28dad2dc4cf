"""The chain: the bytes of a line that are hashed, and the hash over them and the line before.

A digest is SHA-256 over the digest before it, the line's number and SHA-256 of the line's canonical bytes: its facts,
one a line of text. So the database can number and chain a line in the statement that writes it, and nothing depends on
how it shows a value.
"""

import hashlib
from collections.abc import Iterable
from typing import Any, Final

from apps.audit.canonical import text_of
from apps.audit.models import AuditEvent

FIRST, NEWEST = 1, 2  # forms of a line
# What the canonical bytes say, in this order. A column that is added goes into a new form; no form ever changes.
FACTS: Final = (
    *("chain", "at", "event", "status", "actor_kind", "actor_id", "actor_role", "workspace_id", "person_id"),
    *("target_type", "target_id", "door", "method", "uri", "request_id", "code", "count", "details", "names_digest"),
)
_FIRST_FORM: Final = (
    *("chain", "sequence", "at", "event", "status", "actor_kind", "actor_id", "workspace_id"),
    *("target_type", "target_id", "door", "request_id", "count", "details"),
)


def digest_of(line: AuditEvent) -> bytes:
    """What the line's digest must be."""
    previous = bytes(line.previous)
    if line.form == FIRST:
        return linked_first(previous, first_form(line).encode())
    return linked(previous, line.sequence, facts_digest(facts_of(line)))


def first_form(line: AuditEvent) -> str:
    """The canonical text of a line of the first form, its number among it."""
    return text_of({name: _plain(getattr(line, name)) for name in _FIRST_FORM})


def linked_first(previous: bytes, facts: bytes) -> bytes:
    """The digest of a line of the first form after the one with that digest."""
    return hashlib.sha256(previous + facts).digest()


def facts_of(line: AuditEvent) -> list[str]:
    """The facts of a line as they are hashed. Raises ValueError for one that has a line break in it."""
    facts = [_spelt(getattr(line, name)) for name in FACTS]
    if any("\n" in fact for fact in facts):
        raise ValueError("A fact of a line is on one line.")
    return facts


def facts_digest(facts: Iterable[str]) -> bytes:
    return hashlib.sha256("\n".join(facts).encode()).digest()


def linked(previous: bytes, sequence: int, facts: bytes) -> bytes:
    """The digest of the line with this number after the one with that digest."""
    return hashlib.sha256(previous + sequence.to_bytes(8, "big", signed=True) + facts).digest()


def names_digest(names: str, salt: bytes) -> bytes:
    """What a line keeps of the names beside it: without the salt, which is erased with them, it tells nothing.

    Arguments: `names` is their one text.
    """
    return hashlib.sha256(salt + names.encode()).digest()


def _spelt(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes | memoryview | bytearray):
        return bytes(value).hex()
    if isinstance(value, dict):
        return text_of(value)
    return "" if value is None else str(_plain(value))


def _plain(value: Any) -> Any:
    if hasattr(value, "timestamp"):
        return round(value.timestamp() * 1_000_000)  # microseconds since the epoch, in no zone
    return value if isinstance(value, int | dict | None) else str(value)
