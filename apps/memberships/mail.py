"""Letters about memberships, in the language and the time of whoever reads them, as far as these are known."""

from contextlib import ExitStack

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.accounts import locales
from apps.accounts.models import User
from apps.apikeys.secret import Secret
from apps.memberships import inviters
from apps.memberships.links import invitation_link
from apps.memberships.models import Invitation


def invited(invitation: Invitation, token: Secret) -> None:
    """The letter whose link proves that its reader reads that mailbox."""
    with _as_read_by(invitation.email):
        context = {
            "organization": invitation.organization,
            "invitation": invitation,
            "inviter": inviters.name_of(invitation),
            "workspaces": invitation.workspaces.filter(workspace__archived_at=None).select_related("workspace"),
            "until": _moment(invitation),
            "link": invitation_link(token),
        }
        letter = EmailMultiAlternatives(
            subject=render_to_string("emails/invitation_subject.txt", context).strip(),
            body=render_to_string("emails/invitation.txt", context),
            to=[invitation.email],
        )
        letter.attach_alternative(render_to_string("emails/invitation.html", context), "text/html")
    letter.send()


def _as_read_by(address: str) -> ExitStack:
    """The language and zone of the account with this address; the installation's where there is none."""
    reader = User.objects.filter(email=address, is_active=True).first()
    chosen = reader.language if reader is not None and locales.is_language(reader.language) else settings.LANGUAGE_CODE
    both = ExitStack()
    both.enter_context(translation.override(chosen))
    both.enter_context(timezone.override(locales.zone(reader.timezone) if reader is not None else None))
    return both


def _moment(invitation: Invitation) -> str:
    """Until when, to the minute, with the zone it is told in."""
    local = timezone.localtime(invitation.expires_at)
    told = date_format(local, pgettext("date format", "j F Y, H:i"))
    return _("%(moment)s (%(zone)s)") % {"moment": told, "zone": timezone.get_current_timezone_name()}
