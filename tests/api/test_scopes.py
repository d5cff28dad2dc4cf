"""What a key may ask, scope by scope (AK-05, AK-07), and what it may hand on (ES-04)."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.access.levels import FEATURES, Feature, KeyLevel
from apps.access.scopes import ALLOWED, FREELY_GIVEN, KeyType
from tests.api.endpoints import ENDPOINTS, TYPES, Endpoint, filled, new_key, rolled_back
from tests.world import Company

DECLARED = {scope for endpoint in ENDPOINTS for scope in endpoint.scopes}


def place_of(company: Company, key_type: KeyType) -> Any:
    return company.organization if key_type is KeyType.ORGANIZATION else company.workspace


def in_sight(key_type: KeyType) -> list[Endpoint]:
    """An organization's own keys are not there for a key of one workspace, whatever its scopes."""
    hidden = key_type is not KeyType.ORGANIZATION
    return [e for e in ENDPOINTS if not (hidden and e.path.startswith("/api-keys/{organization_key}"))]


def opened(company: Company, key_type: KeyType, scopes: list[str], call: Any) -> set[str]:
    """The endpoints that answer this key with anything but their own 403.

    What an invitation hands out is measured beyond its endpoint (P4), and that refusal names another scope.
    """
    user = company.owner if key_type is KeyType.USER else None
    secret, open_ = new_key(place_of(company, key_type), scopes, user), set()
    for endpoint in in_sight(key_type):
        with rolled_back():
            answer = call(endpoint.method, endpoint.of(company), secret, filled(endpoint.body, company))
        assert answer.status_code in {200, 400, 403}, (str(endpoint), answer.content)
        if answer.status_code != 403 or answer.json()["error"]["action"] not in endpoint.scopes:
            open_.add(str(endpoint))
    return open_


@pytest.mark.parametrize("key_type", list(TYPES.values()))
def test_each_scope_alone_opens_what_declares_it_and_nothing_else(acme: Company, call: Any, key_type: KeyType) -> None:
    for scope in sorted(DECLARED & ALLOWED[key_type]):
        declaring = {str(e) for e in in_sight(key_type) if scope in e.scopes or not e.scopes}
        assert opened(acme, key_type, [scope], call) == declaring, scope


@pytest.mark.parametrize("key_type", list(TYPES.values()))
def test_all_other_scopes_together_open_none_of_them(acme: Company, call: Any, key_type: KeyType) -> None:
    others = sorted(ALLOWED[key_type] - DECLARED)
    assert opened(acme, key_type, others, call) == {str(e) for e in ENDPOINTS if not e.scopes}


@pytest.mark.parametrize("key_type", [KeyType.WORKSPACE, KeyType.USER])
def test_a_key_of_a_workspace_manages_no_organization(acme: Company, call: Any, key_type: KeyType) -> None:
    """All that its type may carry, and still: people, invitations, workspaces and admin keys are out of reach."""
    open_ = opened(acme, key_type, sorted(ALLOWED[key_type]), call)
    closed = {str(e) for e in in_sight(key_type)} - open_
    organizations = ("organisation", "workspaces.create", "workspaces.delete")
    assert {
        str(e) for e in in_sight(key_type) if e.scopes and all(s.startswith(organizations) for s in e.scopes)
    } <= closed


def test_an_organizations_key_may_ask_everything_here(acme: Company, call: Any) -> None:
    everything = sorted(ALLOWED[KeyType.ORGANIZATION])
    assert opened(acme, KeyType.ORGANIZATION, everything, call) == {str(e) for e in ENDPOINTS}


def test_a_persons_key_can_do_no_more_than_the_person(acme: Company, call: Any) -> None:
    secret = new_key(acme.workspace, user=acme.member)
    assert call("GET", f"/v1/admin/workspaces/{acme.workspace.slug}", secret).status_code == 200
    refused = call("PUT", f"/v1/admin/workspaces/{acme.workspace.slug}", secret, {"name": "Mine"})
    assert refused.status_code == 403
    assert refused.json()["error"]["action"] == "workspaces.update"


LEVELS = [
    pytest.param(key_type, feature, level, id=f"{feature.slug}-{level}-{key_type}")
    for key_type in TYPES.values()
    for feature in FEATURES
    for level in feature.levels
    if level is not KeyLevel.DISABLED and feature.at(level, key_type)
]


