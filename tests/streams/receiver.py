"""A receiver of streams on this machine: a real server that keeps what it is sent and answers as it is told."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)


@dataclass
class Receiver:
    """What came, and how it is answered: `status` for all, unless `answering` says otherwise."""

    port: int = 0
    status: int = 200
    answering: Callable[[BaseHTTPRequestHandler], None] | None = None
    received: list[Received] = field(default_factory=list)
    kept: list[Received] = field(default_factory=list)  # those that were answered with 2xx

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/events?token=of-the-receiver"

    @property
    def sequences(self) -> list[int]:
        return [one.event["sequence"] for one in self.kept]

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        one = Received(handler.path, {name.lower(): value for name, value in handler.headers.items()}, body)
        self.received.append(one)
        if self.answering is not None:
            self.answering(handler)
            return
        if self.status < 300:
            self.kept.append(one)
        handler.send_response(self.status)
        handler.end_headers()


@contextmanager
def listening() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.take(self)

        def log_message(self, *args: Any) -> None:
            """A test says itself what went wrong."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *args: Any) -> None:
            """Who is hung up on in the middle is no error of the receiver's."""

    server = Server(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
