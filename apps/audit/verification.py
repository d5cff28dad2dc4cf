"""Reads a chain from its beginning to its end, and names whatever in it is not as it was written.

What holds: every line hashes to its digest, says the digest of the line before, and stands after it; none is missing
or one too many; the names beside it are those it was written with, or erased; the end is where the head, and every
signed checkpoint, here or kept elsewhere, says that it is.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final

from django.db import connection, transaction
from django.utils import translation
from django.utils.translation import gettext_lazy

from apps.audit import checkpoints, reading
from apps.audit.canonical import text_of
from apps.audit.chain import FIRST, NEWEST, linked, linked_first, names_digest
from apps.audit.checkpoints import Checkpoint
from apps.audit.models import AuditHead
from apps.audit.reading import Row
from apps.core.clock import now

Progress = Callable[[int], None]
_MOST: Final = 10_000  # faults that are named; more than these say no more
_text_of: Final = lru_cache(maxsize=10_000)(text_of)
_NOTHING: Final = "{}"  # the text of names that are erased


class Kind(StrEnum):
    ALTERED = "altered"
    REWRITTEN = "rewritten"
    MISSING = "missing"
    INSERTED = "inserted"
    MOVED = "moved"
    NAMES = "names"
    CHECKPOINT = "checkpoint"
    HEAD = "head"


_SAID: Final = {
    Kind.ALTERED: gettext_lazy("Line {first} was altered."),
    Kind.REWRITTEN: gettext_lazy(
        "Line {first} was altered and hashed anew: what follows it, or was signed, is of another one."
    ),
    Kind.MISSING: gettext_lazy("Line {first} is missing."),
    Kind.INSERTED: gettext_lazy("Line {first} was inserted."),
    Kind.MOVED: gettext_lazy("Line {first} stands in another place than it was written in."),
    Kind.NAMES: gettext_lazy("The names beside line {first} were altered or taken away."),
    Kind.CHECKPOINT: gettext_lazy("The checkpoint kept here of line {first} is not signed by this installation."),
    Kind.HEAD: gettext_lazy("The log has no end written down, which every log has."),
}
_SAID_OF_MANY: Final = {
    Kind.MISSING: gettext_lazy("Lines {first} to {last} are missing."),
    Kind.INSERTED: gettext_lazy("Lines {first} to {last} were inserted."),
}


@dataclass(frozen=True)
class Fault:
    """One thing that is not as it was written, named by the number of its line, or by the first and last of many."""

    kind: Kind
    sequence: int
    last: int = 0

    def __str__(self) -> str:
        said = _SAID_OF_MANY[self.kind] if self.last > self.sequence else _SAID[self.kind]
        return str(said).format(first=self.sequence, last=self.last)


@dataclass
class Report:
    """What a verification found."""

    chain: uuid.UUID
    lines: int = 0
    sequence: int = 0  # of the last line that is there
    erased: int = 0  # lines whose names were erased
    faults: list[Fault] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return not self.faults

    def blame(self, kind: Kind, sequence: int, last: int = 0) -> None:
        if len(self.faults) < _MOST:
            self.faults.append(Fault(kind, sequence, last))


def verify(chain: uuid.UUID, *, outside: Iterable[Checkpoint] = (), progress: Progress | None = None) -> Report:
    """Verifies a whole chain, and notes beside its head what was found.

    Arguments: `outside` are checkpoints that were kept elsewhere; `progress` is told of every thousands of lines.
    """
    kept = tuple(outside)
    while True:
        start = _start(chain)
        with _still():
            report = _read(chain, start, kept, progress or _in_silence)
        if _start(chain) == start:  # else lines were let go of meanwhile
            break
    report.faults.sort(key=lambda fault: (fault.sequence, fault.kind))
    _keep(report)
    return report


def _in_silence(lines: int) -> None:
    """Nobody waits for news."""


def _read(chain: uuid.UUID, start: tuple[int, bytes], outside: Iterable[Checkpoint], progress: Progress) -> Report:
    report = Report(chain)
    signed = _signed(report, outside)  # before the head, or a checkpoint taken meanwhile were beyond it
    head = AuditHead.objects.filter(chain=chain).first()
    walk = _Walk(report, signed, start)
    for row in reading.rows(chain, head.sequence if head is not None else 0):
        walk.step(row)
        if report.lines % reading.CHUNK == 0:
            progress(reading.CHUNK)
    progress(report.lines % reading.CHUNK)
    walk.end(head)
    return report


@contextmanager
def _still() -> Iterator[None]:
    """One look at the database, where it can be had; one that holds up no writer."""
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


class _Walk:
    """One pass over a chain: what the last line was, and what the next one therefore must be."""

    def __init__(self, report: Report, signed: dict[int, set[bytes]], start: tuple[int, bytes]) -> None:
        self.report, self.signed = report, signed
        self.first, self.digest = start
        self.expected, self.last_id, self.was_faulty = self.first + 1, 0, False

    def step(self, row: Row) -> None:
        pk, sequence, form, previous, digest, *_ = row
        report, is_faulty = self.report, False
        report.lines += 1
        if sequence < self.expected:
            report.blame(Kind.INSERTED, sequence)
            return
        is_next = sequence == self.expected
        if not is_next:
            report.blame(Kind.MISSING, self.expected, sequence - 1)
        if _digest(row) != digest:
            report.blame(Kind.ALTERED, sequence)
            is_faulty = True
        elif is_next and previous != self.digest and not self.was_faulty:
            # This line is as it was written: the one before is not the one it was written after.
            report.blame(Kind.REWRITTEN, max(sequence - 1, 1))
        if pk <= self.last_id and not is_faulty:
            report.blame(Kind.MOVED, sequence)
        if form == NEWEST and not is_faulty:
            self._look_beside(row)
        if sequence in self.signed and self.signed.pop(sequence) != {digest} and not is_faulty:
            report.blame(Kind.REWRITTEN, sequence)
        self.digest, self.expected, self.was_faulty = digest, sequence + 1, is_faulty
        self.last_id = self.last_id if is_faulty else pk

    def _look_beside(self, row: Row) -> None:
        if row.names == _NOTHING and not row.salt:
            self.report.erased += 1
        elif row.names is None or names_digest(row.names, row.salt) != row.names_digest or not _is_found_by_it(row):
            self.report.blame(Kind.NAMES, row.sequence)

    def end(self, head: AuditHead | None) -> None:
        report, last = self.report, self.expected - 1
        report.sequence = last
        if head is None:
            report.blame(Kind.HEAD, last)
        elif head.sequence > last:
            report.blame(Kind.MISSING, last + 1, head.sequence)
        elif head.sequence < last:
            report.blame(Kind.INSERTED, head.sequence + 1, last)
        elif bytes(head.digest) != self.digest and not self.was_faulty and last:
            report.blame(Kind.REWRITTEN, last)
        beyond = max((sequence for sequence in self.signed if sequence > last), default=0)
        if beyond > (head.sequence if head else 0):
            report.blame(Kind.MISSING, last + 1, beyond)


def _is_found_by_it(row: Row) -> bool:
    """Whether the columns that a line is looked for by say what the names beside it say."""
    told = f'"address":{_text_of(row.address)}' if row.address else '"address":'
    return row.is_beside and (told in (row.names or "")) == bool(row.address)


def _digest(row: Row) -> bytes | None:
    if row.form == FIRST:
        return linked_first(row.previous, row.facts)
    if row.form != NEWEST:
        return None  # nothing was ever written so
    return linked(row.previous, row.sequence, row.facts)


def _start(chain: uuid.UUID) -> tuple[int, bytes]:
    """Where the chain begins: at nothing, or where retention has left it, which only a signature can say."""
    for checkpoint, is_signed in checkpoints.kept(chain, of_retention=True):
        if is_signed:
            return checkpoint.sequence, bytes(checkpoint.head)
    return 0, b""


def _signed(report: Report, outside: Iterable[Checkpoint]) -> dict[int, set[bytes]]:
    """What each line that was signed must hash to."""
    found: dict[int, set[bytes]] = {}
    for checkpoint, is_signed in checkpoints.kept(report.chain):
        if is_signed:
            found.setdefault(checkpoint.sequence, set()).add(bytes(checkpoint.head))
        else:
            report.blame(Kind.CHECKPOINT, checkpoint.sequence)
    for brought in outside:
        if brought.chain == report.chain:
            found.setdefault(brought.sequence, set()).add(brought.head)
    return found


def _keep(report: Report) -> None:
    with translation.override(None):
        fault = str(report.faults[0]) if report.faults else ""
    AuditHead.objects.filter(chain=report.chain).update(
        verified_at=now(), verified_sequence=report.sequence, verified_lines=report.lines, fault=fault
    )
