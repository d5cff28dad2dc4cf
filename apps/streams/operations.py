"""What can happen to a stream. Nothing is sent and no name is resolved while a lock is held."""

import uuid
from datetime import timedelta
from typing import Any, Final, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from apps.access import gate
from apps.access.actions import Action
from apps.access.actors import Actor
from apps.audit import log
from apps.audit.events import Event
from apps.audit.models import AuditEvent, AuditHead
from apps.core import text
from apps.core.clock import now
from apps.core.errors import Conflict, Invalid, Missing, TooMany
from apps.core.models import Row, new_id
from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from apps.streams import destinations, events, sending, signing
from apps.streams.models import Stream
from apps.streams.sending import Outcome
from apps.streams.signing import Secret

MOST: Final = 10
TESTS, PER = 10, timedelta(minutes=1)
# Whoever has lines sent somewhere can read them there.
NEEDED: Final = (Action.ORGANISATIONS_UPDATE, Action.AUDIT_LOGS_LIST)
_AFRESH: Final = {"attempts": 0, "next_try_at": None, "last_error": ""}


class Made(NamedTuple):
    """A stream, and its secret if it has a new one: the only time that anybody sees it."""

    stream: Stream
    secret: Secret | None = None


class AlreadyMade(Conflict):
    """The form was sent twice. The first time made the stream, and showed its secret."""

    def __init__(self, stream: Stream) -> None:
        super().__init__(_("%(stream)s is there already.") % {"stream": stream})
        self.stream = stream


def create(
    organization: Organization,
    *,
    name: str,
    url: str,
    from_start: bool = False,
    once: uuid.UUID | None = None,
    by: Actor,
) -> Made:
    """A new stream, from the next line on or from the first that is kept.

    Arguments: `once` is the id it will have; a second call with the same raises AlreadyMade.
    """
    _require(organization, by)
    name = text.name(name)
    destination = destinations.checked(url)
    stream = Stream(
        pk=once or new_id(),
        organization=organization,
        name=name,
        kind=destinations.kind_of(destination),
        url=url.strip(),
        **Row.authored(by),
    )
    return _create(stream, from_start=from_start, by=by)


@transaction.atomic
def _create(stream: Stream, *, from_start: bool, by: Actor) -> Made:
    organization = _locked(stream.organization, by)
    if twin := organization.streams.filter(pk=stream.pk).first():
        raise AlreadyMade(twin)
    if organization.streams.count() >= MOST:
        raise Conflict(
            _("There are %(most)d streams already, and that is the most. Delete one first.") % {"most": MOST}
        )
    secret = signing.new_secret() if stream.is_signed else None
    stream.sealed_secret = signing.seal(secret, stream) if secret else ""
    head = _head(organization)
    stream.position = 0 if from_start else head.sequence
    stream.save(force_insert=True)
    _follow(organization)
    _record(Event.STREAM_CREATED, stream, by, after={"kind": str(stream.kind), "url": stream.origin})
    return Made(stream, secret)


def update(stream: Stream, *, name: str, url: str, version: int | None = None, by: Actor) -> Made:
    """Renames it, or has it sent elsewhere. To another host it goes with another secret: the old one stays behind."""
    _require(stream.organization, by)
    name, url = text.name(name), url.strip()
    if url != stream.url:
        destination = destinations.checked(url)
        if destinations.kind_of(destination) != stream.kind:
            raise Invalid({"url": _("A stream stays what it is. Create another one for the other kind of address.")})
    return _update(stream, name=name, url=url, version=version, by=by)


@transaction.atomic
def _update(stream: Stream, *, name: str, url: str, version: int | None, by: Actor) -> Made:
    stream = _held(stream, by)
    stream.refuse_stale(version)
    secret, origin, changes = None, stream.origin, {"name": name, "url": url}
    moved = Stream(pk=stream.pk, url=url)
    if stream.is_signed and moved.origin != origin:
        secret = signing.new_secret()
        changes["sealed_secret"] = signing.seal(secret, moved)
    changed = stream.revise(changes, by=by)
    if "url" in changed:
        Stream.objects.filter(pk=stream.pk).update(**_AFRESH)
    if changed:
        shown = {"name": name, "url": moved.origin, "sealed_secret": "new"}
        after = {_called(field): shown[field] for field in changed}
        before = {"name": changed["name"][0]} if "name" in changed else {}
        before |= {"url": origin} if "url" in changed else {}
        _record(Event.STREAM_UPDATED, stream, by, before=before, after=after)
    return Made(stream, secret)


@transaction.atomic
def rotate_secret(stream: Stream, *, version: int | None = None, by: Actor) -> Made:
    """Another secret from the next attempt on; what the receiver refuses until it knows it is sent again."""
    stream = _held(stream, by)
    stream.refuse_stale(version)
    if not stream.is_signed:
        raise Conflict(_("Syslog is not signed, so there is no secret to rotate."))
    secret = signing.new_secret()
    stream.revise({"sealed_secret": signing.seal(secret, stream)}, by=by)
    _record(Event.STREAM_UPDATED, stream, by, after={"secret": "new"})
    return Made(stream, secret)


