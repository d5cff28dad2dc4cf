"""The people and places of every test: Acme, and Globex, so that somebody else's is always at hand.

Everything is made through the operations, as in a real installation.
"""

import copy
from dataclasses import dataclass

from django.db import transaction

from apps.access.actions import Action
from apps.access.actors import SystemActor
from apps.accounts.models import User
from apps.apikeys.models import ApiKey
from apps.memberships.models import Invitation, OrganizationMembership, WorkspaceMembership
from apps.onboarding import sample
from apps.organizations.models import Organization
from apps.workspaces.models import Workspace
from tests.factories import UserFactory


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
    made = sample.found(name, domain, person=_person)
    assert made.invited is not None
    return Company(
        organization=made.organization,
        default=made.default,
        workspace=made.workspace,
        other_workspace=made.other_workspace,
        organization_key=made.keys["organization"].key,
        workspace_key=made.keys["workspace"].key,
        user_key=made.keys["user"].key,
        invitation=made.invited.invitation,
        secrets={
            "invitation": made.invited.token.clear,
            **{f"{label}_key": issued.secret.clear for label, issued in made.keys.items()},
        },
        **made.people,
    )


def _person(role: str, email: str) -> User:
    company = email.rpartition("@")[2].partition(".")[0].title()
    return UserFactory(email=email, first_name=role.replace("_", " ").title(), last_name=f"of {company}")
