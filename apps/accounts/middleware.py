"""Keeps the list of a person's sessions up to date without a write in every request."""

from collections.abc import Callable
from typing import Final

from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

SEEN_EVERY: Final = 15 * 60  # seconds


class SessionsMiddleware:
    """As allauth's, which notes address, program and time on each request; here a quarter of an hour apart."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        key = request.session.session_key
        if key and _is_due(key) and request.user.is_authenticated:
            UserSession.objects.create_from_request(request)
        return self.get_response(request)


def _is_due(session_key: str) -> bool:
    # The cache keeps a digest, because whoever can read a session's key has the session.
    noted = salted_hmac("session-seen", session_key).hexdigest()
    return bool(cache.add(noted, value=True, timeout=SEEN_EVERY))
