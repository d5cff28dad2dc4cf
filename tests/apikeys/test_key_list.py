"""What the list of keys says of their use, what it is narrowed and sorted by, and acts on many at once."""

import csv
import io
import re
import secrets
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.apikeys import bulk, policy, uses
from apps.apikeys import operations as apikeys
from apps.apikeys.models import ApiKey, ScopeUse
from apps.audit.models import AuditEvent
from apps.core.clock import now
from apps.core.models import new_id
from apps.memberships import operations as memberships
from tests.apikeys.test_pages import keys, keys_there, make, names, text
from tests.world import Company, World, system

DAY = timedelta(days=1)


pytestmark = pytest.mark.usefixtures("noting")


def aged(key: ApiKey, days: int) -> ApiKey:
    """The same key, made so long ago; what nothing may change is changed behind the walls' back."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE apikeys_apikey DISABLE TRIGGER USER")
        else:
            _let_through(cursor)
        ApiKey.objects.filter(pk=key.pk).update(created_at=now() - days * DAY)
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE apikeys_apikey ENABLE TRIGGER USER")
    key.refresh_from_db()
    return key


def _let_through(cursor: Any) -> None:
    cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'apikeys_apikey'")
    for (name,) in cursor.fetchall():
        cursor.execute(f'DROP TRIGGER "{name}"')


def use(key: ApiKey, *, days: float = 0, agent: str = "tests/1", scopes: Any = ()) -> datetime:
    at: datetime = now() - days * DAY
    uses.note(key, at=at, address="10.1.2.3", agent=agent, route="GET /v1/whoami", scopes=scopes)
    return at


def told(answer: Any) -> list[dict[str, str]]:
    content = b"".join(answer.streaming_content if answer.streaming else [answer.content]).decode()
    return list(csv.DictReader(io.StringIO(content.removeprefix("\ufeff"))))


class TestTheColumns:
    def test_say_when_and_from_where_a_key_was_used(self, sign_in: Any, acme: Company) -> None:
        use(acme.user_key, agent="portkey-ai/2.3.4", days=3)
        shown = text(sign_in(acme.owner).get(keys(acme)))
        assert re.search(r'title="[^"]+from 10\.1\.2\.3 \(portkey-ai/2\.3\.4\), GET /v1/whoami">3 days ago<', shown)
        assert shown.count("never</td>") == 0
        assert ">never<" in shown.replace(" ", "")

    def test_say_how_many_scopes_are_not_used(self, sign_in: Any, acme: Company) -> None:
        key = aged(make(acme, "wide", scopes=["completions.write", "prompts.read", "prompts.list"]), 40)
        use(key, scopes=["completions.write"])
        use(key, days=31, scopes=["prompts.read"])
        ScopeUse.objects.create(key=key, organization=acme.organization, scope="configs.read", at=now())  # taken since
        shown = text(sign_in(acme.owner).get(f"{keys(acme)}?q=wide"))
        assert "3 scopes" in shown
        assert "2 unused" in shown

    def test_call_nothing_unused_before_a_key_is_old_enough(self, sign_in: Any, acme: Company) -> None:
        make(acme, "young", scopes=["completions.write", "prompts.read"])
        assert "unused" not in text(sign_in(acme.owner).get(f"{keys(acme)}?q=young")).partition('id="list"')[2]

    def test_say_what_state_its_secrets_are_in(self, sign_in: Any, acme: Company) -> None:
        ends = now() + DAY
        ApiKey.objects.filter(pk=acme.user_key.pk).update(previous_digest=b"x" * 32, transition_ends_at=ends)
        ApiKey.objects.filter(pk=acme.workspace_key.pk).update(awaits_collection=True)
        shown = text(sign_in(acme.owner).get(keys(acme)))
        assert shown.count("Two secrets until") == 1
        assert (
            shown.count('aria-hidden="true"></use></svg>New secret waits') + shown.count("New secret waits</span>") >= 1
        )


class TestTheFilters:
    @pytest.fixture
    def narrowed(self, sign_in: Any, acme: Company) -> Any:
        browser = sign_in(acme.owner)
        return lambda query: names(browser.get(f"{keys(acme)}?{query}"))

    def test_find_what_was_never_used(self, acme: Company, narrowed: Any) -> None:
        use(acme.user_key)
        aged(acme.workspace_key, 31)
        assert narrowed("attention=never") == {"Acme workspace key", "Acme organization key"}
        assert narrowed("attention=forgotten") == {"Acme workspace key"}

    def test_find_what_was_not_used_for_long(self, acme: Company, narrowed: Any) -> None:
        use(acme.user_key, days=91)
        use(acme.organization_key, days=89)
        assert narrowed("attention=idle") == {"Acme user key"}
        aged(acme.workspace_key, 91)
        assert narrowed("attention=idle") == {"Acme user key", "Acme workspace key"}

    def test_find_keys_of_people_who_are_away(self, acme: Company, narrowed: Any) -> None:
        assert narrowed("attention=suspended") == narrowed("attention=left") == set()
        memberships.suspend(acme.membership(acme.member), by=system())
        assert narrowed("attention=suspended") == {"Acme user key"}
        acme.organization.memberships.filter(user=acme.member).delete()
        assert narrowed("attention=suspended") == set()
        assert narrowed("attention=left") == {"Acme user key"}

    def test_find_what_is_not_as_the_policies_ask(self, acme: Company, narrowed: Any) -> None:
        assert narrowed("attention=policy") == set()
        policy.change(acme.workspace, expiry_required=True, by=system())
        assert narrowed("attention=policy") == {"Acme workspace key", "Acme user key"}
        policy.change(acme.workspace, expiry_required=False, max_days=10, by=system())
        ApiKey.objects.filter(pk=acme.user_key.pk).update(expires_at=now() + 9 * DAY)
        assert narrowed("attention=policy") == {"Acme workspace key"}
        ApiKey.objects.filter(pk=acme.user_key.pk).update(expires_at=now() + 11 * DAY)
        assert narrowed("attention=policy") == {"Acme workspace key", "Acme user key"}
        policy.change(acme.organization, addresses_required=True, by=system())
        assert narrowed("attention=policy") == {"Acme workspace key", "Acme user key", "Acme organization key"}

    @pytest.mark.parametrize(
        "asked", [{}, {"expiry_required": True}, {"max_days": 20}, {"service_only": True}, {"addresses_required": True}]
    )
    @pytest.mark.parametrize("above", [{}, {"max_days": 30}, {"service_only": True}])
    def test_agree_with_the_policy_itself(self, acme: Company, narrowed: Any, asked: Any, above: Any) -> None:
        for number, days in enumerate((None, 10, 25, 40)):
            make(acme, f"key {number}", expires_at=now() + days * DAY if days else None)
        policy.change(acme.workspace, **asked, by=system())
        policy.change(acme.organization, **above, by=system())
        acme.workspace.refresh_from_db()
        acme.organization.refresh_from_db()
        acme.workspace.organization = acme.organization
        of_place = policy.violating(acme.workspace, policy.binding(acme.workspace))
        of_rest = policy.violating(acme.organization, policy.binding(acme.organization))
        assert narrowed("attention=policy") == {key.name for key in (*of_place, *of_rest)}

    def test_find_scopes_that_are_not_used(self, acme: Company, narrowed: Any) -> None:
        thrifty = aged(make(acme, "thrifty", scopes=["completions.write"]), 31)
        aged(make(acme, "lavish", scopes=["completions.write", "prompts.read"]), 31)
        make(acme, "young", scopes=["completions.write", "prompts.read"])
        use(thrifty, scopes=["completions.write"])
        assert narrowed("attention=scopes") == {"lavish"}

    def test_find_secrets_on_the_move(self, acme: Company, narrowed: Any) -> None:
        ends = now() + DAY
        ApiKey.objects.filter(pk=acme.user_key.pk).update(previous_digest=b"x" * 32, transition_ends_at=ends)
        ApiKey.objects.filter(pk=acme.workspace_key.pk).update(awaits_collection=True)
        assert narrowed("attention=transition") == {"Acme user key"}
        assert narrowed("attention=waiting") == {"Acme workspace key"}

    def test_are_shown_and_can_be_taken_off(self, sign_in: Any, acme: Company) -> None:
        shown = text(sign_in(acme.owner).get(f"{keys(acme)}?attention=never&kind=workspace-user"))
        assert f'href="{keys(acme)}?kind=workspace-user"' in shown
        assert f'href="{keys(acme)}?attention=never"' in shown


class TestTheOrder:
    def _walk(self, browser: Any, address: str, sort: str) -> list[str]:
        found, after = [], None
        for _ in range(9):
            page = browser.get(address, {"sort": sort, "size": "25", **({"after": after} if after else {})}).context[
                "page"
            ]
            found += [key.name for key in page.rows]
            after = page.older
            if after is None:
                return found
        raise AssertionError("The pages have no end.")

    def _back(self, browser: Any, address: str, sort: str) -> list[str]:
        page = browser.get(address, {"sort": sort, "size": "25"}).context["page"]
        while page.older:
            page = browser.get(address, {"sort": sort, "size": "25", "after": page.older}).context["page"]
        found = [key.name for key in page.rows]
        while page.newer:
            page = browser.get(address, {"sort": sort, "size": "25", "before": page.newer}).context["page"]
            found = [*(key.name for key in page.rows), *found]
        return found

    def test_by_last_use_holds_every_key_once_both_ways(self, sign_in: Any, acme: Company) -> None:
        made = [make(acme, f"key {number:02}") for number in range(60)]
        for number, key in enumerate(made):
            if number % 2:
                use(key, days=number)
        browser = sign_in(acme.owner)
        latest = self._walk(browser, keys(acme), "-used")
        assert latest[:30] == [f"key {number:02}" for number in range(1, 60, 2)]
        assert len(set(latest)) == len(latest) == 63
        assert self._walk(browser, keys(acme), "used") == latest[::-1]
        assert self._back(browser, keys(acme), "-used") == latest
        assert self._back(browser, keys(acme), "used") == latest[::-1]

    def test_by_expiry_has_those_without_an_end_at_its_end(self, sign_in: Any, acme: Company) -> None:
        for number in range(60):
            make(acme, f"key {number:02}", expires_at=now() + (number + 1) * DAY if number % 2 else None)
        browser = sign_in(acme.owner)
        first = self._walk(browser, keys(acme), "expires")
        assert first[:30] == [f"key {number:02}" for number in range(1, 60, 2)]
        assert len(set(first)) == len(first) == 63
        assert self._walk(browser, keys(acme), "-expires") == first[::-1]
        assert self._back(browser, keys(acme), "expires") == first

    @pytest.mark.parametrize("sort", ["used", "-used", "expires"])
    @pytest.mark.parametrize(
        "after", ["~eA-" + "0" * 32, "~-" + "0" * 32, "5-" + "0" * 32, "~MjAyNi0wMS0wMQ-" + "0" * 32]
    )
    def test_takes_made_up_bookmarks_calmly(self, sign_in: Any, acme: Company, sort: str, after: str) -> None:
        assert sign_in(acme.owner).get(keys(acme), {"sort": sort, "after": after}).status_code in {200, 400}

    @pytest.mark.parametrize("sort", ["-used", "used", "expires", "-expires", "name", "-created"])
    def test_is_served_by_an_index(self, sign_in: Any, acme: Company, sort: str) -> None:
        """Each statement enters an index in its order: with sequential scans and sorts forbidden, none is left."""
        if connection.vendor != "postgresql":
            pytest.skip("SQLite plans otherwise.")
        for number in range(30):
            key = make(acme, f"key {number:02}", expires_at=now() + number * DAY + DAY if number % 3 else None)
            if number % 2:
                use(key, days=number)
        browser = sign_in(acme.owner)
        with CaptureQueriesContext(connection) as spent:
            browser.get(keys(acme), {"sort": sort, "size": "25"})
        pages = [
            each["sql"]
            for each in spent
            if "ORDER BY" in each["sql"] and " LIMIT 26" in each["sql"] and "created_at" in each["sql"]
        ]
        assert pages
        with connection.cursor() as cursor:
            cursor.execute(
                "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off"
            )
            for statement in pages[:1]:
                cursor.execute(f"EXPLAIN {statement}")
                plan = "\n".join(line for (line,) in cursor.fetchall())
                assert INDEXES[sort.removeprefix("-")] in plan, plan


INDEXES = {
    "used": "keys_by_last_use",
    "expires": "keys_by_expiry",
    "name": "keys_by_name",
    "created": "keys_newest_first",
}


class TestTheCost:
    @pytest.mark.parametrize("person", ["owner", "manager", "member"])
    @pytest.mark.parametrize(
        "query", ["", "sort=-used", "sort=used", "sort=expires", "attention=policy", "attention=scopes"]
    )
    def test_is_the_same_for_few_and_for_many(
        self, sign_in: Any, acme: Company, django_assert_max_num_queries: Any, person: str, query: str
    ) -> None:
        browser = sign_in(acme[person])
        for address in (keys(acme), keys_there(acme)):
            browser.get(address)
            for headers in ({}, {"hx-request": "true"}):
                with django_assert_max_num_queries(8):
                    assert browser.get(f"{address}?{query}", headers=headers).status_code == 200
            for number in range(20):
                use(make(acme, f"key {number}", user=acme.member if number % 2 else None), scopes=["completions.write"])


class TestTheFile:
    def test_has_the_columns_of_use(self, sign_in: Any, acme: Company) -> None:
        use(acme.user_key, agent="=cmd", scopes=acme.user_key.scopes[:1])
        row = next(r for r in told(sign_in(acme.owner).get(f"{keys(acme)}?format=csv")) if r["name"] == "Acme user key")
        assert row["last used from"] == "10.1.2.3"
        assert row["last used by"] == "'=cmd"
        assert row["last used for"] == "GET /v1/whoami"
        assert (row["callers in the last hour"], row["scopes used in 30 days"]) == ("1", "1")
        assert row["last used"]

    @pytest.mark.parametrize("sort", ["-used", "used", "expires", "-expires", "name"])
    def test_holds_every_key_in_each_order(self, sign_in: Any, acme: Company, sort: str) -> None:
        use(acme.user_key)
        rows = told(sign_in(acme.owner).get(f"{keys(acme)}?format=csv&sort={sort}"))
        assert len(rows) == 3


def test_a_link_to_somebodys_keys_reads_as_their_address(acme: Company, sign_in: Any) -> None:
    page = sign_in(acme.owner).get(f"{keys(acme)}?owner={acme.member.pk}")
    assert f'value="{acme.member.email}"' in page.content.decode()
    assert names(page) == {acme.user_key.name}


class TestActingOnMany:
    @pytest.fixture
    def act(self, sign_in: Any, acme: Company) -> Any:
        def acted(person: str, act: str, chosen: Any = (), **more: Any) -> Any:
            given = {"act": act, "chosen": [str(key.pk) for key in chosen], **more}
            return sign_in(acme[person]).post(f"{keys(acme)}together/", given)

        return acted

    def test_says_first_what_would_happen(self, acme: Company, act: Any) -> None:
        use(acme.user_key)
        answer = act("owner", "disable", [acme.user_key, acme.workspace_key])
        assert "It would change 2 keys. Nothing has happened yet." in text(answer)
        assert "1 caller in the last hour" in text(answer)
        assert not ApiKey.objects.filter(status="disabled").exists()

    def _confirmed(self, act: Any, person: str, name: str, chosen: Any, **more: Any) -> Any:
        seen = act(person, name, chosen, **more).context["seen"]
        return act(person, name, chosen, confirmed="on", seen=seen, **more)

    def test_disables_each_and_writes_each_down(self, acme: Company, act: Any) -> None:
        answer = self._confirmed(act, "owner", "disable", [acme.user_key, acme.workspace_key])
        assert "Done for 2 keys." in text(answer)
        assert ApiKey.objects.filter(status="disabled").count() == 2
        assert AuditEvent.objects.filter(event="api_key.disabled").count() == 2

    def test_sets_an_end_where_one_was_chosen(self, acme: Company, act: Any) -> None:
        asked = act("owner", "expiry", [acme.user_key])
        assert "verdicts" not in asked.context
        assert "Choose when they are to end" in text(asked)
        self._confirmed(act, "owner", "expiry", [acme.user_key, acme.workspace_key], expires="30")
        assert {key.expires_at.date() for key in ApiKey.objects.filter(workspace=acme.workspace)} == {
            (now() + 30 * DAY).date()
        }

    def test_says_of_each_what_the_policy_does_not_allow(self, acme: Company, act: Any) -> None:
        policy.change(acme.workspace, max_days=10, by=system())
        answer = self._confirmed(act, "owner", "expiry", [acme.user_key, acme.organization_key], expires="30")
        results = {each.key.name: (each.is_done, each.said) for each in answer.context["results"]}
        assert results["Acme user key"] == (False, "Keys here live at most 10 days.")
        assert results["Acme organization key"][0] is True

    def test_revokes_once_the_name_is_typed(self, acme: Company, act: Any) -> None:
        refused = self._confirmed(act, "owner", "revoke", [acme.user_key], typed="Globex")
        assert refused.status_code == 400
        assert not ApiKey.objects.filter(status="revoked").exists()
        self._confirmed(act, "owner", "revoke", [acme.user_key], typed="Acme")
        assert ApiKey.objects.get(status="revoked") == acme.user_key

    def test_as_many_as_can_be_chosen_can_be_confirmed(self, acme: Company, sign_in: Any) -> None:
        """The form as a browser sends it: its fields, counted, are fewer than a request may have."""
        for _ in range(bulk.MOST):
            copy = ApiKey.objects.get(pk=acme.workspace_key.pk)
            copy.pk, copy.digest, copy.status = new_id(), secrets.token_bytes(32), "disabled"
            copy.save(force_insert=True)
        browser, page = sign_in(acme.owner), f"{keys(acme)}together/"
        shown = browser.post(page, {"act": "disable", "everybody": "on"}).content.decode()
        given: dict[str, list[str]] = {}
        for name, value in re.findall(r'<input type="(?:hidden|checkbox)" name="(seen|chosen)" value="([^"]*)"', shown):
            given.setdefault(name, []).append(value)
        assert len(given["chosen"]) == bulk.MOST
        answer = browser.post(page, {"act": "disable", **given, "confirmed": "on"})
        assert (answer.status_code, answer.context["failed"]) == (200, 0)

    def test_does_nothing_that_was_not_shown(self, acme: Company, act: Any) -> None:
        seen = act("owner", "disable", [acme.user_key]).context["seen"]
        apikeys.update(acme.user_key, name="changed", by=system())
        answer = act("owner", "disable", [acme.user_key], confirmed="on", seen=seen)
        assert answer.status_code == 409
        assert not ApiKey.objects.filter(status="disabled").exists()

    def test_refuses_what_somebody_may_not(self, acme: Company, act: Any) -> None:
        answer = self._confirmed(act, "member", "disable", [acme.user_key, acme.workspace_key])
        assert [each.is_done for each in answer.context["results"]] == [False]  # the other one is not there for them
        assert not ApiKey.objects.filter(status="disabled").exists()
        self._confirmed(act, "member", "revoke", [acme.user_key], typed="Acme")
        assert ApiKey.objects.get(status="revoked") == acme.user_key  # their own (P5)

    def test_knows_nothing_of_a_neighbours_keys(self, world: World, act: Any) -> None:
        answer = act("owner", "disable", [world.globex.user_key])
        assert answer.context["verdicts"] == []
        assert "Globex" not in text(answer)

    def test_reaches_all_that_a_filter_finds(self, acme: Company, act: Any) -> None:
        use(acme.user_key)
        answer = act("owner", "disable", everybody="on", filter="attention=never&q=acme")
        found = {each.key.name for each in answer.context["verdicts"]}
        assert found == {"Acme workspace key", "Acme organization key"}
        inside = act("owner", "disable", everybody="on", filter="", workspace=acme.workspace.slug)
        assert {each.key.name for each in inside.context["verdicts"]} == {"Acme workspace key", "Acme user key"}

    def test_costs_the_same_to_foresee_for_few_and_for_many(
        self, acme: Company, sign_in: Any, django_assert_max_num_queries: Any
    ) -> None:
        browser = sign_in(acme.owner)
        browser.get(keys(acme))
        many = [make(acme, f"key {number}") for number in range(30)]
        for chosen in ([acme.user_key], many):
            given = {"act": "disable", "chosen": [str(key.pk) for key in chosen]}
            with django_assert_max_num_queries(8):
                browser.post(f"{keys(acme)}together/", given)
