"""When a budget starts again: in UTC, on Mondays, on the first of a month, or after a number of days (product P18)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

WEEKLY: Final = "weekly"
MONTHLY: Final = "monthly"
WEEK: Final = timedelta(days=7)


@dataclass(frozen=True)
class Plan:
    """What starts a budget again: "weekly", "monthly", a number of days, or nothing; and the first time, if given."""

    every: str = ""
    anchor: datetime | None = None

    def first(self, moment: datetime) -> datetime | None:
        """The next reset of a budget that begins at this moment."""
        if self.anchor is not None and self.anchor > moment:
            return self.anchor
        return self.after(moment, since=self.anchor or moment)

    def after(self, moment: datetime, *, since: datetime) -> datetime | None:
        """The first reset later than the moment. Days are counted from `since`, which is not later than the moment."""
        if self.every == MONTHLY:
            return _first_of_month(_first_of_month(moment) + timedelta(days=31))
        if self.every == WEEKLY:
            return _monday(moment) + WEEK
        if not self.every:
            return None
        return since + self._step * ((moment - since) // self._step + 1)

    def latest(self, moment: datetime, *, since: datetime) -> datetime:
        """The last reset that has been by this moment, given that `since` was one."""
        if self.every == MONTHLY:
            return max(since, _first_of_month(moment))
        if self.every == WEEKLY:
            return max(since, _monday(moment))
        if not self.every:
            return since
        return since + self._step * ((moment - since) // self._step)

    @property
    def _step(self) -> timedelta:
        return timedelta(days=int(self.every))


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _monday(moment: datetime) -> datetime:
    midnight = _midnight(moment)
    return midnight - timedelta(days=midnight.weekday())


def _first_of_month(moment: datetime) -> datetime:
    return _midnight(moment).replace(day=1)
