"""How allauth's second factors meet the product: sealed at rest, written down, told to the person by letter."""

from collections.abc import Iterable
from typing import Any, Final

import structlog
from allauth.core import context
from allauth.mfa import signals
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.translation import gettext as _

from apps.accounts import trail
from apps.accounts.models import User
from apps.audit.events import Event
from apps.core import sealing

_log = structlog.get_logger(__name__)
Kind: Final = Authenticator.Type
_HELD: Final = "_factors_held"
_REPLACED: Final = "_codes_are_replaced"


class FactorAdapter(DefaultMFAAdapter):
    """Seals what a factor must remember to the one person whose it is."""

    def encrypt(self, text: str) -> str:
        return sealing.seal(text, place=_place())

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return sealing.unseal(encrypted_text, place=_place())
        except sealing.Unreadable:
            _log.exception("factor_unreadable", person=str(_person().pk))
            raise self.validation_error("incorrect_code") from None

    def is_mfa_enabled(self, user: Any, types: Iterable[str] | None = None) -> bool:
        """As allauth's, with one query a request instead of one for each type that is asked about."""
        if user.is_anonymous:
            return False
        if not hasattr(user, _HELD):
            setattr(user, _HELD, set(Authenticator.objects.filter(user=user).values_list("type", flat=True)))
        held: set[str] = getattr(user, _HELD)
        return bool(held if types is None else held & set(types))

    def generate_authenticator_name(self, user: User, type: str) -> str:  # noqa: A002  # allauth's name for it
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return _("Passkey") if number == 1 else _("Passkey %(number)d") % {"number": number}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": "Gatehouse"}


def _place() -> str:
    return f"mfa.Authenticator.data:{_person().pk}"


def _person() -> User:
    """Whoever is signed in, or has given the password and is asked for the factor now."""
    request: Any = context.request
    person: User = request.user if request.user.is_authenticated else request._login_stage.login.user
    return person


def asked() -> User | None:
    """Whoever is asked for a factor, as far as it is known: nobody is who comes with a passkey alone."""
    request: Any = context.request
    stage = getattr(request, "_login_stage", None)
    signing_in = stage.login.user if stage is not None else None
    return request.user if request.user.is_authenticated else signing_in


@receiver(post_save, sender=Authenticator)
def _added(instance: Authenticator, created: bool, **more: Any) -> None:
    """Heard from the row itself: allauth's own signals come once it is committed, too late for a line of the log."""
    if created:
        is_anew = instance.type == Kind.RECOVERY_CODES and getattr(context.request, _REPLACED, False)
        _record(Event.ACCOUNT_RECOVERY_CODES_RENEWED if is_anew else Event.ACCOUNT_FACTOR_ADDED, instance)


@receiver(post_delete, sender=Authenticator)
def _removed(instance: Authenticator, **more: Any) -> None:
    others = Authenticator.objects.filter(user=instance.user_id).exclude(type=Kind.RECOVERY_CODES)
    if instance.type == Kind.RECOVERY_CODES and others.exists():
        setattr(context.request, _REPLACED, True)  # others come in their place
    else:
        _record(Event.ACCOUNT_FACTOR_REMOVED, instance)


@receiver(signals.authenticator_used)
def _used(request: HttpRequest, user: User, authenticator: Authenticator, **more: Any) -> None:
    if authenticator.type != Kind.RECOVERY_CODES:
        return
    authenticator.refresh_from_db()
    left = len(authenticator.wrap().get_unused_codes())
    _record(Event.ACCOUNT_RECOVERY_CODE_USED, authenticator, left=left)
    adapter = FactorAdapter()
    adapter.send_notification_mail("mfa/email/recovery_code_used", user, {"left": left})


@receiver([post_save, post_delete], sender=Authenticator)
def _forget(instance: Authenticator, **more: Any) -> None:
    user = instance._state.fields_cache.get("user")
    if hasattr(user, _HELD):
        delattr(user, _HELD)


def _record(event: Event, authenticator: Authenticator, **details: Any) -> None:
    """A line about what somebody does on allauth's pages; whatever else touches a factor has a line of its own."""
    if hasattr(context.request, "trail"):
        trail.record(event, context.request, authenticator.user, factor=str(authenticator.type), **details)
