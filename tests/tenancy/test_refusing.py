"""What the log is told of calls that are refused whole: by keys that are not let in, and too often."""

import uuid
from typing import Any

import pytest

from apps.access.actors import UserActor
from apps.apikeys import operations as apikeys
from apps.audit import refusals
from apps.audit.models import INSTALLATION, AuditEvent, AuditFold
from apps.tenancy import refusing
from apps.tenancy.refusing import Tally
from tests.console.desk import latest, lines
from tests.world import Company

KEY = "gtho_" + "a" * 38


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusing.junk, "due", Tally().due)


class TestKeys:
    def test_one_that_is_revoked_is_a_line_of_its_organization(self, call: Any, acme: Company) -> None:
        before = latest()
        key = acme.workspace_key
        apikeys.disable(key, by=UserActor(acme.owner))
        assert call("GET", "/v1/whoami", acme.secrets["workspace_key"]).status_code == 401
        line = lines(before)[-1]
        assert (line.event, line.code, line.status) == ("credentials.refused", 401, "refused")
        assert (line.chain, line.workspace_id, line.target_id) == (acme.organization.pk, acme.workspace.pk, str(key.pk))
        assert (line.method, line.uri, line.actor_kind, line.actor_id) == ("GET", "/v1/whoami", "key", key.pk)

    def test_one_that_was_revoked_is_too(self, call: Any, acme: Company) -> None:
        apikeys.revoke(acme.workspace_key, by=UserActor(acme.owner))
        before = latest()
        assert call("GET", "/v1/whoami", acme.secrets["workspace_key"]).status_code == 401
        (line,) = lines(before)
        assert (line.event, line.chain, line.actor_id) == (
            "credentials.refused",
            acme.organization.pk,
            acme.workspace_key.pk,
        )

    @pytest.mark.usefixtures("counted")
    def test_what_is_no_key_is_a_line_of_the_installation(self, call: Any, acme: Company) -> None:
        before = latest()
        for _ in range(3):
            assert call("GET", "/v1/whoami", KEY).status_code == 401
        (line,) = lines(before)
        assert (line.chain, line.event, line.actor_kind, line.count) == (
            INSTALLATION,
            "credentials.refused",
            "nobody",
            1,
        )
        assert KEY not in str(line.names) + str(line.details) + line.uri

    @pytest.mark.usefixtures("counted")
    def test_a_call_without_any_key_is_no_news(self, call: Any, acme: Company) -> None:
        before = latest()
        assert call("GET", "/v1/whoami").status_code == 401
        assert lines(before) == []

    def test_junk_is_counted_and_written_once_a_second(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = iter([0.0, 0.1, 0.2, 1.5, 1.6, 1.7])
        monkeypatch.setattr("apps.tenancy.refusing.time.monotonic", lambda: next(clock))
        tally = Tally()
        assert [tally.due("a"), tally.due("a"), tally.due("a"), tally.due("a"), tally.due("a"), tally.due("b")] == [
            *(1, 0, 0, 3, 0),
            1,
        ]


class TestAddresses:
    @pytest.mark.parametrize(
        ("asked", "kept"),
        [
            ("/v1/admin/users/member@acme.example", "/v1/admin/users/…"),
            ("/v1/admin/users/gthw_0123456789abcdef", "/v1/admin/users/****"),
        ],
    )
    def test_say_neither_a_secret_nor_whose_it_is(self, call: Any, acme: Company, asked: str, kept: str) -> None:
        before = latest()
        call("GET", asked, acme.secrets["user_key"], None, **{"x-portkey-trace-id": acme.secrets["workspace_key"]})
        (line,) = lines(before)
        assert line.uri == kept
        assert acme.secrets["workspace_key"] not in line.request_id


class TestPace:
    def test_a_call_that_comes_too_fast_is_a_line(self, call: Any, acme: Company, monkeypatch: Any) -> None:
        before = latest()
        monkeypatch.setattr("apps.apikeys.leaks.A_MINUTE", 0)
        assert call("POST", "/v1/leaked-keys", None, {"token": KEY}).status_code == 429
        (line,) = lines(before)
        assert (line.event, line.code, line.uri) == ("call.throttled", 429, "/v1/leaked-keys")


class TestFolding:
    def test_what_is_repeated_within_a_minute_is_counted(self, acme: Company, monkeypatch: Any) -> None:
        before, by = latest(), UserActor(acme.member)
        for _ in range(5):
            refusals.refused("workspaces.delete", actor=by, place=acme.workspace)
        assert [line.count for line in lines(before)] == [1]
        assert refusals.settle() == 0  # its minute is not over
        later = refusals.now() + 2 * refusals.WINDOW
        monkeypatch.setattr("apps.audit.refusals.now", lambda: later)
        assert refusals.settle() == 1
        first, more = lines(before)
        assert (more.count, more.details["repeats"], more.event, more.code) == (4, first.sequence, first.event, 403)
        assert more.names == first.names
        assert refusals.settle() == 0

    def test_the_next_one_after_the_minute_writes_the_count_first(self, acme: Company, monkeypatch: Any) -> None:
        before, by = latest(), UserActor(acme.member)
        for _ in range(3):
            refusals.refused("workspaces.delete", actor=by, place=acme.workspace)
        later = refusals.now() + 2 * refusals.WINDOW
        monkeypatch.setattr("apps.audit.refusals.now", lambda: later)
        refusals.refused("workspaces.delete", actor=by, place=acme.workspace)
        assert [line.count for line in lines(before)] == [1, 2, 1]

    def test_a_flood_of_addresses_is_none_of_lines(self, call: Any, acme: Company) -> None:
        apikeys.revoke(acme.workspace_key, by=UserActor(acme.owner))
        before = latest()
        for _ in range(10):
            assert call("GET", f"/v1/api-keys/{uuid.uuid4()}", acme.secrets["workspace_key"]).status_code == 401
        assert len(lines(before)) == 1
        assert AuditFold.objects.get(line=lines(before)[0].pk).count == 9

    def test_a_count_that_is_settled_meanwhile_loses_no_refusal(self, acme: Company, monkeypatch: Any) -> None:
        """Whoever waits for the count of a refusal may find it gone, and starts another."""
        gone: list[int] = []
        filtered = AuditFold.objects.select_for_update

        def settled_first() -> Any:
            if not gone:
                gone.append(AuditFold.objects.all().delete()[0])
            return filtered()

        monkeypatch.setattr(AuditFold.objects, "select_for_update", settled_first)
        before = latest()
        refusals.refused("workspaces.delete", actor=UserActor(acme.member), place=acme.workspace)
        assert (gone, len(lines(before))) == ([1], 1)

    @pytest.mark.parametrize("other", ["action", "person", "place"])
    def test_another_refusal_is_a_line_of_its_own(self, acme: Company, other: str) -> None:
        before = latest()
        refusals.refused("workspaces.delete", actor=UserActor(acme.member), place=acme.workspace)
        refusals.refused(
            "workspaces.update" if other == "action" else "workspaces.delete",
            actor=UserActor(acme.manager if other == "person" else acme.member),
            place=acme.organization if other == "place" else acme.workspace,
        )
        assert [line.count for line in lines(before)] == [1, 1]

    def test_no_refusal_is_lost_or_counted_twice(self, acme: Company, monkeypatch: Any) -> None:
        """However they fall on the minutes, the counts add up to what happened."""
        before, at = latest(), refusals.now()
        for number in range(50):
            moment = at + number * refusals.WINDOW / 7
            monkeypatch.setattr("apps.audit.refusals.now", lambda moment=moment: moment)
            refusals.refused("workspaces.delete", actor=UserActor(acme.member), place=acme.workspace)
            if number % 11 == 0:
                refusals.settle()
        monkeypatch.setattr("apps.audit.refusals.now", lambda: at + 60 * refusals.WINDOW)
        refusals.settle()
        assert sum(line.count for line in AuditEvent.objects.filter(pk__gt=before)) == 50
