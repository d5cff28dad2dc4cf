"""A cursor for the few statements that requests make word by word again: PostgreSQL plans each once a connection.

Planning a join of four tables takes it longer than finding the rows. Plans are kept where the database's OPTIONS name a
`prepare_threshold`, which not every pooler allows. The ORM is not concerned: it binds in the client, and such
statements are never prepared.
"""

from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections


def cursor() -> Any:
    """As `connection.cursor()`, for a statement whose text is constant and whose values are all parameters."""
    connection: Any = connections[DEFAULT_DB_ALIAS]
    if connection.vendor != "postgresql" or not connection.settings_dict["OPTIONS"].get("prepare_threshold"):
        return connection.cursor()
    connection.ensure_connection()
    driver = connection.connection
    usual, driver.cursor_factory = driver.cursor_factory, _binding_on_the_server()
    try:
        return connection.cursor()
    finally:
        driver.cursor_factory = usual


@cache
def _binding_on_the_server() -> Any:
    from django.db.backends.postgresql.base import ServerBindingCursor  # noqa: PLC0415 (needs psycopg)

    return ServerBindingCursor
