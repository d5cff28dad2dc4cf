"""`api-keys` (contract 1.6) and `whoami`."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.access.scopes import KeyType, every_scope
from apps.apikeys import operations
from apps.apikeys.models import ApiKey
from apps.core.clock import now, wire
from apps.workspaces import operations as workspaces
from tests.api.endpoints import new_key, says
from tests.conftest import key_named
from tests.world import Company, World, system

KEYS = {
    "id",
    "key",
    "name",
    "description",
    "type",
    "organisation_id",
    "workspace_id",
    "user_id",
    "status",
    "created_at",
    "last_updated_at",
    "creation_mode",
    "rate_limits",
    "usage_limits",
    "reset_usage",
    "expires_at",
    "last_reset_at",
    "alert_emails",
    "expiry_enforced",
    "rotation_policy",
    "last_rotated_at",
    "key_transition_expires_at",
    "allowed_addresses",
    "next_usage_reset_at",
    "allow_config_override",
    "api_key_defaults_id",
    "scopes",
    "defaults",
    "object",
}
LATER = "2099-12-31T23:59:59.000Z"
FULL = {
    "name": "Batch",
    "description": "For the nightly run.",
    "scopes": ["completions.write", "prompts.read"],
    "rate_limits": [{"type": "requests", "unit": "rps", "value": 5}],
    "usage_limits": {"type": "cost", "credit_limit": 100, "alert_threshold": 80, "periodic_reset": "monthly"},
    "defaults": {"metadata": {"team": "search"}, "allow_config_override": False},
    "alert_emails": ["Ops@Acme.example"],
    "expires_at": LATER,
}


@pytest.fixture
def ask(acme: Company, call: Any) -> Any:
    """`ask("PUT", f"/{key.pk}", body)`, with Acme's organization key unless another is given."""

    def asked(method: str, path: str = "", body: Any = None, key: str = "organization_key") -> Any:
        return call(method, f"/v1/api-keys{path}", acme.secrets.get(key, key), body)

    return asked


