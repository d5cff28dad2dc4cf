"""Requests that are made to break what reads them."""

import io
from typing import Any

import pytest
from django.core.wsgi import get_wsgi_application
from django.test import Client

from apps.tenancy.wsgi import Application
from tests.world import Company

CHARSETS = ["zlib", "hex", "undefined", "idna", "unicode_escape", "utf-16", "nonsense", ""]


def answer_of(path: str, query: str, content_type: str, **headers: str) -> tuple[str, dict[str, str], bytes]:
    get_wsgi_application()
    said: dict[str, Any] = {}
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": content_type,
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "wsgi.input": io.BytesIO(),
        "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(),
        **headers,
    }

    def start(status: str, sent: list[tuple[str, str]], *args: Any) -> None:
        said.update(status=status, headers={name.lower(): value for name, value in sent})

    body = b"".join(Application()(environ, start))
    return said["status"], said["headers"], body


@pytest.mark.django_db(transaction=True)  # a real request closes its connection, and a test's transaction with it
def test_a_claimed_charset_is_not_followed(acme: Company) -> None:
    key = {"HTTP_X_PORTKEY_API_KEY": acme.secrets["organization_key"]}
    asked = (("/v1/whoami", "a=1", "200 OK"), ("/v1/admin/workspaces", "workspace_id=%5Cud800", "404 Not Found"))
    for charset in CHARSETS:
        for path, query, expected in asked:
            status, headers, body = answer_of(path, query, f"text/plain; charset={charset}", **key)
            assert status == expected, charset
            assert headers["x-portkey-trace-id"]
            assert body.startswith(b"{")


@pytest.mark.django_db
def test_a_cookie_that_spells_a_nul_is_no_cookie(client: Client) -> None:
    answer = client.get("/", headers={"cookie": 'sessionid="aaaaaaaaaaaa\\000bbbbbb"'})
    assert answer.status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["login", "signup", "password/reset"])
@pytest.mark.parametrize("target", ["http://[evil", "javascript:alert(1)", "//evil.example", "https://evil.example/"])
def test_a_target_that_is_no_page_of_ours_is_not_followed(client: Client, page: str, target: str) -> None:
    for answer in (
        client.get(f"/accounts/{page}/", {"next": target}),
        client.post(f"/accounts/{page}/", {"next": target}),
    ):
        assert answer.status_code in {200, 302}
        assert "evil" not in answer.headers.get("Location", "")
