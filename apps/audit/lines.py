"""Lines of the log for a page: what happened, with what people are called now and where a click leads. One query."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.apps import apps
from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    CharField,
    Exists,
    Func,
    IntegerField,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    UUIDField,
    Value,
    When,
)
from django.db.models.functions import Concat, Trim
from django.http import QueryDict
from django.urls import NoReverseMatch, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.access import gate
from apps.access.actions import Action
from apps.audit import sentences
from apps.audit.models import AuditEvent, AuditHead
from apps.core.errors import Invalid
from apps.tenancy.keyset import COUNTED, NEWER, OLDER, SIZE, Page

FEW: Final = 10
_DIGITS: Final = 18  # of a line's number
_ORGANIZATION, _WORKSPACE = "organizations.organization", "workspaces.workspace"
_MEMBER, _SEAT = "memberships.organizationmembership", "memberships.workspacemembership"
_KEY, _INVITATION = "apikeys.apikey", "memberships.invitation"
# What a reader needs to open each kind of target, and its page.
_PAGES: Final = {
    _ORGANIZATION: (Action.ORGANISATIONS_READ, "onboarding:organization"),
    _WORKSPACE: (Action.WORKSPACES_READ, "onboarding:workspace"),
    _MEMBER: (Action.ORGANISATION_USERS_LIST, "memberships:member"),
    _SEAT: (Action.WORKSPACE_USERS_LIST, "memberships:team"),
    _KEY: (Action.WORKSPACE_SERVICE_API_KEYS_LIST, "apikeys:key"),
    "streams.stream": (Action.ORGANISATIONS_UPDATE, "streams:list"),
    _INVITATION: (Action.ORGANISATION_USERS_CREATE, "memberships:invitations"),
}


@dataclass(frozen=True)
class Line:
    """One line as a page shows it."""

    at: datetime
    event: str
    actor: SafeString
    actor_kind: str
    sentence: SafeString
    door: str
    is_refused: bool
    link: str  # to the target, where it still exists and the reader may open it; else empty
    row: AuditEvent


def of(tenant: Any) -> QuerySet[AuditEvent]:
    """The log of a place, newest first: an organization's, or what happened in one workspace of it."""
    rows = AuditEvent.objects.filter(chain=tenant.organization.pk).select_related("side").order_by("-id")
    if tenant.workspace is not None:
        rows = rows.filter(workspace_id=tenant.workspace.pk)
    return rows.annotate(**_found_now(tenant.organization))


def of_person(user_id: uuid.UUID, tenant: Any) -> QuerySet[AuditEvent]:
    """What somebody did here, and what was done to them."""
    return of(tenant).filter(Q(actor_kind="person", actor_id=user_id) | Q(person_id=user_id))


def about(target: Model, tenant: Any) -> QuerySet[AuditEvent]:
    """What happened to one thing: a key, a workspace, an invitation."""
    return of(tenant).filter(target_type=target._meta.label_lower, target_id=str(target.pk))


def lines(rows: Iterable[AuditEvent], tenant: Any) -> list[Line]:
    """The lines of one page, read through `of`, for whoever reads it there."""
    return [_line(event, tenant) for event in rows]


def _line(event: AuditEvent, tenant: Any) -> Line:
    known = _names(event)
    return Line(
        at=event.at,
        event=event.event,
        actor=sentences.actor(event, known),
        actor_kind=event.actor_kind,
        sentence=sentences.sentence(event, known),
        door=sentences.door(event),
        is_refused=event.status == AuditEvent.Status.REFUSED,
        link=_link(event, tenant),
        row=event,
    )


def page(rows: QuerySet[AuditEvent], query: QueryDict, chain: uuid.UUID, size: int = SIZE) -> Page:
    """The page of one chain's lines that the address asks for. Raises Invalid for a bookmark that is none.

    A page is marked by the number its last line has in its own chain: it tells nothing of others.
    """
    if NEWER in query:
        found = list(rows.filter(pk__gt=_placed(chain, query, NEWER)).order_by("pk")[: size + 1])
        shown = found[:size][::-1]
        return Page(shown, newer=_mark(shown[:1], len(found) > size), older=_mark(shown[-1:]))
    is_first = OLDER not in query
    following = rows if is_first else rows.filter(pk__lt=_placed(chain, query, OLDER))
    found = list(following.order_by("-pk")[: size + 1])
    shown = found[:size]
    return Page(shown, newer=_mark(shown[:1], not is_first), older=_mark(shown[-1:], len(found) > size))


