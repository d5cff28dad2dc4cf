"""What one can ask about many workspaces."""

import uuid
from datetime import datetime
from typing import Any

from django.db import models


class WorkspaceQuerySet(models.QuerySet[Any]):
    def active(self) -> "WorkspaceQuerySet":
        return self.filter(archived_at=None)

    def archived(self) -> "WorkspaceQuerySet":
        return self.exclude(archived_at=None)

    def archived_before(self, moment: datetime) -> "WorkspaceQuerySet":
        return self.filter(archived_at__lt=moment)

    def joined_by(self, user_id: uuid.UUID) -> "WorkspaceQuerySet":
        """Those where the person holds a role of the workspace itself."""
        return self.filter(
            pk__in=self.model.role_groups.rel.related_model.objects.filter(user=user_id).values("workspace")
        )

    def named(self, reference: str) -> "WorkspaceQuerySet":
        """By id or by slug: the wire takes either, everywhere (contract 1.0)."""
        try:
            return self.filter(pk=uuid.UUID(reference))
        except ValueError:
            return self.filter(slug=reference)

    def newest_first(self) -> "WorkspaceQuerySet":
        return self.order_by("-created_at", "-id")
