"""What those who invite can do: make an invitation, send it again, change, copy or cancel it (product P14)."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access import gate
from apps.access.actions import Action
from apps.access.actors import Actor, UserActor
from apps.access.levels import FEATURES
from apps.access.roles import OrganizationRole, WorkspaceRole, makes_owners
from apps.access.scopes import KeyType
from apps.accounts.addresses import normalized
from apps.apikeys import operations as apikeys
from apps.apikeys.models import action_on
from apps.apikeys.secret import Secret, new_invitation_token
from apps.audit import log
from apps.audit.events import Event
from apps.core import outbox
from apps.core.clock import now
from apps.core.errors import Conflict, Invalid, Missing
from apps.core.models import Row
from apps.memberships import pace, tasks
from apps.memberships.models import Invitation, InvitedWorkspace, OrganizationMembership
from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from apps.workspaces.models import Workspace

VALID_FOR = timedelta(days=7)
MOST_SEATS = 100
_USUAL = frozenset().union(*(feature.at(feature.default, KeyType.USER) for feature in FEATURES))
_ANSWERED = {
    Invitation.Status.ACCEPTED: gettext_lazy("This invitation is accepted already."),
    Invitation.Status.CANCELLED: gettext_lazy("This invitation is cancelled already."),
    Invitation.Status.DECLINED: gettext_lazy("This invitation is declined already."),
}


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


@transaction.atomic
def invite(organization: Organization, email: str, offer: Offer, *, by: Actor) -> Invited:
    """Asks an address to join. The letter with the mailed token leaves when this commits.

    Raises Forbidden, Overreach, Invalid; Conflict when the address is a member or has been asked already; TooMany
    when enough letters have left for this hour.
    """
    organization = organizations.lock(organization, by)
    gate.require(by, Action.ORGANISATION_USERS_CREATE, organization)
    address = normalized(email)
    offer = _read_again(offer, organization)
    measure(offer, organization, by)
    _make_room(organization, address, by)
    pace.count_letter(organization, address, by)
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
    record(Event.INVITATION_CREATED, invitation, by, after={"role": offer.role, "workspaces": seats})
    outbox.post(tasks.send_invitation, str(invitation.pk))
    return Invited(invitation, token)


def usual_scopes(workspaces: Iterable[Workspace]) -> list[str]:
    """The default permissions of a key (product 3), as far as they mean something in all of these workspaces."""
    permitted = [workspace.permitted for workspace in workspaces]
    return sorted(action for action in _USUAL if all(action in here for here in permitted))


@transaction.atomic
def resend(invitation: Invitation, *, by: Actor) -> Invitation:
    """Sends another letter, valid for seven days from now; role and workspaces stay, the older letter is void.

    Whoever sends it stands for the offer from now on. Raises TooMany within a minute of the last one.
    """
    invitation = _lock_unanswered(invitation, Action.ORGANISATION_USERS_CREATE, by)
    measure(offer_of(invitation), invitation.organization, by)
    pace.refuse_haste(invitation, by)
    invitation.revise({"expires_at": now() + VALID_FOR, "mailed_digest": None, **_offered(by)}, by=by)
    record(Event.INVITATION_RESENT, invitation, by)
    outbox.post(tasks.send_invitation, str(invitation.pk))
    return invitation


@transaction.atomic
def copy_link(invitation: Invitation, *, by: Actor) -> Invited:
    """Makes a new link to hand over in person; the older copied link is void."""
    invitation = _lock_unanswered(invitation, Action.ORGANISATION_USERS_CREATE, by)
    measure(offer_of(invitation), invitation.organization, by)
    _refuse_expired(invitation)
    token = new_invitation_token()
    invitation.revise({"copied_digest": token.digest, **_offered(by)}, by=by)
    record(Event.INVITATION_LINK_COPIED, invitation, by)
    return Invited(invitation, token)


@transaction.atomic
def change_role(invitation: Invitation, role: OrganizationRole, *, version: int | None = None, by: Actor) -> Invitation:
    """Offers another role. The links stay good, and lead to what is offered now.

    Whoever changes it stands for the offer from now on, so they must hold what the older and the newer one hand out.
    """
    invitation = _lock_unanswered(invitation, Action.ORGANISATION_USERS_CREATE, by)
    invitation.refuse_stale(version)
    _refuse_expired(invitation)
    if invitation.role == role:
        return invitation
    offered = offer_of(invitation)
    for offer in (offered, replace(offered, role=role)):
        measure(offer, invitation.organization, by)
    invitation.revise({"role": role, **_offered(by)}, by=by)
    record(Event.INVITATION_ROLE_CHANGED, invitation, by, before={"role": offered.role}, after={"role": role})
    return invitation


@transaction.atomic
def take_over(invitation: Invitation, *, by: Actor) -> Invitation:
    """Stands for somebody else's offer from now on, so that it outlives them; its links stay good."""
    invitation = _lock_unanswered(invitation, Action.ORGANISATION_USERS_CREATE, by)
    measure(offer_of(invitation), invitation.organization, by)
    invitation.revise(_offered(by), by=by)
    record(Event.INVITATION_TAKEN_OVER, invitation, by)
    return invitation


