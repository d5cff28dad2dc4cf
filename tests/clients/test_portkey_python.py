"""Portkey's own Python client, as published, with nothing changed but its base URL."""

import asyncio
import inspect
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine
from portkey_ai import AsyncPortkey, Portkey
from portkey_ai.api_resources import exceptions as refusals
from portkey_ai.api_resources.apis import admin, api_keys
from portkey_ai.api_resources.utils import GenericResponse

from tests.world import Company

LATER = "2099-12-31T23:59:59.000Z"


@pytest.fixture
def portkey(live_server: Any, acme: Company) -> Iterator[Any]:
    """`portkey("workspace_key")` is a client with that key of Acme's; without a name, the organization's."""
    made = []

    def client(key: str = "organization_key", version: str = "v1") -> Portkey:
        made.append(Portkey(api_key=acme.secrets.get(key, key), base_url=f"{live_server.url}/{version}"))
        return made[-1]

    yield client
    for opened in made:
        opened.close()


@pytest.fixture
def client(portkey: Any) -> Portkey:
    made: Portkey = portkey()
    return made


def test_every_method_the_client_has_is_tried_here() -> None:
    """A new release with another method fails this, until it is tried too."""
    resources = (admin.Users, admin.Invites, admin.Workspaces, admin.WorkspacesUsers, api_keys.ApiKeys)
    found = {
        f"{resource.__name__}.{name}"
        for resource in resources
        for name, member in vars(resource).items()
        if inspect.isfunction(member) and not name.startswith("_")
    }
    assert found == {
        *(f"Users.{name}" for name in ("list", "retrieve", "update", "delete")),
        *(f"Invites.{name}" for name in ("create", "list", "retrieve", "delete", "resend")),
        *(f"Workspaces.{name}" for name in ("create", "list", "retrieve", "update", "delete")),
        *(f"WorkspacesUsers.{name}" for name in ("create", "list", "retrieve", "update", "delete")),
        *(f"ApiKeys.{name}" for name in ("create", "list", "retrieve", "update", "delete")),
    }


class TestUsers:
    def test_are_listed_and_filtered(self, acme: Company, client: Portkey) -> None:
        everybody = client.admin.users.list()
        assert (everybody.object, everybody.total) == ("list", acme.organization.memberships.count())
        assert [len(client.admin.users.list(page_size=3, current_page=page).data) for page in (0, 1, 2, 3)] == [
            3,
            3,
            2,
            0,
        ]
        assert {user.email for user in client.admin.users.list(role="owner").data} == {
            acme.owner.email,
            acme.second_owner.email,
        }
        assert client.admin.users.list(email=acme.member.email).data[0].id == str(acme.member.pk)

    def test_are_read_changed_and_removed(self, acme: Company, client: Portkey) -> None:
        person = str(acme.member.pk)
        read = client.admin.users.retrieve(user_id=person)
        assert (read.email, read.role, read.workspace_ids) == (acme.member.email, "member", [acme.workspace.slug])
        client.admin.users.update(user_id=person, role="admin")
        assert client.admin.users.retrieve(user_id=person).role == "admin"
        client.admin.users.delete(user_id=person)
        with pytest.raises(refusals.NotFoundError):
            client.admin.users.retrieve(user_id=person)


class TestInvites:
    def test_are_made_read_sent_again_and_cancelled(self, acme: Company, client: Portkey) -> None:
        invites = client.admin.users.invites
        made = invites.create(
            email="grace@elsewhere.example",
            role="member",
            workspaces=[{"id": acme.workspace.slug, "role": "manager"}],
            workspace_api_key_details={"scopes": ["completions.write"]},
        )
        assert made.invite_link.startswith("http://testserver/invitations/gthi_")
        read = invites.retrieve(invite_id=made.id)
        assert (read.email, read.role, read.status) == ("grace@elsewhere.example", "member", "pending")
        assert read.workspaces == [{"id": acme.workspace.slug, "workspace_id": acme.workspace.slug, "role": "manager"}]
        assert made.id in {invite.id for invite in invites.list(status="pending", role="member", page_size=10).data}
        assert invites.list(email="grace@elsewhere.example").total == 1
        again = invites.resend(invite_id=made.id)
        assert again.inviteLink not in ("", made.invite_link)
        invites.delete(invite_id=made.id)
        assert invites.retrieve(invite_id=made.id).status == "cancelled"

    def test_need_no_workspaces(self, client: Portkey) -> None:
        made = client.admin.users.invites.create(email="grace@elsewhere.example", role="admin")
        assert client.admin.users.invites.retrieve(invite_id=made.id).workspaces == []


