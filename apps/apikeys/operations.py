"""What can happen to a key. The clear secret is in the return value of `issue` and nowhere else."""

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from apps.access import gate
from apps.access.actors import Actor, UserActor
from apps.access.scopes import FREELY_GIVEN, KeyType, effective, not_allowed
from apps.accounts.addresses import normalized
from apps.accounts.models import User
from apps.apikeys import secret
from apps.apikeys.models import ApiKey, action_on
from apps.apikeys.secret import Secret
from apps.audit import log
from apps.audit.events import Event
from apps.core import text
from apps.core.clock import now
from apps.core.errors import Conflict, Invalid, Missing, Overreach
from apps.core.models import Row
from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from apps.workspaces import limits
from apps.workspaces import operations as workspaces
from apps.workspaces.models import Workspace

ALERT_ADDRESSES = 20


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
    **details: Any,
) -> Issued:
    """Makes a key of the organization, of the workspace, or of one person in the workspace.

    Arguments: `user` is the person whose key it is; `once` is the id the key will have, so that the same wish
    sent twice makes one key; `details` are the settings that `update` takes too.
    Raises Forbidden, Invalid, AlreadyShown, and Overreach for scopes beyond what `by` holds (product P12).
    """
    place = _lock(place, by)
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
        **_settings(details),
    }
    return _make(place, columns, by)


def hand_over(workspace: Workspace, *, name: str, scopes: list[str], offered: dict[str, str], by: UserActor) -> Issued:
    """Gives a person the key they were promised, as the last step of accepting, which has measured the promise.

    Arguments: `offered` says who promised it, for the log.
    """
    automatic = {"type": KeyType.USER, "user": by.user, "name": name, "creation": ApiKey.Creation.AUTO}
    return _make(workspace, {**automatic, "scopes": _scopes(scopes, KeyType.USER)}, by, **offered)


@transaction.atomic
def update(key: ApiKey, *, version: int | None = None, by: Actor, **changes: Any) -> ApiKey:
    """Changes the settings that are named; type, person and place never change (contract rule 30).

    New scopes are measured like those of a new key; the ones it has already may stay.
    """
    key = _lock_key(key, by)
    gate.require(by, action_on(key.type, "update"), key.place)
    key.refuse_stale(version)
    wanted = _settings({field: value for field, value in changes.items() if field not in {"name", "scopes"}})
    if "name" in changes:
        wanted["name"] = text.name(changes["name"])
    if "scopes" in changes:
        wanted["scopes"] = _scopes(changes["scopes"], KeyType(key.type))
        _refuse_overreach(sorted(set(wanted["scopes"]) - set(key.scopes)), KeyType(key.type), key.place, by)
    changed = key.revise(wanted, by=by)
    if changed:
        _record(
            Event.API_KEY_UPDATED,
            key,
            by,
            before={field: _told(field, before) for field, (before, _) in changed.items()},
            after={field: _told(field, after) for field, (_, after) in changed.items()},
        )
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
    key = _lock_key(key, by, even_archived=True)
    is_own = by.kind == UserActor.kind and by.id == key.user_id
    is_archived = key.workspace is not None and key.workspace.is_archived
    if not is_own:
        gate.require(by, action_on(key.type, "delete"), key.organization if is_archived else key.place)
    key.refuse_stale(version)
    return _end(key, by=by)


def measure(scopes: list[str], key_type: KeyType, place: Organization | Workspace, *, by: Actor) -> list[str]:
    """The scopes as a new key would hold them. Raises Invalid, and Overreach beyond what `by` holds (P12)."""
    scopes = _scopes(scopes, key_type)
    _refuse_overreach(scopes, key_type, place, by)
    return scopes


def revoke_all_of(user: User, place: Organization | Workspace, *, by: Actor) -> int:
    """Ends the personal keys somebody holds in a place they are being removed from; answers how many (P11).

    Part of that removal, which has asked for the right and holds the locks.
    """
    column = "organization" if isinstance(place, Organization) else "workspace"
    keys = ApiKey.objects.with_places().select_for_update(of=("self",)).not_revoked()
    ended = [_end(key, by=by) for key in keys.filter(user=user, **{column: place}).order_by("pk")]
    return len(ended)


def _make(place: Organization | Workspace, columns: dict[str, Any], by: Actor, **offered: str) -> Issued:
    """The row, its secret and its line, once everything has been asked and measured."""
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
    _record(Event.API_KEY_ISSUED, key, by, after=told)
    return Issued(key, made)


