"""Which streams there are, and how they stand."""

from typing import Any

from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Greatest

from apps.audit.models import AuditEvent, AuditHead
from apps.core.clock import now
from apps.organizations.models import Organization


class StreamQuerySet(models.QuerySet[Any]):
    """What is asked of streams."""

    def active(self) -> "StreamQuerySet":
        """Those that are sent to: a suspended organization's wait.

        Without a join: what a lease is taken by has to be one statement on the row itself. With a join it would be
        `id IN (subquery)`, which PostgreSQL does not ask again after it has waited for somebody else's lease.
        """
        return self.filter(status="active", organization__in=Organization.objects.filter(status="active"))

    def free(self) -> "StreamQuerySet":
        """Those that nobody sends to at this moment, and whose time to be tried again has come."""
        at = now()
        unleased = Q(leased_until=None) | Q(leased_until__lte=at)
        return self.filter(unleased, Q(next_try_at=None) | Q(next_try_at__lte=at))

    def in_turn(self) -> "StreamQuerySet":
        """Those that fail come last; of the others first those that have waited longest since something arrived."""
        return self.order_by(F("next_try_at").asc(nulls_first=True), F("last_delivered_at").asc(nulls_first=True), "pk")

    def with_something_to_send(self) -> "StreamQuerySet":
        lines = AuditEvent.objects.filter(chain=OuterRef("organization_id"), sequence__gt=OuterRef("position"))
        left: Any = self.model._meta.get_field("undelivered").related_model
        wanted = left._default_manager.filter(stream=OuterRef("pk"), is_wanted=True)
        return self.filter(Exists(lines) | Exists(wanted))

    def with_standing(self) -> "StreamQuerySet":
        """Each with how many lines it is behind, and how many it could not deliver."""
        head = AuditHead.objects.filter(chain=OuterRef("organization_id")).values("sequence")
        behind = Greatest(Coalesce(Subquery(head), F("position")) - F("position"), 0)
        standing: StreamQuerySet = self.annotate(behind=behind, left=Count("undelivered"))
        return standing
