"""Rates counted in Redis, by the `limits` package and Redis' own clock, in the same sliding windows as in the database.

Three things differ. Tokens that were reserved and not used are not given back, and those that were not foreseen are
counted as far as they fit, because the package only adds what passes. A call that one rate lets through and, at the
same instant, another one does not, is counted in the first: never too few are counted. And another value of a rate is
another counter.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import Final, TypeVar
from uuid import UUID

from django.utils.translation import gettext as _
from limits import (
    RateLimitItem,
    RateLimitItemPerDay,
    RateLimitItemPerHour,
    RateLimitItemPerMinute,
    RateLimitItemPerSecond,
)
from limits.errors import StorageError
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from apps.core.errors import Unavailable
from apps.limits.errors import TooFast
from apps.limits.rates import Counted, Full
from apps.limits.sliding import SECOND, Sliding
from apps.limits.terms import Rate, Subject

Answer = TypeVar("Answer")
PATIENCE: Final = 0.5  # seconds that Redis may take
TRY_AGAIN_AFTER: Final = 5
_ITEMS: Final[Mapping[str, Callable[[int], RateLimitItem]]] = {
    "rps": RateLimitItemPerSecond,
    "rpm": RateLimitItemPerMinute,
    "rph": RateLimitItemPerHour,
    "rpd": RateLimitItemPerDay,
    "rpw": lambda value: RateLimitItemPerDay(value, 7),
}


@lru_cache(maxsize=4)
def opened(url: str) -> "RedisRates":
    """One for each address in a process, with its pool of connections."""
    return RedisRates(url)


class RedisRates:
    def __init__(self, url: str) -> None:
        self._storage = RedisStorage(
            url,
            key_prefix="gatehouse",
            wrap_exceptions=True,
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
        )
        self._limiter = SlidingWindowCounterRateLimiter(self._storage)

    def count(
        self, subject: Subject, rates: Sequence[Rate], tokens: int, moment: datetime | None
    ) -> tuple[Counted, ...]:
        # Asked first, so that a call that one of them refuses is counted in none of them.
        for take in (False, True):
            for rate in rates:
                if not self._passes(subject.pk, rate, rate.taken_by(tokens), take=take):
                    wait = self._full(subject.pk, rate).wait(rate.value, rate.taken_by(tokens))
                    raise TooFast(rate, wait=wait)
        return tuple(Counted(rate, 0) for rate in rates)

    def correct(self, subject: UUID, counted: Sequence[Counted], difference: int, moment: datetime | None) -> None:
        # A call that is over is paid, whether or not Redis hears of it.
        with suppress(Unavailable):
            for rate in (each.rate for each in counted if each.rate.type == "tokens" and difference > 0):
                more = min(difference, rate.value - self._full(subject, rate).weighed)
                if more > 0:
                    self._passes(subject, rate, more, take=True)

    def fill(self, asked: Mapping[UUID, Sequence[Rate]], moment: datetime | None) -> dict[UUID, list[Full]]:
        return {
            subject: [Full(rate, self._full(subject, rate).weighed) for rate in rates]
            for subject, rates in asked.items()
        }

    def _passes(self, subject: UUID, rate: Rate, amount: int, *, take: bool) -> bool:
        if amount > rate.value or amount == 0:
            return amount == 0
        ask = self._limiter.hit if take else self._limiter.test
        return _asked(lambda: ask(_ITEMS[rate.unit](rate.value), str(subject), rate.type, cost=amount))

    def _full(self, subject: UUID, rate: Rate) -> Sliding:
        item = _ITEMS[rate.unit](rate.value)
        key, whole = item.key_for(str(subject), rate.type), item.get_expiry()
        previous, previous_left, used, used_left = _asked(lambda: self._storage.get_sliding_window(key, whole))
        # What is counted now is kept for two windows, and is in this one for the first of them.
        left = previous_left if previous else used_left - whole if used else whole
        return Sliding(used, previous, round(max(left, 0) * SECOND), whole * SECOND)


def _asked(ask: Callable[[], Answer]) -> Answer:
    try:
        return ask()
    except StorageError as failure:
        message = _("Rate limits cannot be counted at the moment, so nothing passes. Try again in a few seconds.")
        raise Unavailable(message, wait=TRY_AGAIN_AFTER) from failure
