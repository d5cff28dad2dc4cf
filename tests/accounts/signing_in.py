"""How the tests about accounts sign in: with the password, and with codes as an app makes them."""

import time
from typing import Any

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client

from apps.accounts.models import User
from tests.factories import PASSWORD

PERIOD = 30  # seconds


def code(secret: str, *, ahead: int = 0) -> str:
    """What an app with this secret shows now, or some half minutes from now."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD + ahead)))


def give_password(browser: Client, user: User) -> Any:
    return browser.post("/accounts/login/", {"login": user.email, "password": PASSWORD})


def signed_in(user: User) -> Client:
    browser = Client()
    give_password(browser, user)
    return browser


def recently(user: User) -> Client:
    """A browser in which the person has just proved that it is still them."""
    browser = signed_in(user)
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return browser


def with_app(user: User) -> tuple[Client, str, list[str]]:
    """A browser in which an app was set up, its secret, and the recovery codes shown on the way."""
    browser = recently(user)
    secret = browser.get("/accounts/2fa/totp/activate/").context["form"].secret
    shown = browser.post("/accounts/2fa/totp/activate/", {"code": code(secret)}, follow=True)
    return browser, secret, list(shown.context["unused_codes"])
