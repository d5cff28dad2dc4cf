"""The wire's limit and default objects, checked before they are stored (contract 1.0, shared objects)."""

import unicodedata
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from django.utils.translation import gettext as _

from apps.core.clock import wire
from apps.core.errors import Invalid

UNITS_OF_WORKSPACES: Final = ("rpd", "rph", "rpm")
UNITS_OF_KEYS: Final = (*UNITS_OF_WORKSPACES, "rps", "rpw")
LARGEST: Final = 2**53 - 1  # what every client reads back exactly
LATEST_YEAR: Final = 9000  # what every time zone can tell
METADATA_ENTRIES, METADATA_LENGTH = 50, 255


def usage_limits(value: Any, *, field: str = "usage_limits") -> dict[str, Any]:
    """One budget: in money or tokens, with what resets it and when people are told.

    Raises Invalid, naming the part that is wrong.
    """
    given = _object(value, field)
    kept = {
        "type": _one_of(given.get("type", "cost"), ("cost", "tokens"), f"{field}.type"),
        "credit_limit": _integer(given.get("credit_limit"), f"{field}.credit_limit", least=1),
        "alert_threshold": _integer(given.get("alert_threshold"), f"{field}.alert_threshold", least=1),
        "periodic_reset": _one_of(given.get("periodic_reset"), ("monthly", "weekly", None), f"{field}.periodic_reset"),
        "periodic_reset_days": _integer(
            given.get("periodic_reset_days"), f"{field}.periodic_reset_days", least=1, most=365
        ),
        "next_usage_reset_at": _instant(given.get("next_usage_reset_at"), f"{field}.next_usage_reset_at"),
    }
    if kept["periodic_reset"] and kept["periodic_reset_days"]:
        raise Invalid(
            {f"{field}.periodic_reset_days": _("Give either periodic_reset or periodic_reset_days, not both.")}
        )
    return kept


def rate_limits(value: Any, units: Collection[str], *, field: str = "rate_limits") -> list[dict[str, Any]]:
    """Several rates, each of its own type and unit. Raises Invalid."""
    limits = [_rate(item, units, f"{field}[{position}]") for position, item in enumerate(_list(value, field))]
    if len({(limit["type"], limit["unit"]) for limit in limits}) < len(limits):
        raise Invalid({field: _("Each type and unit can be limited once.")})
    return limits


def budgets(value: Any, *, field: str = "usage_limits") -> list[dict[str, Any]]:
    """A list of budgets, as workspaces have them."""
    return [usage_limits(item, field=f"{field}[{position}]") for position, item in enumerate(_list(value, field))]


def metadata(value: Any, *, field: str = "defaults.metadata") -> dict[str, str]:
    """Text to text, as request metadata is. Raises Invalid."""
    given = _object(value, field)
    if len(given) > METADATA_ENTRIES:
        raise Invalid({field: _("Metadata has at most %(number)d entries.") % {"number": METADATA_ENTRIES}})
    for name, text in given.items():
        if not (isinstance(text, str) and _is_kept(name) and _is_kept(text)):
            message = _("Metadata values are texts of at most %(number)d characters.")
            raise Invalid({field: message % {"number": METADATA_LENGTH}})
    return dict(given)


def _is_kept(text: str) -> bool:
    odd = any(unicodedata.category(character) in {"Cc", "Cs"} and character not in "\n\t" for character in text)
    return len(text) <= METADATA_LENGTH and not odd


def no_reference(given: Mapping[str, Any], *names: str, field: str = "defaults") -> None:
    """Refuses ids of things that do not exist here. Raises Invalid, saying which."""
    for name in names:
        if given.get(name):
            told = {"thing": name.replace("_", " ")}
            raise Invalid({f"{field}.{name}": _("There is no such %(thing)s here.") % told})


def _rate(value: Any, units: Collection[str], field: str) -> dict[str, Any]:
    given = _object(value, field)
    amount = _integer(given.get("value"), f"{field}.value", least=0)
    if amount is None:
        raise Invalid({f"{field}.value": _("A rate limit needs a value.")})
    return {
        "type": _one_of(given.get("type"), ("requests", "tokens"), f"{field}.type"),
        "unit": _one_of(given.get("unit"), tuple(units), f"{field}.unit"),
        "value": amount,
    }


def _object(value: Any, field: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Invalid({field: _("An object is needed here.")})
    return value


def _list(value: Any, field: str) -> list[Any]:
    if not isinstance(value, list):
        raise Invalid({field: _("A list is needed here.")})
    return value


def _one_of(value: Any, allowed: tuple[str | None, ...], field: str) -> str | None:
    if not isinstance(value, str | None) or value not in allowed:
        choices = {"choices": ", ".join(a or "null" for a in allowed)}
        raise Invalid({field: _("It must be one of: %(choices)s.") % choices})
    return value


def _integer(value: Any, field: str, *, least: int, most: int = LARGEST) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        message = _("A whole number from %(least)d to %(most)d is needed here.")
        raise Invalid({field: message % {"least": least, "most": most}})
    return value


def _instant(value: Any, field: str) -> str | None:
    """An instant in any zone, kept as the wire spells it, which takes a year of four digits. Raises Invalid."""
    if value is None:
        return None
    try:
        written = datetime.fromisoformat(value)
        moment = written.astimezone(UTC) if written.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        moment = None
    if moment is None or not 1000 <= moment.year < LATEST_YEAR:
        raise Invalid({field: _("An instant like 2026-12-31T00:00:00Z is needed here.")})
    return wire(moment)
