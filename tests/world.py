"""The people and places of every test: Acme, and Globex, so that somebody else's is always at hand.

Everything is made through the operations, as in a real installation.
"""

import copy
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from apps.access.actions import Action
from apps.access.actors import SystemActor, UserActor
from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.access.scopes import KeyType, every_scope
from apps.accounts.models import User
from apps.apikeys import operations as apikeys
from apps.apikeys.models import ApiKey
from apps.memberships import invitations, operations as memberships
from apps.memberships.models import Invitation, OrganizationMembership, WorkspaceMembership
from apps.onboarding import operations as onboarding
from apps.organizations.models import Organization
from apps.workspaces import operations as workspaces
from apps.workspaces.models import Workspace
from tests.factories import UserFactory

WORKSPACE_SCOPES = ["completions.write", "prompts.list", "prompts.read", "workspaces.read", "workspace_users.list"]


@dataclass
class Company:
    """One organization, with somebody in every role and a key of every type."""

    organization: Organization
    default: Workspace
    workspace: Workspace
    other_workspace: Workspace
    owner: User
    second_owner: User
    admin: User
    member: User  # on the team of `workspace`, as member
    manager: User  # on the team of `workspace`, as manager
    workspace_admin: User  # on the team of `workspace`, as admin
    bystander: User  # a member of the organization, on no team
    suspended: User
    organization_key: ApiKey
    workspace_key: ApiKey
    user_key: ApiKey  # of `member`, in `workspace`
    invitation: Invitation
    secrets: dict[str, str]

    def __getitem__(self, role: str) -> User:
        return getattr(self, role)

    def membership(self, user: User) -> OrganizationMembership:
        return OrganizationMembership.objects.select_related("organization", "user").get(
            organization=self.organization, user=user
        )

    def placed(self, user: User) -> WorkspaceMembership:
        return WorkspaceMembership.objects.select_related("workspace__organization", "membership__user").get(
            workspace=self.workspace, membership__user=user
        )

    def headers(self, key: str = "organization_key") -> dict[str, str]:
        return {"x-portkey-api-key": self.secrets[key]}


@dataclass
class World:
    acme: Company
    globex: Company
    stranger: User
    operator: User

    def fresh(self) -> "World":
        return copy.deepcopy(self)


@transaction.atomic
def build() -> World:
    return World(
        acme=_found("Acme", "acme.example"),
        globex=_found("Globex", "globex.example"),
        stranger=UserFactory(email="nobody@elsewhere.example", first_name="Nobody"),
        operator=UserFactory(email="root@gatehouse.example", is_staff=True, is_superuser=True),
    )


def system() -> SystemActor:
    return SystemActor(reason="the tests", actions=Action)


def _found(name: str, domain: str) -> Company:
    people = {
        role: UserFactory(email=f"{role}@{domain}", first_name=role.replace("_", " ").title(), last_name=f"of {name}")
        for role in ("owner", "second_owner", "admin", "member", "manager", "workspace_admin", "bystander", "suspended")
    }
    founded = onboarding.found_organization(people["owner"], name=name, with_master_key=False, by=system())
    organization = founded.organization
    workspace = workspaces.create(organization, name=f"{name} Search", by=system())
    other = workspaces.create(organization, name=f"{name} Support", by=system())
    roles = {"second_owner": OrganizationRole.OWNER, "admin": OrganizationRole.ADMIN}
    members = {
        role: memberships.join(user, organization, roles.get(role, OrganizationRole.MEMBER), by=system())
        for role, user in people.items()
        if role != "owner"
    }
    for role, held in (
        ("member", WorkspaceRole.MEMBER),
        ("manager", WorkspaceRole.MANAGER),
        ("workspace_admin", WorkspaceRole.ADMIN),
        ("suspended", WorkspaceRole.MANAGER),
    ):
        memberships.place_in_workspace(workspace, members[role], held, by=system())
    memberships.suspend(members["suspended"], by=system())
    secrets, keys = {}, {}
    issued: dict[str, tuple[Any, dict[str, Any]]] = {
        "organization_key": (organization, {"scopes": every_scope(KeyType.ORGANIZATION)}),
        "workspace_key": (workspace, {"scopes": every_scope(KeyType.WORKSPACE)}),
        "user_key": (workspace, {"scopes": every_scope(KeyType.USER), "user": people["member"]}),
    }
    for key_name, (place, details) in issued.items():
        made = apikeys.issue(place, name=f"{name} {key_name}", by=UserActor(people["owner"]), **details)
        keys[key_name], secrets[key_name] = made.key, made.secret.clear
    offer = invitations.Offer(OrganizationRole.MEMBER, [invitations.Seat(workspace, WorkspaceRole.MEMBER, workspace.slug)])
    invited = invitations.invite(organization, f"invited@{domain}", offer, by=UserActor(people["owner"]))
    secrets["invitation"] = invited.token.clear
    return Company(
        organization=organization,
        default=founded.workspace,
        workspace=workspace,
        other_workspace=other,
        invitation=invited.invitation,
        secrets=secrets,
        **people,
        **keys,
    )
