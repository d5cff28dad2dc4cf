"""How many rows are written fast: one statement a table, built from its model, while the indexes are down."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group
from django.db import connection, models
from rich.progress import Progress

Tables = Sequence[type[models.Model]]


@dataclass(frozen=True)
class Insert:
    """The rows of one model, from a source; in batches, when the source has places for a first and a last group."""

    model: type[models.Model]
    source: str
    written: dict[str, str]  # {field: what it is in the source}; every other field has its default
    batches: int = 1

    def run(self, progress: Progress) -> None:
        statement, parameters = self._statement()
        task = progress.add_task(str(self.model._meta.verbose_name_plural), total=self.batches)
        with connection.cursor() as cursor:
            for bounds in _bounds(self.batches):
                cursor.execute(statement, [*parameters, *bounds])
                progress.advance(task)

    def _statement(self) -> tuple[str, list[Any]]:
        fields = [field for field in self.model._meta.local_concrete_fields if not isinstance(field, models.AutoField)]
        left = [field for field in fields if field.name not in self.written]
        columns = ", ".join(f'"{field.column}"' for field in fields)
        values = ", ".join(self.written.get(field.name, "%s") for field in fields)
        return (
            f'INSERT INTO "{self.model._meta.db_table}" ({columns}) SELECT {values} FROM {self.source}',
            [field.get_db_prep_save(field.get_default(), connection) for field in left],
        )


def _bounds(batches: int) -> Iterator[tuple[int, ...]]:
    if batches == 1:
        yield ()
        return
    last = Group.objects.latest("pk").pk
    width = last // batches + 1
    for first in range(0, width * batches, width):
        yield first, first + width - 1


@contextmanager
def without_indexes(tables: Tables, progress: Progress) -> Iterator[None]:
    """Takes down what makes inserts slow, and puts it up again: indexes, then foreign keys, which checks every row."""
    names = [table._meta.db_table for table in tables]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        keys = _take_down(cursor, _KEYS, names)
        indexes = [*_take_down(cursor, _UNIQUES, names), *_take_down(cursor, _INDEXES, names)]
        yield
        for statement in progress.track([*indexes, *keys], description="indexes and foreign keys"):
            cursor.execute(statement)


def _take_down(cursor: Any, found: str, names: list[str]) -> list[str]:
    """Drops what the query finds; answers the statements that bring it back."""
    cursor.execute(found, [names])
    pairs = cursor.fetchall()
    for drop, _ in pairs:
        cursor.execute(drop)
    return [create for _, create in pairs]


_CONSTRAINTS = """
    SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
           format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(c.oid))
    FROM pg_constraint c WHERE conrelid = ANY(%s::regclass[])"""
_KEYS = f"{_CONSTRAINTS} AND contype = 'f'"
# What the foreign keys of other tables rest on stays up, and so do primary keys.
_UNIQUES = f"""{_CONSTRAINTS} AND contype = 'u'
    AND NOT EXISTS (SELECT FROM pg_constraint other WHERE other.contype = 'f' AND other.conindid = c.conindid)"""
_INDEXES = """
    SELECT format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid)
    FROM pg_index WHERE indrelid = ANY(%s::regclass[])
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)"""