class TestWorkspaces:
    def test_are_made_read_changed_and_archived(self, acme: Company, client: Portkey) -> None:
        workspaces = client.admin.workspaces
        made = workspaces.create(
            name="Research",
            description="What we try",
            defaults={"metadata": {"team": "r"}},
            users=[str(acme.member.pk)],
        )
        read = workspaces.retrieve(workspace_id=made.slug)
        assert (read.id, read.name, read.description) == (made.id, "Research", "What we try")
        assert (read.is_default, read.defaults) == (0, {"metadata": {"team": "r"}})
        assert [(user["id"], user["role"]) for user in read.users] == [(str(acme.member.pk), "member")]
        changed = workspaces.update(workspace_id=made.id, name="Lab", defaults={"metadata": {"team": "l"}})
        assert (changed.name, changed.description) == ("Lab", "What we try")
        assert workspaces.retrieve(workspace_id=made.id).defaults == {"metadata": {"team": "l"}}
        workspaces.delete(workspace_id=made.id, name="Lab")
        with pytest.raises(refusals.NotFoundError):
            workspaces.retrieve(workspace_id=made.id)
        assert {row.id for row in workspaces.list(status="archived").data} == {made.id}

    def test_are_listed_and_filtered(self, acme: Company, client: Portkey) -> None:
        workspaces = client.admin.workspaces
        assert workspaces.list().total == 3
        assert [row.name for row in workspaces.list(name="Search").data] == ["Acme Search"]
        assert workspaces.list(exact_name="Search").total == 0
        assert [len(workspaces.list(page_size=2, current_page=page).data) for page in (0, 1, 2)] == [2, 1, 0]


class TestTeams:
    def test_are_filled_read_changed_and_emptied(self, acme: Company, client: Portkey) -> None:
        team, where, who = client.admin.workspaces.users, acme.workspace.slug, str(acme.bystander.pk)
        team.create(workspace_id=where, users=[{"id": who, "role": "member"}])
        read = team.retrieve(workspace_id=where, user_id=who)
        assert (read.role, read.org_role, read.status) == ("member", "member", "active")
        assert read.workspace_id == str(acme.workspace.pk)
        assert "prompts.read" in read.scopes
        team.update(workspace_id=where, user_id=who, role="manager")
        assert team.retrieve(workspace_id=where, user_id=who).role == "manager"
        found = team.list(workspace_id=where, email=acme.bystander.email, role="manager")
        assert (found.total, found.data[0]["id"]) == (1, who)
        team.delete(workspace_id=where, user_id=who)
        with pytest.raises(refusals.NotFoundError):
            team.retrieve(workspace_id=where, user_id=who)


