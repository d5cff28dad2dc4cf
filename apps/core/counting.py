"""How many rows there are, none counted further than anybody needs to know, and all of it in one query."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet


def count(most: int, rows: Mapping[str, QuerySet[Any]]) -> dict[str, int]:
    """The number of rows of each, at most `most` and one more, which says that there are others."""
    parts: list[str] = []
    parameters: list[Any] = []
    for position, counted in enumerate(rows.values()):
        statement, given = _counting(counted, most)
        parts.append(f"(SELECT COUNT(*) FROM ({statement}) AS counted_{position})")
        parameters += given
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", parameters)
        return dict(zip(rows, cursor.fetchone(), strict=True))


def _counting(rows: QuerySet[Any], most: int) -> tuple[str, tuple[Any, ...]]:
    try:
        statement, given = rows.order_by().values("pk")[: most + 1].query.sql_with_params()
    except EmptyResultSet:  # what Django says of a filter that nothing can pass
        return "SELECT 1 WHERE 1 = 0", ()
    return statement, given
