"""Budgets: reserve, settle, start again, tell."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction

from apps.access.actors import UserActor
from apps.apikeys.models import ApiKey
from apps.core.clock import now
from apps.core.errors import Exhausted, Invalid
from apps.limits import operations as limits
from apps.limits.alerts import on_threshold
from apps.limits.budgets import KEPT_AFTER_LAPSING, LEASE
from apps.limits.models import Budget, RateWindow, Reservation
from apps.limits.standing import exhausted
from apps.limits.terms import LARGEST_LIMIT, MOST, Unit
from tests.limits.subjects import DOLLAR, Limited, budget, held_by, rate
from tests.world import Company, system

New = Callable[..., Limited]
Told = list[tuple[str, int]]
SUNDAY = datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC)


def spend(subject: Limited, tokens: int) -> None:
    limits.settle(limits.admit(subject, tokens=tokens))


class TestReserving:
    def test_a_call_that_fits_holds_its_estimate_until_it_is_settled(self, limited: New) -> None:
        key = limited(usage_limits=budget(10))
        admission = limits.admit(key, tokens=4)
        assert (key.row.spent, key.row.reserved, held_by(key)) == (0, 4, 4)
        limits.settle(admission, tokens=3)
        assert (key.row.spent, key.row.reserved, held_by(key)) == (3, 0, 0)

    def test_running_calls_count_as_if_they_were_paid(self, limited: New) -> None:
        key = limited(usage_limits=budget(10))
        limits.admit(key, tokens=6)
        limits.admit(key, tokens=4)
        with pytest.raises(Exhausted, match=r"The budget of 10 tokens is used up\.$"):
            limits.admit(key, tokens=1)

    def test_what_does_not_fit_is_refused_and_what_does_still_passes(self, limited: New) -> None:
        key = limited(usage_limits=budget(10))
        spend(key, 8)
        with pytest.raises(Exhausted):
            limits.admit(key, tokens=3)
        limits.admit(key, tokens=2)

    def test_a_refusal_leaves_nothing_behind(self, limited: New) -> None:
        key = limited(usage_limits=budget(10), rate_limits=[rate(5)])
        spend(key, 10)
        used = RateWindow.objects.get().used
        with pytest.raises(Exhausted):
            limits.admit(key, tokens=1)
        assert (key.row.reserved, Reservation.objects.count(), RateWindow.objects.get().used) == (0, 0, used)

    def test_money_is_counted_in_millionths(self, limited: New) -> None:
        key = limited(usage_limits={"type": "cost", "credit_limit": 1, "periodic_reset": "monthly"})
        limits.settle(limits.admit(key, cost=DOLLAR - 1), cost=DOLLAR - 1)
        limits.admit(key, cost=1)
        with (
            time_machine.travel(SUNDAY, tick=False),
            pytest.raises(
                Exhausted, match=r"of 1 US dollars is used up\. It starts again on 2026-12-01 00:00 UTC\."
            ) as no,
        ):
            key.row.delete()
            limits.admit(key, cost=DOLLAR + 1)
        assert no.value.resets_at == datetime(2026, 12, 1, tzinfo=UTC)

    def test_a_free_call_passes_as_long_as_something_is_left(self, limited: New) -> None:
        key = limited(usage_limits=budget(10))
        spend(key, 9)
        spend(key, 0)
        spend(key, 1)
        with pytest.raises(Exhausted):
            limits.admit(key)

    def test_without_a_limit_it_is_only_counted(self, limited: New, told: Told) -> None:
        key = limited(usage_limits=budget(None, alert_threshold=5))
        for _ in range(3):
            spend(key, 1000)
        assert (key.row.spent, told) == (3000, [("threshold", 1000)])

    def test_without_budgets_nothing_is_written(self, limited: New) -> None:
        for usage_limits in (None, [], budget(None)):
            assert limits.settle(limits.admit(limited(usage_limits=usage_limits), cost=5, tokens=5))
        assert not Budget.objects.exists()

    def test_all_of_several_budgets_must_agree(self, limited: New) -> None:
        both = limited(usage_limits=[budget(100), {"type": "cost", "credit_limit": 1}])
        limits.settle(limits.admit(both, cost=DOLLAR, tokens=10), tokens=20)
        with pytest.raises(Exhausted):
            limits.admit(both, cost=1, tokens=1)
        spent = dict(Budget.objects.values_list("unit", "spent"))
        assert spent == {Unit.COST: DOLLAR, Unit.TOKENS: 20}
        assert not Budget.objects.filter(reserved__gt=0).exists()

    def test_of_two_budgets_with_one_unit_the_lower_counts(self, limited: New) -> None:
        spend(limited(usage_limits=[budget(100), budget(10), budget(None, alert_threshold=5)]), 10)
        assert Budget.objects.get().limit == 10

    def test_nested_subjects_hold_together_or_not_at_all(self, limited: New) -> None:
        """BU-06: the strictest wins."""
        key, workspace = limited(usage_limits=budget(10)), limited(usage_limits=[budget(3)])
        with pytest.raises(Exhausted, match="of 3 tokens"), transaction.atomic():
            limits.admit(key, tokens=5)
            limits.admit(workspace, tokens=5)
        assert not Reservation.objects.exists()

    def test_a_real_key_is_a_subject(self, acme: Company) -> None:
        acme.workspace_key.usage_limits = budget(10)
        limits.settle(limits.admit(acme.workspace_key, tokens=7))
        assert Budget.objects.get(subject=acme.workspace_key.pk).organization_id == acme.organization.pk


class TestOddAmounts:
    """BU-04."""

    @pytest.mark.parametrize("odd", [-1, -(2**63), MOST + 1, 2**63, 1.5, True, "7", float("nan")])
    @pytest.mark.parametrize("unit", ["cost", "tokens"])
    def test_no_call_has_them(self, limited: New, odd: Any, unit: str) -> None:
        key = limited(usage_limits=budget(10))
        with pytest.raises(Invalid) as refusal:
            limits.admit(key, **{unit: odd})
        assert list(refusal.value.errors) == [unit]
        assert not Budget.objects.exists()

    def test_a_call_that_says_nonsense_at_its_end_still_holds_what_it_held(self, limited: New) -> None:
        key = limited(usage_limits=budget(10))
        admission = limits.admit(key, tokens=4)
        with pytest.raises(Invalid):
            limits.settle(admission, tokens=-4)
        assert (key.row.spent, key.row.reserved) == (0, 4)
        limits.settle(admission)
        assert key.row.spent == 4

    def test_the_largest_budget_of_the_wire_fits(self, limited: New) -> None:
        key = limited(usage_limits={"type": "cost", "credit_limit": 2**53 - 1})
        limits.settle(limits.admit(key, cost=MOST), cost=MOST)
        assert (key.row.limit, key.row.spent) == (LARGEST_LIMIT, MOST)


class TestSettling:
    def test_a_call_that_died_pays_what_it_reserved(self, limited: New) -> None:
        """BU-02."""
        key = limited(usage_limits=budget(10))
        limits.settle(limits.admit(key, tokens=4))
        assert (key.row.spent, key.row.reserved) == (4, 0)

    def test_a_call_that_never_ran_pays_nothing(self, limited: New) -> None:
        key = limited(usage_limits=budget(10))
        assert limits.release(limits.admit(key, tokens=4))
        assert (key.row.spent, key.row.reserved) == (0, 0)

    def test_a_call_pays_once(self, limited: New) -> None:
        key = limited(usage_limits=budget(10))
        admission = limits.admit(key, tokens=4)
        answers = [limits.settle(admission), limits.settle(admission), limits.release(admission)]
        assert (answers, key.row.spent, key.row.reserved) == ([True, False, False], 4, 0)

    def test_a_call_dearer_than_it_said_is_paid_in_full(self, limited: New) -> None:
        key = limited(usage_limits=budget(10))
        limits.settle(limits.admit(key, tokens=10), tokens=25)
        assert key.row.spent == 25

    def test_a_crash_before_the_end_settles_nothing(self, limited: New) -> None:
        key = limited(usage_limits=budget(10))
        admission = limits.admit(key, tokens=4)
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            limits.settle(admission)
            raise ZeroDivisionError
        assert (key.row.spent, key.row.reserved) == (0, 4)


class TestLapsing:
    """BU-03."""

    def test_a_lease_that_is_over_holds_nothing(self, limited: New) -> None:
        key = limited(usage_limits=budget(10))
        limits.admit(key, tokens=10)
        assert limits.sweep(at=now() + LEASE - timedelta(seconds=1)) == 0
        assert limits.sweep(at=now() + LEASE) == 1
        assert (key.row.reserved, limits.sweep(at=now() + LEASE)) == (0, 0)

    def test_nobody_has_to_wait_for_the_sweep(self, limited: New) -> None:
        key = limited(usage_limits=budget(10))
        limits.admit(key, tokens=10)
        limits.admit(key, tokens=10, at=now() + LEASE)
        assert (key.row.reserved, held_by(key)) == (10, 10)

    def test_a_call_that_ends_after_its_lease_pays_all_the_same_and_once(self, limited: New) -> None:
        key = limited(usage_limits=budget(10))
        admission = limits.admit(key, tokens=4)
        limits.sweep(at=now() + LEASE)
        assert [limits.settle(admission, tokens=6), limits.settle(admission, tokens=6)] == [True, False]
        assert (key.row.spent, key.row.reserved) == (6, 0)

    def test_lapsed_reservations_are_removed_in_the_end(self, limited: New) -> None:
        limits.admit(limited(usage_limits=budget(10)), tokens=4)
        over = now() + LEASE
        limits.sweep(at=over)
        limits.sweep(at=over + KEPT_AFTER_LAPSING - timedelta(seconds=1))
        assert Reservation.objects.count() == 1
        limits.sweep(at=over + KEPT_AFTER_LAPSING)
        assert not Reservation.objects.exists()

    def test_one_budget_at_a_time(self, limited: New) -> None:
        for _ in range(3):
            limits.admit(limited(usage_limits=budget(10)), tokens=4)
        assert limits.sweep(at=now() + LEASE) == 3


class TestStartingAgain:
    @pytest.mark.parametrize(
        ("reset", "moment"),
        [
            ({"periodic_reset": "weekly"}, datetime(2026, 11, 23, tzinfo=UTC)),
            ({"periodic_reset": "monthly"}, datetime(2026, 12, 1, tzinfo=UTC)),
            ({"periodic_reset_days": 3}, SUNDAY + timedelta(days=3)),
            ({"next_usage_reset_at": "2027-02-03T04:05:06.000Z"}, datetime(2027, 2, 3, 4, 5, 6, tzinfo=UTC)),
        ],
    )
    def test_at_its_time_and_not_before(self, limited: New, reset: dict[str, Any], moment: datetime) -> None:
        key = limited(usage_limits=budget(10, **reset))
        limits.settle(limits.admit(key, tokens=10, at=SUNDAY), at=SUNDAY)
        with pytest.raises(Exhausted):
            limits.admit(key, tokens=1, at=moment - timedelta(microseconds=1))
        limits.admit(key, tokens=1, at=moment)
        assert (key.row.spent, key.row.reserved, key.row.last_reset_at) == (0, 1, moment)

    def test_once_only_where_only_an_instant_was_given(self, limited: New) -> None:
        key = limited(usage_limits=budget(10, next_usage_reset_at="2026-12-01T00:00:00.000Z"))
        limits.admit(key, tokens=1, at=SUNDAY)
        limits.admit(key, tokens=1, at=SUNDAY + timedelta(days=30))
        assert key.row.resets_at is None

    def test_running_calls_go_on_and_pay_in_the_period_they_end_in(self, limited: New) -> None:
        key = limited(usage_limits=budget(10, periodic_reset="weekly"))
        admission = limits.admit(key, tokens=6, at=SUNDAY)
        monday = SUNDAY + timedelta(seconds=1)
        with pytest.raises(Exhausted):
            limits.admit(key, tokens=5, at=monday)
        limits.settle(admission, tokens=5, at=monday)
        assert (key.row.spent, key.row.reserved) == (5, 0)

    def test_a_call_that_ends_first_thing_on_monday_begins_the_week(self, limited: New) -> None:
        key = limited(usage_limits=budget(10, periodic_reset="weekly"))
        limits.settle(limits.admit(key, tokens=7, at=SUNDAY), at=SUNDAY)
        limits.settle(limits.admit(key, tokens=2, at=SUNDAY), at=SUNDAY + timedelta(seconds=1))
        assert (key.row.spent, key.row.started_at) == (2, datetime(2026, 11, 23, tzinfo=UTC))

    def test_by_hand_and_it_says_by_whom(self, limited: New, acme: Company, told: Told) -> None:
        key = limited(usage_limits=budget(10, alert_threshold=5, periodic_reset="weekly"))
        limits.settle(limits.admit(key, tokens=10, at=SUNDAY), at=SUNDAY)
        limits.reset(key, by=UserActor(acme.owner), at=SUNDAY)
        assert (key.row.spent, key.row.last_reset_at, key.row.resets_at) == (0, SUNDAY, SUNDAY + timedelta(seconds=1))
        assert (key.row.reset_by, key.row.reset_by_kind) == (acme.owner.pk, "person")
        limits.settle(limits.admit(key, tokens=10, at=SUNDAY), at=SUNDAY)
        assert told == [("threshold", 10), ("exhausted", 10)] * 2

    def test_by_hand_before_it_was_ever_used(self, limited: New) -> None:
        key = limited(usage_limits=budget(10))
        limits.reset(key, by=system())
        assert key.row.last_reset_at is not None


class TestTelling:
    def test_each_thing_once_in_a_period(self, limited: New, told: Told) -> None:
        key = limited(usage_limits=budget(10, alert_threshold=8, periodic_reset="weekly"))
        for _ in range(5):
            limits.settle(limits.admit(key, tokens=2, at=SUNDAY), at=SUNDAY)
        assert told == [("threshold", 8), ("exhausted", 10)]
        monday = SUNDAY + timedelta(days=1)
        limits.settle(limits.admit(key, tokens=9, at=monday), at=monday)
        assert told[2:] == [("threshold", 9)]

    def test_both_at_once(self, limited: New, told: Told) -> None:
        spend(limited(usage_limits=budget(10, alert_threshold=8)), 10)
        assert told == [("threshold", 10), ("exhausted", 10)]

    def test_what_cannot_be_told_did_not_happen(self, limited: New) -> None:
        """The notice and the settlement are one transaction."""

        def out_of_paper(**kwargs: Any) -> None:
            raise OSError

        key = limited(usage_limits=budget(10, alert_threshold=1))
        admission = limits.admit(key, tokens=4)
        on_threshold.connect(out_of_paper)
        try:
            with pytest.raises(OSError):
                limits.settle(admission)
        finally:
            on_threshold.disconnect(out_of_paper)
        assert (key.row.spent, key.row.reserved, key.row.alerted_at) == (0, 4, None)


class TestAgreeing:
    def test_a_raised_limit_lets_calls_through_and_tells_anew(self, limited: New, told: Told) -> None:
        """Contract rule 62."""
        key = limited(usage_limits=budget(10, alert_threshold=5))
        spend(key, 10)
        key.usage_limits = budget(20, alert_threshold=15)
        limits.agree(key)
        assert (key.row.alerted_at, key.row.exhausted_at) == (None, None)
        spend(key, 10)
        assert told == [("threshold", 10), ("exhausted", 10), ("threshold", 20), ("exhausted", 20)]

    def test_a_lowered_limit_is_used_up_at_once(self, limited: New, told: Told) -> None:
        key = limited(usage_limits=budget(10))
        spend(key, 6)
        key.usage_limits = budget(5)
        limits.agree(key)
        assert told == [("exhausted", 6)]
        with pytest.raises(Exhausted):
            limits.admit(key)

    def test_another_rhythm_keeps_what_is_spent(self, limited: New) -> None:
        key = limited(usage_limits=budget(10))
        limits.settle(limits.admit(key, tokens=6, at=SUNDAY), at=SUNDAY)
        key.usage_limits = budget(10, periodic_reset="monthly")
        limits.agree(key, at=SUNDAY)
        assert (key.row.spent, key.row.resets_at) == (6, datetime(2026, 12, 1, tzinfo=UTC))

    def test_the_same_terms_change_nothing(self, limited: New) -> None:
        key = limited(usage_limits=budget(10, periodic_reset_days=3))
        limits.settle(limits.admit(key, tokens=6, at=SUNDAY), at=SUNDAY)
        before = vars(key.row)
        limits.agree(key, at=SUNDAY + timedelta(days=1))
        assert {**vars(key.row), "_state": None} == {**before, "_state": None}

    def test_what_is_not_limited_any_more_is_not_counted_any_more(self, limited: New) -> None:
        key = limited(usage_limits=budget(10), rate_limits=[rate(5), rate(5, "rpd")])
        admission = limits.admit(key, tokens=10)
        key.usage_limits, key.rate_limits = None, [rate(5, "rpd")]
        limits.agree(key)
        assert not Budget.objects.exists()
        assert [row.unit for row in RateWindow.objects.all()] == ["rpd"]
        assert not limits.settle(admission)

    def test_another_unit_is_another_counter(self, limited: New) -> None:
        key = limited(usage_limits=budget(10))
        spend(key, 10)
        key.usage_limits = {"type": "cost", "credit_limit": 1}
        limits.agree(key)
        assert (key.row.unit, key.row.spent) == (Unit.COST, 0)

    def test_the_counters_of_what_is_gone_go(self, limited: New) -> None:
        key, other = (limited(usage_limits=budget(10), rate_limits=[rate(5)]) for _ in range(2))
        limits.admit(key, tokens=1)
        limits.admit(other, tokens=1)
        limits.forget([key.pk])
        assert [*Budget.objects.all(), *RateWindow.objects.all()] != []
        assert {row.subject for row in [*Budget.objects.all(), *RateWindow.objects.all()]} == {other.pk}


class TestExhaustedInSQL:
    def test_lists_are_narrowed_without_a_join(self, acme: Company) -> None:
        keys = [acme.organization_key, acme.workspace_key, acme.user_key]
        for key, tokens in zip(keys, (10, 9, 0), strict=True):
            key.usage_limits = budget(10, periodic_reset="weekly")
            limits.settle(limits.admit(key, tokens=tokens, at=SUNDAY), at=SUNDAY)
        rows = ApiKey.objects.filter(organization=acme.organization)
        assert list(rows.filter(exhausted(at=SUNDAY))) == [acme.organization_key]
        assert not rows.filter(exhausted(at=SUNDAY + timedelta(seconds=1))).exists()
        noted = dict(rows.annotate(is_used_up=exhausted(at=SUNDAY)).values_list("pk", "is_used_up"))
        assert noted[acme.organization_key.pk]
        assert sum(noted.values()) == 1


class TestWalls:
    """What the database refuses, whoever asks."""

    def refused(self, change: Callable[[], Any]) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
            if connection.vendor == "postgresql":
                connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")

    def test_counters_give_no_credit_and_stay_where_they_are(
        self, limited: New, acme: Company, globex: Company
    ) -> None:
        key = limited(usage_limits=budget(10), rate_limits=[rate(5)])
        limits.admit(key, tokens=4)
        stranger = {"organization_id": globex.organization.pk}
        for rows, change in (
            (Budget.objects, {"spent": -1}),
            (Budget.objects, {"reserved": -1}),
            (Budget.objects, {"subject": globex.organization_key.pk}),
            (Budget.objects, stranger),
            (Reservation.objects, {"amount": 1}),
            (Reservation.objects, stranger),
            (RateWindow.objects, {"used": -1}),
            (RateWindow.objects, stranger),
        ):
            self.refused(lambda rows=rows, change=change: rows.update(**change))

    def test_a_reservation_is_of_its_budgets_organization(self, limited: New, globex: Company) -> None:
        key = limited(usage_limits=budget(10))
        limits.admit(key, tokens=4)
        self.refused(
            lambda: Reservation.objects.create(
                organization=globex.organization, budget=key.row, amount=1, expires_at=now()
            )
        )

    def test_a_subject_has_one_budget_of_a_unit(self, limited: New) -> None:
        key = limited(usage_limits=budget(10))
        limits.admit(key)
        twin = key.row
        twin.pk = None
        self.refused(lambda: twin.save(force_insert=True))
