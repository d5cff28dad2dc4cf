"""How a page says when: in the words people use, with the exact instant in `title`, in the reader's own time zone."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Final

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

register = template.Library()
Moment = datetime | date | None
_DASH: Final = "\N{EN DASH}"
_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_MONTH: Final = 30 * _DAY
_YEAR: Final = 365 * _DAY


@register.simple_tag
def ago(value: Moment) -> str:
    """`{% ago member.last_active_at %}`: "3 hours ago", or "never"."""
    return _told(value, _relative(value)) if isinstance(value, datetime) else day(value, _("never"))


@register.simple_tag
def until(value: Moment) -> str:
    """`{% until invitation.expires_at %}`: "in 6 days", or a dash where there is no end."""
    return _told(value, _relative(value)) if isinstance(value, datetime) else day(value)


@register.simple_tag
def day(value: Moment, never: str = _DASH) -> str:
    """`{% day member.created_at %}`: "22 Nov 2026", or a dash."""
    if not value:  # an empty column, or a name the template does not know
        return never
    return _told(value, date_format(_local(value), pgettext("date format", "j M Y")))


@register.filter
def on_day(value: datetime) -> str:
    """`{{ key.last_rotated_at|on_day }}`: "22 Nov 2026", inside a sentence."""
    return date_format(_local(value), pgettext("date format", "j M Y"))


@register.filter
def in_month(value: datetime) -> str:
    """`{{ key.transition_ends_at|in_month }}`: "22 Nov", where the year is plain."""
    return date_format(_local(value), pgettext("date format", "j M"))


def exact(value: datetime) -> str:
    """The instant itself, to the minute, with the zone it is told in: "22 November 2026, 14:03 (Europe/Berlin)"."""
    told = date_format(_local(value), pgettext("date format", "j F Y, H:i"))
    return _("%(moment)s (%(zone)s)") % {"moment": told, "zone": timezone.get_current_timezone_name()}


def _told(value: datetime | date, words: str) -> SafeString:
    if not isinstance(value, datetime):
        return format_html('<time datetime="{}">{}</time>', value.isoformat(), words)
    moment = timezone.localtime(value).isoformat(timespec="seconds")
    return format_html('<time datetime="{}" title="{}">{}</time>', moment, exact(value), words)


def _local(value: datetime | date) -> datetime | date:
    return timezone.localtime(value) if isinstance(value, datetime) else value


def _relative(value: datetime) -> str:
    seconds = (value - timezone.now()).total_seconds()
    unit = next((unit for unit in _PAST if abs(seconds) >= unit), None)
    if seconds <= 0:
        return _("just now") if unit is None else _PAST[unit](int(-seconds // unit)) % {"count": int(-seconds // unit)}
    # What is coming is told to the nearest: what was set to seven days an hour ago does not read as six.
    return _("in a moment") if unit is None else _AHEAD[unit](round(seconds / unit)) % {"count": round(seconds / unit)}


_PAST: Final[dict[int, Callable[[int], str]]] = {
    _YEAR: lambda count: ngettext("%(count)s year ago", "%(count)s years ago", count),
    _MONTH: lambda count: ngettext("%(count)s month ago", "%(count)s months ago", count),
    _DAY: lambda count: ngettext("%(count)s day ago", "%(count)s days ago", count),
    _HOUR: lambda count: ngettext("%(count)s hour ago", "%(count)s hours ago", count),
    _MINUTE: lambda count: ngettext("%(count)s minute ago", "%(count)s minutes ago", count),
}
_AHEAD: Final[dict[int, Callable[[int], str]]] = {
    _YEAR: lambda count: ngettext("in %(count)s year", "in %(count)s years", count),
    _MONTH: lambda count: ngettext("in %(count)s month", "in %(count)s months", count),
    _DAY: lambda count: ngettext("in %(count)s day", "in %(count)s days", count),
    _HOUR: lambda count: ngettext("in %(count)s hour", "in %(count)s hours", count),
    _MINUTE: lambda count: ngettext("in %(count)s minute", "in %(count)s minutes", count),
}
