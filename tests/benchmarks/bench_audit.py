"""Goal 6: what it costs to chain a line of the log, alone and at once, and how fast a log is verified.

uv run python -m tests.benchmarks.bench_audit --database postgres:///bench_audit

The database is one that was migrated; the chains that are written here are removed again.
"""

import argparse
import multiprocessing
import statistics
import uuid
from collections.abc import Callable
from functools import cache
from time import perf_counter
from typing import Any

import django
from django.db import DEFAULT_DB_ALIAS, connection, connections, models, transaction

from apps.access.actors import Origin, SystemActor
from apps.audit import appending, log, verification
from apps.audit.canonical import text_of
from apps.audit.chain import facts_digest, facts_of, names_digest
from apps.audit.events import Event
from apps.audit.models import AuditCheckpoint, AuditEvent, AuditHead, AuditNames, AuditWord
from apps.audit.retention import declared
from apps.core.clock import now
from apps.organizations.models import Organization
from tests.benchmarks.databases import connect, using
from tests.benchmarks.measuring import Setting, Verdict, Way, judge, race, tell

PLAIN, CHAINED = "plain insert, in one statement", "chained"
WRITERS = 8
BY = SystemActor(
    reason="benchmark", actions=[], origin=Origin("api", "r-1", "192.0.2.7", "Mozilla/5.0", "PUT", "/v1/x")
)


def main() -> None:
    given = _arguments()
    chains = [uuid.uuid4() for _ in range(WRITERS + 1)]
    with using(connect(given.database)):
        try:
            _run(given, chains)
        finally:
            _remove(chains)


def _run(given: argparse.Namespace, chains: list[uuid.UUID]) -> None:
    _chained(chains[0])
    results = race("A line", WAYS, {"one": Setting(connections[DEFAULT_DB_ALIAS], lambda: chains[0])}, given.rounds)
    over = results.over("one", CHAINED, PLAIN)
    tell(
        "One writer, a commit each",
        ("", "queries", "ms", "x plain"),
        [
            (
                way.name,
                results.queries["one", way.name],
                results.milliseconds("one", way.name),
                results.over("one", way.name, PLAIN),
            )
            for way in WAYS
        ],
    )
    at_once = {
        f"{name}, {where}": _at_once(given.database, name, on, given.seconds)
        for name in (PLAIN, CHAINED)
        for where, on in (("8 organizations", chains[1:]), ("one organization", chains[1:2]))
    }
    tell(f"{WRITERS} writers", ("", "lines a second"), list(at_once.items()))
    speed = _verified(chains[1], given.lines)
    tell("Verification", ("", "lines a second"), [(f"{given.lines} lines", speed)])
    judge(
        [
            Verdict("chained, x plain", over, 1.25),
            Verdict("statements more", results.queries["one", CHAINED] - results.queries["one", PLAIN], 1, ""),
            Verdict("a line in one organization, 8 writers", 1000 / at_once[f"{CHAINED}, one organization"], 2, "ms"),
            Verdict(
                "plain / chained, 8 writers on 8 organizations",
                at_once[f"{PLAIN}, 8 organizations"] / at_once[f"{CHAINED}, 8 organizations"],
                1.25,
            ),
            Verdict("verifying a line", 1e6 / speed, 10, "µs"),
        ]
    )


def _chained(chain: uuid.UUID) -> None:
    with transaction.atomic():
        log.record(
            Event.WORKSPACE_UPDATED, actor=BY, target=Organization(pk=chain, name="x"), organization_id=chain, **_FACTS
        )


def _plain(chain: uuid.UUID) -> None:
    """The same line and the same names beside it, numbered by chance and chained to nothing."""
    with transaction.atomic():
        line = log.line_of(Event.WORKSPACE_UPDATED, BY, Organization(pk=chain, name="x"), chain, details=_FACTS)
        names = log.names_of(BY, {"target": "x"})
        line.at, line.sequence, line.previous, line.digest = now(), -(uuid.uuid4().int >> 66), b"\0" * 32, b"\0" * 32
        line.names_digest = b"\0" * 32
        side = AuditNames(chain=chain, address="192.0.2.7", names=names, salt=b"\0" * 16)
        values = [*_values(line, "id"), *_values(side, "line")]
        with connection.cursor() as cursor:
            cursor.execute(_statement(), values)


