"""What those who are invited can do: find what they were asked, accept it, decline it (product P14)."""

import uuid
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from apps.access.actors import Actor, UserActor
from apps.accounts import operations as accounts
from apps.accounts.models import User
from apps.apikeys import operations as apikeys
from apps.apikeys.secret import digests_of_invitation
from apps.audit.events import Event
from apps.core.clock import now
from apps.core.errors import Conflict, DomainError, Missing
from apps.memberships import invitations, inviters
from apps.memberships import operations as memberships
from apps.memberships.invitations import Offer
from apps.memberships.models import Invitation, OrganizationMembership

AUTOMATIC_KEY = "default_user_key"


class Accepted(NamedTuple):
    """A membership, and the personal keys it came with, for the one time they are shown."""

    membership: OrganizationMembership
    keys: list[apikeys.Issued]


def find(token: str) -> Invitation:
    """The invitation a link belongs to, answered or not. Raises Missing for anything else."""
    digests = digests_of_invitation(token)
    found: Invitation | None = None
    if digests:
        rows = Invitation.objects.select_related("organization")
        found = rows.filter(copied_digest__in=digests).first() or rows.filter(mailed_digest__in=digests).first()
    if found is None:
        raise Missing("invitation")
    return found


def proves_mailbox(invitation: Invitation, token: str) -> bool:
    """Whether this is the mailed token, which only a reader of the mailbox can hold (P14)."""
    mailed = invitation.mailed_digest
    return mailed is not None and bytes(mailed) in digests_of_invitation(token)


def waiting_for(user: User) -> list[Invitation]:
    """The invitations to this person's address, once they have proved that it is theirs."""
    if not accounts.has_verified_address(user):
        return []
    return list(Invitation.objects.pending().filter(email=user.email).select_related("organization").newest_first())


def addressed_to(user: User, invitation_id: uuid.UUID) -> Invitation:
    """One invitation to this person's address, answered or not. Raises Missing unless the address is proved."""
    rows = Invitation.objects.filter(pk=invitation_id, email=user.email).select_related("organization")
    found: Invitation | None = rows.first() if accounts.has_verified_address(user) else None
    if found is None:
        raise Missing("invitation")
    return found


@transaction.atomic
def accept(invitation: Invitation, *, token: str | None = None, by: UserActor) -> Accepted:
    """Makes the person a member with all that was offered, if the inviter may still offer it.

    Arguments: `token` is the link's; without one the person's address must be verified. A second click by the
    same person answers with the membership they have. Raises Missing for everybody else, Conflict otherwise.
    """
    user = accounts.lock(by.user)
    invitation = invitations.lock(invitation, by)
    if invitation.status == Invitation.Status.ACCEPTED and invitation.accepted_by_id == user.pk:
        return Accepted(_membership_of(user, invitation), [])
    _refuse_if_not_for(user, invitation, token)
    offer = invitations.offer_of(invitation)
    _refuse_if_withdrawn(offer, invitation, by)
    if OrganizationMembership.objects.filter(organization=invitation.organization, user=user).exists():
        raise Conflict(_("You are in %(organization)s already.") % {"organization": invitation.organization})
    if token and proves_mailbox(invitation, token):
        accounts.prove_address(user)
    invitation.revise({"status": Invitation.Status.ACCEPTED, "accepted_at": now(), "accepted_by": user}, by=by)
    invitations.record(Event.INVITATION_ACCEPTED, invitation, by)
    membership = memberships.join(user, invitation.organization, offer.role, by=by)
    memberships.place_in_workspaces({seat.workspace: seat.role for seat in offer.seats}, membership, by=by)
    return Accepted(membership, _promised_keys(offer, invitation, by))


@transaction.atomic
def decline(invitation: Invitation, *, token: str | None = None, by: Actor) -> Invitation:
    """Says no. Whoever holds the link may, signed in or not."""
    invitation = invitations.lock(invitation, by)
    if not (invitation.is_open and (_holds_link(invitation, token) or _is_asked(by, invitation))):
        raise Missing("invitation")
    invitation.revise({"status": Invitation.Status.DECLINED}, by=by)
    invitations.record(Event.INVITATION_DECLINED, invitation, by)
    return invitation


def _refuse_if_withdrawn(offer: Offer, invitation: Invitation, by: Actor) -> None:
    """Raises Conflict when whoever made the offer could not make it today."""
    inviter = inviters.standing_for(invitation, by)
    try:
        invitations.measure(offer, invitation.organization, inviter)
    except DomainError:
        raise Conflict(_("Whoever invited you may no longer offer this. Ask for a new invitation.")) from None


def _refuse_if_not_for(user: User, invitation: Invitation, token: str | None) -> None:
    proved = _holds_link(invitation, token) if token else accounts.has_verified_address(user)
    if invitation.status != Invitation.Status.PENDING or not proved:
        raise Missing("invitation")
    if invitation.is_expired:
        raise Conflict(_("This invitation has expired. Ask for a new one."))
    if user.email != invitation.email:
        raise Conflict(_("This invitation is for another address. Sign in with the address it was sent to."))


def _is_asked(by: Actor, invitation: Invitation) -> bool:
    if not isinstance(by, UserActor) or by.user.email != invitation.email:
        return False
    return accounts.has_verified_address(by.user)


def _holds_link(invitation: Invitation, token: str | None) -> bool:
    stored = {bytes(digest) for digest in (invitation.mailed_digest, invitation.copied_digest) if digest}
    return bool(stored & set(digests_of_invitation(token or "")))


def _promised_keys(offer: Offer, invitation: Invitation, by: UserActor) -> list[apikeys.Issued]:
    if offer.key_scopes is None:
        return []
    offered = {"offered_by": str(invitation.offered_by), "offered_by_kind": invitation.offered_by_kind}
    made = [
        apikeys.hand_over(seat.workspace, name=AUTOMATIC_KEY, scopes=offer.key_scopes, offered=offered, by=by)
        for seat in offer.seats
    ]
    return [issued for issued in made if issued is not None]


def _membership_of(user: User, invitation: Invitation) -> OrganizationMembership:
    rows = OrganizationMembership.objects.filter(organization=invitation.organization, user=user)
    found: OrganizationMembership | None = rows.first()
    if found is None:
        raise Missing("invitation")
    return found
