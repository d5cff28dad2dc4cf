"""What a request owes to the person behind it: their language, their time, their sessions, and all of it or nothing."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack
from http import HTTPStatus
from typing import Any, Final
from zoneinfo import ZoneInfo

from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.crypto import salted_hmac

from apps.accounts import locales
from apps.accounts.trail import Trail

SEEN_EVERY: Final = 15 * 60  # seconds
_ENGLISH: Final = "en"


class WholeMiddleware:
    """What allauth's pages change is one transaction with its line in the log."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method != "POST" or not request.path.startswith("/accounts/"):
            return self.get_response(request)
        trail = request.trail = Trail()  # type: ignore[attr-defined]
        try:
            with transaction.atomic():
                response = self.get_response(request)
                if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    transaction.set_rollback(True)
                else:
                    _each(trail.lines)
        finally:
            _each(trail.refusals)
        return response


def _each(told: Iterable[Callable[[], object]]) -> None:
    for tell in told:
        tell()


class LocaleMiddleware:
    """Pages speak the person's language and tell their time; the API and the console speak English and tell UTC."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language, zone = _locale_of(request)
        request.LANGUAGE_CODE = language
        with _speaking(language, zone):
            response: Any = self.get_response(request)
        if response.streaming:
            response.streaming_content = _spoken(response.streaming_content, language, zone)
        response.headers.setdefault("Content-Language", language)
        if request.origin.door == "page":  # type: ignore[attr-defined]
            patch_vary_headers(response, ("Accept-Language",))
        return response  # type: ignore[no-any-return]


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


def _locale_of(request: HttpRequest) -> tuple[str, ZoneInfo | None]:
    if request.origin.door != "page":  # type: ignore[attr-defined]
        return _ENGLISH, None
    person: Any = request.user if request.user.is_authenticated else None
    chosen = person.language if person is not None and locales.is_language(person.language) else ""
    zone = locales.zone(person.timezone) if person is not None else None
    return chosen or translation.get_language_from_request(request), zone


def _speaking(language: str, zone: ZoneInfo | None) -> AbstractContextManager[Any]:
    both = ExitStack()
    both.enter_context(translation.override(language))
    both.enter_context(timezone.override(zone))  # None is UTC, as the settings say
    return both


def _spoken(chunks: Iterable[bytes], language: str, zone: ZoneInfo | None) -> Iterator[bytes]:
    """An answer that is written while it is sent, long after the middleware has returned."""
    waiting = iter(chunks)
    while True:
        with _speaking(language, zone):
            chunk = next(waiting, None)
        if chunk is None:
            return
        yield chunk
