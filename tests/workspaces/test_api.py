"""`admin/workspaces` (contract 1.3)."""

import uuid
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from apps.access.actions import Action
from apps.access.roles import OrganizationRole, Role, WorkspaceRole, actions_of
from apps.audit.models import AuditEvent
from apps.workspaces import operations
from apps.workspaces.models import Workspace
from apps.workspaces.serializers import SECURITY_SETTINGS, security_settings
from apps.workspaces.types import WorkspaceType
from tests.api.endpoints import new_key, says
from tests.world import Company, system

ROW = {"id", "slug", "name", "description", "icon", "is_default", "defaults", "usage_limits", "rate_limits",
       "security_settings", "created_at", "last_updated_at", "scim_source_id", "status", "object"}  # fmt: skip
DETAIL = (ROW - {"scim_source_id", "status"}) | {
    "settings", "organisation_id", "last_reset_at", "created_by", "creation_source", "users"
}  # fmt: skip
PATH = "/v1/admin/workspaces"
HOSTILE = "a" + "\u0315" * 10_000 + "\u0300" * 10_000  # composing it takes quadratic time


@pytest.fixture
def ask(acme: Company, call: Any) -> Any:
    """`ask("PUT", body, "/ws-acme-1a2b3c")`, with Acme's organization key unless another is given."""

    def asked(method: str, path: str = "", body: Any = None, key: str = "organization_key") -> Any:
        return call(method, f"{PATH}{path}", acme.secrets.get(key, key), body)

    return asked


def one(workspace: Workspace) -> str:
    return f"/{workspace.slug}"


class TestList:
    def test_a_row_has_the_contracts_keys_and_types(self, acme: Company, ask: Any) -> None:
        row = next(row for row in ask("GET").json()["data"] if row["is_default"])
        assert set(row) == ROW
        assert (row["id"], row["slug"], row["object"]) == (str(acme.default.pk), acme.default.slug, "workspace")
        assert row["is_default"] is not True  # a number: the Go client fails on a flag
        assert (row["is_default"], row["status"], row["scim_source_id"]) == (1, "active", None)
        assert [row[name] for name in ("description", "icon", "defaults", "usage_limits", "rate_limits")] == [None] * 5
        assert row["created_at"].endswith("Z")
        assert datetime.fromisoformat(row["created_at"]).microsecond % 1000 == 0

    def test_a_workspaces_key_sees_its_own(self, acme: Company, ask: Any) -> None:
        for key in ("workspace_key", "user_key"):
            body = ask("GET", key=key).json()
            assert (body["total"], [row["id"] for row in body["data"]]) == (1, [str(acme.workspace.pk)])

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("name=Search", {"Acme Search"}),
            ("name=search", set()),
            ("name=Acme", {"Acme Search", "Acme Support"}),
            ("exact_name=Acme%20Search", {"Acme Search"}),
            ("exact_name=Acme", set()),
            ("exact_name=acme%20search", set()),
            ("name=Acme&exact_name=Shared%20Team%20Workspace", set()),
            ("name=%25", set()),
            ("name=_", set()),
            ("name=", None),
            ("name=%27%20OR%201=1--", set()),
            ("exact_name=Acme%20Search&name=h", {"Acme Search"}),
        ],
    )
    def test_filters_by_name_and_upper_and_lower_case_differ(
        self, acme: Company, ask: Any, query: str, expected: set[str] | None
    ) -> None:
        names = {row["name"] for row in ask("GET", f"?{query}").json()["data"]}
        assert names == (expected if expected is not None else {"Acme Search", "Acme Support", acme.default.name})

    def test_names_are_found_however_their_letters_are_composed(self, acme: Company, ask: Any) -> None:
        operations.update(acme.workspace, name="Café", by=system())
        assert ask("GET", "?exact_name=Cafe%CC%81").json()["total"] == 1
        assert ask("GET", "?name=fe%CC%81").json()["total"] == 1

    @pytest.mark.parametrize("name", ["name", "exact_name"])
    def test_what_is_longer_than_a_name_is_not_even_composed(self, ask: Any, name: str) -> None:
        answer = ask("GET", f"?{urlencode({name: HOSTILE})}")
        assert says(answer, 400, "AB01")
        assert answer.json()["error"]["param"] == name

    def test_archived_ones_appear_only_when_asked_for(self, acme: Company, ask: Any) -> None:
        operations.archive(acme.other_workspace, by=system())
        gone = str(acme.other_workspace.pk)

        def listed(query: str, key: str = "organization_key") -> dict[str, str]:
            return {row["id"]: row["status"] for row in ask("GET", query, key=key).json()["data"]}

        assert gone not in listed("")
        assert gone not in listed("?status=active")
        assert listed("?status=archived") == {gone: "archived"}
        assert listed("?status=active,archived") == {**listed(""), gone: "archived"}
        assert listed("?status=archived", new_key(acme.organization, ["workspaces.list"])) == {}
        assert gone not in listed("?status=archived,active", new_key(acme.organization, ["workspaces.list"]))
        assert listed("?status=archived", "workspace_key") == {}

    @pytest.mark.parametrize("status", ["deleted", "active;archived", "active,x", ",", "ACTIVE", "%00"])
    def test_an_unknown_state_is_400(self, ask: Any, status: str) -> None:
        answer = ask("GET", f"?status={status}")
        assert says(answer, 400, "AB01")
        assert answer.json()["error"]["param"] == "status"


