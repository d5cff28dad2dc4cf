"""Who uses a key, when, from where and for what: noted once the answer is out, and read by whoever wonders (AK-10).

A use is remembered in the process and written at most once a minute for each key, with all that was seen since then.
Only what is new is written at once: a caller or a scope that this process has not met. Rows of other tables are never
touched, and a lock that somebody holds is not waited for: what cannot be written now is written with the next use.
"""

import ipaddress
import re
import unicodedata
import uuid
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from threading import Lock
from typing import Any, Final, NamedTuple

import structlog
from django.db import connection, models, transaction

from apps.apikeys.models import AGENT_LENGTH, ROUTE_LENGTH, ApiKey, Caller, LastUse, ScopeUse
from apps.core.clock import now
from apps.organizations.models import Organization

EVERY: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
KEPT: Final = timedelta(days=30)
# New callers of one key within an hour: whoever invents addresses and names must not fill the table.
NEWCOMERS: Final = 200
# What one process remembers at most: of keys, and of callers of all of them.
MOST_KEYS, MOST_CALLERS = 10_000, 100_000
_LOCK_WAIT_MS: Final = 100
_PRODUCTS: Final = 2
_COMMENT: Final = re.compile(r"\([^()]*\)")
_IN_ROUTE: Final = re.compile(r"\(\?P<(\w+)>[^()]*\)|<(?:\w+:)?(\w+)>")

_log = structlog.get_logger(__name__)
Who = tuple[str, str]  # an address and a program


class Use(NamedTuple):
    """One call that a key was let in for; `scopes` are the actions it was asked for and allowed."""

    key_id: uuid.UUID
    organization_id: uuid.UUID
    at: datetime
    address: str
    agent: str
    route: str
    scopes: frozenset[str]

    @property
    def who(self) -> Who:
        return self.address, self.agent


class Entry(NamedTuple):
    """What is to be written: the newest use of a key, and whom and what was seen since it was written last."""

    use: Use
    callers: dict[Who, datetime]
    scopes: dict[str, datetime]
    newcomers: frozenset[Who]


@dataclass
class _Page:
    """What the process remembers of one key."""

    written_at: datetime | None = None
    known: "OrderedDict[Who, None]" = field(default_factory=OrderedDict)
    scopes: set[str] = field(default_factory=set)
    seen: dict[Who, datetime] = field(default_factory=dict)
    used: dict[str, datetime] = field(default_factory=dict)
    newcomers: set[Who] = field(default_factory=set)  # met since they were written last
    hour: datetime | None = None
    met: int = 0  # newcomers of this hour

    def see(self, use: Use) -> bool:
        """Takes a use in; answers whether it brings something that was not known."""
        is_new = not use.scopes <= self.scopes
        self.scopes |= use.scopes
        self.used |= dict.fromkeys(use.scopes, use.at)
        if use.who not in self.known:
            if not self._has_room(use.at):
                return is_new
            self.newcomers.add(use.who)
            is_new = True
        self.known[use.who] = None
        self.known.move_to_end(use.who)
        self.seen[use.who] = use.at
        while len(self.known) > NEWCOMERS:
            self.known.popitem(last=False)
        return is_new

    def is_due(self, at: datetime) -> bool:
        # A clock that was set back must not keep it from being written.
        return self.written_at is None or abs(at - self.written_at) >= EVERY

    def torn_off(self, use: Use) -> Entry:
        entry = Entry(use, self.seen, self.used, frozenset(self.newcomers))
        self.seen, self.used, self.newcomers, self.written_at = {}, {}, set(), use.at
        return entry

    def _has_room(self, at: datetime) -> bool:
        if self.hour is None or abs(at - self.hour) >= HOUR:
            self.hour, self.met = at, 0
        self.met += 1
        return self.met <= NEWCOMERS


