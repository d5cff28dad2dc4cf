"""Who or what somebody means by a name: the ids of all that was ever called so, in one query for a whole search.

Found are people who have left, keys that were revoked and workspaces that were deleted, by the words that the log
keeps; and those who are here, by what they are called now.
"""

import uuid
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.apps import apps
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import CharField, QuerySet
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from apps.audit.models import AuditWord
from apps.core.errors import Invalid
from apps.core.search import WORD_LENGTH, folded

MOST: Final = 500  # that one word may mean
_ROWS: Final = 4 * MOST  # each is found by several words that begin alike: name, address, and its parts
_WORDS: Final = 6  # of one name
_MEMBER, _WORKSPACE = "memberships.organizationmembership", "workspaces.workspace"


def find(asked: Iterable[tuple[str, bool]], chain: uuid.UUID) -> dict[str, frozenset[str]]:
    """The ids meant by each of these values, each an id or a name. Raises Invalid for one that means too many.

    Arguments: with each goes whether it may be a workspace's slug.
    """
    wanted: dict[str, bool] = {}
    for value, is_slug in asked:
        wanted[value] = wanted.get(value, False) or is_slug
    known = {value: {as_id(value)} for value in wanted if as_id(value)}
    named = {value: list(_sources(value, chain, slug)) for value, slug in wanted.items() if value not in known}
    return {value: frozenset(found) for value, found in {**_read(named), **known}.items()}


def as_id(value: str) -> str:
    """The id that this is, as the log writes ids; empty where it is none."""
    try:
        return str(uuid.UUID(value))
    except ValueError:
        return ""


def _read(sources: dict[str, list[QuerySet[Any]]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {value: set() for value in sources}
    values, parts = list(sources), []
    parameters: list[Any] = []
    for position, value in enumerate(values):
        for rows in sources[value]:
            try:
                statement, given = rows[: _ROWS + 1].query.sql_with_params()
            except EmptyResultSet:
                continue
            parts.append(f"SELECT {position}, found.* FROM ({statement}) AS found")
            parameters += given
    if parts:
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(parts), parameters)
            _sort_out(cursor.fetchall(), values, found)
    return found


def _sort_out(rows: list[tuple[int, str | None]], values: list[str], found: dict[str, set[str]]) -> None:
    for position, value in enumerate(values):
        mine = [subject for at, subject in rows if at == position and subject]
        found[value] |= {as_id(subject) or subject for subject in mine}
        if len(mine) > _ROWS or len(found[value]) > MOST:
            message = _("More than %(most)d people and things are called “%(value)s”. Write more of the name.")
            raise Invalid({"q": message % {"most": MOST, "value": value}})


def _sources(value: str, chain: uuid.UUID, is_slug: bool) -> Iterator[QuerySet[Any]]:
    beginnings = [word[:WORD_LENGTH] for word in folded(value).split()[:_WORDS]]
    if not beginnings:
        return
    called: Any = AuditWord.objects.filter(chain=chain, word__begins=beginnings[0])
    members: Any = apps.get_model(_MEMBER)._default_manager.filter(organization=chain)
    words: Any = members.model.words.rel.related_model._default_manager.filter(organization=chain)
    for beginning in beginnings[1:]:
        called = called.filter(
            subject__in=AuditWord.objects.filter(chain=chain, word__begins=beginning).values("subject")
        )
    for beginning in beginnings:
        members = members.filter(pk__in=words.filter(word__begins=beginning).values("row"))
    yield called.values_list("subject")
    for column in ("user_id", "pk"):
        yield members.values_list(Cast(column, CharField()))
    if is_slug:
        workspaces: Any = apps.get_model(_WORKSPACE)._default_manager.filter(organization=chain, slug=value)
        yield workspaces.values_list(Cast("pk", CharField()))
