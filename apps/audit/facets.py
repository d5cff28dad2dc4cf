"""The search in dropdowns and chips: both say what the search says, and write it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from apps.audit import search
from apps.audit.search import Query, Term

Choices = list[tuple[str, Any]]
SHOWN: Final = "shown"  # the field that says which search the dropdowns were drawn for
TIME: Final = "time"
RESULTS: Final[Choices] = [("done", pgettext_lazy("result", "Done")), ("refused", gettext_lazy("Refused"))]
GROUPS: Final[Choices] = [
    ("access", gettext_lazy("Refusals")),
    ("organization", gettext_lazy("Organization")),
    ("workspace", gettext_lazy("Workspaces")),
    ("membership", gettext_lazy("Members")),
    ("workspace_membership", gettext_lazy("Teams")),
    ("invitation", gettext_lazy("Invitations")),
    ("api_key", gettext_lazy("API keys")),
    ("key_policy", gettext_lazy("Key policy")),
    ("credentials", gettext_lazy("Keys not let in")),
    ("call", gettext_lazy("Calls too often")),
    ("members", gettext_lazy("Lists of members")),
    ("audit_log", gettext_lazy("Audit log")),
    ("stream", gettext_lazy("Audit streams")),
    ("roles", gettext_lazy("Roles")),
]
DOORS: Final[Choices] = [
    ("page", gettext_lazy("Pages")),
    ("api", gettext_lazy("API")),
    ("admin", gettext_lazy("Console")),
    ("command", gettext_lazy("Commands")),
    ("code", gettext_lazy("Jobs")),
]
TIMES: Final[Choices] = [
    ("24h", gettext_lazy("Last 24 hours")),
    ("30d", gettext_lazy("Last 30 days")),
    ("90d", gettext_lazy("Last 90 days")),
    (search.START, gettext_lazy("All time")),
]
_LABELS: Final[Mapping[str, Promise]] = {
    "": pgettext_lazy("audit filter", "Name"),
    "actor": pgettext_lazy("audit filter", "By"),
    "person": pgettext_lazy("audit filter", "By or about"),
    "key": pgettext_lazy("audit filter", "By the key"),
    "target": pgettext_lazy("audit filter", "About"),
    "workspace": pgettext_lazy("audit filter", "Workspace"),
    "action": pgettext_lazy("audit filter", "Action"),
    "ip": pgettext_lazy("audit filter", "Address"),
    "result": pgettext_lazy("audit filter", "Result"),
    "door": pgettext_lazy("audit filter", "Door"),
    "request": pgettext_lazy("audit filter", "Request"),
    "after": pgettext_lazy("audit filter", "After"),
    "before": pgettext_lazy("audit filter", "Before"),
}


class Facet(NamedTuple):
    """One dropdown: the part of the search that it writes, and what that is now."""

    name: str
    label: str
    every: str
    choices: Choices
    value: str

    @property
    def is_other(self) -> bool:
        """Whether the search says something that is not among the choices."""
        return bool(self.value) and self.value not in dict(self.choices)


class Chip(NamedTuple):
    """One part of the search that is at work: how it is said, and the search without it."""

    said: str
    without: str


def facets(query: Query, places: Mapping[str, str]) -> list[Facet]:
    """The dropdowns, as this search has them. Arguments: `places` are the workspaces by slug."""
    return [
        Facet(TIME, _("Time"), _("Last 7 days"), TIMES, _time(query)),
        Facet("result", _("Result"), _("Any result"), RESULTS, query.one("result")),
        Facet("action", _("Action"), _("Every action"), GROUPS, query.one("action")),
        Facet("workspace", _("Workspace"), _("Every workspace"), list(places.items()), query.one("workspace")),
        Facet("door", _("Door"), _("Any door"), DOORS, query.one("door")),
    ]


def written(text: str, given: Mapping[str, str]) -> Query:
    """The search in the box, changed by those dropdowns that were moved since they were drawn. Raises Invalid."""
    query, drawn = search.parse(text), search.parse(given.get(SHOWN, ""))
    for name, was in ((facet.name, facet.value) for facet in facets(drawn, {})):
        wanted = given.get(name, was)
        if wanted != was:
            query = query.having("after" if name == TIME else name, wanted)
    return search.parse(str(query))


def is_given(given: Mapping[str, str]) -> bool:
    """Whether the address says dropdowns and not only a search."""
    return any(name in given for name in (SHOWN, TIME, "result", "action", "workspace", "door"))


def address(home: str, text: str) -> str:
    """Where this search is."""
    return f"{home}?{urlencode({search.FIELD: text})}" if text else home


def chips(query: Query, called: Mapping[str, str]) -> Iterator[Chip]:
    """The parts of the search. Arguments: `called` is what some ids and slugs stand for."""
    for term in query.terms:
        yield Chip(_said(term, called), str(query.without(term)))


def wider(query: Query) -> list[tuple[str, Query]]:
    """What else could be looked through, where a search finds nothing: longer times than its own."""
    longer: Iterable[tuple[str, Any]] = [("30d", _("30 days")), (search.START, _("all time"))]
    now = _time(query)
    done = {"": 0, "24h": 0, "30d": 1, search.START: 2}.get(now, 1)
    return [(said, query.having("after", time)) for time, said in list(longer)[done:]]


def _time(query: Query) -> str:
    """The `after:` that stands alone; both together are another time than any of the choices."""
    both = [str(term) for term in query.terms if term.name in {"after", "before"}]
    return query.one("after") if len(both) < 2 and query.one("after") else " ".join(both)


def _said(term: Term, called: Mapping[str, str]) -> str:
    offered = {"result": RESULTS, "door": DOORS, "action": GROUPS, "after": TIMES}.get(term.name, [])
    value = str(dict(offered).get(term.value) or called.get(term.value) or term.value)
    if term.name == "after" and term.value in dict(TIMES):
        return value
    part = {"filter": _LABELS[term.name], "value": value}
    return _("%(filter)s: not %(value)s") % part if term.is_negated else _("%(filter)s: %(value)s") % part
