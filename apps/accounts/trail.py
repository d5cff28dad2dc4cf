"""What allauth does with accounts, written into the log of the installation: sign-ins, passwords and addresses."""

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
            _record(Event.ACCOUNT_SESSIONS_ENDED, self.request, sessions[0].user, sessions=len(sessions))


def sign_in_refused(request: HttpRequest | None, person: User | None, how: str) -> None:
    """Writes down a password, a code or a passkey that was wrong. What was typed is kept nowhere."""
    by = NobodyActor(_origin(request))
    refusals.note(Event.SIGN_IN_REFUSED, _UNAUTHORIZED, actor=by, target=person, how=how)


@receiver(signals.user_signed_up)
def _signed_up(request: HttpRequest, user: User, **more: Any) -> None:
    _record(Event.ACCOUNT_SIGNED_UP, request, user)


@receiver(signals.user_logged_in)
def _signed_in(request: HttpRequest, user: User, **more: Any) -> None:
    _record(Event.ACCOUNT_SIGNED_IN, request, user)


@receiver(user_logged_out)
def _signed_out(request: HttpRequest, user: User | None, **more: Any) -> None:
    if user is not None:
        _record(Event.ACCOUNT_SIGNED_OUT, request, user)


@receiver([signals.password_changed, signals.password_set])
def _changed_password(request: HttpRequest, user: User, **more: Any) -> None:
    _record(Event.ACCOUNT_PASSWORD_CHANGED, request, user, how="account")


@receiver(signals.password_reset)
def _reset_password(request: HttpRequest, user: User, **more: Any) -> None:
    _record(Event.ACCOUNT_PASSWORD_CHANGED, request, user, how="letter")


@receiver(signals.email_added)
def _added_address(request: HttpRequest, user: User, email_address: EmailAddress, **more: Any) -> None:
    _record(Event.ACCOUNT_ADDRESS_ADDED, request, user, names={"address_added": email_address.email})


@receiver(signals.email_removed)
def _removed_address(request: HttpRequest, user: User, email_address: EmailAddress, **more: Any) -> None:
    _record(Event.ACCOUNT_ADDRESS_REMOVED, request, user, names={"address_removed": email_address.email})


@receiver(signals.email_changed)
def _changed_address(request: HttpRequest, user: User, from_email_address: Any, **more: Any) -> None:
    before = {"address_before": from_email_address.email} if from_email_address else {}
    _record(Event.ACCOUNT_ADDRESS_CHANGED, request, user, names=before)


@receiver(signals.email_confirmed)
def _proved_address(request: HttpRequest, email_address: EmailAddress, **more: Any) -> None:
    _record(Event.ACCOUNT_ADDRESS_VERIFIED, request, email_address.user)


@transaction.atomic
def _record(event: Event, request: HttpRequest | None, user: User, **facts: Any) -> None:
    log.record(event, actor=UserActor(user, _origin(request)), target=user, organization_id=None, **facts)


def _origin(request: HttpRequest | None) -> Origin:
    return getattr(request, "origin", NOWHERE)
