"""Delivery: every line arrives, in order, whatever happens to the receiver, the worker and the time between."""

import base64
import hashlib
import hmac
import json
import socket
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django_tasks_db.models import DBTaskResult
from time_machine import Traveller

from apps.access.actors import Origin, UserActor
from apps.audit import refusals
from apps.audit.models import AuditEvent, AuditHead, AuditNames
from apps.audit.retention import declared
from apps.core import outbound
from apps.core.clock import now
from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from apps.streams import delivery, events, operations, sending, tasks
from apps.streams.delivery import FIRST, LEASE, LONGEST, Done, pause_after
from apps.streams.models import Stream, Undelivered
from apps.streams.sending import Outcome
from apps.workspaces import operations as workspaces
from tests.streams.conftest import fresh, made
from tests.streams.receiver import Receiver
from tests.world import Company, World, system

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def act(acme: Company, times: int = 1) -> None:
    """So many lines more."""
    for number in range(times):
        refusals.refused(
            f"act.{AuditEvent.objects.count()}.{number}", actor=UserActor(acme.member), place=acme.workspace
        )


def sequences(acme: Company, after: int = 0) -> list[int]:
    lines = AuditEvent.objects.filter(chain=acme.organization.pk, sequence__gt=after)
    return list(lines.order_by("sequence").values_list("sequence", flat=True))


class Killed(BaseException):
    """What ends a process at once, without any of its last words."""


class TestWhatArrives:
    def test_is_every_line_once_and_in_order(self, acme: Company, receiver: Receiver, stream: Stream) -> None:
        act(acme, 5)
        assert delivery.run() == Done(delivered=6)
        assert receiver.sequences == sequences(acme, after=stream.position)
        assert delivery.run() == Done()
        assert len(receiver.received) == 6
        assert (fresh(stream).behind, fresh(stream).last_delivered_at is not None) == (0, True)

    def test_begins_with_its_own_creation_or_with_the_first_line(self, acme: Company, receiver: Receiver) -> None:
        before = AuditHead.objects.get(chain=acme.organization.pk).sequence
        made(acme, receiver)
        delivery.run()
        assert [one.event["event"] for one in receiver.kept] == ["stream.created"]
        receiver.kept.clear()
        made(acme, receiver, from_start=True)
        delivery.run()
        all_of_them = [*range(1, before + 3)]
        assert [number for number in receiver.sequences if number <= before] == all_of_them[:before]
        assert receiver.sequences[-1] == before + 2

    def test_says_all_that_the_line_says(self, acme: Company, receiver: Receiver, stream: Stream) -> None:
        origin = Origin("page", "r-1", "10.0.0.1", "Firefox", "POST", "/o/acme/settings/")
        organizations.update(acme.organization, name="Acme 2", by=UserActor(acme.owner, origin))
        delivery.run()
        line = AuditEvent.objects.select_related("side").latest("id")
        event = receiver.kept[-1].event
        assert event == {
            "id": f"{line.chain}-{line.sequence}",
            "sequence": line.sequence,
            "organization_id": str(acme.organization.pk),
            "at": line.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "event": "organization.updated",
            "result": "done",
            "code": 200,
            "count": 1,
            "actor": {
                "kind": "person",
                "id": str(acme.owner.pk),
                "role": "organization:owner",
                "name": acme.owner.email,
            },
            "target": {"type": "organizations.organization", "id": str(acme.organization.pk), "name": "Acme 2"},
            "workspace_id": None,
            "door": "page",
            "method": "POST",
            "uri": "/o/acme/settings/",
            "request_id": "r-1",
            "address": "10.0.0.1",
            "agent": "Firefox",
            "details": {"before": {"name": "Acme"}, "after": {"name": "Acme 2"}},
            "digest": bytes(line.digest).hex(),
            "previous": bytes(line.previous).hex(),
        }

    def test_leaves_out_what_has_been_erased(self, acme: Company, receiver: Receiver, stream: Stream) -> None:
        act(acme)
        with declared():
            AuditNames.objects.filter(chain=acme.organization.pk).update(names={}, salt=b"")
        delivery.run()
        assert {one.event["actor"]["name"] for one in receiver.kept} == {None}
        assert acme.member.email not in str([one.body for one in receiver.kept])

    def test_links_one_line_to_the_next(self, acme: Company, receiver: Receiver) -> None:
        """What was sent proves by itself that nothing between was left out."""
        made(acme, receiver, from_start=True)
        delivery.run()
        digests = [one.event["digest"] for one in receiver.kept]
        assert [one.event["previous"] for one in receiver.kept] == ["", *digests[:-1]]

    def test_is_of_one_organization_alone(self, world: World, receiver: Receiver, stream: Stream) -> None:
        act(world.globex, 3)
        act(world.acme)
        delivery.run()
        assert {one.event["organization_id"] for one in receiver.kept} == {str(world.acme.organization.pk)}

    def test_is_signed_so_that_anybody_can_verify_it(self, acme: Company, receiver: Receiver, clock: Traveller) -> None:
        """With nothing of ours: what Standard Webhooks says, written down once more."""
        _, secret = made(acme, receiver)
        delivery.run()
        (one,) = receiver.kept
        key = base64.b64decode(secret.clear.removeprefix("whsec_"))
        signed = f"{one.headers['webhook-id']}.{one.headers['webhook-timestamp']}.".encode() + one.body
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert one.headers["webhook-signature"] == f"v1,{expected}"
        assert one.headers["webhook-timestamp"] == str(int(now().timestamp()))
        assert one.headers["content-type"] == "application/json"
        assert len(key) == 32


