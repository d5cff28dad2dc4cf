"""Small typed readers of environment values that fail loudly, with the name and the offending value."""

import secrets
from collections.abc import Sequence
from email.utils import parseaddr
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured


def choice(env: environ.Env, name: str, allowed: Sequence[str], *, default: str) -> str:
    value: str = env.str(name, default=default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be one of: {', '.join(allowed)}.")
    return value


def address_of_mail(env: environ.Env, name: str, *, default: str) -> str:
    value: str = env.str(name, default=default)
    if "@" not in parseaddr(value)[1]:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must hold an e-mail address.")
    return value


def key_ring(env: environ.Env, name: str, *, default: str = "") -> dict[int, str]:
    """Reads "2:secret,1:older secret" into versions, newest first."""
    ring: dict[int, str] = {}
    for part in filter(None, (piece.strip() for piece in env.str(name, default=default).split(","))):
        version, colon, secret = part.partition(":")
        if not colon or not version.isdecimal() or not is_random(secret, 32) or int(version) in ring:
            # The value is a secret, so unlike its neighbours this message does not repeat it.
            raise ImproperlyConfigured(
                f"{name} takes 'version:secret' pairs, each version once, each secret at least 32 random characters."
            )
        ring[int(version)] = secret
    return ring


def is_random(secret: str, length: int) -> bool:
    """Long enough, and not one key held down."""
    return len(secret) >= length and len(set(secret)) >= 8


def kept_secret(folder: Path, name: str) -> str:
    """A secret made on first use and kept beside the database, for machines without configuration."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text()
