"""What one can ask about many keys."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from django.db import models
from django.db.models.functions import Coalesce, Concat

from apps.core.clock import now

SOON: Final = timedelta(days=30)
IDLE: Final = timedelta(days=90)
# What was not used for so long can be taken away; before a key is this old, nobody can tell.
WINDOW: Final = timedelta(days=30)
HOUR: Final = timedelta(hours=1)


class _Length(models.Func):
    """How many scopes there are in a list of them."""

    function = "JSONB_ARRAY_LENGTH"
    output_field = models.IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, function="JSON_ARRAY_LENGTH", **context)


class _Holds(models.Func):
    """Whether a list of scopes has this one in it."""

    function = "JSONB_EXISTS"
    output_field = models.BooleanField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        inside = "EXISTS (SELECT 1 FROM JSON_EACH(%(expressions)s))"
        return self.as_sql(compiler, connection, template=inside, arg_joiner=") WHERE value = (", **context)


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

    def never_used(self) -> "ApiKeyQuerySet":
        return self.filter(last_use=None)

    def forgotten(self) -> "ApiKeyQuerySet":
        """Those that were made more than 30 days ago, and that nobody has ever called with."""
        return self.never_used().filter(created_at__lt=now() - WINDOW)

    def idle(self) -> "ApiKeyQuerySet":
        """Those that nobody has called with for 90 days, though they were there."""
        before = now() - IDLE
        return self.filter(models.Q(last_use__at__lt=before) | models.Q(last_use=None, created_at__lt=before))

    def of_those_who_left(self, organization: Any) -> "ApiKeyQuerySet":
        theirs = organization.memberships.filter(user=models.OuterRef("user"))
        return self.filter(~models.Exists(theirs), user__isnull=False)

    def of_the_suspended(self, organization: Any) -> "ApiKeyQuerySet":
        theirs = organization.memberships.filter(user=models.OuterRef("user"), status="suspended")
        return self.filter(models.Exists(theirs))

    def to_be_collected(self) -> "ApiKeyQuerySet":
        """Those whose new secret waits for somebody to come for it (P30)."""
        return self.filter(awaits_collection=True)

    def with_unused_scopes(self) -> "ApiKeyQuerySet":
        """Those that are older than 30 days and have a scope that they did not need in them."""
        old = self.filter(created_at__lt=now() - WINDOW)
        rows: ApiKeyQuerySet = old.alias(needed=self._used_scopes()).filter(needed__lt=_Length("scopes"))
        return rows

    def with_use(self) -> "ApiKeyQuerySet":
        """With when, from where and for what each was used last, how many of its scopes, and by how many just now."""
        used = {name: models.F(f"last_use__{name}") for name in ("at", "address", "agent", "route")}
        callers = self.model.callers.rel.related_model._default_manager
        lately = callers.filter(key=models.OuterRef("pk"), at__gte=now() - HOUR)
        rows: ApiKeyQuerySet = self.annotate(
            **{f"last_use_{name}": column for name, column in used.items()},
            scopes_used=self._used_scopes(),
            callers_now=_number(lately),
        )
        return rows

    def _used_scopes(self) -> Any:
        """How many of the scopes that each has were used in the last 30 days."""
        uses = self.model.scope_uses.rel.related_model._default_manager
        lately = uses.filter(key=models.OuterRef("pk"), at__gte=now() - WINDOW)
        return _number(lately.filter(_Holds(models.OuterRef("scopes"), models.F("scope"))))

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


def _number(rows: Any) -> Any:
    """How many of these rows belong to a key."""
    counted = rows.order_by().values("key").annotate(number=models.Count("*")).values("number")
    return Coalesce(models.Subquery(counted), 0)
