"""What two people do at the same instant. On PostgreSQL alone: SQLite has one writer at a time."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from apps.access.actors import UserActor
from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.apikeys import operations as apikeys
from apps.apikeys.models import ApiKey
from apps.audit.models import AuditEvent
from apps.core.errors import Conflict, DomainError, Forbidden, Missing
from apps.memberships import answers, grants, invitations
from apps.memberships import operations as memberships
from apps.memberships.invitations import Offer
from apps.memberships.models import Invitation, OrganizationMembership, WorkspaceMembership
from apps.onboarding import operations as onboarding
from apps.workspaces import operations as workspaces
from tests.factories import UserFactory
from tests.world import Company, system

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time"),
]
ROUNDS = 400
Act = Callable[[], Any]


def at_once(*acts: Act) -> list[Any]:
    """Runs the acts in threads that start together; answers with each one's result or the error it raised."""
    start, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(number: int, act: Act) -> None:
        try:
            start.wait()
            results[number] = act()
        except (DomainError, IntegrityError) as refusal:
            results[number] = refusal
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number, act)) for number, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def owners(acme: Company) -> int:
    return OrganizationMembership.objects.active().owners().filter(organization=acme.organization).count()


def both_owners_again(acme: Company) -> None:
    for person in (acme.owner, acme.second_owner):
        OrganizationMembership.objects.update_or_create(
            organization=acme.organization, user=person, defaults={"role": "owner", "status": "active"}
        )
    grants.sync(acme.organization)


def demote(company: Company, who: str, by: str) -> Act:
    membership, actor = company.membership(company[who]), UserActor(company[by])
    return lambda: memberships.change_role(membership, OrganizationRole.ADMIN, by=actor)


def remove(company: Company, who: str, by: str) -> Act:
    membership, actor = company.membership(company[who]), UserActor(company[by])
    return lambda: memberships.remove(membership, by=actor)


def leave(company: Company, who: str) -> Act:
    membership, actor = company.membership(company[who]), UserActor(company[who])
    return lambda: memberships.leave(membership, by=actor)


@pytest.fixture(autouse=True)
def _same_lines(acme: Company) -> Iterator[None]:
    """Whatever raced, the chain is whole: no number twice, none left out."""
    yield
    numbers = list(
        AuditEvent.objects.filter(chain=acme.organization.pk).order_by("sequence").values_list("sequence", flat=True)
    )
    assert numbers == list(range(1, len(numbers) + 1))


def test_two_owners_demoting_each_other_leave_one(acme: Company) -> None:
    """Take the lock out of organizations.lock, and this fails."""
    for _ in range(ROUNDS):
        results = at_once(demote(acme, "owner", "second_owner"), demote(acme, "second_owner", "owner"))
        assert owners(acme) == 1
        assert sum(isinstance(result, (Conflict, Forbidden)) for result in results) == 1
        both_owners_again(acme)


PAIRS = {
    "removing each other": lambda acme: (remove(acme, "owner", "second_owner"), remove(acme, "second_owner", "owner")),
    "leaving together": lambda acme: (leave(acme, "owner"), leave(acme, "second_owner")),
    "one demotes the other who leaves": lambda acme: (
        demote(acme, "owner", "second_owner"),
        leave(acme, "second_owner"),
    ),
    "one removes the other who demotes": lambda acme: (
        remove(acme, "owner", "second_owner"),
        demote(acme, "second_owner", "owner"),
    ),
}


@pytest.mark.parametrize("pair", list(PAIRS))
def test_two_owners_at_once_leave_at_least_one(acme: Company, pair: str) -> None:
    for _ in range(50):
        at_once(*PAIRS[pair](acme))
        assert owners(acme) == 1
        both_owners_again(acme)


def test_an_address_invited_twice_at_once_is_invited_once(acme: Company) -> None:
    for number in range(20):
        address = f"twice{number}@elsewhere.example"
        offer, admin, owner = Offer(OrganizationRole.MEMBER), UserActor(acme.admin), UserActor(acme.owner)
        results = at_once(
            lambda: invitations.invite(acme.organization, address, offer, by=admin),
            lambda: invitations.invite(acme.organization, address, offer, by=owner),
        )
        assert sum(isinstance(result, Conflict) for result in results) == 1
        assert Invitation.objects.filter(email=address).count() == 1


def test_an_invitation_accepted_twice_at_once_makes_one_member(acme: Company) -> None:
    for _ in range(20):
        person = UserFactory()
        invited = invitations.invite(
            acme.organization, person.email, Offer(OrganizationRole.MEMBER), by=UserActor(acme.owner)
        )
        accept = [
            lambda: answers.accept(invited.invitation, token=invited.token.clear, by=UserActor(person))
            for _ in range(2)
        ]
        first, second = at_once(*accept)
        assert first.membership.pk == second.membership.pk


def test_an_invitation_cancelled_while_it_is_accepted_ends_one_way(acme: Company) -> None:
    for _ in range(30):
        person = UserFactory()
        invited = invitations.invite(
            acme.organization, person.email, Offer(OrganizationRole.MEMBER), by=UserActor(acme.owner)
        )
        cancelled, accepted = at_once(
            lambda: invitations.cancel(invited.invitation, by=UserActor(acme.admin)),
            lambda: answers.accept(invited.invitation, token=invited.token.clear, by=UserActor(person)),
        )
        is_in = OrganizationMembership.objects.filter(organization=acme.organization, user=person).exists()
        assert isinstance(cancelled, Conflict) is is_in
        assert isinstance(accepted, Missing) is not is_in


