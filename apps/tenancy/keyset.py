"""Pages of long lists: sorted by what an index serves, continued where the last one ended, not counted (P29)."""

import re
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db.models import CharField, F, Func, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from apps.core import counting
from apps.core.errors import Invalid

SIZE: Final = 50
SIZES: Final = (25, 50, 100)
COUNTED: Final = 10_000
OLDER, NEWER = "after", "before"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER: Final = (datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_BOOKMARK: Final = re.compile(r"(?:([0-9a-f]{1,16})|~([A-Za-z0-9_-]{0,1400}))-([0-9a-f]{32})")


@dataclass(frozen=True)
class Order:
    """One way to sort a list: by a column or expression that is never empty, and that an index serves with the id."""

    by: str | Func
    descending: bool = False

    def reversed(self) -> "Order":
        return replace(self, descending=not self.descending)

    def takes(self, edge: "Edge", rows: QuerySet[Any]) -> bool:
        """Whether this edge is one of a list sorted so: text where the column is text, an instant where it is one."""
        is_text = isinstance(self.by, str) and isinstance(rows.model._meta.get_field(self.by), CharField)
        return isinstance(edge.value, str) == is_text

    def applied(self, rows: QuerySet[Any], *, backwards: bool = False) -> QuerySet[Any]:
        sign = "-" if self.descending != backwards else ""
        key = F(self.by) if isinstance(self.by, str) else self.by
        sorted_rows: QuerySet[Any] = rows.annotate(sorted_by=key).order_by(f"{sign}sorted_by", f"{sign}id")
        return sorted_rows

    def beyond(self, rows: QuerySet[Any], edge: "Edge", *, backwards: bool) -> QuerySet[Any]:
        """The rows past an edge: bounded so that the index is entered there, then without those beside it."""
        way = "lte" if self.descending != backwards else "gte"
        back = "gte" if way == "lte" else "lte"
        beside = {"sorted_by": edge.value, f"id__{back}": edge.row_id}
        bounded = self.applied(rows, backwards=backwards).filter(**{f"sorted_by__{way}": edge.value})
        return bounded.exclude(**beside)


NEWEST_FIRST: Final = Order("created_at", descending=True)


class Edge(NamedTuple):
    """Where a page ended: what its last row is sorted by, and which row that is."""

    value: datetime | str
    row_id: uuid.UUID

    def __str__(self) -> str:
        if isinstance(self.value, str):
            return f"~{urlsafe_b64encode(self.value.encode()).decode().rstrip('=')}-{self.row_id.hex}"
        return f"{(self.value - _EPOCH) // timedelta(microseconds=1):x}-{self.row_id.hex}"


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


def page(rows: QuerySet[Any], query: QueryDict, size: int = SIZE, order: Order = NEWEST_FIRST) -> Page:
    """The page that the address asks for. Raises Invalid for a bookmark nobody handed out."""
    if NEWER in query:
        found = list(order.beyond(rows, _read(query, NEWER, order, rows), backwards=True)[: size + 1])
        shown = found[:size][::-1]
        return Page(shown, newer=_mark(shown[:1], len(found) > size), older=_mark(shown[-1:]))
    is_first = OLDER not in query
    if is_first:
        following = order.applied(rows)
    else:
        following = order.beyond(rows, _read(query, OLDER, order, rows), backwards=False)
    found = list(following[: size + 1])
    shown = found[:size]
    return Page(shown, newer=_mark(shown[:1], not is_first), older=_mark(shown[-1:], len(found) > size))


def count(**rows: QuerySet[Any]) -> Mapping[str, Total]:
    """How many rows each of these has, none counted further than is shown, in one query: `count(members=…)`."""
    return {name: Total(number) for name, number in counting.count(COUNTED, rows).items()}


def _mark(edge: list[Any], there_is_more: bool = True) -> str | None:
    return str(Edge(edge[0].sorted_by, edge[0].pk)) if edge and there_is_more else None


def _read(query: QueryDict, name: str, order: Order, rows: QuerySet[Any]) -> Edge:
    try:
        edge = _edge(str(query[name]))
        if order.takes(edge, rows):
            return edge
    except ValueError:
        pass
    raise Invalid({name: _("This address of a page is not complete. Start from the first page.")})


def _edge(bookmark: str) -> Edge:
    found = _BOOKMARK.fullmatch(bookmark)
    if found is None:
        raise ValueError(bookmark)
    return Edge(_instant(found[1]) if found[1] else _words(found[2]), uuid.UUID(found[3]))


def _instant(digits: str) -> datetime:
    since = int(digits, 16)
    if since >= _NEVER:
        raise ValueError(digits)
    return _EPOCH + timedelta(microseconds=since)


def _words(encoded: str) -> str:
    words = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    if "\0" in words:
        raise ValueError(encoded)
    return words
