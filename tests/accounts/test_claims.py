"""An address belongs to whoever proves it: a claim keeps nobody out, and half a change is none."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress, get_emailconfirmation_model
from django.core import mail
from django.test import Client

from apps.accounts.models import User
from tests.factories import PASSWORD, UserFactory
from tests.world import World

VICTIM = "victim@elsewhere.example"


def test_somebody_elses_claim_keeps_nobody_from_signing_up(world: World, client: Client) -> None:
    EmailAddress.objects.create(user=world.stranger, email=VICTIM, verified=False)
    client.post("/accounts/signup/", {"email": VICTIM, "password1": "a-long-and-odd-password"})
    assert User.objects.filter(email=VICTIM).exists()
    assert not EmailAddress.objects.filter(user=world.stranger, email=VICTIM).exists()


def test_an_address_that_became_somebodys_account_is_not_confirmed(world: World, sign_in: Any) -> None:
    claim = EmailAddress.objects.create(user=world.stranger, email=VICTIM, verified=False)
    key = get_emailconfirmation_model().create(claim).key
    UserFactory(email=VICTIM, verified=False)
    answer = sign_in(world.stranger).post(f"/accounts/confirm-email/{key}/")
    assert answer.status_code in {200, 302}
    claim.refresh_from_db()
    assert not claim.verified
    world.stranger.refresh_from_db()
    assert world.stranger.email != VICTIM


def test_letters_point_at_the_configured_address(db: None, client: Client, settings: Any) -> None:
    settings.BASE_URL, settings.ALLOWED_HOSTS = "https://gatehouse.example", ["other.example"]
    user = UserFactory(password=PASSWORD)
    client.post("/accounts/password/reset/", {"email": user.email}, headers={"host": "other.example"})
    assert "https://gatehouse.example/accounts/password/reset/key/" in mail.outbox[-1].body
    assert "other.example/accounts/password/reset/key/" not in mail.outbox[-1].body


@pytest.mark.parametrize("odd", ["\0", "\ud800", "x" * 5000])
def test_an_odd_name_is_an_error_of_the_form(client: Client, db: None, odd: str) -> None:
    sent = {"email": VICTIM, "password1": "a-long-and-odd-password", "first_name": odd}
    try:
        answer = client.post("/accounts/signup/", sent)
    except UnicodeEncodeError:
        return  # the browser itself cannot send it
    assert answer.status_code == 200
    assert not User.objects.filter(email=VICTIM).exists()
