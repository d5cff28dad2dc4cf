"""What pages, keys that ask about themselves and the wire are told of limits."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.core.clock import wire
from apps.limits import operations as limits
from apps.limits.models import Budget
from apps.limits.standing import Standing, state, states
from tests.limits.subjects import DOLLAR, Limited, budget, rate

New = Callable[..., Limited]
SUNDAY = datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC)
MONDAY = SUNDAY + timedelta(seconds=1)


def test_a_budget_says_what_is_used_reserved_and_left(limited: New) -> None:
    key = limited(usage_limits={"type": "cost", "credit_limit": 10, "alert_threshold": 2, "periodic_reset": "weekly"})
    limits.settle(limits.admit(key, cost=2_500_000, at=SUNDAY), at=SUNDAY)
    limits.admit(key, cost=5 * DOLLAR, at=SUNDAY)
    stands = state(key, at=SUNDAY).budget
    assert stands is not None
    assert (stands.used, stands.reserved, stands.left, stands.limit) == (2_500_000, 5_000_000, 2_500_000, 10_000_000)
    assert (stands.share, stands.is_over_threshold, stands.is_exhausted) == (0.25, True, False)
    assert (stands.current_usage, stands.unit) == (2.5, "cost")
    assert (wire(stands.resets_at), stands.last_reset_at) == ("2026-11-23T00:00:00.000Z", None)


def test_a_budget_that_is_used_up_says_so_until_it_starts_again(limited: New) -> None:
    key = limited(usage_limits=budget(10, periodic_reset="weekly"))
    limits.settle(limits.admit(key, tokens=10, at=SUNDAY), tokens=12, at=SUNDAY)
    before, after = state(key, at=SUNDAY), state(key, at=MONDAY)
    assert (before.is_exhausted, after.is_exhausted) == (True, False)
    assert before.budget is not None
    assert (before.budget.left, before.budget.share, before.budget.current_usage) == (0, 1.0, 12)
    assert after.budget is not None
    assert (after.budget.used, after.budget.last_reset_at) == (0, MONDAY)
    assert after.budget.resets_at == MONDAY + timedelta(days=7)
    assert Budget.objects.get().spent == 12  # looking writes nothing


def test_what_was_never_used_is_empty_and_opens_no_counter(limited: New) -> None:
    weekly, by_days = (
        limited(usage_limits=budget(10, **more)) for more in ({"periodic_reset": "weekly"}, {"periodic_reset_days": 5})
    )
    told = states([weekly, by_days], at=SUNDAY)
    assert [told[key.pk].budget.resets_at for key in (weekly, by_days)] == [MONDAY, None]
    assert [told[key.pk].budget.used for key in (weekly, by_days)] == [0, 0]
    assert not Budget.objects.exists()


def test_without_limits_there_is_nothing_to_say(limited: New) -> None:
    stands = state(limited())
    assert (stands, stands.budget, stands.is_exhausted) == (Standing(), None, False)


def test_only_counting_has_no_share_and_is_never_used_up(limited: New) -> None:
    key = limited(usage_limits=budget(None, alert_threshold=5))
    limits.settle(limits.admit(key, tokens=7))
    stands = state(key).budget
    assert stands is not None
    assert (stands.share, stands.left, stands.is_exhausted, stands.is_over_threshold) == (None, None, False, True)


def test_rates_say_how_full_they_are(limited: New) -> None:
    key = limited(rate_limits=[rate(4), rate(100, "rpd", "tokens"), rate(0, "rpw"), rate(9, "rph")])
    other = limited(rate_limits=[rate(4)])
    limits.admit(other, at=MONDAY)
    key.rate_limits.pop(2)
    limits.admit(key, tokens=30, at=MONDAY)
    key.rate_limits.append(rate(0, "rpw"))
    told = {(each.rate.type, each.rate.unit): each for each in state(key, at=MONDAY).rates}
    assert {what: (each.used, each.left, each.share) for what, each in told.items()} == {
        ("requests", "rpm"): (1, 3, 0.25),
        ("requests", "rph"): (1, 8, pytest.approx(1 / 9)),
        ("tokens", "rpd"): (30, 70, 0.3),
        ("requests", "rpw"): (0, 0, 1.0),
    }


def test_a_page_of_keys_costs_two_queries(limited: New, django_assert_num_queries: Any) -> None:
    keys = [limited(usage_limits=budget(10), rate_limits=[rate(9)]) for _ in range(20)]
    for key in keys:
        limits.settle(limits.admit(key, tokens=4))
    with django_assert_num_queries(2):
        told = states(keys)
    assert {stands.budget.used for stands in told.values()} == {4}
    assert {stands.rates[0].used for stands in told.values()} == {1}
    with django_assert_num_queries(1):
        assert {stands.rates for stands in states(keys, with_rates=False).values()} == {()}
    with django_assert_num_queries(0):
        states([limited(), limited()])
