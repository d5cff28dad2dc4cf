"""The languages the pages are written in, and the world's time zones as people look for them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from apps.core.clock import now

# Areas of the database that name places; the others are older spellings, and offsets with the sign reversed.
_AREAS: Final = {
    "Africa": pgettext_lazy("time zones", "Africa"),
    "America": pgettext_lazy("time zones", "America"),
    "Antarctica": pgettext_lazy("time zones", "Antarctica"),
    "Arctic": pgettext_lazy("time zones", "Arctic"),
    "Asia": pgettext_lazy("time zones", "Asia"),
    "Atlantic": pgettext_lazy("time zones", "Atlantic"),
    "Australia": pgettext_lazy("time zones", "Australia"),
    "Europe": pgettext_lazy("time zones", "Europe"),
    "Indian": pgettext_lazy("time zones", "Indian Ocean"),
    "Pacific": pgettext_lazy("time zones", "Pacific"),
}


class Zone(NamedTuple):
    """One zone as people look for it: "Europe/Berlin", "Berlin", "UTC+01:00"."""

    name: str
    place: str
    offset: str


Area = tuple[Promise, Sequence[Zone]]


def is_language(code: str) -> bool:
    return code in dict(settings.LANGUAGES)


def is_zone(name: str) -> bool:
    return name in _names()


def zone(name: str) -> ZoneInfo | None:
    """None where the name is empty, or was kept from a time when there was such a zone."""
    return ZoneInfo(name) if is_zone(name) else None


def zones() -> list[Area]:
    """Every zone by area, with what its clocks show at this time of the year."""
    return _listed(now().replace(minute=0, second=0, microsecond=0))


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(name for name in available_timezones() if name.partition("/")[0] in _AREAS)


@lru_cache(maxsize=1)
def _listed(at: datetime) -> list[Area]:
    """An hour's answer: offsets change with the seasons."""
    by_area = groupby(sorted(_names()), key=lambda name: name.partition("/")[0])
    return [(_AREAS[area], [_zone(name, at) for name in names]) for area, names in by_area]


def _zone(name: str, at: datetime) -> Zone:
    place = name.partition("/")[2].replace("_", " ").replace("/", ", ")
    return Zone(name, place, _offset(at.astimezone(ZoneInfo(name)).utcoffset() or timedelta()))


def _offset(offset: timedelta) -> str:
    minutes = int(offset.total_seconds()) // 60
    sign = "+" if minutes >= 0 else "\N{MINUS SIGN}"
    return f"UTC{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
