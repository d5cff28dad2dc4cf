"""The pages of streams, as a browser without scripts sees them."""

import base64
import hashlib
import hmac
import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from time_machine import Traveller

from apps.access.actors import UserActor
from apps.audit.models import AuditEvent
from apps.core.clock import now
from apps.organizations import operations as organizations
from apps.streams import delivery, operations
from apps.streams.models import Stream
from tests.streams.conftest import fresh, made
from tests.streams.receiver import Receiver
from tests.world import Company, World, system

SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{40,}")
GETS = ("", "edit/", "secret/", "delete/")
POSTS = ("edit/", "pause/", "resume/", "test/", "again/", "secret/", "delete/")


def streams_of(company: Company) -> str:
    return f"/o/{company.organization.slug}/settings/streams/"


@pytest.fixture
def browser(sign_in: Any, acme: Company) -> Client:
    found: Client = sign_in(acme.owner)
    return found


def text_of(answer: Any) -> str:
    return html.unescape(answer.content.decode())


class TestWhoGetsIn:
    @pytest.mark.parametrize(
        ("person", "status"), [("owner", 200), ("admin", 200), ("manager", 403), ("member", 403), ("bystander", 403)]
    )
    def test_looks(self, sign_in: Any, acme: Company, stream: Stream, person: str, status: int) -> None:
        root, reader = streams_of(acme), sign_in(acme[person])
        for page in ("", "new/", *(f"{stream.pk}/{name}" for name in GETS)):
            assert reader.get(root + page).status_code == status

    @pytest.mark.parametrize("person", ["manager", "member", "bystander"])
    def test_does_nothing(self, sign_in: Any, acme: Company, stream: Stream, receiver: Receiver, person: str) -> None:
        root, reader = streams_of(acme), sign_in(acme[person])
        for page in ("new/", *(f"{stream.pk}/{name}" for name in POSTS)):
            assert reader.post(root + page, {"version": 1}).status_code == 403
        assert receiver.received == []
        assert fresh(stream).version == 1

    def test_finds_nothing_as_a_stranger_or_a_neighbour(self, world: World, sign_in: Any, stream: Stream) -> None:
        root = streams_of(world.acme)
        for person in (world.stranger, world.globex.owner, world.operator):
            reader = sign_in(person)
            for page in ("", "new/", *(f"{stream.pk}/{name}" for name in GETS)):
                assert reader.get(root + page).status_code == 404
            for page in POSTS:
                assert reader.post(f"{root}{stream.pk}/{page}", {"version": 1}).status_code == 404

    def test_finds_anothers_stream_under_no_address_of_their_own(
        self, world: World, sign_in: Any, stream: Stream
    ) -> None:
        reader, root = sign_in(world.globex.owner), streams_of(world.globex)
        for page in GETS:
            assert reader.get(f"{root}{stream.pk}/{page}").status_code == 404
        for page in POSTS:
            assert reader.post(f"{root}{stream.pk}/{page}", {"version": 1}).status_code == 404

    def test_is_led_to_sign_in_as_a_visitor(self, client: Client, acme: Company) -> None:
        assert client.get(streams_of(acme))["Location"].startswith("/accounts/login/")


