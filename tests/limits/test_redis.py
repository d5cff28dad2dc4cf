"""Rates in Redis: the same rules, another place; and what happens when that place does not answer (RL-03)."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from apps.core.errors import Unavailable
from apps.limits import operations as limits
from apps.limits.errors import TooFast
from apps.limits.models import RateWindow
from apps.limits.rates import store
from apps.limits.redis_rates import RedisRates, opened
from apps.limits.standing import state
from tests.limits.subjects import Limited, budget, rate

New = Callable[..., Limited]
URL = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/9")


@pytest.fixture
def in_redis(settings: Any) -> Iterator[None]:
    """Rates are counted in Redis, where there is one; what a test counted is removed after it, and nothing else."""
    server = redis.Redis.from_url(URL, socket_connect_timeout=0.5)
    try:
        server.ping()
    except redis.RedisError:
        (pytest.fail if os.environ.get("REQUIRE_REDIS") == "1" else pytest.skip)("There is no Redis here.")
    settings.RATE_LIMITS_URL = URL
    before = set(server.scan_iter("gatehouse:*"))
    yield
    if left := set(server.scan_iter("gatehouse:*")) - before:
        server.delete(*left)
    opened(URL)._storage.get_connection().close()
    server.close()


@pytest.fixture
def without_an_answer(settings: Any) -> None:
    """Nobody listens where Redis should be."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings.RATE_LIMITS_URL = f"redis://127.0.0.1:{free.getsockname()[1]}/0"


def passed(key: Limited, calls: int, tokens: int = 0) -> int:
    count = 0
    for _ in range(calls):
        try:
            limits.admit(key, tokens=tokens)
            count += 1
        except TooFast:
            pass
    return count


@pytest.mark.usefixtures("in_redis")
class TestInRedis:
    def test_the_setting_chooses_the_place(self, limited: New) -> None:
        assert isinstance(store(), RedisRates)
        limits.admit(limited(rate_limits=[rate(5)]))
        assert not RateWindow.objects.exists()

    @pytest.mark.parametrize("unit", ["rpm", "rph", "rpd", "rpw"])
    def test_as_many_pass_as_the_rate_says(self, limited: New, unit: str) -> None:
        assert passed(limited(rate_limits=[rate(5, unit)]), calls=9) == 5

    def test_it_empties_as_time_passes(self, limited: New) -> None:
        key = limited(rate_limits=[rate(5, "rps")])
        assert passed(key, calls=5) == 5
        with pytest.raises(TooFast) as refusal:
            limits.admit(key)
        assert 1 <= refusal.value.wait <= 2
        time.sleep(refusal.value.wait)
        limits.admit(key)

    def test_what_one_rate_refuses_is_counted_in_none(self, limited: New) -> None:
        key = limited(rate_limits=[rate(100, "rpd"), rate(5, "rpm"), rate(50, "rpm", "tokens")])
        assert (passed(key, calls=9, tokens=10), passed(key, calls=1, tokens=60)) == (5, 0)
        assert [each.used for each in state(key).rates] == [5, 50, 5]

    def test_a_rate_of_none_lets_nothing_through(self, limited: New) -> None:
        with pytest.raises(TooFast) as refusal:
            limits.admit(limited(rate_limits=[rate(0, "rph")]))
        assert refusal.value.wait == 3600

    def test_what_was_not_foreseen_is_counted_as_far_as_it_fits(self, limited: New) -> None:
        key = limited(rate_limits=[rate(100, "rph", "tokens")])
        limits.settle(limits.admit(key, tokens=10), tokens=40)
        assert [each.used for each in state(key).rates] == [40]
        limits.settle(limits.admit(key, tokens=10), tokens=4000)
        assert [each.used for each in state(key).rates] == [100]

    def test_budgets_stay_in_the_database(self, limited: New) -> None:
        key = limited(usage_limits=budget(10), rate_limits=[rate(5)])
        limits.admit(key, tokens=7)
        assert key.row.reserved == 7

    def test_the_wait_is_until_enough_has_moved_out_of_sight(self, limited: New) -> None:
        key = limited(rate_limits=[rate(5, "rph")])
        passed(key, calls=5)
        with pytest.raises(TooFast) as refusal:
            limits.admit(key)
        assert 3600 <= refusal.value.wait <= 3600 + 3600 // 5


@pytest.mark.usefixtures("without_an_answer")
class TestWithoutAnAnswer:
    def test_nothing_that_has_a_rate_passes(self, limited: New) -> None:
        key = limited(usage_limits=budget(10), rate_limits=[rate(5)])
        with pytest.raises(Unavailable) as refusal:
            limits.admit(key, tokens=1)
        assert refusal.value.wait > 0
        assert state(key).budget.reserved == 0

    def test_what_has_none_goes_on(self, limited: New) -> None:
        key = limited(usage_limits=budget(10))
        assert limits.settle(limits.admit(key, tokens=1))

    def test_pages_say_that_they_do_not_know(self, limited: New) -> None:
        (told,) = state(limited(rate_limits=[rate(5)])).rates
        assert (told.used, told.left, told.share) == (None, None, None)

    def test_a_call_that_is_over_is_paid(self, limited: New, settings: Any) -> None:
        """Money first: tokens that were not foreseen can wait for nobody."""
        url, settings.RATE_LIMITS_URL = settings.RATE_LIMITS_URL, ""
        key = limited(usage_limits=budget(100), rate_limits=[rate(50, "rpm", "tokens")])
        admission = limits.admit(key, tokens=10)
        settings.RATE_LIMITS_URL = url
        limits.settle(admission, tokens=20)
        assert key.row.spent == 20
