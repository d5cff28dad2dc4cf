"""Secrets of keys and invitations: how they are made, recognised and digested. The only file that touches one.

A secret is a prefix, 32 random Base62 characters and a six-character checksum of all before (product 5.8).
32 characters of Base62 are 190 bits, so a plain keyed hash is enough to store (ASVS 6.5.2).
"""

import hashlib
import hmac
import secrets
import string
import zlib
from dataclasses import dataclass, field
from typing import Final

from django.conf import settings

from apps.access.scopes import KeyType

ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM, _CHECK = 32, 6
PREFIXES: Final = {KeyType.ORGANIZATION: "gtho_", KeyType.WORKSPACE: "gthw_", KeyType.USER: "gthu_"}
INVITATION_PREFIX: Final = "gthi_"


@dataclass(frozen=True)
class Secret:
    """A secret in clear: shown once, never stored, and never printed by accident."""

    clear: str = field(repr=False)

    @property
    def digest(self) -> bytes:
        return _digest(self.clear, pepper_version())

    @property
    def mask(self) -> str:
        prefix, _, rest = self.clear.partition("_")
        return f"{prefix}_{'*' * 8}{rest[-4:]}"

    def __str__(self) -> str:
        return self.mask


def fingerprint(digest: bytes) -> str:
    """A short name of a stored digest, to tell two keys apart by: nothing of the secret can be learnt from it."""
    short = hashlib.sha256(digest).hexdigest()[:12]
    return "-".join(short[start : start + 4] for start in (0, 4, 8))


def new_key(key_type: KeyType) -> Secret:
    return _new(PREFIXES[key_type])


def new_invitation_token() -> Secret:
    return _new(INVITATION_PREFIX)


def pepper_version() -> int:
    """The pepper that signs today: the first that is configured."""
    return next(iter(settings.KEY_PEPPERS))


def digests_of_key(clear: str) -> list[bytes]:
    """The digests a key may be stored under, newest pepper first; none when it cannot be a key at all.

    Junk is recognised by its form and checksum, before any query (AK-03).
    """
    return _digests(clear) if clear[:5] in PREFIXES.values() and _is_well_formed(clear) else []


def digests_of_invitation(clear: str) -> list[bytes]:
    return _digests(clear) if clear[:5] == INVITATION_PREFIX and _is_well_formed(clear) else []


def _new(prefix: str) -> Secret:
    body = prefix + "".join(secrets.choice(ALPHABET) for _ in range(_RANDOM))
    return Secret(body + _checksum(body))


def _is_well_formed(clear: str) -> bool:
    if len(clear) != 5 + _RANDOM + _CHECK or not clear.isascii():
        return False
    return hmac.compare_digest(_checksum(clear[:-_CHECK]), clear[-_CHECK:])


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(_CHECK):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


def _digests(clear: str) -> list[bytes]:
    return [_digest(clear, version) for version in settings.KEY_PEPPERS]


def _digest(clear: str, version: int) -> bytes:
    return hmac.digest(settings.KEY_PEPPERS[version].encode(), clear.encode(), hashlib.sha256)
