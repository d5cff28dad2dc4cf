"""Which addresses a stream can have, and what is checked before one is saved: the same as when it is sent to."""

from typing import Final

from django.utils.translation import gettext as _

from apps.core import outbound
from apps.core.errors import Invalid
from apps.core.outbound import Destination, Unreachable
from apps.streams.models import Stream

_KINDS: Final = {
    "https": Stream.Kind.WEBHOOK,
    "http": Stream.Kind.WEBHOOK,
    "syslog+tls": Stream.Kind.SYSLOG,
    "syslog+tcp": Stream.Kind.SYSLOG,
    "syslog+udp": Stream.Kind.SYSLOG,
}


def checked(url: str) -> Destination:
    """Resolves the name, so call it before a transaction. Raises Invalid, with one sentence for every reason."""
    try:
        destination = _whole(outbound.parse(url.strip()))
        outbound.check(destination)
    except Unreachable:
        message = _("Nothing can be sent to this address from here. See what is said below about addresses.")
        raise Invalid({"url": message}) from None
    return destination


def _whole(destination: Destination) -> Destination:
    """Syslog knows hosts alone, no paths."""
    if kind_of(destination) == Stream.Kind.SYSLOG and destination.target != "/":
        raise Unreachable
    return destination


def kind_of(destination: Destination) -> Stream.Kind:
    return _KINDS[destination.scheme]
