"""Why a line did not arrive, in words that name no address: what the row keeps is one word, or a status."""

from django.utils.translation import gettext as _

from apps.streams.sending import BROKEN, GONE, UNREACHABLE, UNREADABLE


def said(error: str) -> str:
    """What a sentence can go on with: "because …"."""
    told = {
        UNREACHABLE: _("the receiver could not be reached"),
        UNREADABLE: _("the signing secret cannot be read any more"),
        BROKEN: _("something went wrong here; the people who run this installation find it in their log"),
        GONE: _("the receiver answered 410: it wants no more"),
    }
    return told.get(error) or _("the receiver answered %(status)s") % {"status": error}
