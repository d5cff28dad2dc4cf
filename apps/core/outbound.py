"""The one way out: connections to addresses that people typed, opened only to what has been checked.

A name is resolved once, all its addresses are checked, and the connection is opened to one of those: what the name
means a moment later changes nothing. No redirect is followed and no proxy asked. Nothing else here opens connections.
"""

import http.client
import io
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from queue import Empty, SimpleQueue
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PORTS: Final = {"https": 443, "http": 80, "syslog+tls": 6514, "syslog+tcp": 514, "syslog+udp": 514}
_ENCRYPTED: Final = frozenset({"https", "syslog+tls"})
STEP, WHOLE = 5.0, 10.0  # seconds: for the name, the connection and each read; and for all of it
LONGEST_URL, LONGEST_ANSWER = 2000, 64 * 1024
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
# What the resolver of many systems takes for an address, as "0x7f.1" and "2130706433".
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
# Written out, because what `ipaddress` calls global differs between the releases of Python.
_CLOSED: Final = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # one cloud's own services, at an address that looks public
    )
)
_OPEN_6: Final = ipaddress.IPv6Network("2000::/3")
_CLOSED_6: Final = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
_TRANSLATED: Final = ipaddress.IPv6Network("64:ff9b::/96")  # stands for the IPv4 address in its last bits


class Unreachable(Exception):
    """One answer for all that can be wrong with an address, so that it tells nobody what is behind it."""

    def __init__(self) -> None:
        super().__init__("The address cannot be reached from here.")


@dataclass(frozen=True)
class Destination:
    """An address, taken apart once. Its path may hold secrets of the receiver, so nothing prints it."""

    scheme: str
    host: str
    port: int
    target: str = field(default="/", repr=False)

    @property
    def netloc(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.netloc}"

    def __str__(self) -> str:
        return self.origin


def parse(url: str) -> Destination:
    """Raises Unreachable for whatever is not plainly an address of one of the known schemes."""
    if not url.isascii() or not url.isprintable() or len(url) > LONGEST_URL or set(url) & set(" \\#<>\"'`{}|^"):
        raise Unreachable
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Unreachable from None
    if parts.scheme not in PORTS or "@" in parts.netloc or port == 0 or parts.netloc.endswith(":"):
        raise Unreachable
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Destination(parts.scheme, _host(parts.hostname or ""), port or PORTS[parts.scheme], target)


def check(destination: Destination) -> list[Address]:
    """The addresses that may be connected to: all that the name has. Raises Unreachable if one of them may not."""
    found = resolve(destination.host)
    if not found or not all(_may_be_reached(destination, address) for address in found):
        raise Unreachable
    return found


def post(destination: Destination, body: bytes, headers: Mapping[str, str]) -> int:
    """Sends and returns the status of the answer, of which nothing else is taken. Raises Unreachable."""
    own = {
        "Host": destination.netloc,
        "User-Agent": "Gatehouse",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    with _opened(destination) as line:
        exchange = http.client.HTTPConnection(destination.host, destination.port)
        exchange.auto_open = 0  # it would open one of its own, to wherever the name leads by then
        exchange.sock = line  # which is all that it uses of a socket
        exchange.request("POST", destination.target, body=body, headers={**own, **headers})
        return exchange.getresponse().status


def write(destination: Destination, message: bytes) -> None:
    """Sends without an answer: as one datagram, or as one connection that is read to its end. Raises Unreachable."""
    if destination.scheme != "syslog+udp":
        with _opened(destination) as line:
            line.sendall(message)
            line.finish()
        return
    with _one_answer_for_all():
        address = check(destination)[0]
        with socket.socket(_family(address), socket.SOCK_DGRAM) as line:
            line.settimeout(STEP)
            line.sendto(message, (str(address), destination.port))


def resolve(host: str) -> list[Address]:
    """Every address of a host. The system's own resolver knows no limit of time, so it is asked beside."""
    if (literal := _literal(host)) is not None:
        return [literal]
    answer: SimpleQueue[list[Address]] = SimpleQueue()
    threading.Thread(target=lambda: answer.put(_look_up(host)), daemon=True).start()
    try:
        return answer.get(timeout=STEP)
    except Empty:
        return []


def is_public(address: Address) -> bool:
    """Whether it leads out into the internet, in whatever way it is written."""
    address = _inner(address)
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _CLOSED)
    return address in _OPEN_6 and not any(address in network for network in _CLOSED_6)


@lru_cache(maxsize=1)
def tls() -> ssl.SSLContext:
    """What the system trusts; SSL_CERT_FILE names the authorities of one's own."""
    return ssl.create_default_context()


# What the operator permits.


