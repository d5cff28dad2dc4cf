"""Letters about memberships, as jobs: the mailed token is made when the letter is, so no queue ever holds it."""

import uuid

from django.db import transaction
from django_tasks import task

from apps.apikeys.secret import new_invitation_token
from apps.core.clock import now
from apps.memberships import mail
from apps.memberships.models import Invitation


@task()  # type: ignore[untyped-decorator]  # the library ships no types for it
def send_invitation(invitation_id: str) -> None:
    """Mints the mailed token and sends it; an invitation that has been answered meanwhile is left alone."""
    token = new_invitation_token()
    with transaction.atomic():
        rows = Invitation.objects.select_for_update(of=("self",)).select_related("organization")
        invitation = rows.filter(pk=uuid.UUID(invitation_id)).first()
        if invitation is None or not invitation.is_open or invitation.organization.is_suspended:
            return
        invitation.mailed_digest = token.digest
        invitation.save(update_fields=["mailed_digest"])
    mail.invited(invitation, token)
    Invitation.objects.filter(pk=invitation.pk).update(sent_at=now())
