"""Processes and databases that are killed under load: nothing acknowledged is lost, nothing changed without its line.

`CRASHES=12` kills that often; a run of the suite does it a few times.
"""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from django.db import connection

CRASHES: Final = int(os.environ.get("CRASHES", "2"))
WRITERS: Final = 3
UNDER_LOAD: Final = (0.4, 1.2)  # seconds until the next kill


class Writer:
    """A process that writes, and what it said was done."""

    def __init__(self, env: dict[str, str], organization: str, workspace: str) -> None:
        self.workspace, self.done = workspace, list[str]()
        command = [sys.executable, "-m", "tests.races.writers", "write", organization, workspace]
        self.process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.done += [line.strip() for line in self.process.stdout if line.endswith("\n")]

    def kill(self) -> list[str]:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.reader.join()
        if self.process.stdout is not None:
            self.process.stdout.close()
        return self.done


class Cluster:
    """A PostgreSQL of the test's own, which can be killed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, _free_port()
        self.bin = Path(_tool("initdb") or "").resolve().parent
        assert self._run("initdb", "-D", folder / "data", "-A", "trust", "-U", "postgres", "--no-sync")
        self.start()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=on"
        for _ in range(10):  # until the last process of one that was killed has noticed
            if self._run("pg_ctl", "-D", self.folder / "data", "-w", "-o", options, "-l", self.folder / "log", "start"):
                return
            time.sleep(0.5)
        raise AssertionError((self.folder / "log").read_text()[-2000:])

    def kill(self) -> None:
        """Every process of it at once, as when the machine loses its power."""
        lead = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{lead}/task/{lead}/children").read_text().split()
        for pid in (lead, *map(int, children)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        # A dead process that nobody has asked about still has its number, and PostgreSQL would take it for a live one.
        (self.folder / "data" / "postmaster.pid").unlink()

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop")

    def _run(self, tool: str, *arguments: Any) -> bool:
        as_nobody = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*as_nobody, str(self.bin / tool), *map(str, arguments)]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.run(command, check=False, timeout=60, **quiet).returncode == 0


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if connection.vendor != "postgresql":
        pytest.skip("of PostgreSQL")
    if _tool("initdb") is None or not Path("/proc/self/stat").exists():
        pytest.skip("there is no PostgreSQL here to start")
    folder = Path("/tmp") / f"gatehouse-crash-{os.getpid()}"
    folder.mkdir()
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    made = Cluster(folder)
    yield made
    made.stop()
    shutil.rmtree(folder, ignore_errors=True)


def test_processes_that_are_killed_leave_nothing_half_done(tmp_path: Path) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("of SQLite; on PostgreSQL the database is killed too")
    env = _env(f"sqlite:///{tmp_path / 'crash.sqlite3'}")
    made = _ask(env, "prepare", str(WRITERS))
    done: dict[str, list[str]] = {}
    for _ in range(CRASHES):
        _written(env, made, done)
        _nothing_is_lost(_ask(env, "look", made["organization"]), done)


def test_a_database_that_is_killed_loses_nothing_it_acknowledged(cluster: Cluster) -> None:
    env = _env(cluster.url)
    made = _ask(env, "prepare", str(WRITERS))
    done: dict[str, list[str]] = {}
    for _ in range(CRASHES):
        _written(env, made, done, cluster)
        _nothing_is_lost(_ask(env, "look", made["organization"]), done)


def _written(env: dict[str, str], made: Any, done: dict[str, list[str]], cluster: Cluster | None = None) -> None:
    writers = [Writer(env, made["organization"], workspace) for workspace in made["workspaces"]]
    time.sleep(random.uniform(*UNDER_LOAD))
    if cluster is not None:
        cluster.kill()
        cluster.start()
        time.sleep(random.uniform(*UNDER_LOAD))
    for writer in writers:
        done.setdefault(writer.workspace, []).extend(writer.kill())


def _nothing_is_lost(there: dict[str, Any], done: dict[str, list[str]]) -> None:
    assert there["faults"] == []
    assert any(done.values()), "somebody wrote something"
    for workspace, acknowledged in done.items():
        told = there["told"][workspace]
        assert set(acknowledged) <= set(told), "a change that was acknowledged has no line"
        assert len(told) == len(set(told)), "a change has two lines"
        assert there["names"][workspace] == told[-1], "what is there is what the log says last"
        assert there["versions"][workspace] == 1 + len(told), "something changed without its line"


def _env(url: str) -> dict[str, str]:
    return {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings.test"}


def _ask(env: dict[str, str], *arguments: str) -> Any:
    command = [sys.executable, "-m", "tests.races.writers", *arguments]
    answer = subprocess.run(command, env=env, check=True, capture_output=True, text=True, timeout=120)
    return json.loads(answer.stdout.strip().splitlines()[-1])


def _tool(name: str) -> str | None:
    newest = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(newest[-1]) if newest else shutil.which(name)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