class TestCreate:
    def test_three_kinds_are_made_and_shown_once(self, acme: Company, ask: Any, call: Any) -> None:
        here = {"workspace_id": acme.workspace.slug}
        for kind, scopes, more in (
            ("organisation/service", ["prompts.read"], {}),
            ("workspace/service", ["completions.write"], here),
            ("workspace/user", ["completions.write"], {**here, "user_id": str(acme.member.pk)}),
        ):
            answer = ask("POST", f"/{kind}", {"name": "New", "scopes": scopes, **more})
            assert (answer.status_code, set(answer.json())) == (200, {"id", "key", "object"})
            made = answer.json()
            read = ask("GET", f"/{made['id']}").json()
            assert (made["object"], read["type"]) == ("api-key", kind.replace("/", "-"))
            assert (read["creation_mode"], read["scopes"]) == ("api", scopes)
            assert read["key"] != made["key"]
            assert read["key"].endswith(made["key"][-4:])
            assert made["key"] not in str(ask("GET").content)
            assert call("GET", "/v1/whoami", made["key"]).json()["id"] == made["id"]

    def test_keeps_what_it_was_given(self, acme: Company, ask: Any) -> None:
        made = ask("POST", "/workspace/service", {**FULL, "workspace_id": str(acme.workspace.pk)}).json()
        read = ask("GET", f"/{made['id']}").json()
        assert set(read) == KEYS
        for name in ("name", "description", "scopes", "rate_limits", "expires_at"):
            assert read[name] == FULL[name]
        assert FULL["usage_limits"].items() <= read["usage_limits"].items()  # type: ignore[attr-defined]
        assert read["defaults"] == {"metadata": {"team": "search"}, "config_id": None, "allow_config_override": False}
        assert (read["allow_config_override"], read["alert_emails"]) == (0, ["ops@acme.example"])
        assert read["allow_config_override"] is not False  # a number: the Go client fails on a flag

    def test_what_is_not_given_is_null(self, acme: Company, ask: Any) -> None:
        body = {"name": "New", "scopes": ["prompts.read"], "workspace_id": acme.workspace.slug}
        read = ask("GET", f"/{ask('POST', '/workspace/service', body).json()['id']}").json()
        unset = ("description", "user_id", "usage_limits", "reset_usage", "expires_at", "last_reset_at", "alert_emails",
                 "next_usage_reset_at", "allow_config_override", "api_key_defaults_id")  # fmt: skip
        assert [read[name] for name in unset] == [None] * len(unset)
        assert read["defaults"] == {"metadata": None, "config_id": None, "allow_config_override": True}
        assert (read["rate_limits"], read["expiry_enforced"], read["status"]) == ([], 0, "active")
        assert (read["organisation_id"], read["workspace_id"]) == (str(acme.organization.pk), str(acme.workspace.pk))

    def test_an_organisations_personal_key_is_400(self, ask: Any) -> None:
        answer = ask("POST", "/organisation/user", {"name": "New", "scopes": ["prompts.read"]})
        assert says(answer, 400, "AB01")
        assert answer.json()["error"]["param"] == "sub-type"

    def test_the_place_must_be_named_where_it_is_open(self, acme: Company, ask: Any) -> None:
        body = {"name": "New", "scopes": ["completions.write"], "user_id": str(acme.member.pk)}
        for kind in ("workspace/service", "workspace/user"):
            answer = ask("POST", f"/{kind}", body)
            assert says(answer, 400, "AB01")
            assert answer.json()["error"]["message"] == "workspace_id: workspace_id is required."

    def test_a_workspaces_key_makes_keys_of_its_own_workspace(self, acme: Company, ask: Any) -> None:
        body = {"name": "New", "scopes": ["completions.write"]}
        made = ask("POST", "/workspace/service", body, "workspace_key").json()
        assert ask("GET", f"/{made['id']}").json()["workspace_id"] == str(acme.workspace.pk)
        elsewhere = {**body, "workspace_id": acme.other_workspace.slug}
        assert says(ask("POST", "/workspace/service", elsewhere, "workspace_key"), 404, "AB08")
        assert says(ask("POST", "/organisation/service", body, "workspace_key"), 403, "AB03")

    def test_an_organisations_key_lives_in_no_workspace(self, acme: Company, ask: Any) -> None:
        body = {"name": "New", "scopes": ["prompts.read"], "workspace_id": acme.workspace.slug}
        answer = ask("POST", "/organisation/service", body)
        assert says(answer, 400, "AB01")
        assert answer.json()["error"]["param"] == "workspace_id"

    def test_a_persons_key_makes_none(self, acme: Company, ask: Any) -> None:
        """ES-08: not for others, not for an owner, not even for oneself."""
        for user in (acme.member, acme.manager, acme.owner):
            body = {"name": "New", "scopes": ["completions.write"], "user_id": str(user.pk)}
            answer = ask("POST", "/workspace/user", body, "user_key")
            assert says(answer, 403, "AB03")
            assert answer.json()["error"]["action"] == "workspace_user_api_keys.create"

    def test_a_persons_key_needs_a_person_of_that_workspace(self, world: World, ask: Any) -> None:
        acme = world.acme
        body = {"name": "New", "scopes": ["completions.write"], "workspace_id": acme.workspace.slug}
        answers = [
            ask("POST", "/workspace/user", {**body, "user_id": str(pk)})
            for pk in (acme.bystander.pk, acme.suspended.pk, world.stranger.pk, world.globex.owner.pk, uuid.uuid4())
        ]
        assert all(says(answer, 400, "AB01") for answer in answers)
        assert len({answer.content for answer in answers}) == 1
        for absent in ({}, {"user_id": None}, {"user_id": "x"}, {"user_id": 5}):
            assert says(ask("POST", "/workspace/user", {**body, **absent}), 400, "AB01")
        assert ask("POST", "/workspace/user", {**body, "user_id": str(acme.owner.pk)}).status_code == 200

    def test_only_a_persons_key_has_one(self, acme: Company, ask: Any) -> None:
        body = {"name": "New", "scopes": ["prompts.read"], "user_id": str(acme.member.pk)}
        assert says(ask("POST", "/organisation/service", body), 400, "AB01")
        assert says(ask("POST", "/workspace/service", {**body, "workspace_id": acme.workspace.slug}), 400, "AB01")

    def test_what_some_clients_repeat_in_the_body_is_ignored(self, acme: Company, ask: Any) -> None:
        body = {"name": "New", "scopes": ["prompts.read"], "type": "organisation", "sub-type": "service"}
        assert (
            ask("POST", "/organisation/service", {**body, "status": "expired", "reset_usage": True}).status_code == 200
        )

    @pytest.mark.parametrize(
        ("body", "param"),
        [
            ({"name": None}, "name"),
            ({"name": ""}, "name"),
            ({"name": 5}, "name"),
            ({"name": "x" * 256}, "name"),
            ({"name": "a\tb"}, "name"),
            ({"description": 5}, "description"),
            ({"scopes": None}, "scopes"),
            ({"scopes": []}, "scopes"),
            ({"scopes": "prompts.read"}, "scopes"),
            ({"scopes": {"prompts.read": 1}}, "scopes"),
            ({"scopes": [5]}, "scopes[0]"),
            ({"scopes": [None]}, "scopes[0]"),
            ({"scopes": ["prompts"]}, "scopes"),
            ({"scopes": ["PROMPTS.READ"]}, "scopes"),
            ({"scopes": ["organisations.read"]}, "scopes"),
            ({"scopes": ["x" * 10_000]}, "scopes"),
            ({"expires_at": "tomorrow"}, "expires_at"),
            ({"expires_at": 5}, "expires_at"),
            ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
            ({"expires_at": "0000-01-01T00:00:00Z"}, "expires_at"),
            ({"expires_at": "9999-12-31T23:59:59-23:59"}, "expires_at"),
            ({"expires_at": "2099-13-01T00:00:00Z"}, "expires_at"),
            ({"rate_limits": {}}, "rate_limits"),
            ({"rate_limits": [{"type": "requests", "unit": "yearly", "value": 1}]}, "rate_limits[0].unit"),
            ({"rate_limits": [{"type": "requests", "unit": "rpm", "value": -1}]}, "rate_limits[0].value"),
            ({"rate_limits": [{"type": "requests", "unit": "rpm", "value": "1"}]}, "rate_limits[0].value"),
            ({"usage_limits": []}, "usage_limits"),
            ({"usage_limits": {"credit_limit": 2**53}}, "usage_limits.credit_limit"),
            (
                {"usage_limits": {"periodic_reset": "weekly", "periodic_reset_days": 3}},
                "usage_limits.periodic_reset_days",
            ),
            ({"defaults": []}, "defaults"),
            ({"defaults": {"config_id": "pc-x"}}, "defaults.config_id"),
            ({"defaults": {"allow_config_override": 0}}, "defaults.allow_config_override"),
            ({"defaults": {"metadata": {"a": None}}}, "defaults.metadata"),
            ({"alert_emails": "a@b.example"}, "alert_emails"),
            ({"alert_emails": ["nonsense"]}, "alert_emails"),
            ({"alert_emails": ["a@b.example"] * 21}, "alert_emails"),
            ({"rotation_policy": {"rotation_period": "yearly"}}, "rotation_policy.rotation_period"),
            ({"expires_at": "9999-12-31T23:59:59Z"}, "expires_at"),
            ({"usage_limits": {"next_usage_reset_at": "9999-12-31T23:59:59Z"}}, "usage_limits.next_usage_reset_at"),
            ({"allowed_addresses": ["0.0.0.0/0"]}, "allowed_addresses"),
            ({"allowed_addresses": ["::/0"]}, "allowed_addresses"),
            ({"allowed_addresses": "10.0.0.1"}, "allowed_addresses"),
            ({"allowed_addresses": ["10.0.0.0/33"]}, "allowed_addresses"),
            ({"allowed_addresses": ["fe80::1%eth0"]}, "allowed_addresses"),
            ({"allowed_addresses": [167772161]}, "allowed_addresses"),
            ({"allowed_addresses": ["10.0.0.1"] * 51}, "allowed_addresses"),
            ({"rotation_policy": []}, "rotation_policy"),
            ({"rotation_policy": "weekly"}, "rotation_policy"),
        ],
        ids=lambda value: ascii(value)[:60],
    )
    def test_refuses_what_makes_no_sense(self, acme: Company, ask: Any, body: dict[str, Any], param: str) -> None:
        good = {"name": "New", "scopes": ["completions.write"], "workspace_id": acme.workspace.slug}
        before = ApiKey.objects.count()
        for method, path, sent in (
            ("POST", "/workspace/service", {**good, **body}),
            ("PUT", f"/{acme.workspace_key.pk}", body),
        ):
            answer = ask(method, path, sent)
            assert says(answer, 400, "AB01")
            assert answer.json()["error"]["param"] == param
        assert ApiKey.objects.count() == before

    def test_name_and_scopes_are_required(self, ask: Any) -> None:
        for body, param in (({"scopes": ["prompts.read"]}, "name"), ({"name": "x"}, "scopes")):
            answer = ask("POST", "/organisation/service", body)
            assert says(answer, 400, "AB01")
            assert answer.json()["error"]["param"] == param

    def test_a_rotation_policy_of_null_is_none(self, ask: Any) -> None:
        body = {"name": "New", "scopes": ["prompts.read"], "rotation_policy": None}
        assert ask("POST", "/organisation/service", body).status_code == 200


