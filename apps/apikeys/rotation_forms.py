"""When a secret changes, as fields of a page: how often, from which day on, and how long the old one lives on."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.apikeys import schedule
from apps.core.clock import now
from apps.core.errors import Invalid
from apps.tenancy.consequences import SeenForm

NEVER, WEEKLY, MONTHLY, DAYS, ONCE, CUSTOM = "never", "weekly", "monthly", "days", "once", "custom"
ROTATES: Final = [
    (NEVER, gettext_lazy("Never")),
    (WEEKLY, gettext_lazy("Every Monday")),
    (MONTHLY, gettext_lazy("On the first of the month")),
    (DAYS, gettext_lazy("Every so many days")),
    (ONCE, gettext_lazy("Once, on a day")),
]
# How long both secrets work, in minutes.
GRACES: Final = [
    ("30", gettext_lazy("30 minutes")),
    ("60", gettext_lazy("1 hour")),
    ("360", gettext_lazy("6 hours")),
    ("1440", gettext_lazy("24 hours")),
    ("10080", gettext_lazy("7 days")),
    (CUSTOM, gettext_lazy("Another time")),
]
UNITS: Final = [("minutes", gettext_lazy("minutes")), ("hours", gettext_lazy("hours")), ("days", gettext_lazy("days"))]
_MILLISECOND: Final = timedelta(milliseconds=1)
_MOST: Final = schedule.LONGEST // timedelta(minutes=1)
# Where the page says what the calendar finds wrong with a part of a policy.
SAID_AT: Final = {
    "transition": "grace",
    "key_transition_period_ms": "grace",
    "rotation_policy": "rotates",
    "rotation_policy.rotation_period": "rotates",
    "rotation_policy.rotation_period_days": "rotates_days",
    "rotation_policy.next_rotation_at": "rotates_on",
    "rotation_policy.key_transition_period_ms": "grace",
}


class GraceFields(forms.Form):
    """How long the old secret works beside the new one."""

    grace = forms.ChoiceField(
        label=gettext_lazy("Both secrets work for"),
        choices=GRACES,
        initial="30",
        required=False,
        widget=forms.RadioSelect,
    )
    grace_number = forms.IntegerField(label=gettext_lazy("How long"), required=False, min_value=1, max_value=_MOST)
    grace_unit = forms.ChoiceField(label=gettext_lazy("Unit"), choices=UNITS, initial="hours", required=False)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("grace") == CUSTOM and "grace_number" not in self.errors:
            self._check_length()
        return given

    @property
    def length(self) -> timedelta:
        """How long both work; what is not said yet is 30 minutes."""
        chosen = str(self["grace"].value() or "")
        if chosen.isdigit() and chosen in dict(GRACES):
            return timedelta(minutes=int(chosen))
        number, unit = str(self["grace_number"].value() or ""), str(self["grace_unit"].value() or "hours")
        if chosen != CUSTOM or not number.isdecimal() or unit not in dict(UNITS) or len(number) > len(str(_MOST)):
            return schedule.SHORTEST
        return timedelta(**{unit: int(number)})

    def _check_length(self) -> None:
        if self.cleaned_data.get("grace_number") is None:
            self.add_error("grace_number", _("Say how long both secrets work."))
        elif not schedule.SHORTEST <= self.length <= schedule.LONGEST:
            self.add_error("grace_number", _("The old secret lives on for 30 minutes to 30 days."))


class RotationFields(GraceFields):
    """How often a key rotates; a form of a page stands on it."""

    rotates = forms.ChoiceField(label=gettext_lazy("Rotates"), choices=ROTATES, initial=NEVER, required=False)
    rotates_days = forms.IntegerField(
        label=gettext_lazy("Days between"), required=False, min_value=1, max_value=schedule.MOST_DAYS
    )
    rotates_on = forms.DateField(
        label=gettext_lazy("First on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("At 00:00 UTC. Left empty, the calendar says it."),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        how = given.get("rotates")
        if how == DAYS and given.get("rotates_days") is None and "rotates_days" not in self.errors:
            self.add_error("rotates_days", _("Say after how many days."))
        if how == ONCE and given.get("rotates_on") is None and "rotates_on" not in self.errors:
            self.add_error("rotates_on", _("Choose the day on which it rotates."))
        return given

    @property
    def rotation(self) -> dict[str, Any] | None:
        """The policy as the operation takes it; None for never, and for what does not say when yet."""
        how, on = str(self["rotates"].value() or NEVER), _day(self["rotates_on"].value())
        number = str(self["rotates_days"].value() or "")
        days = int(number) if how == DAYS and number.isdecimal() and len(number) < 4 else None
        is_said = how in {WEEKLY, MONTHLY} or (how == DAYS and days) or (how == ONCE and on)
        if not is_said:
            return None
        return {
            "rotation_period": how if how in {WEEKLY, MONTHLY} else None,
            "rotation_period_days": days,
            "next_rotation_at": None if on is None else datetime.combine(on, time(), UTC).isoformat(),
            "key_transition_period_ms": self.length // _MILLISECOND,
        }

    @property
    def first_rotation(self) -> datetime | None:
        """When it would rotate first; None where it does not, or where what was typed makes no sense."""
        try:
            return schedule.first(schedule.policy(self.rotation))
        except Invalid:
            return None

    @property
    def firsts(self) -> dict[str, datetime | None]:
        """When each of the rhythms that need no number begins."""
        return {how: schedule.first(schedule.policy({"rotation_period": how})) for how in (WEEKLY, MONTHLY)}

    @property
    def is_rotation_changed(self) -> bool:
        """Whether any of these fields says something else than the key has."""
        return any(name in self.changed_data for name in RotationFields.base_fields)


class RotateForm(GraceFields, SeenForm):
    """A new secret by hand: how long the old one lives on, and what was shown before it was asked for."""

    def refuse(self, refusal: Invalid) -> None:
        super().refuse(Invalid({SAID_AT.get(field, field): message for field, message in refusal.errors.items()}))


def initial(policy: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a key has, as these fields show it. A day that is over is no first day any more."""
    if policy is None:
        return {}
    on = _day((policy.get("next_rotation_at") or "")[:10])
    if on is not None and datetime.combine(on, time(), UTC) <= now():
        on = None
    days = policy.get("rotation_period_days")
    how = policy.get("rotation_period") or (DAYS if days else ONCE if on else NEVER)
    return {"rotates": how, "rotates_days": days, "rotates_on": on, **grace_initial(policy)}


def grace_initial(policy: Mapping[str, Any] | None) -> dict[str, Any]:
    """How long both secrets work by a policy, as these fields show it."""
    length = schedule.transition_of((policy or {}).get("key_transition_period_ms"))
    minutes = str(length // timedelta(minutes=1))
    if minutes in dict(GRACES):
        return {"grace": minutes}
    for unit, one in (("days", timedelta(days=1)), ("hours", timedelta(hours=1))):
        if length % one == timedelta():
            return {"grace": CUSTOM, "grace_number": length // one, "grace_unit": unit}
    return {"grace": CUSTOM, "grace_number": int(minutes), "grace_unit": "minutes"}


def _day(value: Any) -> date | None:
    if isinstance(value, date) or not value:
        return value or None
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None
