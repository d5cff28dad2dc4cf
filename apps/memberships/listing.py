"""The list of members as people read it: its columns, what each needs, and how it is sorted and narrowed."""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, Final, NamedTuple

from allauth.mfa.models import Authenticator
from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce, Concat, JSONObject, NullIf, Trim
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.access.actions import Action
from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.access.scopes import KeyType
from apps.accounts.queries import SECOND_FACTORS
from apps.apikeys.models import ApiKey, action_on
from apps.core import search
from apps.core.clock import now
from apps.core.listed import Listed
from apps.memberships.models import Invitation, OrganizationMembership
from apps.memberships.querysets import SEEN

Asking = Callable[[Action], bool]

INACTIVE_DAYS: Final = 90
SEATS: Final = 8  # of a person's workspaces, named in the list; the rest is a number
PREFERENCE: Final = "member_columns"


class Column(NamedTuple):
    """A column of the list: whether it is there without being asked for, and which right it takes to read it."""

    name: str
    label: Promise
    is_usual: bool = True
    needs: Action = Action.ORGANISATION_USERS_LIST
    first: str = ""  # which way a first click sorts
    is_sortable: bool = False


COLUMNS: Final = (
    Column("role", _("Role"), is_sortable=True),
    Column("workspaces", _("Workspaces")),
    Column("keys", _("API keys"), needs=action_on(KeyType.USER, "list")),
    Column("factor", _("Second factor"), needs=Action.ORGANISATION_USERS_UPDATE),
    Column("seen", _("Last active"), is_sortable=True, first="-"),
    Column("joined", _("Joined"), is_sortable=True, first="-"),
    Column("added", _("Added by"), is_usual=False, needs=Action.ORGANISATION_USERS_UPDATE),
)


def readable(may: Asking) -> list[Column]:
    """The columns that a reader may have."""
    return [column for column in COLUMNS if may(column.needs)]


def chosen(may: Asking, kept: Any) -> list[Column]:
    """Those a reader has chosen, in their order, or the usual ones."""
    known = {column.name: column for column in readable(may)}
    if not isinstance(kept, list):
        return [column for column in known.values() if column.is_usual]
    return [known[name] for name in kept if name in known]


class Seat(NamedTuple):
    """A workspace that a person is in, as the list names it."""

    workspace: str
    role: str

    @property
    def role_name(self) -> str:
        return str(WorkspaceRole(self.role).label)


class _Seats(models.JSONField):
    def from_db_value(self, value: Any, expression: Any, connection: Any) -> list[Seat]:
        return [Seat(**item) for item in super().from_db_value(value, expression, connection) or []]


class Filters(NamedTuple):
    """What the list is narrowed by, as the address says it; a word nobody offered narrows nothing."""

    q: str = ""
    role: str = ""
    workspace: str = ""
    status: str = ""
    factor: str = ""
    inactive: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str], may: Asking) -> "Filters":
        offered = {
            "role": OrganizationRole.values,
            "status": OrganizationMembership.Status.values,
            "factor": ["yes", "no"] if may(Action.ORGANISATION_USERS_UPDATE) else [],
            "inactive": [str(INACTIVE_DAYS)],
        }
        given = {name: value for name, words in offered.items() if (value := query.get(name, "")) in words}
        free = {name: query.get(name, "").replace("\0", " ").strip()[:200] for name in ("q", "workspace")}
        return cls(**given, **free)

    @property
    def said(self) -> dict[str, str]:
        return {name: value for name, value in self._asdict().items() if value}

    def narrow(self, rows: Any, places: models.QuerySet[Any]) -> Any:
        """The rows that pass all but the search; `places` are the workspaces that the reader may know of."""
        equal = {name: value for name in ("role", "status") if (value := getattr(self, name))}
        rows = rows.filter(**equal)
        if self.workspace:
            rows = rows.filter(workspaces__workspace__in=places.filter(slug=self.workspace))
        if self.factor:
            has = Exists(_factors().filter(user=OuterRef("user")))
            rows = rows.filter(has) if self.factor == "yes" else rows.active().filter(~has)
        return inactive(rows) if self.inactive else rows

    def find(self, rows: Any, organization: Any) -> Any:
        return search.matching(rows, self.q, organization) if self.q else rows


def inactive(rows: Any) -> Any:
    """Those who could have been here, and have not for long."""
    before = now() - timedelta(days=INACTIVE_DAYS)
    return rows.active().alias(seen=SEEN).filter(seen__lt=before)


def with_columns(rows: Any, names: Iterable[str], places: models.QuerySet[Any]) -> Any:
    """The rows with what these columns show, in the same query."""
    for name in names:
        if name in _ADDED:
            rows = rows.annotate(**_ADDED[name]())
    return with_seats(rows, places) if "workspaces" in names else rows


def with_seats(rows: Any, places: models.QuerySet[Any]) -> Any:
    """With the number of each person's workspaces that the reader may know of, and the first of them by name.

    They are read from the workspaces, which may be any but have not been joined to their teams: a second way there
    would cost a person on ten thousand teams as much again.
    """
    theirs = places.filter(memberships__membership=OuterRef("pk"))
    first = theirs.order_by("name_key", "memberships__id")[:SEATS]
    seats = Listed(first.values(item=JSONObject(workspace="name", role="memberships__role")), output_field=_Seats())
    return rows.annotate(seat_count=_counted(theirs, "memberships__membership"), seats=seats)


def _factors() -> Any:
    return Authenticator.objects.filter(type__in=SECOND_FACTORS)


def _second_factor() -> dict[str, Any]:
    # Not as Exists: the database would read everybody's, for the whole list that it believes it will be asked about.
    has = Subquery(_factors().filter(user=OuterRef("user")).values(has=Value(True))[:1])
    return {"has_factor": Coalesce(has, False)}


def _keys() -> dict[str, Any]:
    theirs = ApiKey.objects.filter(user=OuterRef("user"), organization=OuterRef("organization")).not_revoked()
    return {"key_count": _counted(theirs, "user")}


def _adder() -> dict[str, Any]:
    """Who brought each in: whoever stood for the invitation that was accepted, or else who made the row.

    Nobody is named who is not in the organization: neither operators, nor people of elsewhere, nor those who left.
    """
    accepted = Invitation.objects.filter(accepted_by=OuterRef("user"), organization=OuterRef("organization"))
    offered = Subquery(accepted.order_by("-accepted_at").values("offered_by")[:1])
    made = Coalesce(offered, F("created_by"))
    name = NullIf(Trim(Concat("user__first_name", Value(" "), "user__last_name")), Value(""))
    shown = Coalesce(name, "user__email", output_field=models.CharField())
    here = {"organization": OuterRef("organization")}
    person = OrganizationMembership.objects.filter(user=OuterRef("adder"), **here).annotate(shown=shown).values("shown")
    key = ApiKey.objects.filter(pk=OuterRef("adder"), **here).values("name")
    told = Coalesce(Subquery(person), Subquery(key), Value(""), output_field=models.CharField())
    return {"adder": made, "added_by": told}


def _counted(rows: Any, by: str) -> Any:
    return Coalesce(Subquery(rows.order_by().values(by).annotate(number=Count("*")).values("number")), 0)


_ADDED: Final[dict[str, Callable[[], dict[str, Any]]]] = {"keys": _keys, "factor": _second_factor, "added": _adder}
