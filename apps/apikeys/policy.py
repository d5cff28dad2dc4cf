"""What an organization or a workspace asks of its API keys, and which of them do not keep to it (beyond 15).

A workspace can only ask for more than its organization. A policy binds whoever creates a key, changes what the policy
speaks of, or rotates it; how long a key lives is counted from then. The keys that were there before are listed, and
stay as they are: they can be renamed, disabled, enabled while there may be one more, and what the calendar has rotated
can be collected.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.access import gate
from apps.access.actions import Action
from apps.access.actors import Actor
from apps.access.scopes import KeyType
from apps.apikeys import schedule
from apps.apikeys.models import ApiKey
from apps.apikeys.querysets import ApiKeyQuerySet
from apps.audit import log
from apps.audit.events import Event
from apps.core.clock import now
from apps.core.errors import Conflict, Invalid
from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from apps.workspaces import operations as workspaces
from apps.workspaces.models import Workspace

Place = Organization | Workspace
MOST_DAYS, MOST_KEYS = 3650, 1_000_000


class OnLeak(models.TextChoices):
    """What the report of a leaked secret does, besides telling people."""

    TELL = "tell"
    DISABLE = "disable"


@dataclass(frozen=True)
class KeyPolicy:
    """What is asked of keys. None and False ask for nothing."""

    max_days: int | None = None
    expiry_required: bool = False
    max_keys: int | None = None
    service_only: bool = False
    addresses_required: bool = False
    # Of the organization alone: how often personal keys rotate, and what a leak report does (contract rule 48).
    rotation_days: int | None = None
    on_leak: str = OnLeak.DISABLE

    @classmethod
    def of(cls, place: Place) -> "KeyPolicy":
        """What the place itself asks."""
        return cls(**(place.key_policy or {}))

    @property
    def must_end(self) -> bool:
        return self.expiry_required or self.max_days is not None

    def ends_by(self) -> datetime | None:
        """The last moment a key that is made now may live to."""
        return None if self.max_days is None else now() + timedelta(days=self.max_days)

    def strictest(self, other: "KeyPolicy") -> "KeyPolicy":
        """What both ask together; how many keys there may be is counted for each place alone."""
        return replace(
            self,
            max_days=min((days for days in (self.max_days, other.max_days) if days is not None), default=None),
            expiry_required=self.expiry_required or other.expiry_required,
            service_only=self.service_only or other.service_only,
            addresses_required=self.addresses_required or other.addresses_required,
        )


OF_ORGANIZATIONS: Final = frozenset({"rotation_days", "on_leak"})


def binding(place: Place) -> KeyPolicy:
    """What keys of a place must keep to: what the organization asks, and the workspace on top."""
    if isinstance(place, Workspace):
        return KeyPolicy.of(place.organization).strictest(KeyPolicy.of(place))
    return KeyPolicy.of(place)


def check(key_type: str, place: Place, *, expires_at: datetime | None, allowed_addresses: Any, rotation: Any) -> None:
    """Raises Invalid, part by part, for what the policy of the place does not let a key be."""
    asked, errors = binding(place), {}
    latest = asked.ends_by()
    if asked.must_end and expires_at is None:
        errors["expires_at"] = _("Keys here must have an end.")
    elif latest is not None and expires_at is not None and expires_at > latest:
        errors["expires_at"] = _lifetime(asked.max_days or 0)
    if asked.service_only and key_type == KeyType.USER:
        errors["user_id"] = _("Only services have keys here: people hold none.")
    if asked.addresses_required and not allowed_addresses:
        errors["allowed_addresses"] = _("Keys here must say from which addresses they call.")
    if asked.rotation_days and key_type == KeyType.USER and rotation not in (None, cadence(asked.rotation_days)):
        errors["rotation_policy"] = _("The organization says how often personal keys rotate.")
    if errors:
        raise Invalid(errors)


def refuse_one_too_many(place: Place, *, besides: ApiKey | None = None) -> None:
    """Raises Conflict when a place, or the organization around it, has as many live keys as it may have.

    Arguments: `besides` is the key that is to be one more, where it is among them already.
    """
    organization = place.organization if isinstance(place, Workspace) else place
    around: list[Any] = [organization, place] if isinstance(place, Workspace) else [organization]
    for where in around:
        most = KeyPolicy.of(where).max_keys
        others = where.api_keys.live().in_open_places(organization).exclude(pk=besides.pk if besides else None)
        if most is not None and others.count() >= most:
            said = ngettext(
                "%(place)s may have %(most)d key, and has it. Revoke one first.",
                "%(place)s may have %(most)d keys, and has them. Revoke one first.",
                most,
            )
            raise Conflict(said % {"place": where, "most": most})


def cadence(days: int) -> dict[str, Any]:
    """The rotation policy that an organization's cadence gives every personal key."""
    made = schedule.policy({"rotation_period_days": days})
    assert made is not None  # noqa: S101 (a number of days is a policy)
    return made


