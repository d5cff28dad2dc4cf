"""Goal 1: one query a request decides, at any size; what is decided again is free; nothing revoked is seen again.

uv run python -m tests.benchmarks.bench_decisions --small postgres:///bench_small --large postgres:///bench_large
"""

import random
from collections.abc import Callable
from typing import Any, NamedTuple

from django.db import connection
from guardian.backends import ObjectPermissionBackend
from guardian.core import ObjectPermissionChecker  # noqa: TID251 (the peer that is measured)

from apps.access import gate
from apps.access.actions import Action
from apps.access.actors import UserActor
from apps.access.roles import OrganizationRole
from apps.access.rows import permission_ids
from apps.accounts.models import User
from apps.memberships.models import OrganizationMembership, WorkspaceMembership
from apps.workspaces.models import Workspace, WorkspaceGroupPermission
from tests.benchmarks import freshness
from tests.benchmarks.databases import Database, using
from tests.benchmarks.fill import LARGE
from tests.benchmarks.measuring import Results, Setting, Verdict, Way, arguments, databases, judge, race, tell

BUTTONS = (Action.PROMPTS_CREATE, Action.PROMPTS_PUBLISH, Action.WORKSPACES_UPDATE)
REVOCATIONS = 400
FLOOR, FIRST, LATER = "one SQL join, by hand", "ours, first in a request", "ours, later in the request"
STOCK, PREFETCH, PAGE = "guardian, user.has_perm", "guardian, prefetch_perms", "ours, actor.look_at"
InGroup, Grant = (model._meta.db_table for model in (User.groups.through, WorkspaceGroupPermission))


class Question(NamedTuple):
    """Who, where, and what."""

    user: User
    workspaces: list[Workspace]
    actions: tuple[Action, ...]

    @property
    def pairs(self) -> list[tuple[Workspace, Action]]:
        return [(workspace, action) for workspace in self.workspaces for action in self.actions]