class Notebook:
    """What this process remembers of the uses of keys, the keys that were used last at the end. Safe for threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pages: OrderedDict[uuid.UUID, _Page] = OrderedDict()
        self._callers = 0

    def take(self, use: Use) -> Entry | None:
        """Remembers a use; answers what is to be written now, which is nothing for most of them."""
        with self._lock:
            page = self._pages.setdefault(use.key_id, _Page())
            self._pages.move_to_end(use.key_id)
            before = len(page.known)
            is_new = page.see(use)
            self._callers += len(page.known) - before
            self._forget_the_oldest()
            return page.torn_off(use) if is_new or page.is_due(use.at) else None

    def lost(self, entry: Entry) -> None:
        """What could not be written waits for the next time."""
        with self._lock:
            if page := self._pages.get(entry.use.key_id):
                page.seen, page.used = entry.callers | page.seen, entry.scopes | page.used
                page.newcomers |= entry.newcomers

    def clear(self) -> None:
        with self._lock:
            self._pages.clear()
            self._callers = 0

    @property
    def size(self) -> tuple[int, int]:
        """How many keys and callers it remembers."""
        return len(self._pages), self._callers

    def _forget_the_oldest(self) -> None:
        while len(self._pages) > MOST_KEYS or (self._callers > MOST_CALLERS and len(self._pages) > 1):
            _, page = self._pages.popitem(last=False)
            self._callers -= len(page.known)


notebook: Final = Notebook()


def note(key: ApiKey, *, at: datetime, address: str, agent: str, route: str, scopes: Iterable[str]) -> None:
    """Notes that a key was used. Never raises: whoever called has been answered already."""
    use = Use(
        key.pk,
        key.organization_id,
        at,
        normal_address(address),
        program(agent),
        route[:ROUTE_LENGTH],
        frozenset(map(str, scopes)),
    )
    entry = notebook.take(use)
    if entry is None:
        return
    try:
        with _in_haste():
            _write(entry)
    except Exception:  # noqa: BLE001 (nothing that goes wrong here may reach a caller)
        notebook.lost(entry)
        _log.warning("api_key_use_not_noted", key=str(key.pk), exc_info=True)


@contextmanager
def _in_haste() -> Iterator[None]:
    """SQLite has one writer at a time, and a note does not queue for it as a request does."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {_LOCK_WAIT_MS}")
        try:
            yield
        finally:
            patience = connection.settings_dict["OPTIONS"].get("timeout", 5)
            cursor.execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")


@lru_cache(maxsize=1024)
def program(agent: str) -> str:
    """The short name of a program: the products of its `User-Agent`, without comments and control characters."""
    plain = "".join(" " if unicodedata.category(each).startswith(("C", "Z")) else each for each in agent[:1000])
    return " ".join(_COMMENT.sub(" ", plain).split()[:_PRODUCTS])[:AGENT_LENGTH]


