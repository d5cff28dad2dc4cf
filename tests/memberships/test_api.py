"""`admin/users`, `admin/users/invites` and `admin/workspaces/{id}/users` (contract 1.1, 1.2, 1.4)."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from apps.access.actors import UserActor
from apps.access.roles import OrganizationRole, WorkspaceRole, actions_of
from apps.apikeys.models import ApiKey
from apps.audit.models import AuditEvent
from apps.core.clock import now
from apps.memberships import answers
from apps.memberships import operations as memberships
from apps.memberships.models import Invitation, OrganizationMembership, WorkspaceMembership
from apps.workspaces import operations as workspaces
from tests.api.endpoints import new_key, says
from tests.factories import UserFactory
from tests.world import Company, World, system


@pytest.fixture
def ask(acme: Company, call: Any) -> Any:
    """`ask("PUT", "/admin/users/…", body)`, with Acme's organization key unless another is given."""

    def asked(method: str, path: str, body: Any = None, key: str = "organization_key") -> Any:
        return call(method, f"/v1{path}", acme.secrets.get(key, key), body)

    return asked


class TestUsers:
    def test_a_row_has_the_contracts_keys(self, acme: Company, ask: Any) -> None:
        rows = {row["id"]: row for row in ask("GET", "/admin/users").json()["data"]}
        assert set(rows) == {str(membership.user_id) for membership in acme.organization.memberships.all()}
        row = rows[str(acme.member.pk)]
        assert set(row) == {"id", "first_name", "last_name", "role", "email", "created_at", "last_updated_at", "object"}
        assert (row["first_name"], row["last_name"], row["role"]) == ("Member", "of Acme", "member")
        assert (row["email"], row["object"]) == ("member@acme.example", "user")

    def test_one_person_comes_with_the_slugs_of_their_workspaces(self, acme: Company, ask: Any) -> None:
        memberships.add_to_workspace(
            acme.other_workspace, acme.membership(acme.member), WorkspaceRole.MEMBER, by=system()
        )
        slugs = [acme.workspace.slug, acme.other_workspace.slug]
        assert ask("GET", f"/admin/users/{acme.member.pk}").json()["workspace_ids"] == slugs
        workspaces.archive(acme.other_workspace, by=system())
        assert ask("GET", f"/admin/users/{acme.member.pk}").json()["workspace_ids"] == slugs[:1]
        assert ask("GET", f"/admin/users/{acme.owner.pk}").json()["workspace_ids"] == []

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("role=owner", {"owner", "second_owner"}),
            ("role=admin", {"admin"}),
            ("email=member@acme.example", {"member"}),
            ("email=%20MEMBER@ACME.example", {"member"}),
            ("email=member@globex.example", set()),
            ("email=member", set()),
            ("email=%", set()),
            ("email=%00", set()),
            ("email=@", set()),
            ("email=nobody@elsewhere.example", set()),
            ("email=m%C3%A9@x.example", set()),
            ("role=admin&email=member@acme.example", set()),
            ("role=admin&email=", {"admin"}),
        ],
    )
    def test_filters(self, acme: Company, ask: Any, query: str, expected: set[str]) -> None:
        body = ask("GET", f"/admin/users?{query}").json()
        assert {row["id"] for row in body["data"]} == {str(acme[who].pk) for who in expected}
        assert body["total"] == len(expected)

    @pytest.mark.parametrize("query", ["role=boss", "role=OWNER", "role=%00"])
    def test_an_unknown_filter_value_is_400(self, ask: Any, query: str) -> None:
        assert says(ask("GET", f"/admin/users?{query}"), 400, "AB01")

    def test_a_role_is_changed(self, acme: Company, ask: Any) -> None:
        answer = ask("PUT", f"/admin/users/{acme.member.pk}", {"role": "admin"})
        assert (answer.status_code, answer.json()) == (200, {})
        assert ask("GET", f"/admin/users/{acme.member.pk}").json()["role"] == "admin"

    def test_to_ask_for_the_role_held_already_changes_nothing(self, acme: Company, ask: Any) -> None:
        before = AuditEvent.objects.count()
        assert ask("PUT", f"/admin/users/{acme.member.pk}", {"role": "member"}).status_code == 200
        assert AuditEvent.objects.count() == before

    @pytest.mark.parametrize(
        "body",
        [
            {"role": "owner"},
            {"role": "boss"},
            {"role": None},
            {"role": ""},
            {"role": ["admin"]},
            {"role": {"x": 1}},
            {"role": True},
            {},
            {"rôle": "admin"},
        ],
    )
    def test_no_other_role_is_given_here(self, acme: Company, ask: Any, body: Any) -> None:
        answer = ask("PUT", f"/admin/users/{acme.member.pk}", body)
        assert says(answer, 400, "AB01")
        assert answer.json()["error"]["param"] == "role"
        assert acme.membership(acme.member).role == "member"

    @pytest.mark.parametrize("who", ["owner", "second_owner"])
    def test_an_owner_is_out_of_reach(self, acme: Company, ask: Any, who: str) -> None:
        """By the matrix: no key holds organisation_owners.manage (P1)."""
        for method, body in (("PUT", {"role": "admin"}), ("PUT", {"role": "member"}), ("DELETE", None)):
            answer = ask(method, f"/admin/users/{acme[who].pk}", body)
            assert says(answer, 403, "AB03")
            assert answer.json()["error"]["action"] == "organisation_owners.manage"
        assert acme.membership(acme[who]).role == "owner"

    def test_nobody_becomes_one(self, acme: Company, ask: Any) -> None:
        assert says(ask("PUT", f"/admin/users/{acme.admin.pk}", {"role": "owner"}), 400, "AB01")

    def test_a_narrow_key_hands_out_no_more_than_it_holds(self, acme: Company, ask: Any) -> None:
        narrow = new_key(acme.organization, ["organisation_users.update", "organisation_users.delete"])
        answer = ask("PUT", f"/admin/users/{acme.member.pk}", {"role": "admin"}, narrow)
        assert says(answer, 400, "AB01")
        assert "organisations.update" in answer.json()["message"]
        assert says(ask("DELETE", f"/admin/users/{acme.admin.pk}", None, narrow), 400, "AB01")

    def test_somebody_is_removed_with_their_keys(self, acme: Company, call: Any, ask: Any) -> None:
        answer = ask("DELETE", f"/admin/users/{acme.member.pk}")
        assert (answer.status_code, answer.json()) == (200, {})
        assert says(ask("GET", f"/admin/users/{acme.member.pk}"), 404, "AB08")
        assert call("GET", "/v1/whoami", acme.secrets["user_key"]).status_code == 401
        assert says(ask("DELETE", f"/admin/users/{acme.member.pk}"), 404, "AB08")

    def test_somebody_is_named_by_their_own_id_never_by_their_memberships(self, acme: Company, ask: Any) -> None:
        assert says(ask("GET", f"/admin/users/{acme.membership(acme.member).pk}"), 404, "AB08")

    def test_an_account_without_a_membership_is_nobody_here(self, world: World, ask: Any) -> None:
        assert says(ask("GET", f"/admin/users/{world.stranger.pk}"), 404, "AB08")


