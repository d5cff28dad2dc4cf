"""`admin/workspaces` (contract 1.3)."""

import unicodedata
import uuid
from collections.abc import Collection, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import StrIndex
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.actions import Action
from apps.access.roles import WorkspaceRole
from apps.core.errors import Invalid
from apps.tenancy.api import TenantViewSet, as_id
from apps.workspaces import operations
from apps.workspaces.models import Workspace
from apps.workspaces.serializers import (
    NewWorkspace,
    WorkspaceChanges,
    WorkspaceDeletion,
    WorkspaceDetailSerializer,
    WorkspaceFilter,
    WorkspaceSerializer,
)


class WorkspaceViewSet(TenantViewSet):
    """The workspace of the path is the tenant's own: the hallway has found it, or has answered 404."""

    # People come after workspaces, so how one joins a team is handed in by the table of addresses.
    add_to_team: Any = None
    tag = "Workspaces"
    model, lookup_url_kwarg = Workspace, "workspace"
    actions = {
        "list": Action.WORKSPACES_LIST,
        "retrieve": Action.WORKSPACES_READ,
        "create": Action.WORKSPACES_CREATE,
        "update": Action.WORKSPACES_UPDATE,
        "destroy": Action.WORKSPACES_DELETE,
    }
    reads = {
        "list": WorkspaceFilter,
        "create": NewWorkspace,
        "update": WorkspaceChanges,
        "destroy": WorkspaceDeletion,
    }
    answers = {
        "list": WorkspaceSerializer,
        "retrieve": WorkspaceDetailSerializer,
        "create": WorkspaceSerializer,
        "update": WorkspaceSerializer,
    }

    def is_same(self, in_path: Any, in_body: Any) -> bool:
        return as_id(in_body) in (self.workspace.pk, self.workspace.slug)

    def list(self, request: Request) -> Response:
        """List workspaces. Archived ones appear only when asked for, to keys that may delete workspaces."""
        asked = self.asked()
        rows = self._in_states(asked.get("status", {"active"}))
        if "exact_name" in asked:
            rows = rows.filter(name=_composed(asked["exact_name"]))
        if "name" in asked:
            # LIKE ignores case on SQLite; a position does not, on either database.
            rows = rows.alias(at=StrIndex("name", Value(_composed(asked["name"])))).filter(at__gt=0)
        return self.answer_list(rows)

    def retrieve(self, request: Request, workspace: str) -> Response:
        """Get a workspace, with its team."""
        may_see_team = self.tenant.may(Action.WORKSPACE_USERS_LIST)
        self.workspace.team = self._team() if may_see_team else None
        return self.answer(self.workspace)

    def create(self, request: Request) -> Response:
        """Create a workspace. The people named in `users` join its team as members."""
        asked = self.asked()
        with transaction.atomic():
            people = self._people(asked.pop("users", []))
            workspace = operations.create(self.tenant.organization, by=self.tenant.actor, **asked)
            for person in people:
                self.add_to_team(workspace, person, WorkspaceRole.MEMBER, by=self.tenant.actor)
        return self.answer(workspace)

    def update(self, request: Request, workspace: str) -> Response:
        """Change a workspace. What is absent stays, null clears."""
        return self.answer(operations.update(self.workspace, by=self.tenant.actor, **self.asked()))

    def destroy(self, request: Request, workspace: str) -> Response:
        """Archive a workspace, which is deleted 30 days later. The body repeats its `name`, to be sure.

        While it still holds something it is refused, unless `force_delete` is true.
        """
        asked = self.asked()
        if asked.get("name") and _composed(asked["name"]) != self.workspace.name:
            raise Invalid({"name": "This is not the workspace's name."})
        operations.archive(self.workspace, even_if_used=asked.get("force_delete", False), by=self.tenant.actor)
        return self.done()

    def _in_states(self, states: set[str]) -> Any:
        rows = self.get_queryset()
        if "archived" not in states or not self.tenant.may(Action.WORKSPACES_DELETE):
            return rows.active() if "active" in states else rows.none()
        return rows if "active" in states else rows.archived()

    def _team(self) -> Any:
        team = self.workspace.memberships.select_related("membership__user")
        return team.order_by("-created_at", "-id")

    def _people(self, ids: Sequence[uuid.UUID]) -> Collection[Any]:
        found = {person.user_id: person for person in self.tenant.organization.memberships.filter(user__in=ids)}
        unknown = [f"users[{index}]" for index, user_id in enumerate(ids) if user_id not in found]
        if unknown:
            raise Invalid(dict.fromkeys(unknown, "There is no such person in the organization."))
        return found.values()


def _composed(name: str) -> str:
    """As names are kept."""
    return unicodedata.normalize("NFC", name)
