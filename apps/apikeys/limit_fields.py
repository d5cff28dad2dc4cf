"""The limits and defaults of a key as fields of a page, and back as the shapes that the wire has for them."""

import re
from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.workspaces.limits import LARGEST, UNITS_OF_KEYS

TEXT_LENGTH: Final = 20_000
DAYS: Final = "days"
RESETS: Final = [
    ("", gettext_lazy("Never")),
    ("weekly", gettext_lazy("Every Monday")),
    ("monthly", gettext_lazy("On the first of the month")),
    (DAYS, gettext_lazy("After a number of days")),
]
UNITS: Final = {
    "rps": gettext_lazy("a second"),
    "rpm": gettext_lazy("a minute"),
    "rph": gettext_lazy("an hour"),
    "rpd": gettext_lazy("a day"),
    "rpw": gettext_lazy("a week"),
}
COUNTED: Final = {"requests": gettext_lazy("Requests"), "tokens": gettext_lazy("Tokens")}
# Where the page says what the operation finds wrong with a part of these shapes.
SAID_AT: Final = {
    "usage_limits.credit_limit": "budget",
    "usage_limits.alert_threshold": "alert_at",
    "usage_limits.periodic_reset_days": "reset_days",
    "usage_limits": "budget",
    "alert_emails": "alert_emails",
    "defaults.metadata": "metadata",
}


def _amount(label: Any, least: int, most: int = LARGEST, **more: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, min_value=least, max_value=most, **more)


def _lines(label: Any, told: Any) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})
    return forms.CharField(label=label, help_text=told, required=False, max_length=TEXT_LENGTH, widget=widget)


class LimitsForm(forms.Form):
    """The fields; a form of a page stands on it."""

    budget = _amount(gettext_lazy("Budget"), 1)
    budget_in = forms.ChoiceField(
        label=gettext_lazy("Counted in"),
        choices=[("cost", gettext_lazy("US dollars")), ("tokens", gettext_lazy("tokens"))],
        required=False,
    )
    alert_at = _amount(gettext_lazy("Tell people at"), 1, help_text=gettext_lazy("In the unit of the budget."))
    resets = forms.ChoiceField(label=gettext_lazy("Starts again"), choices=RESETS, required=False)
    reset_days = _amount(
        gettext_lazy("Days"), 1, 365, help_text=gettext_lazy("When it starts again after a number of days.")
    )
    alert_emails = _lines(gettext_lazy("Who is told"), gettext_lazy("E-mail addresses, one on each line."))
    metadata = _lines(
        gettext_lazy("Metadata of every call"), gettext_lazy("One entry on each line: <code>team = search</code>")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for counted in COUNTED:
            for unit in UNITS:
                told = {"counted": COUNTED[counted], "unit": UNITS[unit]}
                self.fields[f"{counted}_{unit}"] = _amount(_("%(counted)s %(unit)s") % told, 0)

    @property
    def has_limits(self) -> bool:
        """Whether there is anything to see where these fields are folded away."""
        rates = [f"{counted}_{unit}" for counted in COUNTED for unit in UNITS]
        shown = ("budget", "alert_at", "alert_emails", "metadata", "reset_days", *rates)
        return any(self[name].value() not in {None, ""} or self[name].errors for name in shown)

    @property
    def rates(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """The rate limits as a small table: a line for what is counted, a column for each unit."""
        return [(COUNTED[counted], [self[f"{counted}_{unit}"] for unit in UNITS]) for counted in COUNTED]

    @property
    def units(self) -> list[Any]:
        return list(UNITS.values())

    def clean_alert_emails(self) -> list[str] | None:
        given = re.split(r"[\s,;]+", self.cleaned_data["alert_emails"])
        return [address for address in given if address] or None

    def clean_metadata(self) -> dict[str, str] | None:
        entries: dict[str, str] = {}
        for line in filter(None, map(str.strip, self.cleaned_data["metadata"].splitlines())):
            name, sign, value = line.partition("=")
            if not (sign and name.strip()):
                said = _("Each line is a name, an equals sign and a value; this one is not: %(line)s")
                raise ValidationError(said % {"line": line[:80]})
            entries[name.strip()] = value.strip()
        return entries or None

    def limits(self, before: Any = None) -> dict[str, Any]:
        """The settings as the operation takes them; what a page cannot show stays as it was."""
        given = self.cleaned_data
        return {
            "usage_limits": _budget(given, getattr(before, "usage_limits", None)),
            "rate_limits": _rates(given),
            "alert_emails": given["alert_emails"],
            "defaults": _defaults(given["metadata"], getattr(before, "defaults", None)),
        }


def initial(key: Any) -> dict[str, Any]:
    """What a key has, as these fields show it."""
    budget = key.usage_limits or {}
    days = budget.get("periodic_reset_days")
    rates = {f"{rate['type']}_{rate['unit']}": rate["value"] for rate in key.rate_limits or []}
    metadata = (key.defaults or {}).get("metadata") or {}
    return {
        "budget": budget.get("credit_limit"),
        "budget_in": budget.get("type", "cost"),
        "alert_at": budget.get("alert_threshold"),
        "resets": DAYS if days else budget.get("periodic_reset") or "",
        "reset_days": days,
        "alert_emails": "\n".join(key.alert_emails or []),
        "metadata": "\n".join(f"{name} = {value}" for name, value in metadata.items()),
        **rates,
    }


def _budget(given: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if given["budget"] is None and given["alert_at"] is None:
        return None
    by_days = given["resets"] == DAYS
    return {
        "type": given["budget_in"] or "cost",
        "credit_limit": given["budget"],
        "alert_threshold": given["alert_at"],
        "periodic_reset": None if by_days else given["resets"] or None,
        "periodic_reset_days": given["reset_days"] if by_days else None,
        "next_usage_reset_at": (before or {}).get("next_usage_reset_at"),
    }


def _rates(given: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    asked = [(counted, unit, given[f"{counted}_{unit}"]) for counted in COUNTED for unit in UNITS_OF_KEYS]
    return [{"type": c, "unit": unit, "value": value} for c, unit, value in asked if value is not None] or None


def _defaults(metadata: dict[str, str] | None, before: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if metadata is None and before is None:
        return None
    return {**(before or {}), "metadata": metadata}
