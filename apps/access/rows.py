"""guardian's rows: the one function that writes them from the matrix, and the one shape of query that reads them.

Rows hang on the two containers through direct foreign keys, and on role groups, never on people.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection, models
from django.db.models.signals import post_migrate
from django.dispatch import receiver
from guardian.utils import get_group_obj_perms_model

from apps.access.actions import Action
from apps.access.roles import Role, actions_of
from apps.core import plans


@dataclass(frozen=True)
class Drift:
    """What a sync had to change: how many rows it added and how many it took away."""

    added: int = 0
    removed: int = 0

    def __add__(self, other: "Drift") -> "Drift":
        return Drift(self.added + other.added, self.removed + other.removed)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)


def sync(place: Any, groups: Iterable[tuple[int, Role]]) -> Drift:
    """Makes the rows on a place equal the matrix: adds what is missing, drops what is extra.

    Arguments: the place, and its role groups as (group id, role).
    """
    rows = get_group_obj_perms_model(place)._default_manager.filter(content_object=place)
    permissions = permission_ids(type(place))
    wanted = {
        (group, permissions[action]) for group, role in groups for action in actions_of(role) if action in permissions
    }
    held = {(group, permission): pk for pk, group, permission in rows.values_list("pk", "group_id", "permission_id")}
    extra = [pk for pair, pk in held.items() if pair not in wanted]
    missing = sorted(wanted - held.keys())
    if extra:
        rows.filter(pk__in=extra).delete()
    rows.bulk_create(
        rows.model(content_object=place, group_id=group, permission_id=permission) for group, permission in missing
    )
    return Drift(added=len(missing), removed=len(extra))


@dataclass(frozen=True)
class Held:
    """What one person's role groups say of one place: roles held there, roles held on its parent, and actions."""

    here: frozenset[str] = frozenset()
    above: frozenset[str] = frozenset()
    actions: frozenset[Action] = frozenset()


NOTHING = Held()
Grants = tuple[str, ...]  # each a role and the permissions it carries: "member:12,13,21"


def held_in(user_id: uuid.UUID, places: list[Any]) -> Mapping[Any, Held]:
    """What a person holds on places of one kind under one parent, as {place id: Held}: one query for a whole page.

    What is held on the parent itself is in the answer too, because the query has read it anyway.
    """
    if not places:
        return {}
    parent = places[0].parent
    kinds = [places] if parent is None else [places, [parent]]
    statement = " UNION ALL ".join(_statement(kind[0]._meta.model, len(kind)) for kind in kinds)
    ids = [key for kind in kinds for key in (*(place.pk for place in kind), user_id)]
    # As the database's driver takes them: SQLite keeps uuids as 32 hex digits.
    parameters = ids if connection.features.has_native_uuid_field else [key.hex for key in ids]
    found: dict[str, Grants] = defaultdict(tuple)
    with plans.cursor() as cursor:
        cursor.execute(statement, parameters)
        for place_id, grant in cursor.fetchall():
            found[_hex(place_id)] += (grant,)
    above = found[parent.pk.hex] if parent is not None else ()
    held = {place.pk: _read(found[place.pk.hex], above) for place in places}
    return held if parent is None else {**held, parent.pk: _read(above, ())}


def column(model: Any, place: str, person: str) -> str:
    """What a person holds on one place, as a column of a query that reads both anyway; `held_by` understands it."""
    grant, rows = _grants(model, f"= {place}", person)
    return f"(SELECT {_listed()}({grant}, ';') {rows})"


def held_by(here: str | None, above: str | None) -> Held:
    """What such a column of a place and one of its parent say."""
    return _read(*(tuple(read.split(";")) if read else () for read in (here, above)))


def places_granting(action: Action, user_id: uuid.UUID, model: Any) -> models.QuerySet[Any]:
    """The ids of the places of this kind that grant the action to the person there, as part of a larger query.

    What the parent grants, and what the state of a place takes away, is for the caller to ask.
    """
    grants = get_group_obj_perms_model(model)._default_manager
    held = grants.filter(permission=permission_ids(model)[action], group__user=user_id)
    return held.order_by().values("content_object")


def permission_ids(model: type[models.Model]) -> dict[Action, int]:
    """The permission row of every action that can be granted on this model."""
    return {action: pk for pk, (label, action) in _permissions().items() if label == model._meta.label_lower and action}


@lru_cache(maxsize=1000)  # the same roles say the same of every place
def _read(here: Grants, above: Grants) -> Held:
    carried = ",".join(grant.partition(":")[2] for grant in (*here, *above))
    granted = {int(permission) for permission in carried.split(",") if permission}
    if not granted <= _permissions().keys():
        _permissions.cache_clear()  # another process has migrated since this one looked
    known = _permissions()
    # A permission the code has no action for is not a right.
    actions = frozenset(action for pk in granted if pk in known and (action := known[pk][1]))
    return Held(_roles(here), _roles(above), actions)


def _roles(grants: Grants) -> frozenset[str]:
    return frozenset(grant.partition(":")[0] for grant in grants)


@cache
def _statement(model: Any, count: int) -> str:
    grant, rows = _grants(model, f"IN ({', '.join(['%s'] * count)})", "%s")
    return f"SELECT rg.{_place(model)}, {grant} {rows}"


def _grants(model: Any, places: str, person: str) -> tuple[str, str]:
    """A person's role groups on places of this kind, and what guardian grants to each: a column, and where it is from.

    It starts from the groups of the places, three each, and looks each up among the person's, however many they
    are: as a subquery rather than a join, so that a plan made for everybody holds for a person in 10 000 groups too.
    """
    group = model._meta.get_field("role_groups").related_model._meta
    grant = get_group_obj_perms_model(model)._meta
    membership: Any = get_user_model()._meta.get_field("groups").remote_field.through._meta  # type: ignore[union-attr]
    place = _place(model)
    carried = f'FROM "{grant.db_table}" gr WHERE gr.group_id = rg.group_ptr_id AND gr.content_object_id = rg.{place}'
    theirs = f'FROM "{membership.db_table}" ug WHERE ug.group_id = rg.group_ptr_id AND ug.user_id = {person}'
    return (
        f"rg.role || ':' || COALESCE((SELECT {_listed()}(CAST(gr.permission_id AS text), ',') {carried}), '')",
        f'FROM "{group.db_table}" rg WHERE rg.{place} {places} AND rg.group_ptr_id = (SELECT ug.group_id {theirs})',
    )


def _place(model: Any) -> str:
    """The column of a role group that says which place it is of."""
    return str(model._meta.get_field("role_groups").field.column)


def _listed() -> str:
    return "group_concat" if connection.vendor == "sqlite" else "string_agg"


@cache
def _permissions() -> dict[int, tuple[str, Action | None]]:
    """Permission ids never change meaning, so a process reads them once: {id: (model, action)}."""
    rows = Permission.objects.values_list("pk", "content_type__app_label", "content_type__model", "codename")
    return {pk: (f"{app}.{model}", Action.with_codename(codename)) for pk, app, model, codename in rows}


@receiver(post_migrate)
def _forget_permissions(**kwargs: Any) -> None:
    _permissions.cache_clear()
    _read.cache_clear()


def _hex(value: Any) -> str:
    return value.hex if isinstance(value, uuid.UUID) else str(value)
