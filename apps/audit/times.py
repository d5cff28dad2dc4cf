"""Lines of the log by when they were written, found through the index of ids that every list of them is sorted by.

A line takes its time just before its place in the chain. Of two that are written at once the later may have the
earlier time, but by no more than a transaction lasts: so a time bounds the ids, with some minutes to spare. Of the
lines beyond those minutes many are asked, and the furthest believed: a few that were written by a wrong clock hide
no others.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from django.db.models import BigIntegerField, Q, QuerySet, Subquery

from apps.audit.models import AuditEvent

SPARE: Final = timedelta(minutes=5)
CLOSEST = 100  # lines that are asked; where there are fewer, they cost nothing to read


def since(moment: datetime, chain: uuid.UUID) -> Q:
    """Lines of this instant or later."""
    before = AuditEvent.objects.filter(chain=chain, at__lt=moment - SPARE).order_by("-at")
    return Q(at__gte=moment, pk__gt=_Furthest(before, pick="MIN", otherwise=0))


def until(moment: datetime, chain: uuid.UUID) -> Q:
    """Lines of before this instant."""
    after = AuditEvent.objects.filter(chain=chain, at__gte=moment + SPARE).order_by("at")
    return Q(at__lt=moment, pk__lt=_Furthest(after, pick="MAX", otherwise=2**63 - 1))


class _Furthest(Subquery):
    """The lowest or highest id of the first of these lines, or another where there are too few to tell."""

    template = (
        "(SELECT CASE WHEN COUNT(*) < %(asked)s THEN %(otherwise)s ELSE %(pick)s(near.id) END "
        "FROM (%(subquery)s) AS near)"
    )
    output_field: ClassVar = BigIntegerField()

    def __init__(self, rows: QuerySet[AuditEvent], **extra: Any) -> None:
        super().__init__(rows.values("id")[:CLOSEST], asked=CLOSEST, **extra)
