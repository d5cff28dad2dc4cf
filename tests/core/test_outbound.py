"""The one way out: what may not be reached is refused by its address, however it is written and when it changes."""

import ast
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.exceptions import ImproperlyConfigured

import apps
from apps.core import outbound
from apps.core.outbound import Unreachable, check, parse
from tests.streams.receiver import Receiver, listening

PUBLIC = "93.184.216.34"
# Addresses of this machine, of its network and of its cloud, in all the spellings that a resolver somewhere takes.
FORBIDDEN = [
    "https://127.0.0.1/",
    "https://127.0.0.1:8000/",
    "https://127.1/",
    "https://127.0.1/",
    "https://127.255.255.254/",
    "https://0.0.0.0/",
    "https://0/",
    "https://2130706433/",
    "https://017700000001/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0x7f.0x0.0x0.0x1/",
    "https://0177.0.0.1/",
    "https://0251.0376.0251.0376/",
    "https://2852039166/",
    "https://10.0.0.1/",
    "https://10.255.255.255/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://100.100.100.200/",
    "https://169.254.169.254/latest/meta-data/",
    "https://168.63.129.16/",
    "https://192.0.0.192/",
    "https://192.0.2.1/",
    "https://192.88.99.1/",
    "https://198.18.0.1/",
    "https://198.51.100.1/",
    "https://203.0.113.1/",
    "https://224.0.0.1/",
    "https://239.255.255.255/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://[::]/",
    "https://[::1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::127.0.0.1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b::169.254.169.254]/",
    "https://[64:ff9b:1::a00:1]/",
    "https://[100::1]/",
    "https://[2001::1]/",
    "https://[2001:db8::1]/",
    "https://[2002:7f00:1::]/",
    "https://[3fff::1]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25lo]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "syslog+tls://127.0.0.1:6514",
    "syslog+tcp://10.0.0.1:514",
    "syslog+udp://169.254.169.254:514",
]
# What is no address of ours to begin with.
MALFORMED = [
    "",
    "https://",
    "https:///path",
    "https:siem.example",
    "//siem.example/",
    "siem.example",
    "ftp://siem.example/",
    "file:///etc/passwd",
    "gopher://siem.example/",
    "javascript:alert(1)",
    "https://user@siem.example/",
    "https://user:password@siem.example/",
    "https://siem.example@127.0.0.1/",
    "https://127.0.0.1#@siem.example/",
    "https://127.0.0.1\\@siem.example/",
    "https://siem.example\\.evil.example/",
    "https://siem.example:0/",
    "https://siem.example:65536/",
    "https://siem.example:-1/",
    "https://siem.example:x/",
    "https://siem.example:/",
    "https://siem..example/",
    "https://.siem.example/",
    "https://siem.example../",
    "https://-siem.example/",
    "https://siem_%65.example/",
    "https://%31%32%37.0.0.1/",
    "https://siem.example/a b",
    "https://siem.example/\r\nHost: evil.example",
    "https://siem.example/\t",
    "https://siem.example/\x00",
    "https://①②⑦.⓪.⓪.①/",
    "https://\uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54/",
    "https://siem。example/",
    "https://[::1/",
    "https://[siem.example]/",
    "https://" + "a" * 64 + ".example/",
    "https://" + "a." * 127 + "example/",
    "https://siem.example/" + "a" * 2000,
]
# Names that lead somewhere inside on some machine or other.
INWARD = {
    "localhost": ["127.0.0.1", "::1"],
    "localhost.": ["127.0.0.1"],
    "LOCALHOST": ["127.0.0.1"],
    "localhost.localdomain": ["127.0.0.1"],
    "metadata": ["169.254.169.254"],
    "metadata.google.internal": ["169.254.169.254"],
    "instance-data.ec2.internal": ["169.254.169.254"],
    "metadata.azure.internal": ["168.63.129.16"],
    "127.0.0.1.nip.example": ["127.0.0.1"],
    "postgres": ["172.18.0.2"],
    "mixed.example": [PUBLIC, "10.0.0.7"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "nowhere.example": [],
}


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What the resolver knows in this test; each question is written down under its name with a question mark."""
    known: dict[str, Any] = {"asked": []}

    def resolve(host: str) -> list[Any]:
        known["asked"].append(host)
        literal = outbound._literal(host)
        found = [literal] if literal else known.get(host, [])
        return [ipaddress.ip_address(str(address)) for address in found]

    monkeypatch.setattr(outbound, "resolve", resolve)
    return known


@pytest.fixture
def no_connections(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A connection that is opened nevertheless fails the test."""
    opened: list[Any] = []

    class Forbidden:
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            opened.append(args)
            pytest.fail("A connection was opened.")

    monkeypatch.setattr(outbound.socket, "socket", Forbidden)
    return opened


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.OUTBOUND_ALLOWED = ["127.0.0.1"]
    with listening() as server:
        yield server


class TestWhatIsRefused:
    def test_the_lists_are_long_enough_to_mean_something(self) -> None:
        assert len(FORBIDDEN) >= 40
        assert len(MALFORMED) >= 35

    @pytest.mark.parametrize("url", FORBIDDEN)
    def test_an_address_inside(self, url: str) -> None:
        """With the real resolver: what some of them make of "127.1" is not left to it."""
        with pytest.raises(Unreachable):
            check(parse(url))

    @pytest.mark.parametrize("url", FORBIDDEN)
    def test_an_address_inside_when_it_is_connected_to(self, url: str, no_connections: list[Any]) -> None:
        with pytest.raises(Unreachable):
            outbound.post(parse(url), b"{}", {})
        with pytest.raises(Unreachable):
            outbound.write(parse(url), b"line")

    @pytest.mark.parametrize("url", MALFORMED)
    def test_what_is_no_address(self, url: str) -> None:
        with pytest.raises(Unreachable):
            parse(url)

    @pytest.mark.parametrize(("name", "leads_to"), INWARD.items())
    def test_a_name_that_leads_inside_even_if_only_sometimes(
        self, names: Any, no_connections: list[Any], name: str, leads_to: list[str]
    ) -> None:
        names[name.lower().removesuffix(".")] = leads_to
        with pytest.raises(Unreachable):
            check(parse(f"https://{name}/"))
        with pytest.raises(Unreachable):
            outbound.post(parse(f"https://{name}/"), b"{}", {})

    @pytest.mark.parametrize("scheme", ["http", "syslog+tcp", "syslog+udp"])
    def test_what_is_not_encrypted(self, names: Any, scheme: str) -> None:
        names["siem.example"] = [PUBLIC]
        with pytest.raises(Unreachable):
            check(parse(f"{scheme}://siem.example/"))

    def test_always_in_the_same_words(self, names: Any) -> None:
        """SS-06: nobody learns whether a name exists, what it means, or what is open there."""
        names["inside.example"] = ["10.11.12.13"]
        said = set()
        for url in ("https://inside.example/", "https://nowhere.example/", "https://10.11.12.13/", "nonsense"):
            with pytest.raises(Unreachable) as refusal:
                check(parse(url))
            said.add(str(refusal.value))
            assert refusal.value.__cause__ is None
        assert said == {"The address cannot be reached from here."}

    @pytest.mark.parametrize(
        "address", [PUBLIC, "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]
    )
    def test_what_leads_out_is_not(self, address: str) -> None:
        assert outbound.is_public(ipaddress.ip_address(address))


class TestParsing:
    def test_takes_an_address_apart_once(self) -> None:
        there = parse("HTTPS://SIEM.Example.:8443/a/b?c=d")
        assert (there.scheme, there.host, there.port, there.target) == ("https", "siem.example", 8443, "/a/b?c=d")
        assert (there.origin, there.netloc) == ("https://siem.example:8443", "siem.example:8443")

    @pytest.mark.parametrize(
        ("url", "origin", "port"),
        [
            ("https://siem.example:443/x", "https://siem.example", 443),
            ("https://[2606:4700::1111]/", "https://[2606:4700::1111]", 443),
            ("https://[2606:4700:0:0::1111]:444/", "https://[2606:4700::1111]:444", 444),
            ("syslog+tls://siem.example", "syslog+tls://siem.example", 6514),
            ("syslog+udp://siem.example:515", "syslog+udp://siem.example:515", 515),
        ],
    )
    def test_knows_one_spelling_of_an_origin(self, url: str, origin: str, port: int) -> None:
        assert (parse(url).origin, parse(url).port) == (origin, port)

    def test_prints_no_path(self) -> None:
        there = parse("https://siem.example/services/T000/secret?key=canary")
        assert "canary" not in f"{there} {there!r}"
        assert "secret" not in f"{there} {there!r}"


class TestWhatTheOperatorPermits:
    @pytest.mark.parametrize(
        "entry", ["collector", "COLLECTOR.", "10.1.0.0/16", "10.1.2.3", "10.1.2.3/8", " 10.1.2.3 "]
    )
    def test_is_reached_without_encryption_and_inside(self, names: Any, settings: Any, entry: str) -> None:
        names["collector"] = ["10.1.2.3"]
        settings.OUTBOUND_ALLOWED = [entry]
        for scheme in outbound.PORTS:
            assert [str(address) for address in check(parse(f"{scheme}://collector/"))] == ["10.1.2.3"]

    def test_is_no_more_than_that(self, names: Any, settings: Any) -> None:
        names.update({"collector": ["10.1.2.3"], "other": ["10.2.0.1"], "both": ["10.1.2.3", "10.2.0.1"]})
        settings.OUTBOUND_ALLOWED = ["10.1.0.0/16", "fd00::/64"]
        for name in ("other", "both", "127.0.0.1"):
            with pytest.raises(Unreachable):
                check(parse(f"https://{name}/"))

    def test_is_refused_at_the_start_when_it_makes_no_sense(self, settings: Any) -> None:
        settings.OUTBOUND_ALLOWED = ["10.0.0.0/33"]
        with pytest.raises(ImproperlyConfigured, match="OUTBOUND_ALLOWED"):
            outbound.permitted()


class TestTheExchange:
    def test_sends_to_the_host_that_was_asked_for(self, receiver: Receiver) -> None:
        assert outbound.post(parse(receiver.url), b'{"a": 1}', {"X-One": "two"}) == 200
        (one,) = receiver.received
        assert (one.path, one.body) == ("/events?token=of-the-receiver", b'{"a": 1}')
        assert one.headers["host"] == f"127.0.0.1:{receiver.port}"
        assert (one.headers["x-one"], one.headers["connection"]) == ("two", "close")

    def test_is_pinned_to_what_was_checked(self, receiver: Receiver, names: Any, settings: Any) -> None:
        """SS-02: the name is asked for once; what it means a moment later is not looked at."""
        settings.OUTBOUND_ALLOWED = ["127.0.0.1"]
        names["siem.example"] = ["127.0.0.1"]
        assert outbound.post(parse(f"http://siem.example:{receiver.port}/"), b"", {}) == 200
        assert names["asked"] == ["siem.example"]
        assert receiver.received[0].headers["host"] == f"siem.example:{receiver.port}"

    def test_a_name_that_turns_inward_between_two_looks_is_not_followed(
        self, names: Any, no_connections: list[Any]
    ) -> None:
        """Public when it was saved, private when it is used: it is judged anew, and the judged address is the one."""
        names["siem.example"] = [PUBLIC]
        there = parse("https://siem.example/")
        check(there)
        names["siem.example"] = ["127.0.0.1"]
        with pytest.raises(Unreachable):
            outbound.post(there, b"", {})

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_follows_no_redirect(self, receiver: Receiver, status: int) -> None:
        """SS-03."""

        def redirect(handler: Any) -> None:
            handler.send_response(status)
            handler.send_header("Location", f"http://127.0.0.1:{receiver.port}/inside")
            handler.end_headers()

        receiver.answering = redirect
        assert outbound.post(parse(receiver.url), b"", {"webhook-signature": "v1,secret"}) == status
        assert [one.path for one in receiver.received] == ["/events?token=of-the-receiver"]

    def test_asks_no_proxy(self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9/")
        assert outbound.post(parse(receiver.url), b"", {}) == 200

    def test_takes_no_more_of_an_answer_than_its_status(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """SS-07: ten megabytes of body are left where they are."""
        taken = _count_bytes(monkeypatch)

        def flood(handler: Any) -> None:
            handler.send_response(200)
            handler.send_header("Content-Encoding", "gzip")
            handler.end_headers()
            for _ in range(160):
                handler.wfile.write(b"x" * 65_536)

        receiver.answering = flood
        assert outbound.post(parse(receiver.url), b"", {}) == 200
        assert sum(taken) <= outbound.LONGEST_ANSWER

    def test_stops_at_an_answer_that_does_not_come_to_its_point(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        taken = _count_bytes(monkeypatch)

        def babble(handler: Any) -> None:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for number in range(64):
                handler.wfile.write(f"X-{number}: {'x' * 16_000}\r\n".encode())

        receiver.answering = babble
        outbound.post(parse(receiver.url), b"", {})
        assert sum(taken) <= outbound.LONGEST_ANSWER

    @pytest.mark.parametrize(
        "said", [b"", b"\r\n\r\n", b"nonsense\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 99 x\r\n"]
    )
    def test_an_answer_that_is_none_is_none(self, receiver: Receiver, said: bytes) -> None:
        receiver.answering = lambda handler: handler.wfile.write(said)
        with pytest.raises(Unreachable):
            outbound.post(parse(receiver.url), b"", {})

    def test_who_does_not_answer_in_time_is_left(self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
        is_over = threading.Event()
        receiver.answering = lambda handler: is_over.wait(30)
        monkeypatch.setattr(outbound, "STEP", 0.05)
        with pytest.raises(Unreachable):
            outbound.post(parse(receiver.url), b"", {})
        is_over.set()

    def test_who_answers_a_little_at_a_time_does_not_hold_anybody_up(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each piece comes in time; all of them together do not."""
        is_over = threading.Event()

        def dribble(handler: Any) -> None:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
            while not is_over.wait(0.02):
                handler.wfile.write(b"x")

        receiver.answering = dribble
        monkeypatch.setattr(outbound, "WHOLE", 0.3)
        with pytest.raises(Unreachable):
            outbound.post(parse(receiver.url), b"", {})
        is_over.set()

    def test_no_step_may_take_longer_than_all_of_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(outbound, "WHOLE", 1.0)
        assert outbound._Deadline().left() <= 1
        monkeypatch.setattr(outbound, "WHOLE", 0.0)
        with pytest.raises(TimeoutError):
            outbound._Deadline().left()

    def test_nobody_there_is_unreachable_too(self, settings: Any) -> None:
        settings.OUTBOUND_ALLOWED = ["127.0.0.1"]
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            with pytest.raises(Unreachable):
                outbound.post(parse(f"http://127.0.0.1:{taken.getsockname()[1]}/"), b"", {})

    def test_a_header_cannot_be_two(self, receiver: Receiver) -> None:
        with pytest.raises(Unreachable):
            outbound.post(parse(receiver.url), b"", {"X-One": "two\r\nX-Three: four"})
        assert receiver.received == []


class TestEncryption:
    def test_is_to_the_name_and_not_to_the_address(
        self, names: Any, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.OUTBOUND_ALLOWED = ["127.0.0.1"]
        names.update({"siem.example": ["127.0.0.1"], "other.example": ["127.0.0.1"]})
        certificate = _certificate(tmp_path, "siem.example")
        trusting = ssl.create_default_context(cafile=str(certificate))
        monkeypatch.setattr(outbound, "tls", lambda: trusting)
        for name, is_heard in (("siem.example", True), ("other.example", False)):
            with _encrypted(certificate) as (port, heard):
                there = parse(f"syslog+tls://{name}:{port}")
                if is_heard:
                    outbound.write(there, b"5 hello")
                else:
                    with pytest.raises(Unreachable):
                        outbound.write(there, b"5 hello")
            assert heard == ([("siem.example", b"5 hello")] if is_heard else [])

    def test_trusts_nobody_who_vouches_for_themselves(self, names: Any, settings: Any, tmp_path: Path) -> None:
        settings.OUTBOUND_ALLOWED = ["127.0.0.1"]
        names["siem.example"] = ["127.0.0.1"]
        with _encrypted(_certificate(tmp_path, "siem.example")) as (port, heard), pytest.raises(Unreachable):
            outbound.post(parse(f"https://siem.example:{port}/"), b"secret", {})
        assert heard == []


class TestWriting:
    def test_is_read_to_its_end(self, settings: Any) -> None:
        settings.OUTBOUND_ALLOWED = ["127.0.0.1"]
        with socket.create_server(("127.0.0.1", 0)) as server:
            heard: list[bytes] = []
            reading = threading.Thread(target=lambda: heard.append(_all_of(server.accept()[0])))
            reading.start()
            outbound.write(parse(f"syslog+tcp://127.0.0.1:{server.getsockname()[1]}"), b"5 hello")
            reading.join()
        assert heard == [b"5 hello"]

    def test_fits_into_one_datagram(self, settings: Any) -> None:
        settings.OUTBOUND_ALLOWED = ["127.0.0.1"]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind(("127.0.0.1", 0))
            there = parse(f"syslog+udp://127.0.0.1:{server.getsockname()[1]}")
            outbound.write(there, b"hello")
            assert server.recv(100) == b"hello"
            with pytest.raises(Unreachable):
                outbound.write(there, b"x" * 100_000)


class TestTheResolver:
    def test_is_not_waited_for_for_ever(self, monkeypatch: pytest.MonkeyPatch) -> None:
        is_over = threading.Event()
        monkeypatch.setattr(outbound.socket, "getaddrinfo", lambda *args, **kwargs: is_over.wait(30) and [])
        monkeypatch.setattr(outbound, "STEP", 0.05)
        assert outbound.resolve("siem.example") == []
        is_over.set()

    def test_knows_this_machine_by_name(self) -> None:
        assert {address.is_loopback for address in outbound.resolve("localhost")} == {True}


WAYS_OUT = {"socket", "ssl", "http.client", "urllib.request", "urllib3", "requests", "httpx", "aiohttp", "ftplib"}


def test_there_is_no_other_way_out() -> None:
    """Letters leave through Django's own backend, and the database and Redis are the installation's."""
    root = Path(apps.__file__).parent
    found = set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [f"{node.module}.{each.name}" for each in node.names] if isinstance(node, ast.ImportFrom) else []
            if WAYS_OUT & set(names):
                found.add(str(path.relative_to(root)))
    assert found == {"core/outbound.py"}


def _count_bytes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    taken: list[int] = []
    plain = outbound._Line.recv_into

    def recv_into(self: Any, buffer: memoryview) -> int:
        taken.append(plain(self, buffer))
        return taken[-1]

    monkeypatch.setattr(outbound._Line, "recv_into", recv_into)
    return taken


def _all_of(connection: socket.socket) -> bytes:
    with connection:
        return b"".join(iter(lambda: connection.recv(4096), b""))


def _certificate(folder: Path, name: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    who, at = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]), datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(plain + built.public_bytes(Encoding.PEM))
    return path


class _encrypted:  # noqa: N801 (used as a function)
    """A server behind a certificate: the name it was asked for, and what it was told."""

    def __init__(self, certificate: Path) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        self.context.sni_callback = self._note
        self.server = socket.create_server(("127.0.0.1", 0))
        self.name, self.heard = "", []
        self.thread = threading.Thread(target=self._serve)

    def _note(self, connection: Any, name: str, context: Any) -> None:
        self.name = name

    def _serve(self) -> None:
        connection, _ = self.server.accept()
        try:
            with self.context.wrap_socket(connection, server_side=True) as line:
                self.heard.append((self.name, _all_of(line)))
        except OSError:
            connection.close()

    def __enter__(self) -> tuple[int, list[Any]]:
        self.thread.start()
        return self.server.getsockname()[1], self.heard

    def __exit__(self, *args: object) -> None:
        self.thread.join()
        self.server.close()