@transaction.atomic
def cancel(invitation: Invitation, *, by: Actor) -> Invitation:
    """Takes an invitation back: both its links are void at once."""
    invitation = _lock_unanswered(invitation, Action.ORGANISATION_USERS_DELETE, by)
    invitation.revise({"status": Invitation.Status.CANCELLED}, by=by)
    record(Event.INVITATION_CANCELLED, invitation, by)
    return invitation


def measure(offer: Offer, organization: Organization, by: Actor) -> None:
    """Nobody offers more than they hold, in the organization or in any workspace of the offer (P1, P4, P12)."""
    gate.require(by, Action.ORGANISATION_USERS_CREATE, organization)
    if makes_owners(offer.role):
        gate.require(by, Action.ORGANISATION_OWNERS_MANAGE, organization)
    gate.require_to_grant(by, [offer.role], organization, field="role")
    if offer.key_scopes is not None and not offer.seats:
        raise Invalid({"workspace_api_key_details": _("A personal key needs a workspace to live in.")})
    if len({seat.workspace.pk for seat in offer.seats}) < len(offer.seats):
        raise Invalid({"workspaces": _("Each workspace can be named once.")})
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
        raise Invalid({"workspaces": _("At most %(most)d workspaces can be named.") % {"most": MOST_SEATS}})
    open_ones = organization.workspaces.active().in_bulk([seat.workspace.pk for seat in offer.seats])
    for seat in offer.seats:
        if seat.workspace.pk not in open_ones:
            raise Invalid({"workspaces": _("There is no such workspace here: %(name)s.") % {"name": seat.reference}})
        open_ones[seat.workspace.pk].organization = organization
    return replace(offer, seats=[seat._replace(workspace=open_ones[seat.workspace.pk]) for seat in offer.seats])


def _offered(by: Actor) -> dict[str, Any]:
    """Who stands for the offer: asked again when it is accepted (P14)."""
    return {"offered_by": by.id, "offered_by_kind": by.kind}


def _make_room(organization: Organization, address: str, by: Actor) -> None:
    """One pending invitation an address (P14): an expired one makes room. Raises Conflict."""
    if OrganizationMembership.objects.filter(organization=organization, user__email=address).exists():
        raise Conflict(_("%(address)s is a member already.") % {"address": address})
    before = Invitation.objects.filter(
        organization=organization, email=address, status=Invitation.Status.PENDING
    ).first()
    if before is not None and before.is_open:
        raise Conflict(
            _("%(address)s has been invited already. Send that invitation again, or cancel it first.")
            % {"address": address}
        )
    if before is not None:
        before.revise({"status": Invitation.Status.CANCELLED}, by=by)
        record(Event.INVITATION_CANCELLED, before, by, reason="expired")


def offer_of(invitation: Invitation) -> Offer:
    """What the invitation hands out today: workspaces archived meanwhile are left out."""
    waiting = invitation.workspaces.select_related("workspace__organization").filter(workspace__archived_at=None)
    seats = [Seat(row.workspace, WorkspaceRole(row.role), row.reference) for row in waiting]
    return Offer(OrganizationRole(invitation.role), seats, invitation.key_scopes if seats else None)


def lock(invitation: Invitation, by: Actor) -> Invitation:
    """The invitation, held still after its organization. Raises Missing when it is gone."""
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
        raise Conflict(str(_ANSWERED[Invitation.Status(invitation.status)]))
    return invitation


def _refuse_expired(invitation: Invitation) -> None:
    if invitation.is_expired:
        raise Conflict(_("This invitation has expired. Send it again first."))


def record(event: Event, invitation: Invitation, by: Actor, **details: Any) -> None:
    """The line of the log, as the last act of an operation on an invitation."""
    log.record(event, actor=by, target=invitation, organization_id=invitation.organization_id, **details)