@transaction.atomic
def pause(stream: Stream, *, because: str = "", version: int | None = None, by: Actor) -> Stream:
    """Nothing is sent until it is resumed; what happens meanwhile waits in the log."""
    facts = {"because": because} if because else {}
    return _turn(stream, Stream.Status.PAUSED, Event.STREAM_PAUSED, version=version, by=by, **facts)


@transaction.atomic
def resume(stream: Stream, *, version: int | None = None, by: Actor) -> Stream:
    """Goes on where it was, at once."""
    resumed = _turn(stream, Stream.Status.ACTIVE, Event.STREAM_RESUMED, version=version, by=by)
    Stream.objects.filter(pk=stream.pk).update(**_AFRESH)
    return resumed


def test(stream: Stream, *, by: Actor) -> Outcome:
    """Sends an event that never happened, now, and says what came back."""
    stream = _tested(stream, by)
    return sending.send(stream, events.trial(stream))


@transaction.atomic
def _tested(stream: Stream, by: Actor) -> Stream:
    stream = _held(stream, by)
    lately = AuditEvent.objects.filter(
        chain=stream.organization_id, event=Event.STREAM_TESTED, at__gt=now() - PER
    ).count()
    if lately >= TESTS:
        raise TooMany(_("That is enough tests for now. Try again in a minute."), wait=int(PER.total_seconds()))
    _record(Event.STREAM_TESTED, stream, by)
    return stream


@transaction.atomic
def send_again(stream: Stream, *, sequence: int | None = None, by: Actor) -> int:
    """Has what could not be delivered sent once more, one line or all of them. Returns how many."""
    stream = _held(stream, by)
    if stream.is_paused:
        raise Conflict(_("%(stream)s is paused. Resume it first.") % {"stream": stream})
    left = stream.undelivered.filter(is_wanted=False)
    wanted = (left if sequence is None else left.filter(sequence=sequence)).update(is_wanted=True)
    if not wanted:
        raise Conflict(_("There is nothing to send again."))
    Stream.objects.filter(pk=stream.pk).update(next_try_at=None)
    _record(Event.STREAM_RESENT, stream, by, count=wanted)
    return wanted


@transaction.atomic
def delete(stream: Stream, *, version: int | None = None, by: Actor) -> None:
    """Ends it, with its secret and what it had not delivered. The log itself is untouched."""
    stream = _held(stream, by)
    stream.refuse_stale(version)
    left = stream.undelivered.count()
    Stream.objects.filter(pk=stream.pk).delete()
    _follow(stream.organization)
    before = {"kind": stream.kind, "url": stream.origin, "position": stream.position, "undelivered": left}
    _record(Event.STREAM_DELETED, stream, by, before=before)


def _turn(
    stream: Stream, status: Stream.Status, event: Event, *, version: int | None, by: Actor, **facts: str
) -> Stream:
    stream = _held(stream, by)
    stream.refuse_stale(version)
    if not stream.revise({"status": status}, by=by):
        told = _("%(stream)s is paused already.") if stream.is_paused else _("%(stream)s is sent to already.")
        raise Conflict(told % {"stream": stream})
    _follow(stream.organization)
    _record(event, stream, by, **facts)
    return stream


def _require(organization: Organization, by: Actor) -> None:
    for action in NEEDED:
        gate.require(by, action, organization)


def _locked(organization: Organization, by: Actor) -> Organization:
    organization = organizations.lock(organization, by)
    _require(organization, by)
    return organization


def _held(stream: Stream, by: Actor) -> Stream:
    """The stream as it is now, held still until the transaction ends. Raises Missing when it is gone."""
    organization = _locked(stream.organization, by)
    held: Stream | None = organization.streams.select_for_update(no_key=True).filter(pk=stream.pk).first()
    if held is None:
        raise Missing("stream")
    held.organization = organization
    return held


def _head(organization: Organization) -> AuditHead:
    """The end of the organization's chain, held still: the last of all rows."""
    AuditHead.objects.bulk_create([AuditHead(chain=organization.pk)], ignore_conflicts=True)
    return AuditHead.objects.select_for_update(no_key=True).get(chain=organization.pk)


def _follow(organization: Organization) -> None:
    """Has the chain say of each new line, as long as there is a stream that it is sent to."""
    is_streamed = organization.streams.filter(status=Stream.Status.ACTIVE).exists()
    _head(organization)
    AuditHead.objects.filter(chain=organization.pk).update(is_streamed=is_streamed)


def _record(event: Event, stream: Stream, by: Actor, **facts: Any) -> None:
    log.record(event, actor=by, target=stream, organization_id=stream.organization_id, **facts)


def _called(field: str) -> str:
    return "secret" if field == "sealed_secret" else field
