"""How the API refuses: one body, a true status, and nothing that a stranger could learn from."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from apps.access.actors import UserActor
from apps.apikeys import operations as apikeys
from apps.apikeys.models import ApiKey
from apps.audit.models import AuditEvent
from apps.core.clock import now
from apps.memberships import operations as memberships
from apps.workspaces import operations as workspaces
from tests.api.endpoints import ENDPOINTS, NAMING, Endpoint, filled, ids, new_key, rolled_back, says
from tests.conftest import key_named
from tests.world import Company, World, system

MISSING = {"user": uuid.uuid4(), "invite": uuid.uuid4(), "workspace": "ws-nothing-000000"}


class TestWhoIsNotLetIn:
    """AK-03, AK-04, AK-06, AK-08."""

    @pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
    def test_nobody_gets_in_without_a_key(self, acme: Company, call: Any, endpoint: Endpoint) -> None:
        answer = call(endpoint.method, endpoint.of(acme))
        assert says(answer, 401, "AB02")
        assert answer["WWW-Authenticate"] == "Bearer"

    JUNK = [
        "nonsense",
        "gtho_" + "a" * 38,  # the checksum is wrong
        "gtho_" + "a" * 37,
        "gthx_" + "a" * 38,
        "gthi_" + "a" * 38,
        "x" * 1_000_000,
        "' OR 1=1--",
        "gtho_\0" + "a" * 37,
        "gtho_%00" + "a" * 35,
        "gtho_\x80\xff" + "a" * 36,
        "gtho_" + "é" * 38,
        " ",
    ]

    @pytest.mark.parametrize("junk", JUNK, ids=lambda junk: ascii(junk[:20]))
    @pytest.mark.parametrize("header", ["x-portkey-api-key", "authorization"])
    def test_junk_is_refused_without_a_query(
        self, world: World, call: Any, django_assert_num_queries: Any, header: str, junk: str
    ) -> None:
        sent = {header: junk if header == "x-portkey-api-key" else f"Bearer {junk}"}
        with django_assert_num_queries(0):
            assert says(call("GET", "/v1/admin/users", **sent), 401, "AB02")

    def test_nor_does_a_signed_in_browser_beside_the_junk_cost_one(
        self, acme: Company, sign_in: Any, django_assert_num_queries: Any
    ) -> None:
        browser = sign_in(acme.owner)
        with django_assert_num_queries(0):
            assert browser.get("/v1/admin/users", headers={"x-portkey-api-key": "junk"}).status_code == 401
            assert browser.get("/v1/admin/users").status_code == 401

    def test_a_session_is_no_credential_and_is_left_alone(self, acme: Company, sign_in: Any) -> None:
        answer = sign_in(acme.owner).get("/v1/whoami", headers=acme.headers())
        assert answer.status_code == 200
        assert not answer.cookies

    @pytest.mark.parametrize("scheme", ["Bearer {}", "bearer {}", "BEARER   {}"])
    def test_the_bearer_form_is_the_same_key(self, acme: Company, call: Any, scheme: str) -> None:
        secret = acme.secrets["workspace_key"]
        plain, bearer = (
            call("GET", "/v1/whoami", secret),
            call("GET", "/v1/whoami", authorization=scheme.format(secret)),
        )
        assert bearer.json() == plain.json()

    def test_the_key_header_wins_over_the_bearer(self, acme: Company, call: Any) -> None:
        """The Python client always sends `Authorization: Bearer OPENAI_API_KEY`."""
        answer = call("GET", "/v1/whoami", acme.secrets["workspace_key"], authorization="Bearer OPENAI_API_KEY")
        assert answer.json()["id"] == str(acme.workspace_key.pk)
        assert call("GET", "/v1/whoami", "junk", authorization=f"Bearer {acme.secrets['user_key']}").status_code == 401

    @pytest.mark.parametrize(
        "headers",
        [
            {"authorization": "{}"},
            {"authorization": "Basic {}"},
            {"x-api-key": "{}"},
            {"cookie": "x-portkey-api-key={}"},
        ],
        ids=str,
    )
    def test_no_other_header_is_heard(self, acme: Company, call: Any, headers: dict[str, str]) -> None:
        sent = {name: value.format(acme.secrets["organization_key"]) for name, value in headers.items()}
        assert says(call("GET", "/v1/whoami", **sent), 401, "AB02")

    @pytest.mark.parametrize("name", ["api_key", "x-portkey-api-key", "key"])
    def test_no_key_is_taken_from_the_address(self, acme: Company, call: Any, name: str) -> None:
        assert call("GET", f"/v1/whoami?{name}={acme.secrets['organization_key']}").status_code == 401

    def dead_keys(self, acme: Company) -> Iterator[tuple[str, str]]:
        owner = UserActor(acme.owner)
        for name in ("revoked", "disabled", "expired"):
            made = apikeys.issue(acme.workspace, name=name, scopes=["workspaces.read"], by=owner)
            changes = {"expired": {"expires_at": now() - timedelta(seconds=1)}}.get(name, {"status": name})
            ApiKey.objects.filter(pk=made.key.pk).update(**changes)
            yield name, made.secret.clear
        unknown = apikeys.issue(acme.workspace, name="unknown", scopes=["workspaces.read"], by=owner)
        ApiKey.objects.filter(pk=unknown.key.pk).delete()
        yield "unknown", unknown.secret.clear
        yield "of a suspended person", new_key(acme.workspace, user=acme.manager)
        memberships.suspend(acme.membership(acme.manager), by=system())
        yield "of an archived workspace", new_key(acme.other_workspace)
        workspaces.archive(acme.other_workspace, by=system())

    def test_whatever_is_wrong_with_a_key_the_answer_is_the_same(self, acme: Company, call: Any) -> None:
        secrets = dict(self.dead_keys(acme))
        answers = {name: call("GET", "/v1/whoami", secret) for name, secret in secrets.items()}
        assert all(says(answer, 401, "AB02") for answer in answers.values())
        assert len({answer.content for answer in [*answers.values(), call("GET", "/v1/whoami", "junk")]}) == 1
        assert "Unauthorised Request" in answers["unknown"].json()["message"]


class TestWhatIsNotAllowed:
    def test_the_refusal_names_the_action_the_place_and_who_may(self, acme: Company, call: Any) -> None:
        answer = call(
            "PUT", f"/v1/admin/users/{acme.member.pk}", new_key(acme.organization, ["organisations.read"]), {}
        )
        assert says(answer, 403, "AB03")
        error = answer.json()["error"]
        assert (error["action"], error["place"]) == ("organisation_users.update", "Acme")
        assert error["roles"] == ["Organization owner", "Organization admin"]

    def test_a_workspace_is_named_where_the_action_is_the_workspaces(self, acme: Company, call: Any) -> None:
        answer = call(
            "GET", f"/v1/admin/workspaces/{acme.workspace.slug}/users", new_key(acme.workspace, ["prompts.read"])
        )
        assert says(answer, 403, "AB03")
        assert (answer.json()["error"]["action"], answer.json()["error"]["place"]) == (
            "workspace_users.list",
            "Acme Search",
        )


class TestOverreach:
    """To hand out more than one holds is 400 to the caller, and a refusal to those who read the log."""

    def refusals(self) -> list[tuple[Any, ...]]:
        lines = AuditEvent.objects.filter(event="access.refused", status="refused")
        return [(line.actor_id, line.target_id, line.workspace_id, line.details["action"]) for line in lines]

    def test_of_scopes_is_one_line(self, acme: Company, call: Any) -> None:
        secret = new_key(acme.workspace, ["workspace_service_api_keys.create"])
        body = {"name": "New", "scopes": ["workspaces.update", "workspace_users.create"]}
        assert says(call("POST", "/v1/api-keys/workspace/service", secret, body), 400, "AB01")
        asking, place = key_named(secret).pk, acme.workspace.pk
        assert self.refusals() == [(asking, str(place), place, "workspace_users.create")]

    def test_of_a_role_is_one_line(self, acme: Company, call: Any) -> None:
        secret = new_key(acme.organization, ["organisation_users.create"])
        body = {"email": "new@elsewhere.example", "role": "admin"}
        assert says(call("POST", "/v1/admin/users/invites", secret, body), 400, "AB01")
        [(asking, place, workspace, action)] = self.refusals()
        assert (asking, place, workspace) == (key_named(secret).pk, str(acme.organization.pk), None)
        assert action

    def test_any_other_mistake_is_none(self, acme: Company, call: Any) -> None:
        body = {"name": "New", "scopes": ["nonsense"]}
        secret = acme.secrets["organization_key"]
        assert says(call("POST", "/v1/api-keys/organisation/service", secret, body), 400, "AB01")
        assert self.refusals() == []


class TestWhatIsNotThere:
    """TI-01: a stranger's thing and nothing at all are the same answer, byte for byte."""

    @pytest.mark.parametrize("key", ["organization_key", "workspace_key", "user_key"])
    @pytest.mark.parametrize("endpoint", NAMING, ids=str)
    def test_somebody_elses_is_nothing(self, world: World, call: Any, endpoint: Endpoint, key: str) -> None:
        secret, foreign = world.acme.secrets[key], ids(world.globex)
        nothing = {name: str(MISSING.get(name, uuid.uuid4())) for name in foreign}
        answers = [
            call(endpoint.method, f"/v1{endpoint.path.format(**named)}", secret, filled(endpoint.body, world.acme))
            for named in (foreign, nothing)
        ]
        assert answers[0].content == answers[1].content
        assert self.headers(answers[0]) == self.headers(answers[1])
        status = answers[0].status_code
        assert status == 403 or answers[0].content == call("GET", "/v1/not-even-served").content
        assert says(answers[0], status, {404: "AB08", 403: "AB03"}[status])
        assert status == 404 or key != "organization_key"

    @staticmethod
    def headers(answer: Any) -> dict[str, str]:
        return {name: value for name, value in answer.headers.items() if not name.startswith("x-portkey-")}

    @pytest.mark.parametrize("endpoint", NAMING, ids=str)
    def test_a_company_next_door_is_left_as_it_was(self, world: World, call: Any, endpoint: Endpoint) -> None:
        def rows() -> list[Any]:
            company = world.globex.organization
            related = ("memberships", "workspaces", "api_keys", "invitations")
            return [sorted(map(repr, getattr(company, name).values())) for name in related]

        before = rows()
        call(endpoint.method, endpoint.of(world.globex), world.acme.secrets["organization_key"], endpoint.body)
        assert rows() == before

    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
    @pytest.mark.parametrize(
        "path",
        ["/v1", "/v1/", "/v2", "/v2/", "/v1/configs", "/v1/prompts/x/completions", "/v1/admin", "/v1/admin/users/",
         "/v1/api-keys/3/turn", "/v1/api-keys/organisation/group", "/v1//whoami", "/v1/WHOAMI", "/v2/%00/%ff"],
    )  # fmt: skip
    def test_an_address_that_is_not_served_says_so(self, acme: Company, call: Any, method: str, path: str) -> None:
        assert says(call(method, path, acme.secrets["organization_key"]), 404, "AB08")
        assert says(call(method, path), 404, "AB08")

    @pytest.mark.parametrize("odd", ["%00", "%ff", "..", "a" * 5000, "%F0%9F%92%A9", "'--", "null", "-1", "{}"])
    @pytest.mark.parametrize("path", ["users", "users/invites", "workspaces", "workspaces/x/users"])
    def test_an_odd_id_is_nothing(self, acme: Company, call: Any, path: str, odd: str) -> None:
        assert says(call("GET", f"/v1/admin/{path}/{odd}", acme.secrets["organization_key"]), 404, "AB08")
        assert says(call("GET", f"/v1/api-keys/{odd}", acme.secrets["organization_key"]), 404, "AB08")


