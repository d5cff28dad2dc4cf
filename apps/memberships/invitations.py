"""What can happen to an invitation: made, sent again, copied, cancelled, accepted, declined (product P14)."""

import uuid
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, NamedTuple

from django.db import transaction

from apps.access import gate
from apps.access.actions import Action
from apps.access.actors import Actor, SystemActor, UserActor
from apps.access.roles import OrganizationRole, WorkspaceRole, makes_owners
from apps.access.scopes import KeyType
from apps.accounts import operations as accounts
from apps.accounts.addresses import normalized
from apps.accounts.models import User
from apps.apikeys import operations as apikeys
from apps.apikeys.models import ApiKey, action_on
from apps.apikeys.secret import Secret, digests_of_invitation, new_invitation_token
from apps.audit import log
from apps.audit.events import Event
from apps.core import outbox
from apps.core.clock import now
from apps.core.errors import Conflict, DomainError, Invalid, Missing
from apps.core.models import Row
from apps.memberships import operations as memberships
from apps.memberships import tasks
from apps.memberships.models import Invitation, InvitedWorkspace, OrganizationMembership
from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from apps.workspaces.models import Workspace

VALID_FOR = timedelta(days=7)
AUTOMATIC_KEY = "default_user_key"
MOST_SEATS = 100


class Seat(NamedTuple):
    """A workspace that will be waiting, the role in it, and how the inviter wrote the workspace."""

    workspace: Workspace
    role: WorkspaceRole
    reference: str


@dataclass(frozen=True)
class Offer:
    """All that an invitation hands out, measured when it is made and again when it is accepted."""

    role: OrganizationRole
    seats: list[Seat] = field(default_factory=list)
    key_scopes: list[str] | None = None


class Invited(NamedTuple):
    """An invitation and the token of its copied link, for the one time it is shown."""

    invitation: Invitation
    token: Secret


class Accepted(NamedTuple):
    """A membership, and the personal keys it came with, for the one time they are shown."""

    membership: OrganizationMembership
    keys: list[apikeys.Issued]


@transaction.atomic
def invite(organization: Organization, email: str, offer: Offer, *, by: Actor) -> Invited:
    """Asks an address to join. The letter with the mailed token leaves when this commits.

    Raises Forbidden, Overreach, Invalid; Conflict when the address is a member or has been asked already.
    """
    organization = organizations.lock(organization, by)
    gate.require(by, Action.ORGANISATION_USERS_CREATE, organization)
    address = normalized(email)
    offer = _read_again(offer, organization)
    _measure(offer, organization, by)
    _make_room(organization, address, by)
    token = new_invitation_token()
    invitation = Invitation.objects.create(
        organization=organization,
        email=address,
        role=offer.role,
        key_scopes=offer.key_scopes,
        expires_at=now() + VALID_FOR,
        copied_digest=token.digest,
        **_offered(by),
        **Row.authored(by),
    )
    shared = {"organization": organization, "invitation": invitation, **Row.authored(by)}
    InvitedWorkspace.objects.bulk_create(InvitedWorkspace(**seat._asdict(), **shared) for seat in offer.seats)
    seats = [{"workspace": str(seat.workspace.pk), "role": seat.role} for seat in offer.seats]
    _record(Event.INVITATION_CREATED, invitation, by, after={"role": offer.role, "workspaces": seats})
    outbox.post(tasks.send_invitation, str(invitation.pk))
    return Invited(invitation, token)


@transaction.atomic
def resend(invitation: Invitation, *, by: Actor) -> Invitation:
    """Sends another letter, valid for seven days from now; role and workspaces stay, the older letter is void.

    Whoever sends it stands for the offer from now on.
    """
    invitation = _lock_unanswered(invitation, Action.ORGANISATION_USERS_CREATE, by)
    _measure(_offer_of(invitation), invitation.organization, by)
    invitation.revise({"expires_at": now() + VALID_FOR, "mailed_digest": None, **_offered(by)}, by=by)
    _record(Event.INVITATION_RESENT, invitation, by)
    outbox.post(tasks.send_invitation, str(invitation.pk))
    return invitation


@transaction.atomic
def copy_link(invitation: Invitation, *, by: Actor) -> Invited:
    """Makes a new link to hand over in person; the older copied link is void."""
    invitation = _lock_unanswered(invitation, Action.ORGANISATION_USERS_CREATE, by)
    _measure(_offer_of(invitation), invitation.organization, by)
    if invitation.is_expired:
        raise Conflict("This invitation has expired. Send it again first.")
    token = new_invitation_token()
    invitation.revise({"copied_digest": token.digest, **_offered(by)}, by=by)
    _record(Event.INVITATION_LINK_COPIED, invitation, by)
    return Invited(invitation, token)


