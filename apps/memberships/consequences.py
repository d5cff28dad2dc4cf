"""What another role, or none, would change for somebody: computed from the one table before anybody confirms it.

Everything here is a tuple of plain values, so that it can be spelt, compared and shown.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Final, NamedTuple

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.access.actions import Action, Level
from apps.access.roles import REACHING_INTO_WORKSPACES, OrganizationRole, WorkspaceRole, actions_of
from apps.access.scopes import KeyType, effective
from apps.memberships.models import OrganizationMembership, WorkspaceMembership
from apps.organizations.matrix import VERBS
from apps.organizations.models import Organization
from apps.tenancy.wording import thing
from apps.workspaces.models import Workspace
from apps.workspaces.types import ACTIONS, WorkspaceType

# In the order of the table, where what matters most comes first.
_RESOURCES: Final = list(dict.fromkeys(action.resource for action in Action))
_VERBS: Final = list(VERBS)


class Said(NamedTuple):
    """Actions on one kind of thing, in words: prompts, and "Delete", "Publish"."""

    thing: str
    verbs: list[str]
    actions: list[str]


class Change(NamedTuple):
    """What somebody could do more, and no longer, in one place or in all places of a kind."""

    place: str
    gains: list[Said]
    losses: list[Said]


class KeyChange(NamedTuple):
    """What a personal key of theirs would carry more or less, since it never can do more than its person."""

    key: str
    name: str
    mask: str
    workspace: str
    gains: list[str]
    losses: list[str]


class Ended(NamedTuple):
    """A personal key that would be revoked for good."""

    key: str
    name: str
    mask: str
    workspace: str


class Kept(NamedTuple):
    """A place that stays open by another way: which role, and where that comes from."""

    place: str
    role: str
    way: str


class Consequences(NamedTuple):
    """All of it; empty where nothing changes."""

    changes: list[Change]
    keys: list[KeyChange]
    ended: list[Ended]
    kept: list[Kept]

    @property
    def is_nothing(self) -> bool:
        return not (self.changes or self.keys or self.ended)


@dataclass(frozen=True)
class Standing:
    """What somebody is in an organization: a role there, or none, and their role on each team."""

    role: OrganizationRole | None
    seats: Mapping[Workspace, WorkspaceRole] = field(default_factory=dict)

    @property
    def reaches_everywhere(self) -> bool:
        return self.role in REACHING_INTO_WORKSPACES

    def in_organization(self, organization: Organization) -> frozenset[Action]:
        held = actions_of(self.role) if self.role else frozenset()
        return frozenset(action for action in held & organization.permitted if action.level is Level.ORGANIZATION)

    def in_every_workspace(self) -> frozenset[Action]:
        held = actions_of(self.role) if self.role else frozenset()
        return frozenset(action for action in held if action.level is Level.WORKSPACE)

    def in_workspace(self, workspace: Workspace) -> frozenset[Action]:
        seat = self.seats.get(workspace)
        if workspace.is_archived and not self.reaches_everywhere:
            return frozenset()
        return (self.in_every_workspace() | (actions_of(seat) if seat else frozenset())) & workspace.permitted


def seats_of(membership: OrganizationMembership) -> QuerySet[WorkspaceMembership]:
    """Somebody's places on teams, by the name of the workspace."""
    return membership.workspaces.select_related("workspace").order_by("workspace__name_key", "pk")


def standing(membership: OrganizationMembership, rows: Iterable[WorkspaceMembership] | None = None) -> Standing:
    """What somebody is now; for one who is suspended, what they are again afterwards.

    Arguments: `rows` are their places on teams, where they have been read already.
    """
    seats = {}
    for row in seats_of(membership) if rows is None else rows:
        row.workspace.organization = membership.organization
        seats[row.workspace] = WorkspaceRole(row.role)
    return Standing(OrganizationRole(membership.role), seats)