class TestMethods:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/v1/admin/users"),
            ("PATCH", "/v1/whoami"),
            ("DELETE", "/v1/admin/workspaces"),
            ("TRACE", "/v1/whoami"),
            ("PUT", "/v1/admin/users/invites/x"),
            ("GET", "/v1/api-keys/workspace/service"),
            ("POST", "/v1/schema"),
            ("OPTIONS", "/v1/admin/workspaces"),
            ("OPTIONS", "/v1/api-keys/x"),
            ("PROPFIND", "/v1/api-keys"),
        ],
    )
    def test_what_is_not_offered_is_405(self, acme: Company, call: Any, method: str, path: str) -> None:
        answer = call(method, path, acme.secrets["organization_key"])
        assert says(answer, 405, "AB04")
        assert "GET" in answer["Allow"] or "POST" in answer["Allow"]

    def test_head_is_get_without_the_body(self, acme: Company, call: Any) -> None:
        for path in ("/v1/admin/users?page_size=1", "/v1/whoami", f"/v1/admin/workspaces/{acme.workspace.slug}"):
            answer = call("HEAD", path, acme.secrets["organization_key"])
            assert (answer.status_code, answer.content) == (200, b"")

    def test_a_method_override_has_no_effect(self, acme: Company, call: Any) -> None:
        path = f"/v1/admin/users/{acme.member.pk}"
        answer = call("GET", path, acme.secrets["organization_key"], **{"x-http-method-override": "DELETE"})
        assert answer.json()["id"] == str(acme.member.pk)
        assert call("POST", f"{path}?_method=DELETE", acme.secrets["organization_key"], {}).status_code == 405
        assert acme.membership(acme.member)


