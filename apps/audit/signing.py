"""Signs what leaves the log as proof, with Ed25519, so that anybody with the public key can check it elsewhere.

The first of the keys signs, every one verifies. Each is derived from a configured secret, and is of no use elsewhere.
"""

from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_PURPOSE: Final = b"gatehouse audit checkpoints"


def sign(content: bytes) -> tuple[int, bytes]:
    """The version of the key, and the signature."""
    version, secret = next(iter(_ring().items()))
    return version, _key(secret).sign(content)


def is_signed(content: bytes, *, version: int, signature: bytes) -> bool:
    """Whether one of our keys has signed exactly this."""
    secret = _ring().get(version)
    if secret is None:
        return False
    try:
        _key(secret).public_key().verify(signature, content)
    except InvalidSignature:
        return False
    return True


def public_key(version: int) -> bytes | None:
    """The 32 bytes with which others verify, or None for a key that is gone."""
    secret = _ring().get(version)
    return _key(secret).public_key().public_bytes_raw() if secret is not None else None


def _ring() -> dict[int, str]:
    ring: dict[int, str] = settings.AUDIT_SIGNING_KEYS or settings.ENCRYPTION_KEYS
    return ring


@lru_cache(maxsize=8)
def _key(secret: str) -> Ed25519PrivateKey:
    seed = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret.encode())
    return Ed25519PrivateKey.from_private_bytes(seed)
