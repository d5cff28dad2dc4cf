"""What can happen to a stream: who may, what is checked, what is written down, and where its secret is not."""

import logging
import pickle
import socket
import traceback
from typing import Any

import pytest
from django.core.serializers import serialize
from django.db import IntegrityError, connection, transaction

from apps.access.actions import Action
from apps.access.actors import Actor, SystemActor, UserActor
from apps.audit.models import AuditEvent, AuditHead
from apps.core import outbound
from apps.core.errors import Closed, Conflict, Forbidden, Invalid, Missing, Stale, TooMany
from apps.core.models import new_id
from apps.core.sealing import Unreadable
from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from apps.streams import delivery, operations, signing
from apps.streams.models import Stream, Undelivered
from apps.streams.sending import Outcome
from tests.core.test_outbound import FORBIDDEN, MALFORMED
from tests.streams.conftest import fresh, made
from tests.streams.receiver import Receiver
from tests.world import Company, World, system


def last(acme: Company) -> AuditEvent:
    return AuditEvent.objects.filter(chain=acme.organization.pk).select_related("side").latest("sequence")


def is_streamed(acme: Company) -> bool:
    return AuditHead.objects.get(chain=acme.organization.pk).is_streamed


def owner(acme: Company) -> UserActor:
    return UserActor(acme.owner)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """What the resolver knows, besides addresses."""
    known: dict[str, list[Any]] = {}
    plain = outbound.resolve
    monkeypatch.setattr(outbound, "resolve", lambda host: known.get(host, plain(host) if _is_literal(host) else []))
    return known


def _is_literal(host: str) -> bool:
    return outbound._literal(host) is not None


