"""People put on a team together: members at once, everybody else by an invitation that the workspace waits in."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from apps.access import gate
from apps.access.actions import Action
from apps.access.actors import Actor
from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.core.errors import DomainError
from apps.memberships import invitations, operations, verdicts
from apps.memberships.links import invitation_link
from apps.memberships.models import OrganizationMembership
from apps.memberships.pasting import Pasted
from apps.memberships.verdicts import Standing
from apps.workspaces.models import Workspace


class Outcome(NamedTuple):
    """What became of one of them: on the team, invited with a link to hand over, or neither and why.

    `standing` is what an address is that cannot be invited, in a word.
    """

    who: str
    is_added: bool = False
    link: str = ""
    refusal: str = ""
    standing: str = ""


def gather(
    workspace: Workspace, members: Iterable[Any], addresses: Iterable[Pasted], role: WorkspaceRole, *, by: Actor
) -> list[Outcome]:
    """Each is an act of its own: what is refused for one stands in no other's way."""
    chosen = {member.pk: member for member in members}
    judged = verdicts.judge(workspace.organization, addresses)
    named = _members(workspace, {verdict.address for verdict in judged if verdict.standing is Standing.MEMBER})
    chosen |= {member.pk: member for member in named}
    placed = [_place(workspace, member, role, by) for member in chosen.values()]
    return [*placed, *_invite(workspace, judged, role, by)]


def _members(workspace: Workspace, addresses: set[str]) -> list[OrganizationMembership]:
    rows = OrganizationMembership.objects.filter(organization=workspace.organization, user__email__in=addresses)
    return list(rows.select_related("user", "organization")) if addresses else []


def _place(workspace: Workspace, member: Any, role: WorkspaceRole, by: Actor) -> Outcome:
    try:
        operations.add_to_workspace(workspace, member, role, by=by)
    except DomainError as refusal:
        return Outcome(str(member), refusal=str(refusal))
    return Outcome(str(member), is_added=True)


def _invite(
    workspace: Workspace, judged: Iterable[verdicts.Verdict], role: WorkspaceRole, by: Actor
) -> Iterator[Outcome]:
    """Whoever is no member becomes one first, which needs the right to invite (product P15)."""
    may_invite = gate.may(by, Action.ORGANISATION_USERS_CREATE, workspace.organization)
    offer = invitations.Offer(OrganizationRole.MEMBER, [invitations.Seat(workspace, role, workspace.slug)])
    for verdict in judged:
        if verdict.standing in {Standing.MEMBER, Standing.TWICE}:
            continue
        if not verdict.is_welcome:
            yield Outcome(verdict.typed, refusal=verdict.reason, standing=str(verdict.standing.label))
        elif not may_invite:
            said = _("Not in %(organization)s yet, and you may not invite people.")
            yield Outcome(verdict.address, refusal=said % {"organization": workspace.organization})
        else:
            yield _ask(verdict.address, offer, workspace, by)


def _ask(address: str, offer: invitations.Offer, workspace: Workspace, by: Actor) -> Outcome:
    try:
        made = invitations.invite(workspace.organization, address, offer, by=by)
    except DomainError as refusal:
        return Outcome(address, refusal=str(refusal))
    return Outcome(address, link=invitation_link(made.token))