class TestMakingOne:
    def sent(self, browser: Client, acme: Company, receiver: Receiver, **given: str) -> tuple[Any, dict[str, str]]:
        form = browser.get(f"{streams_of(acme)}new/").context["form"]
        told = {"visit": form["visit"].value(), "name": "SIEM", "url": receiver.url, "begin": "now", **given}
        return browser.post(f"{streams_of(acme)}new/", told), told

    def test_shows_its_secret_once(self, browser: Client, acme: Company, receiver: Receiver) -> None:
        """In this answer and nowhere else: no address, no session, no cache, no second look."""
        answer, sent = self.sent(browser, acme, receiver)
        (clear,) = set(SECRET.findall(text_of(answer)))
        assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
        stream = Stream.objects.get()
        again = browser.post(f"{streams_of(acme)}new/", sent, follow=True)
        assert Stream.objects.count() == 1
        assert "was created already" in text_of(again)
        root = streams_of(acme)
        pages = [again, browser.get(root), *(browser.get(f"{root}{stream.pk}/{page}") for page in GETS)]
        pages.append(browser.get(f"/o/{acme.organization.slug}/"))
        for page in pages:
            assert clear not in text_of(page)
            assert stream.sealed_secret not in text_of(page)
        assert clear not in str([session.get_decoded() for session in Session.objects.all()])

    def test_begins_where_it_is_told(self, browser: Client, acme: Company, receiver: Receiver) -> None:
        self.sent(browser, acme, receiver, begin="start")
        assert Stream.objects.get().position == 0

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"url": "https://169.254.169.254/"}, "url"),
            ({"url": "javascript:alert(1)"}, "url"),
            ({"name": " "}, "name"),
            ({"begin": "never"}, "begin"),
            ({"visit": "forged"}, "visit"),
        ],
    )
    def test_says_at_the_field_what_is_wrong(
        self, browser: Client, acme: Company, receiver: Receiver, given: dict[str, str], field: str
    ) -> None:
        answer, _ = self.sent(browser, acme, receiver, **given)
        assert answer.status_code == 400
        assert answer.context["form"].errors.keys() == {field}
        assert not Stream.objects.exists()

    def test_takes_no_form_that_was_given_to_somebody_else(
        self, browser: Client, sign_in: Any, acme: Company, receiver: Receiver
    ) -> None:
        _, sent = self.sent(sign_in(acme.admin), acme, receiver, name=" ")
        assert browser.post(f"{streams_of(acme)}new/", {**sent, "name": "x"}).status_code == 400

    def test_says_when_there_are_enough(self, browser: Client, acme: Company, receiver: Receiver) -> None:
        for _ in range(operations.MOST):
            made(acme, receiver)
        assert "and that is the most" in text_of(browser.get(streams_of(acme)))
        answer, _ = self.sent(browser, acme, receiver)
        assert answer.status_code == 409

    def test_syslog_has_nothing_to_show(self, browser: Client, acme: Company, receiver: Receiver) -> None:
        answer, _ = self.sent(browser, acme, receiver, url="syslog+tcp://127.0.0.1:514")
        assert answer.status_code == 302
        text = text_of(browser.get(answer["Location"]))
        assert "Syslog is not signed" in text
        assert f"{Stream.objects.get().pk}/secret/" not in text


