"""What a person has chosen to see, kept with their account by pages of apps that know nothing of accounts."""

from typing import Any

from django.http import HttpRequest

from apps.accounts import operations as accounts


def kept(request: HttpRequest, key: str) -> Any:
    """What is kept under this name, in whatever state; None where nothing is."""
    return request.user.preferences.get(key)  # type: ignore[union-attr]


def keep(request: HttpRequest, key: str, value: Any) -> None:
    """Keeps this in place of what was there."""
    accounts.prefer(request.user, key, value, by=request.actor)  # type: ignore[attr-defined,arg-type]
