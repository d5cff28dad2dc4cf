"""What time brings about for keys: each thing when it is due, once, and one that fails stops no other (RV-10)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail as outgoing
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from time_machine import Traveller

from apps.access.actors import SystemActor, UserActor
from apps.apikeys import mail, rotation, upkeep
from apps.apikeys import operations as apikeys
from apps.apikeys.models import ApiKey, Caller, Notice
from apps.apikeys.upkeep import Done
from apps.audit.models import AuditEvent
from apps.core.clock import now
from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from apps.replays.models import KeptAnswer
from apps.workspaces import operations as workspaces
from tests.world import Company, system

START = datetime(2030, 1, 2, 12, tzinfo=UTC)  # a Wednesday
MONDAY = datetime(2030, 1, 7, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEKLY = {"rotation_period": "weekly"}
BY = SystemActor(reason="tick", actions=[])


@pytest.fixture
def clock() -> Iterator[Traveller]:
    with time_machine.travel(START, tick=False) as frozen:
        yield frozen


@pytest.fixture
def tick(django_capture_on_commit_callbacks: Any) -> Any:
    """Runs the upkeep, with the jobs it leaves behind."""

    def run() -> Done:
        with django_capture_on_commit_callbacks(execute=True):
            return upkeep.run(BY)

    return run


def loaded(key: ApiKey) -> ApiKey:
    found: ApiKey = ApiKey.objects.with_places().get(pk=key.pk)
    return found


def update(company: Company, key: ApiKey, **changes: Any) -> None:
    apikeys.update(loaded(key), by=UserActor(company.owner), **changes)


def subjects() -> list[str]:
    """What was told since the last time, each once."""
    told = sorted({letter.subject for letter in outgoing.outbox})
    outgoing.outbox.clear()
    return told


def lines(event: str) -> int:
    return AuditEvent.objects.filter(event=event).count()


class TestRotations:
    def test_the_calendar_is_told_a_day_ahead_and_kept(self, acme: Company, clock: Traveller, tick: Any) -> None:
        update(acme, acme.workspace_key, rotation_policy=WEEKLY)
        assert tick() == Done()
        clock.move_to(MONDAY - DAY)
        assert tick() == Done(warned=1)
        assert subjects() == ["The secret of Acme workspace key changes soon"]
        clock.move_to(MONDAY - timedelta(seconds=1))
        assert tick() == Done()
        clock.move_to(MONDAY)
        assert tick() == Done(rotated=1)
        assert subjects() == ["A new secret of Acme workspace key waits to be collected"]
        assert tick() == Done()
        assert subjects() == []
        assert loaded(acme.workspace_key).next_rotation_at == MONDAY + 7 * DAY

    def test_one_that_ends_before_its_turn_is_not_warned_of_it(
        self, acme: Company, clock: Traveller, tick: Any
    ) -> None:
        update(acme, acme.workspace_key, rotation_policy=WEEKLY, expires_at=MONDAY - HOUR)
        clock.move_to(MONDAY - DAY)
        tick()
        assert subjects() == ["Acme workspace key expires soon"]

    def test_after_a_pause_the_key_is_valid_and_rotates_once(
        self, acme: Company, clock: Traveller, tick: Any, call: Any
    ) -> None:
        """RV-10: with the job down a key works on, and what was missed is done once, not once for each turn."""
        update(acme, acme.workspace_key, rotation_policy=WEEKLY)
        clock.move_to(MONDAY + 20 * DAY)
        assert call("GET", "/v1/whoami", acme.secrets["workspace_key"]).status_code == 200
        assert tick().rotated == 1
        assert loaded(acme.workspace_key).next_rotation_at == MONDAY + 21 * DAY

    def test_while_a_secret_waits_a_turn_is_left_out(self, acme: Company, clock: Traveller, tick: Any) -> None:
        """Else whoever collects it after two weeks would have the calendar take it away at once."""
        update(acme, acme.workspace_key, rotation_policy=WEEKLY)
        clock.move_to(MONDAY)
        tick()
        clock.move_to(MONDAY + 7 * DAY)
        assert tick() == Done(put_off=1, secrets_erased=1)
        made = rotation.rotate(loaded(acme.workspace_key), by=UserActor(acme.owner))
        assert tick() == Done()
        assert loaded(acme.workspace_key).mask == made.secret.mask

    @pytest.mark.parametrize("state", ["disabled", "revoked", "suspended", "archived", "expired"])
    def test_what_is_closed_is_left_alone(self, acme: Company, clock: Traveller, tick: Any, state: str) -> None:
        key, owner = acme.workspace_key, UserActor(acme.owner)
        update(acme, key, rotation_policy=WEEKLY, expires_at=START + HOUR if state == "expired" else None)
        {
            "disabled": lambda: apikeys.disable(loaded(key), by=owner),
            "revoked": lambda: apikeys.revoke(loaded(key), by=owner),
            "suspended": lambda: organizations.set_status(
                acme.organization, Organization.Status.SUSPENDED, by=system()
            ),
            "archived": lambda: workspaces.archive(acme.workspace, by=owner),
            "expired": lambda: None,
        }[state]()
        before = loaded(key).mask
        for at in (MONDAY - DAY, MONDAY):
            clock.move_to(at)
            done = tick()
            assert (done.rotated, done.warned, done.failed) == (0, 0, 0)
        assert loaded(key).mask == before
        assert not Notice.objects.exclude(kind="expired").exists()


class TestTransitions:
    @pytest.fixture
    def rotate(self, acme: Company, clock: Traveller, django_capture_on_commit_callbacks: Any) -> Any:
        def rotated(length: timedelta) -> None:
            with django_capture_on_commit_callbacks(execute=True):
                rotation.rotate(loaded(acme.workspace_key), transition=length, by=UserActor(acme.owner))
            outgoing.outbox.clear()

        return rotated

    def test_the_end_of_an_old_secret_is_told_a_day_ahead(self, rotate: Any, clock: Traveller, tick: Any) -> None:
        rotate(3 * DAY)
        assert tick() == Done()
        clock.shift(2 * DAY)
        assert tick() == Done(warned=1)
        assert subjects() == ["The old secret of Acme workspace key ends soon"]
        assert tick() == Done()

    def test_of_a_short_one_nobody_is_warned(self, rotate: Any, clock: Traveller, tick: Any) -> None:
        rotate(DAY)
        clock.shift(HOUR)
        assert tick() == Done()

    def test_nobody_has_collected_the_new_one(self, acme: Company, clock: Traveller, tick: Any) -> None:
        rhythm = {**WEEKLY, "key_transition_period_ms": 2 * DAY // timedelta(milliseconds=1)}
        update(acme, acme.workspace_key, rotation_policy=rhythm)
        clock.move_to(MONDAY)
        tick()
        clock.shift(DAY)
        outgoing.outbox.clear()
        tick()
        assert "Nobody has collected the new secret yet" in outgoing.outbox[0].body

    def test_an_old_secret_is_erased_when_it_has_ended(
        self, acme: Company, rotate: Any, clock: Traveller, tick: Any
    ) -> None:
        rotate(HOUR)
        clock.shift(HOUR)
        assert tick() == Done(secrets_erased=1)
        assert loaded(acme.workspace_key).previous_digest is None


class TestEnds:
    def test_are_told_a_day_ahead_and_when_they_have_come(self, acme: Company, clock: Traveller, tick: Any) -> None:
        update(acme, acme.workspace_key, expires_at=START + 3 * DAY)
        assert tick() == Done()
        clock.shift(2 * DAY)
        assert tick() == Done(warned=1)
        assert subjects() == ["Acme workspace key expires soon"]
        clock.shift(DAY - timedelta(milliseconds=1))
        assert tick() == Done()
        clock.shift(timedelta(milliseconds=1))
        assert tick() == Done(expired=1)
        assert subjects() == ["Acme workspace key has expired"]
        clock.shift(DAY)
        assert tick() == Done()
        assert subjects() == []
        line = AuditEvent.objects.get(event="api_key.expired")
        assert (line.actor_kind, line.target_id) == ("system", str(acme.workspace_key.pk))

    def test_one_that_moved_is_told_anew(self, acme: Company, clock: Traveller, tick: Any) -> None:
        update(acme, acme.workspace_key, expires_at=START + HOUR)
        tick()
        clock.shift(2 * HOUR)
        tick()
        outgoing.outbox.clear()
        update(acme, acme.workspace_key, expires_at=START + 5 * HOUR)
        assert tick() == Done(warned=1)
        clock.shift(5 * HOUR)
        assert tick() == Done(expired=1)
        assert subjects() == ["Acme workspace key expires soon", "Acme workspace key has expired"]
        assert lines("api_key.expired") == 2

    def test_a_key_made_for_a_few_hours_is_not_warned_of(self, acme: Company, clock: Traveller, tick: Any) -> None:
        apikeys.issue(
            acme.workspace,
            name="Brief",
            scopes=["completions.write"],
            expires_at=START + DAY,
            by=UserActor(acme.owner),
        )
        clock.shift(HOUR)
        assert tick() == Done()
        clock.shift(DAY)
        assert tick() == Done(expired=1)

    def test_news_of_long_ago_are_not_told(self, acme: Company, clock: Traveller, tick: Any) -> None:
        update(acme, acme.workspace_key, expires_at=START + HOUR)
        clock.shift(upkeep.LATEST_NEWS + HOUR)
        assert tick() == Done()


class TestLetters:
    def test_that_did_not_leave_are_sent_again_after_ten_minutes(
        self, acme: Company, clock: Traveller, tick: Any
    ) -> None:
        """The process died between the commit and the queue: on_commit never ran."""
        update(acme, acme.workspace_key, expires_at=START + HOUR)
        assert upkeep.run(BY).warned == 1
        assert outgoing.outbox == []
        clock.shift(upkeep.UNSENT_FOR - timedelta(seconds=1))
        assert tick() == Done()
        clock.shift(timedelta(seconds=1))
        assert tick() == Done(letters_sent_again=1)
        assert subjects() == ["Acme workspace key expires soon"]
        assert tick() == Done()

    def test_are_not_put_into_the_queue_at_every_tick(self, acme: Company, clock: Traveller) -> None:
        update(acme, acme.workspace_key, expires_at=START + 5 * HOUR)
        upkeep.run(BY)
        clock.shift(upkeep.UNSENT_FOR)
        assert [upkeep.run(BY).letters_sent_again for _ in range(3)] == [1, 0, 0]
        clock.shift(HOUR)
        assert upkeep.run(BY).letters_sent_again == 1

    def test_a_failed_one_is_tried_again_by_the_tick(
        self, acme: Company, clock: Traveller, tick: Any, monkeypatch: Any
    ) -> None:
        update(acme, acme.workspace_key, expires_at=START + 5 * HOUR)
        with monkeypatch.context() as patched:
            patched.setattr(mail.EmailMultiAlternatives, "send", lambda self: (_ for _ in ()).throw(TimeoutError))
            tick()
        assert subjects() == []
        clock.shift(mail.LEASE)
        assert tick() == Done(letters_sent_again=1)
        assert subjects() == ["Acme workspace key expires soon"]


class TestRowsNobodyNeeds:
    def test_old_notices_go_and_unsent_ones_stay(
        self, acme: Company, clock: Traveller, tick: Any, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr(upkeep, "BATCH", 2)
        kept = {"organization": acme.organization, "key": acme.workspace_key, "kind": "leaked"}
        for number in range(5):
            Notice.objects.create(**kept, about=START + number * DAY, sent_at=START)
        clock.shift(upkeep.NOTICES_KEPT)
        assert tick() == Done()
        clock.shift(timedelta(seconds=1))
        assert tick() == Done(notices_removed=5)

    def test_callers_not_seen_for_a_month_go(
        self, acme: Company, clock: Traveller, tick: Any, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr(upkeep, "BATCH", 2)
        kept = {"organization": acme.organization, "key": acme.workspace_key, "first_at": START}
        for number in range(5):
            Caller.objects.create(**kept, agent=f"curl/{number}", at=START)
        Caller.objects.create(**kept, agent="curl/seen", at=START + DAY)
        clock.shift(upkeep.CALLERS_KEPT + HOUR)
        assert tick() == Done(callers_removed=5)
        assert Caller.objects.get().agent == "curl/seen"

    def test_answers_of_yesterday_are_forgotten(self, acme: Company, clock: Traveller, tick: Any) -> None:
        KeptAnswer.objects.create(
            organization=acme.organization,
            actor_id=acme.owner.pk,
            key="k",
            call="c",
            digest=b"d",
            status=200,
            answer="",
        )
        clock.shift(2 * DAY)
        assert tick() == Done(answers_forgotten=1)


def test_one_key_that_fails_stops_no_other(acme: Company, clock: Traveller, tick: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(upkeep, "BATCH", 1)
    keys = [acme.organization_key, acme.workspace_key, acme.user_key]
    for key in keys:
        update(acme, key, rotation_policy=WEEKLY)
    clock.move_to(MONDAY)
    plain, broken = rotation.rotate_by_calendar, acme.workspace_key.pk

    def rotate(key: ApiKey, *, by: SystemActor) -> bool:
        if key.pk == broken:
            raise ZeroDivisionError
        return plain(key, by=by)

    with monkeypatch.context() as patched:
        patched.setattr(rotation, "rotate_by_calendar", rotate)
        assert tick() == Done(rotated=2, failed=1)
    assert tick() == Done(rotated=1)


def test_one_step_that_fails_stops_no_other(acme: Company, clock: Traveller, tick: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(rotation, "forget_ended_transitions", lambda: 1 / 0)
    update(acme, acme.workspace_key, expires_at=START + HOUR)
    clock.shift(HOUR)
    assert tick() == Done(expired=1, failed=1)


def test_what_is_due_is_found_by_a_constant_number_of_queries(acme: Company, clock: Traveller) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert upkeep.run(BY) == Done()
        return len(queries)

    before = asked()
    assert before <= 14
    for number in range(20):
        apikeys.issue(
            acme.workspace,
            name=f"Key {number}",
            scopes=["completions.write"],
            rotation_policy=WEEKLY,
            expires_at=START + 90 * DAY,
            by=UserActor(acme.owner),
        )
    assert asked() == before


def test_the_tick_says_what_it_did_in_one_line(acme: Company, clock: Traveller, capsys: Any) -> None:
    update(acme, acme.workspace_key, expires_at=START + HOUR)
    call_command("tick")
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("Keys: 0 rotated, 0 put off, 1 warned, 0 expired, ")
    assert said[0].endswith("0 failed.")


def test_the_task_does_the_same(acme: Company, clock: Traveller) -> None:
    update(acme, acme.workspace_key, expires_at=now() + HOUR)
    assert "1 warned" in upkeep.keep_up.enqueue().return_value
