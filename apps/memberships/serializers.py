"""People, invitations and teams as the wire spells them (contract 1.1, 1.2, 1.4)."""

from functools import cache
from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from apps.access.roles import OrganizationRole, WorkspaceRole, actions_of, makes_owners
from apps.accounts.addresses import ADDRESS_LENGTH, normalized
from apps.core.errors import Invalid
from apps.memberships.invitations import Invited
from apps.memberships.links import invitation_link
from apps.memberships.models import OrganizationMembership, WorkspaceMembership
from apps.tenancy.fields import Always, Computed, Id, Instant, ListOf, OneOf, Scopes, Serializer, ShownOnce, Text
from apps.workspaces.types import ACTIONS, WorkspaceType

# Owners are made by owners, and never over the wire (product P1).
GIVEN_HERE: Final = [role for role in OrganizationRole if not makes_owners(role)]
STATES: Final = ("pending", "cancelled", "accepted", "expired")


class AddressSought(Text):
    """An address to look for, in the form addresses are kept; one that nobody can have is looked for in vain."""

    def to_internal_value(self, data: Any) -> str | None:  # type: ignore[override]
        try:
            return normalized(super().to_internal_value(data))
        except Invalid:
            return None


class WorkspaceRoleField(OneOf):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(WorkspaceRole, prefix="ws-", **kwargs)


class UserSerializer(Serializer):
    """Somebody in the organization, as a row of the list."""

    id = serializers.UUIDField(source="user_id")
    first_name = serializers.CharField(source="user.first_name")
    last_name = serializers.CharField(source="user.last_name")
    role = serializers.ChoiceField(OrganizationRole.values)
    email = serializers.CharField(source="user.email")
    created_at = Instant()
    last_updated_at = Instant(source="updated_at")
    object = Always("user")


class UserDetailSerializer(UserSerializer):
    workspace_ids = serializers.SerializerMethodField(help_text="Slugs of the workspaces whose team they are on.")

    def get_workspace_ids(self, membership: OrganizationMembership) -> list[str]:
        teams = membership.workspaces.filter(workspace__archived_at=None)
        return list(teams.order_by("created_at", "id").values_list("workspace__slug", flat=True))


class UserFilter(Serializer):
    role = OneOf(OrganizationRole, required=False)
    email = AddressSought(source="user__email", required=False)


class RoleChange(Serializer):
    role = OneOf(GIVEN_HERE)


class InvitedWorkspaceSerializer(Serializer):
    """Echoes the workspace as the inviter wrote it, by id or by slug: clients compare (contract 1.2)."""

    id = serializers.CharField(source="reference")
    workspace_id = serializers.CharField(source="reference")
    role = serializers.ChoiceField(WorkspaceRole.values)


class InviteSerializer(Serializer):
    id = serializers.UUIDField()
    email = serializers.CharField()
    role = serializers.ChoiceField(OrganizationRole.values)
    status = serializers.ChoiceField(STATES, source="shown_status")
    created_at = Instant()
    expires_at = Instant()
    accepted_at = Instant(allow_null=True)
    invited_by = serializers.UUIDField(source="created_by", allow_null=True)
    workspaces = InvitedWorkspaceSerializer(source="workspaces.all", many=True)
    object = Always("invite")


class InviteFilter(Serializer):
    role = OneOf(OrganizationRole, required=False)
    email = AddressSought(required=False)
    status = OneOf(STATES, required=False)


class WorkspaceOffered(Serializer):
    id = Text(help_text="Id or slug of the workspace.")
    role = WorkspaceRoleField()


class KeyPromised(Serializer):
    scopes = Scopes()


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A colleague",
            {
                "email": "grace@example.com",
                "role": "member",
                "workspaces": [{"id": "ws-search-1a2b3c", "role": "manager"}],
                "workspace_api_key_details": {"scopes": ["completions.write"]},
            },
            request_only=True,
        )
    ]
)
class NewInvite(Serializer):
    email = Text(max_length=ADDRESS_LENGTH)
    role = OneOf(GIVEN_HERE)
    workspaces = ListOf(child=WorkspaceOffered(), required=False, allow_null=True)
    workspace_api_key_details = KeyPromised(required=False, allow_null=True)


class InvitedSerializer(InviteSerializer):
    """A new invitation, and its link for the one time it is shown."""

    invite_link = ShownOnce()

    def to_representation(self, made: Invited) -> dict[str, Any]:
        return {**InviteSerializer(made.invitation).data, "invite_link": invitation_link(made.token)}


class LinkSerializer(Serializer):
    """The link under both names that clients look for."""

    inviteLink = ShownOnce()  # noqa: N815 (the contract's spelling)
    invite_link = ShownOnce()


@cache
def scopes_of(role: WorkspaceRole, kind: WorkspaceType) -> list[str]:
    """What the holder of a role may do in a workspace of this type."""
    return sorted(actions_of(role) & ACTIONS[kind])


class MemberSerializer(Serializer):
    """Somebody on the team of a workspace."""

    id = serializers.UUIDField(source="membership.user_id")
    first_name = serializers.CharField(source="membership.user.first_name")
    last_name = serializers.CharField(source="membership.user.last_name")
    email = serializers.CharField(source="membership.user.email")
    org_role = serializers.ChoiceField(OrganizationRole.values, source="membership.role")
    role = serializers.ChoiceField(WorkspaceRole.values)
    status = serializers.ChoiceField(OrganizationMembership.Status.values, source="membership.status")
    workspace_id = serializers.UUIDField()
    scopes = Computed({"type": "array", "items": {"type": "string"}})
    settings = Always(None)
    created_at = Instant()
    last_updated_at = Instant(source="updated_at")
    object = Always("workspace-user")

    def get_scopes(self, placed: WorkspaceMembership) -> list[str]:
        kind = WorkspaceType(self.context["view"].tenant.workspace.type)
        return scopes_of(WorkspaceRole(placed.role), kind)


class MemberFilter(Serializer):
    role = OneOf(WorkspaceRole, required=False)
    email = AddressSought(source="membership__user__email", required=False)


class Newcomer(Serializer):
    id = Id(help_text="Id of a member of the organization.")
    role = WorkspaceRoleField()


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Two people",
            {
                "users": [
                    {"id": "0190a0b1-7e4c-7c31-9c0a-0a4f6b1c2d3e", "role": "manager"},
                    {"id": "0190a0b1-7e4c-7c31-9c0a-0a4f6b1c2d3f", "role": "member"},
                ]
            },
            request_only=True,
        )
    ]
)
class Newcomers(Serializer):
    """A list of people, or one person as some clients write it; either way a list is read."""

    users = ListOf(child=Newcomer(), required=False, min_length=1)
    user_id = Id(required=False)
    role = WorkspaceRoleField(required=False)

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        if "users" in asked:
            return {"users": asked["users"]}
        missing = {name: "This field is required." for name in ("user_id", "role") if name not in asked}
        if missing:
            raise serializers.ValidationError({"users": "This field is required."} if len(missing) == 2 else missing)
        return {"users": [{"id": asked["user_id"], "role": asked["role"]}]}


class WorkspaceRoleChange(Serializer):
    role = WorkspaceRoleField()
