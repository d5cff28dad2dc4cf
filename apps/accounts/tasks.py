"""Letters about an account, as jobs: those that tell of something done, and hold no secret."""

from django.core.mail import EmailMessage
from django_tasks import task


@task()  # type: ignore[untyped-decorator]  # the library ships no types for it
def send_letter(address: str, subject: str, body: str) -> None:
    """Sends what was written when it happened. A letter whose link is a secret never comes this way."""
    EmailMessage(subject, body, to=[address]).send()
