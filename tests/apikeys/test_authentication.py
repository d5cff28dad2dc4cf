"""How a key is found by its secret, and what is no key at all."""

import itertools
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.db import connection, models
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from apps.access.actors import UserActor
from apps.access.scopes import KeyType
from apps.apikeys import lookup, secret
from apps.apikeys import operations as apikeys
from apps.apikeys.authentication import ApiKeyAuthentication
from apps.apikeys.models import ApiKey
from apps.apikeys.secret import PREFIXES, Secret, digests_of_key, new_key
from apps.core.clock import now
from apps.organizations.models import Organization
from apps.workspaces.models import Workspace
from tests.world import Company, World

TYPES = ("organization_key", "workspace_key", "user_key")


def by_the_rule(clear: str) -> ApiKey | None:
    found: ApiKey | None = (
        ApiKey.objects.with_places().presented(digests_of_key(clear)).not_revoked().order_by("pk").first()
    )
    return found


def columns_of(row: models.Model | None) -> dict[str, Any] | None:
    return row and {field.attname: plain(getattr(row, field.attname)) for field in row._meta.concrete_fields}


def plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def facts(key: ApiKey | None) -> Any:
    """All that a row, its places and its person say, and where Django believes that they are from."""
    if key is None:
        return None
    above = key.workspace and key.workspace.organization
    rows = (key, key.organization, key.workspace, above, key.user)
    return [(row and row._state.db, row and row._state.adding, columns_of(row)) for row in rows]


