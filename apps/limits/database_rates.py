"""Rates counted in the database: one row for each, locked while it is decided whether a call passes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from apps.core.clock import now
from apps.limits.errors import TooFast
from apps.limits.models import RateWindow
from apps.limits.rates import Counted, Full
from apps.limits.terms import Rate, Subject

Rows = dict[tuple[str, str], RateWindow]
COUNTED = ["number", "used", "previous"]


class DatabaseRates:
    """One clock for all workers, the database's: one whose own is wrong neither frees nor blocks anybody."""

    @transaction.atomic(savepoint=False)
    def count(
        self, subject: Subject, rates: Sequence[Rate], tokens: int, moment: datetime | None
    ) -> tuple[Counted, ...]:
        if not rates:
            return ()
        rows, moment = _locked(subject, rates), moment or shared_now()
        for rate in rates:
            row, amount = rows[rate.type, rate.unit], rate.taken_by(tokens)
            full = row.move_to(moment)
            if full.weighed + amount > rate.value:
                raise TooFast(rate, wait=full.wait(rate.value, amount))
            row.used += amount
        _write(rows, rates)
        return tuple(Counted(rate, rows[rate.type, rate.unit].number) for rate in rates)

    @transaction.atomic(savepoint=False)
    def correct(self, subject: UUID, counted: Sequence[Counted], difference: int, moment: datetime | None) -> None:
        concerned = [each for each in counted if each.rate.type == "tokens"] if difference else []
        if not concerned:
            return
        rows, moment = _lock(subject), moment or shared_now()
        there = [each for each in concerned if (each.rate.type, each.rate.unit) in rows]
        for rate, number in there:
            row = rows[rate.type, rate.unit]
            row.move_to(moment)
            if difference > 0 or row.number == number:
                row.used = max(0, row.used + difference)
            elif row.number == number + 1:
                row.previous = max(0, row.previous + difference)
        _write(rows, [each.rate for each in there])

    def fill(self, asked: Mapping[UUID, Sequence[Rate]], moment: datetime | None) -> dict[UUID, list[Full]]:
        moment = moment or now()
        wanted = [subject for subject, rates in asked.items() if rates]
        found = RateWindow.objects.filter(subject__in=wanted) if wanted else []
        weighed = {(row.subject, row.type, row.unit): row.move_to(moment).weighed for row in found}
        return {
            subject: [Full(rate, weighed.get((subject, rate.type, rate.unit), 0)) for rate in rates]
            for subject, rates in asked.items()
        }


def shared_now() -> datetime:
    """The clock of the database. SQLite has none: it is on the machine that asks."""
    if connection.vendor != "postgresql":
        return now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def _lock(subject: UUID) -> Rows:
    rows = RateWindow.objects.select_for_update(no_key=True).filter(subject=subject).order_by("pk")
    return {(row.type, row.unit): row for row in rows}


def _locked(subject: Subject, rates: Sequence[Rate]) -> Rows:
    rows = _lock(subject.pk)
    missing = [
        RateWindow(organization_id=subject.organization_id, subject=subject.pk, type=rate.type, unit=rate.unit)
        for rate in rates
        if (rate.type, rate.unit) not in rows
    ]
    if missing:
        RateWindow.objects.bulk_create(missing, ignore_conflicts=True)
        rows = _lock(subject.pk)
    return rows


def _write(rows: Rows, rates: Sequence[Rate]) -> None:
    for rate in rates:
        rows[rate.type, rate.unit].save(update_fields=COUNTED)
