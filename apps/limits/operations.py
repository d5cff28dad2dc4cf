"""What can happen to limits: a call is admitted, then settled or released; limits change; a counter is reset.

Nobody's rights are asked here: whoever changes or resets the limits of a key is asked by the app that has the key.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from apps.access.actors import Actor
from apps.core.clock import now
from apps.limits import budgets
from apps.limits.budgets import LEASE, Hold
from apps.limits.models import Budget, RateWindow
from apps.limits.rates import Counted, store
from apps.limits.terms import Subject, Unit, checked, rates_of, terms_of

NOTHING: Final = 0


@dataclass(frozen=True)
class Admission:
    """A call that may run, and what it holds until it is settled or released."""

    subject: UUID
    holds: tuple[Hold, ...]
    counted: tuple[Counted, ...]
    tokens: int


@transaction.atomic
def admit(
    subject: Subject,
    *,
    cost: int = NOTHING,
    tokens: int = NOTHING,
    lease: timedelta = LEASE,
    at: datetime | None = None,
) -> Admission:
    """Lets a call through that may cost so many micro-USD and use so many tokens, and reserves them.

    Everything that limits the subject must agree, or nothing is counted. Where several subjects are nested (a key in
    its workspace) admit the inner one first, in one transaction. Whoever cannot tell what a call may cost reserves a
    price by default: what is reserved is what a call is charged that dies without saying what it used.
    Raises Exhausted, TooFast; Unavailable; Invalid for amounts that no call has.
    """
    amounts = {Unit.COST: checked(cost, "cost"), Unit.TOKENS: checked(tokens, "tokens")}
    counted = store().count(subject, rates_of(subject), tokens, at)
    moment = at or now()
    holds = [budgets.reserve(subject, terms, amounts[terms.unit], moment, lease) for terms in terms_of(subject)]
    return Admission(subject.pk, tuple(holds), counted, tokens)


@transaction.atomic
def settle(
    admission: Admission, *, cost: int | None = None, tokens: int | None = None, at: datetime | None = None
) -> bool:
    """Pays for a call that is over with what it did use; what is None, with what was reserved.

    Answers whether there was anything left to pay: a second time there is not, where the subject has a budget. What
    was admitted together is settled one by one, each in a transaction of its own: see alerts.
    Raises Invalid for amounts that no call has; settle those by what was reserved.
    """
    used = {
        Unit.COST: None if cost is None else checked(cost, "cost"),
        Unit.TOKENS: None if tokens is None else checked(tokens, "tokens"),
    }
    ended = [(hold, budgets.end(hold)) for hold in admission.holds]
    if ended and all(given_back is None for _, given_back in ended):
        return False
    if tokens is not None:
        store().correct(admission.subject, admission.counted, tokens - admission.tokens, at)
    for hold, given_back in ended:
        if given_back is not None:
            amount = used[hold.unit]
            budgets.charge(hold, given_back, hold.amount if amount is None else amount, at or now())
    return True


def release(admission: Admission, *, at: datetime | None = None) -> bool:
    """Gives back what a call reserved that did not run. That it was asked for still counts in the rate of requests."""
    return settle(admission, cost=NOTHING, tokens=NOTHING, at=at)


@transaction.atomic
def agree(subject: Subject, *, at: datetime | None = None) -> None:
    """Makes the counters follow the subject's limits: whoever writes them calls this in the same transaction.

    A raised limit lets calls through again, and alerts are armed again (contract rule 62); a lowered one may be used up
    at once, which is told. What is not limited any more is not counted any more.
    """
    agreed, rates, moment = terms_of(subject), rates_of(subject), at or now()
    Budget.objects.filter(subject=subject.pk).exclude(unit__in=[terms.unit for terms in agreed]).delete()
    kept = {(rate.type, rate.unit) for rate in rates}
    windows = RateWindow.objects.filter(subject=subject.pk)
    windows.filter(pk__in=[row.pk for row in windows if (row.type, row.unit) not in kept]).delete()
    for terms in agreed:
        budgets.agree(subject, terms, moment)


@transaction.atomic
def reset(subject: Subject, *, by: Actor, at: datetime | None = None) -> None:
    """Starts the subject's budgets anew: what was used up is active, and alerts are armed again (contract rule 62).

    When they start again by themselves does not change, and running calls still count when they are over.
    """
    moment = at or now()
    for terms in terms_of(subject):
        with budgets.held(budgets.current(subject, terms, moment).pk, moment) as budget:
            budget.begin(moment)
            budget.reset_by, budget.reset_by_kind = by.id, by.kind


def sweep(*, at: datetime | None = None) -> int:
    """Gives back what was reserved by calls that never came back; answers for how many budgets. Run it now and then.

    A budget that is asked for more than is left looks after its own, so that nobody waits for this.
    """
    return budgets.lapse_all(at or now())


def forget(subjects: Iterable[UUID]) -> None:
    """Removes the counters of subjects that are not there any more."""
    gone = list(subjects)
    Budget.objects.filter(subject__in=gone).delete()
    RateWindow.objects.filter(subject__in=gone).delete()
