"""What the database itself refuses, whoever asks: the second wall behind the operations.

Walls are raised after every migrate. On SQLite they are taken down before one: it loses a table's triggers whenever
a migration rebuilds the table, and cannot rebuild one that another's triggers speak of. Each is idempotent, and each
is tried by raw SQL in the tests.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import AppConfig
from django.db import connections, models
from django.db.models.signals import post_migrate, pre_migrate

_TRIGGER = re.compile(r"CREATE TRIGGER IF NOT EXISTS (\w+)")
# PostgreSQL reports these as IntegrityError, as SQLite's RAISE(ABORT) does.
_REFUSE = "RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation';"


@dataclass(frozen=True)
class Wall:
    """One rule, as the statements that raise it on each kind of database."""

    name: str
    tables: frozenset[str]
    postgresql: tuple[str, ...]
    sqlite: tuple[str, ...]


def build(app: AppConfig, walls: Callable[[], Sequence[Wall]]) -> None:
    """Raises the walls of an app after each migrate; called from AppConfig.ready()."""

    def before_migrate(using: str, **kwargs: Any) -> None:
        if kwargs.get("plan") and connections[using].vendor == "sqlite":
            _take_down(walls(), using)

    def after_migrate(using: str, **kwargs: Any) -> None:
        # A flush of the test database sends the same signal, without a plan, and leaves walls standing.
        if "plan" in kwargs:
            with connections[using].cursor() as cursor:
                there = set(connections[using].introspection.table_names(cursor))
                # A migrate that stops half-way has no table yet, or no more, for some of them.
                for wall in (wall for wall in walls() if wall.tables <= there):
                    for statement in getattr(wall, connections[using].vendor):
                        cursor.execute(statement)

    pre_migrate.connect(before_migrate, sender=app, weak=False, dispatch_uid=f"walls of {app.label}")
    post_migrate.connect(after_migrate, sender=app, weak=False, dispatch_uid=f"walls of {app.label}")


def _take_down(walls: Sequence[Wall], using: str) -> None:
    with connections[using].cursor() as cursor:
        for statement in (statement for wall in walls for statement in wall.sqlite):
            for name in _TRIGGER.findall(statement):
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")


def immutable(model: type[models.Model], *fields: str) -> Wall:
    """These columns are written once (product 5.4)."""
    table = model._meta.db_table
    columns = [_column(model, name).column for name in fields]
    name = f"{table}_immutable"
    message = f"{table}: {', '.join(columns)} never change"
    changed_pg = " OR ".join(f'OLD."{c}" IS DISTINCT FROM NEW."{c}"' for c in columns)
    changed_lite = " OR ".join(f'OLD."{c}" IS NOT NEW."{c}"' for c in columns)
    return Wall(
        name,
        frozenset({table}),
        postgresql=(
            _function(name, _REFUSE.format(message=message)),
            f'CREATE OR REPLACE TRIGGER {name} BEFORE UPDATE ON "{table}" FOR EACH ROW '
            f"WHEN ({changed_pg}) EXECUTE FUNCTION {name}()",
        ),
        sqlite=(
            f'CREATE TRIGGER IF NOT EXISTS {name} BEFORE UPDATE ON "{table}" FOR EACH ROW '
            f"WHEN {changed_lite} BEGIN SELECT RAISE(ABORT, '{message}'); END",
        ),
    )


def same_organization(model: type[models.Model], field: str) -> Wall:
    """The row and what this foreign key points at belong to one organization (product 5.4)."""
    key = _column(model, field)
    column, parent = key.column, key.remote_field.model
    table, parent_table = model._meta.db_table, parent._meta.db_table
    name, unique = f"{table}_{field}_same_org", f"{parent_table}_org_and_id"
    message = f"{table}: {column} is of another organization"
    refuse = (
        f"BEGIN SELECT RAISE(ABORT, '{message}') WHERE NEW.\"{column}\" IS NOT NULL AND NOT EXISTS "
        f'(SELECT 1 FROM "{parent_table}" WHERE id = NEW."{column}" AND organization_id = NEW.organization_id); END'
    )
    return Wall(
        name,
        frozenset({table, parent_table}),
        postgresql=(
            _unless_constraint(
                unique, f'ALTER TABLE "{parent_table}" ADD CONSTRAINT {unique} UNIQUE (organization_id, id)'
            ),
            _unless_constraint(
                name,
                f'ALTER TABLE "{table}" ADD CONSTRAINT {name} FOREIGN KEY (organization_id, "{column}") '
                f'REFERENCES "{parent_table}" (organization_id, id) DEFERRABLE INITIALLY DEFERRED',
            ),
        ),
        sqlite=tuple(
            f'CREATE TRIGGER IF NOT EXISTS {name}_{verb} BEFORE {when} ON "{table}" FOR EACH ROW {refuse}'
            for verb, when in (("insert", "INSERT"), ("update", f'UPDATE OF "{column}", organization_id'))
        ),
    )


def _column(model: type[models.Model], name: str) -> Any:
    return model._meta.get_field(name)


def _function(name: str, body: str) -> str:
    return f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"


def _unless_constraint(name: str, statement: str) -> str:
    return (
        f"DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = '{name}' "
        f"AND connamespace = current_schema()::regnamespace) THEN {statement}; END IF; END $$"
    )
