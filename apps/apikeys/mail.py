"""Letters about keys: to whom they go, each in the reader's language and time, and each once (contract rule 50).

What a worker needs to continue where another stopped stands in the notice, as `delivery`, until everybody has been
told: who has been, as digests, so that no address is kept there; and until when nobody else tries. The row is locked
only to write that down, never while a mail server is waited for.
"""

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from smtplib import SMTPRecipientsRefused, SMTPResponseException
from typing import Any, Final, NamedTuple

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.crypto import salted_hmac

from apps.access.actors import UserActor
from apps.access.scopes import KeyType
from apps.accounts import locales
from apps.accounts.models import User
from apps.apikeys import letters, pace
from apps.apikeys.models import ApiKey, Notice, action_on
from apps.core.clock import now

LEASE: Final = timedelta(minutes=10)  # for one letter to leave
LONGEST_REST: Final = timedelta(hours=6)
GIVEN_UP_AFTER: Final = timedelta(days=7)
HOUR, AN_HOUR = 3600, 60  # letters of one organization to one address; the others wait for the next hour
PATIENCE: Final = 30  # seconds for a mail server to answer
_BEFORE: Final = frozenset({Notice.Kind.ROTATES_SOON, Notice.Kind.TRANSITION_ENDS_SOON, Notice.Kind.EXPIRES_SOON})
_ABOUT: Final = {
    Notice.Kind.ROTATES_SOON: "next_rotation_at",
    Notice.Kind.TRANSITION_ENDS_SOON: "transition_ends_at",
    Notice.Kind.EXPIRES_SOON: "expires_at",
    Notice.Kind.EXPIRED: "expires_at",
}
_log = structlog.get_logger(__name__)


class Reader(NamedTuple):
    """Somebody who is told: an address, and the account that has it, if one does."""

    address: str
    user: User | None

    @property
    def sign(self) -> str:
        """By which a notice remembers whom it has reached."""
        return salted_hmac("readers of notices", self.address).hexdigest()[:32]


def send(notice_id: int) -> None:
    """Tells everybody whom a notice has not reached yet. While another worker is at it, it is left alone.

    An address that fails keeps no other from its letter; it is tried again later, and given up after a week.
    """
    notice = _claim(notice_id)
    if notice is None:
        return
    if _tell_all(notice):
        _settle(notice)
    else:
        _rest(notice)


def readers_of(key: ApiKey) -> list[Reader]:
    """Owners and admins, the key's person while they belong to its place, and whom its settings name; each once."""
    memberships: Any = key.organization.memberships  # of the app above
    able = memberships.active().holding(action_on(KeyType.ORGANIZATION, "update")).select_related("user")
    people = {row.user.email: row.user for row in able.order_by("created_at", "pk") if row.user.is_active}
    if key.user is not None and UserActor(key.user).belongs_to(key.place):
        people[key.user.email] = key.user
    named = [address for address in key.alert_emails or [] if address not in people]
    known = {user.email: user for user in User.objects.filter(email__in=named, is_active=True)} if named else {}
    readers = [Reader(address, user) for address, user in people.items()]
    return readers + [Reader(address, known.get(address)) for address in dict.fromkeys(named)]


def is_owed(notice: Notice) -> bool:
    """Whether what it tells of is still so.

    A suspended organization hears nothing, nor does anybody of a key that is revoked; what was announced for another
    moment, or for one that has passed, is not announced any more.
    """
    key, field = notice.key, _ABOUT.get(Notice.Kind(notice.kind))
    if key.is_revoked or notice.organization.is_suspended:
        return False
    if notice.kind in _BEFORE and notice.about <= now():
        return False
    return field is None or getattr(key, field) == notice.about


def is_before(notice: Notice, name: str) -> bool:
    """Whether the moment that its delivery has under this name is yet to come."""
    at = notice.details.get("delivery", {}).get(name)
    return at is not None and now() < datetime.fromisoformat(at)


class _TakenOver(Exception):
    """Another worker has begun, as this one took so long."""


def _claim(notice_id: int) -> Notice | None:
    """The notice, for the one worker that may send it now."""
    with transaction.atomic():
        rows = Notice.objects.select_for_update(of=("self",)).select_related(
            "organization", "key__organization", "key__workspace__organization", "key__user"
        )
        notice = rows.filter(pk=notice_id, sent_at=None).first()
        if notice is None or is_before(notice, "resting_until"):
            return None
        if is_owed(notice) and notice.created_at > now() - GIVEN_UP_AFTER:
            write_down(notice, asked_until=None, resting_until=(now() + LEASE).isoformat())
            return notice
        notice.details["dropped"] = "unreached" if is_owed(notice) else "not so any more"
    _log.info("notice_dropped", notice=notice.pk, kind=notice.kind, why=notice.details["dropped"])
    _settle(notice)
    return None


