"""Letters about keys: to whom, in which words, and each once, whatever fails in between (contract rule 50, CF-06)."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any, ClassVar

import pytest
import time_machine
from django.core import mail as outgoing
from django.core.mail.backends.locmem import EmailBackend
from time_machine import Traveller

from apps.access.actors import UserActor
from apps.accounts.models import User
from apps.apikeys import letters, mail, notices, rotation
from apps.apikeys import operations as apikeys
from apps.apikeys.models import ApiKey, Notice
from apps.core.clock import now
from apps.memberships import operations as memberships
from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from tests.world import Company, system

START = datetime(2030, 1, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def clock() -> Iterator[Traveller]:
    with time_machine.travel(START, tick=False) as frozen:
        yield frozen


def loaded(key: ApiKey) -> ApiKey:
    found: ApiKey = ApiKey.objects.with_places().get(pk=key.pk)
    return found


def owed(key: ApiKey, kind: str = Notice.Kind.LEAKED, about: datetime | None = None, **details: Any) -> Notice:
    """A letter that is owed; with `mask` a leak, about which nothing can change."""
    notices.owe(loaded(key), kind, about or now(), **{"mask": "gthw_********abcd", **details})
    return Notice.objects.latest("pk")


def told() -> list[str]:
    return sorted(address for letter in outgoing.outbox for address in letter.to)


def looking_after(company: Company) -> list[str]:
    return sorted(person.email for person in (company.owner, company.second_owner, company.admin))


class Failing(EmailBackend):
    """A mail server that refuses some addresses, or goes away after a number of letters."""

    refused: ClassVar[set[str]] = set()
    gone_after: ClassVar[int | None] = None
    is_down: ClassVar[bool] = False

    def open(self) -> None:
        if Failing.is_down:
            raise ConnectionRefusedError

    def send_messages(self, messages: Any) -> int:
        [letter] = messages
        if Failing.gone_after is not None and len(outgoing.outbox) >= Failing.gone_after:
            raise SMTPServerDisconnected("gone")
        if set(letter.to) & Failing.refused:
            raise SMTPRecipientsRefused({letter.to[0]: (550, b"no such mailbox")})
        return super().send_messages(messages)


@pytest.fixture
def server(settings: Any) -> Iterator[type[Failing]]:
    settings.EMAIL_BACKEND = f"{__name__}.Failing"
    yield Failing
    Failing.refused, Failing.gone_after, Failing.is_down = set(), None, False


class TestTheReaders:
    def test_are_those_who_look_after_the_keys(self, acme: Company) -> None:
        mail.send(owed(acme.organization_key).pk)
        assert told() == looking_after(acme)

    def test_and_the_person_whose_key_it_is(self, acme: Company) -> None:
        mail.send(owed(acme.user_key).pk)
        assert told() == sorted([*looking_after(acme), acme.member.email])

    def test_but_not_somebody_who_is_paused_or_whose_account_is_closed(self, acme: Company) -> None:
        memberships.suspend(acme.membership(acme.member), by=UserActor(acme.owner))
        User.objects.filter(pk=acme.second_owner.pk).update(is_active=False)
        mail.send(owed(acme.user_key).pk)
        assert told() == sorted([acme.owner.email, acme.admin.email])

    def test_and_the_addresses_in_its_settings_each_once(self, acme: Company) -> None:
        named = ["oncall@elsewhere.example", acme.owner.email]
        apikeys.update(acme.workspace_key, alert_emails=named, by=UserActor(acme.owner))
        mail.send(owed(acme.workspace_key).pk)
        assert told() == sorted([*looking_after(acme), "oncall@elsewhere.example"])

    def test_nobody_reads_who_else_does(self, acme: Company) -> None:
        mail.send(owed(acme.workspace_key).pk)
        assert all(len(letter.recipients()) == 1 for letter in outgoing.outbox)


class TestTheWords:
    def test_are_in_the_language_and_the_time_of_the_reader(self, acme: Company, clock: Traveller) -> None:
        User.objects.filter(pk=acme.owner.pk).update(language="de", timezone="Asia/Tokyo")
        apikeys.update(acme.workspace_key, expires_at=START + DAY, by=UserActor(acme.owner))
        mail.send(owed(acme.workspace_key, Notice.Kind.EXPIRES_SOON, START + DAY).pk)
        by_reader = {letter.to[0]: letter for letter in outgoing.outbox}
        german, english = by_reader[acme.owner.email], by_reader[acme.admin.email]
        assert "Januar 2030, 21:00 (Asia/Tokyo)" in german.body
        assert '<html lang="de"' in german.alternatives[0].content
        assert "3 January 2030, 12:00 (UTC)" in english.body
        assert '<html lang="en"' in english.alternatives[0].content

    @pytest.mark.parametrize("kind", Notice.Kind.values)
    @pytest.mark.parametrize("language", ["en", "de"])
    def test_every_kind_has_its_own(self, acme: Company, clock: Traveller, kind: str, language: str) -> None:
        User.objects.update(language=language)
        soon = START + timedelta(hours=1)
        ApiKey.objects.filter(pk=acme.workspace_key.pk).update(
            expires_at=soon, next_rotation_at=soon, transition_ends_at=soon, previous_digest=b"x" * 32
        )
        facts = {"unit": "cost", "spent": 1_234_560_000, "limit": 2_000_000_000, "resets_at": soon.isoformat()}
        mail.send(owed(acme.workspace_key, kind, soon, mode="auto", until=soon.isoformat(), **facts).pk)
        assert told() == looking_after(acme)
        for letter in outgoing.outbox:
            html = letter.alternatives[0].content
            assert "Acme workspace key" in letter.subject
            for part in (letter.body, html):
                assert "Acme workspace key" in part
                assert f"http://testserver/o/{acme.organization.slug}/keys/{acme.workspace_key.pk}/" in part
                assert "%(" not in part
                assert acme.secrets["workspace_key"] not in part
            assert letter.message()["Subject"]

    def test_say_who_rotated_a_key_by_hand(
        self, acme: Company, clock: Traveller, django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            made = rotation.rotate(acme.workspace_key, by=UserActor(acme.manager))
        body = outgoing.outbox[0].body
        assert f"{acme.manager} gave Acme workspace key a new secret" in body
        assert "The old secret works until 2 January 2030, 12:30 (UTC)" in body
        assert made.secret.mask in body
        assert made.secret.clear not in json.dumps([letter.body for letter in outgoing.outbox])
        assert acme.manager.email not in json.dumps(Notice.objects.get().details)

    @pytest.mark.parametrize("who", ["key", "system"])
    def test_say_so_of_keys_and_of_those_who_run_the_house(
        self, acme: Company, clock: Traveller, django_capture_on_commit_callbacks: Any, who: str
    ) -> None:
        by = loaded(acme.organization_key) if who == "key" else system()
        with django_capture_on_commit_callbacks(execute=True):
            rotation.rotate(acme.user_key, by=by)
        named = {"key": "The API key Acme organization key", "system": "Somebody who runs this installation"}
        assert f"{named[who]} gave Acme user key a new secret" in outgoing.outbox[0].body

    def test_say_that_a_secret_waits_and_show_the_one_that_is_known(
        self, acme: Company, clock: Traveller, django_capture_on_commit_callbacks: Any
    ) -> None:
        old = acme.workspace_key.mask
        ApiKey.objects.filter(pk=acme.workspace_key.pk).update(next_rotation_at=START)
        with django_capture_on_commit_callbacks(execute=True):
            assert rotation.rotate_by_calendar(loaded(acme.workspace_key), by=system())
        letter = outgoing.outbox[0]
        assert letter.subject == "A new secret of Acme workspace key waits to be collected"
        assert "The old secret works until 2 January 2030, 12:30 (UTC)" in letter.body
        assert old in letter.body
        assert loaded(acme.workspace_key).mask not in letter.body

    def test_cannot_be_made_to_say_something_else(self, acme: Company) -> None:
        evil = "<a href=//evil>Click</a> \u202e sdrawkcab"
        apikeys.update(acme.workspace_key, name=evil, by=UserActor(acme.owner))
        mail.send(owed(acme.workspace_key, source="<img src=//evil> http://evil.example/").pk)
        letter = outgoing.outbox[0]
        html = letter.alternatives[0].content
        assert "<img" not in html
        assert html.count("<a ") == 1
        assert f"\u2068{evil}\u2069" in letter.subject
        assert "\n" not in letter.subject

    def test_amounts_are_told_in_their_unit(self, acme: Company) -> None:
        facts = {"unit": "tokens", "spent": 1_500_000, "limit": 2_000_000}
        notice = owed(acme.workspace_key, Notice.Kind.ALERT, **facts)
        assert "has used 1,500,000 tokens of 2,000,000 tokens." in letters.letter(notice).said[0]
        notice.details |= {"unit": "cost"}
        assert "has used 1.50 USD of 2.00 USD." in letters.letter(notice).said[0]


class TestOnce:
    def test_a_job_that_runs_twice_sends_once(self, acme: Company) -> None:
        notice = owed(acme.workspace_key)
        mail.send(notice.pk)
        mail.send(notice.pk)
        assert told() == looking_after(acme)
        notice.refresh_from_db()
        assert notice.sent_at is not None
        assert "delivery" not in notice.details

    def test_the_same_thing_is_owed_once(self, acme: Company, django_capture_on_commit_callbacks: Any) -> None:
        at, key = now(), loaded(acme.workspace_key)
        with django_capture_on_commit_callbacks(execute=True):
            assert [notices.owe(key, Notice.Kind.LEAKED, at, mask="x") for _ in range(3)] == [True, False, False]
        assert told() == looking_after(acme)

    def test_while_one_worker_is_at_it_another_leaves_it_alone(self, acme: Company, monkeypatch: Any) -> None:
        notice, plain = owed(acme.workspace_key), EmailBackend.send_messages

        def slow(self: Any, messages: Any) -> int:
            mail.send(notice.pk)
            return plain(self, messages)

        monkeypatch.setattr(EmailBackend, "send_messages", slow)
        mail.send(notice.pk)
        assert told() == looking_after(acme)

    def test_one_that_took_too_long_stops_when_another_has_begun(
        self, acme: Company, clock: Traveller, monkeypatch: Any
    ) -> None:
        notice, plain, hangs = owed(acme.workspace_key), EmailBackend.send_messages, [True]

        def hanging(self: Any, messages: Any) -> int:
            if hangs.pop() if hangs else False:
                clock.shift(mail.LEASE)
                mail.send(notice.pk)
            return plain(self, messages)

        monkeypatch.setattr(EmailBackend, "send_messages", hanging)
        mail.send(notice.pk)
        assert len(told()) == len(looking_after(acme)) + 1  # the one letter that hung
        assert Notice.objects.filter(pk=notice.pk, sent_at__isnull=False).exists()

    def test_a_worker_that_was_killed_leaves_the_rest_to_the_next(
        self, acme: Company, clock: Traveller, monkeypatch: Any
    ) -> None:
        notice, plain, sent = owed(acme.workspace_key), EmailBackend.send_messages, []

        def killed(self: Any, messages: Any) -> int:
            if len(sent) == 1:
                raise KeyboardInterrupt
            sent.append(1)
            return plain(self, messages)

        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(EmailBackend, "send_messages", killed)
            mail.send(notice.pk)
        mail.send(notice.pk)
        assert len(told()) == 1
        clock.shift(mail.LEASE)
        mail.send(notice.pk)
        assert told() == looking_after(acme)


class TestWhatFails:
    def test_one_address_keeps_no_other_from_its_letter(
        self, acme: Company, clock: Traveller, server: type[Failing]
    ) -> None:
        notice = owed(acme.workspace_key)
        server.refused = {acme.owner.email}
        mail.send(notice.pk)
        assert told() == sorted([acme.second_owner.email, acme.admin.email])
        server.refused = set()
        mail.send(notice.pk)
        assert len(told()) == 2, "it rests first"
        clock.shift(mail.LEASE)
        mail.send(notice.pk)
        assert told() == looking_after(acme)

    def test_a_server_that_goes_away_is_not_asked_for_every_address(
        self, acme: Company, clock: Traveller, server: type[Failing]
    ) -> None:
        notice = owed(acme.workspace_key)
        server.gone_after = 1
        mail.send(notice.pk)
        assert len(told()) == 1
        server.gone_after = None
        clock.shift(mail.LEASE)
        mail.send(notice.pk)
        assert told() == looking_after(acme)

    def test_a_server_that_is_down_is_tried_again_later_each_time(
        self, acme: Company, clock: Traveller, server: type[Failing]
    ) -> None:
        notice = owed(acme.workspace_key)
        server.is_down = True
        rests = []
        for _ in range(8):
            mail.send(notice.pk)
            notice.refresh_from_db()
            until = datetime.fromisoformat(notice.details["delivery"]["resting_until"])
            rests.append((until - now()) // timedelta(minutes=1))
            clock.move_to(until)
        assert rests == [10, 20, 40, 80, 160, 320, 360, 360]
        server.is_down = False
        mail.send(notice.pk)
        assert told() == looking_after(acme)

    def test_what_cannot_be_sent_for_a_week_is_given_up(
        self, acme: Company, clock: Traveller, server: type[Failing]
    ) -> None:
        notice = owed(acme.workspace_key)
        server.refused = {acme.owner.email}
        mail.send(notice.pk)
        clock.shift(mail.GIVEN_UP_AFTER)
        mail.send(notice.pk)
        notice.refresh_from_db()
        assert notice.sent_at is not None
        assert notice.details["dropped"] == "unreached"
        assert len(told()) == 2

    def test_no_address_is_kept_with_the_notice_or_logged(
        self, acme: Company, server: type[Failing], caplog: Any
    ) -> None:
        notice = owed(acme.workspace_key)
        server.refused = {acme.owner.email}
        mail.send(notice.pk)
        notice.refresh_from_db()
        assert len(notice.details["delivery"]["told"]) == 2
        for address in looking_after(acme):
            assert address not in json.dumps(notice.details)
            assert address not in caplog.text


class TestWhatIsNotSoAnyMore:
    def test_a_suspended_organization_hears_nothing(self, acme: Company) -> None:
        notice = owed(acme.workspace_key)
        organizations.set_status(acme.organization, Organization.Status.SUSPENDED, by=system())
        mail.send(notice.pk)
        organizations.set_status(acme.organization, Organization.Status.ACTIVE, by=system())
        mail.send(notice.pk)
        assert told() == []
        notice.refresh_from_db()
        assert notice.details["dropped"] == "not so any more"

    def test_nor_does_anybody_of_a_revoked_key(self, acme: Company) -> None:
        notice = owed(acme.workspace_key)
        apikeys.revoke(acme.workspace_key, by=UserActor(acme.owner))
        mail.send(notice.pk)
        assert told() == []

    @pytest.mark.parametrize("kind", [Notice.Kind.EXPIRES_SOON, Notice.Kind.EXPIRED])
    def test_an_end_that_moved_is_not_announced(self, acme: Company, clock: Traveller, kind: str) -> None:
        apikeys.update(acme.workspace_key, expires_at=START + DAY, by=UserActor(acme.owner))
        notice = owed(acme.workspace_key, kind, START + DAY)
        apikeys.update(acme.workspace_key, expires_at=START + 2 * DAY, by=UserActor(acme.owner))
        mail.send(notice.pk)
        assert told() == []

    def test_nor_is_one_that_has_come(self, acme: Company, clock: Traveller) -> None:
        apikeys.update(acme.workspace_key, expires_at=START + DAY, by=UserActor(acme.owner))
        notice = owed(acme.workspace_key, Notice.Kind.EXPIRES_SOON, START + DAY)
        clock.shift(DAY)
        mail.send(notice.pk)
        assert told() == []


class TestThePace:
    def test_an_address_is_sent_so_many_an_hour_and_the_rest_later(
        self, acme: Company, clock: Traveller, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr(mail, "AN_HOUR", 2)
        made = [owed(acme.workspace_key, Notice.Kind.ALERT, START + DAY * number) for number in range(3)]
        for notice in made:
            mail.send(notice.pk)
        assert len(told()) == 2 * len(looking_after(acme))
        clock.shift(timedelta(hours=1))
        for notice in made:
            mail.send(notice.pk)
        assert len(told()) == 3 * len(looking_after(acme))

    def test_a_leak_does_not_wait(self, acme: Company, monkeypatch: Any) -> None:
        monkeypatch.setattr(mail, "AN_HOUR", 0)
        mail.send(owed(acme.workspace_key).pk)
        assert told() == looking_after(acme)


def test_keeps_the_number_of_queries_whoever_reads(acme: Company, django_assert_num_queries: Any) -> None:
    """Four for each reader, to note that they have been told and take time for the next."""
    notice = owed(acme.workspace_key)
    with django_assert_num_queries(6 + 4 * len(looking_after(acme))):
        mail.send(notice.pk)
