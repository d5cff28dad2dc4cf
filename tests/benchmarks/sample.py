"""Compares what the generator wrote with what the product would write, and with what guardian itself answers."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from guardian.backends import ObjectPermissionBackend

from apps.access.actions import Action
from apps.access.actors import UserActor
from apps.access.roles import OrganizationRole, WorkspaceRole, actions_of
from apps.access.rows import Drift
from apps.accounts.models import User
from apps.memberships import grants
from apps.memberships.models import OrganizationMembership, WorkspaceMembership
from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from apps.workspaces import operations as workspaces
from apps.workspaces.models import Workspace


class Pair(NamedTuple):
    """A member of an organization, and a workspace of it that they may or may not be on the team of."""

    member: OrganizationMembership
    workspace: Workspace


class Findings(NamedTuple):
    """What a sample of the rows says."""

    drift: Drift
    pairs: int
    disagreements: list[Pair]


def compare(organizations_: Iterable[Organization], count: int = 20) -> Findings:
    """Looks at people and workspaces of each organization: owner, admin, suspended, ordinary, on the team or not."""
    drift, pairs, disagreements = Drift(), 0, []
    for organization in organizations_:
        members, places = _people(organization, count), _places(organization, count)
        asked = [Pair(member, place) for member in members for place in places]
        pairs += len(asked)
        disagreements += [pair for pair in asked if not _agree(*pair)]
        # Only then: a sync repairs what it finds.
        drift += organizations.sync_roles(organization)
        drift += sum((workspaces.sync_roles(place) for place in places), Drift())
        drift += sum((grants.sync(organization, user=member.user) for member in members), Drift())
    return Findings(drift, pairs, disagreements)


def _people(organization: Organization, count: int) -> list[OrganizationMembership]:
    rows = OrganizationMembership.objects.filter(organization=organization).select_related("user")
    unusual = rows.exclude(role=OrganizationRole.MEMBER, status=OrganizationMembership.Status.ACTIVE)
    return [*unusual.order_by("pk")[:5], *rows.order_by("pk")[2:3], *rows.order_by("?")[:count]]


def _places(organization: Organization, count: int) -> list[Workspace]:
    rows = Workspace.objects.filter(organization=organization).select_related("organization")
    return [*rows.order_by("pk")[:2], *rows.order_by("?")[:count]]


def _agree(member: OrganizationMembership, workspace: Workspace) -> bool:
    """The matrix, the product's own query and guardian's give the person the same actions in the workspace."""
    by_matrix = frozenset(_by_matrix(member, workspace))
    return UserActor(member.user).held_in(workspace).actions == by_matrix == _by_guardian(member.user, workspace)


def _by_matrix(member: OrganizationMembership, workspace: Workspace) -> Iterator[Action]:
    if member.is_active:
        yield from actions_of(OrganizationRole(member.role))
        for seat in WorkspaceMembership.objects.filter(workspace=workspace, membership=member):
            yield from actions_of(WorkspaceRole(seat.role))


def _by_guardian(user: User, workspace: Workspace) -> frozenset[Action | None]:
    stock = ObjectPermissionBackend()
    codenames = {
        codename
        for place in (workspace, workspace.organization)
        for codename in stock.get_group_permissions(user, place)
    }
    return frozenset(map(Action.with_codename, codenames))