class TestList:
    def listed(self, answer: Any) -> set[str]:
        return {row["id"] for row in answer.json()["data"]}

    def test_a_row_has_the_contracts_keys(self, acme: Company, ask: Any) -> None:
        rows = {row["id"]: row for row in ask("GET").json()["data"]}
        row = rows[str(acme.user_key.pk)]
        assert set(row) == KEYS
        assert (row["type"], row["user_id"]) == ("workspace-user", str(acme.member.pk))
        assert (row["key"], row["object"]) == (acme.user_key.mask, "api-key")

    def test_an_organizations_key_sees_all_of_it_or_one_workspace(self, acme: Company, ask: Any) -> None:
        elsewhere = key_named(new_key(acme.other_workspace, ["prompts.read"]))
        in_workspace = {str(acme.workspace_key.pk), str(acme.user_key.pk)}
        assert self.listed(ask("GET")) == {str(acme.organization_key.pk), str(elsewhere.pk), *in_workspace}
        for named in (acme.workspace.slug, acme.workspace.pk):
            assert self.listed(ask("GET", f"?workspace_id={named}")) == in_workspace
        assert self.listed(ask("GET", key="workspace_key")) == in_workspace

    @pytest.mark.parametrize(
        ("scope", "sees"),
        [
            ("organisation_service_api_keys.list", "organization_key"),
            ("workspace_service_api_keys.list", "workspace_key"),
            ("workspace_user_api_keys.list", "user_key"),
        ],
    )
    def test_only_the_families_it_may_list(self, acme: Company, ask: Any, scope: str, sees: str) -> None:
        secret = new_key(acme.organization, [scope])
        shown = self.listed(ask("GET", key=secret)) - {str(key_named(secret).pk)}
        assert shown == {str(getattr(acme, sees).pk)}

    def test_with_none_of_them_the_refusal_names_the_family_of_the_place(self, acme: Company, ask: Any) -> None:
        organization, workspace = (
            new_key(acme.organization, ["prompts.read"]),
            new_key(acme.workspace, ["prompts.read"]),
        )
        here = f"?workspace_id={acme.workspace.slug}"
        for secret, query, family in (
            (organization, "", "organisation_service_api_keys.list"),
            (organization, here, "workspace_service_api_keys.list"),
            (
                new_key(acme.organization, ["organisation_service_api_keys.list"]),
                here,
                "workspace_service_api_keys.list",
            ),
            (workspace, "", "workspace_service_api_keys.list"),
            ("user_key", "", "workspace_service_api_keys.list"),
        ):
            answer = ask("GET", query, key=secret)
            assert says(answer, 403, "AB03")
            assert answer.json()["error"]["action"] == family

    def test_revoked_ones_are_not_there(self, acme: Company, ask: Any) -> None:
        operations.revoke(acme.workspace_key, by=system())
        assert str(acme.workspace_key.pk) not in self.listed(ask("GET"))
        for method in ("GET", "PUT", "DELETE"):
            assert says(ask(method, f"/{acme.workspace_key.pk}", {}), 404, "AB08")

    def test_expired_and_disabled_ones_show_as_such(self, acme: Company, ask: Any) -> None:
        ApiKey.objects.filter(pk=acme.workspace_key.pk).update(expires_at=now() - timedelta(days=1))
        ApiKey.objects.filter(pk=acme.user_key.pk).update(status="disabled")
        states = {row["id"]: row["status"] for row in ask("GET").json()["data"]}
        assert states[str(acme.workspace_key.pk)] == "expired"
        assert states[str(acme.user_key.pk)] == "disabled"