def _switch(key: ApiKey, status: ApiKey.Status, event: Event, version: int | None, by: Actor) -> ApiKey:
    key = _lock_key(key, by)
    gate.require(by, action_on(key.type, "update"), key.place)
    key.refuse_stale(version)
    if key.status == status:
        named = {"key": key, "status": text.amid(status.label)}
        raise Conflict(_("%(key)s is %(status)s already.") % named)
    key.revise({"status": status}, by=by)
    _record(event, key, by, before={"mask": key.mask})
    return key


def _end(key: ApiKey, *, by: Actor) -> ApiKey:
    key.revise({"status": ApiKey.Status.REVOKED}, by=by)
    _record(Event.API_KEY_REVOKED, key, by, before={"mask": key.mask})
    return key


def _lock(place: Organization | Workspace, by: Actor, *, even_archived: bool = False) -> Any:
    if isinstance(place, Organization):
        return organizations.lock(place, by)
    return workspaces.lock(place, by) if even_archived else workspaces.lock_open(place, by)


def _lock_key(key: ApiKey, by: Actor, *, even_archived: bool = False) -> ApiKey:
    """The key, held still after the places it is in. Raises Missing: a revoked key is not there any more (P25)."""
    place = _lock(key.place, by, even_archived=even_archived)
    held: ApiKey | None = ApiKey.objects.select_for_update().not_revoked().filter(pk=key.pk).first()
    if held is None:
        raise Missing("API key")
    held.organization = place if isinstance(place, Organization) else place.organization
    held.workspace = place if isinstance(place, Workspace) else None
    return held


def _type_of(place: Organization | Workspace, user: User | None) -> KeyType:
    if isinstance(place, Workspace):
        return KeyType.USER if user is not None else KeyType.WORKSPACE
    if user is not None:
        raise Invalid({"user_id": _("A key of the organization belongs to no person.")})
    return KeyType.ORGANIZATION


def _scopes(scopes: Any, key_type: KeyType) -> list[str]:
    if not isinstance(scopes, list) or not scopes or not all(isinstance(scope, str) for scope in scopes):
        raise Invalid({"scopes": _("At least one scope is needed.")})
    if wrong := not_allowed(scopes, key_type):
        told = {"type": key_type, "scopes": ", ".join(scope[:80] for scope in wrong[:10])}
        raise Invalid({"scopes": _("A %(type)s key cannot have: %(scopes)s.") % told})
    return sorted(set(scopes))


def _refuse_overreach(scopes: list[str], key_type: KeyType, place: Organization | Workspace, by: Actor) -> None:
    beyond = effective(scopes, key_type) - FREELY_GIVEN - by.actions_in(place)
    if beyond:
        raise Overreach("scopes", [action.value for action in beyond])


def _told(field: str, value: Any) -> Any:
    """A setting as the log keeps it: without people's addresses, which it could never forget (product 5.9)."""
    if field == "alert_emails":
        return len(value or [])
    return value.isoformat() if isinstance(value, datetime) else value


def _record(event: Event, key: ApiKey, by: Actor, **details: Any) -> None:
    log.record(
        event, actor=by, target=key, organization_id=key.organization_id, workspace_id=key.workspace_id, **details
    )


def _settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as they are kept. Raises Invalid; a setting there is not is a mistake of the caller's."""
    return {field: _CLEANED[field](value) for field, value in given.items()}


def _expiry(value: datetime | None) -> datetime | None:
    if value is not None and value <= now():
        raise Invalid({"expires_at": _("The expiry must lie in the future.")})
    return value


def _defaults(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise Invalid({"defaults": _("An object is needed here.")})
    limits.no_reference(value, "config_id")
    may_override = value.get("allow_config_override", True)
    if not isinstance(may_override, bool):
        raise Invalid({"defaults.allow_config_override": _("It must be true or false.")})
    metadata = value.get("metadata")
    return {"metadata": None if metadata is None else limits.metadata(metadata), "allow_config_override": may_override}


def _alert_emails(value: Any) -> list[str] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(address, str) for address in value):
        raise Invalid({"alert_emails": _("A list of e-mail addresses is needed here.")})
    if len(value) > ALERT_ADDRESSES:
        raise Invalid({"alert_emails": _("At most %(most)s addresses can be told.") % {"most": ALERT_ADDRESSES}})
    return [normalized(address, field="alert_emails") for address in value]


_CLEANED: Final[Mapping[str, Callable[[Any], Any]]] = {
    "description": text.description,
    "expires_at": _expiry,
    "defaults": _defaults,
    "rate_limits": lambda value: None if value is None else limits.rate_limits(value, limits.UNITS_OF_KEYS),
    "usage_limits": lambda value: None if value is None else limits.usage_limits(value),
    "alert_emails": _alert_emails,
}