class TestInvites:
    PATH = "/admin/users/invites"
    ROW = {
        "id",
        "email",
        "role",
        "status",
        "created_at",
        "expires_at",
        "accepted_at",
        "invited_by",
        "workspaces",
        "object",
    }

    def test_an_invitation_has_the_contracts_keys(self, acme: Company, ask: Any) -> None:
        listed = ask("GET", self.PATH).json()["data"]
        read = ask("GET", f"{self.PATH}/{acme.invitation.pk}").json()
        assert listed == [read]
        assert set(read) == self.ROW
        assert (read["email"], read["role"], read["status"]) == ("invited@acme.example", "member", "pending")
        assert (read["accepted_at"], read["invited_by"], read["object"]) == (None, str(acme.owner.pk), "invite")

    def test_it_is_made_with_a_link_to_hand_over(self, acme: Company, ask: Any) -> None:
        body = {"email": "New@Elsewhere.example", "role": "admin"}
        answer = ask("POST", self.PATH, body)
        made = answer.json()
        assert (answer.status_code, set(made)) == (200, self.ROW | {"invite_link"})
        assert (made["email"], made["role"], made["workspaces"]) == ("new@elsewhere.example", "admin", [])
        assert made["invited_by"] == str(acme.organization_key.pk)
        token = made["invite_link"].rstrip("/").rpartition("/")[2]
        assert str(answers.find(token).pk) == made["id"]
        assert "invite_link" not in ask("GET", f"{self.PATH}/{made['id']}").json()

    def test_the_letter_leaves(self, ask: Any, django_capture_on_commit_callbacks: Any) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            ask("POST", self.PATH, {"email": "new@elsewhere.example", "role": "member"})
        assert [letter.to for letter in mail.outbox] == [["new@elsewhere.example"]]

    def test_its_workspaces_come_back_as_they_were_written(self, acme: Company, ask: Any) -> None:
        seats = [{"id": acme.workspace.slug, "role": "ws-manager"}, {"id": str(acme.default.pk), "role": "member"}]
        made = ask("POST", self.PATH, {"email": "new@elsewhere.example", "role": "member", "workspaces": seats}).json()
        expected = [
            {"id": acme.workspace.slug, "workspace_id": acme.workspace.slug, "role": "manager"},
            {"id": str(acme.default.pk), "workspace_id": str(acme.default.pk), "role": "member"},
        ]
        assert made["workspaces"] == expected == ask("GET", f"{self.PATH}/{made['id']}").json()["workspaces"]

    def test_accepting_gives_what_was_promised(self, acme: Company, ask: Any) -> None:
        body = {
            "email": "new@elsewhere.example",
            "role": "member",
            "workspaces": [{"id": acme.workspace.slug, "role": "manager"}],
            "workspace_api_key_details": {"scopes": ["completions.write", "prompts.read"]},
        }
        made, person = ask("POST", self.PATH, body).json(), UserFactory(email="new@elsewhere.example")
        token = made["invite_link"].rstrip("/").rpartition("/")[2]
        answers.accept(answers.find(token), token=token, by=UserActor(person))
        read = ask("GET", f"{self.PATH}/{made['id']}").json()
        assert read["status"] == "accepted"
        assert read["accepted_at"]
        member = ask("GET", f"/admin/workspaces/{acme.workspace.slug}/users/{person.pk}").json()
        assert member["role"] == "manager"
        key = ApiKey.objects.get(user=person)
        assert (key.name, key.creation, key.scopes) == (
            "default_user_key",
            "auto",
            ["completions.write", "prompts.read"],
        )

    @pytest.mark.parametrize(
        ("body", "param"),
        [
            ({}, "email"),
            ({"email": None}, "email"),
            ({"email": 5}, "email"),
            ({"email": "not an address"}, "email"),
            ({"email": "a@b.example\r\nBcc: all@x.example"}, "email"),
            ({"email": "\uff41@b.example"}, "email"),
            ({"email": f"{'x' * 250}@b.example"}, "email"),
            ({"role": None}, "role"),
            ({"role": "owner"}, "role"),
            ({"role": "manager"}, "role"),
            ({"workspaces": {}}, "workspaces"),
            ({"workspaces": ["ws-x"]}, "workspaces[0]"),
            ({"workspaces": [{"role": "member"}]}, "workspaces[0].id"),
            ({"workspaces": [{"id": 5, "role": "member"}]}, "workspaces[0].id"),
            ({"workspaces": [{"id": "own", "role": "owner"}]}, "workspaces[0].role"),
            ({"workspaces": [{"id": "own", "role": "ws-ws-member"}]}, "workspaces[0].role"),
            ({"workspaces": [{"id": "nothing", "role": "member"}]}, "workspaces[0].id"),
            ({"workspaces": [{"id": "own", "role": "member"}] * 2}, "workspaces"),
            ({"workspaces": [{"id": "own", "role": "member"}] * 101}, "workspaces"),
            ({"workspace_api_key_details": {"scopes": ["completions.write"]}}, "workspace_api_key_details"),
            ({"workspace_api_key_details": {}}, "workspace_api_key_details.scopes"),
            ({"workspace_api_key_details": []}, "workspace_api_key_details"),
        ],
        ids=lambda value: ascii(value)[:60],
    )
    def test_refuses_what_makes_no_sense(self, acme: Company, ask: Any, body: dict[str, Any], param: str) -> None:
        seats = body.get("workspaces")
        if isinstance(seats, list):
            own = [{**seat, "id": acme.workspace.slug} if seat == {**seat, "id": "own"} else seat
                   for seat in seats if isinstance(seat, dict)]  # fmt: skip
            body = {"workspaces": own or seats}
        good = {"email": "new@elsewhere.example", "role": "member"} if body else {}
        answer = ask("POST", self.PATH, {**good, **body})
        assert says(answer, 400, "AB01")
        assert answer.json()["error"]["param"] == param
        assert acme.organization.invitations.count() == 1

    def test_null_workspaces_are_no_workspaces(self, ask: Any) -> None:
        body = {
            "email": "new@elsewhere.example",
            "role": "member",
            "workspaces": None,
            "workspace_api_key_details": None,
        }
        assert ask("POST", self.PATH, body).json()["workspaces"] == []

    @pytest.mark.parametrize("address", ["invited@acme.example", "INVITED@acme.example ", "member@acme.example"])
    def test_an_address_that_is_in_or_asked_already_is_409(self, ask: Any, address: str) -> None:
        assert says(ask("POST", self.PATH, {"email": address, "role": "member"}), 409, "AB07")

    def test_more_than_the_key_holds_is_400_naming_it(self, acme: Company, ask: Any) -> None:
        narrow = new_key(acme.organization, ["organisation_users.create", "workspace_users.create"])
        body = {"email": "new@elsewhere.example", "role": "admin"}
        answer = ask("POST", self.PATH, body, narrow)
        assert says(answer, 400, "AB01")
        assert answer.json()["error"]["param"] == "role"
        seats = [{"id": acme.workspace.slug, "role": "manager"}]
        answer = ask("POST", self.PATH, {**body, "role": "member", "workspaces": seats}, narrow)
        assert says(answer, 400, "AB01")
        assert answer.json()["error"]["param"] == "workspaces"

    def test_a_promised_key_carries_no_more_than_its_kind(self, acme: Company, ask: Any) -> None:
        body = {
            "email": "new@elsewhere.example",
            "role": "member",
            "workspaces": [{"id": acme.workspace.slug, "role": "member"}],
        }
        for scopes in (["organisation_users.create"], ["workspace_user_api_keys.create"], [], ["nonsense"]):
            answer = ask("POST", self.PATH, {**body, "workspace_api_key_details": {"scopes": scopes}})
            assert says(answer, 400, "AB01")

    def test_resend_makes_a_new_link_and_voids_the_old(self, acme: Company, ask: Any) -> None:
        answer = ask("POST", f"{self.PATH}/{acme.invitation.pk}/resend")
        assert set(answer.json()) == {"inviteLink", "invite_link"}
        assert answer.json()["inviteLink"] == answer.json()["invite_link"]
        token = answer.json()["invite_link"].rstrip("/").rpartition("/")[2]
        assert answers.find(token).pk == acme.invitation.pk
        assert acme.secrets["invitation"] != token

    def test_resend_gives_an_expired_one_another_week(self, acme: Company, ask: Any) -> None:
        Invitation.objects.update(expires_at=now() - timedelta(days=1))
        assert ask("GET", f"{self.PATH}/{acme.invitation.pk}").json()["status"] == "expired"
        assert ask("POST", f"{self.PATH}/{acme.invitation.pk}/resend").status_code == 200
        assert ask("GET", f"{self.PATH}/{acme.invitation.pk}").json()["status"] == "pending"

    def test_cancelled_it_stays_readable(self, acme: Company, ask: Any) -> None:
        path = f"{self.PATH}/{acme.invitation.pk}"
        answer = ask("DELETE", path)
        assert (answer.status_code, answer.json()) == (200, {})
        assert ask("GET", path).json()["status"] == "cancelled"
        for method, again in (("DELETE", path), ("POST", f"{path}/resend")):
            assert says(ask(method, again), 409, "AB07")

    def test_a_declined_one_shows_as_cancelled(self, acme: Company, ask: Any) -> None:
        answers.decline(
            acme.invitation, token=acme.secrets["invitation"], by=UserActor(UserFactory(email="invited@acme.example"))
        )
        assert ask("GET", f"{self.PATH}/{acme.invitation.pk}").json()["status"] == "cancelled"
        assert ask("GET", f"{self.PATH}?status=cancelled").json()["total"] == 1

    @pytest.mark.parametrize(
        ("query", "total"),
        [
            ("status=pending", 1),
            ("status=expired", 0),
            ("status=accepted", 0),
            ("status=cancelled", 0),
            ("role=member", 1),
            ("role=admin", 0),
            ("email=Invited@ACME.example", 1),
            ("email=invited@globex.example", 0),
            ("email=x", 0),
        ],
    )
    def test_filters(self, ask: Any, query: str, total: int) -> None:
        assert ask("GET", f"{self.PATH}?{query}").json()["total"] == total

    @pytest.mark.parametrize("query", ["status=declined", "status=x", "status=pending,expired", "role=x"])
    def test_an_unknown_filter_value_is_400(self, ask: Any, query: str) -> None:
        assert says(ask("GET", f"{self.PATH}?{query}"), 400, "AB01")


