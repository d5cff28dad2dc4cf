"""What can happen to the person's account itself."""

from typing import Any

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils.translation import gettext as _

from apps.access.actors import Actor, UserActor
from apps.accounts import locales
from apps.accounts.models import User
from apps.audit import log
from apps.audit.events import Event
from apps.core import text
from apps.core.errors import Conflict, Invalid, Missing

PERSON_NAME_LENGTH = 150


def lock(user: User) -> User:
    """The person, held still, before any organization: nobody is shut out while they become somebody (P2).

    Raises Conflict for somebody who is shut out already.
    """
    held = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if not held.is_active:
        raise Conflict(_("%(person)s is deactivated already.") % {"person": held})
    return held


def has_verified_address(user: User) -> bool:
    """Whether somebody has proved that they read this person's mailbox."""
    return bool(EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists())


def is_taken(address: str, *, by_other_than: User) -> bool:
    """Whether the address is the name of another account."""
    return User.objects.filter(email=address).exclude(pk=by_other_than.pk).exists()


def drop_claims(address: str) -> None:
    """Forgets that others meant to change to this address and never proved it: a claim keeps nobody from signing up."""
    EmailAddress.objects.filter(email=address, verified=False).exclude(user__email=address).delete()


def prove_address(user: User) -> None:
    """Notes that the mailbox was read: a letter sent there came back with its token (product P14)."""
    drop_claims(user.email)
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})


@transaction.atomic
def rename(user: User, *, first_name: str, last_name: str, by: Actor) -> User:
    """What a person wants to be called; both parts may be empty. It is theirs alone to say (P21).

    Raises Missing for anybody else, Invalid.
    """
    _refuse_others(user, by)
    user.first_name = person_name(first_name, field="first_name")
    user.last_name = person_name(last_name, field="last_name")
    user.save(update_fields=["first_name", "last_name"])
    log.record(Event.ACCOUNT_RENAMED, actor=by, target=user, organization_id=None)
    return user


@transaction.atomic
def choose_locale(user: User, *, language: str, timezone: str, by: Actor) -> User:
    """The language the pages speak to a person and the time they tell; empty leaves it to the browser, and to UTC.

    Raises Missing for anybody else, Invalid.
    """
    _refuse_others(user, by)
    if language and not locales.is_language(language):
        raise Invalid({"language": _("The pages are not written in this language.")})
    if timezone and not locales.is_zone(timezone):
        raise Invalid({"timezone": _("There is no such time zone.")})
    if (user.language, user.timezone) != (language, timezone):
        user.language, user.timezone = language, timezone
        user.save(update_fields=["language", "timezone"])
        log.record(Event.ACCOUNT_LOCALE_CHANGED, actor=by, target=user, organization_id=None)
    return user


def person_name(value: str, *, field: str) -> str:
    """One part of a person's name as it is kept. Raises Invalid."""
    value = text.name(value, field=field) if value.strip() else ""
    if len(value) > PERSON_NAME_LENGTH:
        message = _("This part of a name has at most %(number)d characters.") % {"number": PERSON_NAME_LENGTH}
        raise Invalid({field: message})
    return value


@transaction.atomic
def prefer(user: User, key: str, value: Any, *, by: Actor) -> None:
    """Keeps what a person has chosen to see. It changes nothing for anybody else, so no line is written.

    Raises Missing for anybody else.
    """
    _refuse_others(user, by)
    held = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    user.preferences = {**held.preferences, key: value}
    user.save(update_fields=["preferences"])


def _refuse_others(user: User, by: Actor) -> None:
    if by.kind != UserActor.kind or by.id != user.pk:
        raise Missing("account")
