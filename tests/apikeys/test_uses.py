"""What is noted of the use of keys: when, from where, for what; rarely, after the answer, and never in its way."""

import threading
import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.signals import request_finished
from django.db import DatabaseError, close_old_connections, connection, transaction
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext

from apps.apikeys import operations as apikeys
from apps.apikeys import uses
from apps.apikeys.models import AGENT_LENGTH, ApiKey, Caller, LastUse, ScopeUse
from apps.core.clock import now
from apps.tenancy.middleware import follow
from tests.world import Company, system

MINUTE = timedelta(minutes=1)


pytestmark = pytest.mark.usefixtures("noting")


def use(key: ApiKey, agent: str = "tests/1", address: str = "10.1.2.3", **more: Any) -> None:
    given = {"at": now(), "route": "GET /v1/whoami", "scopes": ()}
    uses.note(key, agent=agent, address=address, **{**given, **more})


def writes(queries: Any) -> list[str]:
    return [each["sql"].split()[2] for each in queries if each["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]


class TestACall:
    def test_needs_what_it_hands_on_too(self, acme: Company, call: Any) -> None:
        """Else "remove what was not used" would take what a key only gives to others."""
        path, master = "/v1/api-keys/workspace/service", acme.secrets["organization_key"]
        body = {"name": "n", "workspace_id": acme.workspace.slug, "scopes": ["prompts.read", "completions.write"]}
        assert call("POST", path, master, body).status_code == 200
        used = set(ScopeUse.objects.filter(key=acme.organization_key).values_list("scope", flat=True))
        assert used == {"workspace_service_api_keys.create", "prompts.read"}

    def test_is_noted_with_when_from_where_and_for_what(self, acme: Company, call: Any) -> None:
        answer = call("GET", "/v1/api-keys", acme.secrets["organization_key"], **{"User-Agent": "portkey-ai/2.3.4"})
        assert answer.status_code == 200
        last = LastUse.objects.get(key=acme.organization_key)
        assert (last.address, last.agent, last.route) == ("127.0.0.1", "portkey-ai/2.3.4", "GET /v1/api-keys")
        assert last.organization_id == acme.organization.pk
        assert now() - last.at < MINUTE
        caller = Caller.objects.get(key=acme.organization_key)
        assert (caller.address, caller.agent, caller.first_at, caller.at) == (
            "127.0.0.1",
            "portkey-ai/2.3.4",
            last.at,
            last.at,
        )

    def test_notes_the_scopes_it_was_asked_for(self, acme: Company, call: Any) -> None:
        call("GET", "/v1/admin/users", acme.secrets["organization_key"])
        assert set(ScopeUse.objects.values_list("key", "scope")) == {
            (acme.organization_key.pk, "organisation_users.list")
        }

    def test_never_notes_what_stood_in_the_path(self, acme: Company, call: Any) -> None:
        key = acme.workspace_key.pk
        call("GET", f"/v2/api-keys/{key}", acme.secrets["organization_key"])
        assert LastUse.objects.get(key=acme.organization_key).route == "GET /v2/api-keys/{id}"
        uses.notebook.clear()
        LastUse.objects.all().delete()
        call("POST", "/v1/api-keys/workspace/service", acme.secrets["organization_key"], {})
        assert LastUse.objects.get().route == "POST /v1/api-keys/{type}/{sub_type}"

    def test_that_is_refused_used_the_key_but_not_its_scopes(self, acme: Company, call: Any) -> None:
        """Leave the status out of the middleware, and this fails."""
        assert call("GET", "/v1/admin/users", acme.secrets["user_key"]).status_code == 403
        assert LastUse.objects.filter(key=acme.user_key).exists()
        assert not ScopeUse.objects.exists()

    @pytest.mark.parametrize("secret", ["gthw_nothing", None])
    def test_that_is_not_let_in_leaves_nothing(self, acme: Company, call: Any, secret: str | None) -> None:
        assert call("GET", "/v1/admin/users", secret).status_code == 401
        assert not LastUse.objects.exists()

    def test_with_a_disabled_key_leaves_nothing(self, acme: Company, call: Any) -> None:
        apikeys.disable(acme.workspace_key, by=system())
        assert call("GET", "/v1/whoami", acme.secrets["workspace_key"]).status_code == 401
        assert not LastUse.objects.exists()

    def test_is_answered_before_anything_is_written(self, acme: Company, rf: Any) -> None:
        request, answer = rf.get("/v1/whoami"), HttpResponse()
        request.auth, request.resolver_match = acme.user_key, None
        request.origin = acme.user_key.origin
        follow(request, answer)
        assert not LastUse.objects.exists()
        request_finished.disconnect(close_old_connections)
        answer.close()
        request_finished.connect(close_old_connections)
        assert LastUse.objects.exists()

    def test_is_not_broken_by_a_note_that_fails(self, acme: Company, call: Any, monkeypatch: Any) -> None:
        def broken(*args: Any) -> None:
            raise DatabaseError("out of paper")

        monkeypatch.setattr(uses, "_write", broken)
        assert call("GET", "/v1/whoami", acme.secrets["user_key"]).status_code == 200
        assert not LastUse.objects.exists()


class TestNoting:
    def test_a_thousand_uses_are_one_write(self, acme: Company) -> None:
        """AK-10."""
        with CaptureQueriesContext(connection) as spent, time_machine.travel(now(), tick=False):
            for _ in range(1000):
                use(acme.user_key, scopes=["completions.write"])
        assert sorted(writes(spent)) == ["apikeys_caller", "apikeys_lastuse", "apikeys_scopeuse"]

    def test_is_written_again_after_a_minute_with_all_that_was_seen_since(self, acme: Company) -> None:
        start = now()
        for second, agent in ((0, "a/1"), (1, "b/1"), (50, "a/1"), (59, "b/1")):
            use(acme.user_key, agent, at=start + timedelta(seconds=second))
        assert LastUse.objects.get().at == start
        assert set(Caller.objects.values_list("agent", "at")) == {
            ("a/1", start),
            ("b/1", start + timedelta(seconds=1)),
        }
        use(acme.user_key, "a/1", at=start + timedelta(seconds=61))
        assert LastUse.objects.get().at == start + timedelta(seconds=61)
        assert dict(Caller.objects.values_list("agent", "at")) == {
            "a/1": start + timedelta(seconds=61),
            "b/1": start + timedelta(seconds=59),
        }

    def test_a_new_caller_and_a_new_scope_are_written_at_once(self, acme: Company) -> None:
        use(acme.user_key)
        use(acme.user_key, "curl/8")
        use(acme.user_key, address="10.1.2.4")
        assert Caller.objects.count() == 3
        use(acme.user_key, scopes=["prompts.read"])
        assert ScopeUse.objects.get().scope == "prompts.read"

    def test_another_process_writes_nothing_twice_within_the_minute(self, acme: Company) -> None:
        start = now()
        use(acme.user_key, at=start)
        uses.notebook.clear()  # what another process knows
        use(acme.user_key, at=start + timedelta(seconds=30))
        assert LastUse.objects.get().at == start
        assert Caller.objects.get().at == start
        uses.notebook.clear()
        use(acme.user_key, at=start + timedelta(seconds=60))
        assert LastUse.objects.get().at == start + timedelta(seconds=60)
        assert Caller.objects.get().first_at == start

    def test_a_flood_of_callers_does_not_fill_the_table(self, acme: Company) -> None:
        start = now()
        for number in range(uses.NEWCOMERS + 50):
            use(acme.user_key, f"made-up/{number}", at=start)
        assert Caller.objects.count() == uses.NEWCOMERS
        uses.notebook.clear()  # nor does it with more processes
        with CaptureQueriesContext(connection) as spent:
            for number in range(uses.NEWCOMERS * 2):
                use(acme.user_key, f"again/{number}", at=start)
        assert Caller.objects.count() == uses.NEWCOMERS
        assert len(writes(spent)) <= uses.NEWCOMERS
        use(acme.user_key, "an-hour-later/1", at=start + timedelta(hours=2))
        assert Caller.objects.count() == uses.NEWCOMERS + 1

    def test_a_caller_that_is_known_is_kept_up_to_date_in_a_flood(self, acme: Company) -> None:
        start = now()
        use(acme.user_key, "honest/1", at=start)
        for number in range(uses.NEWCOMERS + 50):
            use(acme.user_key, f"made-up/{number}", at=start)
        uses.notebook.clear()
        use(acme.user_key, "honest/1", at=start + 2 * MINUTE)
        assert Caller.objects.get(agent="honest/1").at == start + 2 * MINUTE

    def test_remembers_no_more_than_it_may(self, acme: Company, monkeypatch: Any) -> None:
        monkeypatch.setattr(uses, "MOST_KEYS", 5)
        monkeypatch.setattr(uses, "MOST_CALLERS", 20)
        book = uses.Notebook()
        for number in range(200):
            some = uses.Use(uuid.uuid4(), uuid.uuid4(), now(), "", f"{number}", "", frozenset())
            for agent in range(9):
                book.take(some._replace(agent=str(agent)))
        keys, callers = book.size
        assert (keys <= 5, callers <= 29) == (True, True)

    def test_what_could_not_be_written_is_written_later(self, acme: Company, monkeypatch: Any) -> None:
        start = now()
        with monkeypatch.context() as paper:
            paper.setattr(uses, "_write", lambda entry: 1 / 0)
            use(acme.user_key, at=start, scopes=["prompts.read"])
        use(acme.user_key, "other/1", at=start + 2 * MINUTE)
        assert Caller.objects.count() == 2
        assert ScopeUse.objects.get().at == start

    def test_a_clock_set_back_does_not_silence_it(self, acme: Company) -> None:
        use(acme.user_key, at=now() + timedelta(days=1))
        uses_before = LastUse.objects.get().at
        entry = uses.notebook.take(
            uses.Use(acme.user_key.pk, acme.organization.pk, now(), "10.1.2.3", "tests/1", "", frozenset())
        )
        assert entry is not None
        assert uses_before > now()

    def test_never_touches_the_key(self, acme: Company) -> None:
        with CaptureQueriesContext(connection) as spent:
            use(acme.user_key, scopes=["prompts.read"])
        assert not any("apikeys_apikey" in each["sql"].replace("apikeys_apikeyword", "") for each in spent)

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ("portkey-ai/2.3.4 python", "portkey-ai/2.3.4 python"),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)",
                "Mozilla/5.0 AppleWebKit/537.36",
            ),
            ("evil\r\nSet-Cookie: x\x00\u202e", "evil Set-Cookie:"),
            ("", ""),
            ("x" * 5000, "x" * AGENT_LENGTH),
        ],
    )
    def test_keeps_a_short_name_of_the_program(self, given: str, kept: str) -> None:
        assert uses.program(given) == kept

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ("10.1.2.3", "10.1.2.3"),
            ("::ffff:10.1.2.3", "10.1.2.3"),
            ("2001:DB8:0:0::1", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("nonsense'; --", ""),
            ("", ""),
        ],
    )
    def test_keeps_one_spelling_of_an_address(self, acme: Company, given: str, kept: str) -> None:
        use(acme.user_key, address=given)
        assert Caller.objects.get().address == kept
        assert LastUse.objects.get().address == (kept or None)


