"""Letters about keys, as jobs."""

from django_tasks import task

from apps.apikeys import mail


@task()  # type: ignore[untyped-decorator]  # the library ships no types for it
def send_notice(notice_id: int) -> None:
    """Sends one letter that is owed, unless it has been sent meanwhile."""
    mail.send(notice_id)
