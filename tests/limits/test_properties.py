"""Whatever happens in whatever order: the counters are the sum of what happened, and nothing leaks."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core.errors import Exhausted
from apps.limits import operations as limits
from apps.limits.budgets import LEASE
from apps.limits.models import Budget, Reservation
from apps.limits.operations import Admission
from tests.limits.subjects import Limited, budget, held_by
from tests.world import Company

LIMIT = 50
BEGIN = datetime(2026, 11, 24, tzinfo=UTC)
steps = st.one_of(
    st.tuples(st.just("admit"), st.integers(0, 30)),
    st.tuples(st.just("settle"), st.integers(0, 60)),
    st.tuples(st.just("settle again"), st.integers(0, 60)),
    st.tuples(st.just("die"), st.just(0)),
    st.tuples(st.just("release"), st.just(0)),
    st.tuples(st.just("wait"), st.integers(1, 30)),
    st.tuples(st.just("sweep"), st.just(0)),
)


class Story:
    """A key and everything that was done with it, reckoned beside the engine."""

    def __init__(self, acme: Company) -> None:
        self.key = Limited(acme.organization.pk, budget(LIMIT))
        self.moment = BEGIN
        self.running: list[tuple[Admission, int]] = []
        self.over: list[Admission] = []
        self.paid = self.dearer = 0

    def tell(self, what: str, number: int) -> None:
        if what == "wait":
            self.moment += timedelta(minutes=number)
        elif what == "sweep":
            limits.sweep(at=self.moment)
        elif what == "admit":
            self.admit(number)
        elif what == "settle again" and self.over:
            assert not limits.settle(self.over[-1], tokens=number, at=self.moment)
        elif self.running and what in {"settle", "die", "release"}:
            self.end(what, number)

    def admit(self, tokens: int) -> None:
        before = (self.paid, held_by(self.key))
        try:
            self.running.append((limits.admit(self.key, tokens=tokens, at=self.moment), tokens))
        except Exhausted:
            assert sum(before) + max(tokens, 1) > LIMIT
        else:
            assert self.paid + held_by(self.key) <= LIMIT

    def end(self, how: str, number: int) -> None:
        admission, reserved = self.running.pop(0)
        was_held = Reservation.objects.filter(pk=admission.holds[0].reservation, lapsed_at=None).exists()
        used = {"settle": number, "die": None, "release": 0}[how]
        assert limits.settle(admission, tokens=used, at=self.moment)
        paid = reserved if used is None else used
        self.paid += paid
        # What was not foreseen: all of it where the lease was over, else what went over the reservation.
        self.dearer += max(0, paid - (reserved if was_held else 0))
        self.over.append(admission)


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(steps, min_size=5, max_size=30))
def test_the_counters_are_the_sum_of_what_happened(acme: Company, told: list[tuple[str, int]]) -> None:
    story = Story(acme)
    for what, number in told:
        story.tell(what, number)
        row = Budget.objects.filter(subject=story.key.pk).first()
        if row is not None:
            assert (row.spent, row.reserved) == (story.paid, held_by(story.key))
            assert row.spent <= LIMIT + story.dearer
    limits.sweep(at=story.moment + LEASE)
    assert held_by(story.key) == 0
    assert not Budget.objects.filter(subject=story.key.pk, reserved__gt=0).exists()
