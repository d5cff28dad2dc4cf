"""The sample companies of the demo and the tests: somebody in every role, made through the operations."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import transaction

from apps.access.actions import Action
from apps.access.actors import Origin, SystemActor, UserActor
from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.access.scopes import KeyType, every_scope
from apps.accounts.models import User
from apps.apikeys import operations as apikeys
from apps.memberships import invitations
from apps.memberships import operations as memberships
from apps.onboarding import operations as onboarding
from apps.organizations.models import Organization
from apps.workspaces import operations as workspaces
from apps.workspaces.models import Workspace

# Everybody's role in the organization, and on the team of its second workspace.
PEOPLE: dict[str, tuple[OrganizationRole, WorkspaceRole | None]] = {
    "owner": (OrganizationRole.OWNER, None),
    "second_owner": (OrganizationRole.OWNER, None),
    "admin": (OrganizationRole.ADMIN, None),
    "workspace_admin": (OrganizationRole.MEMBER, WorkspaceRole.ADMIN),
    "manager": (OrganizationRole.MEMBER, WorkspaceRole.MANAGER),
    "member": (OrganizationRole.MEMBER, WorkspaceRole.MEMBER),
    "bystander": (OrganizationRole.MEMBER, None),
    "suspended": (OrganizationRole.MEMBER, WorkspaceRole.MANAGER),
}


@dataclass
class Sample:
    """One company: its places, its people by role, and a key of each type with its secret in clear."""

    organization: Organization
    default: Workspace
    workspace: Workspace
    other_workspace: Workspace
    people: dict[str, User]
    keys: dict[str, apikeys.Issued] = field(default_factory=dict)
    invited: invitations.Invited | None = None


@transaction.atomic
def found(name: str, domain: str, *, person: Callable[[str, str], User]) -> Sample:
    """Founds a company with two workspaces beside the default one.

    Arguments: `person` makes, or finds, the account for a role and an address.
    """
    by = SystemActor(reason="sample companies", actions=Action, origin=Origin(door="command"))
    people = {role: person(role, f"{role.replace('_', '.')}@{domain}") for role in PEOPLE}
    founded = onboarding.found_organization(people["owner"], name=name, with_master_key=False, by=by)
    sample = Sample(
        organization=founded.organization,
        default=founded.workspace,
        workspace=workspaces.create(founded.organization, name=f"{name} Search", by=by),
        other_workspace=workspaces.create(founded.organization, name=f"{name} Support", by=by),
        people=people,
    )
    for user, (role, seat) in zip(people.values(), PEOPLE.values(), strict=True):
        if user != people["owner"]:
            _seat(sample, user, role, seat, by)
    issue_keys(sample)
    _suspend(sample, by)
    offer = invitations.Offer(
        OrganizationRole.MEMBER,
        [invitations.Seat(sample.workspace, WorkspaceRole.MEMBER, sample.workspace.slug)],
    )
    owner = UserActor(people["owner"], by.origin)
    sample.invited = invitations.invite(sample.organization, f"invited@{domain}", offer, by=owner)
    return sample


def issue_keys(sample: Sample) -> None:
    """A key of each type, carrying all that its type may."""
    owner = UserActor(sample.people["owner"], Origin(door="command"))
    name = sample.organization.name
    for label, place, key_type, user in (
        ("organization", sample.organization, KeyType.ORGANIZATION, None),
        ("workspace", sample.workspace, KeyType.WORKSPACE, None),
        ("user", sample.workspace, KeyType.USER, sample.people["member"]),
    ):
        scopes = every_scope(key_type)
        sample.keys[label] = apikeys.issue(place, name=f"{name} {label} key", scopes=scopes, user=user, by=owner)


def _seat(
    sample: Sample, user: User, role: OrganizationRole, workspace_role: WorkspaceRole | None, by: SystemActor
) -> None:
    membership = memberships.join(user, sample.organization, role, by=by)
    if workspace_role is not None:
        memberships.place_in_workspace(sample.workspace, membership, workspace_role, by=by)


def _suspend(sample: Sample, by: SystemActor) -> None:
    membership = sample.organization.memberships.get(user=sample.people["suspended"])
    memberships.suspend(membership, by=by)
