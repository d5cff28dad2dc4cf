"""Several ways to one answer, timed by turns in several settings, so that a noisy machine is noisy for all of them.

Figures are medians, and ratios are medians of the ratios of each round; where the machine is so busy that whoever asks
a database waits for a core, the lowest tenth of each says more.
"""

import argparse
import random
import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter_ns
from typing import Any, NamedTuple

from django.db import connection
from django.test.utils import CaptureQueriesContext
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.benchmarks.databases import Database, connect, using

console = Console(width=110)
WARM_UP = 5  # rounds in which queries are counted instead of milliseconds
PREPARED = {"server_side_binding": True, "prepare_threshold": 3}


class Way(NamedTuple):
    """One way to the answer. `before` makes of the round's subject what is needed, and is not timed."""

    name: str
    run: Callable[[Any], Any]
    before: Callable[[Any], Any] | None = None


class Setting(NamedTuple):
    """Where the ways are tried: a database, and something in it to ask about, another one each round."""

    database: Database
    subject: Callable[[], Any]


@dataclass
class Results:
    """Milliseconds and queries by setting and way, and in how many rounds two ways disagreed."""

    ways: Sequence[Way]
    samples: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    queries: dict[tuple[str, str], int] = field(default_factory=dict)
    disagreements: int = 0
    is_of_lowest: bool = False

    def milliseconds(self, setting: str, way: str) -> float:
        samples = self.samples[setting, way]
        return _lowest(samples) if self.is_of_lowest else statistics.median(samples)

    def over(self, setting: str, way: str, floor: str) -> float:
        return self._ratio((setting, way), (setting, floor))

    def growth(self, way: str, *, after: str = "large", before: str = "small", beside: str = "") -> float:
        return self._ratio((after, way), (before, beside or way))

    def _ratio(self, above: tuple[str, str], below: tuple[str, str]) -> float:
        one, other = self.samples[above], self.samples[below]
        if self.is_of_lowest:
            return _lowest(one) / _lowest(other)
        return statistics.median(each / beside for each, beside in zip(one, other, strict=True))


def race(
    title: str, ways: Sequence[Way], settings: Mapping[str, Setting], rounds: int, *, is_of_lowest: bool = False
) -> Results:
    results = Results(ways, is_of_lowest=is_of_lowest)
    for number in track(range(WARM_UP + rounds), description=title, console=console, transient=True):
        for name, setting in random.sample(list(settings.items()), len(settings)):
            with using(setting.database):
                _round(results, name, setting.subject(), is_timed=number >= WARM_UP)
    return results


def _round(results: Results, setting: str, subject: Any, *, is_timed: bool) -> None:
    answers = []
    for way in random.sample(results.ways, len(results.ways)):
        given = way.before(subject) if way.before else subject
        if is_timed:
            start = perf_counter_ns()
            answers.append(way.run(given))
            results.samples[setting, way.name].append((perf_counter_ns() - start) / 1e6)
        else:
            with CaptureQueriesContext(connection) as captured:
                answers.append(way.run(given))
            results.queries[setting, way.name] = len(captured)
    results.disagreements += any(answer != answers[0] for answer in answers)


def _lowest(samples: list[float]) -> float:
    return statistics.quantiles(samples, n=10)[0]


def tell(title: str, headings: Sequence[str], rows: Sequence[Sequence[object]], caption: str = "") -> None:
    table = Table(title=title, title_justify="left", caption=caption, caption_justify="left")
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left")
    for row in rows:
        table.add_row(*(f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in row))
    console.print(table)


class Verdict(NamedTuple):
    """One figure, and the bound it has to keep to."""

    goal: str
    figure: float
    bound: float
    unit: str = "x"


def judge(verdicts: Sequence[Verdict]) -> None:
    tell(
        "Goals",
        ("", "measured", "at most", ""),
        [
            (
                goal,
                f"{figure:.3g} {unit}",
                f"{bound:g} {unit}",
                "[green]met[/]" if figure <= bound else "[red]missed[/]",
            )
            for goal, figure, bound, unit in verdicts
        ],
    )


def arguments(description: str, *, rounds: int) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", default="postgres:///bench_small", help="filled with 1 000 memberships")
    parser.add_argument("--large", default="postgres:///bench_large", help="filled with 1 000 000 memberships")
    parser.add_argument("--rounds", type=int, default=rounds, help=f"how often each way is timed ({rounds})")
    parser.add_argument("--prepared", action="store_true", help="let PostgreSQL keep its plans")
    return parser.parse_args()


def databases(given: argparse.Namespace) -> tuple[Database, Database]:
    options = PREPARED if given.prepared else {}
    return connect(given.small, **options), connect(given.large, **options)
