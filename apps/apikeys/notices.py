"""Letters owed about keys: written in the transaction that makes them true, sent by a job, each once (rule 50)."""

from datetime import datetime
from typing import Any

from apps.apikeys.models import ApiKey, Notice
from apps.apikeys.tasks import send_notice
from apps.core import outbox


def owe(key: ApiKey, kind: str, about: datetime, **details: Any) -> bool:
    """Owes the people of a key a letter; the same thing about the same moment is told once.

    Answers whether it is new.
    """
    notice, is_new = Notice.objects.get_or_create(
        key=key, kind=kind, about=about, defaults={"organization_id": key.organization_id, "details": details}
    )
    if is_new:
        outbox.post(send_notice, notice.pk)
    return is_new