class TestTheReceiverFails:
    def test_nothing_is_lost_and_nothing_comes_twice(
        self, acme: Company, receiver: Receiver, stream: Stream, clock: Traveller
    ) -> None:
        """500s, then no answer at all, then well again."""
        act(acme, 2)
        receiver.status = 503
        assert delivery.run() == Done(failed=1)
        act(acme, 2)
        clock.shift(HOUR)
        receiver.answering = lambda handler: handler.connection.shutdown(socket.SHUT_RDWR)
        assert delivery.run() == Done(failed=1)
        assert fresh(stream).last_error == "unreachable"
        receiver.answering, receiver.status = None, 200
        assert delivery.run() == Done(), "it is not time yet"
        clock.shift(HOUR)
        assert delivery.run() == Done(delivered=5)
        assert receiver.sequences == sequences(acme, after=stream.position)
        assert (fresh(stream).attempts, fresh(stream).last_error) == (0, "")

    def test_it_is_waited_for_longer_each_time_and_never_longer_than_an_hour(
        self, acme: Company, receiver: Receiver, stream: Stream, clock: Traveller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(delivery.random, "uniform", lambda least, most: most)
        receiver.status = 500
        waited = []
        for _ in range(11):
            delivery.run()
            due = fresh(stream).next_try_at
            waited.append(due - now())
            clock.move_to(due - SECOND)
            assert delivery.run() == Done()
            clock.move_to(due)
        assert waited == [min(FIRST * 2**number, LONGEST) for number in range(11)]
        assert (waited[0], waited[-1]) == (timedelta(seconds=5), HOUR)

    def test_not_all_come_back_at_the_same_instant(self) -> None:
        waits = {pause_after(5) for _ in range(50)}
        assert len(waits) > 1
        assert FIRST * 8 <= min(waits) <= max(waits) <= FIRST * 16

    @pytest.mark.parametrize("status", [301, 302, 400, 401, 404, 429, 500, 503])
    def test_only_2xx_is_an_arrival(self, acme: Company, receiver: Receiver, stream: Stream, status: int) -> None:
        receiver.status = status
        assert delivery.run() == Done(failed=1)
        assert (fresh(stream).position, fresh(stream).last_error) == (stream.position, str(status))

    def test_a_line_that_is_refused_for_ever_is_given_up_and_the_rest_goes_on(
        self, acme: Company, receiver: Receiver, stream: Stream, clock: Traveller, settings: Any
    ) -> None:
        settings.STREAM_ATTEMPTS = 3
        act(acme, 2)
        poisoned = stream.position + 2

        def picky(handler: Any) -> None:
            one = receiver.received[-1]
            is_poisoned = one.event["sequence"] == poisoned
            if not is_poisoned:
                receiver.kept.append(one)
            handler.send_response(422 if is_poisoned else 204)
            handler.end_headers()

        receiver.answering = picky
        done = [delivery.run()]
        for _ in range(3):
            clock.shift(HOUR)
            done.append(delivery.run())
        assert done == [Done(1, failed=1), Done(failed=1), Done(1, given_up=1), Done()]
        assert receiver.sequences == [poisoned - 1, poisoned + 1]
        left = Undelivered.objects.get(stream=stream)
        assert (left.sequence, left.attempts, left.error) == (poisoned, 3, "422")
        assert fresh(stream).left == 1

    def test_what_was_given_up_is_sent_again_when_somebody_asks(
        self, acme: Company, receiver: Receiver, stream: Stream, clock: Traveller, settings: Any
    ) -> None:
        settings.STREAM_ATTEMPTS = 1
        act(acme, 2)
        receiver.status = 500
        assert delivery.run() == Done(given_up=3)
        first = receiver.received[0]
        operations.send_again(stream, sequence=first.event["sequence"], by=UserActor(acme.owner))
        assert delivery.run() == Done(failed=1, given_up=1), "in vain again, and the line about it, too"
        assert set(stream.undelivered.values_list("is_wanted", flat=True)) == {False}
        receiver.status = 200
        assert operations.send_again(stream, by=UserActor(acme.owner)) == 4
        assert delivery.run() == Done(delivered=5)
        assert sorted(receiver.sequences) == sequences(acme, after=stream.position)
        assert receiver.kept[0].headers["webhook-id"] == first.headers["webhook-id"]
        assert not stream.undelivered.exists()

    def test_a_line_that_is_gone_meanwhile_is_owed_no_more(
        self, acme: Company, receiver: Receiver, stream: Stream, settings: Any
    ) -> None:
        settings.STREAM_ATTEMPTS, receiver.status = 1, 500
        delivery.run()
        operations.send_again(stream, by=UserActor(acme.owner))
        left = stream.undelivered.get().sequence
        with declared():
            AuditNames.objects.filter(line__sequence=left, chain=acme.organization.pk).delete()
            AuditEvent.objects.filter(sequence=left, chain=acme.organization.pk).delete()
        receiver.status = 200
        delivery.run()
        assert not stream.undelivered.exists()
        assert receiver.sequences == [left + 1]

    def test_410_pauses_the_stream(self, acme: Company, receiver: Receiver, stream: Stream, clock: Traveller) -> None:
        receiver.status = 410
        act(acme)
        delivery.run()
        paused = fresh(stream)
        assert (paused.is_paused, paused.position, paused.last_error) == (True, stream.position, "410")
        line = AuditEvent.objects.latest("id")
        assert (line.event, line.actor_kind, line.details) == ("stream.paused", "system", {"because": "410"})
        assert not AuditHead.objects.get(chain=acme.organization.pk).is_streamed
        clock.shift(HOUR)
        assert delivery.run() == Done()
        receiver.status = 200
        operations.resume(paused, by=UserActor(acme.owner))
        assert delivery.run() == Done(delivered=4)
        assert receiver.sequences == sequences(acme, after=stream.position)

    def test_a_destination_that_was_changed_past_the_operations_is_sent_nothing(
        self, acme: Company, receiver: Receiver, stream: Stream
    ) -> None:
        """SS-04: the secret opens only for where it was made for."""
        Stream.objects.update(url=receiver.url.replace("127.0.0.1", "127.0.0.1.evil.example"))
        delivery.run()
        assert receiver.received == []
        assert (fresh(stream).is_paused, fresh(stream).last_error) == (True, "unreadable")

    def test_an_address_that_is_not_permitted_any_more_is_not_sent_to(
        self, receiver: Receiver, stream: Stream, settings: Any
    ) -> None:
        settings.OUTBOUND_ALLOWED = []
        assert delivery.run() == Done(failed=1)
        assert (receiver.received, fresh(stream).last_error) == ([], "unreachable")

    def test_a_line_that_breaks_something_holds_up_no_others(
        self, acme: Company, receiver: Receiver, stream: Stream, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.STREAM_ATTEMPTS = 1
        act(acme)
        plain = events.facts_of
        monkeypatch.setattr(
            events, "facts_of", lambda line: plain(line) if line.event != "stream.created" else {"a": object()}
        )
        assert delivery.run() == Done(delivered=1, given_up=1)
        assert stream.undelivered.get().error == "broken"


class TestTheWorkerFails:
    def test_one_that_dies_before_it_has_noted_the_answer_sends_again_under_the_same_id(
        self, acme: Company, receiver: Receiver, stream: Stream, clock: Traveller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """At least once: the line is there twice, and the receiver can tell."""
        plain = delivery._Lease.note

        def die(self: Any, **changes: Any) -> bool:
            if "position" in changes or changes.get("leased_until", 0) is None:
                raise Killed
            return plain(self, **changes)

        with monkeypatch.context() as patched, pytest.raises(Killed):
            patched.setattr(delivery._Lease, "note", die)
            delivery.run()
        assert fresh(stream).position == stream.position
        assert delivery.run() == Done(), "the dead one's lease still holds"
        clock.shift(LEASE)
        assert delivery.run() == Done(delivered=1)
        first, second = receiver.kept
        assert first.event == second.event
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]

    def test_two_at_once_do_not_send_to_one_stream(
        self, acme: Company, receiver: Receiver, stream: Stream, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The second begins at the worst moment: while the first waits for its answer."""
        act(acme, 3)
        plain, others = sending.send, []

        def send(to: Stream, message: Any) -> Outcome:
            with monkeypatch.context() as patched:
                patched.setattr(sending, "send", plain)
                others.append(delivery.run())
            return plain(to, message)

        monkeypatch.setattr(sending, "send", send)
        assert delivery.run() == Done(delivered=4)
        assert others == [Done()] * 4
        assert receiver.sequences == sequences(acme, after=stream.position)

    def test_of_two_that_found_the_same_stream_due_one_has_it(
        self, acme: Company, receiver: Receiver, stream: Stream, clock: Traveller
    ) -> None:
        """Both looked before either began; the row decides."""
        done = Done()
        first = delivery._Lease.take(stream.pk)
        delivery.deliver(stream.pk, done)
        assert (first is not None, done, receiver.received) == (True, Done(), [])
        clock.shift(LEASE)
        delivery.deliver(stream.pk, done)
        assert done == Done(delivered=1)

    def test_one_that_was_thought_dead_writes_nothing_any_more(
        self, acme: Company, receiver: Receiver, stream: Stream, clock: Traveller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It slept longer than its lease, and another has gone on: neither goes back, nor leaves anything out."""
        act(acme, 3)
        plain, others = sending.send, []

        def oversleep(to: Stream, message: Any) -> Outcome:
            answer = plain(to, message)
            with monkeypatch.context() as patched:
                patched.setattr(sending, "send", plain)
                clock.shift(LEASE)
                others.append(delivery.run())
            return answer

        monkeypatch.setattr(sending, "send", oversleep)
        delivery.run()
        assert others == [Done(delivered=4)]
        expected = sequences(acme, after=stream.position)
        assert receiver.sequences == [expected[0], *expected]
        assert fresh(stream).position == expected[-1]

    @pytest.fixture
    def wanted(self, acme: Company, receiver: Receiver, stream: Stream, clock: Traveller, settings: Any) -> Undelivered:
        """A line that was given up, and that somebody wants sent again."""
        settings.STREAM_ATTEMPTS, receiver.status = 1, 500
        delivery.run()
        operations.send_again(stream, by=UserActor(acme.owner))
        return stream.undelivered.get()

    @pytest.mark.parametrize("status", [200, 500, 410])
    def test_one_that_was_thought_dead_leaves_what_is_wanted_again_to_the_other(
        self, receiver: Receiver, stream: Stream, wanted: Undelivered, clock: Traveller, monkeypatch: Any, status: int
    ) -> None:
        plain, others, before = sending.send, list[Any](), fresh(stream)

        def oversleep(to: Stream, message: Any) -> Outcome:
            clock.shift(LEASE)
            others.append(delivery._Lease.take(to.pk))
            return plain(to, message)

        receiver.status = status
        monkeypatch.setattr(sending, "send", oversleep)
        delivery.run()
        after, left = fresh(stream), stream.undelivered.get()
        assert (len(others), others[0] is not None) == (1, True)
        assert (left.is_wanted, left.attempts, left.at) == (True, wanted.attempts, wanted.at)
        assert (after.status, after.last_delivered_at, after.last_error) == ("active", None, before.last_error)

    def test_one_that_was_thought_dead_pauses_nothing(
        self, receiver: Receiver, stream: Stream, clock: Traveller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plain = sending.send

        def oversleep(to: Stream, message: Any) -> Outcome:
            clock.shift(LEASE)
            assert delivery._Lease.take(to.pk) is not None
            return plain(to, message)

        receiver.status = 410
        monkeypatch.setattr(sending, "send", oversleep)
        delivery.run()
        assert (len(receiver.received), fresh(stream).status, fresh(stream).last_error) == (1, "active", "")

    @pytest.mark.parametrize(("status", "write"), [(200, "delete"), (500, "update")])
    def test_what_is_wanted_again_is_noted_in_both_places_or_in_none(
        self,
        receiver: Receiver,
        stream: Stream,
        wanted: Undelivered,
        monkeypatch: pytest.MonkeyPatch,
        status: int,
        write: str,
    ) -> None:
        receiver.status, plain = status, getattr(QuerySet, write)

        def die(rows: Any, **changes: Any) -> Any:
            if rows.model is Undelivered:
                assert connection.in_atomic_block
                raise Killed
            return plain(rows, **changes)

        with monkeypatch.context() as patched, pytest.raises(Killed):
            patched.setattr(QuerySet, write, die)
            delivery.run()
        assert fresh(stream).last_delivered_at is None
        assert stream.undelivered.get().is_wanted

    def test_a_stream_that_is_paused_in_the_middle_finishes_its_line_and_no_more(
        self, acme: Company, receiver: Receiver, stream: Stream, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        act(acme, 3)
        plain = sending.send

        def send(to: Stream, message: Any) -> Outcome:
            operations.pause(to, by=UserActor(acme.owner))
            return plain(to, message)

        monkeypatch.setattr(sending, "send", send)
        assert delivery.run() == Done(delivered=1)
        assert fresh(stream).position == stream.position + 1

    def test_a_stream_that_is_moved_in_the_middle_goes_on_at_the_new_place(
        self, acme: Company, receiver: Receiver, stream: Stream, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        act(acme, 1)
        plain = sending.send
        moved = receiver.url.replace("/events", "/elsewhere")

        def send(to: Stream, message: Any) -> Outcome:
            if "/elsewhere" not in to.url:
                operations.update(to, name="SIEM", url=moved, by=UserActor(acme.owner))
            return plain(to, message)

        monkeypatch.setattr(sending, "send", send)
        assert delivery.run() == Done(delivered=3)
        assert [one.path.partition("?")[0] for one in receiver.kept] == ["/events", "/elsewhere", "/elsewhere"]

    def test_a_stream_that_fails_does_not_hold_up_another(
        self, acme: Company, receiver: Receiver, stream: Stream
    ) -> None:
        dead = made(acme, receiver, name="Dead", url="http://127.0.0.1:1/").stream
        done = delivery.run()
        assert (done.failed, done.delivered) == (1, 2)
        assert fresh(dead).attempts == 1

    def test_a_suspended_organizations_lines_wait(self, world: World, receiver: Receiver, stream: Stream) -> None:
        organizations.set_status(world.acme.organization, Organization.Status.SUSPENDED, by=system())
        assert delivery.run() == Done()
        organizations.set_status(world.acme.organization, Organization.Status.ACTIVE, by=system())
        assert delivery.run() == Done(delivered=3)


class TestTheTimeThereIs:
    """Nothing waits here: a watch goes on by so many seconds with each line that is sent."""

    class Watch:
        def __init__(self) -> None:
            self.seconds, self.slow, self.sent = 0.0, dict[Any, float](), list[Any]()

        def monotonic(self) -> float:
            return self.seconds

    @pytest.fixture
    def watch(self, monkeypatch: pytest.MonkeyPatch) -> Watch:
        """`watch.slow[stream.pk] = 9` is a receiver that answers after so many seconds."""
        found, plain = self.Watch(), sending.send

        def send(to: Stream, message: Any) -> Outcome:
            found.sent.append(to.pk)
            found.seconds += found.slow.get(to.pk, 0)
            return plain(to, message)

        monkeypatch.setattr(delivery, "time", found)
        monkeypatch.setattr(sending, "send", send)
        return found

    def several(self, acme: Company, receiver: Receiver, number: int) -> list[Stream]:
        return [made(acme, receiver, name=f"SIEM {each}", from_start=True).stream for each in range(number)]

    def test_one_slow_receiver_holds_up_no_other(self, acme: Company, receiver: Receiver, watch: Watch) -> None:
        slow, well = self.several(acme, receiver, 2)
        watch.slow[slow.pk] = 9
        delivery.run()
        assert watch.sent.index(slow.pk) < watch.sent.index(well.pk), "it came first"
        assert watch.sent.count(slow.pk) == 2
        assert (fresh(slow).behind > 0, fresh(well).behind) == (True, 0)
        assert fresh(slow).leased_until is None

    def test_a_run_ends_and_the_next_one_begins_with_those_that_were_left(
        self, acme: Company, receiver: Receiver, watch: Watch, clock: Traveller
    ) -> None:
        streams = self.several(acme, receiver, 6)
        watch.slow = dict.fromkeys((stream.pk for stream in streams), 9)
        for number in range(1, 4):
            clock.shift(SECOND)
            before = watch.seconds
            delivery.run()
            assert watch.seconds - before < delivery.IN_ALL + delivery.EACH
            assert len(set(watch.sent)) == 2 * number
        assert set(Counter(watch.sent).values()) <= {1, 2}

    def test_those_that_fail_come_last(self, acme: Company, receiver: Receiver, watch: Watch, clock: Traveller) -> None:
        failing, well = self.several(acme, receiver, 2)
        Stream.objects.filter(pk=failing.pk).update(next_try_at=now() - HOUR, attempts=1)
        delivery.run()
        assert (watch.sent[0], watch.sent[-1]) == (well.pk, failing.pk)

    def test_those_that_failed_have_time_that_the_others_do_not_take(
        self, acme: Company, receiver: Receiver, watch: Watch, clock: Traveller
    ) -> None:
        """One failure must not keep a stream waiting for as long as others are slow."""
        failed, *slow = self.several(acme, receiver, 5)
        watch.slow = dict.fromkeys((stream.pk for stream in slow), 9)
        Stream.objects.filter(pk=failed.pk).update(next_try_at=now() - HOUR, attempts=1)
        delivery.run()
        assert len(set(watch.sent)) < 5, "there was no time for all"
        assert (fresh(failed).behind, fresh(failed).next_try_at) == (0, None)

    def test_a_run_ends_although_many_fail(
        self, acme: Company, receiver: Receiver, watch: Watch, clock: Traveller
    ) -> None:
        streams = self.several(acme, receiver, 6)
        watch.slow, receiver.status = dict.fromkeys((stream.pk for stream in streams), 9), 500
        Stream.objects.update(next_try_at=now() - HOUR, attempts=1)
        delivery.run()
        assert watch.seconds < delivery.IN_ALL + delivery.EACH

    def test_the_worker_that_is_to_send_once_takes_the_time_it_needs(
        self, acme: Company, receiver: Receiver, watch: Watch, clock: Traveller
    ) -> None:
        streams = self.several(acme, receiver, 6)
        watch.slow, receiver.status = dict.fromkeys((stream.pk for stream in streams), 9), 500
        call_command("stream_audit", "--once")
        assert [fresh(stream).attempts for stream in streams] == [1] * 6

    def test_a_job_takes_less_and_leaves_the_rest_to_another(
        self, acme: Company, receiver: Receiver, watch: Watch, settings: Any
    ) -> None:
        settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
        streams = self.several(acme, receiver, 4)
        watch.slow = dict.fromkeys((stream.pk for stream in streams), 9)
        tasks.deliver.func(str(acme.organization.pk))
        assert watch.seconds < tasks.AT_ONCE + delivery.EACH
        assert DBTaskResult.objects.count() == 1


class TestWhen:
    def test_a_new_line_is_sent_when_its_transaction_is_over(
        self, acme: Company, receiver: Receiver, stream: Stream, django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            workspaces.create(acme.organization, name="New", by=UserActor(acme.owner))
            assert receiver.received == []
        assert receiver.kept[-1].event["event"] == "workspace.created"

    def test_an_organization_without_a_stream_is_not_asked_after(
        self, globex: Company, stream: Stream, django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks() as callbacks:
            act(globex)
        assert [each for each in callbacks if getattr(each, "func", None) is tasks._post] == []

    def test_one_job_at_a_time_waits_in_the_queue(
        self, acme: Company, stream: Stream, settings: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
        with django_capture_on_commit_callbacks(execute=True):
            act(acme, 5)
        (job,) = DBTaskResult.objects.all()
        assert job.args_kwargs == {"args": [str(acme.organization.pk)], "kwargs": {}}

    def test_a_job_leaves_what_it_has_no_time_for_to_another(
        self, acme: Company, receiver: Receiver, stream: Stream, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
        act(acme, 3)
        monkeypatch.setattr(delivery, "LINES_AT_ONCE", 2)
        assert tasks.deliver.func(str(acme.organization.pk)) == "2 delivered, 0 failed, 0 given up"
        assert DBTaskResult.objects.count() == 1
        tasks.deliver.func(str(acme.organization.pk))
        assert DBTaskResult.objects.count() == 1
        assert receiver.sequences == sequences(acme, after=stream.position)

    def test_the_worker_sends_what_is_due_once(
        self, acme: Company, receiver: Receiver, stream: Stream, capsys: pytest.CaptureFixture[str]
    ) -> None:
        act(acme, 2)
        call_command("stream_audit", "--once")
        assert "3 delivered" in capsys.readouterr().out
        assert receiver.sequences == sequences(acme, after=stream.position)

    def test_a_line_costs_few_queries(self, acme: Company, receiver: Receiver, stream: Stream) -> None:
        act(acme, 10)
        with CaptureQueriesContext(connection) as asked:
            assert delivery.run() == Done(delivered=11)
        assert len(asked) <= 11 * 5 + 8


class TestSyslog:
    @pytest.fixture
    def written(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bytes]]:
        found: list[tuple[str, bytes]] = []
        monkeypatch.setattr(outbound, "write", lambda to, line: found.append((to.origin, line)))
        return found

    @pytest.mark.parametrize(("scheme", "is_counted"), [("tcp", True), ("tls", True), ("udp", False)])
    def test_is_a_line_of_rfc_5424(
        self, acme: Company, receiver: Receiver, written: Any, scheme: str, is_counted: bool, clock: Traveller
    ) -> None:
        url = f"syslog+{scheme}://127.0.0.1:6000"
        stream, secret = made(acme, receiver, url=url)
        assert (stream.kind, secret, stream.sealed_secret) == ("syslog", None, "")
        act(acme)
        assert delivery.run() == Done(delivered=2)
        (to, created), (_, refused) = written
        assert to == url
        if is_counted:
            length, _, created = created.partition(b" ")
            assert int(length) == len(created)
            refused = refused.partition(b" ")[2]
        head, _, body = created.partition(b" - {")
        assert head == b"<109>1 2030-01-02T12:00:00.000000Z testserver gatehouse - stream.created"
        assert json.loads(b"{" + body)["event"] == "stream.created"
        assert refused.startswith(b"<108>1 ")
        assert created.isascii()
