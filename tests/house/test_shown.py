"""Everything a reader is shown is allowed, everything hidden is refused, and no page asks the database much.

Each reader walks from home through every link there is, as a browser without scripts would; what they met is held
against the table of `test_surface`.
"""

from collections import Counter, deque
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import Resolver404, resolve

from apps.access.actors import UserActor
from apps.apikeys import operations as apikeys
from apps.apikeys import rotation
from apps.streams.models import Undelivered
from apps.workspaces import operations as workspaces
from tests.house.test_surface import PAGES, PEOPLE, lines, streamed
from tests.world import World

QUERIES, RECORDING = 8, 6
OF_EACH_KIND = 4
READERS = ("owner", "admin", "manager", "member", "bystander")
# Reached from letters, from other pages' forms by scripts, or from outside; never by a link on a page.
NOT_BY_A_LINK: set[tuple[str, str]] = {
    ("memberships:link", "get"),
    ("memberships:check", "get"),  # whoever reloads the answer to a form is led back to the form
    ("memberships:together", "get"),
    ("apikeys:together", "post"),  # under a list of keys, which who has none has not
    ("accounts:language", "post"),  # on the pages of those who are not signed in
    ("onboarding:close", "post"),  # behind the question whether it is still them
    ("onboarding:delete", "post"),
}
# The table speaks of a colleague's key; everybody may see, rotate and end their own (P5).
OF_ONES_OWN = {("apikeys:key", "get")} | {
    (page, method) for page in ("apikeys:revoke", "apikeys:rotate") for method in ("get", "post")
}


class Links(HTMLParser):
    """Where one page leads: addresses to get, and forms to send."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page, self.get, self.post = page, [], []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.get.append(urljoin(self.page, given["href"]))
        if "hx-get" in given:
            self.get.append(urljoin(self.page, given["hx-get"]))
        if tag == "form":
            to = urljoin(self.page, given.get("action", ""))
            (self.post if given.get("method", "").lower() == "post" else self.get).append(to)
        for name in ("formaction", "hx-post"):
            if name in given:
                self.post.append(urljoin(self.page, given[name]))


@dataclass
class Walk:
    """What somebody met on their way."""

    browser: Client
    of_each_kind: int = OF_EACH_KIND
    shown: set[tuple[str, str]] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    costly: list[str] = field(default_factory=list)
    visited: list[str] = field(default_factory=list)
    _met: Counter = field(default_factory=Counter)

    def from_(self, *starts: str) -> "Walk":
        waiting = deque(starts)
        while waiting:
            page = waiting.popleft()
            links = self._open(page)
            for to in links.get:
                name = _view(to)
                if name:
                    self.shown.add((name, "get"))
                    kind = kind_of(to)
                    seen = (kind, urlsplit(to).path)
                    if not self._met[seen] and self._met[kind] < self.of_each_kind:
                        self._met[seen] = 1
                        self._met[kind] += 1
                        waiting.append(to)
            self.shown |= {(name, "post") for to in links.post if (name := _view(to))}
        return self

    def _open(self, page: str) -> Links:
        with CaptureQueriesContext(connection) as asked:
            answer = self.browser.get(page)
        if answer.status_code >= 400:
            self.refused.append(f"{answer.status_code} {page}")
        # A file that is taken home is written down first.
        if len(asked) > QUERIES + _session(asked) + (RECORDING if answer.streaming else 0):
            self.costly.append(f"{len(asked)} queries: {page}")
        links = Links(page)
        if answer.get("Content-Type", "").startswith("text/html") and not answer.streaming:
            self.visited.append(page)
            links.feed(answer.content.decode())
        return links


def _session(asked: Any) -> int:
    """What belongs to no page: savepoints, and the presence that is noted once in a quarter of an hour."""
    # What PostgreSQL keeps a plan for has no text of its own here.
    return sum((query["sql"] or "").startswith(("SAVEPOINT", "RELEASE", "UPDATE", "BEGIN")) for query in asked)


def kind_of(address: str) -> tuple[str, frozenset[str]]:
    """Which page it is, whatever it is about, and what the address asks of it."""
    return _view(address), frozenset(parse_qs(urlsplit(address).query))


def _view(address: str) -> str:
    parts = urlsplit(address)
    if parts.netloc or not parts.path.startswith("/"):
        return ""
    try:
        found = resolve(parts.path)
    except Resolver404:
        return ""
    module = getattr(getattr(found.func, "view_class", None), "__module__", "")
    if not module.startswith("apps."):
        return ""
    return found.view_name


@pytest.fixture
def walked(world: World, sign_in: Any) -> Any:
    acme = world.acme
    workspaces.archive(acme.other_workspace, by=UserActor(acme.owner))
    apikeys.disable(acme.workspace_key, by=UserActor(acme.owner))
    rotated = apikeys.issue(
        acme.workspace,
        name="two secrets",
        scopes=["logs.view"],
        usage_limits={"credit_limit": 5},
        by=UserActor(acme.owner),
    ).key
    rotation.rotate(rotated, by=UserActor(acme.owner))
    streamed(acme, status="paused")
    stream = streamed(acme)
    Undelivered.objects.create(organization=acme.organization, stream=stream, sequence=1, attempts=12, error="500")

    def walk(reader: str) -> Walk:
        return Walk(sign_in(acme[reader])).from_("/", f"/o/{acme.organization.slug}/")

    return walk


@pytest.mark.parametrize("reader", READERS)
def test_what_is_shown_is_allowed_and_what_is_hidden_is_refused(walked: Any, reader: str) -> None:
    walk = walked(reader)
    allowed = {
        (name, method) for name, method, who, verdict in lines(PAGES, PEOPLE) if (who, verdict) == (reader, "ok")
    }
    known = {(name, method) for name, method, *_ in lines(PAGES, PEOPLE)}
    assert walk.refused == []
    assert walk.costly == []
    assert sorted(walk.shown & known - allowed - OF_ONES_OWN) == [], "shown, though it would be refused"
    assert sorted(allowed - walk.shown - NOT_BY_A_LINK) == [], "allowed, though nothing leads there"