class TestKeys:
    @pytest.mark.parametrize(
        ("kind", "scopes"),
        [(("organisation", "service"), ["workspaces.list"]), (("workspace", "service"), ["completions.write"]),
         (("workspace", "user"), ["completions.write"])],
    )  # fmt: skip
    def test_are_made_used_changed_and_revoked(
        self, acme: Company, portkey: Any, client: Portkey, kind: tuple[str, str], scopes: list[str]
    ) -> None:
        place = {"workspace_id": acme.workspace.slug} if kind[0] == "workspace" else {}
        owner = {"user_id": str(acme.member.pk)} if kind[1] == "user" else {}
        made = client.api_keys.create(
            type=kind[0], sub_type=kind[1], name="Made", scopes=scopes, expires_at=LATER, **place, **owner
        )
        assert portkey(made.key).get(path="/whoami", cast_to=GenericResponse).id == made.id
        read = client.api_keys.retrieve(id=made.id)
        assert (read.name, read.type, read.status) == ("Made", "-".join(kind), "active")
        assert (read.scopes, read.expires_at, read.creation_mode) == (scopes, LATER, "api")
        client.api_keys.update(
            id=made.id,
            name="Renamed",
            description="For trying",
            rate_limits=[{"type": "requests", "unit": "rpm", "value": 60}],
            usage_limits={"type": "tokens", "credit_limit": 1000},
            defaults={"metadata": {"team": "s"}},
        )
        changed = client.api_keys.retrieve(id=made.id)
        assert (changed.name, changed.description) == ("Renamed", "For trying")
        assert changed.rate_limits == [{"type": "requests", "unit": "rpm", "value": 60}]
        assert changed.usage_limits["credit_limit"] == 1000
        assert changed.defaults["metadata"] == {"team": "s"}
        assert made.id in {row["id"] for row in client.api_keys.list(page_size=100).data}
        assert client.api_keys.list(workspace_id=acme.other_workspace.slug).total == 0
        client.api_keys.delete(id=made.id)
        with pytest.raises(refusals.NotFoundError):
            client.api_keys.retrieve(id=made.id)
        with pytest.raises(refusals.AuthenticationError):
            portkey(made.key).api_keys.list()

    @pytest.mark.parametrize(
        ("kind", "scopes"),
        [(("organisation", "service"), ["workspaces.list"]), (("workspace", "service"), ["completions.write"]),
         (("workspace", "user"), ["completions.write"])],
    )  # fmt: skip
    def test_are_rotated_without_a_call_that_fails(
        self, acme: Company, portkey: Any, client: Portkey, kind: tuple[str, str], scopes: list[str]
    ) -> None:
        place = {"workspace_id": acme.workspace.slug} if kind[0] == "workspace" else {}
        owner = {"user_id": str(acme.member.pk)} if kind[1] == "user" else {}
        made = client.api_keys.create(type=kind[0], sub_type=kind[1], name="Made", scopes=scopes, **place, **owner)
        old = portkey(made.key)
        with time_machine.travel("2030-01-02T12:00:00+00:00", tick=False) as clock:
            turned = client.post(f"/api-keys/{made.id}/rotate", key_transition_period_ms=3_600_000)
            assert (turned.id, turned.key_transition_expires_at) == (made.id, "2030-01-02T13:00:00.000Z")
            new = portkey(turned.key)
            for moved, works in ((timedelta(0), (True, True)), (timedelta(hours=1), (False, True))):
                clock.shift(moved)
                assert tuple(map(is_let_in, (old, new))) == works
            with pytest.raises(refusals.NotFoundError):
                client.post("/api-keys/01a201a8-a961-75e1-a983-4197862eabae/rotate")
        assert client.api_keys.retrieve(id=made.id).last_rotated_at == "2030-01-02T12:00:00.000Z"


def is_let_in(somebody: Portkey) -> bool:
    try:
        somebody.get(path="/whoami", cast_to=GenericResponse)
    except refusals.AuthenticationError:
        return False
    return True