class TestTeam:
    @pytest.fixture
    def path(self, acme: Company) -> str:
        return f"/admin/workspaces/{acme.workspace.slug}/users"

    def test_a_member_has_the_contracts_keys(self, acme: Company, ask: Any, path: str) -> None:
        rows = {row["id"]: row for row in ask("GET", path).json()["data"]}
        read = ask("GET", f"{path}/{acme.manager.pk}").json()
        assert rows[str(acme.manager.pk)] == read
        assert set(read) == {
            "object",
            "id",
            "first_name",
            "last_name",
            "org_role",
            "role",
            "created_at",
            "last_updated_at",
            "status",
            "workspace_id",
            "email",
            "scopes",
            "settings",
        }
        assert (read["object"], read["role"], read["org_role"]) == ("workspace-user", "manager", "member")
        assert (read["workspace_id"], read["settings"]) == (str(acme.workspace.pk), None)

    @pytest.mark.parametrize("role", list(WorkspaceRole))
    def test_their_scopes_are_what_the_role_holds(
        self, acme: Company, ask: Any, path: str, role: WorkspaceRole
    ) -> None:
        who = {"admin": acme.workspace_admin, "manager": acme.manager, "member": acme.member}[role]
        assert ask("GET", f"{path}/{who.pk}").json()["scopes"] == sorted(actions_of(role))

    def test_is_reached_by_id_or_slug(self, acme: Company, ask: Any, path: str) -> None:
        by_id = f"/admin/workspaces/{acme.workspace.pk}/users"
        assert ask("GET", by_id).content == ask("GET", path).content

    @pytest.mark.parametrize(
        ("query", "expected"),
        [("role=member", {"member"}), ("role=admin", {"workspace_admin"}), ("role=manager", {"manager", "suspended"}),
         ("email=MEMBER@acme.example", {"member"}), ("email=owner@acme.example", set()), ("email=x", set())],
    )  # fmt: skip
    def test_filters(self, acme: Company, ask: Any, path: str, query: str, expected: set[str]) -> None:
        body = ask("GET", f"{path}?{query}").json()
        assert {row["id"] for row in body["data"]} == {str(acme[who].pk) for who in expected}

    def test_an_unknown_filter_value_is_400(self, ask: Any, path: str) -> None:
        assert says(ask("GET", f"{path}?role=owner"), 400, "AB01")

    @pytest.mark.parametrize("form", ["list", "one"])
    @pytest.mark.parametrize("role", ["manager", "ws-manager"])
    def test_people_are_added_in_either_form(self, acme: Company, ask: Any, path: str, form: str, role: str) -> None:
        person = {"id": str(acme.bystander.pk), "role": role}
        body = (
            {"users": [person], "workspace_id": acme.workspace.slug}
            if form == "list"
            else {"user_id": person["id"], "role": role}
        )
        answer = ask("POST", path, body)
        assert (answer.status_code, answer.json()) == (200, {})
        assert ask("GET", f"{path}/{acme.bystander.pk}").json()["role"] == "manager"
        assert ask("POST", path, body).status_code == 200  # the role held already is no mistake

    def test_all_of_them_or_none(self, acme: Company, ask: Any, path: str) -> None:
        first = {"id": str(acme.bystander.pk), "role": "member"}
        for second in (
            {"id": str(uuid.uuid4()), "role": "member"},
            {"id": str(acme.member.pk), "role": "admin"},  # on the team in another role
            {"id": str(acme.admin.pk), "role": "boss"},
        ):
            assert ask("POST", path, {"users": [first, second]}).status_code in {400, 409}
            assert not WorkspaceMembership.objects.filter(membership__user=acme.bystander).exists()

    @pytest.mark.parametrize(
        ("body", "param"),
        [
            ({}, "users"),
            ({"users": []}, "users"),
            ({"users": {}}, "users"),
            ({"users": None}, "users"),
            ({"users": ["x"]}, "users[0]"),
            ({"users": [{"id": "x", "role": "member"}]}, "users[0].id"),
            ({"users": [{"id": 5, "role": "member"}]}, "users[0].id"),
            ({"users": [{"id": str(uuid.UUID(int=5))}]}, "users[0].role"),
            ({"users": [{"id": str(uuid.UUID(int=5)), "role": "owner"}]}, "users[0].role"),
            ({"users": [{"id": str(uuid.UUID(int=5)), "role": "member"}]}, "users[0].id"),
            ({"users": [{"id": str(uuid.UUID(int=5)), "role": "member"}] * 101}, "users"),
            ({"user_id": str(uuid.UUID(int=5))}, "role"),
            ({"role": "member"}, "user_id"),
            ({"user_id": "x", "role": "member"}, "user_id"),
        ],
        ids=lambda value: ascii(value)[:60],
    )
    def test_refuses_what_makes_no_sense(self, ask: Any, path: str, body: Any, param: str) -> None:
        answer = ask("POST", path, body)
        assert says(answer, 400, "AB01")
        assert answer.json()["error"]["param"] == param

    def test_a_role_is_changed_and_setting_it_again_is_no_mistake(self, acme: Company, ask: Any, path: str) -> None:
        for _ in range(2):
            answer = ask("PUT", f"{path}/{acme.member.pk}", {"role": "ws-admin"})
            assert (answer.status_code, answer.json()) == (200, {})
        assert ask("GET", f"{path}/{acme.member.pk}").json()["role"] == "admin"

    @pytest.mark.parametrize("body", [{}, {"role": None}, {"role": "owner"}, {"role": 5}, {"role": "ws-"}])
    def test_refuses_a_role_that_is_none(self, acme: Company, ask: Any, path: str, body: Any) -> None:
        assert says(ask("PUT", f"{path}/{acme.member.pk}", body), 400, "AB01")

    def test_somebody_is_taken_off_with_their_keys_there(self, acme: Company, call: Any, ask: Any, path: str) -> None:
        answer = ask("DELETE", f"{path}/{acme.member.pk}")
        assert (answer.status_code, answer.json()) == (200, {})
        assert says(ask("GET", f"{path}/{acme.member.pk}"), 404, "AB08")
        assert call("GET", "/v1/whoami", acme.secrets["user_key"]).status_code == 401
        assert OrganizationMembership.objects.filter(user=acme.member).exists()

    def test_one_who_is_not_on_the_team_is_not_there(self, acme: Company, ask: Any, path: str) -> None:
        for method, body in (("GET", None), ("PUT", {"role": "member"}), ("DELETE", None)):
            assert says(ask(method, f"{path}/{acme.bystander.pk}", body), 404, "AB08")

    def test_a_workspaces_own_key_manages_its_own_team(self, acme: Company, ask: Any, path: str) -> None:
        body = {"user_id": str(acme.bystander.pk), "role": "member"}
        assert ask("POST", path, body, "workspace_key").status_code == 200
        assert ask("PUT", f"{path}/{acme.bystander.pk}", {"role": "admin"}, "workspace_key").status_code == 200
        assert ask("DELETE", f"{path}/{acme.bystander.pk}", None, "workspace_key").status_code == 200
        other = f"/admin/workspaces/{acme.other_workspace.slug}/users"
        assert says(ask("POST", other, body, "workspace_key"), 404, "AB08")

    def test_a_narrow_key_hands_out_no_more_than_it_holds(self, acme: Company, ask: Any, path: str) -> None:
        narrow = new_key(acme.workspace, ["workspace_users.create", "workspace_users.update"])
        answer = ask("POST", path, {"user_id": str(acme.bystander.pk), "role": "admin"}, narrow)
        assert says(answer, 400, "AB01")
        assert says(ask("PUT", f"{path}/{acme.member.pk}", {"role": "admin"}, narrow), 400, "AB01")

    def test_a_suspended_person_shows_as_such(self, acme: Company, ask: Any, path: str) -> None:
        assert ask("GET", f"{path}/{acme.suspended.pk}").json()["status"] == "suspended"

    def test_a_person_joins_the_organization_first(self, world: World, ask: Any, path: str) -> None:
        body = {"user_id": str(world.stranger.pk), "role": "member"}
        assert says(ask("POST", path, body), 400, "AB01")
        memberships.join(world.stranger, world.acme.organization, OrganizationRole.MEMBER, by=system())
        assert ask("POST", path, body).status_code == 200
