"""Secrets that must be read again: sealed with AES-256-GCM, each for one place, so that a copy elsewhere opens nowhere.

A seal reads "v1.<key version>.<base64 of nonce and ciphertext>". The first of ENCRYPTION_KEYS seals, every one opens.
"""

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_FORMAT: Final = "v1"
_NONCE: Final = 12  # bytes


class Unreadable(Exception):
    """A seal that does not open: altered, copied from another place, or made with a key that is gone."""


def seal(secret: str, *, place: str) -> str:
    """Arguments: `place` is the one place it will be opened in, as "app.Model.field:<id of the row>"."""
    version, key = next(iter(settings.ENCRYPTION_KEYS.items()))
    nonce = os.urandom(_NONCE)
    sealed = nonce + _cipher(key).encrypt(nonce, secret.encode(), _bound(version, place))
    return f"{_FORMAT}.{version}.{urlsafe_b64encode(sealed).decode()}"


def unseal(sealed: str, *, place: str) -> str:
    """Raises Unreadable."""
    try:
        written, version, content = sealed.split(".")
        raw, key = urlsafe_b64decode(content), settings.ENCRYPTION_KEYS[int(version)]
        if written != _FORMAT:
            raise Unreadable
        return _cipher(key).decrypt(raw[:_NONCE], raw[_NONCE:], _bound(int(version), place)).decode()
    except (ValueError, KeyError, InvalidTag):
        raise Unreadable from None


def _bound(version: int, place: str) -> bytes:
    return f"{_FORMAT}.{version}.{place}".encode()


@lru_cache(maxsize=8)
def _cipher(secret: str) -> AESGCM:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"gatehouse sealing").derive(secret.encode())
    return AESGCM(key)
