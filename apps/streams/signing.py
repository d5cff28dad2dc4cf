"""How a receiver knows that an event is ours: Standard Webhooks' signature, made with a secret of the stream's own.

The secret is sealed for the stream and for where it is sent. Whoever changes the destination alone, past the
operations, has a stream that can sign nothing.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from apps.core import sealing
from apps.streams.models import Stream

PREFIX: Final = "whsec_"
_LENGTH: Final = 32  # bytes


@dataclass(frozen=True)
class Secret:
    """A signing secret in clear, which no log and no traceback prints."""

    clear: str = field(repr=False)

    def signature(self, message_id: str, timestamp: int, body: bytes) -> str:
        key = base64.b64decode(self.clear.removeprefix(PREFIX))
        signed = f"{message_id}.{timestamp}.".encode() + body
        return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def new_secret() -> Secret:
    return Secret(PREFIX + base64.b64encode(secrets.token_bytes(_LENGTH)).decode())


def seal(secret: Secret, stream: Stream) -> str:
    return sealing.seal(secret.clear, place=_place(stream))


def unseal(stream: Stream) -> Secret:
    """Raises sealing.Unreadable."""
    return Secret(sealing.unseal(stream.sealed_secret, place=_place(stream)))


def headers(secret: Secret, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    timestamp = int(at.timestamp())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": secret.signature(message_id, timestamp, body),
    }


def _place(stream: Stream) -> str:
    return f"streams.Stream.secret:{stream.pk}:{stream.origin}"
