"""Letters about memberships."""

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from apps.apikeys.secret import Secret
from apps.memberships.links import invitation_link
from apps.memberships.models import Invitation


def invited(invitation: Invitation, token: Secret) -> None:
    """The letter whose link proves that its reader reads that mailbox."""
    context = {
        "organization": invitation.organization,
        "invitation": invitation,
        "workspaces": invitation.workspaces.select_related("workspace"),
        "link": invitation_link(token),
    }
    letter = EmailMultiAlternatives(
        subject=f"You are invited to {invitation.organization.name}",
        body=render_to_string("emails/invitation.txt", context),
        to=[invitation.email],
    )
    letter.attach_alternative(render_to_string("emails/invitation.html", context), "text/html")
    letter.send()
