"""When a budget starts again (contract rule 59, product P18)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.limits.periods import Plan


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


FIRST = [
    ("nothing", Plan(), "2026-11-22 10:00", None),
    ("weekly, on a Sunday", Plan("weekly"), "2026-11-22 10:00", "2026-11-23"),
    ("weekly, on a Monday at midnight", Plan("weekly"), "2026-11-23", "2026-11-30"),
    ("weekly, over the new year", Plan("weekly"), "2026-12-31 23:59", "2027-01-04"),
    ("monthly", Plan("monthly"), "2026-11-22 10:00", "2026-12-01"),
    ("monthly, in December", Plan("monthly"), "2026-12-31", "2027-01-01"),
    ("monthly, on the last of a long month", Plan("monthly"), "2027-01-31 12:00", "2027-02-01"),
    ("monthly, on the first", Plan("monthly"), "2026-12-01", "2027-01-01"),
    ("ten days", Plan("10"), "2026-11-22 10:00", "2026-12-02 10:00"),
    ("an instant to come", Plan("", at("2027-01-15 08:00")), "2026-11-22", "2027-01-15 08:00"),
    ("an instant to come, then weekly", Plan("weekly", at("2027-01-15 08:00")), "2026-11-22", "2027-01-15 08:00"),
    ("an instant that has been", Plan("", at("2026-01-15")), "2026-11-22", None),
    ("days since an instant that has been", Plan("10", at("2026-11-01 06:00")), "2026-11-22", "2026-12-01 06:00"),
]


@pytest.mark.parametrize(("plan", "moment", "first"), [case[1:] for case in FIRST], ids=[case[0] for case in FIRST])
def test_the_first_reset_follows_the_plan(plan: Plan, moment: str, first: str | None) -> None:
    assert plan.first(at(moment)) == (first and at(first))


def test_a_zone_other_than_utc_changes_nothing() -> None:
    sunday_there = datetime.fromisoformat("2026-11-22T22:00:00-05:00")  # Monday in UTC
    assert Plan("weekly").first(sunday_there) == at("2026-11-30")


def test_nobody_used_it_for_months_and_the_next_reset_is_ahead_all_the_same() -> None:
    plan, moment = Plan("monthly"), at("2027-03-10 09:00")
    assert plan.latest(moment, since=at("2026-12-01")) == at("2027-03-01")
    assert plan.after(moment, since=at("2026-12-01")) == at("2027-04-01")


moments = st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(every=st.sampled_from(["weekly", "monthly", "1", "7", "30", "365"]), since=moments, later=st.integers(0, 10**8))
def test_a_moment_lies_between_the_last_reset_and_the_next(every: str, since: datetime, later: int) -> None:
    moment, plan = since + timedelta(seconds=later), Plan(every)
    following = plan.after(moment, since=since)
    assert following is not None
    assert since <= plan.latest(moment, since=since) <= moment < following
