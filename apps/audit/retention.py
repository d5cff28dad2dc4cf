"""The wall around the log: append-only, except in a transaction that declares retention (product 5.9)."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, models, transaction

from apps.core.walls import Wall

_SETTING = "gatehouse.retention"
# SQLite has no settings a trigger could read, so the declaration is a row that never outlives its transaction.
_FLAG = "audit_retention_declared"

DECLARE = {
    "postgresql": [f"SELECT set_config('{_SETTING}', 'declared', true)"],
    "sqlite": [f"INSERT INTO {_FLAG} VALUES (1)"],
}
WITHDRAW = {
    "postgresql": [f"SELECT set_config('{_SETTING}', '', true)"],
    "sqlite": [f"DELETE FROM {_FLAG}"],
}


@contextmanager
def declared() -> Iterator[None]:
    """A transaction in which lines may go whose time is over, and names that are erased."""
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in DECLARE[connection.vendor]:
            cursor.execute(statement)
        yield
        for statement in WITHDRAW[connection.vendor]:
            cursor.execute(statement)


def append_only(model: type[models.Model]) -> Wall:
    table = model._meta.db_table
    message = f"{table} is append-only"
    guard = (
        f"CREATE OR REPLACE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF coalesce(current_setting('{_SETTING}', true), '') = 'declared' THEN RETURN coalesce(NEW, OLD); END IF; "
        f"RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    return Wall(
        f"{table}_append_only",
        frozenset({table}),
        postgresql=(
            guard,
            f'CREATE OR REPLACE TRIGGER {table}_rows BEFORE UPDATE OR DELETE ON "{table}" '
            f"FOR EACH ROW EXECUTE FUNCTION {table}_append_only()",
            f'CREATE OR REPLACE TRIGGER {table}_whole BEFORE TRUNCATE ON "{table}" '
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()",
        ),
        sqlite=(
            f"CREATE TABLE IF NOT EXISTS {_FLAG} (declared integer)",
            *(
                f'CREATE TRIGGER IF NOT EXISTS {table}_{verb.lower()} BEFORE {verb} ON "{table}" FOR EACH ROW '
                f"WHEN NOT EXISTS (SELECT 1 FROM {_FLAG}) BEGIN SELECT RAISE(ABORT, '{message}'); END"
                for verb in ("UPDATE", "DELETE")
            ),
        ),
    )
