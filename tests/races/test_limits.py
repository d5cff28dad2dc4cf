"""Limits that many ask at the same instant: by processes on whichever database this is, by threads on PostgreSQL."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.db import connection
from django.db.models import Sum

from apps.access.actors import UserActor
from apps.apikeys import operations as apikeys
from apps.apikeys.models import ApiKey
from apps.core.errors import Exhausted
from apps.core.models import new_id
from apps.limits import operations as limits
from apps.limits.alerts import on_exhausted, on_threshold
from apps.limits.budgets import LEASE
from apps.limits.errors import TooFast
from apps.limits.models import Budget, Reservation
from tests.limits.subjects import Limited, budget, rate
from tests.races.test_races import at_once
from tests.world import Company, system

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
ROOT = Path(__file__).resolve().parents[2]
PROCESSES = 4
SUNDAY = datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC)
MONDAY = SUNDAY + timedelta(seconds=1)
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/9")
Call = Callable[..., list[dict[str, Any]]]


def process(told: dict[str, Any], environment: dict[str, str]) -> subprocess.Popen[str]:
    known = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    known |= {"DJANGO_SETTINGS_MODULE": "config.settings.test", **environment}
    command = [sys.executable, "-m", "tests.races.callers", json.dumps(told)]
    return subprocess.Popen(command, cwd=ROOT, env=known, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def said_by(running: subprocess.Popen[str]) -> dict[str, Any]:
    with running:
        out, _ = running.communicate(timeout=120)
    assert running.returncode == 0
    return json.loads(out.splitlines()[-1])


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A SQLite database in a file, which several processes can open, and an organization in it."""
    url = f"sqlite:///{tmp_path_factory.mktemp('race') / 'db.sqlite3'}"
    return {"DATABASE_URL": url, **said_by(process({}, {"DATABASE_URL": url}))}


@pytest.fixture
def callers(request: pytest.FixtureRequest) -> Call:
    """`callers(calls=5, usage_limits=...)` lets four processes call at once, and answers with what each says."""
    if connection.vendor == "postgresql":
        place = connection.settings_dict
        host = f"{place['USER']}:{place['PASSWORD']}@{place['HOST']}:{place['PORT']}".replace(":@", "@")
        url = f"postgres://{host}/{place['NAME']}"
        organization = str(request.getfixturevalue("acme").organization.pk)
    else:
        made = request.getfixturevalue("file")
        url, organization = made["DATABASE_URL"], made["organization"]

    def called(redis_url: str = "", **told: Any) -> list[dict[str, Any]]:
        told = {"organization": organization, "subject": str(new_id()), **told}
        environment = {"DATABASE_URL": url, **({"REDIS_URL": redis_url} if redis_url else {})}
        running = [process(told, environment) for _ in range(PROCESSES)]
        for one in running:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        for one in running:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        return [said_by(one) for one in running]

    return called


class TestProcesses:
    def test_of_twenty_calls_on_a_budget_for_ten_ten_pass(self, callers: Call) -> None:
        """BU-01. Let reserve look first and write then, and this fails."""
        said = callers(calls=5, usage_limits=budget(10))
        assert sum(one["passed"] for one in said) == 10

    def test_a_rate_lets_as_many_through_as_it_says(self, callers: Call) -> None:
        """RL-01."""
        said = callers(calls=50, rate_limits=[rate(100, "rpw"), rate(150, "rpd", "tokens")])
        assert sum(one["passed"] for one in said) == 100

    def test_the_same_in_redis(self, callers: Call) -> None:
        try:
            redis.Redis.from_url(REDIS, socket_connect_timeout=0.5).ping()
        except redis.RedisError:
            (pytest.fail if os.environ.get("REQUIRE_REDIS") == "1" else pytest.skip)("There is no Redis here.")
        subject = str(new_id())
        said = callers(redis_url=REDIS, subject=subject, calls=50, rate_limits=[rate(100, "rpw")])
        server = redis.Redis.from_url(REDIS)
        server.delete(*server.scan_iter(f"gatehouse:*{subject}*"))
        server.close()
        assert sum(one["passed"] for one in said) == 100

    def test_what_is_told_is_told_once(self, callers: Call) -> None:
        said = callers(calls=30, settles=True, usage_limits=budget(100, alert_threshold=50))
        assert sum(one["passed"] for one in said) == 100
        assert sorted(word for one in said for word in one["heard"]) == ["exhausted", "threshold"]

    def test_a_week_begins_once(self, callers: Call) -> None:
        """BU-07: the first to come begins it, and nobody begins it again when something is spent."""
        week, subject = budget(10, periodic_reset="weekly"), str(new_id())
        for at in (SUNDAY, MONDAY):
            said = callers(subject=subject, calls=5, settles=True, usage_limits=week, at=at.isoformat())
            assert sum(one["passed"] for one in said) == 10
            assert [word for one in said for word in one["heard"]] == ["exhausted"]