class TestOne:
    @pytest.mark.parametrize("verb", ["read", "update", "delete"])
    @pytest.mark.parametrize(
        ("name", "family"),
        [("organization_key", "organisation_service_api_keys"), ("workspace_key", "workspace_service_api_keys"),
         ("user_key", "workspace_user_api_keys")],
    )  # fmt: skip
    def test_needs_the_scope_of_its_own_family(
        self, acme: Company, ask: Any, name: str, family: str, verb: str
    ) -> None:
        method = {"read": "GET", "update": "PUT", "delete": "DELETE"}[verb]
        path, families = f"/{getattr(acme, name).pk}", every_scope(KeyType.ORGANIZATION)
        without = new_key(acme.organization, [scope for scope in families if scope != f"{family}.{verb}"])
        answer = ask(method, path, {}, without)
        assert says(answer, 403, "AB03")
        assert answer.json()["error"]["action"] == f"{family}.{verb}"
        assert ask(method, path, {}, new_key(acme.organization, [f"{family}.{verb}"])).status_code == 200

    def test_is_nothing_outside_its_place(self, acme: Company, ask: Any) -> None:
        elsewhere = key_named(new_key(acme.other_workspace, ["prompts.read"]))
        for key in (elsewhere, acme.organization_key):
            for method in ("GET", "PUT", "DELETE"):
                assert says(ask(method, f"/{key.pk}", {}, "workspace_key"), 404, "AB08")
        assert says(ask("GET", f"/{acme.workspace_key.pk}?workspace_id={acme.other_workspace.slug}"), 404, "AB08")

    def test_a_persons_key_may_not_even_read_itself_here(self, acme: Company, ask: Any) -> None:
        assert says(ask("GET", f"/{acme.user_key.pk}", key="user_key"), 403, "AB03")


