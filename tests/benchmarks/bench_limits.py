"""Reserve and settle, a pair for each call, beside what somebody would write who does not think of two calls at once.

uv run python -m tests.benchmarks.bench_limits --database postgres:///bench_limits

The database is one that was migrated and holds an organization; what is counted here is removed again. First one client
after another, by turns, then several at once on one key, which is where the naive way goes wrong.
"""

import argparse
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from django.db import connection
from django.db.models import F

from apps.core.errors import Exhausted
from apps.limits import operations as limits
from apps.limits.models import Budget
from apps.limits.standing import state
from apps.organizations.models import Organization
from tests.benchmarks.databases import connect, using
from tests.benchmarks.measuring import Results, Setting, Verdict, Way, judge, race, tell
from tests.limits.subjects import Limited, budget, rate

PLAIN, NAIVE = "one plain UPDATE", "look, then add"
OURS, RATED, LOOKED = "ours, reserve + settle", "the same, and three rates", "ours, state of the key"
PLENTY, FEW, CALLS, CLIENTS = 10**9, 10, 20, 8


def main() -> None:
    given = _arguments()
    database = connect(given.database)
    with using(database), _subjects() as subjects:
        results = race("A call", WAYS, {"one": Setting(database, lambda: subjects)}, given.rounds)
        tell("One client", ("", "queries", "ms", "a second", "x plain UPDATE"), [_row(results, way) for way in WAYS])
        over = {name: _at_once(subjects["plain"], name, given.contests) for name in (NAIVE, OURS)}
    tell(
        f"{CLIENTS} clients at once, {CALLS} calls on a budget for {FEW}",
        ("", "let through, on average", "too many, rounds of all", "calls a second"),
        [(name, *figures) for name, figures in over.items()],
    )
    judge(
        [
            Verdict("reserve + settle, against look, then add", results.over("one", OURS, NAIVE), 6),
            Verdict("rounds in which ours let too many through", over[OURS][1], 0, ""),
        ]
    )


def _row(results: Results, way: Way) -> tuple[object, ...]:
    took = results.milliseconds("one", way.name)
    return way.name, results.queries["one", way.name], took, 1000 / took, results.over("one", way.name, PLAIN)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", default="postgres:///bench_small")
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--contests", type=int, default=30, help="rounds of 20 calls at once")
    return parser.parse_args()


@contextmanager
def _subjects() -> Iterator[dict[str, Limited]]:
    organization = Organization.objects.values_list("pk", flat=True)[0]
    rates = [rate(PLENTY, "rpm"), rate(PLENTY, "rpd"), rate(PLENTY, "rpm", "tokens")]
    subjects = {"plain": Limited(organization, budget(PLENTY)), "rated": Limited(organization, budget(PLENTY), rates)}
    try:
        for subject in subjects.values():
            limits.admit(subject)
        yield subjects
    finally:
        limits.forget([subject.pk for subject in subjects.values()])


def _plain(subjects: dict[str, Limited]) -> bool:
    return Budget.objects.filter(subject=subjects["plain"].pk).update(spent=F("spent") + 1) == 1


def _naive(subjects: dict[str, Limited]) -> bool:
    row = Budget.objects.get(subject=subjects["plain"].pk)
    if row.spent + 1 > (row.limit or 0):
        return False
    return Budget.objects.filter(pk=row.pk).update(spent=F("spent") + 1) == 1


def _ours(subject: Limited) -> bool:
    try:
        return limits.settle(limits.admit(subject, tokens=1))
    except Exhausted:
        return False


def _looked(subjects: dict[str, Limited]) -> bool:
    return not state(subjects["rated"]).is_exhausted


WAYS: Sequence[Way] = [
    Way(PLAIN, _plain),
    Way(NAIVE, _naive),
    Way(OURS, lambda subjects: _ours(subjects["plain"])),
    Way(RATED, lambda subjects: _ours(subjects["rated"])),
    Way(LOOKED, _looked),
]


def _at_once(subject: Limited, name: str, contests: int) -> tuple[float, int, float]:
    """How many of 20 calls pass, in how many rounds that was too many, and how many calls a second that is."""
    act: Callable[[], bool] = (lambda: _ours(subject)) if name == OURS else (lambda: _naive({"plain": subject}))
    through, seconds = [], 0.0
    for _ in range(contests):
        Budget.objects.filter(subject=subject.pk).update(limit=FEW, spent=0, reserved=0, exhausted_at=None)
        passed, took = _contest(act)
        through.append(passed)
        seconds += took
    return sum(through) / contests, sum(passed > FEW for passed in through), CALLS * contests / seconds


def _contest(act: Callable[[], bool]) -> tuple[int, float]:
    """Lets the clients share the calls; answers with how many passed, and in how many seconds."""
    address, passed, calls = _address(connection.settings_dict), [], iter(range(CALLS))
    turn, start = threading.Lock(), threading.Barrier(CLIENTS + 1)

    def client() -> None:
        with using(connect(address)) as own:
            own.ensure_connection()
            start.wait()
            while _next(calls, turn):
                passed.append(act())
            own.close()

    clients = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for each in clients:
        each.start()
    start.wait()
    began = perf_counter()
    for each in clients:
        each.join()
    return sum(passed), perf_counter() - began


def _next(calls: Iterator[int], turn: threading.Lock) -> bool:
    with turn:
        return next(calls, None) is not None


def _address(place: dict[str, Any]) -> str:
    who = f"{place['USER']}:{place['PASSWORD']}@" if place["USER"] else ""
    at = f"{place['HOST']}:{place['PORT']}" if place["PORT"] else place["HOST"]
    return f"postgres://{who}{at}/{place['NAME']}"


if __name__ == "__main__":
    main()
