"""The language in which the log is searched: read from what somebody types, written back, and turned into rows.

`actor:ana result:refused -action:api_key after:30d "two words"`: each part narrows further, a minus turns it round,
quotes hold together what has spaces. Free words are looked for in the names of who acted and of what it happened to.
"""

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from apps.audit import addresses, subjects, wire
from apps.audit.events import Event
from apps.audit.models import AuditEvent
from apps.audit.times import since, until
from apps.core.clock import now
from apps.core.errors import Invalid

FIELD: Final = "q"
TEXT: Final = 2_000  # characters of a search
PARTS: Final = 20
WINDOW: Final = "7d"  # what a reader sees who says nothing of time
START: Final = "start"  # `after:start`: everything there is
RESULTS: Final = {"done": "done", "ok": "done", "refused": "refused", "denied": "refused"}
DOORS: Final = ("page", "api", "admin", "command", "code")
NAMED: Final = ("", "actor", "person", "key", "target", "workspace")  # whose values may be what something is called
NAMES: Final = (*NAMED[1:], "action", "ip", "result", "door", "request", "after", "before")
_PART: Final = re.compile(r'\s*(-?+)(?:([A-Za-z_]+):)?+(?:"((?:[^"\\]|\\.)*)"|(?!")(\S*))', re.DOTALL)
_LIKE_A_NAME: Final = re.compile(r'[-"]|[A-Za-z_]+:')
_AGO: Final = re.compile(r"([0-9]{1,4})([hd])")
_TURNED: Final = {"after": "before", "before": "after"}
_FIRST_YEAR, _LAST_YEAR = 1971, 9000


@dataclass(frozen=True)
class Term:
    """One part of a search: what it is about, where it is not a free word, and what it must be, or must not."""

    name: str
    value: str
    is_negated: bool = False

    def __str__(self) -> str:
        is_plain = self.value and '"' not in self.value and not re.search(r"\s", self.value)
        if not self.name and _LIKE_A_NAME.match(self.value):
            is_plain = False
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"')
        value = self.value if is_plain else f'"{escaped}"'
        return f"{'-' if self.is_negated else ''}{f'{self.name}:' if self.name else ''}{value}"


@dataclass(frozen=True)
class Query:
    """A search, part by part. `str` of it is what the address says, and reads back to the same."""

    terms: tuple[Term, ...] = ()

    def __str__(self) -> str:
        return " ".join(map(str, self.terms))

    def __bool__(self) -> bool:
        return bool(self.terms)

    @property
    def is_timed(self) -> bool:
        return any(term.name in {"after", "before"} for term in self.terms)

    def one(self, name: str) -> str:
        """The value of the only part of this name; empty where there is none, or more to say."""
        found = [term for term in self.terms if term.name == name]
        return found[0].value if len(found) == 1 and not found[0].is_negated else ""

    def without(self, *terms: Term) -> "Query":
        return Query(tuple(term for term in self.terms if term not in terms))

    def having(self, name: str, value: str) -> "Query":
        """The same with this in place of all parts of the name; an empty value takes them away."""
        gone = {"after", "before"} if name == "after" else {name}
        rest = tuple(term for term in self.terms if term.name not in gone)
        return Query((*rest, Term(name, value)) if value else rest)

    def unnamed(self) -> "Query":
        """The same without names and addresses, as a line of the log may keep it for ever."""
        hidden = {*NAMED, "ip", "request"}
        told = (
            Term(term.name, "…", term.is_negated) if term.name in hidden and not subjects.as_id(term.value) else term
            for term in self.terms
        )
        return Query(tuple(dict.fromkeys(told)))


def parse(text: str) -> Query:
    """Reads a search. Raises Invalid, with a sentence for the box, for what it cannot be read as."""
    if len(text) > TEXT:
        raise _wrong(_("A search has at most %(most)d characters.") % {"most": TEXT})
    terms = tuple(dict.fromkeys(_terms(text.replace("\0", " ").strip())))
    if len(terms) > PARTS:
        raise _wrong(_("A search has at most %(most)d parts.") % {"most": PARTS})
    return Query(terms)


def find(
    rows: QuerySet[AuditEvent],
    query: Query,
    *,
    chain: uuid.UUID,
    window: str = "",
    moment: datetime | None = None,
) -> QuerySet[AuditEvent]:
    """The lines of one chain that pass every part of a search, in the order of `rows`. One query for all its words.

    Arguments: `window` is the `after:` of a search that says nothing of time; `moment` is when now is. Raises Invalid
    for words that begin the names of too many things.
    """
    asked = Query((*query.terms, Term("after", window))) if window and not query.is_timed else query
    moment = moment or now()
    words = [(term.value, term.name == "workspace") for term in asked.terms if term.name in NAMED]
    found = subjects.find(words, chain)
    rows = rows.filter(chain=chain)
    for term in asked.terms:
        rows = rows.filter(_condition(term, found.get(term.value, frozenset()), chain, moment))
    return rows