def main() -> None:
    given = arguments(__doc__ or "", rounds=1000)
    small, large = databases(given)

    def run(title: str, ways: list[Way], questions: Callable[[], Callable[[], Question]], rounds: int) -> Results:
        settings = {name: _setting(database, questions) for name, database in (("small", small), ("large", large))}
        results = race(title, ways, settings, rounds)
        _show(title, results)
        return results

    ordinary = run("One decision in a workspace, for an ordinary person", DECISIONS, _ordinary, given.rounds)
    heavy = run("The same, for a person with 1 % of all memberships", DECISIONS, _heavy, given.rounds // 2)
    page = run("50 workspaces with 3 buttons each, for that person", PAGES, _page, max(given.rounds // 20, 20))
    stale = freshness.stale(given.large, REVOCATIONS)
    judge(_verdicts(ordinary, heavy, page, stale, bound=5 if given.prepared else 6))


def _setting(database: Database, questions: Callable[[], Callable[[], Question]]) -> Setting:
    with using(database):
        return Setting(database, questions())


def _show(title: str, results: Results) -> None:
    headings = ("", "queries", "ms, small", "x floor", "ms, large", "x floor", "large / small")
    rows = []
    for name, *_ in results.ways:
        cells: list[object] = [name, results.queries["large", name]]
        for setting in ("small", "large"):
            cells += [results.milliseconds(setting, name), results.over(setting, name, FLOOR)]
        rows.append([*cells, results.growth(name)])
    tell(title, headings, rows, caption=f"Answers that differ: {results.disagreements}")


def _verdicts(ordinary: Results, heavy: Results, page: Results, stale: int, bound: float) -> list[Verdict]:
    both = ordinary, heavy
    first = max(results.over(setting, FIRST, FLOOR) for results in both for setting in ("small", "large"))
    later = max(results.milliseconds(setting, LATER) for results in both for setting in ("small", "large"))
    return [
        Verdict("first decision, against the join by hand", first, bound),
        Verdict("later decisions", later * 1000, 10, "µs"),
        Verdict("first decision at 1 000 000 memberships, against 1 000", ordinary.growth(FIRST), 1.5),
        Verdict("the same, for a person with 1 % of all memberships", heavy.growth(FIRST), 1.5),
        Verdict("50 workspaces with 3 buttons each, likewise", page.growth(PAGE), 1.5),
        Verdict("queries of a first decision", ordinary.queries["large", FIRST], 1, ""),
        Verdict("queries of 50 workspaces with 3 buttons each", page.queries["large", PAGE], 1, ""),
        Verdict(f"stale answers in another process, after {REVOCATIONS} revocations", stale, 0, ""),
        Verdict("answers that differ between the ways", sum(each.disagreements for each in (*both, page)), 0, ""),
    ]


def _by_hand(question: Question) -> list[bool]:
    """What somebody would write who knew that the answer lies in two tables: no roles, no organization."""
    permissions = permission_ids(Workspace)
    wanted = [permissions[action] for action in question.actions]
    ids = [workspace.pk for workspace in question.workspaces]
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT content_object_id, permission_id FROM "{InGroup}" JOIN "{Grant}" USING (group_id) '
            f"WHERE user_id = %s AND content_object_id IN ({_places(ids)}) AND permission_id IN ({_places(wanted)})",
            [question.user.pk, *ids, *wanted],
        )
        held = set(cursor.fetchall())
    return [(workspace.pk, permissions[action]) in held for workspace, action in question.pairs]


def _places(values: list[Any]) -> str:
    return ", ".join(["%s"] * len(values))


def _ours(question: Question) -> list[bool]:
    return _asked_again((UserActor(question.user), question.pairs))


def _ours_on_a_page(question: Question) -> list[bool]:
    actor = UserActor(question.user)
    actor.look_at(question.workspaces)
    return _asked_again((actor, question.pairs))


def _asked_before(question: Question) -> tuple[UserActor, list[tuple[Workspace, Action]]]:
    actor = UserActor(question.user)
    actor.look_at(question.workspaces)
    return actor, question.pairs


def _asked_again(asked: tuple[UserActor, list[tuple[Workspace, Action]]]) -> list[bool]:
    actor, pairs = asked
    return [gate.may(actor, action, workspace) for workspace, action in pairs]


def _stock(question: Question) -> list[bool]:
    backend = ObjectPermissionBackend()
    return [
        backend.has_perm(question.user, f"workspaces.{action.codename}", workspace)
        for workspace, action in question.pairs
    ]


def _prefetched(question: Question) -> list[bool]:
    checker = ObjectPermissionChecker(question.user)
    checker.prefetch_perms(question.workspaces)
    return [checker.has_perm(action.codename, workspace) for workspace, action in question.pairs]


DECISIONS = [Way(FLOOR, _by_hand), Way(FIRST, _ours), Way(LATER, _asked_again, _asked_before), Way(STOCK, _stock)]
PAGES = [Way(FLOOR, _by_hand), Way(PAGE, _ours_on_a_page), Way(PREFETCH, _prefetched), Way(STOCK, _stock)]


def _ordinary() -> Callable[[], Question]:
    seats = WorkspaceMembership.objects.select_related("workspace__organization", "membership__user")
    # Owners and admins reach into workspaces through the organization, where the join by hand does not look.
    people = seats.filter(membership__role=OrganizationRole.MEMBER).exclude(membership__user=_heavy_person())
    drawn = list(people.order_by("?")[:500])
    return lambda: _about(drawn)


def _about(seats: list[WorkspaceMembership]) -> Question:
    seat = random.choice(seats)
    return Question(seat.membership.user, [seat.workspace], (random.choice(BUTTONS),))


def _heavy() -> Callable[[], Question]:
    person, workspaces = _heavy_person(), _their_workspaces()
    return lambda: Question(person, [random.choice(workspaces)], (random.choice(BUTTONS),))


def _page() -> Callable[[], Question]:
    person, workspaces = _heavy_person(), _their_workspaces()
    return lambda: Question(person, random.sample(workspaces, 50), BUTTONS)


def _heavy_person() -> User:
    members = OrganizationMembership.objects.filter(organization__slug=LARGE).select_related("user")
    return members.order_by("pk")[2].user


def _their_workspaces() -> list[Workspace]:
    return list(Workspace.objects.joined_by(_heavy_person().pk).select_related("organization").order_by("?")[:500])


if __name__ == "__main__":
    main()
