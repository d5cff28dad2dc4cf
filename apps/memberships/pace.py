"""How often letters may leave, so that no mailbox is flooded from here: counted in the cache, by the hour."""

from typing import Final

from django.core.cache import cache
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.access import gate
from apps.access.actors import Actor
from apps.core.clock import now
from apps.core.errors import TooMany
from apps.memberships.models import Invitation
from apps.organizations.models import Organization

HOUR: Final = 3600
AN_HOUR: Final = 500  # letters of one organization
TO_ONE_ADDRESS: Final = 10  # of one organization in an hour, however often it is invited anew
AGAIN_AFTER: Final = 60  # seconds between two letters of one invitation


def count_letter(organization: Organization, address: str, by: Actor) -> None:
    """Counts one letter that is about to leave. Raises TooMany when this hour has had enough of them.

    Operators and their commands are not counted: they answer for the whole installation (P16).
    """
    if by.kind in gate.OPERATING:
        return
    if _count(f"{organization.pk}", most=AN_HOUR):
        raise TooMany(_said_of_organization(), wait=_rest_of_the_hour())
    if _count(f"{organization.pk} {address}", most=TO_ONE_ADDRESS):
        raise TooMany(_said_of_address(address), wait=_rest_of_the_hour())


def refuse_haste(invitation: Invitation, by: Actor) -> None:
    """The same for another letter of an invitation, which also waits a minute after the one before."""
    if by.kind in gate.OPERATING:
        return
    key, since = _key(f"again {invitation.pk}"), int(now().timestamp())
    if not cache.add(key, since, AGAIN_AFTER):
        wait = max(1, int(cache.get(key) or since) + AGAIN_AFTER - since)
        raise TooMany(_said_of_haste(wait), wait=wait)
    try:
        count_letter(invitation.organization, invitation.email, by)
    except TooMany:
        cache.delete(key)
        raise


def _count(what: str, *, most: int) -> bool:
    """Counts once more in this hour; answers whether that is too much."""
    key = _key(f"letters {what} {int(now().timestamp()) // HOUR}")
    cache.add(key, 0, HOUR)
    try:
        return cache.incr(key) > most
    except ValueError:  # it left the cache between the two
        return False


def _key(what: str) -> str:
    """A digest: no address is written into the cache, and no sign that some caches refuse in a key."""
    return salted_hmac("pace of letters", what).hexdigest()


def _rest_of_the_hour() -> int:
    return HOUR - int(now().timestamp()) % HOUR


def _said_of_haste(wait: int) -> str:
    return ngettext(
        "This invitation was sent again a moment ago. Try again in %(wait)d second.",
        "This invitation was sent again a moment ago. Try again in %(wait)d seconds.",
        wait,
    ) % {"wait": wait}


def _said_of_address(address: str) -> str:
    return _(
        "%(address)s has been sent %(most)d letters from here this hour. Try again later, or copy the link instead."
    ) % {"address": address, "most": TO_ONE_ADDRESS}


def _said_of_organization() -> str:
    return _("An organization sends at most %(most)d invitations an hour. Try again later.") % {"most": AN_HOUR}