class TestRefusals:
    def test_a_missing_right_is_a_permission_denied_that_names_it(self, portkey: Any) -> None:
        with pytest.raises(refusals.PermissionDeniedError, match=r"workspaces\.create"):
            portkey("workspace_key").admin.workspaces.create(name="Mine")

    def test_an_owner_is_out_of_reach(self, acme: Company, client: Portkey) -> None:
        with pytest.raises(refusals.PermissionDeniedError, match=r"organisation_owners\.manage"):
            client.admin.users.update(user_id=str(acme.owner.pk), role="member")

    def test_a_neighbours_is_not_found(self, globex: Company, client: Portkey) -> None:
        for look in (
            lambda: client.admin.workspaces.retrieve(workspace_id=globex.workspace.slug),
            lambda: client.admin.users.retrieve(user_id=str(globex.owner.pk)),
            lambda: client.api_keys.retrieve(id=str(globex.workspace_key.pk)),
            lambda: client.api_keys.list(workspace_id=str(globex.workspace.pk)),
        ):
            with pytest.raises(refusals.NotFoundError):
                look()

    def test_a_workspace_that_holds_something_is_a_conflict(self, acme: Company, client: Portkey) -> None:
        with pytest.raises(refusals.ConflictError, match="Unable to delete"):
            client.admin.workspaces.delete(workspace_id=acme.workspace.slug, name=acme.workspace.name)

    def test_nonsense_is_a_bad_request_that_says_why(self, client: Portkey) -> None:
        with pytest.raises(refusals.BadRequestError, match="One of: admin, member"):
            client.admin.users.invites.create(email="grace@elsewhere.example", role="owner")
        with pytest.raises(refusals.BadRequestError, match="scopes"):
            client.api_keys.create(type="organisation", sub_type="service", name="None", scopes=[])

    def test_a_wrong_key_is_not_let_in(self, portkey: Any) -> None:
        with pytest.raises(refusals.AuthenticationError, match="Unauthorised Request"):
            portkey("gtho_" + "a" * 38).admin.users.list()

    def test_what_is_not_served_is_not_found(self, client: Portkey) -> None:
        with pytest.raises(refusals.NotFoundError):
            client.configs.list()


class TestSendingAgain:
    """The client sends any POST again when the reply is lost. With a key that makes nothing twice."""

    def test_a_key_is_given_to_one_call(self, acme: Company, client: Portkey) -> None:
        made = []
        for replayed in (None, "true"):
            made.append(client.post("/admin/workspaces", name="Once", headers={"Idempotency-Key": "one"}))
            assert client.response_headers.get("Idempotent-Replayed") == replayed
        assert made[0].id == made[1].id
        with pytest.raises(refusals.UnprocessableEntityError, match="used for another request"):
            client.post("/admin/workspaces", name="Other", headers={"Idempotency-Key": "one"})
        with pytest.raises(refusals.BadRequestError, match="printable"):
            client.post("/admin/workspaces", name="Other", headers={"Idempotency-Key": "x" * 256})
        assert [row.name for row in client.admin.workspaces.list(name="O").data] == ["Once"]

    def test_a_lost_reply_costs_the_secret_and_nothing_else(self, live_server: Any, acme: Company) -> None:
        class LosesOne(httpx.HTTPTransport):
            lost = 0

            def handle_request(self, request: httpx.Request) -> httpx.Response:
                reply = super().handle_request(request)
                if request.method == "POST" and not self.lost:
                    self.lost = 1
                    reply.close()
                    raise httpx.ReadError("The connection was lost.", request=request)
                return reply

        base_url, transport = f"{live_server.url}/v1", LosesOne()
        client = Portkey(
            api_key=acme.secrets["organization_key"],
            base_url=base_url,
            http_client=httpx.Client(base_url=base_url, transport=transport),
            forward_headers=["Idempotency-Key"],
            Idempotency_Key="key for the night",
        )
        made = client.api_keys.create(
            type="organisation", sub_type="service", name="Nightly", scopes=["workspaces.list"]
        )
        assert (transport.lost, made.key) == (1, None)
        nightly = [row for row in client.api_keys.list().data if row["name"] == "Nightly"]
        assert [row["id"] for row in nightly] == [made.id]
        client.close()


def test_the_asynchronous_client_is_served_alike(live_server: Any, acme: Company) -> None:
    client = AsyncPortkey(api_key=acme.secrets["organization_key"], base_url=f"{live_server.url}/v1")

    async def named() -> str:
        made = await client.admin.workspaces.create(name="Asynchronous")
        read = await client.admin.workspaces.retrieve(workspace_id=made.slug)
        with pytest.raises(refusals.NotFoundError):
            await client.admin.users.retrieve(user_id="nobody")
        await client.close()
        return str(read.name)

    assert asyncio.run(named()) == "Asynchronous"


def test_the_second_version_of_the_address_is_served_alike(portkey: Any) -> None:
    assert portkey(version="v2").admin.workspaces.list().total == 3