class TestWhereTo:
    @pytest.mark.parametrize("url", [*FORBIDDEN, *MALFORMED])
    def test_nothing_is_saved_that_could_not_be_sent_to(self, acme: Company, settings: Any, url: str) -> None:
        """SS-01, SS-05."""
        settings.OUTBOUND_ALLOWED = []
        with pytest.raises(Invalid) as refusal:
            operations.create(acme.organization, name="SIEM", url=url, by=owner(acme))
        assert refusal.value.errors == {
            "url": "Nothing can be sent to this address from here. See what is said below about addresses."
        }
        assert not Stream.objects.exists()

    @pytest.mark.parametrize("url", ["https://10.0.0.1/", "https://nowhere.example/", "http://127.0.0.1:1/", "x"])
    def test_save_test_and_delivery_refuse_alike(
        self, acme: Company, receiver: Receiver, stream: Stream, settings: Any, names: Any, url: str
    ) -> None:
        settings.OUTBOUND_ALLOWED = []
        with pytest.raises(Invalid):
            operations.update(stream, name="SIEM", url=url, by=owner(acme))
        Stream.objects.filter(pk=stream.pk).update(url=url if url != "x" else "https://[::1]/")
        _sealed_for_where_it_leads(stream)
        assert operations.test(fresh(stream), by=owner(acme)) == Outcome("unreachable")
        delivery.run()
        assert (fresh(stream).last_error, receiver.received) == ("unreachable", [])

    def test_a_name_that_turned_inward_since_it_was_saved_is_not_followed(
        self, acme: Company, names: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """SS-02."""
        names["siem.example"] = [outbound._literal("93.184.216.34")]
        stream = operations.create(acme.organization, name="SIEM", url="https://siem.example/x", by=owner(acme)).stream
        names["siem.example"] = [outbound._literal("93.184.216.34"), outbound._literal("169.254.169.254")]
        monkeypatch.setattr(outbound.socket, "socket", lambda *args: pytest.fail("It was connected to."))
        assert operations.test(stream, by=owner(acme)) == Outcome("unreachable")
        assert delivery.run().failed == 1

    @pytest.mark.parametrize("url", ["syslog+tcp://127.0.0.1:514/path", "syslog+udp://127.0.0.1?x=y"])
    def test_syslog_has_no_path(self, acme: Company, url: str) -> None:
        with pytest.raises(Invalid):
            operations.create(acme.organization, name="SIEM", url=url, by=owner(acme))

    def test_a_webhook_does_not_become_syslog(self, acme: Company, stream: Stream) -> None:
        with pytest.raises(Invalid, match="stays what it is"):
            operations.update(stream, name="SIEM", url="syslog+tcp://127.0.0.1:514", by=owner(acme))


class TestTheSecret:
    def test_is_another_one_for_another_host(self, acme: Company, receiver: Receiver) -> None:
        """SS-04: nobody has the one of the old receiver used at a new one."""
        stream, secret = made(acme, receiver)
        changed, another = operations.update(stream, name="SIEM", url="http://127.0.0.1:9/x", by=owner(acme))
        assert secret is not None
        assert another is not None
        assert another.clear != secret.clear
        assert signing.unseal(changed) == another

    def test_stays_when_only_the_path_changes(self, acme: Company, receiver: Receiver) -> None:
        stream, secret = made(acme, receiver)
        changed, another = operations.update(stream, name="SIEM", url=f"{receiver.url}&more=1", by=owner(acme))
        assert another is None
        assert signing.unseal(changed) == secret

    def test_opens_in_no_other_row_and_for_no_other_destination(self, acme: Company, receiver: Receiver) -> None:
        stream, _ = made(acme, receiver)
        other = made(acme, receiver).stream
        for moved in (
            Stream(pk=other.pk, url=stream.url, sealed_secret=stream.sealed_secret),
            Stream(pk=stream.pk, url="https://127.0.0.1/", sealed_secret=stream.sealed_secret),
            Stream(pk=stream.pk, url=stream.url.replace("http:", "https:"), sealed_secret=stream.sealed_secret),
        ):
            with pytest.raises(Unreadable):
                signing.unseal(moved)

    def test_can_be_rotated(self, acme: Company, receiver: Receiver) -> None:
        stream, secret = made(acme, receiver)
        rotated, another = operations.rotate_secret(stream, version=1, by=owner(acme))
        assert another is not None
        assert another != secret
        assert (signing.unseal(rotated), rotated.version) == (another, 2)
        assert last(acme).details == {"after": {"secret": "new"}}
        with pytest.raises(Stale):
            operations.rotate_secret(stream, version=1, by=owner(acme))

    def test_is_nowhere_but_in_the_one_answer(
        self, acme: Company, receiver: Receiver, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        made_now = made(acme, receiver)
        assert made_now.secret is not None
        clear = made_now.secret.clear
        receiver.status = 500
        delivery.run()
        operations.test(made_now.stream, by=owner(acme))
        written = "".join(traceback.format_exception(RuntimeError(made_now)))
        lines = str([(line.details, line.names, line.uri) for line in AuditEvent.objects.select_related("side")])
        rows = serialize("json", Stream.objects.all())
        for place in (repr(made_now), str(made_now), written, caplog.text, lines, rows):
            assert clear not in place
            assert clear.removeprefix("whsec_") not in place
        assert clear.encode() in pickle.dumps(made_now.secret), "the test looks for what is there"

    def test_neither_is_the_path_of_the_receiver(
        self, acme: Company, receiver: Receiver, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It may be all that keeps others from writing there."""
        stream, _ = made(acme, receiver)
        operations.update(stream, name="SIEM", url=f"{receiver.url}2", by=owner(acme))
        receiver.status = 500
        delivery.run()
        lines = str([(line.details, line.names) for line in AuditEvent.objects.select_related("side")])
        assert "of-the-receiver" not in lines + caplog.text


class TestWho:
    @pytest.mark.parametrize("person", ["manager", "member", "bystander", "suspended"])
    def test_needs_the_right_to_change_the_organization(
        self, acme: Company, receiver: Receiver, stream: Stream, person: str
    ) -> None:
        for act in acts(stream, receiver, UserActor(acme[person])):
            with pytest.raises((Forbidden, Missing)):
                act()
        assert not Undelivered.objects.exists()
        assert fresh(stream).version == 1
        assert receiver.received == []

    def test_needs_the_right_to_read_the_log_too(self, acme: Company, receiver: Receiver, stream: Stream) -> None:
        """What somebody may not read they do not have sent to themselves."""
        by = SystemActor(reason="half", actions=[Action.ORGANISATIONS_UPDATE])
        for act in acts(stream, receiver, by):
            with pytest.raises(Forbidden):
                act()

    def test_is_not_asked_of_names_before_it_is_asked_of_people(
        self, acme: Company, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Otherwise anybody could have names resolved from inside."""
        monkeypatch.setattr(outbound, "resolve", lambda host: pytest.fail("It was resolved."))
        with pytest.raises(Forbidden):
            operations.create(acme.organization, name="x", url="https://siem.example/", by=UserActor(acme.member))

    def test_nobody_does_anything_in_a_suspended_organization(
        self, acme: Company, receiver: Receiver, stream: Stream
    ) -> None:
        organizations.set_status(acme.organization, Organization.Status.SUSPENDED, by=system())
        for act in acts(fresh(stream), receiver, system()):
            with pytest.raises(Closed):
                act()


def acts(stream: Stream, receiver: Receiver, by: Actor) -> list[Any]:
    organization = Organization.objects.get(pk=stream.organization_id)
    return [
        lambda: operations.create(organization, name="x", url=receiver.url, by=by),
        lambda: operations.update(stream, name="x", url=receiver.url, by=by),
        lambda: operations.pause(stream, by=by),
        lambda: operations.resume(stream, by=by),
        lambda: operations.rotate_secret(stream, by=by),
        lambda: operations.test(stream, by=by),
        lambda: operations.send_again(stream, by=by),
        lambda: operations.delete(stream, by=by),
    ]


class TestWhatIsWrittenDown:
    def test_says_where_to_without_the_path(self, acme: Company, receiver: Receiver, stream: Stream) -> None:
        line = last(acme)
        assert (line.event, line.target_id, line.names["target"]) == ("stream.created", str(stream.pk), "SIEM")
        origin = f"http://127.0.0.1:{receiver.port}"
        assert line.details == {"after": {"kind": "webhook", "url": origin}}
        operations.update(stream, name="New", url="http://127.0.0.1:9/", by=owner(acme))
        assert last(acme).details == {
            "before": {"name": "SIEM", "url": origin},
            "after": {"name": "New", "url": "http://127.0.0.1:9", "secret": "new"},
        }

    def test_nothing_where_nothing_changes(self, acme: Company, receiver: Receiver, stream: Stream) -> None:
        operations.update(stream, name="SIEM", url=receiver.url, by=owner(acme))
        assert (last(acme).event, fresh(stream).version) == ("stream.created", 1)

    def test_what_is_sent_counts_as_an_edit_nowhere(self, acme: Company, stream: Stream) -> None:
        """A form that is open while lines are sent is not stale."""
        delivery.run()
        assert fresh(stream).position > stream.position
        operations.pause(stream, version=stream.version, by=owner(acme))

    def test_each_act_is_one_line(self, acme: Company, receiver: Receiver, stream: Stream, settings: Any) -> None:
        by = owner(acme)
        operations.test(stream, by=by)
        operations.pause(stream, by=by)
        operations.resume(stream, by=by)
        settings.STREAM_ATTEMPTS, receiver.status = 1, 500
        delivery.run()
        operations.send_again(stream, by=by)
        operations.delete(stream, by=by)
        lines = AuditEvent.objects.filter(target_id=str(stream.pk)).order_by("sequence")
        assert [(line.event, line.count) for line in lines] == [
            ("stream.created", 1),
            ("stream.tested", 1),
            ("stream.paused", 1),
            ("stream.resumed", 1),
            ("stream.resent", 4),
            ("stream.deleted", 1),
        ]


class TestWhoWaits:
    def test_the_chain_knows_exactly_while_there_is_somebody(self, acme: Company, receiver: Receiver) -> None:
        by = owner(acme)
        assert not is_streamed(acme)
        first, second = made(acme, receiver).stream, made(acme, receiver).stream
        for act, expected in (
            (lambda: operations.pause(first, by=by), True),
            (lambda: operations.pause(second, by=by), False),
            (lambda: operations.resume(first, by=by), True),
            (lambda: operations.delete(first, by=by), False),
            (lambda: operations.delete(second, by=by), False),
        ):
            act()
            assert is_streamed(acme) == expected

    def test_nobody_once_the_organization_is_gone(self, acme: Company, stream: Stream) -> None:
        chain = acme.organization.pk
        acme.organization.delete()
        assert not AuditHead.objects.get(chain=chain).is_streamed
        assert not Stream.objects.exists()

    def test_somebody_even_where_the_chain_has_not_begun(self, acme: Company, receiver: Receiver) -> None:
        quiet = Organization.objects.create(name="Quiet", slug="quiet-0000", created_by_kind="system")
        stream = operations.create(quiet, name="SIEM", url=receiver.url, by=system()).stream
        assert stream.position == 0
        delivery.run()
        assert [one.event["event"] for one in receiver.kept] == ["stream.created"]


class TestLimits:
    def test_ten_streams_are_the_most(self, acme: Company, receiver: Receiver) -> None:
        for _ in range(operations.MOST):
            made(acme, receiver)
        with pytest.raises(Conflict, match="10 streams"):
            made(acme, receiver)

    def test_a_form_that_is_sent_twice_makes_one(self, acme: Company, receiver: Receiver) -> None:
        once = new_id()
        made(acme, receiver, once=once)
        with pytest.raises(operations.AlreadyMade):
            made(acme, receiver, once=once)
        assert Stream.objects.count() == 1

    def test_tests_are_not_a_way_to_knock_at_doors(self, acme: Company, stream: Stream) -> None:
        for _ in range(operations.TESTS):
            operations.test(stream, by=owner(acme))
        with pytest.raises(TooMany):
            operations.test(stream, by=owner(acme))

    def test_twice_the_same_is_a_conflict(self, acme: Company, stream: Stream) -> None:
        with pytest.raises(Conflict):
            operations.resume(stream, by=owner(acme))
        operations.pause(stream, by=owner(acme))
        for act in (operations.pause, operations.send_again):
            with pytest.raises(Conflict):
                act(stream, by=owner(acme))

    def test_what_is_gone_is_missing(self, acme: Company, stream: Stream) -> None:
        gone = fresh(stream)
        operations.delete(stream, by=owner(acme))
        with pytest.raises(Missing):
            operations.pause(gone, by=owner(acme))


class TestTesting:
    def test_sends_an_event_that_never_happened(self, acme: Company, receiver: Receiver, stream: Stream) -> None:
        assert operations.test(stream, by=owner(acme)) == Outcome("", 200)
        (one,) = receiver.received
        assert one.event["event"] == "stream.test"
        assert one.event["organization_id"] == str(acme.organization.pk)
        assert one.headers["webhook-signature"].startswith("v1,")
        assert fresh(stream).position == stream.position

    @pytest.mark.parametrize("status", [204, 302, 404, 500])
    def test_says_what_came_back_and_nothing_of_it(
        self, acme: Company, receiver: Receiver, stream: Stream, status: int
    ) -> None:
        receiver.status = status
        assert operations.test(stream, by=owner(acme)) == Outcome("" if status < 300 else str(status), status)

    def test_reaches_syslog(self, acme: Company, receiver: Receiver) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind(("127.0.0.1", 0))
            stream, _ = made(acme, receiver, url=f"syslog+udp://127.0.0.1:{server.getsockname()[1]}")
            assert operations.test(stream, by=owner(acme)) == Outcome()
            assert b'"event":"stream.test"' in server.recv(10_000)


class TestTheDatabase:
    @pytest.mark.parametrize("change", [{"kind": "syslog"}, {"organization_id": "globex"}])
    def test_keeps_what_is_written_once(self, world: World, stream: Stream, change: dict[str, Any]) -> None:
        change = {name: world.globex.organization.pk if value == "globex" else value for name, value in change.items()}
        with pytest.raises(IntegrityError), transaction.atomic():
            Stream.objects.filter(pk=stream.pk).update(**change)

    def test_lets_no_webhook_be_without_a_secret(self, stream: Stream) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            Stream.objects.filter(pk=stream.pk).update(sealed_secret="")

    def test_keeps_what_was_not_delivered_with_its_organization(self, world: World, stream: Stream) -> None:
        stray = Undelivered(organization=world.globex.organization, stream=stream, sequence=1, attempts=1, error="500")
        with pytest.raises(IntegrityError), transaction.atomic():
            stray.save()
            if connection.vendor == "postgresql":
                connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")


def _sealed_for_where_it_leads(stream: Stream) -> None:
    there = Stream.objects.get(pk=stream.pk)
    Stream.objects.filter(pk=stream.pk).update(sealed_secret=signing.seal(signing.new_secret(), there))
