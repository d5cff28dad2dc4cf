"""What is foreseen of an act on many members is what its operation then says, word for word."""

from collections.abc import Iterable
from typing import Any

import pytest
from django.db import transaction

from apps.access.actors import Actor, UserActor
from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.core.errors import DomainError
from apps.memberships import bulk, listing
from apps.memberships import operations as memberships
from apps.memberships.bulk import Act, AddToWorkspace, ChangeRole, Reactivate, Remove, Suspend, foresee, perform
from apps.memberships.models import OrganizationMembership, WorkspaceMembership
from apps.workspaces.models import Workspace
from tests.memberships.test_pages import crowd
from tests.world import Company, system

ACTS = ["to member", "to admin", "to owner", "add as member", "add as admin", "suspend", "reactivate", "remove"]


def members(company: Company, *people: User, **those: Any) -> list[Any]:
    """Those named, or everybody, as a page reads them: with all that telling about them needs."""
    rows = OrganizationMembership.objects.filter(organization=company.organization, **those)
    rows = rows.filter(user__in=people) if people else rows
    places = Workspace.objects.filter(organization=company.organization)
    found = listing.with_columns(rows.select_related("user", "organization"), ["keys", "workspaces"], places)
    return list(found.order_by("created_at", "id"))


def act_called(name: str, company: Company, by: Actor) -> Act:
    words = name.split()
    if words[0] == "to":
        return ChangeRole(OrganizationRole(words[1]), by)
    if words[0] == "add":
        there = {placed.membership_id: placed for placed in team(company)}
        return AddToWorkspace(company.workspace, WorkspaceRole(words[2]), there, by)
    return {"suspend": Suspend, "reactivate": Reactivate, "remove": Remove}[name](by)


def team(company: Company) -> Iterable[Any]:
    return WorkspaceMembership.objects.filter(workspace=company.workspace).select_related("membership__user")


def outcome(act: Act, member: Any) -> str:
    """What the operation itself says, after which it is as if it had never run."""
    try:
        with transaction.atomic():
            act.run(member)
            transaction.set_rollback(True)
    except DomainError as refusal:
        return str(refusal)
    return ""


@pytest.mark.parametrize("name", ACTS)
@pytest.mark.parametrize("person", ["owner", "admin", "manager", "bystander"])
def test_each_act_on_each_member_by_each_reader(acme: Company, name: str, person: str) -> None:
    act = act_called(name, acme, UserActor(acme[person]))
    for member in members(acme):
        (verdict,) = foresee(act, [member])
        said = outcome(act, member)
        if person in {"manager", "bystander"} and not name.startswith("add"):
            assert said, "the page asks for the act's action before it foresees anything"
        else:
            assert verdict.refusal == said, member


@pytest.mark.parametrize("name", ["to member", "add as member"])
def test_what_is_so_already(acme: Company, name: str) -> None:
    act = act_called(name, acme, UserActor(acme.owner))
    (verdict,) = foresee(act, members(acme, acme.member))
    before = acme.membership(acme.member).version, WorkspaceMembership.objects.count()
    act.run(verdict.member)
    assert verdict.is_same
    assert not verdict.is_change
    assert (acme.membership(acme.member).version, WorkspaceMembership.objects.count()) == before


@pytest.mark.parametrize("name", ["to member", "suspend", "remove"])
def test_the_owners_who_would_be_gone_by_then(acme: Company, name: str) -> None:
    act = act_called(name, acme, system())
    first, second = foresee(act, members(acme, acme.owner, acme.second_owner))
    assert not first.refusal
    assert second.refusal.startswith("An organization keeps at least one active owner")
    done, left = perform(act, [first, second._replace(refusal="")])
    assert (done.is_done, left.is_done, left.said) == (True, False, second.refusal)


@pytest.mark.parametrize("name", ACTS)
def test_it_writes_nothing_and_asks_the_database_nothing_for_each(
    acme: Company, name: str, django_assert_max_num_queries: Any
) -> None:
    crowd(acme, 20)
    act, lines = act_called(name, acme, UserActor(acme.owner)), AuditEvent.objects.count()
    rows = members(acme, user__email__startswith="crowd")
    with django_assert_max_num_queries(2):  # what the actor holds in the organization, and in the workspace
        assert len(foresee(act, rows)) == 20
    assert AuditEvent.objects.count() == lines


def test_one_refusal_undoes_nothing_else(acme: Company) -> None:
    act = Suspend(UserActor(acme.owner))
    foreseen = foresee(act, members(acme, acme.admin, acme.member, acme.bystander))
    memberships.remove(acme.membership(acme.member), by=system())
    results = {result.member.user: result for result in perform(act, foreseen)}
    assert {user for user, result in results.items() if result.is_done} == {acme.admin, acme.bystander}
    assert results[acme.member].said == "There is no such member."
    assert not acme.membership(acme.admin).is_active


def test_a_role_that_moved_in_between_is_left_alone(acme: Company) -> None:
    act = ChangeRole(OrganizationRole.ADMIN, UserActor(acme.owner))
    foreseen = foresee(act, members(acme, acme.member, acme.bystander))
    memberships.suspend(acme.membership(acme.member), by=system())
    results = {result.member.user: result.is_done for result in perform(act, foreseen)}
    assert results == {acme.member: False, acme.bystander: True}
    assert acme.membership(acme.member).role == OrganizationRole.MEMBER


def test_each_leaves_a_line_of_its_own(acme: Company) -> None:
    act, before = Suspend(UserActor(acme.owner)), AuditEvent.objects.count()
    perform(act, foresee(act, members(acme, acme.admin, acme.member, acme.bystander)))
    assert AuditEvent.objects.count() == before + 3


def test_everything_that_can_be_done_has_a_name() -> None:
    assert set(bulk.LABELS) == {act.name for act in bulk.ACTS} | {bulk.EXPORT}
