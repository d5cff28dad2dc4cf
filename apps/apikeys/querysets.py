"""What one can ask about many keys."""

from collections.abc import Iterable
from typing import Any

from django.db import models

from apps.core.clock import now


class ApiKeyQuerySet(models.QuerySet[Any]):
    def live(self) -> "ApiKeyQuerySet":
        """Those that would be let in now, as far as the key itself goes."""
        unexpired = models.Q(expires_at=None) | models.Q(expires_at__gt=now())
        return self.filter(unexpired, status=self.model.Status.ACTIVE)

    def not_revoked(self) -> "ApiKeyQuerySet":
        return self.exclude(status=self.model.Status.REVOKED)

    def of_types(self, types: Iterable[str]) -> "ApiKeyQuerySet":
        return self.filter(type__in=list(types))

    def with_places(self) -> "ApiKeyQuerySet":
        """With all that deciding about the key needs, in the same query."""
        return self.select_related("organization", "workspace__organization", "user")

    def in_open_places(self, organization: Any) -> "ApiKeyQuerySet":
        """Those of an organization that are in no archived workspace: with its workspace a key leaves the wire.

        Asked from the few that are archived, so that a hundred thousand keys are counted without a join (P23).
        """
        archived = organization.workspaces.archived().values("pk")
        return self.filter(models.Q(workspace=None) | ~models.Q(workspace__in=archived))

    def newest_first(self) -> "ApiKeyQuerySet":
        return self.order_by("-created_at", "-id")