class TestOne:
    @pytest.mark.parametrize("written", [lambda w: w.slug, lambda w: str(w.pk), lambda w: str(w.pk).upper()])
    def test_is_found_by_id_or_slug(self, acme: Company, ask: Any, written: Any) -> None:
        assert ask("GET", f"/{written(acme.workspace)}").json()["id"] == str(acme.workspace.pk)

    def test_has_the_contracts_keys_and_types(self, acme: Company, ask: Any) -> None:
        body = ask("GET", one(acme.workspace)).json()
        assert set(body) == DETAIL
        assert (body["organisation_id"], body["created_by"]) == (str(acme.organization.pk), None)
        assert (body["last_reset_at"], body["creation_source"]) == (None, "default")
        assert body["settings"] == {
            "debug_log": 1,
            "user_api_key_ttl": 0,
            "user_key_metadata": 1,
            "user_api_key_count": -1,
            "user_api_key_max_ttl": 0,
            "user_key_metadata_override": 1,
        }

    def test_shows_its_team(self, acme: Company, ask: Any) -> None:
        team = {member["id"]: member for member in ask("GET", one(acme.workspace)).json()["users"]}
        assert set(team) == {str(acme[who].pk) for who in ("member", "manager", "workspace_admin", "suspended")}
        manager = team[str(acme.manager.pk)]
        assert set(manager) == {"id", "first_name", "last_name", "org_role", "role", "created_at", "last_updated_at",
                                "status", "workspace_id"}  # fmt: skip
        assert (manager["role"], manager["org_role"], manager["status"]) == ("manager", "member", "active")
        assert manager["workspace_id"] == str(acme.workspace.pk)

    def test_hides_its_team_from_a_key_that_may_not_list_it(self, acme: Company, ask: Any) -> None:
        assert ask("GET", one(acme.workspace), key=new_key(acme.workspace, ["workspaces.read"])).json()["users"] is None

    def test_another_workspace_is_nothing_to_a_workspaces_key(self, acme: Company, ask: Any) -> None:
        assert says(ask("GET", one(acme.other_workspace), key="workspace_key"), 404, "AB08")

    def test_an_archived_one_is_gone(self, acme: Company, ask: Any) -> None:
        operations.archive(acme.other_workspace, by=system())
        for method in ("GET", "PUT", "DELETE"):
            assert says(ask(method, one(acme.other_workspace), {}), 404, "AB08")


