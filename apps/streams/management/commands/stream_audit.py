"""A worker of its own for audit streams, where they should not wait for `tick` or share the queue with letters."""

import math
import signal
import threading
from types import FrameType
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections

from apps.streams import delivery

REST: Final = 1.0  # seconds, when there is nothing to send


class Command(BaseCommand):
    help = "Send new lines of the audit log to the streams, until it is told to stop; it finishes the line in hand."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="Send what is due, then stop.")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        stopped = threading.Event()
        before = _on_signals(stopped)
        try:
            while not stopped.is_set():
                done = delivery.run(stop=stopped.is_set, seconds=math.inf if once else delivery.IN_ALL)
                if done.delivered or done.given_up or once:
                    self.stdout.write(f"Lines: {done}.")
                if not done.delivered:
                    if once:
                        return
                    close_old_connections()
                    stopped.wait(REST)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _on_signals(stopped: threading.Event) -> dict[int, Any]:
    """Takes note of being told to stop; returns what the signals did before."""

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()

    return {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
