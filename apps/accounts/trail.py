"""What allauth does with accounts, written into the log of the installation: sign-ins, passwords and addresses."""

from collections.abc import Callable
from functools import partial
from typing import Any

from allauth.account import signals
from allauth.account.models import EmailAddress
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from apps.access.actors import NOWHERE, NobodyActor, Origin, UserActor
from apps.accounts.models import User
from apps.audit import log, refusals
from apps.audit.events import Event

_UNAUTHORIZED = 401


class SessionsAdapter(DefaultUserSessionsAdapter):
    """As allauth's, which writes nothing down."""

    @transaction.atomic
    def end_sessions(self, sessions: list[UserSession]) -> None:
        super().end_sessions(sessions)
        if sessions:
            record(Event.ACCOUNT_SESSIONS_ENDED, self.request, sessions[0].user, sessions=len(sessions))


class Trail:
    """What a request leaves in the log: lines as the last act of its transaction, refusals once that has ended.

    A letter may be on its way meanwhile, and the end of the installation's log is not locked for as long.
    """

    def __init__(self) -> None:
        self.lines: list[Callable[[], object]] = []
        self.refusals: list[Callable[[], object]] = []


def sign_in_refused(request: HttpRequest | None, person: User | None, how: str) -> None:
    """Writes down a password, a code or a passkey that was wrong. What was typed is kept nowhere."""
    by = NobodyActor(_origin(request))
    note = partial(refusals.note, Event.SIGN_IN_REFUSED, _UNAUTHORIZED, actor=by, target=person, how=how)
    trail: Trail | None = getattr(request, "trail", None)
    if trail is None:
        note()
    else:
        trail.refusals.append(note)


def record(event: Event, request: HttpRequest | None, user: User, **facts: Any) -> None:
    """Writes down what became of an account, in the transaction of the request."""
    by = UserActor(user, _origin(request))
    write = partial(_write, event, actor=by, target=user, organization_id=None, **facts)
    trail: Trail | None = getattr(request, "trail", None)
    if trail is None:
        write()
    else:
        trail.lines.append(write)


@receiver(signals.user_signed_up)
def _signed_up(request: HttpRequest, user: User, **more: Any) -> None:
    record(Event.ACCOUNT_SIGNED_UP, request, user)


@receiver(signals.user_logged_in)
def _signed_in(request: HttpRequest, user: User, **more: Any) -> None:
    record(Event.ACCOUNT_SIGNED_IN, request, user)


@receiver(user_logged_out)
def _signed_out(request: HttpRequest, user: User | None, **more: Any) -> None:
    if user is not None:
        record(Event.ACCOUNT_SIGNED_OUT, request, user)


@receiver([signals.password_changed, signals.password_set])
def _changed_password(request: HttpRequest, user: User, **more: Any) -> None:
    record(Event.ACCOUNT_PASSWORD_CHANGED, request, user, how="account")


@receiver(signals.password_reset)
def _reset_password(request: HttpRequest, user: User, **more: Any) -> None:
    record(Event.ACCOUNT_PASSWORD_CHANGED, request, user, how="letter")


@receiver(signals.email_added)
def _added_address(request: HttpRequest, user: User, email_address: EmailAddress, **more: Any) -> None:
    record(Event.ACCOUNT_ADDRESS_ADDED, request, user, names={"address_added": email_address.email})


@receiver(signals.email_removed)
def _removed_address(request: HttpRequest, user: User, email_address: EmailAddress, **more: Any) -> None:
    record(Event.ACCOUNT_ADDRESS_REMOVED, request, user, names={"address_removed": email_address.email})


@receiver(signals.email_changed)
def _changed_address(request: HttpRequest, user: User, from_email_address: Any, **more: Any) -> None:
    before = {"address_before": from_email_address.email} if from_email_address else {}
    record(Event.ACCOUNT_ADDRESS_CHANGED, request, user, names=before)


@receiver(signals.email_confirmed)
def _proved_address(request: HttpRequest, email_address: EmailAddress, **more: Any) -> None:
    record(Event.ACCOUNT_ADDRESS_VERIFIED, request, email_address.user)


@transaction.atomic
def _write(event: Event, **facts: Any) -> None:
    log.record(event, **facts)


def _origin(request: HttpRequest | None) -> Origin:
    return getattr(request, "origin", NOWHERE)