@transaction.atomic
def change(place: Place, *, version: int | None = None, by: Actor, **given: Any) -> KeyPolicy:
    """Asks something else of the keys of a place; what is not named stays.

    Raises Forbidden, Stale, and Invalid for what makes no sense, or what only an organization can ask.
    """
    place = organizations.lock(place, by) if isinstance(place, Organization) else workspaces.lock_open(place, by)
    gate.require(by, _RIGHTS[type(place)], place)
    place.refuse_stale(version)
    before = KeyPolicy.of(place)
    after = wanted(place, **given)
    if after == before:
        return after
    place.revise({"key_policy": None if after == KeyPolicy() else asdict(after)}, by=by)
    if isinstance(place, Organization) and after.rotation_days != before.rotation_days:
        _set_cadence(place, after.rotation_days)
    changed = [field.name for field in fields(KeyPolicy) if getattr(before, field.name) != getattr(after, field.name)]
    log.record(
        Event.KEY_POLICY_CHANGED,
        actor=by,
        target=place,
        organization_id=place.organization_key,
        workspace_id=place.pk if isinstance(place, Workspace) else None,
        before={name: getattr(before, name) for name in changed},
        after={name: getattr(after, name) for name in changed},
    )
    return after


def wanted(place: Place, **given: Any) -> KeyPolicy:
    """The policy of a place as it would be with these parts changed: to look at before it is saved. Raises Invalid."""
    if isinstance(place, Workspace) and (alien := sorted(OF_ORGANIZATIONS & set(given))):
        raise Invalid({alien[0]: _("Only the organization can ask for this.")})
    for name, value in given.items():
        _CHECKS[name](name, value)
    return replace(KeyPolicy.of(place), **given)


def violators(place: Place, asked: KeyPolicy) -> dict[str, ApiKeyQuerySet]:
    """The live keys of a place that do not keep to a policy, by the part they do not keep to; empty parts left out."""
    live: Any = place.api_keys.live().in_open_places(place.organization if isinstance(place, Workspace) else place)
    broken = _broken(asked)
    return {name: live.filter(where) for name, where in broken.items()}


def violating(place: Place, asked: KeyPolicy) -> ApiKeyQuerySet:
    """All of them, each once."""
    live: Any = place.api_keys.live().in_open_places(place.organization if isinstance(place, Workspace) else place)
    rows: ApiKeyQuerySet = live.filter(_any(_broken(asked).values()))
    return rows


def _broken(asked: KeyPolicy) -> dict[str, Q]:
    broken: dict[str, Q] = {}
    if asked.must_end:
        broken["expiry_required"] = Q(expires_at=None)
    if asked.max_days is not None:
        broken["max_days"] = Q(expires_at__gt=asked.ends_by())
    if asked.service_only:
        broken["service_only"] = Q(type=KeyType.USER)
    if asked.addresses_required:
        broken["addresses_required"] = Q(allowed_addresses__isnull=True)
    return broken


def _any(conditions: Any) -> Q:
    found = Q(pk__in=[])
    for condition in conditions:
        found |= condition
    return found


def _set_cadence(organization: Organization, days: int | None) -> None:
    """Gives every personal key the new rhythm, counted from today, so that nobody's secret changes over night."""
    keys = ApiKey.objects.filter(organization=organization, type=KeyType.USER).not_revoked()
    rhythm = None if days is None else cadence(days)
    keys.update(rotation_policy=rhythm, next_rotation_at=schedule.first(rhythm), version=F("version") + 1)


def _lifetime(days: int) -> str:
    said = ngettext("Keys here live at most %(days)d day.", "Keys here live at most %(days)d days.", days)
    return said % {"days": days}


def _number(most: int) -> Any:
    def check(name: str, value: Any) -> None:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and not (is_number and 1 <= value <= most):
            raise Invalid({name: _("A whole number from 1 to %(most)d is needed here.") % {"most": most}})

    return check


def _flag(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise Invalid({name: _("It must be true or false.")})


def _leak(name: str, value: Any) -> None:
    if value not in OnLeak.values:
        raise Invalid({name: _("It must be one of: %(choices)s.") % {"choices": ", ".join(OnLeak.values)}})


_RIGHTS: Final = {Organization: Action.ORGANISATIONS_UPDATE, Workspace: Action.WORKSPACES_UPDATE}
_CHECKS: Final[Mapping[str, Any]] = {
    "max_days": _number(MOST_DAYS),
    "expiry_required": _flag,
    "max_keys": _number(MOST_KEYS),
    "service_only": _flag,
    "addresses_required": _flag,
    "rotation_days": _number(schedule.MOST_DAYS),
    "on_leak": _leak,
}
