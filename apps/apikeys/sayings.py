"""A key in one sentence: what it can do, where, and until when; and its calendar in words."""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import get_text_list
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from apps.access.actions import Action
from apps.access.levels import FEATURES, Feature, KeyLevel
from apps.access.scopes import KeyType, effective
from apps.apikeys.presets import LOOKS

_SAID: Final = {
    KeyLevel.READ: gettext_lazy("read %(what)s"),
    KeyLevel.WRITE: gettext_lazy("read and write %(what)s"),
    KeyLevel.DELETE: gettext_lazy("read, write and delete %(what)s"),
}
_SWITCHES: Final = {"completions": gettext_lazy("call models"), "metrics": gettext_lazy("read logs and figures")}
_HEARTS: Final = {"completions": Action.COMPLETIONS_WRITE, "metrics": Action.LOGS_VIEW}
_A_FEW: Final = 6


def sentence(scopes: Collection[str], key_type: KeyType, place: object, until: datetime | None) -> SafeString:
    """What a key with these scopes can do: "This key can call models in Search until 30 Nov 2026."."""
    acts = list(_acts(effective(scopes, key_type), key_type))
    if not acts:
        return format_html("{}", _("This key can do nothing yet. Give it at least one permission."))
    shown, rest = acts[:_A_FEW], len(acts) - _A_FEW
    if rest > 0:
        shown.append(ngettext("%(count)s thing more", "%(count)s things more", rest) % {"count": rest})
    said = {"acts": get_text_list(shown, _("and")), "place": format_html("<em><bdi>{}</bdi></em>", place)}
    if until is None:
        return format_html(_("This key can {acts} in {place}, and has no end."), **said)
    day = date_format(localtime(until), pgettext("date format", "j M Y"))
    return format_html(_("This key can {acts} in {place} until {day}."), **said, day=day)


def rhythm(policy: Mapping[str, Any] | None) -> str:
    """How often a key rotates: "Every Monday"."""
    if policy is None:
        return _("Never")
    if days := policy.get("rotation_period_days"):
        return ngettext("Every day", "Every %(days)d days", days) % {"days": days}
    return str(_RHYTHMS[policy.get("rotation_period") or ""])


def lasting(length: timedelta | int) -> str:
    """How long something is, a length or milliseconds: "6 hours"."""
    minutes = (length if isinstance(length, timedelta) else timedelta(milliseconds=length)) // timedelta(minutes=1)
    if minutes % _DAY == 0 and minutes > _DAY:
        return ngettext("%(count)d day", "%(count)d days", minutes // _DAY) % {"count": minutes // _DAY}
    if minutes % _HOUR == 0:
        return ngettext("%(count)d hour", "%(count)d hours", minutes // _HOUR) % {"count": minutes // _HOUR}
    return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}


def calendar_day(moment: datetime) -> str:
    """An instant of the calendar, which runs in UTC: "Monday 30 Nov 2026, 00:00 UTC"."""
    return date_format(moment.astimezone(UTC), pgettext("date format", "l j M Y, H:i")) + " UTC"


_HOUR, _DAY = 60, 24 * 60
_RHYTHMS: Final = {
    "weekly": gettext_lazy("Every Monday"),
    "monthly": gettext_lazy("On the first of the month"),
    "": gettext_lazy("Once, on a day"),
}


def _acts(held: frozenset[Action], key_type: KeyType) -> Iterator[str]:
    """What it calls models with comes first, as it is what most keys are for."""
    for feature in sorted(FEATURES, key=lambda feature: feature.slug != "completions"):
        if held & feature.everything:
            yield _act(feature, held, key_type)
    rest = len(held - frozenset(action for feature in FEATURES for action in feature.everything))
    if rest:
        yield ngettext("use %(count)s other permission", "use %(count)s other permissions", rest) % {"count": rest}


def _act(feature: Feature, held: frozenset[Action], key_type: KeyType) -> str:
    """In the word for the highest level it reaches into, as long as it can read, or call, at all."""
    what, own = {"what": str(LOOKS[feature.slug].what)}, held & feature.everything
    if feature.is_switch and _HEARTS[feature.slug] in own:
        return str(_SWITCHES[feature.slug])
    if feature.is_switch or not feature.at(KeyLevel.READ, key_type) <= own:
        return _("use a part of %(what)s") % what
    reached = [level for level in _SAID if own & (feature.levels[level] - _below(feature, level))]
    return str(_SAID[reached[-1]] % what)


def _below(feature: Feature, level: KeyLevel) -> frozenset[Action]:
    levels = list(feature.levels)
    return feature.levels[levels[levels.index(level) - 1]]