def _tell_all(notice: Notice) -> bool:
    """Whether all who had not been told have been."""
    connection: BaseEmailBackend = get_connection(timeout=settings.EMAIL_TIMEOUT or PATIENCE)
    reached = True
    try:
        connection.open()
        for reader in _unreached(notice):
            reached &= _tell(notice, reader, connection)
    except (OSError, _TakenOver) as error:
        reached = False
        _log.warning("letters_stopped", notice=notice.pk, kind=notice.kind, error=type(error).__name__)
    finally:
        with suppress(OSError):
            connection.close()
    return reached


def _unreached(notice: Notice) -> Iterator[Reader]:
    told = set(notice.details["delivery"].get("told", []))
    return (reader for reader in readers_of(notice.key) if reader.sign not in told)


def _tell(notice: Notice, reader: Reader, connection: BaseEmailBackend) -> bool:
    """Whether it has left. Raises OSError where the server is gone, _TakenOver where this worker's time is over."""
    if notice.kind != Notice.Kind.LEAKED and pace.is_too_much(
        f"letters {notice.organization_id} {reader.address}", most=AN_HOUR, seconds=HOUR
    ):
        return False
    try:
        _written(notice, reader, connection).send()
    except Exception as error:  # whatever a mail backend raises, or the zone and language of one reader
        _log.warning("letter_refused", notice=notice.pk, kind=notice.kind, error=type(error).__name__)
        if isinstance(error, OSError) and not isinstance(error, (SMTPResponseException, SMTPRecipientsRefused)):
            raise
        return False
    _renew(notice, told=reader.sign)
    return True


def _written(notice: Notice, reader: Reader, connection: BaseEmailBackend) -> EmailMultiAlternatives:
    with _as_read_by(reader.user):
        letter = letters.letter(notice)
        written = EmailMultiAlternatives(
            subject=letter.subject,
            body=render_to_string("emails/key_notice.txt", {"letter": letter}),
            to=[reader.address],
            connection=connection,
        )
        written.attach_alternative(render_to_string("emails/key_notice.html", {"letter": letter}), "text/html")
    return written


def _as_read_by(reader: User | None) -> ExitStack:
    """The language and zone of the reader's account; the installation's where there is none."""
    chosen = reader.language if reader is not None and locales.is_language(reader.language) else settings.LANGUAGE_CODE
    both = ExitStack()
    both.enter_context(translation.override(chosen))
    both.enter_context(timezone.override(locales.zone(reader.timezone) if reader is not None else None))
    return both


def _renew(notice: Notice, *, told: str) -> None:
    """Notes whom a letter has reached, and takes time for the next one. Raises _TakenOver."""
    with transaction.atomic():
        held = _held(notice)
        if held is None:
            raise _TakenOver
        reached = [*held.details["delivery"].get("told", []), told]
        write_down(held, told=reached, resting_until=(now() + LEASE).isoformat())
    notice.details = held.details


def _rest(notice: Notice) -> None:
    """Leaves the notice for later, longer each time."""
    with transaction.atomic():
        held = _held(notice)
        if held is not None:
            tries = held.details["delivery"].get("tries", 0) + 1
            rest = min(LEASE * 2 ** min(tries - 1, 10), LONGEST_REST)
            write_down(held, tries=tries, resting_until=(now() + rest).isoformat())


def _settle(notice: Notice) -> None:
    """Nobody is left to tell, or nothing to tell of."""
    notice.details.pop("delivery", None)
    Notice.objects.filter(pk=notice.pk).update(sent_at=now(), details=notice.details)


def _held(notice: Notice) -> Notice | None:
    """The notice, locked, if it is still this worker's."""
    held = Notice.objects.select_for_update().filter(pk=notice.pk, sent_at=None).first()
    mine = notice.details["delivery"]["resting_until"]
    return held if held is not None and held.details.get("delivery", {}).get("resting_until") == mine else None


def write_down(notice: Notice, **progress: Any) -> None:
    """Notes how far its delivery has come. Call it with the row locked."""
    notice.details["delivery"] = {**notice.details.get("delivery", {}), **progress}
    notice.save(update_fields=["details"])
