"""A person's own account in a real browser: passkeys with a made-up device, the app, and every page of it."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from tests.accounts.signing_in import code
from tests.browser.conftest import Visitor
from tests.factories import PASSWORD
from tests.world import Company, World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGES = [
    "/?all=1",
    "/account/",
    "/account/organizations/",
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/sessions/",
    "/accounts/2fa/",
    "/accounts/2fa/webauthn/",
]
AFTER_THE_PASSWORD = [
    "/account/close/",
    "/accounts/2fa/totp/activate/",
    "/accounts/2fa/webauthn/add/",
]


def with_device(somebody: Visitor) -> Any:
    """Plugs in a device that always says yes, and answers the session that can look into it."""
    session = somebody.context.new_cdp_session(somebody.page)
    session.send("WebAuthn.enable", {"enableUI": False})
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session


def sign_in(page: Page, user: User) -> None:
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def give_password(page: Page) -> None:
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()


def test_a_passkey_is_added_and_signs_in_alone(visitor: Any, acme: Company) -> None:
    somebody = visitor(acme.bystander)
    with_device(somebody)
    page = somebody.go("/accounts/2fa/webauthn/add/")
    give_password(page)
    page.get_by_label("Name").fill("Laptop <b>")
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_role("heading", name="Keep these now")).to_be_visible()
    somebody.look()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("Laptop <b>").first).to_be_visible()
    expect(page.get_by_text("Needs no password")).to_be_visible()
    somebody.look()

    somebody.go("/accounts/logout/").get_by_role("button", name="Sign out").last.click()
    somebody.go("/accounts/login/?next=/account/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()
    assert somebody.troubles == []


def test_a_passkey_is_the_second_step_and_proves_that_it_is_still_you(visitor: Any, acme: Company) -> None:
    somebody = visitor(acme.bystander)
    device = with_device(somebody)
    page = somebody.go("/accounts/2fa/webauthn/add/")
    give_password(page)
    page.get_by_label("Sign in with it alone").uncheck()
    page.get_by_role("button", name="Add passkey").click()
    page.get_by_role("link", name="I have kept them").click()

    somebody.go("/accounts/logout/").get_by_role("button", name="Sign out").last.click()
    sign_in(somebody.go("/accounts/login/?next=/accounts/2fa/"), acme.bystander)
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    somebody.look()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Second factors")).to_be_visible()

    page.get_by_role("link", name="Remove").click()
    page.get_by_role("link", name="Use a passkey").click()
    somebody.look()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Remove Passkey")).to_be_visible()
    somebody.look()
    page.get_by_role("button", name="Remove passkey").click()
    expect(page.get_by_text("You have no passkey")).to_be_visible()
    assert device is not None


def test_a_device_that_gives_nothing_is_said_and_tried_again(visitor: Any, acme: Company) -> None:
    somebody = visitor()
    session = with_device(somebody)
    page = somebody.go("/accounts/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("The browser gave no passkey")).to_be_visible()
    somebody.look()
    assert session is not None


@pytest.mark.parametrize("scripts", [True, False])
def test_the_app_is_set_up_and_asked_for(visitor: Any, acme: Company, scripts: bool) -> None:
    somebody = visitor(acme.bystander, scripts=scripts)
    page = somebody.go("/accounts/2fa/totp/activate/")
    give_password(page)
    expect(page.get_by_alt_text("QR code")).to_be_visible()
    secret = page.get_by_label("Or type this secret into it").input_value().replace(" ", "")
    page.get_by_label("The six digits it shows now").fill(code(secret))
    page.get_by_role("button", name="Turn on the app").click()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download").click()
    codes = downloading.value.path().read_text().split("\n")
    assert len([line for line in codes if line]) == 10

    somebody.go("/accounts/logout/").locator("main").get_by_role("button", name="Sign out").click()
    sign_in(somebody.go("/accounts/login/"), acme.bystander)
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="One more step")).to_be_hidden()
    somebody.go("/accounts/2fa/")
    expect(page.get_by_text("9 left")).to_be_visible()


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_every_page_is_right(visitor: Any, world: World, theme: str, width: int) -> None:
    long = "Wolfeschlegelsteinhausenbergerdorff" * 3
    User.objects.filter(pk=world.acme.member.pk).update(first_name="\u05e9\u05dc\u05d5\u05dd", last_name=long)
    somebody = visitor(world.acme.member, theme=theme, width=width)
    for path in PAGES:
        somebody.go(path)
        somebody.look()
    give_password(somebody.go(AFTER_THE_PASSWORD[0]))
    for path in AFTER_THE_PASSWORD:
        somebody.go(path)
        somebody.look()


def test_the_time_zone_of_the_browser_is_offered_and_not_taken(visitor: Any, acme: Company) -> None:
    somebody = visitor(acme.member)
    page = somebody.page
    somebody.context.new_cdp_session(page).send("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Tokyo"})
    somebody.go("/account/")
    expect(page.get_by_label("Time zone")).to_have_value("")
    expect(page.get_by_text(re.compile("clock is set to Tokyo"))).to_be_visible()
    somebody.look()
    page.get_by_role("button", name="Choose it").click()
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Tokyo")
    page.get_by_role("button", name="Save language and time").click()
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Tokyo")


@pytest.mark.parametrize("scripts", [True, False])
def test_the_language_is_chosen_at_the_entrance(visitor: Any, world: World, scripts: bool) -> None:
    page = visitor(scripts=scripts).go("/accounts/signup/")
    page.get_by_role("button", name="Deutsch").click()
    assert page.url.endswith("/accounts/signup/")
    assert page.locator("html").get_attribute("lang") == "de"
