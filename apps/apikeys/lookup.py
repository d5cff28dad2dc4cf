"""From a presented secret to its key: the one query that every call begins with, written once instead of each time.

What is found is what `ApiKey.objects.with_places().presented(digests).not_revoked().first()` finds: that is the rule,
and a test holds the two together. With a person's key comes what the person holds where it is. Nothing is kept between
calls, so that whatever ends a key is seen by the very next one, in every process (P13).
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from django.contrib.auth import get_user_model
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.base import ModelState

from apps.access import rows
from apps.access.actors import UserActor
from apps.access.scopes import KeyType
from apps.apikeys.models import ApiKey
from apps.apikeys.secret import PREFIXES, digests_of_key
from apps.core import plans
from apps.organizations.models import Organization
from apps.workspaces.models import Workspace

# What is read beside a key of each type. A secret says by its prefix which type it is of, and a table that has nothing
# to say of it is not even planned for.
_BESIDE: Final = {
    PREFIXES[KeyType.ORGANIZATION]: ("organization",),
    PREFIXES[KeyType.WORKSPACE]: ("organization", "workspace"),
    PREFIXES[KeyType.USER]: ("organization", "workspace", "user"),
}

# The columns that no ordinary call asks of its key, its places and its person. They are left for Django to read when
# somebody does; every other column is read, a new one too.
_EDITED: Final = {"version", "created_by", "created_by_kind", "updated_by", "updated_by_kind"}
_DATED: Final = _EDITED | {"created_at", "updated_at"}
_ROTATED: Final = {"last_rotated_at", "rotation_policy", "next_rotation_at", "awaits_collection"}
_BEFORE: Final = {"previous_digest", "previous_mask"}
LEFT: Final[dict[type[models.Model], set[str]]] = {
    ApiKey: _DATED | _ROTATED | _BEFORE | {"name_key", "description", "creation", "pepper_version", "alert_emails"},
    Organization: _EDITED | {"key_policy"},
    Workspace: _DATED | {"name_key", "description", "color", "icon", "is_default", "delete_protected", "key_policy"},
    get_user_model(): {
        *("password", "last_login", "is_superuser", "is_staff", "preferences", "language", "timezone", "created_at"),
    },
}


def find(clear: str) -> ApiKey | None:
    """The key with this secret, or with this one before until its transition ends; with its places and its person.

    What cannot be a secret is told by its form, without a query (AK-03). Whether the key is let in is for it to say; a
    revoked one is not even read, so that it takes as long as one that never was (AK-09).
    """
    digests = digests_of_key(clear)
    if not digests:
        return None
    beside = _BESIDE[clear[:5]]
    with plans.cursor() as cursor:
        statement = _statement(cursor.db.vendor, beside, len(digests))
        cursor.execute(statement, [*digests, *digests, ApiKey.Status.REVOKED.value])
        row = cursor.fetchone()
    key = _read(row, beside) if row is not None else None
    # Asked here: the database would rather read every key that is in transition than look one up.
    return key if key is not None and (bytes(key.digest) in digests or key.is_in_transition) else None


@cache
def _statement(vendor: str, beside: tuple[str, ...], peppers: int) -> str:
    """The key by either of its secrets, and the rows it points at."""
    key = ApiKey._meta
    columns, joins = _columns("k", ApiKey), []
    for number, name in enumerate(beside):
        field: Any = key.get_field(name)
        there, alias = field.related_model._meta, f"t{number}"
        columns += _columns(alias, there.model)
        joins.append(f'LEFT JOIN "{there.db_table}" {alias} ON {alias}."{there.pk.column}" = k."{field.column}"')
    if "user" in beside:
        columns.append(rows.column(Workspace, "k.workspace_id", "k.user_id"))
        columns.append(rows.column(Organization, "k.organization_id", "k.user_id"))
    return (
        f'SELECT {", ".join(columns)} FROM "{key.db_table}" k {" ".join(joins)} '
        f"WHERE ({_has_a_secret(vendor, peppers)}) AND k.status <> %s"
    )


def _has_a_secret(vendor: str, peppers: int) -> str:
    """The condition that finds the row by two unique indexes, which each database sees in its own way."""
    columns = ("digest", "previous_digest")
    if vendor == "sqlite":
        # Once it has counted, it believes that every key without a secret before has the same one, and would rather
        # read the whole table; asked for a single value, it knows that a unique one is in one row.
        one = f'SELECT id FROM "{ApiKey._meta.db_table}" WHERE'
        return f"k.id IN ({' UNION ALL '.join(f'{one} {column} = %s' for column in columns for _ in range(peppers))})"
    digests = ", ".join(["%s"] * peppers)
    return " OR ".join(f"k.{column} IN ({digests})" for column in columns)


def _columns(alias: str, model: type[models.Model]) -> list[str]:
    return [f'{alias}."{field.column}"' for field in _fields(model)]


def _fields(model: type[models.Model]) -> list[Any]:
    return [field for field in model._meta.concrete_fields if field.name not in LEFT[model]]


def _read(row: Sequence[Any], beside: tuple[str, ...]) -> ApiKey:
    """The key and what is beside it, as the ORM would have filled them."""
    connection = connections[DEFAULT_DB_ALIAS]
    key, *found = (part.read(row, connection) for part in _parts(connection.vendor, beside))
    places = dict(zip(beside, found, strict=True))
    key._state.fields_cache.update(places)
    workspace, user = places.get("workspace"), places.get("user")
    if workspace is not None:
        # A wall of the database says that the two are one (product 5.4).
        workspace._state.fields_cache["organization"] = places["organization"]
    if workspace is not None and user is not None:
        key._person = _Person(user, workspace, *row[-2:])
    return key  # type: ignore[no-any-return]


class _Person(UserActor):
    """The person of a key, whose grants were read with it."""

    def __init__(self, user: Any, workspace: Workspace, here: str | None, above: str | None) -> None:
        super().__init__(user)
        self._held[workspace.pk] = rows.held_by(here, above)
        self._held[workspace.organization_id] = rows.held_by(above, None)


class _Part(NamedTuple):
    """Where in a row the columns of a model are, and how they become one."""

    model: Any
    names: list[str]
    start: int
    converters: list[tuple[str, Any, list[Callable[..., Any]]]]

    def read(self, row: Sequence[Any], connection: Any) -> Any:
        """What `Model.from_db` makes, without its two signals and without a descriptor for each column."""
        values = dict(zip(self.names, row[self.start :], strict=False))
        if values[self.model._meta.pk.attname] is None:
            return None
        for name, column, converters in self.converters:
            for convert in converters:
                values[name] = convert(values[name], column, connection)
        made, state = self.model.__new__(self.model), ModelState()
        state.db, state.adding = connection.alias, False
        made.__dict__.update(values, _state=state)
        return made


@cache
def _parts(vendor: str, beside: tuple[str, ...]) -> list[_Part]:
    places: list[Any] = [ApiKey._meta.get_field(name).related_model for name in beside]
    parts, start = [], 0
    for model in (ApiKey, *places):
        parts.append(_part(model, start))
        start += len(parts[-1].names)
    return parts


def _part(model: Any, start: int) -> _Part:
    connection, names, converters = connections[DEFAULT_DB_ALIAS], [], []
    for field in _fields(model):
        column = field.get_col(model._meta.db_table)  # of a foreign key, in the type of what it points at
        found = [*connection.ops.get_db_converters(column), *column.get_db_converters(connection)]
        names.append(field.attname)
        if found:
            converters.append((field.attname, column, found))
    return _Part(model, names, start, converters)
