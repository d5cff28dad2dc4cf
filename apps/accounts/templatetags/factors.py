"""How the pages show second factors: secrets in pieces an eye can follow, and counts that need no secret."""

from collections.abc import Iterable
from typing import Any

from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from django import template

register = template.Library()


@register.filter
def in_fours(secret: str) -> str:
    """`{{ form.secret|in_fours }}`: "ABCD EFGH"; apps take it with the spaces."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


@register.filter
def halved(code: str) -> str:
    """`{{ code|halved }}`: "12345 67890"; the field takes it with the space."""
    middle = len(code) // 2
    return f"{code[:middle]} {code[middle:]}"


@register.filter
def codes_left(codes: Any) -> int:
    """How many recovery codes have not been used, without opening their seal."""
    used: int = codes.instance.data["used_mask"]
    return int(app_settings.RECOVERY_CODE_COUNT) - used.bit_count()


@register.filter
def wrapped(rows: Iterable[Authenticator]) -> list[Any]:
    return [row.wrap() for row in rows]
