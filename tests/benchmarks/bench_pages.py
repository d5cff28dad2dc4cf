"""Goals 2, 3 and 7: a page costs the same with ten rows and with a hundred thousand, at its beginning and far in.

uv run python -m tests.benchmarks.bench_pages --small postgres:///bench_small --large postgres:///bench_large
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

from django.db.models import QuerySet
from django.http import HttpResponse
from django.test import Client

from apps.access.scopes import KeyType, every_scope
from apps.apikeys import operations as apikeys
from apps.memberships.models import OrganizationMembership
from apps.organizations.models import Organization
from apps.tenancy import keyset
from apps.tenancy.pagination import NUMBERS, SIZES
from tests.benchmarks.databases import Database, using
from tests.benchmarks.fill import LARGE, SMALL
from tests.benchmarks.freshness import BENCHMARK
from tests.benchmarks.measuring import Results, Setting, Verdict, Way, arguments, databases, judge, race, tell

FAR = 1000
MEMBERS, WORKSPACES = "members, to an owner", "workspaces, to an owner"
THEIRS, FEW = "workspaces, to one with 1 % of all", "workspaces, to one with 4"
USERS, PLACES, KEYS = "/v1/admin/users", "/v1/admin/workspaces", "/v1/api-keys"
USUAL = "sort=-joined"
# The list of members as it is sorted, searched and narrowed.
ASKED = (
    *(USUAL, "sort=joined", "sort=name", "sort=-email", "sort=role", "sort=-seen", "sort=seen", "size=100"),
    *("q=person", "q=person+of", "q=person1", "q=nobody", "q=person&sort=name", "q=person&sort=-seen"),
    *("role=owner", "role=member", "status=suspended", "status=active", "workspace=ws-worksp-000001"),
    *("factor=yes", "factor=no", "inactive=90", "role=member&factor=no&sort=name", "status=suspended&sort=name"),
)


Shown = dict[str, dict[str, int]]  # {setting: {asked: rows on the page}}


@dataclass(frozen=True)
class Visitor:
    """An organization as its owner sees it, the person with most memberships, another one, and a key for everything."""

    slug: str
    owner: Client
    heavy: Client
    member: Client
    key: Client
    far_in: dict[str, str]  # the bookmarks of page 1 000


def main() -> None:
    given = arguments(__doc__ or "", rounds=40)
    logging.disable()  # a line a request, in the middle of the figures
    small, large = databases(given)
    settings = {"small": _setting(small, LARGE), "large": _setting(large, LARGE), "ten": _setting(large, SMALL)}
    first = race("first pages", FIRST, settings, given.rounds)
    far = race("pages far in", [*FIRST, *FAR_IN.values()], {"large": settings["large"]}, given.rounds)
    lists = race("lists of members", LISTS, {name: settings[name] for name in ("small", "large")}, given.rounds)
    shown = {name: _numbers_shown(settings[name]) for name in ("small", "large")}
    _show(first, far)
    _show_lists(lists, shown)
    judge([*_verdicts(first, far), *_verdicts_on_lists(lists, shown)])


def _show(first: Results, far: Results) -> None:
    rows = []
    for name, *_ in FIRST:
        counted = [first.queries[setting, name] for setting in ("ten", "large")]
        timed = [first.milliseconds(setting, name) for setting in ("small", "large")]
        depth = far.over("large", FAR_IN[name].name, name) if name in FAR_IN else "-"
        rows.append([name, *counted, *timed, first.growth(name), depth])
    headings = ("a page of 50", "queries, 10 rows", "many", "ms, small", "ms, large", "large / small", "page 1 000 / 1")
    tell("In an organization of 100 people and in one of 100 000", headings, rows)


def _show_lists(lists: Results, shown: Shown) -> None:
    rows = []
    for asked in ASKED:
        timed = [lists.milliseconds(setting, asked) for setting in ("small", "large")]
        numbers = " / ".join(str(shown[setting][asked]) for setting in ("small", "large"))
        rows.append([asked, lists.queries["large", asked], numbers, *timed, _growth(lists, shown, asked)])
    headings = ("asked for", "queries", "rows, small / large", "ms, small", "ms, large", "large / small")
    caption = f"Where the small page is the emptier one, the large is compared with the small page of {USUAL}."
    tell("The list of members", headings, rows, caption)


def _verdicts_on_lists(lists: Results, shown: Shown) -> Iterator[Verdict]:
    yield Verdict("lists of members: queries", max(lists.queries["large", asked] for asked in ASKED), 8, "")
    for asked in ASKED:
        yield Verdict(f"members, {asked}: large against small", _growth(lists, shown, asked), 1.5)


def _growth(lists: Results, shown: Shown, asked: str) -> float:
    """Only equal pages compare: where few of a hundred match, the small page is nearly empty."""
    is_emptier = shown["small"][asked] < shown["large"][asked]
    return lists.growth(asked, beside=USUAL if is_emptier else "")


def _numbers_shown(setting: Setting) -> dict[str, int]:
    with using(setting.database):
        visitor = setting.subject()
        pages = {asked: visitor.owner.get(_list_address(visitor, asked)).content for asked in ASKED}
    return {asked: max(content.count(b"<tr") - 1, 0) for asked, content in pages.items()}


def _verdicts(first: Results, far: Results) -> Iterator[Verdict]:
    for name in (MEMBERS, WORKSPACES, THEIRS, FEW, USERS, PLACES, KEYS):
        few, many = (first.queries[setting, name] for setting in ("ten", "large"))
        yield Verdict(f"{name}: queries", max(few, many), 8, "")
        yield Verdict(f"{name}: queries more than with 10 rows", abs(many - few), 0, "")
        bound = 1.2 if name in {WORKSPACES, THEIRS, FEW} else 1.5
        yield Verdict(f"{name}: large against small", first.growth(name), bound)
    for name in (MEMBERS, WORKSPACES):
        yield Verdict(f"{name}: page 1 000 against page 1", far.over("large", FAR_IN[name].name, name), 1.5)


def _setting(database: Database, slug: str) -> Setting:
    with using(database):
        organization = Organization.objects.get(slug=slug)
        people = OrganizationMembership.objects.filter(organization=organization).select_related("user")
        owner, _, heavy, member = (_signed_in(person) for person in people.order_by("pk")[:4])
        bookmarks = {MEMBERS: _bookmark(people), WORKSPACES: _bookmark(organization.workspaces.all())}
        visitor = Visitor(slug, owner, heavy, member, _with_key(organization), bookmarks)
    return Setting(database, lambda: visitor)


def _signed_in(member: OrganizationMembership) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


def _with_key(organization: Organization) -> Client:
    scopes = every_scope(KeyType.ORGANIZATION)
    made = apikeys.issue(organization, name="Benchmark", scopes=scopes, by=BENCHMARK)
    return Client(headers={"x-portkey-api-key": made.secret.clear})


def _bookmark(rows: QuerySet[Any]) -> str:
    """How the page before page 1 000 ends; nothing, where there are fewer."""
    before = (FAR - 1) * keyset.SIZE
    return keyset._mark(list(keyset.NEWEST_FIRST.applied(rows)[before - 1 : before])) or ""


def _page(name: str, path: str, *, by: str = "owner") -> Way:
    return Way(name, lambda visitor: _shown(getattr(visitor, by).get(f"/o/{visitor.slug}/{path}/")))


def _list(asked: str) -> Way:
    return Way(asked, lambda visitor: _shown(visitor.owner.get(_list_address(visitor, asked))))


def _list_address(visitor: Visitor, asked: str) -> str:
    return f"/o/{visitor.slug}/members/?{asked}"


def _page_far_in(name: str, path: str) -> Way:
    def run(visitor: Visitor) -> int:
        return _shown(visitor.owner.get(f"/o/{visitor.slug}/{path}/", {keyset.OLDER: visitor.far_in[name]}))

    return Way(f"{name}, far in", run)


def _call(path: str, number: int = 0) -> Way:
    asked = {SIZES[0]: keyset.SIZE, NUMBERS[0]: number}
    return Way(path if number == 0 else f"{path}, far in", lambda visitor: _shown(visitor.key.get(path, asked)))


def _call_uncounted(path: str) -> Way:
    """The same without the wire's exact total, which alone grows with the rows: to tell the two apart."""
    call = _call(path)

    def run(visitor: Visitor) -> int:
        with mock.patch.object(QuerySet, "count", lambda rows: FAR * keyset.SIZE):
            return int(call.run(visitor))

    return Way(f"{path}, uncounted", run)


def _shown(response: HttpResponse) -> int:
    if response.status_code != 200:
        raise SystemExit(f"{response.status_code}: {response.content[:500]!r}")
    return response.status_code


FIRST = [
    _page(MEMBERS, "members"),
    _page(WORKSPACES, "workspaces"),
    _page(THEIRS, "workspaces", by="heavy"),
    _page(FEW, "workspaces", by="member"),
    *(call(path) for path in (USERS, PLACES, KEYS) for call in (_call, _call_uncounted)),
]
LISTS = [_list(asked) for asked in ASKED]
FAR_IN = {
    MEMBERS: _page_far_in(MEMBERS, "members"),
    WORKSPACES: _page_far_in(WORKSPACES, "workspaces"),
    **{path: _call(path, FAR - 1) for path in (USERS, PLACES, KEYS)},
}


if __name__ == "__main__":
    main()
