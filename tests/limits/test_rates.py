"""Rates in the database: sliding windows, exact to the call."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.limits import operations as limits
from apps.limits.errors import TooFast
from apps.limits.models import RateWindow
from apps.limits.sliding import SECOND, Sliding
from tests.limits.subjects import Limited, budget, rate

New = Callable[..., Limited]
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
UNITS = {"rps": 1, "rpm": 60, "rph": 3600, "rpd": 86_400, "rpw": 604_800}


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def pass_at(key: Limited, seconds: float, *, calls: int, tokens: int = 0) -> int:
    """How many of so many calls pass."""
    passed = 0
    for _ in range(calls):
        try:
            limits.admit(key, tokens=tokens, at=after(seconds))
            passed += 1
        except TooFast:
            pass
    return passed


@pytest.mark.parametrize("unit", list(UNITS))
def test_as_many_pass_as_the_rate_says(limited: New, unit: str) -> None:
    key = limited(rate_limits=[rate(5, unit)])
    assert pass_at(key, 0, calls=9) == 5
    assert pass_at(key, 2 * UNITS[unit], calls=9) == 5


def test_a_burst_around_the_edge_of_a_minute_passes_once(limited: New) -> None:
    """RL-01: a window that began anew at twelve would let 200 through."""
    key = limited(rate_limits=[rate(100)])
    assert pass_at(key, -5, calls=150) == 100
    assert pass_at(key, 0, calls=50) == 0
    assert pass_at(key, 5, calls=50) == 8  # five of sixty seconds have moved out of sight


def test_it_empties_as_time_passes(limited: New) -> None:
    key = limited(rate_limits=[rate(60)])
    assert pass_at(key, 0, calls=60) == 60
    assert [pass_at(key, 60 + second, calls=9) for second in (1, 2, 3)] == [1, 1, 1]


def test_the_wait_it_names_is_enough_and_no_more_than_a_second_too_long(limited: New) -> None:
    key = limited(rate_limits=[rate(10)])
    pass_at(key, 7, calls=10)
    with pytest.raises(TooFast, match=r"Try again in 59 seconds\.") as refusal:
        limits.admit(key, at=after(7))
    assert refusal.value.rate.unit == "rpm"
    assert pass_at(key, 7 + refusal.value.wait - 1, calls=1) == 0
    assert pass_at(key, 7 + refusal.value.wait, calls=1) == 1


@given(
    used=st.integers(0, 50),
    previous=st.integers(0, 50),
    value=st.integers(0, 50),
    amount=st.integers(0, 60),
    left=st.integers(1, 60 * SECOND),
)
def test_after_the_wait_the_same_call_passes(used: int, previous: int, value: int, amount: int, left: int) -> None:
    full = Sliding(used, previous, left, 60 * SECOND)
    if full.weighed + amount <= value or amount > value:
        return
    wait = full.wait(value, amount) * SECOND
    later = left - wait
    then = (
        Sliding(used, previous, later, 60 * SECOND)
        if later > 0
        else Sliding(0, used, max(0, later + 60 * SECOND), 60 * SECOND)
    )
    assert then.weighed + amount <= value
    assert 1 <= wait // SECOND <= 120


def test_what_never_passes_waits_for_a_window(limited: New) -> None:
    for limit, tokens in ((rate(0), 0), (rate(100, "rpm", "tokens"), 101)):
        with pytest.raises(TooFast) as refusal:
            limits.admit(limited(rate_limits=[limit]), tokens=tokens)
        assert refusal.value.wait == 60


def test_what_one_rate_refuses_is_counted_in_none(limited: New) -> None:
    key = limited(rate_limits=[rate(100, "rpd"), rate(5, "rpm"), rate(50, "rpm", "tokens")])
    assert pass_at(key, 0, calls=9, tokens=10) == 5
    assert pass_at(key, 1, calls=1, tokens=60) == 0
    used = {(row.type, row.unit): row.used for row in RateWindow.objects.all()}
    assert used == {("requests", "rpd"): 5, ("requests", "rpm"): 5, ("tokens", "rpm"): 50}


class TestTokens:
    def used(self) -> tuple[int, int]:
        row = RateWindow.objects.get()
        return row.used, row.previous

    def test_what_was_not_used_is_given_back(self, limited: New) -> None:
        key = limited(rate_limits=[rate(1000, "rpm", "tokens")])
        admission = limits.admit(key, tokens=900, at=NOON)
        limits.settle(admission, tokens=100, at=after(5))
        assert self.used() == (100, 0)
        assert pass_at(key, 6, calls=2, tokens=900) == 1

    def test_even_when_the_minute_has_passed_and_not_after_the_next(self, limited: New) -> None:
        key = limited(rate_limits=[rate(1000, "rpm", "tokens")])
        first, second = (limits.admit(key, tokens=400, at=NOON) for _ in range(2))
        limits.settle(first, tokens=100, at=after(61))
        assert self.used() == (0, 500)
        limits.settle(second, tokens=100, at=after(185))
        assert self.used() == (0, 0)

    def test_what_was_not_foreseen_is_counted_without_refusing(self, limited: New) -> None:
        key = limited(rate_limits=[rate(1000, "rpm", "tokens")])
        limits.settle(limits.admit(key, tokens=10, at=NOON), tokens=5000, at=after(61))
        assert self.used() == (4990, 10)
        assert pass_at(key, 62, calls=1, tokens=1) == 0

    def test_a_call_that_never_ran_gives_its_tokens_back_and_was_asked_for_all_the_same(self, limited: New) -> None:
        key = limited(rate_limits=[rate(10), rate(1000, "rpm", "tokens")])
        limits.release(limits.admit(key, tokens=900, at=NOON), at=NOON)
        assert dict(RateWindow.objects.values_list("type", "used")) == {"requests": 1, "tokens": 0}

    def test_settling_twice_gives_back_once_where_there_is_a_budget(self, limited: New) -> None:
        key = limited(usage_limits=budget(5000), rate_limits=[rate(1000, "rpm", "tokens")])
        first, _ = (limits.admit(key, tokens=400, at=NOON) for _ in range(2))
        assert [limits.settle(first, tokens=0, at=NOON) for _ in range(2)] == [True, False]
        assert self.used() == (400, 0)


class TestClocks:
    """RL-04."""

    def test_a_worker_that_asks_a_moment_late_counts_into_the_window_that_has_begun(self, limited: New) -> None:
        key = limited(rate_limits=[rate(5)])
        assert pass_at(key, 0.001, calls=3) == 3
        assert pass_at(key, -0.001, calls=9) == 2
        assert pass_at(key, 0.002, calls=9) == 0

    def test_a_clock_that_is_set_back_neither_frees_nor_blocks(self, limited: New) -> None:
        key = limited(rate_limits=[rate(5)])
        assert pass_at(key, 3600, calls=3) == 3
        assert pass_at(key, 0, calls=9) == 2
        assert pass_at(key, 120, calls=9) == 5

    def test_without_a_given_moment_the_stores_own_clock_counts(self, limited: New) -> None:
        key = limited(rate_limits=[rate(1, "rpw")])
        limits.admit(key)
        with pytest.raises(TooFast):
            limits.admit(key)