@pytest.mark.parametrize(("key_type", "feature", "level"), LEVELS)
def test_each_level_of_the_board_opens_exactly_what_it_should(
    acme: Company, call: Any, key_type: KeyType, feature: Feature, level: KeyLevel
) -> None:
    """Seed 001's second table, row by row: a level opens the endpoints of its actions, and no other."""
    scopes = {action.value for action in feature.at(level, key_type)}
    declared = {str(e) for e in in_sight(key_type) if scopes & set(e.scopes) or not e.scopes}
    assert opened(acme, key_type, sorted(scopes), call) == declared


SAMPLE = {
    KeyType.ORGANIZATION: ["organisations.read", "organisation_users.list", "organisation_users.create", "prompts.read",
                           "prompts.publish", "workspaces.create", "workspace_users.list", "audit_logs.list"],
    KeyType.WORKSPACE: ["workspaces.read", "workspace_users.list", "prompts.read", "prompts.publish", "configs.update",
                        "completions.write", "prompts.render", "mcp.invoke"],
}  # fmt: skip
PATHS = {KeyType.ORGANIZATION: "/v1/api-keys/organisation/service", KeyType.WORKSPACE: "/v1/api-keys/workspace/service"}
FAMILY = {KeyType.ORGANIZATION: "organisation_service_api_keys", KeyType.WORKSPACE: "workspace_service_api_keys"}
subsets = st.fixed_dictionaries(
    {key_type: st.tuples(st.sets(st.sampled_from(sample)), st.sets(st.sampled_from(sample), min_size=1))
     for key_type, sample in SAMPLE.items()}
)  # fmt: skip


class TestHandingOn:
    """ES-04, ES-05: a key hands on what it holds, and on workspace keys the data plane; never more."""

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(drawn=subsets)
    def test_a_key_makes_a_key_of_no_more_than_it_holds(self, acme: Company, call: Any, drawn: Any) -> None:
        for key_type, (held, wanted) in drawn.items():
            maker = [*held, f"{FAMILY[key_type]}.create"]
            allowed = wanted <= held | (FREELY_GIVEN if key_type is KeyType.WORKSPACE else set())
            with rolled_back():
                secret = new_key(place_of(acme, key_type), maker)
                answer = call("POST", PATHS[key_type], secret, {"name": "Made", "scopes": sorted(wanted)})
            assert answer.status_code == (200 if allowed else 400), (held, wanted, answer.content)

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(drawn=subsets)
    def test_nor_widens_one(self, acme: Company, call: Any, drawn: Any) -> None:
        for key_type, (held, wanted) in drawn.items():
            changer = [*held, f"{FAMILY[key_type]}.update"]
            existing = acme.organization_key if key_type is KeyType.ORGANIZATION else acme.workspace_key
            existing.scopes = ["prompts.read"]
            allowed = wanted <= {*held, "prompts.read"} | (FREELY_GIVEN if key_type is KeyType.WORKSPACE else set())
            with rolled_back():
                existing.save(update_fields=["scopes"])
                secret = new_key(place_of(acme, key_type), changer)
                answer = call("PUT", f"/v1/api-keys/{existing.pk}", secret, {"scopes": sorted(wanted)})
                existing.refresh_from_db()
                held_now = set(existing.scopes)
            assert answer.status_code == (200 if allowed else 400), (held, wanted, answer.content)
            assert held_now == (wanted if allowed else {"prompts.read"})

    def test_the_refusal_names_what_was_too_much(self, acme: Company, call: Any) -> None:
        secret = new_key(acme.organization, ["organisation_service_api_keys.create"])
        answer = call("POST", PATHS[KeyType.ORGANIZATION], secret, {"name": "Made", "scopes": ["audit_logs.list"]})
        assert (answer.status_code, answer.json()["errorCode"]) == (400, "AB01")
        assert answer.json()["error"]["param"] == "scopes"
        assert "audit_logs.list" in answer.json()["message"]

    @pytest.mark.parametrize(
        "scope", ["organisation_owners.manage", "billing.manage", "organisations.delete", "nonsense"]
    )
    def test_what_people_alone_hold_is_given_to_no_key(self, acme: Company, call: Any, scope: str) -> None:
        secret = acme.secrets["organization_key"]
        answer = call("POST", PATHS[KeyType.ORGANIZATION], secret, {"name": "Made", "scopes": [scope]})
        assert answer.status_code == 400
        assert scope in answer.json()["message"]