@lru_cache(maxsize=1024)
def normal_address(address: str) -> str:
    """An address as it is kept, one spelling for each; empty for what is none."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0].strip())
    except ValueError:
        return ""
    return str(getattr(found, "ipv4_mapped", None) or found)


@lru_cache(maxsize=1024)
def template(method: str, pattern: str) -> str:
    """A route as people read it, never with what stood in the path: "POST /v1/api-keys/{id}/rotate"."""
    plain = _IN_ROUTE.sub(lambda found: f"{{{found[1] or found[2]}}}", pattern)
    return f"{method} /{plain.replace('^', '').replace('$', '')}"


@transaction.atomic
def _write(entry: Entry) -> None:
    use, of_key = entry.use, {"organization_id": entry.use.organization_id, "key_id": entry.use.key_id}
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {_LOCK_WAIT_MS}")
    last = LastUse(**of_key, at=use.at, address=use.address or None, agent=use.agent, route=use.route)
    _upsert([last], ("key",), ("at", "address", "agent", "route"), use.at)
    callers = [
        Caller(**of_key, address=address, agent=agent, first_at=at, at=at)
        for (address, agent), at in sorted(_admitted(entry).items())
    ]
    _upsert(callers, ("key", "address", "agent"), ("at",), use.at)
    used = [ScopeUse(**of_key, scope=scope, at=at) for scope, at in sorted(entry.scopes.items())]
    _upsert(used, ("key", "scope"), ("at",), use.at)


def _admitted(entry: Entry) -> dict[Who, datetime]:
    """Those callers that are written: newcomers only while there is room for them in this hour."""
    if not entry.newcomers:
        return entry.callers
    recent = Caller.objects.filter(key=entry.use.key_id, at__gte=entry.use.at - HOUR)
    if recent.filter(first_at__gte=entry.use.at - HOUR).count() + len(entry.newcomers) <= NEWCOMERS:
        return entry.callers
    there = set(recent.values_list("address", "agent"))
    return {who: at for who, at in entry.callers.items() if who not in entry.newcomers or who in there}


def _upsert(rows: list[Any], unique: tuple[str, ...], changing: tuple[str, ...], at: datetime) -> None:
    """Adds these rows; where one is there already, brings it up to date unless that was done within the minute."""
    if not rows:
        return
    meta = rows[0]._meta
    fields = [each for each in meta.concrete_fields if not isinstance(each, models.AutoField)]
    one = f"({', '.join(['%s'] * len(fields))})"
    column = {each.name: each.column for each in fields}
    statement = (
        f"INSERT INTO {meta.db_table} ({', '.join(each.column for each in fields)}) "
        f"VALUES {', '.join([one] * len(rows))} "
        f"ON CONFLICT ({', '.join(column[name] for name in unique)}) "
        f"DO UPDATE SET {', '.join(f'{column[name]} = excluded.{column[name]}' for name in changing)} "
        f"WHERE {meta.db_table}.at <= %s"
    )
    given = [each.get_db_prep_save(getattr(row, each.attname), connection) for row in rows for each in fields]
    moment = meta.get_field("at").get_db_prep_save(at - EVERY, connection)
    with connection.cursor() as cursor:
        cursor.execute(statement, [*given, moment])


class Traffic(NamedTuple):
    """Who would notice if a key ended now."""

    callers: int  # within the last hour
    last: Caller | None  # who called last, within 30 days
    is_ever_used: bool

    @property
    def is_full(self) -> bool:
        """Whether there may have been more callers than are kept."""
        return self.callers >= NEWCOMERS

    @property
    def seen(self) -> str:
        """What a confirmation holds on to: whether it is in use. How many call, and when, changes all the time,
        and must not keep anybody from ending a key that has leaked.
        """
        return "now" if self.callers else "lately" if self.last else "not"


class Scope(NamedTuple):
    """A scope that a key was given, and when it was needed last within 30 days."""

    scope: str
    at: datetime | None


def since(key: ApiKey) -> datetime:
    """From when on it counts whether a scope was used: 30 days ago, or when the key was made."""
    return max(key.created_at, now() - KEPT)


def traffic(key: Any, last: Caller | None = None) -> Traffic:
    """Who calls with a key that was read `with_use`: the number is that of the callers noted."""
    return Traffic(key.callers_now, last or callers(key).first(), key.last_use_at is not None)


def callers(key: ApiKey) -> models.QuerySet[Caller]:
    """Those of the last 30 days, the latest first."""
    return Caller.objects.filter(key=key, at__gte=now() - KEPT).order_by("-at")


def scopes_of(key: ApiKey) -> list[Scope]:
    """What it was granted, each with its last use."""
    used = dict(ScopeUse.objects.filter(key=key, at__gte=since(key)).values_list("scope", "at"))
    return [Scope(scope, used.get(scope)) for scope in sorted(key.scopes)]


def any_in(organization: Organization) -> models.QuerySet[Organization]:
    """The organization itself if anybody has ever called with a key of it: to be counted beside other things."""
    used = LastUse.objects.filter(organization=models.OuterRef("pk"))
    return Organization.objects.filter(models.Exists(used), pk=organization.pk)
