"""The published description: complete, valid, for anybody, and readable without anything from elsewhere."""

import json
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver

from apps.tenancy.docs import description
from tests.api.endpoints import ENDPOINTS
from tests.world import Company

OPERATIONS = [
    (path, method, operation)
    for path, operations in description()["paths"].items()
    for method, operation in operations.items()
]
OPEN = {"/leaked-keys"}  # for anybody, with or without a key


def test_is_valid_and_made_without_a_warning(tmp_path: Any) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yml"))


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_is_for_anybody(db: None, client: Client, version: str, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        answer = client.get(f"/{version}/schema")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer.json() == json.loads(json.dumps(description()))


def test_describes_every_endpoint_once() -> None:
    [table] = [pattern for pattern in get_resolver().url_patterns if str(pattern.pattern) == "v1/"]
    served = {
        method
        for pattern in table.url_patterns
        for method in [
            (pattern.name, verb) for verb in getattr(pattern.callback, "actions", None) or {} if verb != "head"
        ]
    }
    assert len(OPERATIONS) == len(served)
    templates = {path.replace("{id}", "{}") for path, _, _ in OPERATIONS}
    for endpoint in ENDPOINTS:
        path = endpoint.path
        for name in ("organization_key", "workspace_key", "user_key"):
            path = path.replace(f"{{{name}}}", "{}")
        path = path.replace("/api-keys/organisation/service", "/api-keys/{type}/{sub_type}")
        path = path.replace("/api-keys/workspace/service", "/api-keys/{type}/{sub_type}")
        assert path.replace("/api-keys/workspace/user", "/api-keys/{type}/{sub_type}") in templates


@pytest.mark.parametrize(
    ("path", "method", "operation"), OPERATIONS, ids=lambda value: value if isinstance(value, str) else ""
)
class TestEveryOperation:
    def test_says_what_it_does_and_where_it_belongs(self, path: str, method: str, operation: Any) -> None:
        assert operation["summary"].endswith(".")
        assert operation["tags"]

    def test_declares_its_refusals(self, path: str, method: str, operation: Any) -> None:
        refusals = {"400", "401", "403", "404"} | ({"409", "413"} if method != "get" else set())
        refusals = {"400", "413", "429"} if path in OPEN else refusals
        refusals |= {"422"} if method == "post" and not path.endswith("/can") and path not in OPEN else set()
        if method == "post" and path.endswith(("/invites", "/resend")):
            refusals.add("429")
        assert set(operation["responses"]) == {"200"} | refusals
        for status in refusals:
            shape = operation["responses"][status]["content"]["application/json"]["schema"]
            assert shape == {"$ref": "#/components/schemas/Error"}

    def test_answers_json_and_takes_a_key_in_either_header(self, path: str, method: str, operation: Any) -> None:
        assert list(operation["responses"]["200"]["content"]) == ["application/json"]
        assert operation["security"] == ([{}] if path in OPEN else [{"ApiKey": []}, {"Bearer": []}])

    def test_describes_the_body_it_reads(self, path: str, method: str, operation: Any) -> None:
        is_bare = (
            method == "get" or path.endswith("/resend") or (method == "delete" and not path.endswith("{workspace}"))
        )
        assert ("requestBody" not in operation) is is_bare


def test_the_keys_are_described() -> None:
    assert description()["components"]["securitySchemes"] == {
        "ApiKey": {"type": "apiKey", "in": "header", "name": "x-portkey-api-key"},
        "Bearer": {"type": "http", "scheme": "bearer", "description": "Heard only without x-portkey-api-key."},
    }


def test_both_versions_are_named_as_servers() -> None:
    assert [server["url"] for server in description()["servers"]] == ["/v1", "/v2"]


class TestThePageToReadItOn:
    def test_holds_no_script_and_no_style_of_its_own(self, db: None, client: Client) -> None:
        answer = client.get("/v1/docs")
        page = answer.content.decode()
        assert answer.status_code == 200
        assert "unsafe-inline" not in answer["Content-Security-Policy"]
        assert "<style" not in page
        assert page.count("<script") == page.count("<script src=")
        assert not answer.cookies

    def test_fetches_nothing_from_elsewhere(self, db: None, client: Client) -> None:
        page = client.get("/v1/docs").content.decode()
        sources = [part.partition('"')[0] for name in ('src="', 'href="') for part in page.split(name)[1:]]
        assert len(sources) == 4
        for source in sources:
            assert finders.find(source.removeprefix("/static/")), source

    def test_asks_nobody_who_they_are(self, acme: Company, client: Client) -> None:
        assert client.get("/v2/docs").status_code == 200
        assert client.post("/v1/docs").json()["errorCode"] == "AB04"