@transaction.atomic
def cancel(invitation: Invitation, *, by: Actor) -> Invitation:
    """Takes an invitation back: both its links are void at once."""
    invitation = _lock_unanswered(invitation, Action.ORGANISATION_USERS_DELETE, by)
    invitation.revise({"status": Invitation.Status.CANCELLED}, by=by)
    _record(Event.INVITATION_CANCELLED, invitation, by)
    return invitation


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


def inviter_name(invitation: Invitation) -> str:
    """Who asks, as the invited person may be told."""
    if invitation.created_by_kind == ApiKey.kind:
        return f"an API key of {invitation.organization}"
    author = invitation.created_by
    person = User.objects.filter(pk=author).first() if author else None
    return str(person) if person is not None else "the people who run this installation"


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
    invitation = _lock(invitation, by)
    if invitation.status == Invitation.Status.ACCEPTED and invitation.accepted_by_id == user.pk:
        return Accepted(_membership_of(user, invitation), [])
    _refuse_if_not_for(user, invitation, token)
    offer = _offer_of(invitation)
    _refuse_if_withdrawn(offer, invitation, by)
    if OrganizationMembership.objects.filter(organization=invitation.organization, user=user).exists():
        raise Conflict(f"You are in {invitation.organization} already.")
    if token and proves_mailbox(invitation, token):
        accounts.prove_address(user)
    invitation.revise({"status": Invitation.Status.ACCEPTED, "accepted_at": now(), "accepted_by": user}, by=by)
    _record(Event.INVITATION_ACCEPTED, invitation, by)
    membership = memberships.join(user, invitation.organization, offer.role, by=by)
    memberships.place_in_workspaces({seat.workspace: seat.role for seat in offer.seats}, membership, by=by)
    return Accepted(membership, _promised_keys(offer, invitation, by))


@transaction.atomic
def decline(invitation: Invitation, *, token: str | None = None, by: Actor) -> Invitation:
    """Says no. Whoever holds the link may, signed in or not."""
    invitation = _lock(invitation, by)
    if not (invitation.is_open and (_holds_link(invitation, token) or _is_asked(by, invitation))):
        raise Missing("invitation")
    invitation.revise({"status": Invitation.Status.DECLINED}, by=by)
    _record(Event.INVITATION_DECLINED, invitation, by)
    return invitation


def _measure(offer: Offer, organization: Organization, by: Actor) -> None:
    """Nobody offers more than they hold, in the organization or in any workspace of the offer (P1, P4, P12)."""
    gate.require(by, Action.ORGANISATION_USERS_CREATE, organization)
    if makes_owners(offer.role):
        gate.require(by, Action.ORGANISATION_OWNERS_MANAGE, organization)
    gate.require_to_grant(by, [offer.role], organization, field="role")
    if offer.key_scopes is not None and not offer.seats:
        raise Invalid({"workspace_api_key_details": "A personal key needs a workspace to live in."})
    if len({seat.workspace.pk for seat in offer.seats}) < len(offer.seats):
        raise Invalid({"workspaces": "Each workspace can be named once."})
    if isinstance(by, UserActor):
        by.look_at([seat.workspace for seat in offer.seats])
    for seat in offer.seats:
        _measure_seat(seat, offer, by)


def _measure_seat(seat: Seat, offer: Offer, by: Actor) -> None:
    gate.require(by, Action.WORKSPACE_USERS_CREATE, seat.workspace)
    gate.require_to_grant(by, [seat.role], seat.workspace, field="workspaces")
    if offer.key_scopes is not None:
        gate.require(by, action_on(KeyType.USER, "create"), seat.workspace)
        apikeys.measure(offer.key_scopes, KeyType.USER, seat.workspace, by=by)


def _read_again(offer: Offer, organization: Organization) -> Offer:
    """The offer with its workspaces as they are under the lock. Raises Invalid for one that is not there."""
    if len(offer.seats) > MOST_SEATS:
        raise Invalid({"workspaces": f"At most {MOST_SEATS} workspaces can be named."})
    open_ones = organization.workspaces.active().in_bulk([seat.workspace.pk for seat in offer.seats])
    for seat in offer.seats:
        if seat.workspace.pk not in open_ones:
            raise Invalid({"workspaces": f"There is no such workspace here: {seat.reference}."})
        open_ones[seat.workspace.pk].organization = organization
    return replace(offer, seats=[seat._replace(workspace=open_ones[seat.workspace.pk]) for seat in offer.seats])


def _offered(by: Actor) -> dict[str, Any]:
    """Who stands for the offer: asked again when it is accepted (P14)."""
    return {"offered_by": by.id, "offered_by_kind": by.kind}


def _refuse_if_withdrawn(offer: Offer, invitation: Invitation, by: Actor) -> None:
    """Raises Conflict when whoever made the offer could not make it today."""
    inviter = _inviter_of(invitation, by)
    try:
        _measure(offer, invitation.organization, inviter)
    except DomainError:
        raise Conflict("Whoever invited you may no longer offer this. Ask for a new invitation.") from None