@on_postgresql
class TestThreads:
    ROUNDS = 30

    @pytest.fixture
    def heard(self) -> Any:
        words: list[str] = []
        receivers = [lambda **_: words.append("threshold"), lambda **_: words.append("exhausted")]
        on_threshold.connect(receivers[0])
        on_exhausted.connect(receivers[1])
        yield words
        on_threshold.disconnect(receivers[0])
        on_exhausted.disconnect(receivers[1])

    def test_of_twenty_calls_on_a_budget_for_ten_ten_pass(self, acme: Company) -> None:
        for _ in range(self.ROUNDS):
            key = Limited(acme.organization.pk, budget(10))
            results = at_once(*[lambda: limits.admit(key, tokens=1) for _ in range(20)])
            assert sum(isinstance(result, Exhausted) for result in results) == 10
            assert key.row.reserved == 10

    def test_of_twenty_calls_at_a_rate_of_ten_ten_pass(self, acme: Company) -> None:
        for _ in range(self.ROUNDS):
            key = Limited(acme.organization.pk, None, [rate(10, "rpw"), rate(15, "rpd", "tokens")])
            results = at_once(*[lambda: limits.admit(key, tokens=1) for _ in range(20)])
            assert sum(isinstance(result, TooFast) for result in results) == 10

    def test_at_midnight_the_week_begins_once(self, acme: Company, heard: list[str]) -> None:
        for _ in range(self.ROUNDS):
            key = Limited(acme.organization.pk, budget(10, periodic_reset="weekly"))
            limits.settle(limits.admit(key, tokens=10, at=SUNDAY), at=SUNDAY)
            results = at_once(
                *[lambda: limits.settle(limits.admit(key, tokens=4, at=MONDAY), at=MONDAY) for _ in range(6)]
            )
            assert sum(isinstance(result, Exhausted) for result in results) == 4
            assert (key.row.spent, key.row.reserved, key.row.last_reset_at) == (8, 0, MONDAY)

    def test_what_is_told_is_told_once(self, acme: Company, heard: list[str]) -> None:
        for _ in range(self.ROUNDS):
            heard.clear()
            key = Limited(acme.organization.pk, budget(10, alert_threshold=5))
            at_once(*[lambda: limits.settle(limits.admit(key, tokens=1)) for _ in range(12)])
            assert sorted(heard) == ["exhausted", "threshold"]

    def test_a_call_settled_from_two_sides_is_paid_once(self, acme: Company) -> None:
        for _ in range(self.ROUNDS):
            key = Limited(acme.organization.pk, budget(10))
            admission = limits.admit(key, tokens=4)
            results = at_once(
                lambda: limits.settle(admission, tokens=3),
                lambda: limits.settle(admission, tokens=3),
                lambda: limits.sweep(at=datetime.now(UTC) + LEASE),
            )
            assert results[:2].count(True) == 1
            assert (key.row.spent, key.row.reserved) == (3, 0)

    def test_a_lease_swept_from_two_sides_is_given_back_once(self, acme: Company) -> None:
        for _ in range(self.ROUNDS):
            key = Limited(acme.organization.pk, budget(10))
            limits.admit(key, tokens=4)
            later = datetime.now(UTC) + LEASE
            *_, called = at_once(
                lambda: limits.sweep(at=later),
                lambda: limits.sweep(at=later),
                lambda: limits.admit(key, tokens=8, at=later),
            )
            held = Reservation.objects.filter(budget=key.row, lapsed_at=None).aggregate(held=Sum("amount"))["held"]
            # A call in the instant of the sweep may be refused once more; what it never does is pass on nothing.
            assert key.row.reserved == (held or 0)
            assert isinstance(called, Exhausted) is (held is None)

    def test_whatever_happens_at_once_nothing_stands_still_and_nothing_leaks(self, acme: Company) -> None:
        """CC-06: every act there is, on a key in a workspace, with the locks always taken in the same order."""
        rates = [rate(10**6), rate(10**6, "rpd", "tokens")]
        key = Limited(acme.organization.pk, budget(10**6), rates)
        space = Limited(acme.organization.pk, [budget(10**6)], rates)
        limits.admit(key)
        limits.admit(space)

        def act(seed: int) -> None:
            chance = random.Random(seed)
            for _ in range(25):
                admissions = [limits.admit(subject, tokens=chance.randint(0, 9)) for subject in (key, space)]
                chance.choice(
                    [
                        lambda: None,
                        lambda: limits.sweep(at=datetime.now(UTC) + LEASE),
                        lambda: limits.agree(key),
                        lambda: limits.reset(space, by=system()),
                    ]
                )()
                for admission in admissions:
                    limits.settle(admission, tokens=chance.randint(0, 20))

        results = at_once(*[lambda seed=seed: act(seed) for seed in range(8)])
        assert results == [None] * 8
        limits.sweep(at=datetime.now(UTC) + LEASE)
        assert set(Budget.objects.values_list("reserved", flat=True)) == {0}


@on_postgresql
@pytest.mark.parametrize("limit", [200, 5], ids=["the threshold", "the end"])
def test_what_a_call_reaches_and_a_change_of_the_budget_wait_for_one_another_in_one_order(
    acme: Company, limit: int
) -> None:
    """A call that tells of its key's budget holds the counter, then the key's notice and the log; so do changes."""
    owner = UserActor(acme.owner)
    for number in range(20):
        key = ApiKey.objects.with_places().get(pk=acme.workspace_key.pk)
        before = budget(limit + number % 2, alert_threshold=2)
        key = apikeys.update(key, usage_limits=before, reset_usage=True, by=owner)
        admitted = limits.admit(key, tokens=5)
        after = budget(1000 + number, alert_threshold=2)
        outcomes = at_once(
            lambda held=admitted: limits.settle(held),
            lambda wanted=after: apikeys.update(
                ApiKey.objects.with_places().get(pk=acme.workspace_key.pk), usage_limits=wanted, by=owner
            ),
        )
        assert None not in outcomes
