"""When secrets change by the calendar: weekly, monthly, every so many days, or on a day (contract 3.7, product P30)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext as _

from apps.core.clock import now, wire
from apps.core.errors import Invalid

SHORTEST, LONGEST = timedelta(minutes=30), timedelta(days=30)
_MILLISECOND: Final = timedelta(milliseconds=1)
_PERIODS: Final = {"weekly": timedelta(days=7), "monthly": timedelta(days=28)}  # the shortest each can be
MOST_DAYS: Final = 365


def policy(value: Any) -> dict[str, Any] | None:
    """A rotation policy as it is kept: each part checked, its next day in UTC and at midnight.

    A week ends on Monday and a month on the 1st, at 00:00 UTC (P18). A day that is named wins once. Raises Invalid.
    """
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise Invalid({"rotation_policy": _("An object is needed here.")})
    period, days = _period(value.get("rotation_period")), _days(value.get("rotation_period_days"))
    if period and days:
        raise Invalid({"rotation_policy.rotation_period_days": _("Give a period or a number of days, not both.")})
    on = _day(value.get("next_rotation_at"))
    if not (period or days or on):
        raise Invalid({"rotation_policy": _("Say how often the key rotates, or on which day.")})
    given = value.get("key_transition_period_ms")
    transition = transition_of(given, field="rotation_policy.key_transition_period_ms")
    length = _PERIODS.get(period or "") or timedelta(days=days or LONGEST.days + 1)
    if transition >= length:
        said = _("The transition must be shorter than the time between two rotations.")
        raise Invalid({"rotation_policy.key_transition_period_ms": said})
    return {
        "rotation_period": period,
        "rotation_period_days": days,
        "next_rotation_at": wire(on),
        "key_transition_period_ms": transition // _MILLISECOND,
    }


def transition_of(milliseconds: Any, *, field: str = "key_transition_period_ms") -> timedelta:
    """How long the old secret lives on: 30 minutes unless said, and at most 30 days. Raises Invalid (RV-04)."""
    if milliseconds is None:
        return SHORTEST
    least, most = SHORTEST // _MILLISECOND, LONGEST // _MILLISECOND
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int) or not least <= milliseconds <= most:
        said = _("The old secret lives on for %(least)d to %(most)d milliseconds: 30 minutes to 30 days.")
        raise Invalid({field: said % {"least": least, "most": most}})
    return timedelta(milliseconds=milliseconds)


def next_after(policy: Mapping[str, Any] | None, moment: datetime) -> datetime | None:
    """When a key with this policy rotates next after a moment; None when nothing says that it does."""
    if policy is None:
        return None
    if policy["rotation_period_days"]:
        return midnight(moment) + timedelta(days=policy["rotation_period_days"])
    if policy["rotation_period"] == "weekly":
        return midnight(moment) + timedelta(days=7 - moment.astimezone(UTC).weekday())
    if policy["rotation_period"] == "monthly":
        return (midnight(moment).replace(day=1) + timedelta(days=32)).replace(day=1)
    return None


def first(policy: Mapping[str, Any] | None) -> datetime | None:
    """When a key rotates first under a policy that was just given: on the day it names, or after its period."""
    if policy is not None and policy["next_rotation_at"]:
        return datetime.fromisoformat(policy["next_rotation_at"])
    return next_after(policy, now())


def midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _period(value: Any) -> str | None:
    if value is None or (isinstance(value, str) and value in _PERIODS):
        return value
    raise Invalid({"rotation_policy.rotation_period": _("It must be weekly or monthly.")})


def _days(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_DAYS:
        said = _("A whole number of days from 1 to %(most)d is needed here.")
        raise Invalid({"rotation_policy.rotation_period_days": said % {"most": MOST_DAYS}})
    return value


def _day(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        written = datetime.fromisoformat(value)
        on = midnight(written) if written.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        on = None
    if on is None or not now() < on <= now() + timedelta(days=3660):
        raise Invalid({"rotation_policy.next_rotation_at": _("A coming day like 2030-01-31T00:00:00Z is needed here.")})
    return on
