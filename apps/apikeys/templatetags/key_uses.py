"""What templates say about the use of a key: when it was used last, from where and by which program."""

from datetime import datetime
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from apps.tenancy.templatetags.moments import _relative, exact

register = template.Library()


@register.simple_tag
def last_used(key: Any) -> SafeString:
    """`{% last_used key %}`: "2 minutes ago", with the instant, the address, the program and the route in `title`."""
    at: datetime | None = key.last_use_at
    if at is None:
        return format_html("{}", _("never"))
    who = caller(key.last_use_address, key.last_use_agent)
    told = ", ".join(filter(None, [exact(at), _("from %(who)s") % {"who": who}, key.last_use_route]))
    moment = localtime(at).isoformat(timespec="seconds")
    return format_html('<time datetime="{}" title="{}">{}</time>', moment, told, _relative(at))


@register.simple_tag
def caller(address: str | None, agent: str | None) -> str:
    """`{% caller each.address each.agent %}`: "10.1.2.3 (portkey-ai/2.3.4)", as far as it is known."""
    place = address or _("an unknown address")
    return f"{place} ({agent})" if agent else place
