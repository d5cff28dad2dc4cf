"""Reads the lines of a chain as they are verified, in the order of their numbers: straight from the database, because
there may be millions. On PostgreSQL it spells the facts itself, in ways that no setting of it changes.
"""

import uuid
from collections.abc import Iterator
from typing import Final, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import F, Func, QuerySet, Subquery, TextField
from django.db.models.functions import Cast, Coalesce

from apps.audit.canonical import text_of
from apps.audit.chain import FACTS, facts_of
from apps.audit.models import AuditEvent, AuditHead

CHUNK: Final = 5_000
_LINES: Final = "%(function)s(E'\\n', %(expressions)s)"


def _there(template: str, name: str) -> Func:
    return Func(F(name), template=template, output_field=TextField())


_SPELT: Final = {
    "at": _there("(extract(epoch FROM %(expressions)s) * 1000000)::bigint::text", "at"),
    "names_digest": _there("encode(%(expressions)s, 'hex')", "names_digest"),
    **{name: _there("coalesce(%(expressions)s::text, '')", name) for name in ("actor_id", "workspace_id", "person_id")},
}


class Row(NamedTuple):
    """A line as it is verified: its facts as they are hashed, and the text of the names beside it."""

    pk: int
    sequence: int
    form: int
    previous: bytes
    digest: bytes
    facts: str
    names_digest: bytes
    names: str | None  # None where there are none beside it, not even erased ones
    salt: bytes


def rows(chain: uuid.UUID, end: int) -> Iterator[Row]:
    """Every line up to the number `end`; then those that the chain's head does not know of when they are read."""
    read = _spelt_there if connections[DEFAULT_DB_ALIAS].vendor == "postgresql" else _spelt_here
    lines = AuditEvent.objects.filter(chain=chain).order_by("sequence")
    known = Coalesce(Subquery(AuditHead.objects.filter(chain=chain).values("sequence")), 0)
    yield from read(lines.filter(sequence__lte=end))
    yield from read(lines.filter(sequence__gt=end).filter(sequence__gt=known))


def _spelt_there(lines: QuerySet[AuditEvent]) -> Iterator[Row]:
    spelt = [_SPELT.get(name) or Cast(name, TextField()) for name in FACTS]
    facts = Func(*spelt, template=_LINES, function="concat_ws", output_field=TextField())
    names = Cast("side__names", TextField())
    read = lines.values_list("id", "sequence", "form", "previous", "digest", facts, "names_digest", names, "side__salt")
    yield from map(Row._make, read.iterator(chunk_size=CHUNK))


def _spelt_here(lines: QuerySet[AuditEvent]) -> Iterator[Row]:
    yield from map(_row, lines.select_related("side").iterator(chunk_size=CHUNK))


def _row(line: AuditEvent) -> Row:
    side = getattr(line, "side", None)
    names = text_of(side.names) if side is not None else None
    facts = "\n".join(facts_of(line))
    own = line.pk, line.sequence, line.form, bytes(line.previous), bytes(line.digest)
    return Row(*own, facts, bytes(line.names_digest), names, bytes(side.salt) if side is not None else b"")
