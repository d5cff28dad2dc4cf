"""The algebra of roles and scopes: what must hold for every combination, not only for those somebody thought of."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.access import gate
from apps.access.actions import DATA_PLANE, READING, Action, Level, permissions_on
from apps.access.actors import NobodyActor, SystemActor
from apps.access.roles import (
    BASELINE,
    MATRIX,
    REACHING_INTO_WORKSPACES,
    Column,
    OrganizationRole,
    WorkspaceRole,
    actions_of,
    holders,
    makes_owners,
    needed_to_grant,
    title,
)
from apps.access.scopes import ALLOWED, INERT, PEOPLE_ONLY, KeyType, effective, every_scope, not_allowed
from apps.core.errors import Forbidden, Overreach

ROLES = [*OrganizationRole, *WorkspaceRole]
STRINGS = (
    st.sampled_from(sorted(Action))
    | st.sampled_from(sorted(set.union(*map(set, INERT.values()))))
    | st.text(max_size=30)
)


class Room(SimpleNamespace):
    """A place that permits everything."""

    @property
    def permitted(self) -> frozenset[Action]:
        return frozenset(Action)


def holding(*actions: Action) -> SystemActor:
    return SystemActor(reason="a test", actions=actions)


def test_the_matrix_decides_every_action() -> None:
    assert set(MATRIX) == set(Action)


@pytest.mark.parametrize("action", list(Action))
def test_who_is_higher_holds_no_less(action: Action) -> None:
    columns = MATRIX[action]
    assert Column.OWNER in columns
    assert Column.MEMBER not in columns or Column.ADMIN in columns


def test_membership_of_the_organization_opens_no_workspace() -> None:
    assert all(action.level is Level.ORGANIZATION for action in actions_of(OrganizationRole.MEMBER))
    assert {OrganizationRole.OWNER, OrganizationRole.ADMIN} == REACHING_INTO_WORKSPACES


@pytest.mark.parametrize("role", list(WorkspaceRole))
def test_a_workspace_role_reaches_nothing_of_the_organization(role: WorkspaceRole) -> None:
    assert all(action.level is Level.WORKSPACE for action in actions_of(role))


def test_workspace_admins_and_managers_hold_the_admin_column() -> None:
    assert actions_of(WorkspaceRole.ADMIN) == actions_of(WorkspaceRole.MANAGER)
    assert actions_of(WorkspaceRole.ADMIN) < actions_of(OrganizationRole.ADMIN) < actions_of(OrganizationRole.OWNER)


@pytest.mark.parametrize("role", ROLES)
def test_whoever_holds_a_role_may_grant_it(role: OrganizationRole | WorkspaceRole) -> None:
    gate.require_to_grant(holding(*actions_of(role)), [role], Room(), field="role")


@given(st.sampled_from(ROLES), st.sets(st.sampled_from(sorted(Action))))
def test_a_role_is_granted_by_exactly_those_who_hold_what_it_needs(role: object, held: set[Action]) -> None:
    needed = needed_to_grant(role)  # type: ignore[arg-type]
    assert not needed & (BASELINE | DATA_PLANE)
    if needed <= held:
        gate.require_to_grant(holding(*held), [role], Room(), field="role")  # type: ignore[list-item]
    else:
        with pytest.raises(Overreach) as refusal:
            gate.require_to_grant(holding(*held), [role], Room(), field="role")  # type: ignore[list-item]
        assert set(refusal.value.beyond) == needed - held


def test_only_the_owner_role_makes_owners() -> None:
    assert [title(role) for role in ROLES if makes_owners(role)] == ["Organization owner"]


@pytest.mark.parametrize("action", list(Action))
def test_a_refusal_names_everybody_who_could(action: Action) -> None:
    assert {title(role) for role in holders(action)} == {title(role) for role in ROLES if action in actions_of(role)}
    with pytest.raises(Forbidden) as refusal:
        gate.require(NobodyActor(), action, Room())
    assert refusal.value.action == action
    assert refusal.value.roles == tuple(title(role) for role in holders(action))
    gate.require(holding(action), action, Room())


def test_codenames_are_unique_and_fit_their_column() -> None:
    codenames = [codename for codename, _ in permissions_on(Level.ORGANIZATION)]
    assert len(codenames) == len(set(codenames)) == len(Action)
    assert max(map(len, codenames)) <= 100
    assert all(Action.with_codename(action.codename) is action for action in Action)
    assert Action.with_codename("nothing") is None


@given(st.sampled_from(list(KeyType)), st.lists(STRINGS, max_size=20))
def test_scopes_mean_only_what_their_type_may_carry(key_type: KeyType, scopes: list[str]) -> None:
    meant = effective(scopes, key_type)
    assert meant <= ALLOWED[key_type]
    assert meant == {Action(scope) for scope in scopes if scope in ALLOWED[key_type]}
    assert set(not_allowed(scopes, key_type)) == set(scopes) - ALLOWED[key_type] - INERT[key_type]


@given(st.sampled_from(list(KeyType)), st.lists(STRINGS, max_size=20), st.lists(STRINGS, max_size=20))
def test_more_scopes_never_mean_less(key_type: KeyType, fewer: list[str], more: list[str]) -> None:
    assert effective(fewer, key_type) <= effective([*fewer, *more], key_type)


@pytest.mark.parametrize("key_type", list(KeyType))
def test_a_key_with_everything_still_lacks_what_is_for_people(key_type: KeyType) -> None:
    assert not effective(every_scope(key_type), key_type) & PEOPLE_ONLY
    assert not set(every_scope(key_type)) & INERT[key_type]


def test_a_personal_key_carries_no_more_than_a_service_key() -> None:
    assert ALLOWED[KeyType.USER] < ALLOWED[KeyType.WORKSPACE]
    assert not ALLOWED[KeyType.ORGANIZATION] & DATA_PLANE


def test_reading_changes_nothing() -> None:
    assert {action.verb for action in READING} == {"list", "read", "view"}
