"""Leases that several workers want at the same instant. On PostgreSQL alone: SQLite has one writer at a time."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from apps.access.actors import UserActor
from apps.streams import delivery, operations
from apps.streams.models import Stream
from tests.races.test_races import at_once
from tests.streams.conftest import fresh
from tests.streams.receiver import Receiver
from tests.world import Company

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(120),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time"),
]
WORKERS, ROUNDS = 4, 50
BLOCKED = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"


def someone_waits_for_us() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(BLOCKED)
        return bool(cursor.fetchone()[0])


def taken_after(stream: Stream, act: Callable[[], Any]) -> Any:
    """What a second worker gets that asked for the lease after `act`, and before that was written for good."""
    found: list[Any] = []

    def take() -> None:
        try:
            found.append(delivery._Lease.take(stream.pk))
        finally:
            connection.close()

    second = threading.Thread(target=take)
    with transaction.atomic():
        act()
        second.start()
        while second.is_alive() and not someone_waits_for_us():
            pass
    second.join()
    (lease,) = found
    return lease


def test_whoever_waited_for_the_row_looks_again(stream: Stream) -> None:
    """Join another table in `active()`, and this fails: both have the lease."""
    first: list[Any] = []
    second = taken_after(stream, lambda: first.append(delivery._Lease.take(stream.pk)))
    assert (first[0] is not None, second) == (True, None)
    assert first[0].renew() is not None


def test_whoever_waited_for_a_pause_takes_nothing(acme: Company, stream: Stream) -> None:
    assert taken_after(stream, lambda: operations.pause(stream, by=UserActor(acme.owner))) is None


def test_of_several_at_once_one_has_it(stream: Stream) -> None:
    for _ in range(ROUNDS):
        leases = at_once(*[lambda: delivery._Lease.take(stream.pk)] * WORKERS)
        (held,) = [lease for lease in leases if lease is not None]
        held.end()


def test_several_at_once_send_every_line_once_and_in_order(acme: Company, receiver: Receiver, stream: Stream) -> None:
    receiver.received.clear()
    receiver.kept.clear()
    Stream.objects.update(position=0)
    done = at_once(*[delivery.run] * WORKERS)
    last = fresh(stream).position
    assert receiver.sequences == list(range(1, last + 1))
    assert sum(each.delivered for each in done) == last
