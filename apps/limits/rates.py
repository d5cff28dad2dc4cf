"""Rates, wherever they are counted: in the database, or in Redis where there is one.

**When the place where rates are counted cannot be reached, nothing that has a rate passes.** There is no guess in its
stead: a rate that is not counted is not a limit, and what it protects costs money. The refusal is Unavailable, which
says when to try again. Pages that only show how full a rate is say that they do not know, and what has no rates goes
on. On the database the question does not arise: without it nothing is decided at all.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from apps.limits.terms import Rate, Subject

SPOKEN_BY_REDIS: Final = frozenset({"redis", "rediss", "redis+unix"})


class Counted(NamedTuple):
    """In which window of a rate a call was counted."""

    rate: Rate
    number: int


class Full(NamedTuple):
    """How full a rate is."""

    rate: Rate
    used: int


class Store(Protocol):
    """Where rates are counted. `moment` is given by those who know better than the store's own clock: the tests."""

    def count(
        self, subject: Subject, rates: Sequence[Rate], tokens: int, moment: datetime | None
    ) -> tuple[Counted, ...]:
        """Counts one call in all of the rates, or in none. Raises TooFast, Unavailable."""

    def correct(self, subject: UUID, counted: Sequence[Counted], difference: int, moment: datetime | None) -> None:
        """Counts tokens that were not foreseen, or gives back those that were not used. Refuses nothing."""

    def fill(self, asked: Mapping[UUID, Sequence[Rate]], moment: datetime | None) -> dict[UUID, list[Full]]:
        """How full these rates are. Raises Unavailable."""


def store() -> Store:
    """Where rates are counted in this installation."""
    url = settings.RATE_LIMITS_URL
    if url.partition("://")[0] in SPOKEN_BY_REDIS:
        # Imported here alone: the packages it needs are an extra.
        opened: Any = import_string("apps.limits.redis_rates.opened")
        return opened(url)  # type: ignore[no-any-return]
    chosen: Any = import_string("apps.limits.database_rates.DatabaseRates")
    return chosen()  # type: ignore[no-any-return]
