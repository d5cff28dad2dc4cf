"""From signing up to a colleague with a role, in Chromium, with scripts and without."""

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from playwright.sync_api import Error, Page, expect

from apps.memberships.models import OrganizationMembership
from tests.browser.conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "a-long-enough-secret"


def sign_up(page: Page, first_name: str, address: str | None = None) -> None:
    page.get_by_label("First name").fill(first_name)
    if address is not None:
        page.get_by_label("E-mail address").fill(address)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()


def answer_letter(visitor: Visitor) -> None:
    link = re.search(r"https?://\S+/accounts/confirm-email/\S+", str(mail.outbox[-1].body))[0]
    visitor.go(link).get_by_role("button", name="Confirm").click()


def found(visitor: Visitor, name: str) -> str:
    """Founds an organization and returns the key that is shown."""
    page = visitor.page
    page.get_by_role("link", name="Found an organization").last.click()
    page.get_by_label("Name of the organization").fill(name)
    page.get_by_role("button", name="Found organization").click()
    expect(page.get_by_role("heading", name="Save this key now")).to_be_visible()
    return page.get_by_label("Master key", exact=True).last.input_value()


def invite(visitor: Visitor, address: str) -> str:
    """Invites somebody and returns the link to hand over."""
    page = visitor.page
    page.get_by_role("link", name="Invite people").first.click()
    page.get_by_label("E-mail addresses").fill(address)
    page.get_by_role("button", name=re.compile("Send invitation|Create link")).click()
    return page.get_by_label(f"Link for {address}").input_value()


def change_role(page: Page, name: str, role: str, *, scripts: bool = True) -> None:
    """Chooses a role, reads what it changes, which a dialog or a page of its own tells, and goes through with it."""
    row = page.get_by_role("row").filter(has_text=name)
    row.get_by_role("combobox", name="Role of").select_option(role)
    if not scripts:
        row.get_by_role("button", name="See what another role changes").click()
    page.get_by_role("button", name=re.compile(f"^Make .* {role}$")).click()
    expect(page.locator(".toast")).to_contain_text(f"{name} is now {role}")


def take_key(visitor: Visitor, secret: str) -> None:
    """Copies it, downloads it, and goes on, which the page lets nobody do before they say that they have it."""
    page = visitor.page
    page.get_by_role("button", name="Copy", exact=True).click()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    with page.expect_download() as download:
        page.get_by_role("button", name="Download .env").click()
    assert Path(download.value.path()).read_text() == f"PORTKEY_API_KEY={secret}\n"
    page.get_by_role("button", name="Continue to Initech").click()
    assert "/o/" not in page.url, "the box comes first"
    page.get_by_label("I have stored it").check()
    page.get_by_role("button", name="Continue to Initech").click()
    expect(page.get_by_role("heading", name="Initech")).to_be_visible()


def look_back_for(page: Page, secret: str) -> None:
    with suppress(Error):  # the browser may refuse by itself to show it again
        page.go_back()
    expect(page.locator(f"[value='{secret}'], :text('{secret}')")).to_have_count(0)
    assert secret not in [field.input_value() for field in page.locator("[data-secret]").all()]


def join(visitor: Visitor, link: str) -> None:
    """Follows the link as somebody without an account."""
    page = visitor.go(link)
    expect(page.get_by_role("heading", name=re.compile(r"^Join \W?Initech"))).to_be_visible()
    assert "gthi_" not in page.url
    visitor.look()
    page.get_by_role("link", name="Create an account").click()
    expect(page.get_by_label("E-mail address")).to_be_disabled()
    expect(page.get_by_label("E-mail address")).to_have_value("sam@initech.example")
    sign_up(page, "Sam")
    answer_letter(visitor)
    page.get_by_role("button", name=re.compile(r"^Accept and join \W?Initech")).click()
    expect(page.get_by_role("heading", name="Initech")).to_be_visible()
    visitor.look()


def test_a_person_founds_an_organization_and_brings_a_colleague(visitor: Any) -> None:
    first, second = visitor(), visitor(width=390, theme="dark")
    first.go("/").get_by_role("link", name="Create an account").click()
    first.look()
    sign_up(first.page, "Ines", "ines@initech.example")
    expect(first.page.get_by_role("heading", name="Check your mail")).to_be_visible()
    first.look()
    answer_letter(first)
    expect(first.page.get_by_text("You are in no organization yet", exact=True)).to_be_visible()
    first.look()

    secret = found(first, "Initech")
    first.look()
    take_key(first, secret)
    overview = first.page.url.partition("?")[0]
    look_back_for(first.page, secret)
    first.go(overview)
    first.look()

    link = invite(first, "sam@initech.example")
    first.look()
    join(second, link)

    first.go(f"{overview}members/")
    change_role(first.page, "Sam", "admin")
    first.look()
    assert OrganizationMembership.objects.get(user__email="sam@initech.example").role == "admin"
    second.page.reload()
    second.page.get_by_role("button", name="Open menu").click()
    second.page.get_by_role("link", name="Settings").click()
    expect(second.page.get_by_role("heading", name="Settings")).to_be_visible()
    second.look()


def test_it_all_works_without_scripts_and_without_mail(visitor: Any, settings: Any) -> None:
    settings.EMAIL_IS_CONFIGURED, settings.ACCOUNT_EMAIL_VERIFICATION = False, "optional"
    first, second = visitor(scripts=False), visitor(scripts=False)
    first.go("/accounts/signup/")
    expect(first.page.get_by_text("addresses are unverified")).to_be_visible()
    sign_up(first.page, "Ines", "ines@initech.example")
    assert found(first, "Initech").startswith("gtho_")
    expect(first.page.get_by_role("button", name="Copy", exact=True)).to_be_hidden()
    first.page.get_by_label("I have stored it").check()
    first.page.get_by_role("button", name="Continue to Initech").click()
    overview = first.page.url.partition("?")[0]
    link = invite(first, "sam@initech.example")

    second.go(link).get_by_role("link", name="Create an account").click()
    sign_up(second.page, "Sam")
    second.page.get_by_role("button", name=re.compile(r"^Accept and join \W?Initech")).click()
    expect(second.page.get_by_role("heading", name="Initech")).to_be_visible()

    first.go(f"{overview}members/")
    change_role(first.page, "Sam", "admin", scripts=False)
    first.page.get_by_label("Search members").fill("sam@")
    first.page.get_by_role("button", name="Filter").click()
    expect(first.page.get_by_role("row").filter(has_text="sam@initech.example")).to_be_visible()
    assert "q=sam%40" in first.page.url
    # Menus open, and the switcher leads from place to place.
    first.page.get_by_role("button", name="More about").click()
    expect(first.page.get_by_role("link", name="Suspend…")).to_be_visible()
    first.page.keyboard.press("Escape")
    first.page.get_by_role("link", name="Switch organization or workspace").click()
    first.page.get_by_role("main").get_by_role("link", name="Shared Team Workspace").click()
    expect(first.page).to_have_url(re.compile("/team/$"))
    assert first.troubles == second.troubles == []
