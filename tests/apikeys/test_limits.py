"""What a key has used of its limits: on the wire, reset, used up, and told to its people."""

from datetime import timedelta
from typing import Any

import pytest

from apps.access.actors import UserActor
from apps.apikeys import operations as apikeys
from apps.apikeys.models import ApiKey, Notice
from apps.audit.models import AuditEvent
from apps.core.clock import now
from apps.core.errors import Exhausted, Forbidden
from apps.limits import operations as limits
from apps.limits.models import Budget
from apps.workspaces import operations as workspaces
from tests.world import Company

DOLLAR = 1_000_000
BUDGET = {"type": "cost", "credit_limit": 10, "alert_threshold": 8}


@pytest.fixture
def key(acme: Company) -> ApiKey:
    return apikeys.update(acme.workspace_key, usage_limits=BUDGET, by=UserActor(acme.manager))


def spend(key: ApiKey, dollars: int) -> None:
    limits.settle(limits.admit(key, cost=dollars * DOLLAR))


def read(acme: Company, call: Any, key: ApiKey) -> Any:
    return call("GET", f"/v1/api-keys/{key.pk}", acme.secrets["organization_key"]).json()


def test_the_wire_says_what_is_used(acme: Company, key: ApiKey, call: Any) -> None:
    spend(key, 4)
    row = read(acme, call, key)
    assert (row["usage_limits"]["current_usage"], row["status"]) == (4.0, "active")
    listed = call("GET", "/v1/api-keys", acme.secrets["organization_key"]).json()["data"]
    assert [each["usage_limits"]["current_usage"] for each in listed if each["id"] == row["id"]] == [4.0]


def test_a_key_that_has_used_it_up_says_so_and_is_let_in_to_ask(acme: Company, key: ApiKey, call: Any) -> None:
    """Product P25: 412 on the data plane only."""
    spend(key, 10)
    assert read(acme, call, key)["status"] == "exhausted"
    assert call("GET", "/v1/whoami", acme.secrets["workspace_key"]).status_code == 200
    with pytest.raises(Exhausted):
        limits.admit(key, cost=1)


@pytest.mark.parametrize("way", [{"reset_usage": True}, {"usage_limits": {**BUDGET, "credit_limit": 20}}])
def test_a_reset_or_a_raise_makes_it_active_again(acme: Company, key: ApiKey, call: Any, way: dict[str, Any]) -> None:
    """Contract rule 62."""
    spend(key, 10)
    path = f"/v1/api-keys/{key.pk}"
    assert call("PUT", path, acme.secrets["organization_key"], way).status_code == 200
    assert read(acme, call, key)["status"] == "active"
    key.refresh_from_db()
    spend(key, 5)


def test_a_reset_is_dated_and_written_down(acme: Company, key: ApiKey, call: Any) -> None:
    spend(key, 3)
    apikeys.update(key, reset_usage=True, by=UserActor(acme.manager))
    row = read(acme, call, key)
    assert row["usage_limits"]["current_usage"] == 0
    assert row["last_reset_at"] is not None
    assert AuditEvent.objects.filter(event="api_key.usage_reset", target_id=str(key.pk)).count() == 1


def test_no_key_resets_itself(acme: Company, call: Any) -> None:
    """BU-05."""
    scopes = ["completions.write", "workspace_service_api_keys.update"]
    made = apikeys.issue(acme.workspace, name="k", scopes=scopes, usage_limits=BUDGET, by=UserActor(acme.owner))
    spend(made.key, 10)
    answer = call("PUT", f"/v1/api-keys/{made.key.pk}", made.secret.clear, {"reset_usage": True})
    assert answer.status_code == 403
    assert read(acme, call, made.key)["status"] == "exhausted"


@pytest.mark.parametrize(
    "loosened",
    [{"usage_limits": None}, {"rate_limits": None}, {"expires_at": None}, {"allowed_addresses": None}],
    ids=str,
)
def test_nor_moves_what_else_holds_it(acme: Company, call: Any, loosened: dict[str, Any]) -> None:
    scopes = ["completions.write", "workspace_service_api_keys.update"]
    held = {
        "usage_limits": BUDGET,
        "rate_limits": [{"type": "requests", "unit": "rpm", "value": 60}],
        "expires_at": now() + timedelta(days=1),
        "allowed_addresses": ["127.0.0.1"],
    }
    made = apikeys.issue(acme.workspace, name="k", scopes=scopes, by=UserActor(acme.owner), **held)
    path = f"/v1/api-keys/{made.key.pk}"
    assert call("PUT", path, made.secret.clear, loosened).status_code == 403
    assert call("PUT", path, made.secret.clear, {"name": "Mine", "usage_limits": BUDGET}).status_code == 200


@pytest.mark.parametrize("person", ["member", "bystander"])
def test_nor_do_members(acme: Company, key: ApiKey, person: str) -> None:
    with pytest.raises(Forbidden):
        apikeys.update(key, reset_usage=True, by=UserActor(acme[person]))


def test_people_are_told_of_the_threshold_and_of_the_end_once_each(acme: Company, key: ApiKey) -> None:
    for _ in range(9):
        spend(key, 1)
    assert [notice.kind for notice in Notice.objects.filter(key=key)] == ["alert"]
    spend(key, 1)
    assert sorted(notice.kind for notice in Notice.objects.filter(key=key)) == ["alert", "exhausted"]
    assert AuditEvent.objects.filter(event="api_key.exhausted", target_id=str(key.pk)).count() == 1


def test_and_again_after_a_reset(acme: Company, key: ApiKey) -> None:
    for _ in range(2):
        spend(key, 8)
        apikeys.update(key, reset_usage=True, by=UserActor(acme.manager))
    assert Notice.objects.filter(key=key, kind="alert").count() == 2


def test_a_list_asks_for_all_budgets_at_once(acme: Company, call: Any, django_assert_max_num_queries: Any) -> None:
    for number in range(12):
        apikeys.issue(
            acme.workspace, name=f"k{number}", scopes=["completions.write"], usage_limits=BUDGET,
            by=UserActor(acme.owner),
        )  # fmt: skip
    with django_assert_max_num_queries(8):
        assert call("GET", "/v1/api-keys", acme.secrets["organization_key"]).status_code == 200


def test_a_key_reads_what_is_left(acme: Company, key: ApiKey, call: Any) -> None:
    apikeys.update(key, rate_limits=[{"type": "requests", "unit": "rpm", "value": 60}], by=UserActor(acme.manager))
    key.refresh_from_db()
    spend(key, 4)
    told = call("GET", "/v1/whoami", acme.secrets["workspace_key"]).json()["limits"]
    assert told == {
        "usage": {"type": "cost", "current_usage": 4.0, "left": 6.0, "next_usage_reset_at": None},
        "rates": [{"type": "requests", "unit": "rpm", "value": 60, "left": 59}],
    }


def test_one_without_limits_reads_that_there_are_none(acme: Company, call: Any) -> None:
    assert call("GET", "/v1/whoami", acme.secrets["user_key"]).json()["limits"] == {"usage": None, "rates": []}


def test_its_counters_go_with_its_workspace(acme: Company, key: ApiKey) -> None:
    spend(key, 1)
    workspaces.archive(acme.workspace, by=UserActor(acme.owner))
    acme.workspace.refresh_from_db()
    workspaces.delete(acme.workspace, by=UserActor(acme.owner))
    assert not Budget.objects.filter(subject=key.pk).exists()