def with_spaces(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Members, each with how many open workspaces of each type their organization has: no query more."""
    places: Any = Workspace.objects.active().filter(organization=OuterRef("organization")).order_by()
    counted = {
        f"spaces_{kind}": Subquery(places.filter(type=kind).values("type").annotate(n=Count("*")).values("n"))
        for kind in WorkspaceType
    }
    read: QuerySet[Any] = rows.annotate(**counted)
    return read


def _none(key: Any) -> bool:
    return False


def _all(key: Any) -> bool:
    return True


def _every(key: Any) -> bool:
    return True


def of_role(membership: OrganizationMembership, role: OrganizationRole) -> Consequences:
    """What another role in the organization would change."""
    now = standing(membership)
    return _between(membership, now, replace(now, role=role))


def of_removal(
    membership: OrganizationMembership,
    seats: Iterable[WorkspaceMembership] | None = None,
    keys: list[Any] | None = None,
) -> Consequences:
    """What ends with the membership: everything, and every personal key.

    Arguments: their places on teams and their personal keys, where those have been read already.
    """
    return _between(membership, standing(membership, seats), Standing(None), ends=_all, keys=keys)


def of_suspension(membership: OrganizationMembership) -> Consequences:
    """What rests while somebody is suspended: everything; no key is revoked."""
    return _between(membership, standing(membership), Standing(None))


def of_team_role(placed: WorkspaceMembership, role: WorkspaceRole) -> Consequences:
    """What another role on one team would change."""
    now = standing(placed.membership)
    return _between(placed.membership, now, replace(now, seats={**now.seats, placed.workspace: role}))


def of_team_removal(placed: WorkspaceMembership) -> Consequences:
    """What ends with a place on a team, and what stays through the role in the organization."""
    now = standing(placed.membership)
    seats = {workspace: role for workspace, role in now.seats.items() if workspace != placed.workspace}
    after = replace(now, seats=seats)
    return _between(placed.membership, now, after, ends=lambda key: key.workspace_id == placed.workspace_id)


def keys_of(membership: OrganizationMembership) -> list[Any]:
    """Somebody's personal keys that are not revoked, newest first."""
    keys: Any = membership.organization.api_keys
    theirs = keys.not_revoked().filter(user=membership.user_id).select_related("workspace").newest_first()
    for key in theirs:
        key.workspace.organization = membership.organization
    return list(theirs)


def in_words(actions: Iterable[Action]) -> list[Said]:
    """Actions by the kind of thing they are on, each in a word."""
    in_order = sorted(actions, key=lambda action: (_RESOURCES.index(action.resource), _VERBS.index(action.verb)))
    return [
        Said(_capital(str(thing(resource))), _words(group := list(found)), [action.value for action in group])
        for resource, found in groupby(in_order, key=lambda action: action.resource)
    ]


def _between(
    membership: OrganizationMembership,
    before: Standing,
    after: Standing,
    *,
    ends: Callable[[Any], bool] = _none,
    keys: list[Any] | None = None,
) -> Consequences:
    changes = [change for change in _changes(membership, before, after) if change.gains or change.losses]
    keys = keys_of(membership) if keys is None else keys
    return Consequences(
        changes,
        keys=list(_key_changes([key for key in keys if not ends(key)], before, after)),
        ended=[Ended(*_told(key)) for key in keys if ends(key)],
        kept=list(_kept(before, after)),
    )


def _kept(before: Standing, after: Standing) -> Iterator[Kept]:
    """Where one way ends or changes and the other stays: a place on a team, or the role in the organization."""
    for workspace in dict.fromkeys((*before.seats, *after.seats)):
        was, seat = before.seats.get(workspace), after.seats.get(workspace)
        if after.role and after.reaches_everywhere and was != seat:
            yield Kept(str(workspace), str(after.role.label), _("through the role in the organization"))
        elif seat and before.reaches_everywhere and not after.reaches_everywhere and not workspace.is_archived:
            yield Kept(str(workspace), str(seat.label), _("direct"))


def _changes(membership: OrganizationMembership, before: Standing, after: Standing) -> Iterator[Change]:
    organization = membership.organization
    yield _change(str(organization), before.in_organization(organization), after.in_organization(organization))
    for workspace in dict.fromkeys((*before.seats, *after.seats)):
        yield _change(str(workspace), before.in_workspace(workspace), after.in_workspace(workspace))
    yield from _elsewhere(membership, before, after)


def _elsewhere(membership: OrganizationMembership, before: Standing, after: Standing) -> Iterator[Change]:
    """The workspaces whose team they are not on, which a role in the organization may reach into: one line a type."""
    if before.in_every_workspace() == after.in_every_workspace():
        return
    for kind, number in _spaces_without(membership, {*before.seats, *after.seats}):
        possible = ACTIONS[kind] & membership.organization.permitted
        told = _elsewhere_in(number) % {"type": WorkspaceType(kind).label, "number": number}
        yield _change(told, before.in_every_workspace() & possible, after.in_every_workspace() & possible)


def _spaces_without(membership: OrganizationMembership, seats: set[Workspace]) -> Iterator[tuple[str, int]]:
    """How many open workspaces of each type there are beside these."""
    known = {kind: membership.__dict__.get(f"spaces_{kind}", 0) for kind in WorkspaceType}
    if f"spaces_{next(iter(WorkspaceType))}" not in membership.__dict__:
        rows: Any = membership.organization.workspaces
        known |= dict(rows.active().order_by().values_list("type").annotate(Count("pk")))
    for kind in WorkspaceType:
        number = (known[kind] or 0) - sum(place.type == kind and not place.is_archived for place in seats)
        if number > 0:
            yield kind, number


def _elsewhere_in(number: int) -> str:
    return ngettext(
        "%(number)d other workspace (%(type)s), without joining it",
        "%(number)d other workspaces (%(type)s), without joining them",
        number,
    )


def _change(place: str, before: frozenset[Action], after: frozenset[Action]) -> Change:
    return Change(place, in_words(after - before), in_words(before - after))


def _key_changes(keys: Iterable[Any], before: Standing, after: Standing) -> Iterator[KeyChange]:
    for key in keys:
        carried = effective(key.scopes, KeyType(key.type))
        now, then = (carried & each.in_workspace(key.workspace) for each in (before, after))
        if now != then:
            yield KeyChange(*_told(key), _values(then - now), _values(now - then))


def _told(key: Any) -> tuple[str, str, str, str]:
    return str(key.pk), key.name, key.mask, str(key.workspace)


def _values(actions: Iterable[Action]) -> list[str]:
    return sorted(action.value for action in actions)


def _words(actions: Iterable[Action]) -> list[str]:
    return list(dict.fromkeys(str(VERBS[action.verb]) for action in actions))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
