"""What a page says a change would bring is what the change brings: no more, no less."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.access import gate
from apps.access.actions import Action, Level
from apps.access.actors import UserActor
from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.apikeys.models import ApiKey
from apps.memberships import consequences, operations
from apps.memberships.consequences import Consequences
from apps.organizations.matrix import VERBS
from tests.world import Company, system

ORGANIZATION_ROLES, WORKSPACE_ROLES = list(OrganizationRole), list(WorkspaceRole)
Held = dict[str, set[Action]]


def held(acme: Company, user: Any) -> Held:
    """Everything somebody may do, asked of the gate, in every place; in each at its own level."""
    actor = UserActor(user)
    places = {str(acme.organization): (acme.organization, Level.ORGANIZATION)}
    places |= {str(place): (place, Level.WORKSPACE) for place in acme.organization.workspaces.all()}
    return {
        name: {action for action in Action if action.level is level and gate.may(actor, action, place)}
        for name, (place, level) in places.items()
    }


def keys(acme: Company, user: Any) -> Held:
    return {
        key.name: set(key.actions_in(key.workspace))
        for key in ApiKey.objects.with_places().not_revoked().filter(organization=acme.organization, user=user)
    }


def said(acme: Company, user: Any, told: Consequences, before: Held) -> Held:
    """What somebody would hold if the page were right."""
    after = {place: set(actions) for place, actions in before.items()}
    alone = {str(row) for row in acme.organization.workspaces.exclude(memberships__membership__user=user)}
    for change in told.changes:
        for place in [change.place] if change.place in after else alone:
            after[place] |= {Action(value) for gain in change.gains for value in gain.actions}
            after[place] -= {Action(value) for loss in change.losses for value in loss.actions}
    return after


def assert_true(acme: Company, user: Any, weigh: Callable[[], Consequences], act: Callable[[], Any]) -> None:
    told, carried = weigh(), keys(acme, user)
    expected_of_person = said(acme, user, told, held(acme, user))
    act()
    assert held(acme, user) == expected_of_person
    expected = {name: actions for name, actions in carried.items() if name not in {key.name for key in told.ended}}
    for key in told.keys:
        expected[key.name] |= set(map(Action, key.gains))
        expected[key.name] -= set(map(Action, key.losses))
    assert keys(acme, user) == expected


@pytest.mark.parametrize("now", ORGANIZATION_ROLES)
@pytest.mark.parametrize("then", ORGANIZATION_ROLES)
@pytest.mark.parametrize("person", ["member", "manager", "bystander"])
def test_another_role_brings_what_the_page_says(acme: Company, person: str, now: Any, then: Any) -> None:
    user = acme[person]
    operations.change_role(acme.membership(user), now, by=system())
    membership = acme.membership(user)
    assert_true(
        acme,
        user,
        lambda: consequences.of_role(membership, then),
        lambda: operations.change_role(membership, then, by=system()),
    )


@pytest.mark.parametrize("now", WORKSPACE_ROLES)
@pytest.mark.parametrize("then", WORKSPACE_ROLES)
@pytest.mark.parametrize("above", ORGANIZATION_ROLES)
def test_another_role_on_a_team_brings_what_the_page_says(acme: Company, now: Any, then: Any, above: Any) -> None:
    operations.change_role(acme.membership(acme.member), above, by=system())
    operations.change_workspace_role(acme.placed(acme.member), now, by=system())
    placed = acme.placed(acme.member)
    assert_true(
        acme,
        acme.member,
        lambda: consequences.of_team_role(placed, then),
        lambda: operations.change_workspace_role(placed, then, by=system()),
    )


@pytest.mark.parametrize("above", ORGANIZATION_ROLES)
def test_leaving_a_team_ends_what_the_page_says(acme: Company, above: Any) -> None:
    operations.change_role(acme.membership(acme.member), above, by=system())
    placed = acme.placed(acme.member)
    assert [key.name for key in consequences.of_team_removal(placed).ended] == [acme.user_key.name]
    assert_true(
        acme,
        acme.member,
        lambda: consequences.of_team_removal(placed),
        lambda: operations.remove_from_workspace(placed, by=system()),
    )


def test_a_removal_ends_everything(acme: Company) -> None:
    told = consequences.of_removal(acme.membership(acme.member))
    assert {change.place for change in told.changes} == {str(acme.organization), str(acme.workspace)}
    assert not any(change.gains for change in told.changes)
    assert [key.name for key in told.ended] == [acme.user_key.name]
    assert_true(
        acme,
        acme.member,
        lambda: told,
        lambda: operations.remove(acme.membership(acme.member), by=system()),
    )


def test_a_suspension_rests_everything_and_revokes_nothing(acme: Company) -> None:
    told = consequences.of_suspension(acme.membership(acme.member))
    assert told.ended == []
    assert [key.name for key in told.keys] == [acme.user_key.name]


def test_the_same_role_changes_nothing(acme: Company) -> None:
    assert consequences.of_role(acme.membership(acme.member), OrganizationRole.MEMBER).is_nothing


def test_every_action_has_a_word() -> None:
    assert {action.verb for action in Action} <= set(VERBS)
