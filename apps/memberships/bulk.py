"""One act on many members: what would become of each, and then what did, each by an operation of its own."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, ClassVar, Final, NamedTuple, Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.access import gate
from apps.access.actions import Action
from apps.access.actors import Actor
from apps.access.roles import OrganizationRole, WorkspaceRole, makes_owners
from apps.core import text
from apps.core.errors import DomainError
from apps.memberships import operations as memberships
from apps.memberships.models import OrganizationMembership, WorkspaceMembership
from apps.workspaces.models import Workspace

Status = OrganizationMembership.Status

MOST: Final = 500
SEEN_LENGTH: Final = 24


class Verdict(NamedTuple):
    """What an act would do to one of the members: nothing, where it is so already, or where something forbids it."""

    member: Any
    said: str
    is_same: bool = False
    refusal: str = ""

    @property
    def is_change(self) -> bool:
        return not (self.is_same or self.refusal)

    @property
    def seen(self) -> str:
        """What a form carries of it, to tell whether it is still what somebody had in front of them."""
        return sha256(f"{self.member.pk} {self.said} {self.refusal}".encode()).hexdigest()[:SEEN_LENGTH]


class Result(NamedTuple):
    """What became of one of them, and why where nothing did."""

    member: Any
    said: str
    is_done: bool = True


class Act(Protocol):
    """Something done to many members, one after the other."""

    name: ClassVar[str]
    needs: ClassVar[Action]
    ends_ownership: bool

    def ask(self, member: Any) -> None:
        """Raises what the operation would, the last owner apart. Writes nothing and reads nothing."""

    def is_so(self, member: Any) -> bool:
        """Whether the operation would find nothing to do."""

    def said(self, member: Any) -> str: ...

    def run(self, member: Any) -> object: ...


@dataclass(frozen=True)
class ChangeRole:
    role: OrganizationRole
    by: Actor
    name: ClassVar[str] = "role"
    needs: ClassVar[Action] = Action.ORGANISATION_USERS_UPDATE

    @property
    def ends_ownership(self) -> bool:
        return not makes_owners(self.role)

    def ask(self, member: Any) -> None:
        if not self.is_so(member):
            memberships.refuse_role(member, self.role, by=self.by)

    def is_so(self, member: Any) -> bool:
        return bool(member.role == self.role)

    def said(self, member: Any) -> str:
        if self.is_so(member):
            return _("Is %(role)s already") % {"role": text.amid(member.role_name)}
        roles = {"before": member.role_name, "after": self.role.label}
        return _("%(before)s becomes %(after)s") % roles

    def run(self, member: Any) -> object:
        return memberships.change_role(member, self.role, version=member.version, by=self.by)


@dataclass(frozen=True)
class AddToWorkspace:
    workspace: Workspace
    role: WorkspaceRole
    there: Mapping[uuid.UUID, WorkspaceMembership]  # those who are on the team already
    by: Actor
    name: ClassVar[str] = "add"
    needs: ClassVar[Action] = Action.ORGANISATION_USERS_UPDATE
    ends_ownership: ClassVar[bool] = False

    def ask(self, member: Any) -> None:
        gate.require(self.by, Action.WORKSPACE_USERS_CREATE, self.workspace)
        gate.require_to_grant(self.by, [self.role], self.workspace, field="role")
        if member.pk in self.there:
            memberships.refuse_another_place(self.there[member.pk], self.role)

    def is_so(self, member: Any) -> bool:
        return member.pk in self.there and self.there[member.pk].role == self.role

    def said(self, member: Any) -> str:
        names = {"workspace": self.workspace, "role": text.amid(self.role.label)}
        if self.is_so(member):
            return _("Is %(role)s in %(workspace)s already") % names
        return _("Joins %(workspace)s as %(role)s") % names

    def run(self, member: Any) -> object:
        return memberships.add_to_workspace(self.workspace, member, self.role, by=self.by)


@dataclass(frozen=True)
class Suspend:
    by: Actor
    name: ClassVar[str] = "suspend"
    needs: ClassVar[Action] = Action.ORGANISATION_USERS_UPDATE
    ends_ownership: ClassVar[bool] = True

    def ask(self, member: Any) -> None:
        memberships.refuse_status(member, Status.SUSPENDED, by=self.by)

    def is_so(self, member: Any) -> bool:
        return False

    def said(self, member: Any) -> str:
        keys = ngettext("%(n)s personal key stops working", "%(n)s personal keys stop working", member.key_count)
        return _sentence(_("Is locked out"), keys % {"n": member.key_count} if member.key_count else "")

    def run(self, member: Any) -> object:
        return memberships.suspend(member, version=member.version, by=self.by)


@dataclass(frozen=True)
class Reactivate:
    by: Actor
    name: ClassVar[str] = "reactivate"
    needs: ClassVar[Action] = Action.ORGANISATION_USERS_UPDATE
    ends_ownership: ClassVar[bool] = False

    def ask(self, member: Any) -> None:
        memberships.refuse_status(member, Status.ACTIVE, by=self.by)

    def is_so(self, member: Any) -> bool:
        return False

    def said(self, member: Any) -> str:
        keys = ngettext("%(n)s personal key works again", "%(n)s personal keys work again", member.key_count)
        return _sentence(_("Gets everything back"), keys % {"n": member.key_count} if member.key_count else "")

    def run(self, member: Any) -> object:
        return memberships.reactivate(member, version=member.version, by=self.by)


@dataclass(frozen=True)
class Remove:
    by: Actor
    name: ClassVar[str] = "remove"
    needs: ClassVar[Action] = Action.ORGANISATION_USERS_DELETE
    ends_ownership: ClassVar[bool] = True

    def ask(self, member: Any) -> None:
        memberships.refuse_removal(member, by=self.by)

    def is_so(self, member: Any) -> bool:
        return False

    def said(self, member: Any) -> str:
        keys, seats = member.key_count, member.seat_count
        left = ngettext("leaves %(n)s workspace", "leaves %(n)s workspaces", seats) % {"n": seats}
        lost = ngettext("%(n)s personal key is revoked", "%(n)s personal keys are revoked", keys) % {"n": keys}
        return _sentence(_("Is removed"), left if seats else "", lost if keys else "")

    def run(self, member: Any) -> object:
        return memberships.remove(member, version=member.version, by=self.by)


ACTS: Final = (ChangeRole, AddToWorkspace, Suspend, Reactivate, Remove)
EXPORT: Final = "export"
LABELS: Final[dict[str, Promise]] = {
    "role": gettext_lazy("Change role"),
    "add": gettext_lazy("Add to a workspace"),
    "suspend": gettext_lazy("Suspend"),
    "reactivate": gettext_lazy("Reactivate"),
    "remove": gettext_lazy("Remove"),
    EXPORT: gettext_lazy("Export CSV"),
}


def foresee(act: Act, members: Iterable[Any]) -> list[Verdict]:
    """What the act would do to each of them in this order, by the questions that its operation asks."""
    gone: set[uuid.UUID] = set()
    return [_foreseen(act, member, gone) for member in members]


def seen(foreseen: Iterable[Verdict]) -> str:
    """What a form carries of all of them, in one field: a request has at most a thousand (Django's own limit).

    Each stays to be told apart, because the person may untick some of those they were shown.
    """
    return " ".join(verdict.seen for verdict in foreseen)


def perform(act: Act, foreseen: Iterable[Verdict]) -> list[Result]:
    """Does it to all whom it would change, each in a transaction of its own: one refusal undoes nothing else."""
    return [_done(act, verdict) for verdict in foreseen if not verdict.is_same]


def _foreseen(act: Act, member: Any, gone: set[uuid.UUID]) -> Verdict:
    is_same = act.is_so(member)
    try:
        act.ask(member)
        if act.ends_ownership and not is_same and makes_owners(OrganizationRole(member.role)):
            memberships.refuse_if_last_owner(member, gone)
            gone.add(member.pk)
    except DomainError as refusal:
        return Verdict(member, "", refusal=str(refusal))
    return Verdict(member, act.said(member), is_same)


def _done(act: Act, verdict: Verdict) -> Result:
    if verdict.refusal:
        return Result(verdict.member, verdict.refusal, is_done=False)
    try:
        act.run(verdict.member)
    except DomainError as refusal:
        return Result(verdict.member, str(refusal), is_done=False)
    return Result(verdict.member, verdict.said)


def _sentence(first: str, *more: str) -> str:
    return "; ".join([first, *filter(None, more)])