class TestUpdate:
    def test_what_is_absent_stays_and_null_clears(self, acme: Company, ask: Any) -> None:
        path = f"/{acme.workspace_key.pk}"
        answer = ask("PUT", path, {**FULL, "id": str(acme.workspace_key.pk)})
        assert (answer.status_code, answer.json()) == (200, {})
        assert ask("PUT", path, {"name": "Renamed", "rotation_policy": None}).status_code == 200
        read = ask("GET", path).json()
        assert (read["name"], read["description"], read["expires_at"]) == ("Renamed", FULL["description"], LATER)
        clearing = dict.fromkeys(
            ("description", "rate_limits", "usage_limits", "defaults", "alert_emails", "expires_at")
        )
        ask("PUT", path, clearing)
        cleared = ask("GET", path).json()
        assert (cleared["description"], cleared["usage_limits"], cleared["expires_at"]) == (None, None, None)
        assert (cleared["rate_limits"], cleared["alert_emails"], cleared["allow_config_override"]) == ([], None, None)
        assert cleared["scopes"] == FULL["scopes"]

    def test_type_person_and_place_never_change(self, acme: Company, ask: Any) -> None:
        body = {
            "type": "organisation-service",
            "user_id": str(acme.owner.pk),
            "organisation_id": str(acme.organization.pk),
        }
        before = ask("GET", f"/{acme.user_key.pk}").json()
        assert ask("PUT", f"/{acme.user_key.pk}", body).status_code == 200
        assert ask("GET", f"/{acme.user_key.pk}").json() == before

    def test_the_key_still_works_afterwards(self, acme: Company, ask: Any, call: Any) -> None:
        ask("PUT", f"/{acme.workspace_key.pk}", {"name": "Renamed", "scopes": ["prompts.read"]})
        shown = call("GET", "/v1/whoami", acme.secrets["workspace_key"]).json()
        assert (shown["name"], shown["scopes"]) == ("Renamed", ["prompts.read"])

    def test_an_instant_is_taken_in_any_zone_and_shown_in_utc(self, acme: Company, ask: Any) -> None:
        path = f"/{acme.workspace_key.pk}"
        for written, shown in (
            ("2099-01-01T02:00:00+02:00", datetime(2099, 1, 1, tzinfo=UTC)),
            ("2099-01-01", datetime(2099, 1, 1, tzinfo=UTC)),
            ("2099-01-01T00:00:00.123456Z", datetime(2099, 1, 1, 0, 0, 0, 123000, tzinfo=UTC)),
        ):
            assert ask("PUT", path, {"expires_at": written}).status_code == 200
            assert ask("GET", path).json()["expires_at"] == wire(shown)

    @pytest.mark.parametrize(
        ("written", "shown"),
        [
            ("2026-12-31T00:00:00Z", "2026-12-31T00:00:00.000Z"),
            ("2026-12-31T00:00:00+23:59:59.5", "2026-12-30T00:00:00.500Z"),
            ("2026-12-31T00:00:00.123456-02:00", "2026-12-31T02:00:00.123Z"),
            ("8999-12-31T23:59:59.999999Z", "8999-12-31T23:59:59.999Z"),
        ],
    )
    def test_the_next_reset_is_taken_in_any_zone_and_shown_in_utc(
        self, acme: Company, ask: Any, written: str, shown: str
    ) -> None:
        path = f"/{acme.workspace_key.pk}"
        assert ask("PUT", path, {"usage_limits": {"next_usage_reset_at": written}}).status_code == 200
        read = ask("GET", path).json()
        assert (read["next_usage_reset_at"], read["usage_limits"]["next_usage_reset_at"]) == (shown, shown)
        assert ask("PUT", path, {"usage_limits": read["usage_limits"]}).status_code == 200

    @pytest.mark.parametrize(
        "written",
        [
            "0001-01-01T00:00:00+23:59",
            "9999-12-31T23:59:59.999999-23:59",
            "0001-01-01T00:00:00Z",
            "2026-12-31T00:00:00",
            "2026-12-31T00:00:00+24:00",
            "2026-13-31T00:00:00Z",
            5,
            [],
        ],
    )
    def test_a_next_reset_that_is_no_instant_is_400(self, acme: Company, ask: Any, written: Any) -> None:
        body = {"usage_limits": {"next_usage_reset_at": written}}
        answer = ask("PUT", f"/{acme.workspace_key.pk}", body)
        assert says(answer, 400, "AB01")
        assert answer.json()["error"]["param"] == "usage_limits.next_usage_reset_at"