def _make_room(organization: Organization, address: str, by: Actor) -> None:
    """One pending invitation an address (P14): an expired one makes room. Raises Conflict."""
    if OrganizationMembership.objects.filter(organization=organization, user__email=address).exists():
        raise Conflict(f"{address} is a member already.")
    before = Invitation.objects.filter(
        organization=organization, email=address, status=Invitation.Status.PENDING
    ).first()
    if before is not None and before.is_open:
        raise Conflict(f"{address} has been invited already. Send that invitation again, or cancel it first.")
    if before is not None:
        before.revise({"status": Invitation.Status.CANCELLED}, by=by)
        _record(Event.INVITATION_CANCELLED, before, by, reason="expired")


def _refuse_if_not_for(user: User, invitation: Invitation, token: str | None) -> None:
    proved = _holds_link(invitation, token) if token else accounts.has_verified_address(user)
    if invitation.status != Invitation.Status.PENDING or not proved:
        raise Missing("invitation")
    if invitation.is_expired:
        raise Conflict("This invitation has expired. Ask for a new one.")
    if user.email != invitation.email:
        raise Conflict("This invitation is for another address. Sign in with the address it was sent to.")


def _is_asked(by: Actor, invitation: Invitation) -> bool:
    if not isinstance(by, UserActor) or by.user.email != invitation.email:
        return False
    return accounts.has_verified_address(by.user)


def _holds_link(invitation: Invitation, token: str | None) -> bool:
    stored = {bytes(digest) for digest in (invitation.mailed_digest, invitation.copied_digest) if digest}
    return bool(stored & set(digests_of_invitation(token or "")))


def _inviter_of(invitation: Invitation, by: Actor) -> Actor:
    """Whoever made the offer, as they stand today. Raises Conflict when there is nobody to stand for it."""
    kind, author = invitation.offered_by_kind, invitation.offered_by or uuid.UUID(int=0)
    person = User.objects.filter(pk=author, is_active=True).first()
    if kind == ApiKey.kind:
        key: ApiKey | None = ApiKey.objects.with_places().filter(pk=author).first()
        if key is not None and key.is_let_in:
            return key
    elif kind == UserActor.kind and person is not None:
        return UserActor(person, by.origin)
    elif kind == SystemActor.kind or (person is not None and person.is_superuser):
        # Operators and their commands answer to nobody inside the organization (P16).
        return SystemActor(reason="invitation by the operator", actions=Action, origin=by.origin)
    raise Conflict("Whoever invited you is no longer here. Ask for a new invitation.")


def _offer_of(invitation: Invitation) -> Offer:
    waiting = invitation.workspaces.select_related("workspace__organization").filter(workspace__archived_at=None)
    seats = [Seat(row.workspace, WorkspaceRole(row.role), row.reference) for row in waiting]
    return Offer(OrganizationRole(invitation.role), seats, invitation.key_scopes if seats else None)


def _promised_keys(offer: Offer, invitation: Invitation, by: UserActor) -> list[apikeys.Issued]:
    if offer.key_scopes is None:
        return []
    offered = {"offered_by": str(invitation.offered_by), "offered_by_kind": invitation.offered_by_kind}
    return [
        apikeys.hand_over(seat.workspace, name=AUTOMATIC_KEY, scopes=offer.key_scopes, offered=offered, by=by)
        for seat in offer.seats
    ]


def _membership_of(user: User, invitation: Invitation) -> OrganizationMembership:
    rows = OrganizationMembership.objects.filter(organization=invitation.organization, user=user)
    found: OrganizationMembership | None = rows.first()
    if found is None:
        raise Missing("invitation")
    return found


def _lock(invitation: Invitation, by: Actor) -> Invitation:
    return _lock_row(invitation, organizations.lock(invitation.organization, by))


def _lock_row(invitation: Invitation, organization: Organization) -> Invitation:
    found: Invitation | None = Invitation.objects.select_for_update().filter(pk=invitation.pk).first()
    if found is None:
        raise Missing("invitation")
    found.organization = organization
    return found


def _lock_unanswered(invitation: Invitation, action: Action, by: Actor) -> Invitation:
    organization = organizations.lock(invitation.organization, by)
    gate.require(by, action, organization)
    invitation = _lock_row(invitation, organization)
    if invitation.status != Invitation.Status.PENDING:
        raise Conflict(f"This invitation is {Invitation.Status(invitation.status).label.lower()} already.")
    return invitation


def _record(event: Event, invitation: Invitation, by: Actor, **details: Any) -> None:
    log.record(event, actor=by, target=invitation, organization_id=invitation.organization_id, **details)