class TestWhatBreaks:
    def test_a_failure_of_ours_is_said_in_the_same_words(
        self, acme: Company, call: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*args: Any, **kwargs: Any) -> None:
            raise RuntimeError("a secret detail")

        monkeypatch.setattr(workspaces, "create", fail)
        given = {"x-portkey-trace-id": "a-trace-of-mine"}
        answer = call("POST", "/v1/admin/workspaces", acme.secrets["organization_key"], {"name": "New"}, **given)
        assert says(answer, 500, "AB10")
        assert b"secret detail" not in answer.content
        assert answer["x-portkey-trace-id"] == "a-trace-of-mine"

    def test_nothing_is_half_done(self, acme: Company, call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*args: Any, **kwargs: Any) -> None:
            raise RuntimeError

        monkeypatch.setattr(memberships, "place_in_workspace", fail)
        body = {"name": "Half", "users": [str(acme.member.pk)]}
        assert call("POST", "/v1/admin/workspaces", acme.secrets["organization_key"], body).status_code == 500
        assert not acme.organization.workspaces.filter(name="Half").exists()

    def test_a_host_that_is_not_ours_is_refused_in_the_same_words(self, world: World, call: Any) -> None:
        assert says(call("GET", "/v1/whoami", host="evil.example"), 400, "AB01")

    def test_pages_keep_their_own_words(self, world: World, call: Any) -> None:
        answer = call("GET", "/there-is-no-such-page")
        assert (answer.status_code, answer["Content-Type"].split(";")[0]) == (404, "text/html")


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_every_answer_is_200_and_an_object(acme: Company, call: Any, endpoint: Endpoint) -> None:
    """An empty body, another status or an array would break the clients (contract 2.1.4)."""
    for version in ("v1", "v2"):
        cache.clear()  # both are asked in one breath, which some endpoints refuse for its haste
        with rolled_back(), CaptureQueriesContext(connection) as queries:
            body = filled(endpoint.body, acme)
            answer = call(endpoint.method, endpoint.of(acme, version), acme.secrets["organization_key"], body)
        if (answer.status_code, endpoint.path) == (409, "/admin/workspaces/{workspace}/users"):
            continue  # already on the team, in another role
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/json"), answer.content
        assert isinstance(answer.json(), dict)
        assert answer["x-portkey-trace-id"]
        assert endpoint.method != "GET" or len(queries) <= 8


def test_both_versions_serve_the_same_table() -> None:
    tables = [
        str(pattern.url_patterns) for pattern in get_resolver().url_patterns if str(pattern.pattern) in {"v1/", "v2/"}
    ]
    assert len(tables) == 2
    assert len(set(tables)) == 1