@dataclass(frozen=True)
class _Permitted:
    """The setting OUTBOUND_ALLOWED: what may be reached although it is private, and without encryption."""

    hosts: frozenset[str]
    networks: tuple[Network, ...]


def permitted() -> _Permitted:
    """Raises ImproperlyConfigured for what is neither a host, an address nor a network."""
    return _read(tuple(settings.OUTBOUND_ALLOWED))


@lru_cache(maxsize=8)
def _read(entries: tuple[str, ...]) -> _Permitted:
    hosts, networks = set(), []
    for entry in (entry.strip().lower() for entry in entries):
        try:
            networks.append(ipaddress.ip_network(entry.strip("[]"), strict=False))
        except ValueError:
            try:
                hosts.add(_host(entry))
            except Unreachable:
                message = f"OUTBOUND_ALLOWED has {entry!r}, which is neither a host name, an address nor a network."
                raise ImproperlyConfigured(message) from None
    return _Permitted(frozenset(hosts), tuple(networks))


def _may_be_reached(destination: Destination, address: Address) -> bool:
    allowed, inner = permitted(), _inner(address)
    if destination.host in allowed.hosts or any(inner in network for network in allowed.networks):
        return True
    return destination.scheme in _ENCRYPTED and is_public(address)


# Names and addresses.


def _host(written: str) -> str:
    """A host as it is compared: a literal address in its one spelling, or a name without the dot at its end."""
    literal = _literal(written)
    if literal is not None:
        return str(literal)
    name = written.lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(map(_LABEL.fullmatch, labels)) or _NUMBER.fullmatch(labels[-1]):
        raise Unreachable
    return name


def _literal(host: str) -> Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return None if getattr(address, "scope_id", None) else address


def _look_up(host: str) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        return [ipaddress.ip_address(address) for address in dict.fromkeys(str(each[4][0]) for each in found)]
    except (OSError, ValueError):
        return []


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, if it stands for one."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _TRANSLATED:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _family(address: Address) -> socket.AddressFamily:
    return socket.AF_INET if address.version == 4 else socket.AF_INET6


# The connection.


class _Deadline:
    """The time that all of it may take."""

    def __init__(self) -> None:
        self._end = time.monotonic() + WHOLE

    def left(self) -> float:
        """How long the next step may take. Raises TimeoutError when nothing is left."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(left, STEP)


class _Line:
    """An open connection that ends when its time is over: as much of a socket as is needed here."""

    def __init__(self, connection: socket.socket, deadline: _Deadline) -> None:
        self.connection, self._deadline = connection, deadline

    def sendall(self, message: bytes) -> None:
        self.connection.settimeout(self._deadline.left())
        self.connection.sendall(message)

    def recv_into(self, buffer: memoryview) -> int:
        self.connection.settimeout(self._deadline.left())
        return self.connection.recv_into(buffer)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Answer(self))

    def finish(self) -> None:
        """Says that this was all, and waits until the other side has read it: then it closes, too."""
        self.connection.settimeout(self._deadline.left())
        if isinstance(self.connection, ssl.SSLSocket):
            with suppress(OSError):  # many close without saying so
                self.connection.unwrap()
            return
        self.connection.shutdown(socket.SHUT_WR)
        answer, rest = _Answer(self), bytearray(1024)
        with suppress(TimeoutError):  # some never close; it was sent nevertheless
            while answer.readinto(rest):
                pass

    def close(self) -> None:
        self.connection.close()


class _Answer(io.RawIOBase):
    """What the other side sends, and not a byte more than anybody may send."""

    def __init__(self, line: _Line) -> None:
        super().__init__()
        self._line, self._left = line, LONGEST_ANSWER

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        wanted = memoryview(buffer)[: self._left]
        number = self._line.recv_into(wanted) if wanted else 0
        self._left -= number
        return number


@contextmanager
def _opened(destination: Destination) -> Iterator[_Line]:
    with _one_answer_for_all():
        deadline = _Deadline()
        line = _Line(_connected(destination, check(destination), deadline), deadline)
        try:
            yield line
        finally:
            line.close()


def _connected(destination: Destination, addresses: list[Address], deadline: _Deadline) -> socket.socket:
    """To the first of the addresses that answers, as the host that was asked for."""
    for address in addresses:
        connection = socket.socket(_family(address), socket.SOCK_STREAM)
        try:
            connection.settimeout(deadline.left())
            connection.connect((str(address), destination.port))
            if destination.scheme in _ENCRYPTED:
                return tls().wrap_socket(connection, server_hostname=destination.host)
            return connection
        except OSError:
            connection.close()
    raise Unreachable


@contextmanager
def _one_answer_for_all() -> Iterator[None]:
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError):
        raise Unreachable from None
