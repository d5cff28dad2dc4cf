"""OW-01 at the console: whoever asks, and through whichever page, an organization keeps an active owner."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import User
from apps.memberships import operations as memberships
from apps.memberships.models import OrganizationMembership
from tests.console.desk import Desk, address, errors_on, latest, lines, pages
from tests.world import Company, system

LAST = "keeps at least one active owner"
ENDINGS: dict[str, Callable[[Desk, OrganizationMembership], Any]] = {
    "demoted to admin": lambda desk, owner: desk.change(owner, role="admin"),
    "demoted to member": lambda desk, owner: desk.change(owner, role="member"),
    "suspended": lambda desk, owner: desk.act("suspend", owner),
    "removed": lambda desk, owner: desk.act("remove", owner),
    "deactivated": lambda desk, owner: desk.act("deactivate", owner.user),
}


@pytest.fixture
def last(acme: Company) -> OrganizationMembership:
    """The one owner that Acme has left."""
    memberships.remove(acme.membership(acme.second_owner), by=system())
    return acme.membership(acme.owner)


def owners_of(acme: Company) -> set[User]:
    rows = OrganizationMembership.objects.active().owners().filter(organization=acme.organization, user__is_active=True)
    return {row.user for row in rows.select_related("user")}


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_last_owner_stays(desk: Desk, acme: Company, last: OrganizationMembership, ending: str) -> None:
    before = latest()
    answer = ENDINGS[ending](desk, last)
    assert answer.status_code == 200
    assert LAST in errors_on(answer)
    assert owners_of(acme) == {acme.owner}
    assert lines(before) == []


@pytest.mark.parametrize("ending", ENDINGS)
def test_one_of_two_owners_goes(desk: Desk, acme: Company, ending: str) -> None:
    assert ENDINGS[ending](desk, acme.membership(acme.second_owner)).status_code == 302
    assert owners_of(acme) == {acme.owner}


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_owner_who_is_suspended_does_not_count(desk: Desk, acme: Company, ending: str) -> None:
    desk.act("suspend", acme.membership(acme.second_owner))
    assert LAST in errors_on(ENDINGS[ending](desk, acme.membership(acme.owner)))


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_owner_who_is_deactivated_does_not_count(desk: Desk, acme: Company, ending: str) -> None:
    desk.act("deactivate", acme.second_owner)
    assert LAST in errors_on(ENDINGS[ending](desk, acme.membership(acme.owner)))


def test_a_person_who_is_the_last_owner_somewhere_is_not_deactivated(
    desk: Desk, acme: Company, globex: Company, last: OrganizationMembership
) -> None:
    """OW-07: also when another organization would be content."""
    memberships.join(acme.owner, globex.organization, "member", by=system())
    assert LAST in errors_on(desk.act("deactivate", acme.owner))
    assert User.objects.get(pk=acme.owner.pk).is_active


def test_no_page_deletes_an_owner(desk: Desk, acme: Company, last: OrganizationMembership) -> None:
    for row in (last, last.user, acme.organization.role_groups.first()):
        assert desk.browser.post(address("delete", row), {"post": "yes"}).status_code == 403
    assert owners_of(acme) == {acme.owner}


def test_no_list_deletes_owners(desk: Desk, acme: Company, last: OrganizationMembership) -> None:
    given = {"action": "delete_selected", "_selected_action": [last.pk], "post": "yes", "index": "0"}
    for model, _ in pages():
        desk.browser.post(address("changelist", model), given)
    assert owners_of(acme) == {acme.owner}
