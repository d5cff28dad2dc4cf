"""The counters: how much of a budget is spent or reserved, which calls reserved it, and how full a rate is.

They are counted, not edited: no version, no author. `subject` is the id of whatever is limited, without a foreign key,
so that a key, a workspace and what comes later are counted alike.
"""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.dispatch import Signal

from apps.limits.alerts import on_exhausted, on_threshold
from apps.limits.periods import Plan
from apps.limits.sliding import Position, Sliding
from apps.limits.terms import SECONDS, Terms, Unit
from apps.organizations.models import Organization


class Budget(models.Model):
    """What a subject may spend in a period, in micro-USD or tokens, and what it has spent."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    subject = models.UUIDField(editable=False)
    unit = models.CharField(max_length=10, choices=Unit, editable=False)
    # What was agreed, see operations.agree.
    limit = models.BigIntegerField(null=True)
    threshold = models.BigIntegerField(null=True)
    every = models.CharField(max_length=10, blank=True)
    anchor = models.DateTimeField(null=True)
    # What was counted.
    spent = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)
    started_at = models.DateTimeField()
    resets_at = models.DateTimeField(null=True)
    last_reset_at = models.DateTimeField(null=True)
    # Who reset it by hand the last time, as an id without a foreign key: actors leave (product 5.7).
    reset_by = models.UUIDField(null=True, editable=False)
    reset_by_kind = models.CharField(max_length=10, blank=True, editable=False)
    # Since when people have been told, in this period.
    alerted_at = models.DateTimeField(null=True)
    exhausted_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["subject", "unit"], name="one_budget_for_each_unit"),
            models.CheckConstraint(name="budgets_give_no_credit", condition=Q(spent__gte=0, reserved__gte=0)),
        ]
        indexes = [
            models.Index(
                fields=["organization", "subject"],
                name="budgets_used_up",
                condition=Q(exhausted_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.unit} of {self.subject}"

    @property
    def plan(self) -> Plan:
        return Plan(self.every, self.anchor)

    def is_due(self, moment: datetime) -> bool:
        return self.resets_at is not None and self.resets_at <= moment

    def roll(self, moment: datetime) -> None:
        """Begins the period this moment is in, if the one before has ended."""
        if self.resets_at is not None and self.resets_at <= moment:
            since = self.resets_at
            self.begin(self.plan.latest(moment, since=since))
            self.resets_at = self.plan.after(moment, since=since)

    def begin(self, moment: datetime) -> None:
        """Begins anew. What is reserved stays so: those calls are still running, and count when they are over."""
        self.spent, self.started_at, self.last_reset_at = 0, moment, moment
        self.alerted_at = self.exhausted_at = None

    def agree(self, terms: Terms, moment: datetime) -> None:
        """Takes other terms; what is spent stays spent."""
        self.limit, self.threshold = terms.limit, terms.threshold
        if terms.plan != self.plan:
            self.every, self.anchor = terms.plan.every, terms.plan.anchor
            self.resets_at = terms.plan.first(moment)

    def mark(self, moment: datetime) -> list[Signal]:
        """Notes what has been reached, and forgets what is not any more; answers with whom to tell for the first time.

        Call it on a row that is locked: then each is told once.
        """
        told = []
        for bound, field, signal in (
            (self.threshold, "alerted_at", on_threshold),
            (self.limit, "exhausted_at", on_exhausted),
        ):
            if bound is None or self.spent < bound:
                setattr(self, field, None)
            elif getattr(self, field) is None:
                setattr(self, field, moment)
                told.append(signal)
        return told


class Reservation(models.Model):
    """A call that is running, and what it may turn out to use; it lapses, so that a crash holds nothing for ever."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    budget = models.ForeignKey(Budget, models.CASCADE, related_name="reservations", db_index=False)
    amount = models.BigIntegerField(editable=False)
    expires_at = models.DateTimeField()
    # Set when the amount was given back. The row stays a while: a call that ends later still pays.
    lapsed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(name="reservations_hold_something", condition=Q(amount__gte=0))]
        indexes = [
            models.Index(fields=["budget", "expires_at"], name="reservations_of_budget"),
            models.Index(fields=["expires_at"], name="reservations_by_lease"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} of {self.budget_id}"


class RateWindow(models.Model):
    """How much of a rate was taken in the window it is in, and in the one before: see sliding."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    subject = models.UUIDField(editable=False)
    type = models.CharField(max_length=10, editable=False)
    unit = models.CharField(max_length=3, editable=False)
    number = models.BigIntegerField(default=0)
    used = models.BigIntegerField(default=0)
    previous = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["subject", "type", "unit"], name="one_window_for_each_rate"),
            models.CheckConstraint(name="windows_give_no_credit", condition=Q(used__gte=0, previous__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.unit} of {self.subject}"

    def move_to(self, moment: datetime) -> Sliding:
        """Makes the row speak of the window this moment is in, and answers with how full it is."""
        here = Position.of(moment, SECONDS[self.unit])
        ahead = here.number - self.number
        if ahead == -1:
            # Two asked for the time at the turn of the window, and the later one was faster: this one is as late.
            here = Position(self.number, here.whole, here.whole)
        elif ahead > 0:
            self.previous, self.used = (self.used if ahead == 1 else 0), 0
        # Any further back, and the clock was set back: the count goes on in the window it shows now.
        self.number = here.number
        return Sliding(self.used, self.previous, here.left, here.whole)
