"""Workers as they run: processes of their own on one database, which are told to stop, or are shot."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.streams.receiver import Receiver, listening

pytestmark = [pytest.mark.timeout(240), pytest.mark.xdist_group("workers")]
ROOT = Path(__file__).resolve().parents[2]
LINES = 40


def environment(database: Path) -> dict[str, str]:
    told = {"DJANGO_SETTINGS_MODULE": "config.settings.test", "OUTBOUND_ALLOWED": "127.0.0.1"}
    return {**os.environ, **told, "DATABASE_URL": f"sqlite:///{database}"}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Receiver, Path]]:
    """A receiver, and a database with a log of forty lines that nobody has sent to it."""
    database = tmp_path_factory.mktemp("streamed") / "db.sqlite3"
    with listening() as server:
        told = json.dumps({"url": server.url, "lines": LINES})
        command = [sys.executable, "-m", "tests.streams.worker", told]
        subprocess.run(command, cwd=ROOT, env=environment(database), check=True)
        yield server, database


@pytest.fixture
def receiver(prepared: tuple[Receiver, Path]) -> Receiver:
    """That one, as if nothing had happened yet."""
    server, _ = prepared
    server.received, server.kept, server.answering = [], [], None
    return server


@pytest.fixture
def start(prepared: tuple[Receiver, Path], tmp_path: Path) -> Iterator[Any]:
    """`start("--once")` is a worker on a copy of that database."""
    running: list[subprocess.Popen[bytes]] = []
    database = tmp_path / "db.sqlite3"
    shutil.copy(prepared[1], database)

    def started(*arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "manage.py", "stream_audit", *arguments]
        running.append(subprocess.Popen(command, cwd=ROOT, env=environment(database), stdout=subprocess.DEVNULL))
        return running[-1]

    yield started
    for worker in running:
        worker.kill()
        worker.wait()


def test_three_at_once_send_every_line_once_and_in_order(receiver: Receiver, start: Any) -> None:
    assert {worker.wait(60) for worker in [start("--once") for _ in range(3)]} == {0}
    assert receiver.sequences == list(range(1, LINES + 1))


def test_one_that_is_told_to_stop_finishes_its_line_and_the_next_one_goes_on(receiver: Receiver, start: Any) -> None:
    def stop_in_the_middle(handler: Any) -> None:
        receiver.kept.append(receiver.received[-1])
        if len(receiver.received) == 5:
            worker.send_signal(signal.SIGTERM)
        handler.send_response(200)
        handler.end_headers()

    receiver.answering = stop_in_the_middle
    worker = start()
    assert worker.wait(60) == 0
    assert receiver.sequences == [1, 2, 3, 4, 5]
    assert start("--once").wait(60) == 0
    assert receiver.sequences == list(range(1, LINES + 1))


def test_one_that_is_shot_leaves_nothing_out(receiver: Receiver, start: Any) -> None:
    """It dies with a line on its way, and its lease goes on: until that is over, nobody sends the line again."""

    def shoot(handler: Any) -> None:
        receiver.kept.append(receiver.received[-1])
        if len(receiver.received) == 5:
            worker.kill()
            worker.wait(60)
        handler.send_response(200)
        handler.end_headers()

    receiver.answering = shoot
    worker = start()
    assert worker.wait(60) == -signal.SIGKILL
    assert start("--once").wait(60) == 0
    assert receiver.sequences == [1, 2, 3, 4, 5], "the dead one's lease still holds"
