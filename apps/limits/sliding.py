"""How full a rate is: a sliding window, made of two fixed ones.

Not a fixed window: one that begins anew every minute lets twice the rate through around its edge, and a burst of ten
seconds finds an edge in one minute out of six. Not a list of every call, which would be exact at any moment, and as
long as the limit: a million rows for a million tokens. What is counted in the window before weighs as much as of it is
still in sight: half way through this minute, half of the last. Around an edge that is exact for a burst to within the
part of the window that has passed; everywhere else to the single call, however many processes ask, because the row is
locked while it is decided (or Redis decides, which does one thing at a time and reckons the same way).

Everything is in whole microseconds and whole calls, rounded against the caller.
"""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

MICROSECOND: Final = timedelta(microseconds=1)
SECOND: Final = 10**6
EPOCH: Final = datetime(1970, 1, 5, tzinfo=UTC)  # a Monday, so that windows of a week begin on one


class Position(NamedTuple):
    """Where a moment lies: in which window, how much of it is left, and how long it is, in microseconds."""

    number: int
    left: int
    whole: int

    @classmethod
    def of(cls, moment: datetime, seconds: int) -> "Position":
        whole = seconds * SECOND
        number, passed = divmod((moment - EPOCH) // MICROSECOND, whole)
        return cls(number, whole - passed, whole)


class Sliding(NamedTuple):
    """What was taken in this window and in the one before, and how much of this window is left."""

    used: int
    previous: int
    left: int
    whole: int

    @property
    def weighed(self) -> int:
        """How much was taken in one window's length up to now."""
        return self.used + _up(self.previous * self.left, self.whole)

    def wait(self, value: int, amount: int) -> int:
        """After how many seconds so much more would pass. What never passes waits for a whole window."""
        room = value - amount
        if room < 0:
            return self.whole // SECOND
        if self.used <= room:  # it is the window before that has to move out of sight
            in_sight = (room - self.used) * self.whole // self.previous if self.previous else self.left
            return max(1, _up(self.left - in_sight, SECOND))
        return max(1, _up(self.left + self.whole - room * self.whole // self.used, SECOND))


def _up(number: int, by: int) -> int:
    return -(-number // by)
