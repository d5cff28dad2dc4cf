"""Letters owed about keys: written in the transaction that makes them true, sent by a job, each once (rule 50)."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from apps.apikeys import mail
from apps.apikeys.models import ApiKey, Notice
from apps.apikeys.tasks import send_notice
from apps.core import outbox
from apps.core.clock import now

# How long a job may be in the queue before another is put there: a worker that is down finds few when it is back.
ASKED_AGAIN_AFTER: Final = timedelta(hours=1)


def owe(key: ApiKey, kind: str, about: datetime, **details: Any) -> bool:
    """Owes the people of a key a letter; the same thing about the same moment is told once.

    Arguments: `details` are the facts that `letters` needs for this kind: neither names nor addresses of people.
    Answers whether it is new.
    """
    notice, is_new = Notice.objects.get_or_create(
        key=key, kind=kind, about=about, defaults={"organization_id": key.organization_id, "details": details}
    )
    if is_new:
        outbox.post(send_notice, notice.pk)
    return is_new


@transaction.atomic
def send_again(notice: Notice) -> bool:
    """Puts a letter that did not leave, or not to everybody, into the queue again; answers whether it was time to."""
    held = Notice.objects.select_for_update().filter(pk=notice.pk, sent_at=None).first()
    if held is None or mail.is_before(held, "resting_until") or mail.is_before(held, "asked_until"):
        return False
    mail.write_down(held, asked_until=(now() + ASKED_AGAIN_AFTER).isoformat())
    outbox.post(send_notice, held.pk)
    return True
