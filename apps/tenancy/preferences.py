"""What a person has chosen to see, kept with their account by pages of apps that know nothing of accounts."""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from apps.accounts import operations as accounts


def kept(request: HttpRequest, key: str) -> Any:
    """What is kept under this name, in whatever state; None where nothing is."""
    return request.user.preferences.get(key)  # type: ignore[union-attr]


@transaction.atomic
def change(request: HttpRequest, key: str, changed: Callable[[Any], Any]) -> None:
    """Keeps what this makes of what is there now. The person is held meanwhile: of two changes at once none is lost."""
    user: Any = request.user
    held = accounts.lock(user)
    accounts.prefer(user, key, changed(held.preferences.get(key)), by=request.actor)  # type: ignore[attr-defined]
