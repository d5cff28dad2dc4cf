"""What can happen to a key. The clear secret is in the return value of `issue` and nowhere else."""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from apps.access import gate
from apps.access.actors import Actor, UserActor
from apps.access.scopes import KeyType
from apps.accounts.models import User
from apps.apikeys import details, keeping, policy, schedule, secret
from apps.apikeys.models import ApiKey, action_on
from apps.apikeys.rotation import NO_TRANSITION
from apps.apikeys.secret import Secret
from apps.audit.events import Event
from apps.core import text
from apps.core.clock import now
from apps.core.errors import Conflict, Forbidden, Invalid
from apps.core.models import Row
from apps.limits import operations as limits
from apps.organizations.models import Organization
from apps.workspaces.models import Workspace

# What a change of brings the policy of the place down on the key again.
AUTOMATIC_LIFE: Final = timedelta(days=90)
_BOUND: Final = frozenset({"expires_at", "allowed_addresses", "rotation_policy"})
# What holds a key, which it cannot move itself.
_BOUNDS: Final = _BOUND | {"usage_limits", "rate_limits"}


class Issued(NamedTuple):
    """A new key, and its secret for the one time it is shown."""

    key: ApiKey
    secret: Secret


class AlreadyShown(Conflict):
    """The same form was sent before: its key exists, and its secret has been shown."""

    def __init__(self, key: ApiKey) -> None:
        super().__init__(_("This key was created and shown already."))
        self.key = key


@transaction.atomic
def issue(
    place: Organization | Workspace,
    *,
    name: str,
    scopes: list[str],
    user: User | None = None,
    creation: str = ApiKey.Creation.UI,
    once: uuid.UUID | None = None,
    by: Actor,
    **settings: Any,
) -> Issued:
    """Makes a key of the organization, of the workspace, or of one person in the workspace.

    Arguments: `user` is the person whose key it is; `once` is the id the key will have, so that the same wish
    sent twice makes one key; `settings` are those that `update` takes too.
    Raises Forbidden, Invalid, AlreadyShown, Overreach for scopes beyond what `by` holds (product P12), and Conflict
    where the policy of the place lets no more keys be.
    """
    place = keeping.lock(place, by)
    key_type = _type_of(place, user)
    gate.require(by, action_on(key_type, "create"), place)
    if once is not None and (shown := ApiKey.objects.with_places().filter(pk=once).first()):
        raise AlreadyShown(shown)
    if user is not None and not UserActor(user).belongs_to(place):
        raise Invalid({"user_id": _("This person does not belong to %(place)s.") % {"place": place}})
    columns = {
        "type": key_type,
        "user": user,
        "name": text.name(name),
        "scopes": measure(scopes, key_type, place, by=by),
        "creation": creation,
        **({} if once is None else {"pk": once}),
        **details.cleaned(settings),
    }
    policy.refuse_one_too_many(place)
    return _make(place, columns, by)


def hand_over(
    workspace: Workspace, *, name: str, scopes: list[str], offered: dict[str, str], by: UserActor
) -> Issued | None:
    """Gives a person the key they were promised, as the last step of accepting, which has measured the promise.

    Where keys must end, it gets the latest end that the policy of the place allows; where the policy has come to
    allow no such key at all, the person gets none, and is let in all the same.
    Arguments: `offered` says who promised it, for the log.
    """
    automatic = {"type": KeyType.USER, "user": by.user, "name": name, "creation": ApiKey.Creation.AUTO}
    workspace = Workspace.objects.select_related("organization").get(pk=workspace.pk)
    asked = policy.binding(workspace)
    ends = asked.ends_by() or (now() + AUTOMATIC_LIFE if asked.must_end else None)
    try:
        policy.refuse_one_too_many(workspace)
        return _make(
            workspace,
            {**automatic, "scopes": keeping.scopes_of(scopes, KeyType.USER), "expires_at": ends},
            by,
            **offered,
        )
    except (Conflict, Invalid):
        return None


