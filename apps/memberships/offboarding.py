"""Removing somebody with all that hangs on them: what ends, what stays, and who takes over what stays."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import models, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access import gate
from apps.access.actions import Action
from apps.access.actors import Actor, UserActor
from apps.access.roles import WorkspaceRole, actions_of
from apps.apikeys import operations as apikeys
from apps.apikeys.models import ApiKey
from apps.core.errors import Invalid, Missing, Stale
from apps.memberships import consequences, invitations, operations
from apps.memberships.consequences import Consequences
from apps.memberships.models import Invitation, OrganizationMembership, WorkspaceMembership
from apps.organizations import operations as organizations
from apps.organizations.models import Organization

Status = OrganizationMembership.Status

MOST: Final = 100  # keys decided about one by one; older ones go on working
_SUCCESSORS: Final = 500
_READ: Final = 5000  # keys of one person, at most
# The roles whose holders look after a workspace: they can change its team.
LEADING: Final = [role for role in WorkspaceRole if Action.WORKSPACE_USERS_UPDATE in actions_of(role)]


class Fate(models.TextChoices):
    """What becomes of a key that somebody leaves behind."""

    KEEP = "keep", gettext_lazy("Keep it")
    REVOKE = "revoke", gettext_lazy("Revoke it")


@dataclass(frozen=True)
class Choices:
    """What was decided about what they leave: each key's fate, who leads which workspace, whether invitations live.

    `keys` are by the key's id, `leads` by the workspace's id, each the membership that takes it over.
    """

    keys: Mapping[uuid.UUID, Fate] = field(default_factory=dict)
    leads: Mapping[uuid.UUID, OrganizationMembership] = field(default_factory=dict)
    invitations_are_taken_over: bool = False


@dataclass(frozen=True)
class Report:
    """What hangs on somebody: what ends with them, and what they would leave behind."""

    ends: Consequences
    keys: list[ApiKey]  # service keys they made, which go on working
    leads: list[WorkspaceMembership]  # of workspaces that nobody else looks after
    invitations: int  # pending ones they stand for

    def spelt(self) -> list[Any]:
        """As it is compared with what was shown."""
        left = [sorted(str(row.pk) for row in rows) for rows in (self.keys, self.leads)]
        return [self.ends, *left, self.invitations]


def with_offers(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Members, each with what a report on them counts: how many invitations they stand for, and workspaces to reach."""
    asked = Invitation.objects.pending().filter(**_offered(OuterRef("organization"), OuterRef("user"))).order_by()
    number = asked.values("organization").annotate(n=Count("*")).values("n")
    return consequences.with_spaces(rows.annotate(offers=Subquery(number)))


def report(membership: OrganizationMembership) -> Report:
    """What a removal would end and leave. A member read `with_offers` costs fewer queries."""
    seats: list[Any] = list(consequences.seats_of(membership).annotate(is_alone=~Exists(_other_leads(membership))))
    personal, made = _keys_of(membership)
    offers = membership.__dict__["offers"] if "offers" in membership.__dict__ else _offers(membership).count()
    leads = [seat for seat in seats if seat.is_alone and seat.role in LEADING and not seat.workspace.is_archived]
    return Report(
        ends=consequences.of_removal(membership, seats, personal),
        keys=made[:MOST],
        leads=leads,
        invitations=offers or 0,
    )


@transaction.atomic
def remove(
    membership: OrganizationMembership,
    choices: Choices,
    *,
    version: int | None = None,
    seen: list[Any] | None = None,
    by: Actor,
) -> None:
    """Removes somebody and does what was decided about what they leave, all of it or nothing.

    Raises what each act raises by itself, Invalid for a choice about something they would not leave, and Stale where
    what hangs on them is no longer what was `seen`: a report, spelt, as it was decided about.
    """
    organization = organizations.lock(membership.organization, by)
    gate.require(by, Action.ORGANISATION_USERS_DELETE, organization)
    membership = _read_again(membership, organization)
    membership.refuse_stale(version)
    operations.refuse_removal(membership, by=by)
    found = report(membership)
    if seen is not None and seen != found.spelt():
        raise Stale
    _refuse_strange(choices, found)
    _settle(membership, found, choices, by=by)
    operations.remove(membership, by=by)


def _settle(membership: OrganizationMembership, found: Report, choices: Choices, *, by: Actor) -> None:
    """Does with each thing they leave what was decided about it."""
    for placed in found.leads:
        if successor := choices.leads.get(placed.workspace_id):
            _hand_over(placed, _still_here(successor, placed), by=by)
    if choices.invitations_are_taken_over:
        for invitation in _offers(membership):
            invitations.take_over(invitation, by=by)
    for key in found.keys:
        if choices.keys.get(key.pk) == Fate.REVOKE:
            apikeys.revoke(key, by=by)


