"""What a subject is allowed: the wire's `usage_limits` and `rate_limits`, read into numbers that can be compared."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from django.db import models
from django.utils.translation import gettext as _

from apps.core.errors import Invalid
from apps.limits.periods import Plan

MICRO: Final = 10**6  # money is kept in millionths of a dollar (product P31)
LARGEST_LIMIT: Final = 2**62  # a larger budget than fits is as good as this one
# What one call may cost or use at most: a million dollars, a million million tokens. More is a mistake of somebody's.
MOST: Final = 10**12
SECONDS: Final = {"rps": 1, "rpm": 60, "rph": 3600, "rpd": 86_400, "rpw": 604_800}


class Unit(models.TextChoices):
    """What a budget is counted in: money, in micro-USD, or tokens."""

    COST = "cost"
    TOKENS = "tokens"


class Subject(Protocol):
    """Whatever has limits: a key today. `usage_limits` is one budget or a list of them, as the wire has it."""

    @property
    def pk(self) -> uuid.UUID: ...
    @property
    def organization_id(self) -> uuid.UUID: ...
    @property
    def usage_limits(self) -> Any: ...
    @property
    def rate_limits(self) -> Any: ...


@dataclass(frozen=True)
class Terms:
    """One budget, as agreed: without a limit it only counts, and tells when the threshold is reached."""

    unit: Unit
    limit: int | None
    threshold: int | None
    plan: Plan


@dataclass(frozen=True)
class Rate:
    """How many requests or tokens pass in any second, minute, hour, day or week."""

    type: str
    unit: str
    value: int

    @property
    def seconds(self) -> int:
        return SECONDS[self.unit]

    def taken_by(self, tokens: int) -> int:
        """How much of this rate one call takes that uses so many tokens."""
        return tokens if self.type == "tokens" else 1


def terms_of(subject: Subject) -> list[Terms]:
    """The budgets of the subject, one for each unit: where two have the same unit, the lower one counts."""
    lowest: dict[Unit, Terms] = {}
    for terms in map(_terms, _listed(subject.usage_limits)):
        if terms.limit is None and terms.threshold is None:
            continue
        held = lowest.get(terms.unit)
        if held is None or _height(terms) < _height(held):
            lowest[terms.unit] = terms
    return list(lowest.values())


def rates_of(subject: Subject) -> list[Rate]:
    """The rates of the subject, the shortest first: what is refused for a second is not counted for the day."""
    rates = [Rate(given["type"], given["unit"], given["value"]) for given in subject.rate_limits or []]
    return sorted(rates, key=lambda rate: (rate.seconds, rate.type))


def checked(amount: int, field: str) -> int:
    """An amount that a call can have used. Raises Invalid: what is negative would give credit."""
    if isinstance(amount, bool) or not isinstance(amount, int) or not 0 <= amount <= MOST:
        message = _("A whole number from %(least)d to %(most)d is needed here.")
        raise Invalid({field: message % {"least": 0, "most": MOST}})
    return amount


def _listed(value: Any) -> Iterable[Mapping[str, Any]]:
    if value is None:
        return []
    return [value] if isinstance(value, Mapping) else value


def _terms(given: Mapping[str, Any]) -> Terms:
    unit = Unit(given.get("type") or Unit.COST)
    days = given.get("periodic_reset_days")
    first = given.get("next_usage_reset_at")
    return Terms(
        unit=unit,
        limit=_counted(given.get("credit_limit"), unit),
        threshold=_counted(given.get("alert_threshold"), unit),
        plan=Plan(str(days or given.get("periodic_reset") or ""), datetime.fromisoformat(first) if first else None),
    )


def _counted(value: int | None, unit: Unit) -> int | None:
    if value is None:
        return None
    return min(value * MICRO if unit is Unit.COST else value, LARGEST_LIMIT)


def _height(terms: Terms) -> int:
    return LARGEST_LIMIT + 1 if terms.limit is None else terms.limit
