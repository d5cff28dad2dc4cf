"""Something that has limits, as a key has them; and what tests say about it in few words."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from apps.core.models import new_id
from apps.limits.models import Budget, Reservation

DOLLAR = 10**6


@dataclass
class Limited:
    """A subject that is no key: the engine asks for no more than this."""

    organization_id: uuid.UUID
    usage_limits: Any = None
    rate_limits: Any = None
    pk: uuid.UUID = field(default_factory=new_id)

    @property
    def row(self) -> Budget:
        return Budget.objects.get(subject=self.pk)


def budget(limit: int | None = 10, **more: Any) -> dict[str, Any]:
    """A budget in tokens, as the wire has it."""
    return {"type": "tokens", "credit_limit": limit, **more}


def rate(value: int, unit: str = "rpm", kind: str = "requests") -> dict[str, Any]:
    return {"type": kind, "unit": unit, "value": value}


def held_by(subject: Limited) -> int:
    """What running calls hold, counted from their reservations and not from the budget."""
    rows = Reservation.objects.filter(budget__subject=subject.pk, lapsed_at=None)
    return sum(rows.values_list("amount", flat=True))
