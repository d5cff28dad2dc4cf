"""Puts a line at the end of its chain: on PostgreSQL in the one statement that numbers it, chains it and writes it."""

from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models

from apps.audit.chain import linked
from apps.audit.models import AuditEvent, AuditHead, AuditNames

_CHAINED = {"id", "sequence", "previous", "digest"}  # what only the end of the chain can say


def append(line: AuditEvent, side: AuditNames, facts: bytes) -> bool:
    """Fills in what the end of the chain says, and writes both. Returns whether the chain is streamed.

    The chain's head is locked from here to the end of the transaction, the last of all rows. Arguments: `facts` is
    the digest of the line's canonical bytes.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    write = _in_one_statement if connection.vendor == "postgresql" else _in_turn
    found = write(connection, line, side, facts)
    if found is None:
        AuditHead.objects.bulk_create([AuditHead(chain=line.chain)], ignore_conflicts=True)
        found = write(connection, line, side, facts)
    line.pk, line.sequence, previous, digest, is_streamed = found
    line.previous, line.digest, side.line_id = bytes(previous), bytes(digest), line.pk
    line._state.adding = side._state.adding = False
    return bool(is_streamed)


def _in_one_statement(connection: Any, line: AuditEvent, side: AuditNames, facts: bytes) -> Any:
    values = _values(line, connection) + _values(side, connection)
    with connection.cursor() as cursor:
        cursor.execute(_statement(), [facts, line.chain, *values])
        return cursor.fetchone()


def _in_turn(connection: Any, line: AuditEvent, side: AuditNames, facts: bytes) -> Any:
    head = AuditHead.objects.select_for_update().filter(chain=line.chain).first()
    if head is None:
        return None
    line.sequence, line.previous = head.sequence + 1, bytes(head.digest)
    line.digest = linked(line.previous, line.sequence, facts)
    line.save(force_insert=True)
    side.line_id = line.pk
    side.save(force_insert=True)
    AuditHead.objects.filter(chain=line.chain).update(
        sequence=line.sequence, digest=line.digest, previous=line.previous
    )
    return line.pk, line.sequence, line.previous, line.digest, head.is_streamed


@cache
def _statement() -> str:
    line, side = _columns(AuditEvent), _columns(AuditNames)
    head, events, names = (model._meta.db_table for model in (AuditHead, AuditEvent, AuditNames))
    return (
        f'WITH head AS (UPDATE "{head}" SET sequence = sequence + 1, previous = digest, '
        f"digest = sha256(digest || int8send(sequence + 1) || %s::bytea) WHERE chain = %s "
        f"RETURNING sequence, previous, digest, is_streamed), "
        f'line AS (INSERT INTO "{events}" (sequence, previous, digest, {_named(line)}) '
        f"SELECT sequence, previous, digest, {_given(line)} FROM head RETURNING id), "
        f'side AS (INSERT INTO "{names}" (line_id, {_named(side)}) SELECT id, {_given(side)} FROM line) '
        f"SELECT line.id, head.sequence, head.previous, head.digest, head.is_streamed FROM line, head"
    )


@cache
def _columns(model: type[models.Model]) -> list[Any]:
    return [field for field in model._meta.concrete_fields if field.name not in _CHAINED and not field.primary_key]


def _values(row: models.Model, connection: Any) -> list[Any]:
    return [field.get_db_prep_save(getattr(row, field.attname), connection) for field in _columns(type(row))]


def _named(columns: list[Any]) -> str:
    return ", ".join(f'"{field.column}"' for field in columns)


def _given(columns: list[Any]) -> str:
    return ", ".join(f"%s::{field.db_type(connections[DEFAULT_DB_ALIAS])}" for field in columns)