class TestHowItStands:
    def test_is_said_in_the_list_and_on_its_page(
        self, clock: Traveller, browser: Client, acme: Company, receiver: Receiver, stream: Stream, settings: Any
    ) -> None:
        pages = (streams_of(acme), f"{streams_of(acme)}{stream.pk}/")

        def says(*parts: str) -> None:
            for page in pages:
                text = " ".join(text_of(browser.get(page)).split())
                for part in parts:
                    assert part in text, (part, page)

        says("Delivering", "1 line waits to be sent.")
        receiver.status = 503
        delivery.run()
        says("Waiting", "Last problem: the receiver answered 503.", "Tries again")
        operations.pause(stream, by=UserActor(acme.owner))
        says("Paused", "2 lines wait to be sent.")
        settings.STREAM_ATTEMPTS = 1
        operations.resume(stream, by=UserActor(acme.owner))
        delivery.run()
        says("3 undelivered")
        receiver.status = 200
        organizations.update(acme.organization, name="Acme 2", by=system())
        delivery.run()
        says("Last line delivered")

    def test_costs_the_same_however_many(
        self, browser: Client, acme: Company, receiver: Receiver, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(5):
            made(acme, receiver)
        browser.get(streams_of(acme))
        with django_assert_max_num_queries(8):
            browser.get(streams_of(acme))

    def test_an_empty_list_says_what_a_stream_is_for(self, browser: Client, acme: Company) -> None:
        assert "Nothing is sent anywhere" in text_of(browser.get(streams_of(acme)))

    def test_names_and_addresses_are_never_trusted(self, browser: Client, acme: Company, receiver: Receiver) -> None:
        forged = '<a href="//evil.example">Click</a>'
        stream, _ = made(acme, receiver, name=forged)
        for page in ("", *(f"{stream.pk}/{name}" for name in GETS)):
            assert forged not in browser.get(streams_of(acme) + page).content.decode()


class TestChangingOne:
    def post(self, browser: Client, stream: Stream, page: str, **given: Any) -> Any:
        return browser.post(f"/o/{stream.organization.slug}/settings/streams/{stream.pk}/{page}/", given)

    def test_another_host_comes_with_another_secret(
        self, browser: Client, acme: Company, receiver: Receiver, stream: Stream
    ) -> None:
        answer = self.post(browser, stream, "edit", version=1, name="New", url="http://127.0.0.1:9/")
        assert SECRET.search(text_of(answer))
        assert answer["Cache-Control"] == "no-store"
        assert self.post(browser, stream, "edit", version=2, name="Newer", url="http://127.0.0.1:9/").status_code == 302
        assert (fresh(stream).name, fresh(stream).version) == ("Newer", 3)

    def test_an_edit_of_an_older_version_is_shown_beside_the_newer(
        self, browser: Client, acme: Company, receiver: Receiver, stream: Stream
    ) -> None:
        operations.update(stream, name="Meanwhile", url=receiver.url, by=UserActor(acme.admin))
        answer = self.post(browser, stream, "edit", version=1, name="Too late", url=receiver.url)
        assert answer.status_code == 409
        assert "Meanwhile" in text_of(answer)

    def test_a_pause_can_be_taken_back(self, browser: Client, stream: Stream) -> None:
        assert self.post(browser, stream, "pause", version=1).status_code == 302
        assert fresh(stream).is_paused
        assert "Undo" in text_of(browser.get(f"{streams_of_stream(stream)}"))
        assert self.post(browser, stream, "resume", version=2).status_code == 302
        assert not fresh(stream).is_paused
        assert self.post(browser, stream, "pause", version=2).status_code == 409

    def test_a_test_says_what_came_back(
        self, browser: Client, acme: Company, receiver: Receiver, stream: Stream
    ) -> None:
        def body(handler: Any) -> None:
            handler.send_response(418)
            handler.send_header("Set-Cookie", "stolen=1")
            handler.end_headers()
            handler.wfile.write(b"<script>alert('canary')</script>")

        answer = self.post(browser, stream, "test")
        assert "the receiver answered 200" in text_of(browser.get(answer["Location"]))
        receiver.answering = body
        answer = self.post(browser, stream, "test")
        text = text_of(browser.get(answer["Location"]))
        assert "The test did not arrive: the receiver answered 418." in text
        assert "canary" not in text
        assert "stolen" not in browser.cookies

    def test_a_test_that_cannot_be_sent_names_no_address(self, browser: Client, stream: Stream, settings: Any) -> None:
        settings.OUTBOUND_ALLOWED = []
        answer = self.post(browser, stream, "test")
        assert "could not be reached." in text_of(browser.get(answer["Location"]))

    def test_what_was_not_delivered_is_listed_and_sent_again(
        self, browser: Client, acme: Company, receiver: Receiver, stream: Stream, settings: Any
    ) -> None:
        settings.STREAM_ATTEMPTS, receiver.status = 1, 500
        organizations.update(acme.organization, name="Acme 2", by=system())
        delivery.run()
        first, second = stream.undelivered.order_by("sequence")
        text = text_of(browser.get(streams_of_stream(stream)))
        assert f"Send line {first.sequence} again" in text
        assert f"Send line {second.sequence} again" in text
        receiver.status = 200
        self.post(browser, stream, "again", sequence=second.sequence)
        delivery.run()
        assert receiver.sequences[0] == second.sequence
        self.post(browser, stream, "again")
        delivery.run()
        assert not stream.undelivered.exists()
        assert self.post(browser, stream, "again").status_code == 409

    def test_rotating_asks_first_and_then_shows_the_secret_once(self, browser: Client, stream: Stream) -> None:
        page = browser.get(f"{streams_of_stream(stream)}secret/")
        assert not SECRET.search(text_of(page))
        answer = self.post(browser, stream, "secret", version=page.context["form"]["version"].value())
        assert SECRET.search(text_of(answer))
        assert answer["Cache-Control"] == "no-store"
        assert self.post(browser, stream, "secret", version=1).status_code == 409

    def test_deleting_asks_first(self, browser: Client, acme: Company, stream: Stream) -> None:
        page = browser.get(f"{streams_of_stream(stream)}delete/")
        assert "The audit log itself stays as it is" in text_of(page)
        assert Stream.objects.exists()
        assert self.post(browser, stream, "delete", version=1)["Location"] == streams_of(acme)
        assert not Stream.objects.exists()

    @pytest.mark.parametrize("page", POSTS)
    def test_a_field_nobody_asked_for_is_refused(self, browser: Client, stream: Stream, page: str) -> None:
        answer = self.post(browser, stream, page.rstrip("/"), version=1, status="paused")
        assert answer.status_code == 400
        assert fresh(stream).version == 1


class TestTheExample:
    def test_on_the_page_verifies_what_is_sent(self, browser: Client, acme: Company, receiver: Receiver) -> None:
        """It is run as a reader would copy it."""
        stream, secret = made(acme, receiver)
        assert secret is not None
        delivery.run()
        text = browser.get(streams_of_stream(stream)).content.decode()
        (snippet,) = re.findall(r'<pre class="snippet"[^>]*>(import base64.*?)</pre>', text, re.DOTALL)
        known: dict[str, Any] = {}
        exec(html.unescape(snippet), known)
        (one,) = receiver.kept
        is_genuine = known["is_genuine"]
        assert is_genuine(secret.clear, one.headers, one.body)
        assert not is_genuine(secret.clear, one.headers, one.body + b" ")
        assert not is_genuine("whsec_" + base64.b64encode(b"x" * 32).decode(), one.headers, one.body)
        old = str(int((now() - timedelta(hours=1)).timestamp()))
        signed = f"{one.headers['webhook-id']}.{old}.".encode() + one.body
        key = base64.b64decode(secret.clear.removeprefix("whsec_"))
        signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        again = {**one.headers, "webhook-timestamp": old, "webhook-signature": f"v1,{signature}"}
        assert not is_genuine(secret.clear, again, one.body), "an old one that somebody sends again"


class TestTheConsole:
    def test_shows_no_secret_and_no_path(self, world: World, sign_in: Any, stream: Stream, receiver: Receiver) -> None:
        desk = sign_in(world.operator)
        for page in ("", f"{stream.pk}/change/"):
            answer = desk.get(f"/admin/streams/stream/{page}")
            assert answer.status_code == 200
            text = text_of(answer)
            assert f"http://127.0.0.1:{receiver.port}" in text
            assert "of-the-receiver" not in text
            assert stream.sealed_secret not in text

    def test_writes_nothing(self, world: World, sign_in: Any, stream: Stream) -> None:
        desk = sign_in(world.operator)
        for page in ("add/", f"{stream.pk}/delete/"):
            assert desk.post(f"/admin/streams/stream/{page}", {}).status_code == 403
        assert desk.get("/admin/streams/undelivered/").status_code == 200
        lines = AuditEvent.objects.filter(actor_kind="operator", status=AuditEvent.Status.DONE)
        assert (fresh(stream).version, lines.count()) == (1, 0)


def streams_of_stream(stream: Stream) -> str:
    return f"/o/{stream.organization.slug}/settings/streams/{stream.pk}/"
