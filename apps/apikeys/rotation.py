"""A new secret for a key that stays the same: by hand, by the calendar, and the end of the old one (contract 3.7).

By hand the new secret is in the answer. By the calendar nobody is there to be shown one, and none may lie anywhere
until somebody comes: the old secret starts to run out, people are told, and the new one is made when it is collected.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from apps.access import gate
from apps.access.actors import Actor, SystemActor, UserActor
from apps.access.scopes import KeyType
from apps.apikeys import keeping, notices, policy, schedule, secret
from apps.apikeys.models import ApiKey, Notice, action_on
from apps.apikeys.secret import Secret
from apps.audit.events import Event
from apps.core.clock import now
from apps.core.errors import Conflict, Invalid


class Rotated(NamedTuple):
    """A key with a new secret, for the one time it is shown, and until when the one before lives on."""

    key: ApiKey
    secret: Secret
    transition_ends_at: datetime | None


class InTransition(Conflict):
    """Two secrets are alive already, and there is never a third."""


@transaction.atomic
def rotate(key: ApiKey, *, transition: timedelta | None = None, version: int | None = None, by: Actor) -> Rotated:
    """Gives a key a new secret; the old one works on until the transition ends.

    Where the calendar has rotated the key already, this collects the secret that waits, and changes no date.
    Arguments: `transition` is how long both work: 30 minutes, or what the key's own policy says, unless given.
    Raises Forbidden; Overreach for a key one could not issue; InTransition; Conflict for a key that is let in nowhere;
    Invalid for a key that does not keep to the policy of its place.
    """
    key = keeping.lock_key(key, by)
    ask_to_rotate(key, by)
    key.refuse_stale(version)
    _refuse_at_rest(key)
    made = secret.new_key(KeyType(key.type))
    if key.awaits_collection:
        key.revise({**_secret(made), "awaits_collection": False}, by=by)
        keeping.record(Event.API_KEY_COLLECTED, key, by, after={"mask": key.mask})
        return Rotated(key, made, key.transition_ends_at if key.is_in_transition else None)
    if key.is_in_transition:
        raise InTransition(_("Two secrets of this key are alive. Wait until the old one has ended, or end it now."))
    policy.check(
        key.type,
        key.place,
        expires_at=key.expires_at,
        allowed_addresses=key.allowed_addresses,
        rotation=key.rotation_policy,
    )
    _turn(key, made, _length(key, transition), mode="manual", by=by)
    return Rotated(key, made, key.transition_ends_at)


@transaction.atomic
def rotate_by_calendar(key: ApiKey, *, by: SystemActor) -> bool:
    """Does what has become due: the old secret starts to run out, and the new one waits to be collected.

    Answers whether there was anything to do: a key that was rotated, revoked or changed meanwhile is left alone.
    """
    key = keeping.lock_key(key, by)
    is_due = key.next_rotation_at is not None and key.next_rotation_at <= now()
    if not is_due or key.is_in_transition or key.awaits_collection or not key.is_live:
        return False
    _turn(key, secret.new_key(KeyType(key.type)), _length(key, None), mode="auto", by=by)
    return True


@transaction.atomic
def end_transition(key: ApiKey, *, version: int | None = None, by: Actor) -> ApiKey:
    """Ends the old secret before its time. Raises Conflict when there is none."""
    key = keeping.lock_key(key, by)
    ask_to_rotate(key, by)
    key.refuse_stale(version)
    if not key.is_in_transition:
        raise Conflict(_("The old secret of %(key)s has ended already.") % {"key": key})
    before = {"mask": key.previous_mask}
    key.revise(NO_TRANSITION, by=by)
    keeping.record(Event.API_KEY_TRANSITION_ENDED, key, by, before=before)
    return key


NO_TRANSITION: dict[str, Any] = {"previous_digest": None, "previous_mask": "", "transition_ends_at": None}


def forget_ended_transitions() -> int:
    """Erases old secrets whose time is over; they open nothing any more either way. Answers how many.

    One by one, so that it holds no two keys at once: whoever ends many holds their organization.
    """
    over = ApiKey.objects.filter(transition_ends_at__lte=now())
    return sum(over.filter(pk=pk).update(**NO_TRANSITION) for pk in list(over.values_list("pk", flat=True)))


def _turn(key: ApiKey, made: Secret, transition: timedelta, *, mode: str, by: Actor) -> None:
    at, old = now(), key.mask
    key.revise(
        {
            "previous_digest": bytes(key.digest),
            "previous_mask": old,
            "transition_ends_at": at + transition,
            "last_rotated_at": at,
            "next_rotation_at": schedule.next_after(key.rotation_policy, at),
            "awaits_collection": mode == "auto",
            **_secret(made),
        },
        by=by,
    )
    told = {"rotation_mode": mode, "transition_ends_at": (at + transition).isoformat()}
    keeping.record(Event.API_KEY_ROTATED, key, by, before={"mask": old}, after={"mask": key.mask, **told})
    author = {"by_kind": by.kind, "by": by.id and str(by.id)}
    notices.owe(key, Notice.Kind.ROTATED, at, mode=mode, until=told["transition_ends_at"], **author)


def _secret(made: Secret) -> dict[str, Any]:
    return {"digest": made.digest, "pepper_version": secret.pepper_version(), "mask": made.mask}


def _length(key: ApiKey, asked: timedelta | None) -> timedelta:
    """How long both secrets work. Raises Invalid for a transition that is no shorter than the time between two."""
    rhythm = key.rotation_policy or {}
    length = schedule.transition_of(rhythm.get("key_transition_period_ms")) if asked is None else asked
    if not schedule.SHORTEST <= length <= schedule.LONGEST:
        raise Invalid({"transition": _("The old secret lives on for 30 minutes to 30 days.")})
    if asked is not None and rhythm:
        schedule.policy({**rhythm, "next_rotation_at": None, "key_transition_period_ms": _milliseconds(asked)})
    return length


def _milliseconds(length: timedelta) -> int:
    return length // timedelta(milliseconds=1)


def ask_to_rotate(key: ApiKey, by: Actor) -> None:
    """A rotation hands out a secret: it needs the right, and the right to issue that very key (product P12).

    Whose key it is needs neither: it can do nothing that they may not do themselves (P5).
    """
    if by.kind == UserActor.kind and by.id == key.user_id:
        return
    gate.require(by, action_on(key.type, "rotate"), key.place)
    keeping.refuse_overreach(key.scopes, KeyType(key.type), key.place, by)


def _refuse_at_rest(key: ApiKey) -> None:
    if key.status == ApiKey.Status.DISABLED:
        raise Conflict(_("%(key)s is disabled. Enable it first, or revoke it.") % {"key": key})
    if key.is_expired:
        raise Conflict(_("%(key)s has expired. Give it a later end first, or revoke it.") % {"key": key})