def events(value: str) -> list[Event]:
    """The events that an `action:` names: one, those of a group, or those that begin so."""
    group = [event for event in Event if value in {event.value, event.value.partition(".")[0]}]
    return group or [event for event in Event if event.value.startswith(value)]


def _terms(text: str) -> Iterator[Term]:
    at = 0
    while at < len(text):
        part = _PART.match(text, at)
        if part is None:
            raise _wrong(_("A quotation mark has no other to close it."))
        at = part.end()
        sign, name, quoted, bare = part.groups()
        value = " ".join((re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL) if quoted is not None else bare).split())
        if name or value:
            yield _term((name or "").lower(), value, is_negated=bool(sign))


def _term(name: str, value: str, *, is_negated: bool) -> Term:
    if name and name not in NAMES:
        message = _("“%(name)s:” is not known. Known are %(names)s; in quotation marks it is text.")
        raise _wrong(message % {"name": name, "names": " ".join(f"{each}:" for each in NAMES)})
    if not value:
        raise _wrong(_("Say what “%(name)s:” must be.") % {"name": name})
    if is_negated and name in _TURNED:
        name, is_negated = _TURNED[name], False
    return Term(name, _READ[name](value) if name in _READ else value, is_negated)


def _result(value: str) -> str:
    if value.lower() not in RESULTS:
        raise _wrong(_("A result is “done” or “refused”."))
    return RESULTS[value.lower()]


def _door(value: str) -> str:
    if value.lower() not in DOORS:
        raise _wrong(_("A door is one of %(doors)s.") % {"doors": ", ".join(DOORS)})
    return value.lower()


def _action(value: str) -> str:
    if not events(value.lower()) and value.lower() not in _VERBS:
        message = _("No action begins with “%(value)s”. There is api_key, api_key.rotated or create, among others.")
        raise _wrong(message % {"value": value})
    return value.lower()


def _address(value: str) -> str:
    found = addresses.read(value)
    if not found:
        message = _("“%(value)s” is no IP address. 10.0.0.1, 10.0. and 10.0.0.0/16 are read.")
        raise _wrong(message % {"value": value})
    return found


def _request(value: str) -> str:
    return value[:64]


def _time(value: str) -> str:
    ago = value.lower()
    if ago == START or _AGO.fullmatch(ago):
        return ago
    _instant(value, now())
    return value.upper()


_VERBS: Final = frozenset(verb.casefold() for verb in wire.ACTIONS)
_READ: Final[dict[str, Callable[[str], str]]] = {
    "result": _result,
    "door": _door,
    "action": _action,
    "ip": _address,
    "request": _request,
    "after": _time,
    "before": _time,
}


def _instant(value: str, moment: datetime) -> datetime | None:
    """The instant that an `after:` or `before:` means; None where it is the start of everything. Raises Invalid."""
    if value == START:
        return None
    if ago := _AGO.fullmatch(value):
        return moment - timedelta(**{"hours" if ago[2] == "h" else "days": int(ago[1])})
    try:
        day = parse_date(value)
        found = datetime.combine(day, time.min) if day else parse_datetime(value)
    except ValueError:
        found = None
    if found is None or not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        message = _("“%(value)s” is no time. 2026-11-22, 2026-11-22T14:00, 24h, 7d and start are read.")
        raise _wrong(message % {"value": value})
    # In UTC, because a database may know no such zone as somebody writes.
    return (found if timezone.is_aware(found) else timezone.make_aware(found)).astimezone(UTC)


def _condition(term: Term, found: frozenset[str], chain: uuid.UUID, moment: datetime) -> Q:
    if term.name in {"after", "before"}:
        instant = _instant(term.value, moment)
        if term.name == "after":
            return since(instant, chain) if instant else Q()
        return until(instant, chain) if instant else Q(pk__in=[])
    if term.name in NAMED:
        return _about(term, found)
    condition = addresses.among(term.value, chain) if term.name == "ip" else _PLAIN[term.name](term.value)
    return ~condition if term.is_negated else condition


def _about(term: Term, found: frozenset[str]) -> Q:
    """Lines of who or what the words mean."""
    ids = [uuid.UUID(each) for each in found if subjects.as_id(each)]
    acted, suffered, told = Q(actor_id__in=ids), Q(target_id__in=found), Q(person_id__in=ids)
    conditions = {
        "": acted | suffered | told,
        "actor": acted,
        "person": Q(actor_kind="person", actor_id__in=ids) | told,
        "key": Q(actor_kind="key", actor_id__in=ids),
        "target": suffered,
        "workspace": Q(workspace_id__in=ids),
    }
    return ~conditions[term.name] if term.is_negated else conditions[term.name]


def _of_action(value: str) -> Q:
    return wire.in_words(None, value) if value in _VERBS else Q(event__in=events(value))


_PLAIN: Final[dict[str, Callable[[str], Q]]] = {
    "result": lambda value: Q(status=value),
    "door": lambda value: Q(door=value),
    "request": lambda value: Q(request_id=value),
    "action": _of_action,
}


def _wrong(message: str) -> Invalid:
    return Invalid({FIELD: message})
