"""The world every test starts in, and the walls around the tests: no network, no leftovers."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.db import connection
from django.test import Client
from pytest_django import DjangoDbBlocker

from apps.accounts.models import User
from apps.apikeys import uses
from apps.apikeys.models import ApiKey
from apps.apikeys.secret import digests_of_key
from apps.audit.retention import DECLARE, WITHDRAW
from apps.organizations.models import Organization
from apps.tenancy import refusing
from tests import world as worlds
from tests.world import Company, World

_built: list[World] = []  # one, once the session has started


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Builds the world once; each test then rolls back to it."""
    with django_db_blocker.unblock():
        _let_the_flush_pass()
        _built.append(worlds.build())


@pytest.fixture
def world(db: None) -> World:
    """Everybody, as they were at the start. A test that commits finds the world built anew."""
    if _built and Organization.objects.filter(pk=_built[0].acme.organization.pk).exists():
        return _built[0].fresh()
    return worlds.build()


@pytest.fixture
def acme(world: World) -> Company:
    return world.acme


@pytest.fixture
def globex(world: World) -> Company:
    return world.globex


@pytest.fixture(autouse=True)
def _nothing_was_counted() -> None:
    """What is limited by the hour starts from none."""
    cache.clear()


_WRITE = uses._write


@pytest.fixture(autouse=True)
def _no_use_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written of a call after its answer is no part of it, wherever queries are counted."""
    monkeypatch.setattr(uses, "_write", lambda entry: None)


@pytest.fixture(autouse=True)
def _no_junk_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is what is written of a call with something that is no key."""
    monkeypatch.setattr(refusing.junk, "due", lambda address: 0)


@pytest.fixture(autouse=True)
def _every_answer_is_finished(request: pytest.FixtureRequest, _no_use_is_noted: None) -> Iterator[None]:
    """A server beside the test has done what it does after its last answer before the database is emptied."""
    if "live_server" not in request.fixturenames:
        yield
        return
    request.getfixturevalue("live_server")
    running: Counter[str] = Counter()

    def note(signal: Any, **kwargs: Any) -> None:
        running["requests"] += 1 if signal is request_started else -1

    for signal in (request_started, request_finished):
        signal.connect(note)
    yield
    until = time.monotonic() + 5
    while running["requests"] > 0 and time.monotonic() < until:
        time.sleep(0.01)
    for signal in (request_started, request_finished):
        signal.disconnect(note)


@pytest.fixture
def noting(monkeypatch: pytest.MonkeyPatch, _no_use_is_noted: None) -> Iterator[None]:
    """The uses of keys are noted as in a running installation, by a process that has met nobody."""
    monkeypatch.setattr(uses, "_write", _WRITE)
    uses.notebook.clear()
    yield
    uses.notebook.clear()


@pytest.fixture(autouse=True)
def _empty_outbox() -> Iterator[None]:
    yield
    if hasattr(mail, "outbox"):
        mail.outbox.clear()


@pytest.fixture
def sign_in(client: Client) -> Any:
    """`sign_in(acme.owner)` gives a browser in which that person is signed in."""

    def signed_in(user: User | None) -> Client:
        browser = Client()
        if user is not None:
            browser.force_login(user)
        return browser

    return signed_in


@pytest.fixture
def call() -> Any:
    """`call("GET", "/v1/admin/users", secret)` is a request of an API client."""

    def called(method: str, path: str, secret: str | None = None, body: Any = None, **headers: str) -> Any:
        sent = {"x-portkey-api-key": secret, **headers} if secret else headers
        return Client(headers=sent, raise_request_exception=False).generic(
            method, path, data=_json(body), content_type="application/json"
        )

    return called


def _json(body: Any) -> str:
    return "" if body is None else body if isinstance(body, str) else json.dumps(body)


def key_named(secret: str) -> ApiKey:
    key: ApiKey = ApiKey.objects.with_places().get(digest__in=digests_of_key(secret))
    return key


def _let_the_flush_pass() -> None:
    """The database flush between committing tests declares retention, as a purge of old lines would."""
    plain = connection.ops.sql_flush

    def sql_flush(*args: Any, **kwargs: Any) -> list[str]:
        statements = plain(*args, **kwargs)
        return [*DECLARE[connection.vendor], *statements, *WITHDRAW[connection.vendor]] if statements else []

    connection.ops.sql_flush = sql_flush
