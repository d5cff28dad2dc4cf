"""Pages of long lists: newest first, continued from where the last page ended instead of counted through (P29)."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from django.http import QueryDict

from apps.core.errors import Invalid

SIZE: Final = 50
COUNTED: Final = 10_000
OLDER, NEWER = "after", "before"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER: Final = (datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_BOOKMARK: Final = re.compile(r"([0-9a-f]{1,16})-([0-9a-f]{32})")


@dataclass(frozen=True)
class Total:
    """How many there are: exact up to ten thousand, then "10 000+"."""

    number: int

    def __str__(self) -> str:
        shown = f"{min(self.number, COUNTED):,}".replace(",", " ")
        return f"{shown}+" if self.number > COUNTED else shown

    def __bool__(self) -> bool:
        return self.number > 0


@dataclass(frozen=True)
class Page:
    """One page of rows, and the bookmarks of the pages beside it."""

    rows: list[Any]
    newer: str | None = None
    older: str | None = None


def page(rows: QuerySet[Any], query: QueryDict, size: int = SIZE) -> Page:
    """The page that the address asks for. Raises Invalid for a bookmark nobody handed out."""
    if NEWER in query:
        made, row_id = _read(query, NEWER)
        later = rows.filter(created_at__gte=made).exclude(created_at=made, id__lte=row_id)
        found = list(later.order_by("created_at", "id")[: size + 1])
        shown = found[:size][::-1]
        return Page(shown, newer=_mark(shown[:1], len(found) > size), older=_mark(shown[-1:]))
    if OLDER in query:
        made, row_id = _read(query, OLDER)
        rows = rows.filter(created_at__lte=made).exclude(created_at=made, id__gte=row_id)
    found = list(rows.order_by("-created_at", "-id")[: size + 1])
    shown = found[:size]
    return Page(shown, newer=_mark(shown[:1], OLDER in query), older=_mark(shown[-1:], len(found) > size))


def count(**rows: QuerySet[Any]) -> Mapping[str, Total]:
    """How many rows each of these has, none counted further than is shown, in one query: `count(members=…)`."""
    parts: list[str] = []
    parameters: list[Any] = []
    for name, counted in rows.items():
        statement, given = _counting(counted)
        parts.append(f"(SELECT COUNT(*) FROM ({statement}) AS counted_{name})")
        parameters += given
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", parameters)
        return {name: Total(number) for name, number in zip(rows, cursor.fetchone(), strict=True)}


def _counting(rows: QuerySet[Any]) -> tuple[str, tuple[Any, ...]]:
    try:
        statement, given = rows.order_by().values("pk")[: COUNTED + 1].query.sql_with_params()
    except EmptyResultSet:  # what Django says of a filter that nothing can pass
        return "SELECT 1 WHERE 1 = 0", ()
    return statement, given


def _mark(edge: list[Any], there_is_more: bool = True) -> str | None:
    if not edge or not there_is_more:
        return None
    since = (edge[0].created_at - _EPOCH) // timedelta(microseconds=1)
    return f"{since:x}-{edge[0].pk.hex}"


def _read(query: QueryDict, name: str) -> tuple[datetime, uuid.UUID]:
    found = _BOOKMARK.fullmatch(str(query[name]))
    since = int(found[1], 16) if found else _NEVER
    if found is None or since >= _NEVER:
        raise Invalid({name: "This address of a page is not complete. Start from the first page."})
    return _EPOCH + timedelta(microseconds=since), uuid.UUID(found[2])