_FACTS: dict[str, Any] = {"before": {"name": "a name", "role": "member"}, "after": {"name": "another", "role": "admin"}}
WAYS = [Way(PLAIN, _plain), Way(CHAINED, _chained)]


@cache
def _statement() -> str:
    def listed(model: type[models.Model], without: str) -> tuple[str, str]:
        fields: list[Any] = [field for field in model._meta.concrete_fields if field.name != without]
        return (
            ", ".join(f'"{field.column}"' for field in fields),
            ", ".join(f"%s::{field.db_type(connection)}" for field in fields),
        )

    columns, given = listed(AuditEvent, "id")
    beside, told = listed(AuditNames, "line")
    return (
        f"WITH line AS (INSERT INTO audit_auditevent ({columns}) VALUES ({given}) RETURNING id) "
        f"INSERT INTO audit_auditnames (line_id, {beside}) SELECT id, {told} FROM line"
    )


def _values(row: models.Model, without: str) -> list[Any]:
    fields: list[Any] = [field for field in row._meta.concrete_fields if field.name != without]
    return [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]


def _at_once(database: str, name: str, chains: list[uuid.UUID], seconds: float) -> float:
    """Lines a second of several processes, each on its own chain or all on one."""
    with multiprocessing.get_context("spawn").Pool(WRITERS) as pool:
        jobs = [(database, name, str(chains[number % len(chains)]), seconds) for number in range(WRITERS)]
        return sum(pool.map(_writer, jobs, chunksize=1))


def _writer(job: tuple[str, str, str, float]) -> float:
    database, name, chain, seconds = job
    django.setup()
    act: Callable[[uuid.UUID], None] = _chained if name == CHAINED else _plain
    with using(connect(database)):
        act(uuid.UUID(chain))
        written, began = 0, perf_counter()
        while perf_counter() - began < seconds:
            act(uuid.UUID(chain))
            written += 1
        connection.close()
    return written / seconds


def _verified(chain: uuid.UUID, lines: int) -> float:
    with declared():
        AuditNames.objects.filter(chain=chain).delete()
        AuditEvent.objects.filter(chain=chain).delete()
        AuditHead.objects.filter(chain=chain).delete()
    while AuditEvent.objects.filter(chain=chain).count() < lines:
        _fill(chain, min(lines, 10_000))
    took = []
    for _ in range(3):
        began = perf_counter()
        report = verification.verify(chain)
        took.append(perf_counter() - began)
        assert report.is_whole, report.faults[:3]
    return report.lines / statistics.median(took)


@transaction.atomic
def _fill(chain: uuid.UUID, lines: int) -> None:
    for number in range(lines):
        target = Organization(pk=chain, name="x")
        line = log.line_of(Event.WORKSPACE_UPDATED, BY, target, chain, details={**_FACTS, "number": number})
        names, salt = log.names_of(BY, {"target": "x"}), b"\1" * 16
        line.at, line.names_digest = now(), names_digest(text_of(names), salt)
        side = AuditNames(line=line, chain=chain, address=names["address"], names=names, salt=salt)
        appending.append(line, side, facts_digest(facts_of(line)))


def _remove(chains: list[uuid.UUID]) -> None:
    with declared():
        for model in (AuditNames, AuditEvent, AuditHead, AuditWord, AuditCheckpoint):
            model._default_manager.filter(chain__in=chains).delete()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", default="postgres:///bench_audit")
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=5, help="how long the writers write")
    parser.add_argument("--lines", type=int, default=200_000, help="that are verified")
    return parser.parse_args()


if __name__ == "__main__":
    main()
