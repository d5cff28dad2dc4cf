"""Several databases in one process: whichever is in use is the default one, for the ORM and for every statement."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper as Database


def connect(url: str, **options: Any) -> Database:
    """The database at this address. Raises SystemExit when it is not PostgreSQL."""
    try:
        configured: dict[str, Any] = environ.Env.db_url_config(url)
    except ImproperlyConfigured:
        configured = {}
    if not configured.get("ENGINE", "").endswith("postgresql"):
        raise SystemExit(f"{url} is not the address of a PostgreSQL database, such as postgres:///bench_small.")
    configured["OPTIONS"] = {**configured.get("OPTIONS", {}), **options}
    connections.settings.update(connections.configure_settings({DEFAULT_DB_ALIAS: configured}))
    return connections.create_connection(DEFAULT_DB_ALIAS)


@contextmanager
def using(database: Database) -> Iterator[Database]:
    """Makes this the default database for as long as the block lasts."""
    before = connections[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = database
    try:
        yield database
    finally:
        connections[DEFAULT_DB_ALIAS] = before