@transaction.atomic
def update(key: ApiKey, *, version: int | None = None, reset_usage: bool = False, by: Actor, **changes: Any) -> ApiKey:
    """Changes the settings that are named; type, person and place never change (contract rule 30).

    New scopes are measured like those of a new key; the ones it has already may stay.
    Arguments: `reset_usage` sets what it has used of its budget back to nothing (contract rule 62).
    """
    key = keeping.lock_key(key, by)
    gate.require(by, action_on(key.type, "update"), key.place)
    key.refuse_stale(version)
    was_live, wanted = key.is_live, _wanted(key, changes, by)
    if reset_usage or any(wanted[field] != getattr(key, field) for field in _BOUNDS & set(wanted)):
        _refuse_oneself(key, by)
    changed = key.revise(wanted, by=by)
    if key.is_live and not was_live:
        policy.refuse_one_too_many(key.place, besides=key)
    # Counters are held before the log is, as by whoever settles a call.
    if {"usage_limits", "rate_limits"} & set(changed):
        limits.agree(key)
    if reset_usage:
        limits.reset(key, by=by)
    if changed:
        before = {field: details.told(field, before) for field, (before, _) in changed.items()}
        after = {field: details.told(field, after) for field, (_, after) in changed.items()}
        keeping.record(Event.API_KEY_UPDATED, key, by, before=before, after=after)
    if reset_usage:
        keeping.record(Event.API_KEY_USAGE_RESET, key, by)
    return key


@transaction.atomic
def disable(key: ApiKey, *, version: int | None = None, by: Actor) -> ApiKey:
    """Turns a key away from its next request on, until it is enabled again; nothing of it is lost (P22)."""
    return _switch(key, ApiKey.Status.DISABLED, Event.API_KEY_DISABLED, version, by)


@transaction.atomic
def enable(key: ApiKey, *, version: int | None = None, by: Actor) -> ApiKey:
    """Lets a disabled key in again, with the scopes it has."""
    return _switch(key, ApiKey.Status.ACTIVE, Event.API_KEY_ENABLED, version, by)


@transaction.atomic
def revoke(key: ApiKey, *, version: int | None = None, by: Actor) -> ApiKey:
    """Ends a key for good, on the next request in every process. People may always revoke their own (P5).

    An archived workspace gives no rights any more, but a leaked key of it must end before anybody restores it:
    there the organization is asked.
    """
    key = keeping.lock_key(key, by, even_archived=True)
    is_own = by.kind == UserActor.kind and by.id == key.user_id
    is_archived = key.workspace is not None and key.workspace.is_archived
    if not is_own:
        gate.require(by, action_on(key.type, "delete"), key.organization if is_archived else key.place)
    key.refuse_stale(version)
    return _end(key, by=by)


def measure(scopes: list[str], key_type: KeyType, place: Organization | Workspace, *, by: Actor) -> list[str]:
    """The scopes as a new key would hold them. Raises Invalid, and Overreach beyond what `by` holds (P12)."""
    scopes = keeping.scopes_of(scopes, key_type)
    keeping.refuse_overreach(scopes, key_type, place, by)
    return scopes


def revoke_all_of(user: User, place: Organization | Workspace, *, by: Actor) -> int:
    """Ends the personal keys somebody holds in a place they are being removed from; answers how many (P11).

    Part of that removal, which has asked for the right and holds the locks.
    """
    column = "organization" if isinstance(place, Organization) else "workspace"
    keys = ApiKey.objects.with_places().select_for_update(of=("self",)).not_revoked()
    ended = [_end(key, by=by) for key in keys.filter(user=user, **{column: place}).order_by("pk")]
    return len(ended)


