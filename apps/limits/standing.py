"""How much is used and left: for the bars of a page, for a key that asks about itself, and for the wire's fields."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from apps.core.clock import now
from apps.core.errors import Unavailable
from apps.limits.models import Budget
from apps.limits.rates import Full, store
from apps.limits.terms import MICRO, Rate, Subject, Terms, Unit, rates_of, terms_of


@dataclass(frozen=True)
class BudgetStanding:
    """One budget: amounts are micro-USD or tokens, as its unit says."""

    unit: Unit
    limit: int | None
    threshold: int | None
    used: int
    reserved: int
    last_reset_at: datetime | None
    resets_at: datetime | None

    @property
    def left(self) -> int | None:
        """What a call could still reserve; None where nothing is limited."""
        return None if self.limit is None else max(0, self.limit - self.used - self.reserved)

    @property
    def share(self) -> float | None:
        """How much of the limit is used, from 0 to 1; running calls are not in it."""
        return None if self.limit is None else min(1.0, self.used / self.limit)

    @property
    def is_exhausted(self) -> bool:
        return self.limit is not None and self.used >= self.limit

    @property
    def is_over_threshold(self) -> bool:
        return self.threshold is not None and self.used >= self.threshold

    @property
    def current_usage(self) -> int | float:
        """What is used, as the wire says it: dollars with their fractions, or tokens."""
        return self.used / MICRO if self.unit is Unit.COST else self.used


@dataclass(frozen=True)
class RateStanding:
    """One rate; `used` is None when the place where rates are counted cannot be reached."""

    rate: Rate
    used: int | None

    @property
    def left(self) -> int | None:
        return None if self.used is None else max(0, self.rate.value - self.used)

    @property
    def share(self) -> float | None:
        if self.used is None:
            return None
        return min(1.0, self.used / self.rate.value) if self.rate.value else 1.0


@dataclass(frozen=True)
class Standing:
    """Everything that limits one subject."""

    budgets: tuple[BudgetStanding, ...] = ()
    rates: tuple[RateStanding, ...] = ()

    @property
    def budget(self) -> BudgetStanding | None:
        """The one budget of a subject that can have one, as a key."""
        return self.budgets[0] if self.budgets else None

    @property
    def is_exhausted(self) -> bool:
        return any(budget.is_exhausted for budget in self.budgets)


def state(subject: Subject, *, at: datetime | None = None) -> Standing:
    """How the subject stands now; nothing is written."""
    return states([subject], at=at)[subject.pk]


def states(subjects: Iterable[Subject], *, with_rates: bool = True, at: datetime | None = None) -> dict[UUID, Standing]:
    """How many subjects stand: one query for their budgets, one for their rates, none where there are no limits."""
    listed, moment = list(subjects), at or now()
    terms = {subject.pk: terms_of(subject) for subject in listed}
    wanted = [pk for pk, agreed in terms.items() if agreed]
    found = Budget.objects.filter(subject__in=wanted) if wanted else []
    rows = {(row.subject, row.unit): row for row in found}
    rates = _rates({subject.pk: rates_of(subject) if with_rates else [] for subject in listed}, at)
    return {
        pk: Standing(tuple(_standing(each, rows.get((pk, each.unit)), moment) for each in agreed), rates[pk])
        for pk, agreed in terms.items()
    }


def look_at(rows: Iterable[Any], *, with_rates: bool = True) -> None:
    """Notes on each of these subjects how it stands, as `standing`."""
    listed = list(rows)
    known = states(listed, with_rates=with_rates)
    for row in listed:
        row.standing = known[row.pk]


def exhausted(subject: str = "pk", *, at: datetime | None = None) -> Exists:
    """Whether the budget of a row's subject is used up, for `filter` and `annotate`: a look into an index for each row.

    Arguments: `subject` names the column that holds the subject's id.
    """
    of_this_period = Q(resets_at=None) | Q(resets_at__gt=at or now())
    return Exists(Budget.objects.filter(of_this_period, subject=OuterRef(subject), exhausted_at__isnull=False))


def _standing(terms: Terms, row: Budget | None, moment: datetime) -> BudgetStanding:
    if row is None:
        # Days are counted from the first use; Mondays and firsts of a month are known before.
        is_known = not terms.plan.every.isdecimal() or terms.plan.anchor is not None
        return BudgetStanding(
            terms.unit, terms.limit, terms.threshold, 0, 0, None, terms.plan.first(moment) if is_known else None
        )
    row.roll(moment)
    return BudgetStanding(
        terms.unit, terms.limit, terms.threshold, row.spent, row.reserved, row.last_reset_at, row.resets_at
    )


def _rates(asked: Mapping[UUID, Sequence[Rate]], moment: datetime | None) -> dict[UUID, tuple[RateStanding, ...]]:
    known: Mapping[UUID, Sequence[Full]]
    try:
        known = store().fill(asked, moment)
    except Unavailable:
        return {subject: tuple(RateStanding(rate, None) for rate in rates) for subject, rates in asked.items()}
    return {subject: tuple(RateStanding(rate, used) for rate, used in full) for subject, full in known.items()}
