"""Budgets: reserve what a call may cost, settle what it did cost (security finding 6, 5.10).

A call passes if what is spent, what is reserved and what it may use fit into the limit together; one statement decides
that and reserves, so that of twenty calls at once on a budget for ten, ten pass. **What is documented of overrun:** a
call that turns out dearer than was reserved is paid in full, so a budget ends over its limit by at most what its last
running calls went over their own reservations. Whoever reserves the most a call can cost never goes over.

A reservation is a lease. When it lapses (the worker died) its amount is free again and nothing is paid; should the call
end after all, it is paid in full then. What is settled counts in the period in which it is settled.

Everything else that happens to a budget happens under a lock on its row, in the order reservation, rate, budget.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from apps.core.errors import Exhausted
from apps.limits.models import Budget, Reservation
from apps.limits.terms import MICRO, Subject, Terms, Unit

LEASE: Final = timedelta(minutes=15)
KEPT_AFTER_LAPSING: Final = timedelta(days=1)
AT_ONCE: Final = 500


@dataclass(frozen=True)
class Hold:
    """What one call holds of one budget."""

    reservation: int
    budget: int
    unit: Unit
    amount: int


@contextmanager
def held(pk: int, moment: datetime) -> Iterator[Budget]:
    """The budget in the period of this moment, locked. What the block leaves is written, and told to those concerned.

    Two workers at midnight begin the new period once: the second finds it begun.
    """
    with transaction.atomic(savepoint=False):
        budget = Budget.objects.select_for_update(no_key=True).get(pk=pk)
        budget.roll(moment)
        yield budget
        signals = budget.mark(moment)
        budget.save()
        for signal in signals:
            signal.send(sender=Budget, budget=budget)


def reserve(subject: Subject, terms: Terms, amount: int, moment: datetime, lease: timedelta) -> Hold:
    """Holds this much of the subject's budget. Raises Exhausted when it does not fit."""
    budget = current(subject, terms, moment)
    fits = _take(budget, amount) or (lapse(budget, moment) and _take(budget, amount))
    if not fits:
        raise Exhausted(_said(budget), resets_at=budget.resets_at)
    reservation = Reservation.objects.create(
        organization_id=budget.organization_id, budget=budget, amount=amount, expires_at=moment + lease
    )
    return Hold(reservation.pk, budget.pk, terms.unit, amount)


def current(subject: Subject, terms: Terms, moment: datetime) -> Budget:
    """The subject's budget, in the period of this moment; opened if it is used for the first time."""
    budget = Budget.objects.filter(subject=subject.pk, unit=terms.unit).first() or _open(subject, terms, moment)
    if budget.is_due(moment):
        with held(budget.pk, moment) as budget:
            pass
    return budget


def agree(subject: Subject, terms: Terms, moment: datetime) -> None:
    """Makes the budget follow the terms: a raised limit lets calls through again and tells anew when it is reached."""
    with held(_open(subject, terms, moment).pk, moment) as budget:
        budget.agree(terms, moment)


def end(hold: Hold) -> int | None:
    """Ends a reservation; answers with what it held still, nothing if it had lapsed, None if it was ended before."""
    rows = Reservation.objects.filter(pk=hold.reservation)
    if rows.filter(lapsed_at=None).delete()[0]:
        return hold.amount
    return 0 if rows.delete()[0] else None


def charge(hold: Hold, given_back: int, amount: int, moment: datetime) -> None:
    """Pays for a call whose reservation has ended."""
    with held(hold.budget, moment) as budget:
        budget.reserved -= given_back
        budget.spent += amount


def lapse(budget: Budget, moment: datetime) -> bool:
    """Gives back what stale reservations of this budget hold; answers whether there were any."""
    with transaction.atomic(savepoint=False):
        stale = Reservation.objects.filter(budget=budget, expires_at__lte=moment, lapsed_at=None)
        # Somebody is just settling or giving back what is locked. To wait for them while rates are locked could last
        # for ever; so a call that comes in this very instant may be refused once more.
        amounts = dict(stale.select_for_update(skip_locked=True).order_by("pk").values_list("pk", "amount"))
        if not amounts:
            return False
        Reservation.objects.filter(pk__in=amounts).update(lapsed_at=moment)
        Budget.objects.filter(pk=budget.pk).update(reserved=F("reserved") - sum(amounts.values()))
        return True


def lapse_all(moment: datetime) -> int:
    """The same for every budget; answers with how many budgets got something back."""
    stale = Reservation.objects.filter(expires_at__lte=moment, lapsed_at=None)
    budgets = Budget.objects.filter(pk__in=stale.values("budget")).order_by("pk")
    given_back = sum(lapse(budget, moment) for budget in budgets.iterator(chunk_size=AT_ONCE))
    Reservation.objects.filter(lapsed_at__lte=moment - KEPT_AFTER_LAPSING).delete()
    return given_back


def _open(subject: Subject, terms: Terms, moment: datetime) -> Budget:
    began = {
        "organization_id": subject.organization_id,
        "limit": terms.limit,
        "threshold": terms.threshold,
        "every": terms.plan.every,
        "anchor": terms.plan.anchor,
        "started_at": moment,
        "resets_at": terms.plan.first(moment),
    }
    return Budget.objects.get_or_create(subject=subject.pk, unit=terms.unit, defaults=began)[0]


def _take(budget: Budget, amount: int) -> bool:
    """Reserves if it fits. A call that costs nothing passes as long as there is something left."""
    fits = Q(limit=None) | Q(limit__gte=F("spent") + F("reserved") + max(amount, 1))
    return Budget.objects.filter(fits, pk=budget.pk).update(reserved=F("reserved") + amount) == 1


def _said(budget: Budget) -> str:
    limit = budget.limit or 0
    if budget.unit == Unit.COST:
        said = _("The budget of %(limit)s US dollars is used up.") % {"limit": limit // MICRO}
    else:
        said = _("The budget of %(limit)s tokens is used up.") % {"limit": limit}
    if budget.resets_at is None:
        return said
    return f"{said} " + _("It starts again on %(moment)s UTC.") % {"moment": f"{budget.resets_at:%Y-%m-%d %H:%M}"}