class TestTheOneQuery:
    """`lookup.find` is a shorter way to what the query set says, and finds nothing else."""

    def test_in_every_state_of_a_key_by_every_secret_it_is_what_the_rule_finds(
        self, acme: Company, settings: Any
    ) -> None:
        settings.KEY_PEPPERS = {3: "a" * 40, 2: "b" * 40, 1: "c" * 40}
        table = itertools.product(TYPES, ApiKey.Status, ("none", "runs", "ends now", "over"), settings.KEY_PEPPERS)
        heard = 0
        with time_machine.travel(now(), tick=False):
            for name, status, transition, pepper in table:
                kept: ApiKey = getattr(acme, name)
                current, before, unknown = (new_key(KeyType(kept.type)) for _ in range(3))
                ends = {"runs": timedelta(seconds=1), "ends now": timedelta(), "over": -timedelta(seconds=1)}
                ApiKey.objects.filter(pk=kept.pk).update(
                    status=status,
                    digest=secret._digest(current.clear, pepper),
                    previous_digest=None if transition == "none" else secret._digest(before.clear, pepper),
                    transition_ends_at=None if transition == "none" else now() + ends[transition],
                )
                for shown in (current, before, unknown):
                    found, expected = lookup.find(shown.clear), by_the_rule(shown.clear)
                    assert facts(found) == facts(expected), (name, status, transition, pepper, shown is current)
                    heard += found is not None
        # The current secret of what is not revoked, and in one state of four the one before.
        assert heard == len(TYPES) * 2 * len(settings.KEY_PEPPERS) * (4 + 1)

    @pytest.mark.parametrize("name", TYPES)
    def test_every_column_that_is_filled_is_read_as_the_orm_reads_it(self, acme: Company, name: str) -> None:
        """JSON, instants, flags and bytes, on the key, on its places and on its person."""
        kept: ApiKey = getattr(acme, name)
        for row in (kept, kept.organization, kept.workspace, kept.user):
            if row is not None:
                type(row)._base_manager.filter(pk=row.pk).update(**filled(row))
        found, expected = lookup.find(acme.secrets[name]), by_the_rule(acme.secrets[name])
        assert facts(found) == facts(expected)
        assert found is not None
        assert found.usage_limits == {"credit_limit": 5, "name": "ü"}
        assert found.is_let_in

    @pytest.mark.parametrize("name", TYPES)
    def test_what_a_call_asks_has_been_read(self, acme: Company, name: str, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(1):
            key = lookup.find(acme.secrets[name])
        assert key is not None
        with django_assert_num_queries(0):
            for row in (key, key.organization, key.workspace, key.workspace and key.workspace.organization, key.user):
                if row is not None:
                    read = {field.name for field in row._meta.concrete_fields} - lookup.LEFT[type(row)]
                    assert all(hasattr(row, column) for column in read)
                    assert row.get_deferred_fields() == lookup.LEFT[type(row)]

    def test_what_its_person_holds_there_is_what_they_would_be_asked_for(
        self, acme: Company, django_assert_num_queries: Any
    ) -> None:
        """Every role of both places, several at once and none: the one query says what the rows say by themselves."""
        places = (acme.workspace, acme.organization)
        groups = [group for place in places for group in place.role_groups.all()]
        for few in itertools.chain([groups, []], itertools.combinations(groups, 1), itertools.combinations(groups, 2)):
            acme.member.groups.set(few)
            key = lookup.find(acme.secrets["user_key"])
            assert key is not None
            with django_assert_num_queries(0):
                told = [key._person and key._person.held_in(place) for place in places]
            assert told == [UserActor(acme.member).held_in(place) for place in places], few

    def test_only_columns_that_exist_are_left_and_no_new_one_is(self) -> None:
        """A column that is added is read, until somebody writes here that no call asks for it."""
        assert set(lookup.LEFT) == {ApiKey, Organization, Workspace, get_user_model()}
        for model, left in lookup.LEFT.items():
            assert left < {field.attname for field in model._meta.concrete_fields}
            assert "password" in left or model is not get_user_model()

    def test_a_key_whose_type_is_not_what_its_secret_says_is_what_its_row_says(self, acme: Company) -> None:
        """No operation makes one; a row that was brought in by hand still opens its own place alone."""
        stray = new_key(KeyType.ORGANIZATION)
        ApiKey.objects.filter(pk=acme.user_key.pk).update(digest=stray.digest)
        found = lookup.find(stray.clear)
        assert facts(found) == facts(by_the_rule(stray.clear))
        assert found is not None
        assert found.place == acme.workspace

    @pytest.mark.parametrize("peppers", [1, 2])
    def test_the_database_looks_up_both_secrets_by_their_unique_indexes(self, acme: Company, peppers: int) -> None:
        """However many keys there are, and after the database has counted them."""
        many(acme.workspace, 2000)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        statement = lookup._statement(connection.vendor, ("organization", "workspace", "user"), peppers)
        told = explained(statement, [*digests_of_key(acme.secrets["user_key"]) * 2 * peppers, "revoked"])
        assert not re.search(r"SCAN (k|apikeys_apikey)\b|Seq Scan on apikeys_apikey|keys_in_transition", told), told
        for column in ("digest", "previous_digest"):
            assert re.search(rf"\({column}=\?\)|Index Cond: \({column} = ", told), told

    @pytest.mark.postgresql
    @pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite plans in no time")
    def test_postgresql_keeps_its_plan_where_it_may(
        self, acme: Company, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
    ) -> None:
        monkeypatch.setattr(connection.connection, "prepare_threshold", 2)
        monkeypatch.setitem(connection.settings_dict["OPTIONS"], "prepare_threshold", 2)
        with django_assert_num_queries(4):
            found = [lookup.find(acme.secrets["user_key"]) for _ in range(4)]
        assert {key and key.pk for key in found} == {acme.user_key.pk}
        assert facts(found[-1]) == facts(by_the_rule(acme.secrets["user_key"]))
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%previous_digest%'")
            assert cursor.fetchone() == (1,)


def filled(row: models.Model) -> dict[str, Any]:
    """Something in every column that may be empty and says nothing about who is let in."""
    later = now() + timedelta(days=1)
    by_name = {
        "usage_limits": {"credit_limit": 5, "name": "ü"},
        "rate_limits": [{"type": "requests", "unit": "rpm", "value": 1}],
        "defaults": {"metadata": {"team": None}},
        "alert_emails": ["a@acme.example"],
        "rotation_policy": {"rotation_period": "weekly"},
        "key_policy": {"must_end": True},
        "allowed_addresses": None,
        "preferences": {"columns": ["a", 1, 1.5, True, None]},
        "description": "'; \0"[:3] + "ü\n",
    }
    by_type = {"expires_at": later, "next_rotation_at": later, "last_rotated_at": later, "last_login": later}
    names = {field.name for field in row._meta.concrete_fields}
    return {name: value for name, value in {**by_name, **by_type}.items() if name in names}


def many(workspace: Workspace, count: int) -> None:
    one = {"organization": workspace.organization, "workspace": workspace, "type": KeyType.WORKSPACE, "name": "many"}
    kept = [new_key(KeyType.WORKSPACE) for _ in range(count)]
    ApiKey.objects.bulk_create(
        ApiKey(**one, name_key="many", digest=made.digest, pepper_version=1, mask=made.mask, scopes=["models.read"])
        for made in kept
    )


def explained(statement: str, parameters: list[Any]) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{statement}", parameters)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


class TestWhatACallCosts:
    """AK-10, and goal 4: recognising a key writes nothing and asks once."""

    @pytest.mark.parametrize("name", TYPES)
    def test_it_is_one_query_with_a_persons_rights_in_it(
        self, acme: Company, name: str, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(1) as asked:
            _, key = ApiKeyAuthentication().authenticate(request(acme.secrets[name])) or (None, None)
        assert key == getattr(acme, name)
        assert all(query["sql"].startswith("SELECT") for query in asked.captured_queries)

    def test_it_is_the_same_with_one_key_and_with_fifty(self, acme: Company, django_assert_num_queries: Any) -> None:
        for number in range(50):
            named = {"name": f"one of many {number}", "scopes": ["completions.write"]}
            apikeys.issue(acme.workspace, user=acme.member, by=UserActor(acme.owner), **named)
        with django_assert_num_queries(1):
            ApiKeyAuthentication().authenticate(request(acme.secrets["user_key"]))

    def test_a_second_call_in_the_same_minute_writes_nothing(self, acme: Company, call: Any) -> None:
        """The first one notes after its answer that the key is used, which no call waits for."""
        assert call("GET", "/v1/whoami", acme.secrets["user_key"]).status_code == 200
        with CaptureQueriesContext(connection) as asked:
            assert call("GET", "/v1/whoami", acme.secrets["user_key"]).status_code == 200
        assert asked.captured_queries
        assert all(query["sql"].startswith("SELECT") for query in asked.captured_queries)

    @pytest.mark.parametrize("path", ["/v1/whoami", "/v1/organisations"])
    def test_an_ordinary_call_reads_nothing_of_the_key_or_its_organization_again(
        self, acme: Company, call: Any, path: str
    ) -> None:
        with CaptureQueriesContext(connection) as asked:
            assert call("GET", path, acme.secrets["organization_key"]).status_code == 200
        tables = 'FROM "apikeys_apikey"', 'FROM "organizations_organization"'
        again = [query["sql"] for query in asked.captured_queries if any(table in query["sql"] for table in tables)]
        assert len(again) == 1


def request(clear: str | None, **sent: str) -> Request:
    return Request(RequestFactory().get("/v1/whoami", **({"HTTP_X_PORTKEY_API_KEY": clear} if clear else {}), **sent))


# As a server hands them over: each byte of a header is one character.
def over_the_wire(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


JUNK = {
    "nothing": "",
    "a blank": " ",
    "a word": "nonsense",
    "a wrong checksum": "gtho_" + "a" * 38,
    "a character too few": "gtho_" + "a" * 37,
    "a character too many": "gtho_" + "a" * 39,
    "another prefix": "gthx_" + "a" * 38,
    "a prefix alone": "gtho_",
    "a megabyte": "gtho_" + "a" * 1_000_000,
    "a statement": "' OR 1=1--",
    "a NUL": "gtho_\0" + "a" * 37,
    "a spelt NUL": "gtho_%00" + "a" * 35,
    "a lone surrogate": "gtho_\ud800" + "a" * 37,
    "a surrogate over the wire": over_the_wire("gtho_\ud800" + "a" * 35),
    "an emoji": "gtho_" + "🔑" * 38,
    "an emoji over the wire": over_the_wire("gtho_" + "🔑" * 9 + "aa"),
    "bytes above ASCII": "gtho_" + "\xff\x80" * 19,
    "digits of another script": "gtho_" + "٣" * 38,
    "line breaks": "gtho_\r\nx: y" + "a" * 32,
    "a format": "gtho_%s%(x)s{}" + "a" * 29,
}


class TestWhatIsNoKey:
    """AK-03, AK-04, AK-08."""

    @pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
    @pytest.mark.parametrize("header", ["HTTP_X_PORTKEY_API_KEY", "HTTP_AUTHORIZATION"])
    def test_junk_is_401_and_no_query(
        self, world: World, header: str, junk: str, django_assert_num_queries: Any
    ) -> None:
        sent = junk if header == "HTTP_X_PORTKEY_API_KEY" else f"Bearer {junk}"
        client = Client(raise_request_exception=False)
        with django_assert_num_queries(0):
            answer = client.get("/v1/whoami", **{header: sent})
        assert answer.status_code == 401
        assert answer["content-type"] == "application/json"

    @given(st.text(max_size=60), st.sampled_from([*PREFIXES.values(), ""]))
    @examples(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_no_text_at_all_is_an_error_or_a_query(
        self, world: World, django_assert_num_queries: Any, text: str, prefix: str
    ) -> None:
        with django_assert_num_queries(0), pytest.raises(AuthenticationFailed):
            ApiKeyAuthentication().authenticate(request(None, HTTP_X_PORTKEY_API_KEY=prefix + text))

    @pytest.mark.parametrize("body", ["' OR 1=1--", "\0", "%s", '"; DROP TABLE x; --', "\\", "{}", "$1", "\x7f"])
    def test_what_carries_its_own_checksum_is_looked_up_and_stays_a_value(self, acme: Company, body: str) -> None:
        """Anybody can compute a checksum; what reaches the database is a digest all the same."""
        odd, plainly = (sealed("gthu_", text) for text in (body, "a"))
        statements = []
        for clear in (odd, plainly):
            with CaptureQueriesContext(connection) as asked, pytest.raises(AuthenticationFailed):
                ApiKeyAuthentication().authenticate(request(clear))
            statements.append([without_values(query["sql"]) for query in asked.captured_queries])
        assert statements[0] == statements[1]
        assert len(statements[0]) == 1

    @pytest.mark.parametrize("sent", ["Bearer", "Bearer ", "Basic abc", "", "bearer\t", "Bearer\0x", "\ud800"])
    def test_without_a_bearer_nothing_was_shown(self, world: World, sent: str, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(0):
            assert ApiKeyAuthentication().authenticate(request(None, HTTP_AUTHORIZATION=sent)) is None


def sealed(prefix: str, body: str) -> str:
    beginning = prefix + body.ljust(32, "a")
    return beginning + secret._checksum(beginning)


def without_values(statement: str) -> str:
    return re.sub(r"'[^']*'(::\w+)?", "?", statement)


class TestWhereAKeyIsShown:
    """AK-04, contract 1.0: the key's own header wins, and `Authorization` is not even looked at beside it."""

    def test_the_bearer_is_heard_where_there_is_no_header_of_ours(self, acme: Company) -> None:
        shown = request(None, HTTP_AUTHORIZATION=f"Bearer {acme.secrets['user_key']}")
        assert ApiKeyAuthentication().authenticate(shown) == (None, acme.user_key)

    @pytest.mark.parametrize("bearer", ["Bearer OPENAI_API_KEY", "Bearer {other}", "Basic eDp5", "\0"])
    def test_whatever_stands_beside_a_key_is_ignored(self, acme: Company, bearer: str) -> None:
        """The Python client always sends `Authorization: Bearer OPENAI_API_KEY`."""
        beside = bearer.format(other=acme.secrets["organization_key"])
        shown = request(acme.secrets["user_key"], HTTP_AUTHORIZATION=beside)
        assert ApiKeyAuthentication().authenticate(shown) == (None, acme.user_key)

    @pytest.mark.parametrize("junk", ["", "junk", "gtho_" + "a" * 38])
    def test_a_good_bearer_does_not_make_up_for_junk_in_the_header(self, acme: Company, junk: str) -> None:
        beside = f"Bearer {acme.secrets['user_key']}"
        shown = request(None, HTTP_X_PORTKEY_API_KEY=junk, HTTP_AUTHORIZATION=beside)
        with pytest.raises(AuthenticationFailed):
            ApiKeyAuthentication().authenticate(shown)

    def test_two_keys_in_one_header_are_none(self, acme: Company) -> None:
        """A server joins a header that is sent twice with a comma."""
        both = f"{acme.secrets['user_key']},{acme.secrets['organization_key']}"
        with pytest.raises(AuthenticationFailed):
            ApiKeyAuthentication().authenticate(request(both))

    def elsewhere(self, clear: str) -> Iterator[dict[str, Any]]:
        for name in ("x-portkey-api-key", "api_key", "apiKey", "key", "authorization", "access_token"):
            yield {"QUERY_STRING": f"{name}={clear}"}
            yield {"HTTP_COOKIE": f"{name}={clear}"}
        yield from ({header: clear} for header in ("HTTP_X_API_KEY", "HTTP_API_KEY", "HTTP_AUTHORIZATION"))
        yield {"HTTP_AUTHORIZATION": f"Basic {clear}"}
        yield {"HTTP_PROXY_AUTHORIZATION": f"Bearer {clear}"}

    def test_no_other_place_is_looked_at(self, acme: Company, django_assert_num_queries: Any) -> None:
        for sent in self.elsewhere(acme.secrets["organization_key"]):
            with django_assert_num_queries(0):
                assert ApiKeyAuthentication().authenticate(request(None, **sent)) is None, sent
                assert Client().get("/v1/whoami", **sent).status_code == 401, sent

    def test_a_key_is_heard_from_where_it_may_be_called(self, acme: Company) -> None:
        ApiKey.objects.filter(pk=acme.user_key.pk).update(allowed_addresses=["10.0.0.0/8"])
        client = Client(headers={"x-portkey-api-key": acme.secrets["user_key"]})
        assert client.get("/v1/whoami", REMOTE_ADDR="10.1.2.3").status_code == 200
        assert client.get("/v1/whoami", REMOTE_ADDR="11.1.2.3").status_code == 401


def test_a_secret_that_is_refused_stands_in_no_answer(acme: Company) -> None:
    clear = Secret(sealed("gtho_", "whatever")).clear
    answer = Client().get("/v1/whoami", headers={"x-portkey-api-key": clear})
    assert answer.status_code == 401
    assert clear not in answer.content.decode() + str(answer.headers)
