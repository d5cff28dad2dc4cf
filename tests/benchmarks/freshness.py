"""Whether a right that was taken away in one process is still seen in another."""

import multiprocessing
import random
from collections.abc import Callable
from multiprocessing.connection import Connection

from rich.progress import track

from apps.access import gate
from apps.access.actions import Action
from apps.access.actors import SystemActor, UserActor
from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.accounts.models import User
from apps.memberships import operations as memberships
from apps.memberships.models import OrganizationMembership, WorkspaceMembership
from apps.workspaces.models import Workspace
from tests.benchmarks.databases import connect, using

ASKED = Action.PROMPTS_DELETE  # which managers hold, and members do not
BENCHMARK = SystemActor(reason="the benchmarks", actions=Action)
Way = tuple[Callable[[WorkspaceMembership], object], Callable[[WorkspaceMembership], object]]


Act = Callable[[WorkspaceMembership], object]


def stale(url: str, rounds: int) -> int:
    """How often another process, asked right after, did not see that a right had been taken or given back."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    other = spawn.Process(target=_decide, args=(url, theirs), daemon=True)
    other.start()
    seen_late = 0
    with using(connect(url)):
        managers = _managers()
        for number in track(range(rounds), description="revocations", transient=True):
            seat, (take, give_back) = random.choice(managers), WAYS[number % len(WAYS)]
            take(seat)
            seen_late += _ask(ours, seat)
            give_back(seat)
            seen_late += not _ask(ours, seat)
    ours.send(None)
    other.join()
    return seen_late


def _decide(url: str, asked: Connection) -> None:
    """The other process: decides for each person and workspace it is asked about, as a request would."""
    with using(connect(url)):
        while pair := asked.recv():
            user = User.objects.get(pk=pair[0])
            workspace = Workspace.objects.select_related("organization").get(pk=pair[1])
            asked.send(gate.may(UserActor(user), ASKED, workspace))


def _ask(other: Connection, seat: WorkspaceMembership) -> bool:
    other.send((seat.membership.user_id, seat.workspace_id))
    return bool(other.recv())


def _managers() -> list[WorkspaceMembership]:
    """Who holds the right through their seat alone."""
    seats = WorkspaceMembership.objects.filter(role=WorkspaceRole.MANAGER, membership__role=OrganizationRole.MEMBER)
    active = seats.filter(membership__status=OrganizationMembership.Status.ACTIVE)
    return list(active.select_related("workspace__organization", "membership__organization").order_by("?")[:50])


def _row(seat: WorkspaceMembership) -> WorkspaceMembership:
    return WorkspaceMembership.objects.get(workspace=seat.workspace, membership=seat.membership)


def _remove(seat: WorkspaceMembership) -> None:
    memberships.remove_from_workspace(_row(seat), by=BENCHMARK)


def _add(seat: WorkspaceMembership) -> None:
    memberships.add_to_workspace(seat.workspace, seat.membership, WorkspaceRole.MANAGER, by=BENCHMARK)


def _lower(seat: WorkspaceMembership) -> None:
    memberships.change_workspace_role(_row(seat), WorkspaceRole.MEMBER, by=BENCHMARK)


def _raise(seat: WorkspaceMembership) -> None:
    memberships.change_workspace_role(_row(seat), WorkspaceRole.MANAGER, by=BENCHMARK)


def _suspend(seat: WorkspaceMembership) -> None:
    memberships.suspend(seat.membership, by=BENCHMARK)


def _reactivate(seat: WorkspaceMembership) -> None:
    memberships.reactivate(seat.membership, by=BENCHMARK)


WAYS: list[tuple[Act, Act]] = [(_remove, _add), (_lower, _raise), (_suspend, _reactivate)]