def _read_again(membership: OrganizationMembership, organization: Organization) -> OrganizationMembership:
    """The member as they are under the organization's lock, with nothing that was counted before."""
    rows = OrganizationMembership.objects.select_related("user").filter(pk=membership.pk, organization=organization)
    found: OrganizationMembership | None = rows.first()
    if found is None:
        raise Missing("member")
    found.organization = organization
    return found


def _still_here(successor: OrganizationMembership, placed: WorkspaceMembership) -> OrganizationMembership:
    """Whoever is to look after the workspace, asked again under the lock. Raises Invalid, at their field."""
    rows = OrganizationMembership.objects.active().filter(organization=placed.organization_id, user__is_active=True)
    others = rows.exclude(pk=placed.membership_id).select_related("user")
    found: OrganizationMembership | None = others.filter(pk=successor.pk).first()
    if found is None:
        field = f"lead_{placed.workspace_id}"
        raise Invalid({field: _("They are not active here any more. Choose somebody else.")})
    found.organization = placed.workspace.organization
    return found


def _hand_over(placed: WorkspaceMembership, successor: OrganizationMembership, *, by: Actor) -> None:
    """Somebody else looks after the workspace, in the role of whoever goes."""
    role, there = WorkspaceRole(placed.role), successor.workspaces.filter(workspace=placed.workspace_id).first()
    if there is None:
        operations.add_to_workspace(placed.workspace, successor, role, by=by)
    else:
        there.workspace, there.membership = placed.workspace, successor
        operations.change_workspace_role(there, role, by=by)


def _refuse_strange(choices: Choices, found: Report) -> None:
    """A choice about something that is not theirs to leave is a mistake, or somebody else was faster."""
    strange = set(choices.keys) - {key.pk for key in found.keys}
    strange |= set(choices.leads) - {placed.workspace_id for placed in found.leads}
    if strange:
        raise Invalid({"choices": _("What this person would leave behind has changed. Read it again, then confirm.")})


def successors(left: Report, membership: OrganizationMembership) -> dict[uuid.UUID, list[OrganizationMembership]]:
    """Who is on the teams that nobody else leads, by the workspace: one query, however many workspaces."""
    places = [placed.workspace_id for placed in left.leads]
    found: dict[uuid.UUID, list[OrganizationMembership]] = {place: [] for place in places}
    if not places:
        return found
    rows = WorkspaceMembership.objects.filter(
        workspace__in=places, membership__status=Status.ACTIVE, membership__user__is_active=True
    )
    others = rows.exclude(membership=membership).select_related("membership__user")
    for placed in others.order_by("membership__name_key", "pk")[:_SUCCESSORS]:
        found[placed.workspace_id].append(placed.membership)
    return found


def keys_left_by(membership: OrganizationMembership) -> Any:
    """Service keys they made, newest first."""
    keys: Any = membership.organization.api_keys
    made = keys.with_places().not_revoked().in_open_places(membership.organization)
    return made.filter(_made_by(membership)).newest_first()


def _keys_of(membership: OrganizationMembership) -> tuple[list[Any], list[Any]]:
    """Their personal keys, and the service keys they made: read together."""
    keys: Any = membership.organization.api_keys
    found = keys.with_places().not_revoked().filter(Q(user=membership.user_id) | _made_by(membership))
    personal: list[Any] = []
    made: list[Any] = []
    for key in found.order_by(F("user").asc(nulls_last=True), "-created_at", "-id")[:_READ]:
        (personal if key.user_id else made).append(key)
    return personal, [key for key in made if key.workspace is None or not key.workspace.is_archived]


def _made_by(membership: OrganizationMembership) -> Q:
    return Q(user=None, created_by=membership.user_id, created_by_kind=UserActor.kind)


def _other_leads(membership: OrganizationMembership) -> Any:
    """Everybody else who looks after a workspace, by its place in an outer query."""
    leading = WorkspaceMembership.objects.filter(role__in=LEADING, workspace=OuterRef("workspace"))
    return leading.filter(membership__status=Status.ACTIVE).exclude(membership=membership)


def _offers(membership: OrganizationMembership) -> Any:
    asked: Any = Invitation.objects.pending()
    return asked.filter(**_offered(membership.organization, membership.user_id)).order_by("email")


def _offered(organization: Any, user: Any) -> dict[str, Any]:
    return {"organization": organization, "offered_by": user, "offered_by_kind": UserActor.kind}
