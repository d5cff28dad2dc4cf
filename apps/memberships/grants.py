"""Keeps people's role groups in step with their memberships: part of every operation, and its repair tool."""

import uuid
from collections.abc import Iterable

from django.db.models import F

from apps.access.rows import Drift
from apps.accounts.models import User
from apps.memberships.models import OrganizationMembership, WorkspaceMembership
from apps.organizations.models import Organization

InGroup = User.groups.through
Pair = tuple[uuid.UUID, int]  # a person, and a role group they are in


def sync(organization: Organization, *, user: User | None = None) -> Drift:
    """Makes the groups of one person, or of everybody, in an organization equal their active memberships."""
    wanted = _wanted(organization, user)
    held = {pair: pk for pk, pair in _held(organization, user)}
    extra = [pk for pair, pk in held.items() if pair not in wanted]
    missing = sorted(wanted - held.keys(), key=str)
    if extra:
        InGroup.objects.filter(pk__in=extra).delete()
    InGroup.objects.bulk_create(InGroup(user_id=person, group_id=group) for person, group in missing)
    return Drift(added=len(missing), removed=len(extra))


def _wanted(organization: Organization, user: User | None) -> set[Pair]:
    active = OrganizationMembership.Status.ACTIVE
    members = OrganizationMembership.objects.filter(
        organization=organization, status=active, organization__role_groups__role=F("role")
    )
    teams = WorkspaceMembership.objects.filter(
        organization=organization, membership__status=active, workspace__role_groups__role=F("role")
    )
    if user is not None:
        members, teams = members.filter(user=user), teams.filter(membership__user=user)
    return {
        *members.values_list("user_id", "organization__role_groups"),
        *teams.values_list("membership__user_id", "workspace__role_groups"),
    }


def _held(organization: Organization, user: User | None) -> Iterable[tuple[int, Pair]]:
    rows = InGroup.objects.all() if user is None else InGroup.objects.filter(user=user)
    here = rows.filter(group__organizationrolegroup__organization=organization)
    below = rows.filter(group__workspacerolegroup__workspace__organization=organization)
    for query in (here, below):
        for pk, person, group in query.values_list("pk", "user_id", "group_id"):
            yield pk, (person, group)
