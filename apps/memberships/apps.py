"""People in places: memberships and invitations."""

from django.apps import AppConfig


class MembershipsConfig(AppConfig):
    name = "apps.memberships"
    label = "memberships"

    def ready(self) -> None:
        from apps.core import walls
        from apps.memberships import directory  # noqa: F401  # it listens
        from apps.memberships.models import (
            Invitation,
            InvitedWorkspace,
            MemberWord,
            OrganizationMembership,
            WorkspaceMembership,
        )
        from apps.memberships.owners import last_owner_stays

        walls.build(
            self,
            lambda: [
                walls.immutable(OrganizationMembership, "id", "organization", "user"),
                walls.immutable(WorkspaceMembership, "id", "organization", "workspace", "membership"),
                walls.immutable(Invitation, "id", "organization", "email"),
                walls.same_organization(WorkspaceMembership, "workspace"),
                walls.same_organization(WorkspaceMembership, "membership"),
                walls.same_organization(MemberWord, "row"),
                walls.same_organization(InvitedWorkspace, "workspace"),
                walls.same_organization(InvitedWorkspace, "invitation"),
                last_owner_stays(OrganizationMembership),
            ],
        )
