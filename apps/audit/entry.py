"""One line of the log in full: what changed, as what, from where, and what else there is to read."""

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from django.urls import reverse
from django.utils.text import capfirst, get_text_list
from django.utils.translation import gettext as _

from apps.audit import facets, search, sentences
from apps.audit.models import AuditEvent
from apps.audit.search import Query, Term

_KEY: Final = "apikeys.apikey"
_SAID_ELSEWHERE: Final = {"before", "after", "person"}


class Change(NamedTuple):
    """What one thing was before, and after."""

    field: str
    before: str
    after: str


class Lead(NamedTuple):
    """Other lines that one may want to read next."""

    said: str
    href: str


def changes(line: AuditEvent) -> list[Change]:
    """Before and after, field by field, for all that either of them tells."""
    before, after = (_facts(line.details.get(part)) for part in ("before", "after"))
    names = list(dict.fromkeys((*before, *after)))
    return [Change(_field(name), _spelt(before.get(name)), _spelt(after.get(name))) for name in names]


def others(line: AuditEvent) -> list[tuple[str, str]]:
    """What else the line was written with."""
    rest = {name: value for name, value in line.details.items() if name not in _SAID_ELSEWHERE}
    return [(capfirst(name.replace("_", " ")), _spelt(value)) for name, value in sorted(rest.items())]


def role(line: AuditEvent) -> str:
    """What the actor was then: "owner of the organization"."""
    held = [part.partition(":") for part in line.actor_role.split()]
    said = {"organization": _("%(role)s of the organization"), "workspace": _("%(role)s in the workspace")}
    return get_text_list(
        [said[level] % {"role": str(sentences.ROLES.get(name, name))} for level, _colon, name in held if level in said],
        _("and"),
    )


def leads(line: AuditEvent, tenant: Any) -> Iterator[Lead]:
    """Searches through all of the log that begin with this line."""
    home = reverse("audit:list", args=[tenant.organization.slug])
    asked = dict.fromkeys(_terms(line))
    for said, term in asked:
        query = Query((term, Term("after", search.START)))
        yield Lead(said, facets.address(home, str(query)))


def _terms(line: AuditEvent) -> Iterator[tuple[str, Term]]:
    if line.actor_kind == "key" and line.actor_id:
        yield _("Everything by this key"), Term("key", str(line.actor_id))
    if line.actor_kind == "person" and line.actor_id:
        yield _("Everything about this person"), Term("person", str(line.actor_id))
    if line.person_id and line.person_id != line.actor_id:
        yield _("Everything about the person it was done to"), Term("person", str(line.person_id))
    if line.target_type == _KEY:
        yield _("Everything by the key it is about"), Term("key", line.target_id)
    if line.target_id:
        yield _("Everything that happened to it"), Term("target", line.target_id)
    if line.request_id:
        yield _("Everything in this request"), Term("request", line.request_id)


def _field(name: str) -> str:
    return capfirst(str(sentences.FIELDS.get(name, name.replace("_", " "))))


def _facts(part: Any) -> dict[str, Any]:
    return part if isinstance(part, dict) else {}


def _spelt(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "\N{EN DASH}"
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
