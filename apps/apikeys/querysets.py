"""What one can ask about many keys."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import models
from django.db.models.functions import Coalesce, Concat

from apps.core.clock import now

# When a key ends, for sorting: one without an end comes after all that have one.
_NEVER: Final = datetime(9000, 1, 1, tzinfo=UTC)
EXPIRY: Final = Coalesce("expires_at", models.Value(_NEVER, output_field=models.DateTimeField()))
SOON: Final = timedelta(days=30)


class ApiKeyQuerySet(models.QuerySet[Any]):
    def live(self) -> "ApiKeyQuerySet":
        """Those that would be let in now, as far as the key itself goes."""
        unexpired = models.Q(expires_at=None) | models.Q(expires_at__gt=now())
        return self.filter(unexpired, status=self.model.Status.ACTIVE)

    def presented(self, digests: list[bytes]) -> "ApiKeyQuerySet":
        """The key with one of these secrets: the one it has, or the one before until its transition ends."""
        before = models.Q(previous_digest__in=digests, transition_ends_at__gt=now())
        return self.filter(models.Q(digest__in=digests) | before)

    def in_transition(self) -> "ApiKeyQuerySet":
        return self.filter(transition_ends_at__gt=now())

    def not_revoked(self) -> "ApiKeyQuerySet":
        return self.exclude(status=self.model.Status.REVOKED)

    def shown_as(self, status: str) -> "ApiKeyQuerySet":
        """Those that people and the wire are told to be active, disabled, expired or revoked (P22)."""
        kept = self.model.Status
        expired = models.Q(status=kept.ACTIVE, expires_at__lte=now())
        if status == "expired":
            return self.filter(expired)
        rows = self.filter(status=status)
        return rows.exclude(expired) if status == kept.ACTIVE else rows

    def without_end(self) -> "ApiKeyQuerySet":
        return self.filter(expires_at=None)

    def ending_soon(self) -> "ApiKeyQuerySet":
        """Those that end within 30 days and have not ended yet."""
        return self.filter(expires_at__gt=now(), expires_at__lte=now() + SOON)

    def ended(self) -> "ApiKeyQuerySet":
        return self.filter(expires_at__lte=now())

    def with_people(self, organization: Any) -> "ApiKeyQuerySet":
        """With what the person of each key is in the organization now, None for who has left, and who made the key."""
        authors = self.model.user.field.related_model._default_manager.filter(pk=models.OuterRef("created_by"))
        name = Concat("first_name", models.Value(" "), "last_name")
        keys = self.model._default_manager.filter(pk=models.OuterRef("created_by"))
        theirs = organization.memberships.filter(user=models.OuterRef("user"))
        rows: ApiKeyQuerySet = self.annotate(
            owner_status=models.Subquery(theirs.values("status")[:1]),
            author_name=models.Subquery(authors.annotate(full=name).values("full")[:1]),
            author_email=models.Subquery(authors.values("email")[:1]),
            author_key=models.Subquery(keys.values("name")[:1]),
        )
        return rows

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
