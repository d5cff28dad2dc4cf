"""What one can ask about many workspaces."""

import uuid
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from django.db.models.functions import Coalesce

from apps.access.actions import Action
from apps.access.roles import WorkspaceRole, holders


class WorkspaceQuerySet(models.QuerySet[Any]):
    def active(self) -> "WorkspaceQuerySet":
        return self.filter(archived_at=None)

    def archived(self) -> "WorkspaceQuerySet":
        return self.exclude(archived_at=None)

    def archived_before(self, moment: datetime) -> "WorkspaceQuerySet":
        return self.filter(archived_at__lt=moment)

    def joined_by(self, user_id: uuid.UUID) -> "WorkspaceQuerySet":
        """Those where the person holds a role of the workspace itself."""
        groups = self.model.role_groups.rel.related_model
        theirs = get_user_model().groups.through.objects.filter(user_id=user_id).values("group_id")
        return self.filter(pk__in=groups.objects.filter(pk__in=theirs).values("workspace"))

    def joined_as(self, membership_id: uuid.UUID) -> "WorkspaceQuerySet":
        """The same, asked from the membership: of somebody on ten thousand teams, four times faster to count."""
        seats: Any = self.model.memberships.rel.related_model._default_manager.filter(membership=membership_id)
        return self.filter(pk__in=seats.values("workspace"))

    def named(self, reference: str) -> "WorkspaceQuerySet":
        """By id or by slug: the wire takes either, everywhere (contract 1.0)."""
        try:
            return self.filter(pk=uuid.UUID(reference))
        except ValueError:
            return self.filter(slug=reference)

    def with_team_size(self) -> "WorkspaceQuerySet":
        """With how many people are on each team, counted for the rows that are read and no others."""
        team: Any = self.model.memberships.rel.related_model._default_manager.filter(workspace=models.OuterRef("pk"))
        counted = team.order_by().values("workspace").annotate(number=models.Count("*")).values("number")
        rows: WorkspaceQuerySet = self.annotate(team_size=Coalesce(models.Subquery(counted), 0))
        return rows

    def with_live_keys(self) -> "WorkspaceQuerySet":
        """With how many keys of each would be let in now, counted in the same way."""
        keys: Any = self.model.api_keys.rel.related_model._default_manager.live().filter(
            workspace=models.OuterRef("pk")
        )
        counted = keys.order_by().values("workspace").annotate(number=models.Count("*")).values("number")
        rows: WorkspaceQuerySet = self.annotate(live_keys=Coalesce(models.Subquery(counted), 0))
        return rows

    def managed_by_one(self, organization: Any) -> "WorkspaceQuerySet":
        """Those of an organization with one person on the team who can bring others in."""
        roles = [role for role in holders(Action.WORKSPACE_USERS_CREATE) if isinstance(role, WorkspaceRole)]
        teams: Any = self.model.memberships.rel.related_model._default_manager
        managers = teams.filter(organization=organization, role__in=roles).order_by().values("workspace")
        return self.filter(pk__in=managers.annotate(number=models.Count("*")).filter(number=1).values("workspace"))

    def newest_first(self) -> "WorkspaceQuerySet":
        return self.order_by("-created_at", "-id")