class TestSecuritySettings:
    """The contract's switches say what the matrix says (P6)."""

    def test_are_the_contracts_thirty_five(self, acme: Company, ask: Any) -> None:
        switches = ask("GET", one(acme.workspace)).json()["security_settings"]
        assert len(switches) == 35
        assert all(isinstance(value, bool) for value in switches.values())
        off = {name for name, value in switches.items() if not value}
        assert off == {"membersWriteConfigs", "membersViewApiKeys", "membersWriteApiKeys", "membersWriteVirtualKeys"}
        assert switches["membersWritePrompts"] is switches["membersWriteGuardrails"] is True

    def test_follow_the_matrix(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take a cell out of the table, and its switch goes off."""

        def poorer(role: Role) -> frozenset[Action]:
            return actions_of(role) - {Action.PROMPTS_UPDATE}

        monkeypatch.setattr("apps.workspaces.serializers.actions_of", poorer)
        security_settings.cache_clear()
        switches = security_settings(WorkspaceType.AI_GATEWAY)
        security_settings.cache_clear()
        off = {name for name, (role, action) in SECURITY_SETTINGS.items() if action not in poorer(role)}
        assert {"managersWritePrompts", "membersWritePrompts"} <= off == {n for n, on in switches.items() if not on}

    def test_are_off_for_features_the_workspace_does_not_have(self) -> None:
        switches = security_settings(WorkspaceType.SECRETS)
        assert {name for name, on in switches.items() if on} == {
            "managersUpdateWs", "managersWriteWsUsers", "managersViewApiKeys", "managersWriteApiKeys"
        }  # fmt: skip

    @pytest.mark.parametrize("name", SECURITY_SETTINGS)
    def test_speak_of_the_role_in_their_name(self, name: str) -> None:
        role, _ = SECURITY_SETTINGS[name]
        starts = {"managers": WorkspaceRole.MANAGER, "members": WorkspaceRole.MEMBER,
                  "organisationAdmins": OrganizationRole.ADMIN}  # fmt: skip
        assert role is next(role for start, role in starts.items() if name.startswith(start))


FULL = {
    "name": "Research",
    "description": "What we try.",
    "icon": "🚀",
    "defaults": {"metadata": {"team": "research"}},
    "usage_limits": [{"type": "cost", "credit_limit": 10, "alert_threshold": 8, "periodic_reset": "monthly"}],
    "rate_limits": [{"type": "requests", "unit": "rpm", "value": 100}],
}


class TestCreate:
    def test_answers_the_row_without_users(self, acme: Company, ask: Any) -> None:
        answer = ask("POST", body={"name": "Research"})
        assert (answer.status_code, set(answer.json())) == (200, ROW)
        assert answer.json()["slug"].startswith("ws-resear-")
        assert acme.organization.workspaces.filter(pk=answer.json()["id"], slug=answer.json()["slug"]).exists()

    def test_keeps_what_it_was_given(self, ask: Any) -> None:
        made = ask("POST", body=FULL).json()
        read = ask("GET", f"/{made['id']}").json()
        for name in ("name", "description", "icon", "defaults"):
            assert made[name] == read[name] == FULL[name]
        assert read["rate_limits"] == FULL["rate_limits"]
        assert FULL["usage_limits"][0].items() <= read["usage_limits"][0].items()  # type: ignore[attr-defined, index]

    def test_takes_people_along_as_members(self, acme: Company, ask: Any) -> None:
        people = [str(acme.member.pk), str(acme.bystander.pk)]
        made = ask("POST", body={"name": "Research", "users": [*people, people[0]]}).json()
        team = ask("GET", f"/{made['slug']}").json()["users"]
        assert {(member["id"], member["role"]) for member in team} == {(person, "member") for person in people}

    def test_takes_all_of_them_or_opens_nothing(self, acme: Company, ask: Any) -> None:
        before = acme.organization.workspaces.count()
        for users in ([str(acme.member.pk), str(uuid.uuid4())], [str(acme.member.pk)] * 101, ["x"], "x", [None], {}):
            assert says(ask("POST", body={"name": "Research", "users": users}), 400, "AB01")
        assert acme.organization.workspaces.count() == before

    def test_is_written_down_under_the_keys_name(self, acme: Company, ask: Any) -> None:
        ask("POST", body={"name": "Research"})
        line = AuditEvent.objects.latest("id")
        assert (line.event, line.actor_kind, line.actor_id) == ("workspace.created", "key", acme.organization_key.pk)
        assert (line.door, line.request_id) != ("", "")

    @pytest.mark.parametrize(
        ("body", "param"),
        [
            ({}, "name"),
            ({"name": None}, "name"),
            ({"name": ""}, "name"),
            ({"name": "   "}, "name"),
            ({"name": 5}, "name"),
            ({"name": ["x"]}, "name"),
            ({"name": "x" * 256}, "name"),
            ({"name": "line\nbreak"}, "name"),
            ({"name": "x", "description": "x" * 2001}, "description"),
            ({"name": "x", "description": 5}, "description"),
            ({"name": "x", "icon": "x" * 33}, "icon"),
            ({"name": "x", "defaults": "x"}, "defaults"),
            ({"name": "x", "defaults": {"metadata": []}}, "defaults.metadata"),
            ({"name": "x", "defaults": {"metadata": {"a": 5}}}, "defaults.metadata"),
            ({"name": "x", "defaults": {"input_guardrails": ["pg-x"]}}, "defaults.input_guardrails"),
            ({"name": "x", "defaults": {"user_api_key_config": "pc-x"}}, "defaults.user_api_key_config"),
            ({"name": "x", "usage_limits": {}}, "usage_limits"),
            ({"name": "x", "usage_limits": [{"credit_limit": 0}]}, "usage_limits[0].credit_limit"),
            ({"name": "x", "usage_limits": [{"credit_limit": 10.5}]}, "usage_limits[0].credit_limit"),
            ({"name": "x", "usage_limits": [{"credit_limit": 10**30}]}, "usage_limits[0].credit_limit"),
            ({"name": "x", "usage_limits": [{"type": "euro"}]}, "usage_limits[0].type"),
            ({"name": "x", "rate_limits": [{"type": "requests", "unit": "rps", "value": 1}]}, "rate_limits[0].unit"),
            ({"name": "x", "rate_limits": [{"type": "requests", "unit": "rpm"}]}, "rate_limits[0].value"),
            (
                {"name": "x", "rate_limits": [{"type": "requests", "unit": "rpm", "value": True}]},
                "rate_limits[0].value",
            ),
            ({"name": "x", "rate_limits": [None]}, "rate_limits[0]"),
        ],
        ids=lambda value: ascii(value)[:60],
    )
    def test_refuses_what_makes_no_sense(self, acme: Company, ask: Any, body: Any, param: str) -> None:
        answer = ask("POST", body=body)
        assert says(answer, 400, "AB01")
        assert answer.json()["error"]["param"] == param

    @pytest.mark.parametrize("name", ["صندوق", "🚀🚀", "<script>", "' OR 1=1--", "{{7*7}}", "a\u202eb", "é" * 255])
    def test_takes_names_in_any_script(self, ask: Any, name: str) -> None:
        made = ask("POST", body={"name": name}).json()
        assert made["name"] == name
        assert made["slug"].startswith("ws-")
        assert made["slug"].isascii()

    def test_two_may_have_one_name(self, ask: Any) -> None:
        assert ask("POST", body={"name": "Twin"}).json()["slug"] != ask("POST", body={"name": "Twin"}).json()["slug"]

    def test_is_not_for_a_workspaces_key(self, ask: Any) -> None:
        answer = ask("POST", body={"name": "x"}, key="workspace_key")
        assert says(answer, 403, "AB03")
        assert answer.json()["error"]["action"] == "workspaces.create"


class TestUpdate:
    def test_answers_the_whole_row(self, acme: Company, ask: Any) -> None:
        answer = ask("PUT", one(acme.workspace), FULL)
        assert set(answer.json()) == ROW
        assert FULL["defaults"] == answer.json()["defaults"] == ask("GET", one(acme.workspace)).json()["defaults"]
        assert answer.json()["slug"] == acme.workspace.slug

    def test_what_is_absent_stays_and_null_clears(self, acme: Company, ask: Any) -> None:
        ask("PUT", one(acme.workspace), FULL)
        kept = ask("PUT", one(acme.workspace), {"description": "Another"}).json()
        assert (kept["name"], kept["description"], kept["icon"]) == ("Research", "Another", "🚀")
        clearing = dict.fromkeys(("description", "icon", "defaults", "usage_limits", "rate_limits"))
        cleared = ask("PUT", one(acme.workspace), clearing).json()
        assert {name: cleared[name] for name in clearing} == clearing
        assert cleared["name"] == "Research"

    def test_an_empty_body_changes_nothing(self, acme: Company, ask: Any) -> None:
        before = ask("GET", one(acme.workspace)).json()
        assert ask("PUT", one(acme.workspace), {}).status_code == 200
        assert ask("GET", one(acme.workspace)).json() == before

    def test_a_name_cannot_be_cleared(self, acme: Company, ask: Any) -> None:
        for name in (None, "", "  "):
            assert says(ask("PUT", one(acme.workspace), {"name": name}), 400, "AB01")

    def test_moves_the_instant_of_the_last_change(self, acme: Company, ask: Any) -> None:
        row = ask("PUT", one(acme.workspace), {"name": "Later"}).json()
        assert row["last_updated_at"] > row["created_at"]

    def test_is_for_the_workspaces_own_key_too(self, acme: Company, ask: Any) -> None:
        assert ask("PUT", one(acme.workspace), {"name": "Ours"}, key="workspace_key").json()["name"] == "Ours"


class TestDelete:
    def test_archives_it_when_its_name_is_repeated(self, acme: Company, ask: Any) -> None:
        answer = ask("DELETE", one(acme.other_workspace), {"name": acme.other_workspace.name})
        assert (answer.status_code, answer.json()) == (200, {})
        assert says(ask("GET", one(acme.other_workspace)), 404, "AB08")
        assert Workspace.objects.get(pk=acme.other_workspace.pk).is_archived

    def test_takes_no_body_at_all_while_it_is_empty(self, acme: Company, ask: Any) -> None:
        assert ask("DELETE", one(acme.other_workspace)).status_code == 200

    @pytest.mark.parametrize(
        "body",
        [
            {"name": "Acme"},
            {"name": "acme support"},
            {"workspace_id": "own"},
            {"name": None},
            {"name": ""},
            {"name": 5},
            {"force_delete": False},
            {"other": 1},
            {"name": "Acme", "force_delete": True},
            {"force_delete": "true"},
            {"force_delete": 1},
            {"force_delete": None},
        ],
    )
    def test_refuses_a_name_that_is_wrong_or_missing(self, acme: Company, ask: Any, body: dict[str, Any]) -> None:
        workspace = acme.other_workspace
        said = {**body, "workspace_id": str(workspace.pk)} if "workspace_id" in body else body
        assert says(ask("DELETE", one(workspace), said), 400, "AB01")
        assert not Workspace.objects.get(pk=workspace.pk).is_archived

    def test_does_not_even_compose_what_is_longer_than_a_name(self, acme: Company, ask: Any) -> None:
        answer = ask("DELETE", one(acme.other_workspace), {"name": HOSTILE, "force_delete": True})
        assert says(answer, 400, "AB01")
        assert answer.json()["error"]["message"] == "name: Ensure this field has no more than 255 characters."

    def test_refuses_while_something_is_in_it(self, acme: Company, ask: Any) -> None:
        for body in (None, {"name": acme.workspace.name}):
            answer = ask("DELETE", one(acme.workspace), body)
            assert says(answer, 409, "AB07")
            assert answer.json()["message"] == "Unable to delete. Please ensure that all API keys are deleted."

    @pytest.mark.parametrize("more", [{}, {"name": "Acme Search"}])
    def test_unless_it_is_forced(self, acme: Company, call: Any, ask: Any, more: dict[str, Any]) -> None:
        assert ask("DELETE", one(acme.workspace), {"force_delete": True, **more}).status_code == 200
        assert call("GET", "/v1/whoami", acme.secrets["workspace_key"]).status_code == 401

    def test_the_default_workspace_stays(self, acme: Company, ask: Any) -> None:
        for body in (None, {"name": acme.default.name}, {"force_delete": True}):
            assert says(ask("DELETE", one(acme.default), body), 409, "AB07")

    def test_a_protected_one_stays(self, acme: Company, ask: Any) -> None:
        operations.update(acme.other_workspace, delete_protected=True, by=system())
        assert says(ask("DELETE", one(acme.other_workspace), {"force_delete": True}), 409, "AB07")
