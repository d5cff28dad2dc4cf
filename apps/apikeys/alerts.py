"""What becomes of a key's budget, told to its people in the same transaction (contract rules 58 and 63)."""

from typing import Any

from apps.access.actors import SystemActor
from apps.apikeys import keeping, notices
from apps.apikeys.models import ApiKey, Notice
from apps.audit.events import Event
from apps.core.clock import now


def tell_of_threshold(*, budget: Any, **_: Any) -> None:
    _tell(Notice.Kind.ALERT, budget)


def tell_of_the_end(*, budget: Any, **_: Any) -> None:
    key = _tell(Notice.Kind.EXHAUSTED, budget)
    if key is not None:
        by = SystemActor(reason="budget", actions=())
        keeping.record(Event.API_KEY_EXHAUSTED, key, by, after={"unit": budget.unit, "spent": budget.spent})


def _tell(kind: str, budget: Any) -> ApiKey | None:
    """Each is told once in a period; whatever else has a budget is not a key's business."""
    key: ApiKey | None = ApiKey.objects.with_places().filter(pk=budget.subject).first()
    if key is not None:
        resets_at = budget.resets_at and budget.resets_at.isoformat()
        told = {"unit": budget.unit, "spent": budget.spent, "limit": budget.limit, "resets_at": resets_at}
        notices.owe(key, kind, now(), **told)
    return key
