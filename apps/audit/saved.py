"""Searches that somebody keeps by a name, for each organization their own, among what they have chosen to see."""

import uuid
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext as _

from apps.audit import search
from apps.core import text
from apps.core.errors import Conflict, Invalid

PREFERENCE: Final = "audit_filters"
MOST: Final = 20
NAME_LENGTH: Final = 60


class Saved(NamedTuple):
    """A search and what it is called."""

    name: str
    q: str


def of(kept: Any, organization_id: uuid.UUID) -> list[Saved]:
    """Those kept for an organization; what makes no sense is none."""
    mine = kept.get(str(organization_id)) if isinstance(kept, dict) else None
    pairs = mine if isinstance(mine, list) else []
    return [Saved(*pair) for pair in pairs if isinstance(pair, list) and len(pair) == 2 and all(map(_is_text, pair))]


def adding(kept: Any, organization_id: uuid.UUID, name: str, q: str) -> dict[str, Any]:
    """What is kept once this search is, too, in place of the one that was called so.

    Raises Invalid, and Conflict when there are as many as there may be.
    """
    called = text.name(name)
    if len(called) > NAME_LENGTH:
        message = _("A name has at most %(most)d characters; this one has %(given)d.")
        raise Invalid({"name": message % {"most": NAME_LENGTH, "given": len(called)}})
    others = [each for each in of(kept, organization_id) if each.name != called]
    if len(others) >= MOST:
        raise Conflict(_("You keep %(most)d searches here, and no more. Delete one first.") % {"most": MOST})
    return _with(kept, organization_id, [*others, Saved(called, str(search.parse(q)))])


def dropping(kept: Any, organization_id: uuid.UUID, name: str) -> dict[str, Any]:
    """What is kept without the search of this name."""
    return _with(kept, organization_id, [each for each in of(kept, organization_id) if each.name != name])


def _with(kept: Any, organization_id: uuid.UUID, mine: list[Saved]) -> dict[str, Any]:
    rest = (
        {place: each for place, each in kept.items() if place != str(organization_id)} if isinstance(kept, dict) else {}
    )
    return {**rest, str(organization_id): [list(each) for each in mine]} if mine else rest


def _is_text(part: Any) -> bool:
    return isinstance(part, str)
