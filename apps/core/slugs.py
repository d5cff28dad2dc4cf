"""How slugs are made: from the name, made unguessable by a random end, and never changed afterwards."""

import secrets
import unicodedata
from collections.abc import Callable
from typing import Any

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


def _ascii(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "".join(character if character in ALPHABET else "-" for character in folded).strip("-")


def organization_slug(name: str) -> str:
    """The name, shortened, and four random characters: "acme-x7k2" (product 5.6)."""
    stem = "-".join(filter(None, _ascii(name).split("-")))[:40].strip("-") or "org"
    return f"{stem}-{''.join(secrets.choice(ALPHABET) for _ in range(4))}"


def workspace_slug(name: str) -> str:
    """Up to six letters of the name and six random hex digits: "ws-resear-1a2b3c" (contract 1.0)."""
    stem = _ascii(name).replace("-", "")[:6] or "space"
    return f"ws-{stem}-{secrets.token_hex(3)}"


def unused(make: Callable[[str], str], name: str, among: Any) -> str:
    """A slug that no row among these has: chance repeats itself once in millions, and then another try is due."""
    while among.filter(slug=(slug := make(name))).exists():
        pass
    return slug