@pytest.mark.postgresql
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
class TestSeveralAtOnce:
    def test_threads_and_processes_agree(self, world: Any, monkeypatch: Any) -> None:
        monkeypatch.setattr(uses, "_LOCK_WAIT_MS", 60_000)  # here every write must come through
        key = world.acme.user_key
        start, failed = now(), []

        def work(number: int) -> None:
            try:
                for turn in range(20):
                    book = uses.Notebook() if turn % 2 else uses.notebook  # now as another process, now as this one
                    entry = book.take(
                        uses.Use(
                            key.pk,
                            key.organization_id,
                            start,
                            "10.0.0.1",
                            f"p/{number % 3}",
                            "GET /",
                            frozenset({"prompts.read"}),
                        )
                    )
                    if entry:
                        uses._write(entry)
            except Exception as trouble:  # noqa: BLE001
                failed.append(trouble)
            finally:
                connection.close()

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert failed == []
        assert (LastUse.objects.count(), Caller.objects.count(), ScopeUse.objects.count()) == (1, 3, 1)

    def test_nobody_waits_for_whoever_holds_the_key(self, world: Any) -> None:
        """Let the table be written without a limit to the wait, and this hangs."""
        key, held, done = world.acme.user_key, threading.Event(), threading.Event()

        def hold() -> None:
            with transaction.atomic():
                ApiKey.objects.select_for_update().get(pk=key.pk)
                held.set()
                done.wait(20)
            connection.close()

        holder = threading.Thread(target=hold)
        holder.start()
        held.wait(20)
        start = time.monotonic()
        use(key)
        waited = time.monotonic() - start
        done.set()
        holder.join()
        assert waited < 5
        assert not LastUse.objects.exists()
        use(key, at=now() + MINUTE)
        assert LastUse.objects.exists()