def _wanted(key: ApiKey, changes: Mapping[str, Any], by: Actor) -> dict[str, Any]:
    """The columns as these changes would have them. Raises Invalid, Overreach."""
    wanted = details.cleaned({field: value for field, value in changes.items() if field not in {"name", "scopes"}})
    if "name" in changes:
        wanted["name"] = text.name(changes["name"])
    if "scopes" in changes:
        wanted["scopes"] = keeping.scopes_of(changes["scopes"], KeyType(key.type))
        added = sorted(set(wanted["scopes"]) - set(key.scopes))
        keeping.refuse_overreach(added, KeyType(key.type), key.place, by)
    if _BOUND & set(wanted):
        wanted |= _bound(key.type, key.place, {field: wanted.get(field, getattr(key, field)) for field in _BOUND}, key)
    return wanted


def _make(place: Organization | Workspace, columns: dict[str, Any], by: Actor, **offered: str) -> Issued:
    """The row, its secret and its line, once everything has been asked and measured."""
    columns |= _bound(columns["type"], place, {field: columns.get(field) for field in _BOUND})
    made = secret.new_key(columns["type"])
    key = ApiKey.objects.create(
        organization=place if isinstance(place, Organization) else place.organization,
        workspace=place if isinstance(place, Workspace) else None,
        digest=made.digest,
        pepper_version=secret.pepper_version(),
        mask=made.mask,
        **columns,
        **Row.authored(by),
    )
    told = {"type": key.type, "scopes": key.scopes, "mask": key.mask, **offered}
    keeping.record(Event.API_KEY_ISSUED, key, by, after=told)
    return Issued(key, made)


def _bound(
    key_type: str, place: Organization | Workspace, kept: dict[str, Any], before: ApiKey | None = None
) -> dict[str, Any]:
    """When the key rotates, under what it is to keep to. Raises Invalid where that is not what the place asks.

    Arguments: `kept` is what it would have of what a policy speaks of; `before` is the key as it is.
    """
    rhythm = kept["rotation_policy"]
    days = policy.binding(place).rotation_days
    policy.check(
        key_type, place, expires_at=kept["expires_at"], allowed_addresses=kept["allowed_addresses"], rotation=rhythm
    )
    if days and key_type == KeyType.USER:
        rhythm = policy.cadence(days)
    if before is not None and before.rotation_policy == rhythm:
        return {"rotation_policy": rhythm}
    return {"rotation_policy": rhythm, "next_rotation_at": schedule.first(rhythm)}


def _refuse_oneself(key: ApiKey, by: Actor) -> None:
    """Raises Forbidden: no key moves what it is held by, its budget first of all (BU-05)."""
    if by.kind == ApiKey.kind and by.id == key.pk:
        raise Forbidden(action_on(key.type, "update"), key.place)


def _switch(key: ApiKey, status: ApiKey.Status, event: Event, version: int | None, by: Actor) -> ApiKey:
    key = keeping.lock_key(key, by)
    gate.require(by, action_on(key.type, "update"), key.place)
    key.refuse_stale(version)
    if key.status == status:
        named = {"key": key, "status": text.amid(status.label)}
        raise Conflict(_("%(key)s is %(status)s already.") % named)
    key.revise({"status": status}, by=by)
    if key.is_live:
        policy.refuse_one_too_many(key.place, besides=key)
    keeping.record(event, key, by, before={"mask": key.mask})
    return key


def _end(key: ApiKey, *, by: Actor) -> ApiKey:
    """The end of both secrets of a key, of its calendar, and of what waits to be collected."""
    key.revise({"status": ApiKey.Status.REVOKED, **NO_TRANSITION, "next_rotation_at": None}, by=by)
    keeping.record(Event.API_KEY_REVOKED, key, by, before={"mask": key.mask})
    return key


def _type_of(place: Organization | Workspace, user: User | None) -> KeyType:
    if isinstance(place, Workspace):
        return KeyType.USER if user is not None else KeyType.WORKSPACE
    if user is not None:
        raise Invalid({"user_id": _("A key of the organization belongs to no person.")})
    return KeyType.ORGANIZATION
