"""Every endpoint the API serves, with the scope it declares and a body it takes; and how to ask and to be refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from apps.access.scopes import KeyType, every_scope
from apps.accounts.models import User
from apps.apikeys import operations as apikeys
from apps.organizations.models import Organization
from apps.workspaces.models import Workspace
from tests.world import Company, system

TYPES = {"organization_key": KeyType.ORGANIZATION, "workspace_key": KeyType.WORKSPACE, "user_key": KeyType.USER}


@dataclass(frozen=True)
class Endpoint:
    """One method on one address; any of `scopes` opens it, none means that any live key may ask."""

    method: str
    path: str
    scopes: tuple[str, ...] = ()
    body: Any = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def of(self, company: Company, version: str = "v1") -> str:
        return f"/{version}{self.path.format(**ids(company))}"


def ids(company: Company) -> dict[str, str]:
    """What the addresses name, in one company."""
    return {
        "user": str(company.member.pk),
        "invite": str(company.invitation.pk),
        "workspace": company.workspace.slug,
        "organization_key": str(company.organization_key.pk),
        "workspace_key": str(company.workspace_key.pk),
        "user_key": str(company.user_key.pk),
    }


def _users() -> Iterator[Endpoint]:
    one, invite = "/admin/users/{user}", "/admin/users/invites/{invite}"
    yield Endpoint("GET", "/admin/users", ("organisation_users.list",))
    yield Endpoint("GET", one, ("organisation_users.read",))
    yield Endpoint("PUT", one, ("organisation_users.update",), {"role": "member"})
    yield Endpoint("DELETE", one, ("organisation_users.delete",))
    yield Endpoint("GET", "/admin/users/invites", ("organisation_users.create",))
    new = {"email": "new@elsewhere.example", "role": "member"}
    yield Endpoint("POST", "/admin/users/invites", ("organisation_users.create",), new)
    yield Endpoint("GET", invite, ("organisation_users.create",))
    yield Endpoint("POST", f"{invite}/resend", ("organisation_users.create",))
    yield Endpoint("DELETE", invite, ("organisation_users.delete",))


def _workspaces() -> Iterator[Endpoint]:
    one, member = "/admin/workspaces/{workspace}", "/admin/workspaces/{workspace}/users/{user}"
    yield Endpoint("GET", "/admin/workspaces", ("workspaces.list",))
    yield Endpoint("POST", "/admin/workspaces", ("workspaces.create",), {"name": "Another"})
    yield Endpoint("GET", one, ("workspaces.read",))
    yield Endpoint("PUT", one, ("workspaces.update",), {"description": "Something"})
    yield Endpoint("DELETE", one, ("workspaces.delete",), {"force_delete": True})
    yield Endpoint("GET", f"{one}/users", ("workspace_users.list",))
    yield Endpoint("POST", f"{one}/users", ("workspace_users.create",), {"user_id": "{user}", "role": "member"})
    yield Endpoint("GET", member, ("workspace_users.read",))
    yield Endpoint("PUT", member, ("workspace_users.update",), {"role": "member"})
    yield Endpoint("DELETE", member, ("workspace_users.delete",))


FAMILIES = {
    "organization_key": "organisation_service_api_keys",
    "workspace_key": "workspace_service_api_keys",
    "user_key": "workspace_user_api_keys",
}


def _keys() -> Iterator[Endpoint]:
    yield Endpoint("GET", "/api-keys", tuple(f"{family}.list" for family in FAMILIES.values()))
    kinds = {
        "organization_key": "organisation/service",
        "workspace_key": "workspace/service",
        "user_key": "workspace/user",
    }
    for name, family in FAMILIES.items():
        body = {"name": "New", "scopes": ["completions.write"]}
        body |= {} if name == "organization_key" else {"workspace_id": "{workspace}"}
        body |= {"user_id": "{user}"} if name == "user_key" else {}
        body |= {"scopes": [f"{family}.create"]} if name == "organization_key" else {}
        yield Endpoint("POST", f"/api-keys/{kinds[name]}", (f"{family}.create",), body)
        one = f"/api-keys/{{{name}}}"
        yield Endpoint("GET", one, (f"{family}.read",))
        yield Endpoint("PUT", one, (f"{family}.update",), {"name": "Other"})
        yield Endpoint("DELETE", one, (f"{family}.delete",))
        yield Endpoint("POST", f"{one}/rotate", (f"{family}.rotate",), {})


ENDPOINTS = [
    *_users(),
    *_workspaces(),
    *_keys(),
    Endpoint("GET", "/organisations", ("organisations.read",)),
    Endpoint("GET", "/audit-logs", ("audit_logs.list",)),
    Endpoint("GET", "/whoami"),
    Endpoint("POST", "/whoami/can", (), {"action": "prompts.read"}),
]
LISTS = [
    endpoint
    for endpoint in ENDPOINTS
    if endpoint.method == "GET" and not endpoint.path.endswith(("}", "whoami", "audit-logs"))
]
WRITING = [endpoint for endpoint in ENDPOINTS if endpoint.method in {"POST", "PUT"} and endpoint.body]
# Our own, which refuse what they do not know; the contract's pass it over (P28).
EXACT = [endpoint for endpoint in WRITING if endpoint.path == "/whoami/can"]
NAMING = [endpoint for endpoint in ENDPOINTS if "{" in endpoint.path]


def filled(body: Any, company: Company) -> Any:
    """The body, with the ids of one company in its blanks."""
    if isinstance(body, dict):
        return {name: filled(value, company) for name, value in body.items()}
    return body.format(**ids(company)) if isinstance(body, str) else body


def new_key(place: Organization | Workspace, scopes: list[str] | None = None, user: User | None = None) -> str:
    """The secret of a new key with these scopes, or with all that its type may carry."""
    in_workspace = KeyType.USER if user else KeyType.WORKSPACE
    key_type = in_workspace if isinstance(place, Workspace) else KeyType.ORGANIZATION
    given = every_scope(key_type) if scopes is None else scopes
    return apikeys.issue(place, name="Made for a test", scopes=given, user=user, by=system()).secret.clear


@contextmanager
def rolled_back() -> Iterator[None]:
    """What happens inside has not happened afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def says(answer: Any, status: int, code: str) -> bool:
    """Whether this is the wire's one error body (contract 1.0), with everything in it agreeing."""
    body = answer.json()
    assert set(body) == {"success", "status", "status_code", "message", "errorCode", "error", "data"}, body
    assert {"message", "type", "code", "errorCode", "param"} <= set(body["error"])
    assert (body["success"], body["status"], body["status_code"]) == (False, "failure", answer.status_code)
    assert body["message"] == body["error"]["message"] == body["data"]["message"]
    assert {body["errorCode"], body["error"]["code"], body["error"]["errorCode"], body["data"]["errorCode"]} == {code}
    assert answer["Content-Type"] == "application/json"
    assert answer["x-portkey-trace-id"] == answer["x-portkey-request-id"]
    return bool(answer.status_code == status)