def test_a_key_issued_while_its_person_is_removed_is_not_left_alive(acme: Company) -> None:
    for _ in range(20):
        person = UserFactory()
        membership = memberships_of(acme, person)
        at_once(
            lambda: apikeys.issue(
                acme.workspace, name="x", scopes=["completions.write"], user=person, by=UserActor(acme.owner)
            ),
            lambda: memberships.remove(membership, by=UserActor(acme.owner)),
        )
        assert not ApiKey.objects.filter(user=person).not_revoked().exists()
        assert not person.groups.exists()


def memberships_of(acme: Company, person: Any) -> OrganizationMembership:
    invited = invitations.invite(
        acme.organization, person.email, Offer(OrganizationRole.MEMBER), by=UserActor(acme.owner)
    )
    membership = answers.accept(invited.invitation, token=invited.token.clear, by=UserActor(person)).membership
    memberships.add_to_workspace(acme.workspace, membership, WorkspaceRole.MEMBER, by=UserActor(acme.owner))
    return membership


def test_somebody_added_to_a_team_while_being_removed_is_nowhere(acme: Company) -> None:
    for _ in range(20):
        person = UserFactory()
        membership = memberships_of(acme, person)
        at_once(
            lambda: memberships.add_to_workspace(
                acme.other_workspace, membership, WorkspaceRole.MEMBER, by=UserActor(acme.owner)
            ),
            lambda: memberships.remove(membership, by=UserActor(acme.admin)),
        )
        assert not WorkspaceMembership.objects.filter(membership__user=person).exists()
        assert not UserActor(person).belongs_to(acme.other_workspace)


def test_ten_keys_at_once_are_ten_keys(acme: Company) -> None:
    results = at_once(
        *[
            lambda n=n: apikeys.issue(
                acme.workspace, name=f"k{n}", scopes=["completions.write"], by=UserActor(acme.owner)
            )
            for n in range(10)
        ]
    )
    assert len({issued.secret.clear for issued in results}) == 10


def test_acts_in_two_organizations_do_not_wait_for_each_other_forever(acme: Company, globex: Company) -> None:
    for _ in range(20):
        results = at_once(
            lambda: workspaces.create(acme.organization, name="a", by=UserActor(acme.owner)),
            lambda: workspaces.create(globex.organization, name="b", by=UserActor(globex.owner)),
            lambda: memberships.change_role(
                acme.membership(acme.bystander), OrganizationRole.ADMIN, by=UserActor(acme.owner)
            ),
            lambda: memberships.change_role(
                acme.membership(acme.bystander), OrganizationRole.MEMBER, by=UserActor(acme.owner)
            ),
        )
        assert not any(isinstance(result, Exception) for result in results)


def held_up(acme: Company, end: Act, act: Act) -> Any:
    """Runs `act` while `end` holds the organization in an open transaction; answers with what became of the act."""
    ended, results = threading.Event(), []

    def later() -> None:
        ended.wait()
        results.extend(at_once(act))

    thread = threading.Thread(target=later)
    thread.start()
    with transaction.atomic():
        end()
        ended.set()
        thread.join(timeout=0.5)  # the act now waits for the lock
        assert thread.is_alive()
    thread.join()
    return results[0]


def test_a_key_that_was_revoked_while_it_waited_issues_no_other(acme: Company) -> None:
    """Let organizations.lock forget to look again, and this fails."""
    key = ApiKey.objects.with_places().get(pk=acme.organization_key.pk)
    assert key.actions_in(acme.organization)
    outcome = held_up(
        acme,
        lambda: apikeys.revoke(acme.organization_key, by=UserActor(acme.owner)),
        lambda: apikeys.issue(acme.organization, name="heir", scopes=["workspaces.list"], by=key),
    )
    assert isinstance(outcome, Forbidden)


def test_an_admin_who_was_removed_while_they_waited_does_nothing(acme: Company) -> None:
    admin = UserActor(acme.admin)
    assert admin.actions_in(acme.organization)
    outcome = held_up(
        acme,
        lambda: memberships.remove(acme.membership(acme.admin), by=UserActor(acme.owner)),
        lambda: workspaces.create(acme.organization, name="late", by=admin),
    )
    assert isinstance(outcome, Forbidden)


def test_noting_that_an_owner_was_here_waits_for_nobody(acme: Company) -> None:
    mine = OrganizationMembership.objects.filter(organization=acme.organization, user=acme.second_owner)
    done: list[Any] = []
    thread = threading.Thread(target=lambda: done.extend(at_once(mine.note_presence)))
    with transaction.atomic():
        workspaces.create(acme.organization, name="slow", by=UserActor(acme.owner))
        thread.start()
        thread.join(timeout=5)
        assert done == [1]
    thread.join()


def test_an_owner_deactivated_while_the_other_leaves_is_still_there(acme: Company) -> None:
    for _ in range(20):
        at_once(
            lambda: onboarding.deactivate_account(acme.second_owner, by=system()),
            leave(acme, "owner"),
        )
        active = (
            OrganizationMembership.objects.active()
            .owners()
            .filter(organization=acme.organization, user__is_active=True)
        )
        assert active.count() == 1
        acme.second_owner.refresh_from_db()
        if not acme.second_owner.is_active:
            onboarding.reactivate_account(acme.second_owner, by=system())
        both_owners_again(acme)
