"""The table, guardian's rows, the gate and Django agree, for every cell."""

import pytest

from apps.access import gate
from apps.access.actions import Action, Level
from apps.access.actors import UserActor
from apps.access.roles import MATRIX, Column, OrganizationRole, WorkspaceRole, actions_of
from apps.access.scopes import ALLOWED, KeyType
from tests.house.tables import rows_of
from tests.world import Company

# How the product's words for features and verbs are spelt as actions.
FEATURES = {
    "Logs and Analytics": None,
    "Prompts": "prompts",
    "Configs": "configs",
    "Guardrails": "guardrails",
    "Virtual Keys": "virtual_keys",
    "Integrations": "workspace_integrations",
    "Model Catalog: Providers": "providers",
    "Model Catalog: Models": "models",
    "Team": "organisation_users",
    "Organisation": "organisations",
    "API Keys": "workspace_service_api_keys",
    "Billing": "billing",
}
VERBS = {"View": "read", "Edit": "update", "Add users": "create", "assign roles": "update"}
LOGS = {"View": "logs.view", "Filter": "logs.list", "Group": "analytics.view"}


def _actions(feature: str, cell: str) -> set[str]:
    words = [] if cell == "-" else [word.strip() for word in cell.split(",")]
    if FEATURES[feature] is None:
        return {LOGS[word] for word in words}
    return {f"{FEATURES[feature]}.{VERBS.get(word, word.lower())}" for word in words}


CELLS = [
    (feature, column, cell)
    for feature, *cells in rows_of("product_table.md")
    for column, cell in zip(Column, cells, strict=True)
]


@pytest.mark.parametrize(("feature", "column", "cell"), CELLS)
def test_the_matrix_says_what_the_product_says(feature: str, column: Column, cell: str) -> None:
    """Flip any cell of access/roles.py that the product names, and this fails with that cell."""
    said = _actions(feature, cell)
    everything = {action for _, *cells in [(feature, *_row(feature))] for c in cells for action in _actions(feature, c)}
    assert {action for action in everything if column in MATRIX[Action(action)]} == said


def _row(feature: str) -> list[str]:
    return next(cells for name, *cells in rows_of("product_table.md") if name == feature)


def test_the_product_names_every_feature_once() -> None:
    assert [feature for feature, *_ in rows_of("product_table.md")] == list(FEATURES)


ROLES = {
    "O": OrganizationRole.OWNER,
    "A": OrganizationRole.ADMIN,
    "M": OrganizationRole.MEMBER,
    "WA": WorkspaceRole.ADMIN,
    "WM": WorkspaceRole.MANAGER,
    "Wm": WorkspaceRole.MEMBER,
}
KEYS = {"A": KeyType.ORGANIZATION, "S": KeyType.WORKSPACE, "U": KeyType.USER}
LINES = {
    f"{resource}.{verb}": (level, set(held_by.split()), set(keys.split()))
    for resource, verbs, level, held_by, keys in rows_of("actions_table.md")
    for verb in verbs.split()
}


def test_every_action_has_a_line() -> None:
    assert set(LINES) == set(Action)


@pytest.mark.parametrize("action", list(Action))
def test_level_holders_and_keys_of_each_action(action: Action) -> None:
    level, held_by, keys = LINES[action]
    assert action.level == Level(level)
    assert {letter for letter, role in ROLES.items() if action in actions_of(role)} == held_by
    assert {letter for letter, key_type in KEYS.items() if action in ALLOWED[key_type]} == keys


IN_ORGANIZATION = {
    "owner": OrganizationRole.OWNER,
    "admin": OrganizationRole.ADMIN,
    "bystander": OrganizationRole.MEMBER,
}
IN_WORKSPACE = {
    "workspace_admin": WorkspaceRole.ADMIN,
    "manager": WorkspaceRole.MANAGER,
    "member": WorkspaceRole.MEMBER,
    "owner": OrganizationRole.OWNER,
    "admin": OrganizationRole.ADMIN,
    "bystander": OrganizationRole.MEMBER,
}


@pytest.mark.parametrize("person", list(IN_ORGANIZATION))
def test_guardian_says_what_the_matrix_says_of_an_organization(acme: Company, person: str) -> None:
    actor, user = UserActor(acme[person]), acme[person]
    for action in Action:
        expected = action in actions_of(IN_ORGANIZATION[person])
        assert gate.may(actor, action, acme.organization) is expected, action
        assert user.has_perm(f"organizations.{action.codename}", acme.organization) is expected, action


@pytest.mark.parametrize("person", list(IN_WORKSPACE))
def test_guardian_says_what_the_matrix_says_of_a_workspace(acme: Company, person: str) -> None:
    actor, user = UserActor(acme[person]), acme[person]
    for action in Action:
        expected = action.level is Level.WORKSPACE and action in actions_of(IN_WORKSPACE[person])
        assert gate.may(actor, action, acme.workspace) is expected, action
        assert user.has_perm(f"workspaces.{action.codename}", acme.workspace) is expected, action


@pytest.mark.parametrize("person", ["workspace_admin", "manager", "member"])
def test_a_role_in_one_workspace_is_none_in_another(acme: Company, person: str) -> None:
    actor = UserActor(acme[person])
    assert not actor.belongs_to(acme.other_workspace)
    assert actor.actions_in(acme.other_workspace) == frozenset()
    assert actor.actions_in(acme.organization) == actions_of(OrganizationRole.MEMBER)


@pytest.mark.parametrize("person", ["owner", "admin", "member", "manager"])
def test_a_role_in_one_organization_is_none_in_another(acme: Company, globex: Company, person: str) -> None:
    actor = UserActor(acme[person])
    for place in (globex.organization, globex.workspace, globex.default):
        assert not actor.belongs_to(place)
        assert actor.actions_in(place) == frozenset()
        assert not any(acme[person].has_perm(f"{place._meta.app_label}.{a.codename}", place) for a in Action)
