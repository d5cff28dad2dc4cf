"""Reads the lines of a chain as they are verified, in the order of their numbers: straight from the database, because
there may be millions. On PostgreSQL it spells the facts itself, in ways that no setting of it changes.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final, NamedTuple, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import BinaryField, F, Func, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Cast, Coalesce
from django.db.models.lookups import Exact

from apps.audit.chain import FACTS, FIRST, facts_digest, first_form
from apps.audit.models import AuditEvent, AuditHead

CHUNK: Final = 5_000
Item = TypeVar("Item")
_OWN: Final = ("id", "sequence", "form", "previous", "digest")
_BYTES: Final = {"names_digest"}
_BESIDE: Final = (
    Cast("side__names", TextField()),
    Coalesce("side__salt", Value(b""), output_field=BinaryField()),
    Coalesce("side__address", Value("")),
    Exact(F("side__chain"), F("chain")),
)
_LINES: Final = "%(function)s(E'\\n', %(expressions)s)"


def _there(template: str, name: str) -> Func:
    return Func(F(name), template=template, output_field=TextField())


_SPELT: Final = {
    "at": _there("(extract(epoch FROM %(expressions)s) * 1000000)::bigint::text", "at"),
    "names_digest": _there("encode(%(expressions)s, 'hex')", "names_digest"),
    **{name: _there("coalesce(%(expressions)s::text, '')", name) for name in ("actor_id", "workspace_id", "person_id")},
}


class Row(NamedTuple):
    """A line as it is verified: the digest of its facts, and the text of the names beside it."""

    pk: int
    sequence: int
    form: int
    previous: bytes
    digest: bytes
    facts: bytes  # their digest; of a line of the first form the bytes themselves
    names_digest: bytes
    names: str | None  # None where there are none beside it, not even erased ones
    salt: bytes
    address: str  # by which the line is found
    is_beside: bool  # whether what stands beside it is of this chain


def rows(chain: uuid.UUID, end: int) -> Iterator[Row]:
    """Every line up to the number `end`; then those that the chain's head does not know of when they are read."""
    read = _spelt_there if connections[DEFAULT_DB_ALIAS].vendor == "postgresql" else _spelt_here
    lines = AuditEvent.objects.filter(chain=chain).order_by("sequence")
    known = Coalesce(Subquery(AuditHead.objects.filter(chain=chain).values("sequence")), 0)
    for found in (lines.filter(sequence__lte=end), lines.filter(sequence__gt=end).filter(sequence__gt=known)):
        for some in batched(read(found), CHUNK):
            yield from _with_first_form(some) if any(row.form == FIRST for row in some) else some


def batched(rows: Iterator[Item], size: int) -> Iterator[list[Item]]:
    """Some at a time, as the standard library does from Python 3.12 on."""
    while some := list(islice(rows, size)):
        yield some


def _spelt_there(lines: QuerySet[AuditEvent]) -> Iterator[Row]:
    spelt = [_SPELT.get(name) or Coalesce(Cast(name, TextField()), Value("")) for name in FACTS]
    text = Func(*spelt, template=_LINES, function="concat_ws", output_field=TextField())
    facts = Func(text, template="sha256(convert_to(%(expressions)s, 'UTF8'))", output_field=BinaryField())
    read = lines.values_list(*_OWN, facts, "names_digest", *_BESIDE)
    for row in read.iterator(chunk_size=CHUNK):
        yield Row._make(row)


def _spelt_here(lines: QuerySet[AuditEvent]) -> Iterator[Row]:
    """As text from the database too, because SQLite takes anything into any column."""
    spelt = [name if name in _BYTES else Cast(name, TextField()) for name in FACTS]
    read = lines.values_list(*_OWN, *spelt, *_BESIDE)
    for row in read.iterator(chunk_size=CHUNK):
        own, facts, beside = row[: len(_OWN)], row[len(_OWN) : -len(_BESIDE)], row[-len(_BESIDE) :]
        yield Row._make((*own, _hashed(facts), facts[-1] or b"", *beside))


def _hashed(facts: Sequence[Any]) -> bytes:
    """The digest of the facts; empty where one of them is nothing that was ever written."""
    try:
        return facts_digest(_READ_HERE.get(name, _text)(fact) for name, fact in zip(FACTS, facts, strict=True))
    except (TypeError, ValueError):
        return b""


def _text(fact: str | None) -> str:
    return fact or ""


def _id(fact: str | None) -> str:
    return str(uuid.UUID(fact)) if fact else ""


def _instant(fact: str) -> str:
    moment = datetime.fromisoformat(fact).replace(tzinfo=UTC)
    return str(round(moment.timestamp() * 1_000_000))


_READ_HERE: Final[dict[str, Callable[[Any], str]]] = {
    **dict.fromkeys(("chain", "actor_id", "workspace_id", "person_id"), _id),
    "at": _instant,
    "names_digest": lambda fact: bytes(fact or b"").hex(),
}


def _with_first_form(some: list[Row]) -> Iterator[Row]:
    """Lines of the first form are hashed as objects of JSON, and there are none of them but old ones."""
    old = [row.pk for row in some if row.form == FIRST]
    spelt = _first_forms(old)
    for row in some:
        yield row._replace(facts=spelt.get(row.pk, b"")) if row.form == FIRST else row


def _first_forms(keys: list[int]) -> dict[int, bytes]:
    try:
        return {pk: first_form(line).encode() for pk, line in AuditEvent.objects.in_bulk(keys).items()}
    except ValueError:  # one of them cannot be read: then each is looked at alone
        return {pk: text for key in keys if len(keys) > 1 for pk, text in _first_forms([key]).items()}
