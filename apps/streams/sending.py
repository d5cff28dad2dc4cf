"""One message to one stream, once: as a signed webhook, or as a line of syslog. Says what came back, and no more."""

from dataclasses import dataclass
from datetime import UTC
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from apps.core import outbound
from apps.core.clock import now
from apps.core.outbound import Destination, Unreachable
from apps.core.sealing import Unreadable
from apps.streams import signing
from apps.streams.events import Message
from apps.streams.models import Stream

UNREACHABLE, UNREADABLE, BROKEN, GONE = "unreachable", "unreadable", "broken", "410"
# RFC 5424: the facility "log audit", with the severities "notice" and "warning".
_DONE, _REFUSED = 13 * 8 + 5, 13 * 8 + 4
_EVENT: Final = 32


@dataclass(frozen=True)
class Outcome:
    """What became of it: nothing to say, the status of the answer, or one word for why there was none."""

    error: str = ""
    status: int | None = None

    @property
    def is_delivered(self) -> bool:
        return not self.error

    @property
    def is_hopeless(self) -> bool:
        """Whether sending again makes no sense before somebody has changed something."""
        return self.error in {GONE, UNREADABLE}


def send(stream: Stream, message: Message) -> Outcome:
    try:
        destination = outbound.parse(stream.url)
        if stream.kind == Stream.Kind.SYSLOG:
            outbound.write(destination, _framed(destination, _syslog(message)))
            return Outcome()
        return _post(stream, destination, message)
    except Unreachable:
        return Outcome(UNREACHABLE)
    except Unreadable:
        return Outcome(UNREADABLE)


def _post(stream: Stream, destination: Destination, message: Message) -> Outcome:
    signed = signing.headers(signing.unseal(stream), message.id, now(), message.body)
    status = outbound.post(destination, message.body, {**signed, "Content-Type": "application/json"})
    return Outcome("" if 200 <= status < 300 else str(status), status)


def _syslog(message: Message) -> bytes:
    """The JSON as the message of a line of RFC 5424; it is ASCII, so nothing in it needs announcing."""
    priority = _REFUSED if message.is_refusal else _DONE
    at = message.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    host = urlsplit(settings.BASE_URL).hostname or "-"
    return f"<{priority}>1 {at} {host} gatehouse - {message.event[:_EVENT]} - ".encode() + message.body


def _framed(destination: Destination, line: bytes) -> bytes:
    """Octet counting (RFC 6587, RFC 5425); a datagram says itself where it ends."""
    return line if destination.scheme == "syslog+udp" else f"{len(line)} ".encode() + line