class TestOfAnArchivedWorkspace:
    """Keys leave the wire with their workspace (P23)."""

    @pytest.fixture(autouse=True)
    def _archived(self, acme: Company) -> None:
        workspaces.archive(acme.workspace, even_if_used=True, by=system())

    def test_none_is_listed(self, acme: Company, ask: Any) -> None:
        listed = {row["id"] for row in ask("GET").json()["data"]}
        assert listed == {str(acme.organization_key.pk)}

    @pytest.mark.parametrize("name", ["workspace_key", "user_key"])
    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_each_is_gone(self, acme: Company, ask: Any, method: str, name: str) -> None:
        key = getattr(acme, name)
        assert says(ask(method, f"/{key.pk}", None if method == "GET" else {}), 404, "AB08")
        assert ApiKey.objects.get(pk=key.pk).status == key.status


class TestDelete:
    def test_revokes_for_good(self, acme: Company, ask: Any, call: Any) -> None:
        answer = ask("DELETE", f"/{acme.workspace_key.pk}")
        assert (answer.status_code, answer.json()) == (200, {})
        assert says(call("GET", "/v1/whoami", acme.secrets["workspace_key"]), 401, "AB02")
        assert says(ask("DELETE", f"/{acme.workspace_key.pk}"), 404, "AB08")
        assert ApiKey.objects.get(pk=acme.workspace_key.pk).status == "revoked"

    def test_a_key_may_end_itself(self, acme: Company, ask: Any) -> None:
        assert ask("DELETE", f"/{acme.organization_key.pk}").status_code == 200
        assert says(ask("GET"), 401, "AB02")


