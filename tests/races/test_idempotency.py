"""The same call many times at once, and calls cut off at every point: what they ask for is done exactly once.

Run it on both databases. SQLite has one writer at a time: there a second call waits instead of being told to.
"""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.test import Client

from apps.audit.models import AuditEvent
from apps.organizations.models import Organization
from apps.replays.models import KeptAnswer
from apps.workspaces.models import Workspace
from tests.races.test_races import at_once
from tests.world import Company

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
AT_ONCE, ROUNDS = 50, 200


@pytest.fixture
def post(acme: Company) -> Callable[..., Any]:
    """`post("key")` creates a workspace, with that Idempotency-Key."""
    secret = acme.secrets["organization_key"]

    def posted(key: str, name: str = "Once") -> Any:
        browser = Client(headers={"x-portkey-api-key": secret}, raise_request_exception=False)
        return browser.post(
            "/v1/admin/workspaces", {"name": name}, content_type="application/json", headers={"Idempotency-Key": key}
        )

    return posted


@pytest.fixture
def for_threads(acme: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In memory, SQLite's threads fail instead of waiting; those of this test meet in a copy on disk."""
    if connection.vendor == "sqlite":
        copy = tmp_path / "copy.sqlite3"
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(copy)])
        monkeypatch.setitem(connections.settings["default"], "NAME", str(copy))


def names(name: str = "Once") -> int:
    return Workspace.objects.filter(name=name).count()


def is_replay(answer: Any) -> bool:
    return answer.headers.get("Idempotent-Replayed") == "true"


def test_fifty_at_once_do_it_once(post: Any, for_threads: None) -> None:
    """Take the lock out of replays.find, and this fails on PostgreSQL."""
    answers = at_once(*[lambda: post("once") for _ in range(AT_ONCE)])
    done = [answer for answer in answers if answer.status_code == 200]
    running = [answer for answer in answers if answer.status_code == 409]
    assert len(done) + len(running) == AT_ONCE, [answer.content for answer in answers]
    assert sum(not is_replay(answer) for answer in done) == 1
    assert len({answer.content for answer in done}) == 1
    assert {answer.json()["errorCode"] for answer in running} <= {"AB07"}
    assert at_once(lambda: (names(), KeptAnswer.objects.count())) == [(1, 1)]


def test_two_at_once_do_it_once_each_time(post: Any, for_threads: None) -> None:
    for number in range(30):
        name = f"Once {number}"
        answers = at_once(*[lambda: post(name, name) for _ in range(2)])
        assert {answer.status_code for answer in answers} <= {200, 409}
        again = at_once(lambda: post(name, name))[0]
        assert (is_replay(again), again.json()["name"]) == (True, name)
        assert at_once(lambda: names(name)) == [1]


@pytest.fixture
def slow(acme: Company, post: Any) -> Iterator[Any]:
    """`slow("key")` starts a call that gets stuck behind the organization's lock; `end()` lets it go on."""
    held = transaction.atomic()
    held.__enter__()
    Organization.objects.select_for_update(no_key=True).get(pk=acme.organization.pk)
    started: list[tuple[threading.Thread, list[Any]]] = []

    class Slow:
        def __call__(self, key: str) -> None:
            answers: list[Any] = []
            thread = threading.Thread(target=lambda: answers.extend(at_once(lambda: post(key))))
            thread.start()
            thread.join(timeout=0.5)
            assert thread.is_alive()
            started.append((thread, answers))

        def answer(self) -> Any:
            thread, answers = started[0]
            thread.join()
            return answers[0]

        def end(self) -> None:
            nonlocal held
            if held:
                held.__exit__(None, None, None)
                held = None

    slow = Slow()
    yield slow
    slow.end()
    for thread, _ in started:
        thread.join()


@on_postgresql
def test_while_the_first_is_running_the_second_is_told_so(post: Any, slow: Any) -> None:
    slow("once")
    for name in ("Once", "Other"):
        early = at_once(lambda: post("once", name))[0]
        assert (early.status_code, early.json()["errorCode"]) == (409, "AB07")
        assert "still running" in early.json()["message"]
    slow.end()
    assert (slow.answer().status_code, is_replay(slow.answer())) == (200, False)
    assert is_replay(post("once"))
    assert post("once", "Other").status_code == 422
    assert names() == 1


@on_postgresql
def test_a_call_that_was_killed_leaves_its_key_free_at_once(post: Any, slow: Any) -> None:
    slow("once")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    assert slow.answer().status_code == 500
    slow.end()
    assert names() == 0
    assert [is_replay(post("once")) for _ in range(2)] == [False, True]
    assert names() == 1


class CutOff(OperationalError):
    """The connection is gone."""


def statements(act: Callable[[], Any]) -> int:
    """How many statements a call has."""
    seen = []

    def count(execute: Any, *arguments: Any) -> Any:
        seen.append(1)
        return execute(*arguments)

    with connection.execute_wrapper(count):
        act()
    return len(seen)


def test_a_call_cut_off_at_any_statement_is_done_whole_when_it_is_sent_again(post: Any) -> None:
    """CF-03: whichever statement fails, before it or after it, nothing is done by half and nothing twice."""
    last = statements(lambda: post("counted", "Counted"))
    for number in range(1, last + 1):
        for afterwards in (False, True):
            left, key = [number], f"{number} {afterwards}"

            def cut(execute: Any, sql: str, *arguments: Any) -> Any:
                left[0] -= 1
                if left[0] == 0 and not afterwards:
                    raise CutOff
                result = execute(sql, *arguments)
                # A connection that is lost takes its transaction along; this one would stay in it.
                if left[0] == 0 and not sql.startswith("BEGIN"):
                    raise CutOff
                return result

            with connection.execute_wrapper(cut):
                post(key, key)
            assert names(key) == KeptAnswer.objects.filter(key=key).count()
            assert post(key, key).status_code == 200
            assert is_replay(post(key, key))
            assert names(key) == 1


def test_two_hundred_replies_lost_after_the_commit_are_two_hundred_effects(
    post: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CF-11: the commit went through, and nobody heard of it."""
    plain = connection._commit

    def commit_and_die() -> None:
        plain()
        raise CutOff

    for number in range(ROUNDS):
        key = f"lost {number}"
        with monkeypatch.context() as patched:
            patched.setattr(connection, "_commit", commit_and_die)
            assert post(key, key).status_code == 500
        assert is_replay(post(key, key))
    made = Workspace.objects.filter(name__startswith="lost ")
    assert (made.count(), made.values("name").distinct().count()) == (ROUNDS, ROUNDS)
    ids = [str(workspace.pk) for workspace in made]
    assert AuditEvent.objects.filter(event="workspace.created", target_id__in=ids).count() == ROUNDS
