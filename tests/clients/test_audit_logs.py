"""The audit log through Portkey's own Python client, which has no method for it: by its plain `get`."""

from collections.abc import Iterator
from typing import Any

import pytest
from portkey_ai import Portkey
from portkey_ai.api_resources import exceptions as refusals
from portkey_ai.api_resources.utils import GenericResponse

from tests.world import Company


@pytest.fixture
def portkey(live_server: Any, acme: Company) -> Iterator[Any]:
    """`portkey("workspace_key")` is a client with that key of Acme's."""
    made = []

    def client(key: str = "organization_key", version: str = "v1") -> Portkey:
        made.append(Portkey(api_key=acme.secrets[key], base_url=f"{live_server.url}/{version}"))
        return made[-1]

    yield client
    for opened in made:
        opened.close()


def read(client: Portkey, query: str = "") -> Any:
    return client.get(path=f"/audit-logs{query}", cast_to=GenericResponse)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_what_the_client_did_it_finds_in_the_log(acme: Company, portkey: Any, version: str) -> None:
    client = portkey(version=version)
    client.admin.workspaces.update(workspace_id=acme.workspace.slug, name="Find")
    answer = read(client)
    assert answer.object == "list"
    assert answer.total == len(answer.data) == len(answer.records)
    newest = answer.data[0]
    assert (newest["resource_type"], newest["action"], newest["method"]) == ("Workspaces", "Update", "PUT")
    assert newest["uri"] == f"/{version}/admin/workspaces/{acme.workspace.slug}"
    assert (newest["user_type"], newest["user_id"]) == ("api_key", str(acme.organization_key.pk))
    assert newest["response_status_code"] == 200


def test_it_narrows_and_pages(acme: Company, portkey: Any) -> None:
    client = portkey()
    client.admin.workspaces.update(workspace_id=acme.workspace.slug, name="Find")
    assert read(client, "?resource_type=Workspaces&action=Update").total == 1
    assert read(client, f"?organisation_id={acme.organization.pk}&start_time=2000-01-01T00:00:00Z&end_time="
                        "2000-02-01T00:00:00Z").total == 0  # fmt: skip
    whole = read(client)
    pages = [read(client, f"?page_size=4&current_page={page}").data for page in range(whole.total // 4 + 1)]
    assert [row["id"] for page in pages for row in page] == [row["id"] for row in whole.data]


def test_what_was_refused_is_in_it_too(acme: Company, portkey: Any) -> None:
    with pytest.raises(refusals.PermissionDeniedError):
        read(portkey("workspace_key"))
    [line] = read(portkey(), "?response_status_code=403").data
    assert (line["resource_type"], line["action"], line["uri"]) == ("Audit Logs", "Read", "/v1/audit-logs")
    assert line["user_id"] == str(acme.workspace_key.pk)


def test_a_mistake_is_said_as_the_client_expects(portkey: Any) -> None:
    with pytest.raises(refusals.BadRequestError, match="start_time"):
        read(portkey(), "?start_time=yesterday")