def end_of(chain: uuid.UUID, rows: QuerySet[AuditEvent]) -> AuditHead:
    """The end of a chain, what its verification found and, as `total`, how many of these there are, up to 10 000."""
    counted = _Number(rows.order_by().values("pk")[: COUNTED + 1])
    return AuditHead.objects.filter(chain=chain).annotate(total=counted).first() or AuditHead(chain=chain)


def called(shown: Iterable[Line]) -> dict[str, str]:
    """What the ids on a page of lines stand for, as far as these say it."""
    found: dict[str, str] = {}
    for line in shown:
        row: Any = line.row
        names = (row.actor_name or row.names.get("actor"), row.names.get("target"), row.workspace_name)
        for row_id, name in zip((row.actor_id, row.target_id, row.workspace_id), names, strict=True):
            if row_id and name:
                found.setdefault(str(row_id), name)
        if row.target_type == _MEMBER and row.names.get("target"):
            found.setdefault(str(row.person_id), row.names["target"])
    return found


def _mark(edge: list[AuditEvent], there_is_more: bool = True) -> str | None:
    return str(edge[0].sequence) if edge and there_is_more else None


def _placed(chain: uuid.UUID, query: QueryDict, name: str) -> Any:
    """The id of the line that the mark names."""
    mark = str(query[name])
    if not (mark.isascii() and mark.isdigit() and len(mark) <= _DIGITS):
        raise Invalid({name: _("This address of a page is not complete. Start from the first page.")})
    there = AuditEvent.objects.filter(chain=chain, sequence=int(mark))
    return Subquery(there.values("pk")[:1], output_field=BigIntegerField())


def _names(event: Any) -> dict[uuid.UUID, str]:
    known = {event.workspace_id: event.workspace_name, event.actor_id: event.actor_name}
    return {row_id: name for row_id, name in known.items() if row_id and name}


def _link(event: Any, tenant: Any) -> str:
    action, page = _PAGES.get(event.target_type, (None, ""))
    if action is None or not gate.may(tenant.actor, action, tenant.place(action.level)):
        return ""
    addresses: dict[str, list[Any]] = {
        _WORKSPACE: [event.workspace_slug],
        _SEAT: [event.workspace_slug],
        _MEMBER: [event.target_id if event.is_there else None],
        _KEY: [event.target_id if event.is_there else None],
    }
    address = addresses.get(event.target_type, [])
    if None in address:
        return ""
    try:
        return reverse(page, args=[tenant.organization.slug, *address])
    except NoReverseMatch:
        return ""


class _Number(Subquery):
    """How many rows a subquery has."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()
    empty_result_set_value = 0


class _TargetKey(Func):
    """The target's id as the database keeps ids."""

    output_field = UUIDField()
    template = "CAST(%(expressions)s AS uuid)"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="REPLACE(%(expressions)s, '-', '')", **context)


def _found_now(organization: Any) -> dict[str, Any]:
    """People by who acted, places by where it happened, members and keys by what it happened to."""
    members, keys, workspaces = (
        apps.get_model(label)._default_manager.filter(organization=organization)
        for label in (_MEMBER, _KEY, _WORKSPACE)
    )
    name = Trim(Concat("user__first_name", Value(" "), "user__last_name", output_field=CharField()))
    place = workspaces.filter(pk=OuterRef("workspace_id"))
    whens = [
        When(target_type=label, then=Exists(rows.filter(pk=_TargetKey(OuterRef("target_id")))))
        for label, rows in ((_MEMBER, members), (_KEY, keys))
    ]
    return {
        "actor_name": Subquery(members.filter(user=OuterRef("actor_id")).values_list(name)[:1]),
        "workspace_slug": Subquery(place.values("slug")[:1]),
        "workspace_name": Subquery(place.values("name")[:1]),
        "is_there": Case(*whens, default=Value(value=False), output_field=BooleanField()),
    }
