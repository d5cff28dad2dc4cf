"""`admin/users`, `admin/users/invites` and `admin/workspaces/{id}/users` (contract 1.1, 1.2, 1.4)."""

from typing import Any

from django.db import transaction
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.actions import Action
from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.core.errors import Invalid
from apps.memberships import invitations, operations
from apps.memberships.links import invitation_link
from apps.memberships.models import Invitation, OrganizationMembership, WorkspaceMembership
from apps.memberships.serializers import (
    InvitedSerializer,
    InviteFilter,
    InviteSerializer,
    LinkSerializer,
    MemberFilter,
    MemberSerializer,
    Newcomers,
    NewInvite,
    RoleChange,
    UserDetailSerializer,
    UserFilter,
    UserSerializer,
    WorkspaceRoleChange,
)
from apps.tenancy.api import TenantViewSet
from apps.workspaces.models import Workspace


class UserViewSet(TenantViewSet):
    """People of the organization, named by their own id, never by their membership's."""

    tag = "Users"
    model, lookup_field = OrganizationMembership, "user"
    body_ids = ("id", "user_id")
    actions = {
        "list": Action.ORGANISATION_USERS_LIST,
        "retrieve": Action.ORGANISATION_USERS_READ,
        "update": Action.ORGANISATION_USERS_UPDATE,
        "destroy": Action.ORGANISATION_USERS_DELETE,
    }
    reads = {"list": UserFilter, "update": RoleChange}
    answers = {"list": UserSerializer, "retrieve": UserDetailSerializer}

    def narrow(self, rows: Any) -> Any:
        return rows.select_related("user", "organization")

    def list(self, request: Request) -> Response:
        """List the people of the organization."""
        return self.answer_list(self.get_queryset().filter(**self.asked()))

    def retrieve(self, request: Request, user: str) -> Response:
        """Get one person."""
        return self.answer(self.get_object())

    def update(self, request: Request, user: str) -> Response:
        """Give a person another role. Owners are out of reach here, and nobody becomes one."""
        operations.change_role(self.get_object(), OrganizationRole(self.asked()["role"]), by=self.tenant.actor)
        return self.done()

    def destroy(self, request: Request, user: str) -> Response:
        """Remove a person from the organization, with every personal key they hold there."""
        operations.remove(self.get_object(), by=self.tenant.actor)
        return self.done()


class InviteViewSet(TenantViewSet):
    tag = "Invites"
    paced = frozenset({"create", "resend"})
    model, lookup_url_kwarg = Invitation, "invite"
    actions = {
        "list": Action.ORGANISATION_USERS_CREATE,
        "retrieve": Action.ORGANISATION_USERS_CREATE,
        "create": Action.ORGANISATION_USERS_CREATE,
        "resend": Action.ORGANISATION_USERS_CREATE,
        "destroy": Action.ORGANISATION_USERS_DELETE,
    }
    reads = {"list": InviteFilter, "create": NewInvite}
    answers = {
        "list": InviteSerializer,
        "retrieve": InviteSerializer,
        "create": InvitedSerializer,
        "resend": LinkSerializer,
    }

    def narrow(self, rows: Any) -> Any:
        return rows.select_related("organization").prefetch_related("workspaces")

    def list(self, request: Request) -> Response:
        """List invitations, answered ones included."""
        asked, rows = self.asked(), self.get_queryset()
        if status := asked.pop("status", None):
            rows = rows.shown_as(status)
        return self.answer_list(rows.filter(**asked))

    def retrieve(self, request: Request, invite: str) -> Response:
        """Get an invitation."""
        return self.answer(self.get_object())

    def create(self, request: Request) -> Response:
        """Invite an address. The letter goes out, and `invite_link` can be handed over instead, this once."""
        asked = self.asked()
        promised = asked.get("workspace_api_key_details")
        offer = invitations.Offer(
            OrganizationRole(asked["role"]),
            [self._seat(index, **offered) for index, offered in enumerate(asked.get("workspaces") or [])],
            promised["scopes"] if promised else None,
        )
        return self.answer(invitations.invite(self.tenant.organization, asked["email"], offer, by=self.tenant.actor))

    def destroy(self, request: Request, invite: str) -> Response:
        """Cancel an invitation. It stays readable, as cancelled."""
        invitations.cancel(self.get_object(), by=self.tenant.actor)
        return self.done()

    @action(detail=True, methods=["post"])
    def resend(self, request: Request, invite: str) -> Response:
        """Send an invitation again, valid for another seven days. Older links are void; the new one is answered."""
        with transaction.atomic():
            sent = invitations.resend(self.get_object(), by=self.tenant.actor)
            link = invitation_link(invitations.copy_link(sent, by=self.tenant.actor).token)
        return self.answer({"inviteLink": link, "invite_link": link})

    def _seat(self, index: int, *, id: str, role: str) -> invitations.Seat:  # noqa: A002 (the wire's word)
        workspaces: Any = self.tenant.own(Workspace)
        found = workspaces.active().named(id).first()
        if found is None:
            raise Invalid({f"workspaces[{index}].id": "There is no such workspace in the organization."})
        return invitations.Seat(found, WorkspaceRole(role), id)


class MemberViewSet(TenantViewSet):
    """The team of one workspace, people named by their own id."""

    tag = "Workspace members"
    model, lookup_field, lookup_url_kwarg = WorkspaceMembership, "membership__user", "user"
    page_size = 50
    body_ids = ("id", "user_id")
    actions = {
        "list": Action.WORKSPACE_USERS_LIST,
        "retrieve": Action.WORKSPACE_USERS_READ,
        "create": Action.WORKSPACE_USERS_CREATE,
        "update": Action.WORKSPACE_USERS_UPDATE,
        "destroy": Action.WORKSPACE_USERS_DELETE,
    }
    reads = {"list": MemberFilter, "create": Newcomers, "update": WorkspaceRoleChange}
    answers = {"list": MemberSerializer, "retrieve": MemberSerializer}

    def narrow(self, rows: Any) -> Any:
        return rows.select_related("membership__user", "workspace__organization")

    def list(self, request: Request, workspace: str) -> Response:
        """List the team of a workspace."""
        return self.answer_list(self.get_queryset().filter(**self.asked()))

    def retrieve(self, request: Request, workspace: str, user: str) -> Response:
        """Get somebody on the team."""
        return self.answer(self.get_object())

    def create(self, request: Request, workspace: str) -> Response:
        """Put members of the organization on the team: all of them, or none."""
        with transaction.atomic():
            for index, newcomer in enumerate(self.asked()["users"]):
                person = self.tenant.own(OrganizationMembership).filter(user=newcomer["id"]).first()
                if person is None:
                    raise Invalid({f"users[{index}].id": "There is no such person in the organization."})
                role = WorkspaceRole(newcomer["role"])
                operations.add_to_workspace(self.workspace, person, role, by=self.tenant.actor)
        return self.done()

    def update(self, request: Request, workspace: str, user: str) -> Response:
        """Give somebody another role in this workspace."""
        operations.change_workspace_role(self.get_object(), WorkspaceRole(self.asked()["role"]), by=self.tenant.actor)
        return self.done()

    def destroy(self, request: Request, workspace: str, user: str) -> Response:
        """Take somebody off the team, with their personal keys in this workspace."""
        operations.remove_from_workspace(self.get_object(), by=self.tenant.actor)
        return self.done()