class TestWhoAmI:
    def test_tells_a_key_what_it_is(self, acme: Company, call: Any) -> None:
        for name, place, person in (
            ("organization_key", None, None),
            ("workspace_key", acme.workspace.pk, None),
            ("user_key", acme.workspace.pk, acme.member.pk),
        ):
            shown, key = call("GET", "/v1/whoami", acme.secrets[name]).json(), getattr(acme, name)
            assert set(shown) == {
                "id",
                "name",
                "type",
                "organisation_id",
                "workspace_id",
                "user_id",
                "scopes",
                "expires_at",
                "status",
                "key_transition_expires_at",
                "limits",
                "object",
            }
            assert (shown["id"], shown["name"], shown["type"]) == (str(key.pk), key.name, key.type)
            assert shown["organisation_id"] == str(acme.organization.pk)
            assert (shown["workspace_id"], shown["user_id"]) == (place and str(place), person and str(person))
            assert (shown["expires_at"], shown["status"], shown["object"]) == (None, "active", "api-key")

    def test_shows_the_scopes_that_count_not_those_that_were_given(self, acme: Company, call: Any) -> None:
        """A personal key shrinks with its person (P12), and some strings of the contract never count."""
        shown = call("GET", "/v1/whoami", acme.secrets["user_key"]).json()
        assert "prompts.update" in shown["scopes"]
        assert "prompts.publish" in acme.user_key.scopes
        assert "prompts.publish" not in shown["scopes"]
        inert = new_key(acme.workspace, ["workspaces.create", "prompts.read"])
        assert call("GET", "/v1/whoami", inert).json()["scopes"] == ["prompts.read"]

    def test_is_for_any_live_key(self, acme: Company, call: Any) -> None:
        assert call("GET", "/v1/whoami", new_key(acme.workspace, ["completions.write"])).status_code == 200
        workspaces.archive(acme.other_workspace, by=system())
        assert call("GET", "/v1/whoami").status_code == 401
