"""Letters about keys."""

from apps.apikeys.models import Notice
from apps.core.clock import now


def send(notice_id: int) -> None:
    Notice.objects.filter(pk=notice_id, sent_at=None).update(sent_at=now())
