"""Every grant somebody holds in an organization, as a page tells it: where, which role, by which way, since when."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import CharField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Concat, NullIf, Trim
from django.utils.translation import gettext as _

from apps.access.actions import Action, Level
from apps.access.actors import UserActor
from apps.access.roles import OrganizationRole, WorkspaceRole, holders
from apps.memberships import consequences
from apps.memberships.consequences import Said, Standing
from apps.memberships.models import OrganizationMembership, WorkspaceMembership
from apps.organizations.matrix import title
from apps.workspaces.models import Workspace


class Grant(NamedTuple):
    """One grant: `seat` is the place on a team, where it is one; `author` the member who gave it, if they are here."""

    place: str
    role: str
    way: str
    since: datetime
    author: str
    allows: list[Said]
    seat: WorkspaceMembership | None = None

    def allows_in(self, action: Action, workspace: Workspace | None) -> bool:
        is_there = workspace is None or self.seat is None or self.seat.workspace_id == workspace.pk
        return is_there and any(action.value in said.actions for said in self.allows)


class Answer(NamedTuple):
    """Whether somebody can do something: by which of their grants, or with which roles they could."""

    action: Action
    place: str
    ways: list[Grant]
    roles: list[str]


def answer(membership: Any, found: Iterable[Grant], action: Action, workspace: Workspace | None) -> Answer:
    """The grants that allow this act, in one workspace or anywhere they are; none while somebody is suspended."""
    there = workspace if action.level is Level.WORKSPACE else None
    is_possible = membership.is_active and (there is None or action in there.permitted)
    ways = [grant for grant in found if is_possible and grant.allows_in(action, there)]
    place = str(there or membership.organization)
    return Answer(action, place, ways, [title(role) for role in holders(action)])


def grants(membership: Any, seats: Iterable[WorkspaceMembership], *, tells_adder: bool) -> list[Grant]:
    """What somebody holds through their role in the organization, and through each of these places on teams.

    The membership is read with who added the person, `listing.with_columns(rows, ["added"], …)`, which is told only
    to readers who may know it.
    """
    places = list(seats)
    authors = _authors(membership.organization, places)
    adder = membership.added_by if tells_adder else ""
    return [*_of_organization(membership, adder), *(_of_team(seat, membership, authors) for seat in places)]


def _of_organization(membership: Any, adder: str) -> Iterator[Grant]:
    held, organization = Standing(OrganizationRole(membership.role)), membership.organization
    told = {"role": membership.role_name, "since": membership.created_at, "author": adder}
    direct, through = _("direct"), _("through the role in the organization")
    yield Grant(str(organization), way=direct, allows=consequences.in_words(held.in_organization(organization)), **told)
    if held.reaches_everywhere:
        yield Grant(_("Every workspace"), way=through, allows=consequences.in_words(held.in_every_workspace()), **told)


def _of_team(seat: WorkspaceMembership, membership: Any, authors: dict[Any, str]) -> Grant:
    seat.workspace.organization = membership.organization
    held = Standing(None, {seat.workspace: WorkspaceRole(seat.role)})
    return Grant(
        place=str(seat.workspace),
        role=seat.role_name,
        way=_("direct"),
        since=seat.created_at,
        author=_author(seat, authors),
        allows=consequences.in_words(held.in_workspace(seat.workspace)),
        seat=seat,
    )


def with_authors(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Places on teams, each with who made it as people know them, as long as they are a member here: no query more."""
    makers = OrganizationMembership.objects.filter(organization=OuterRef("organization"), user=OuterRef("created_by"))
    name = NullIf(Trim(Concat("user__first_name", Value(" "), "user__last_name")), Value(""))
    shown = Coalesce(name, "user__email", output_field=CharField())
    read: QuerySet[Any] = rows.annotate(author=Subquery(makers.annotate(shown=shown).values("shown")[:1]))
    return read


def _authors(organization: Any, rows: list[Any]) -> dict[Any, str]:
    """The members who made these rows, by their account's id."""
    people = {row.created_by for row in rows if row.created_by_kind == UserActor.kind}
    known = OrganizationMembership.objects.filter(organization=organization, user__in=people).select_related("user")
    return {member.user_id: str(member) for member in known}


def _author(row: Any, authors: dict[Any, str]) -> str:
    return authors.get(row.created_by, "") if row.created_by_kind == UserActor.kind else ""
