"""Founds an organization without a browser, for automated installations; prints one JSON object."""

import json
import os
from argparse import ArgumentTypeError
from datetime import timedelta
from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.urls import reverse

from apps.access.actions import Action
from apps.access.actors import Origin, SystemActor
from apps.accounts import operations as accounts
from apps.accounts.addresses import normalized
from apps.accounts.models import User
from apps.core.clock import now, wire
from apps.core.errors import Conflict, DomainError, Invalid
from apps.onboarding import operations as onboarding

PASSWORD = "BOOTSTRAP_PASSWORD"


class Command(BaseCommand):
    help = (
        "Found an organization for a person, who is made if there is no such account, and print their ids and the "
        f"master key as JSON. The person's password is read from {PASSWORD}; without it a link to set one is printed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", required=True)
        parser.add_argument("--organization", required=True, help="the organization's name")
        parser.add_argument("--no-master-key", action="store_true")
        parser.add_argument("--key-expires-in-days", type=_days, default=90, help="a number of days, or: never")

    def handle(
        self, *args: Any, email: str, organization: str, no_master_key: bool, key_expires_in_days: int, **options: Any
    ) -> None:
        try:
            answer = _bootstrap(email, organization, not no_master_key, key_expires_in_days)
        except DomainError as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(json.dumps(answer, indent=2))


@transaction.atomic
def _bootstrap(email: str, name: str, with_master_key: bool, days: int) -> dict[str, Any]:
    by = SystemActor(reason="bootstrap", actions=Action, origin=Origin(door="command"))
    person = _person(email)
    expires_at = now() + timedelta(days=days) if days else None
    founded = onboarding.found_organization(
        person, name=name, with_master_key=with_master_key, key_expires_at=expires_at, by=by
    )
    key = founded.master_key
    return {
        "person": {
            "id": str(person.pk),
            "email": person.email,
            "set_password_link": None if person.has_usable_password() else _set_password_link(person),
        },
        "organization": {"id": str(founded.organization.pk), "slug": founded.organization.slug, "name": name},
        "workspace": {"id": str(founded.workspace.pk), "slug": founded.workspace.slug, "name": founded.workspace.name},
        "master_key": key and {"id": str(key.key.pk), "key": key.secret.clear, "expires_at": wire(key.key.expires_at)},
    }


def _person(email: str) -> User:
    """The account with this address, or a new one. Raises Conflict where somebody else may have taken the address."""
    known = User.objects.filter(email=normalized(email)).first()
    if known is not None and not accounts.has_verified_address(known):
        raise Conflict(f"There is an account with {known.email} whose owner has not proved that the address is theirs.")
    return known or _new_person(email, os.environ.get(PASSWORD) or None)


def _new_person(email: str, password: str | None) -> User:
    try:
        if password is not None:
            validate_password(password)
    except ValidationError as refusal:
        raise Invalid({PASSWORD: " ".join(refusal.messages)}) from None
    user = User.objects.create_user(email, password)
    accounts.prove_address(user)  # whoever runs commands here has nothing to prove
    return user


def _set_password_link(user: User) -> str:
    parts = {"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)}
    return f"{settings.BASE_URL}{reverse('account_reset_password_from_key', kwargs=parts)}"


def _days(text: str) -> int:
    """A number of days; 0 for never."""
    if text == "never":
        return 0
    if not text.isdecimal() or not 1 <= int(text) <= 3650:
        raise ArgumentTypeError("a number of days from 1 to 3650 is needed, or: never")
    return int(text)
