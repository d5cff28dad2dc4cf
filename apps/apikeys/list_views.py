"""The lists of API keys: what they show and are narrowed and sorted by, on the page and as a file."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final, NamedTuple
from urllib.parse import urlencode

from django.db import connection
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView

from apps.access.actions import Action
from apps.access.rows import places_granting
from apps.access.scopes import KeyType
from apps.apikeys import attention, visibility
from apps.apikeys.models import ApiKey, action_on
from apps.apikeys.querysets import WINDOW
from apps.core import search
from apps.core.clock import now, wire
from apps.tenancy import export, keyset
from apps.tenancy.context import reaches_every_workspace
from apps.tenancy.keyset import Edge
from apps.tenancy.tenant import Tenant
from apps.tenancy.views import ListMixin, TenantMixin, WorkspaceMixin, who_may
from apps.workspaces.models import Workspace

STATUSES: Final = [
    ("active", _("Active")),
    ("disabled", _("Disabled")),
    ("expired", _("Expired")),
    ("revoked", _("Revoked")),
]
EXPIRIES: Final = [("never", _("Never")), ("soon", _("Within 30 days")), ("over", _("Over"))]
KINDS: Final = KeyType.choices
OFFERED: Final[dict[str, Any]] = {
    "kind": KINDS,
    "status": STATUSES,
    "expiry": EXPIRIES,
    "attention": attention.MATTERS,
}
FREE: Final = ("workspace", "owner")


@dataclass(frozen=True)
class InTwoParts(keyset.Order):
    """Sorted by a moment that not every key has: those that have it, and the others by when they were made.

    Of each part no more is read than fills a page, from where an index begins; one statement puts them together.
    """

    having: Q = field(default_factory=Q)
    without: Q = field(default_factory=Q)
    is_without_last: bool = True  # when it ascends

    def takes(self, edge: Edge, rows: QuerySet[Any]) -> bool:
        return isinstance(edge.value, datetime) or _made_at(edge.value) is not None

    def applied(self, rows: Any, *, backwards: bool = False) -> Any:
        parts = [self._order(has_it).applied(self._rows(rows, has_it), backwards=backwards) for has_it in (True, False)]
        return _Together(self._sorted(rows, backwards), parts)

    def beyond(self, rows: Any, edge: Edge, *, backwards: bool) -> Any:
        has_it = isinstance(edge.value, datetime)
        here = edge if has_it else Edge(_made_at(edge.value) or edge.value, edge.row_id)
        parts = [self._order(has_it).beyond(self._rows(rows, has_it), here, backwards=backwards)]
        if has_it == self._starts_with_those_that_have_it(backwards):
            parts.append(self._order(not has_it).applied(self._rows(rows, not has_it), backwards=backwards))
        return _Together(self._sorted(rows, backwards), parts)

    def _starts_with_those_that_have_it(self, backwards: bool) -> bool:
        return self.is_without_last == (self.descending == backwards)

    def _order(self, has_it: bool) -> keyset.Order:
        return keyset.Order(self.by if has_it else "created_at", self.descending)

    def _rows(self, rows: Any, has_it: bool) -> Any:
        return rows.filter(self.having if has_it else self.without)

    def _sorted(self, rows: Any, backwards: bool) -> Any:
        """All of them in the order of both parts together."""
        lacks = Case(When(self.without, then=Value(1)), default=Value(0))
        made = Case(When(self.without, then=F("created_at")))
        sign = "-" if self.descending != backwards else ""
        first = "" if self._starts_with_those_that_have_it(backwards) else "-"
        known = rows.annotate(sorted_by=F(self.by), lacks=lacks, made=made)
        return known.order_by(f"{first}lacks", f"{sign}sorted_by", f"{sign}made", f"{sign}id")


class _Together:
    """Two lists as one, of which each is read no further than is asked for."""

    def __init__(self, rows: Any, parts: list[Any]) -> None:
        self.rows, self.parts = rows, parts

    def __getitem__(self, wanted: slice) -> list[Any]:
        ids = [part.values("pk")[: wanted.stop] for part in self.parts]
        if connection.features.supports_slicing_ordering_in_compound and len(ids) > 1:
            ids = [ids[0].union(*ids[1:], all=True)]
        chosen = Q()
        for some in ids:
            chosen |= Q(pk__in=some)
        return [_marked(row) for row in self.rows.filter(chosen)[: wanted.stop]]

    def iterator(self, chunk_size: int) -> Iterator[Any]:
        return iter(self.rows.iterator(chunk_size=chunk_size))


def _marked(row: Any) -> Any:
    """A row whose place in the list says which part it is in: an instant, or one that is spelt."""
    if row.sorted_by is None:
        row.sorted_by = row.created_at.isoformat()
    return row


def _made_at(spelt: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(spelt))
    except ValueError:
        return None
    return found if found.tzinfo else None


class KeysMixin(TenantMixin):
    """The keys that exist for the reader: everybody has a page of them, if only of their own (P5)."""

    action = Action.ORGANISATIONS_READ
    model = ApiKey

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return visibility.visible(rows, self.tenant.actor, self.tenant.organization)


class Filters(NamedTuple):
    """What the address narrows the list by; a word nobody offered narrows nothing."""

    kind: str = ""
    status: str = ""
    expiry: str = ""
    attention: str = ""
    workspace: str = ""
    owner: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Filters":
        offered = {name: [word for word, _ in words] for name, words in OFFERED.items()}
        given = {name: value for name, words in offered.items() if (value := query.get(name, "")) in words}
        return cls(**given, **{name: query.get(name, "").replace("\0", "").strip()[:200] for name in FREE})

    @property
    def said(self) -> dict[str, str]:
        return {name: value for name, value in self._asdict().items() if value}

    def narrow(self, rows: Any, organization: Any) -> Any:
        rows = self._in_state(rows, organization)
        if self.kind:
            rows = rows.of_types([self.kind])
        if self.workspace:
            rows = rows.filter(workspace__slug=self.workspace)
        if self.owner:
            rows = rows.filter(user__in=_owners(self.owner, organization))
        if self.expiry:
            rows = _ENDING[self.expiry](rows)
        return attention.about(self.attention, rows, organization)

    def _in_state(self, rows: Any, organization: Any) -> Any:
        """A key is not active in a workspace that is archived."""
        if not self.status:
            return rows.not_revoked()
        found = rows.shown_as(self.status)
        return found.in_open_places(organization) if self.status == "active" else found


class Chip(NamedTuple):
    """One filter that is at work: how it is said, and the list without it."""

    said: str
    without: str


class KeyList(KeysMixin, ListMixin, TemplateView):
    template_name = "apikeys/key_list.html"
    orders: ClassVar = {
        "created": keyset.NEWEST_FIRST,
        "name": keyset.Order("name_key"),
        "expires": InTwoParts("expires_at", having=Q(expires_at__isnull=False), without=Q(expires_at=None)),
        "used": InTwoParts(
            "last_use__at",
            descending=True,
            # Their organization is named, so that the index of uses is read in its order and no further.
            having=Q(last_use__isnull=False, last_use__organization=F("organization")),
            without=Q(last_use=None),
            is_without_last=False,
        ),
    }
    searched = True

    @cached_property
    def filters(self) -> Filters:
        return Filters.read(self.request.GET)

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        found = self.filters.narrow(super().narrow(rows), self.tenant.organization)
        return found.with_places().with_people(self.tenant.organization).with_use()

    def to_count(self) -> dict[str, QuerySet[Any]]:
        kept: Any = super().narrow(self.tenant.own(ApiKey)).not_revoked()
        live = kept.live().in_open_places(self.tenant.organization)
        counted = {"live": live, "soon": live.ending_soon(), "endless": live.without_end(), "kept": kept}
        if not self.may_create():
            # A manager creates keys in their own workspaces, which the organization's page knows nothing of.
            create = action_on(KeyType.WORKSPACE, "create")
            counted["makes"] = places_granting(create, self.tenant.actor.id, Workspace)
        return counted

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.GET.get("format") == "csv":
            rows = self.get_queryset()
            if self.asked:
                rows = search.matching(rows, self.asked, self.tenant.organization)
            return written(self.order.applied(rows), self.tenant)
        return super().get(request, *args, **kwargs)

    def get_template_names(self) -> list[str]:
        is_part = self.request.htmx and not self.request.htmx.history_restore_request
        return ["apikeys/_keys.html" if is_part else self.template_name]

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        context = super().get_context_data(filters=self.filters, offered=OFFERED, **more)
        rows = context["page"].rows
        self._look_into(rows)
        for key in rows:
            # What matters is told once it can be: before a key is old enough, nothing of it is called unused.
            key.scopes_unused = len(key.scopes) - key.scopes_used if key.created_at < now() - WINDOW else 0
        may_create = self.may_create() or (self.tenant.workspace is None and bool(context["counted"]["makes"]))
        context |= {"may_create": may_create, "acts": self._acts(rows), "carried": self.carried}
        context["is_narrowed"] = bool(self.asked or self.filters.said)
        context["owner"] = self._owner(rows)
        context["said"] = list(self._chips(context["owner"]))
        if not rows and not context["is_narrowed"] and not may_create:
            context["helpers"] = who_may(self.tenant, action_on(KeyType.WORKSPACE, "create"))
        return context

    @property
    def carried(self) -> str:
        """What finds the same keys again, for an act on all of them."""
        return urlencode({**self.filters.said, **({"q": self.asked} if self.asked else {})})

    def _owner(self, rows: list[Any]) -> str:
        """Whose keys are asked for: by address, where a link named the person by id and has found keys of theirs."""
        asked = self.filters.owner
        return rows[0].user.email if rows and str(rows[0].user_id) == asked else asked

    def _chips(self, owner: str) -> Iterator[Chip]:
        for name, value in self.filters.said.items():
            rest = self.request.GET.copy()
            for each in (name, "after", "before"):
                rest.pop(each, None)
            yield Chip(owner if name == "owner" else _said(name, value), f"{self.request.path}?{rest.urlencode()}")

    def may_create(self) -> bool:
        """Whether the place of the page lets the reader create one."""
        kinds = KeyType if self.tenant.workspace is None else (KeyType.WORKSPACE, KeyType.USER)
        return self.tenant.may_any(action_on(kind, "create") for kind in kinds)

    def _acts(self, keys: list[Any]) -> dict[str, bool]:
        """What the reader may do to some of the keys of a page."""
        kept = [key for key in keys if not key.is_revoked]
        return {
            verb: any(visibility.may(self.tenant.actor, verb, key) for key in kept) for verb in ("update", "delete")
        }

    def _look_into(self, keys: list[Any]) -> None:
        """Reads at once what the reader holds in the workspaces of a page, for the buttons of its rows."""
        if not reaches_every_workspace(self.tenant):
            self.tenant.actor.look_at(list({key.workspace_id: key.workspace for key in keys if key.workspace}.values()))


class WorkspaceKeyList(WorkspaceMixin, KeyList):
    action = Action.WORKSPACES_READ


def written(rows: Any, tenant: Tenant) -> HttpResponseBase:
    """These keys as a file, read row by row."""
    return export.recorded(tenant, "api-keys", _HEADER, (_spelt(key) for key in rows.iterator(chunk_size=500)))


def _owners(asked: str, organization: Any) -> Any:
    """The people meant: one by id, as links have it, or all whose name or address begins so."""
    members = organization.memberships
    try:
        return members.filter(user=uuid.UUID(asked)).values("user")
    except ValueError:
        return search.matching(members.all(), asked, organization).values("user")


def _said(name: str, value: str) -> str:
    """A filter at work, as people read it."""
    return str(dict(OFFERED[name])[value]) if name in OFFERED else value


_ENDING: Final[dict[str, Any]] = {
    "never": lambda rows: rows.without_end(),
    "soon": lambda rows: rows.ending_soon(),
    "over": lambda rows: rows.ended(),
}
_HEADER: Final = (
    "name", "kind", "key", "workspace", "owner", "scopes", "expires", "status", "created by", "created", "last used",
    "last used from", "last used by", "last used for", "callers in the last hour", "scopes used in 30 days",
    "two secrets until", "new secret waits",
)  # fmt: skip


def _spelt(key: Any) -> list[Any]:
    """A key as a line of the export: by its mask, like everywhere."""
    author = key.author_email or key.author_key or key.created_by_kind
    owner, workspace = key.user.email if key.user else "", key.workspace.name if key.workspace else ""
    made = [key.name, KeyType(key.type).value, key.mask, workspace, owner, " ".join(key.scopes)]
    state = [_day(key.expires_at), key.shown_status, author, _day(key.created_at)]
    used = [wire(key.last_use_at) or "", key.last_use_address or "", key.last_use_agent or "", key.last_use_route or ""]
    secrets = [_day(key.transition_ends_at) if key.is_in_transition else "", "yes" if key.awaits_collection else ""]
    return [*made, *state, *used, key.callers_now, key.scopes_used, *secrets]


def _day(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
