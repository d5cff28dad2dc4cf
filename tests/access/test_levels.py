"""A key's levels say what the product's table says, and give what its rules say."""

import pytest

from apps.access.actions import Action
from apps.access.levels import FEATURES, Feature, KeyLevel, without_a_row
from apps.access.scopes import ALLOWED, KeyType
from tests.house.tables import rows_of

ROWS = {name: (permissions.split(", "), default) for name, permissions, default in rows_of("levels_table.md")}
BY_SLUG = {feature.slug: feature for feature in FEATURES}
READ = {"list", "read", "copy", "render"}
WRITE = READ | {"create", "update", "duplicate", "publish", "rotate"}
RESOURCES = {
    "prompts": {"prompts"},
    "configs": {"configs"},
    "guardrails": {"guardrails"},
    "virtual_keys": {"virtual_keys"},
    "workspace_integrations": {"workspace_integrations", "organisation_integrations"},
    "providers": {"providers"},
    "models": {"models"},
    "workspace_users": {"workspace_users", "organisation_users"},
    "workspace_service_api_keys": {
        "workspace_service_api_keys",
        "workspace_user_api_keys",
        "organisation_service_api_keys",
    },
}


def test_every_row_of_the_table_is_a_feature_in_its_order() -> None:
    assert [str(feature.name) for feature in FEATURES] == list(ROWS)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.slug)
def test_levels_and_default_are_the_tables(feature: Feature) -> None:
    permissions, default = ROWS[str(feature.name)]
    assert [str(level.label) for level in feature.levels] == permissions
    assert str(feature.default.label) == default


def test_the_two_switches_give_what_the_product_lists() -> None:
    assert BY_SLUG["metrics"].everything == {"analytics.view", "logs.list", "logs.view", "logs.export"}
    assert BY_SLUG["completions"].everything == {"completions.write", "logs.write", "guardrails.invoke"}


@pytest.mark.parametrize("slug", list(RESOURCES))
def test_read_write_and_delete_include_each_other(slug: str) -> None:
    feature, family = BY_SLUG[slug], {a for a in Action if a.resource in RESOURCES[slug]}
    assert feature.levels[KeyLevel.READ] == {a for a in family if a.verb in READ}
    assert feature.levels[KeyLevel.WRITE] == {a for a in family if a.verb in WRITE}
    assert feature.levels[KeyLevel.DELETE] == {a for a in family if a.verb in WRITE | {"delete"}}


def test_only_workspace_keys_render_prompts_and_only_the_organizations_invite() -> None:
    prompts, users = BY_SLUG["prompts"], BY_SLUG["workspace_users"]
    assert Action.PROMPTS_RENDER in prompts.at(KeyLevel.READ, KeyType.WORKSPACE)
    assert Action.PROMPTS_RENDER not in prompts.at(KeyLevel.DELETE, KeyType.ORGANIZATION)
    assert Action.ORGANISATION_USERS_CREATE in users.at(KeyLevel.WRITE, KeyType.ORGANIZATION)
    assert Action.ORGANISATION_USERS_CREATE not in users.at(KeyLevel.DELETE, KeyType.WORKSPACE)


@pytest.mark.parametrize("key_type", list(KeyType))
def test_every_scope_a_type_may_carry_has_a_row_or_stands_under_more(key_type: KeyType) -> None:
    under_rows = {action for feature in FEATURES for action in feature.at(feature.highest, key_type)}
    more = set(without_a_row(key_type))
    assert under_rows | more == ALLOWED[key_type]
    assert not under_rows & more


@pytest.mark.parametrize("key_type", list(KeyType))
def test_a_level_is_recognised_and_another_set_is_none(key_type: KeyType) -> None:
    for feature in FEATURES:
        for level in feature.levels:
            found = feature.level_of(feature.at(level, key_type), key_type)
            assert found is not None
            assert feature.at(found, key_type) == feature.at(level, key_type)
    assert BY_SLUG["prompts"].level_of(["prompts.publish"], key_type) is None
