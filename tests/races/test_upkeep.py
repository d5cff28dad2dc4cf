"""Two ticks, two workers and many reports at the same instant: each thing happens once, and nobody hears it twice.

Run it on both databases. SQLite has one writer at a time: there the second waits.
"""

import sqlite3
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail as outgoing
from django.core.cache import cache
from django.db import connection, connections

from apps.access.actors import Origin, SystemActor, UserActor
from apps.apikeys import leaks, mail, rotation, upkeep
from apps.apikeys import operations as apikeys
from apps.apikeys.models import ApiKey, Notice
from apps.audit.models import AuditEvent
from apps.core.clock import now
from apps.core.errors import DomainError
from tests.races.test_races import at_once
from tests.world import Company

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
BY = SystemActor(reason="tick", actions=[])
KEYS, ROUNDS = 5, 10
READERS = 3


@pytest.fixture
def for_threads(acme: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In memory, SQLite's threads fail instead of waiting; those of this test meet in a copy on disk."""
    if connection.vendor == "sqlite":
        copy = tmp_path / "copy.sqlite3"
        with sqlite3.connect(copy) as target:
            connection.connection.backup(target)
        target.close()
        monkeypatch.setitem(connections.settings["default"], "NAME", str(copy))


@pytest.fixture(autouse=True)
def _no_letters_of_the_world(acme: Company) -> None:
    """Those that were sent while it was built."""
    outgoing.outbox.clear()


def there(look: Any) -> Any:
    """What a thread of its own sees: on SQLite this one's connection is not where the others meet."""
    [result] = at_once(look)
    if isinstance(result, Exception):
        raise result
    return result


def made(company: Company) -> list[Any]:
    return [
        apikeys.issue(
            company.workspace, name=f"Key {number}", scopes=["completions.write"], by=UserActor(company.owner)
        ).key.pk
        for number in range(KEYS)
    ]


def lines(event: str) -> Counter[str]:
    return Counter(AuditEvent.objects.filter(event=event).values_list("target_id", flat=True))


def letters() -> Counter[tuple[str, str]]:
    return Counter((letter.subject, letter.to[0]) for letter in outgoing.outbox)


def test_two_ticks_do_each_thing_once(acme: Company, for_threads: None) -> None:
    """Take the lock out of keeping.lock_key, or told_once from the notices, and this fails."""
    ids = there(lambda: made(acme))
    soon = now() + timedelta(hours=30)
    there(
        lambda: ApiKey.objects.filter(pk__in=ids).update(next_rotation_at=now(), expires_at=now() + timedelta(days=9))
    )
    results = at_once(*[lambda: upkeep.run(BY) for _ in range(2)])
    assert sum(done.rotated for done in results) == KEYS, results
    assert not any(done.failed for done in results)
    assert set(there(lambda: lines("api_key.rotated")).values()) == {1}
    assert len(letters()) == KEYS * READERS
    assert set(letters().values()) == {1}

    outgoing.outbox.clear()
    there(
        lambda: ApiKey.objects.filter(pk__in=ids).update(next_rotation_at=None, expires_at=soon - timedelta(hours=30))
    )
    results = at_once(*[lambda: upkeep.run(BY) for _ in range(2)])
    assert sum(done.expired for done in results) == KEYS, results
    assert there(lambda: lines("api_key.expired")) == Counter({str(pk): 1 for pk in ids})
    assert len(letters()) == KEYS * READERS
    assert set(letters().values()) == {1}


def test_two_ticks_warn_once(acme: Company, for_threads: None) -> None:
    ids = there(lambda: made(acme))
    for number in range(ROUNDS):
        outgoing.outbox.clear()
        cache.clear()  # the letters of an hour
        at = now() + timedelta(hours=2, minutes=number)
        there(lambda: ApiKey.objects.filter(pk__in=ids).update(next_rotation_at=at))
        results = at_once(*[lambda: upkeep.run(BY) for _ in range(3)])
        assert sum(done.warned for done in results) == KEYS, results
        assert not any(done.failed for done in results)
        assert set(letters().values()) == {1}
        assert len(letters()) == KEYS * READERS


def test_two_workers_send_a_letter_once(acme: Company, for_threads: None) -> None:
    """Take the lock out of mail._claim, and this fails on PostgreSQL."""

    def owed(number: int) -> int:
        """One that no job has been asked to send yet."""
        notice = Notice.objects.create(
            organization=acme.organization,
            key=acme.workspace_key,
            kind=Notice.Kind.LEAKED,
            about=now() + timedelta(seconds=number),
            details={"mask": acme.workspace_key.mask},
        )
        return int(notice.pk)

    for number in range(ROUNDS * 3):
        outgoing.outbox.clear()
        notice = there(lambda: owed(number))
        results = at_once(*[lambda: mail.send(notice) for _ in range(4)])
        assert results == [None] * 4
        assert (len(letters()), set(letters().values())) == (READERS, {1})


def test_many_reports_of_one_key_are_one_leak(acme: Company, for_threads: None, call: Any) -> None:
    """Take the lock out of leaks.take_in, and this fails on PostgreSQL."""
    secret = acme.secrets["workspace_key"]
    answers = at_once(*[lambda: call("POST", "/v1/leaked-keys", None, {"token": secret}) for _ in range(12)])
    assert {answer.status_code for answer in answers} == {200}
    assert there(lambda: (lines("api_key.leaked").total(), lines("api_key.disabled").total())) == (1, 1)
    assert (len(letters()), set(letters().values())) == (READERS, {1})


@on_postgresql
def test_a_tick_a_person_and_a_report_at_once_end_one_way(acme: Company) -> None:
    for number in range(ROUNDS * 2):
        issued = apikeys.issue(
            acme.workspace, name=f"Key {number}", scopes=["completions.write"], by=UserActor(acme.owner)
        )
        ApiKey.objects.filter(pk=issued.key.pk).update(next_rotation_at=now())
        key = ApiKey.objects.with_places().get(pk=issued.key.pk)
        results = at_once(
            lambda: upkeep.run(BY),
            lambda: rotation.rotate(key, by=UserActor(acme.owner)),
            lambda: apikeys.revoke(key, by=UserActor(acme.admin)),
            lambda: leaks.report(issued.secret.clear, origin=Origin(address=f"192.0.2.{number}")),
        )
        assert results[0].failed == 0
        assert results[3] is None
        assert not isinstance(results[2], DomainError)
        key.refresh_from_db()
        assert key.is_revoked
        assert (key.previous_digest, key.next_rotation_at) == (None, None)
