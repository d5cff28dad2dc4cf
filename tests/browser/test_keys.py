"""A key from its creation to its end, in Chromium: with a mouse, with a keyboard alone, and without scripts."""

from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import Error, Page, expect

from apps.apikeys.models import ApiKey
from tests.world import Company

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def new(acme: Company) -> str:
    return f"/o/{acme.organization.slug}/w/{acme.workspace.slug}/keys/new/"


def secret_on(page: Page) -> str:
    expect(page.get_by_role("heading", name="Save this key now")).to_be_visible()
    return page.locator("[data-secret]").input_value()


def stored(page: Page) -> None:
    page.get_by_label("I have stored it").check()
    page.get_by_role("button", name="Done").click()
    page.wait_for_url("**/keys/*-*/**")


def test_a_key_is_made_shown_once_and_never_again(visitor: Any, acme: Company) -> None:
    manager = visitor(acme.manager)
    page = manager.go(new(acme))
    page.get_by_label("Name", exact=True).fill("ci-prod")
    page.get_by_role("radiogroup", name="Prompts").get_by_label("Write").check()
    expect(page.locator("#draft")).to_contain_text("This key can call models and read and write prompts in Acme Search")
    page.locator("#expiry-card label", has_text="Never").click()
    expect(page.locator("#draft")).to_contain_text("has no end")
    page.get_by_role("button", name="Create key").click()
    secret = secret_on(page)
    manager.look()
    assert page.evaluate("getSelection().toString() || document.activeElement.value") == secret
    expect(page.get_by_role("button", name="Done")).to_be_disabled()
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("#toasts")).to_contain_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == secret
    page.get_by_text("curl", exact=True).click()
    expect(page.locator("[data-example='curl']")).to_contain_text(secret)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download .env").click()
    assert secret in download.value.path().read_text()
    stored(page)
    assert secret not in page.content()
    with suppress(Error):  # the browser has kept nothing to go back to
        page.go_back()
    expect(page.locator("[data-secret]")).to_have_count(0)
    expect(page.locator("html")).not_to_contain_text(secret)
    assert ApiKey.objects.filter(name="ci-prod").count() == 1


def test_leaving_without_storing_asks_once(visitor: Any, acme: Company) -> None:
    page = visitor(acme.manager).go(new(acme))
    page.get_by_label("Name", exact=True).fill("ci-prod")
    page.get_by_role("button", name="Create key").click()
    secret_on(page)
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.get_by_text("Python", exact=True).click()  # browsers ask only people who have touched the page
    page.get_by_role("link", name="API keys").first.click()
    page.wait_for_url("**/keys/")
    assert asked == ["beforeunload"]


def test_sending_the_form_again_reveals_nothing(visitor: Any, acme: Company) -> None:
    manager = visitor(acme.manager)
    page = manager.go(new(acme))
    page.get_by_label("Name", exact=True).fill("ci-prod")
    page.get_by_role("button", name="Create key").click()
    secret = secret_on(page)
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.get_by_role("heading", name="This key was shown already")).to_be_visible()
    assert secret not in page.content()
    assert ApiKey.objects.filter(name="ci-prod").count() == 1
    manager.look()


def test_a_keyboard_is_enough(visitor: Any, acme: Company) -> None:
    page = visitor(acme.manager).go(new(acme))
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type("by hand")
    page.keyboard.press("Tab")  # the kind of key
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("Personal")).to_be_checked()
    page.keyboard.press("Tab")  # whose it is: one's own
    page.keyboard.press("Tab")  # its description
    page.keyboard.press("Tab")  # where its permissions come from
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-preset='read']")).to_be_checked()
    expect(page.get_by_role("radiogroup", name="Configs").get_by_label("Read")).to_be_checked()
    expect(page.locator("#draft")).to_contain_text("read configs")
    page.get_by_role("button", name="Create key").focus()
    page.keyboard.press("Enter")
    secret_on(page)
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "stored":
            break
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/keys/*-*/**")
    key = ApiKey.objects.get(name="by hand")
    assert (key.user, "configs.read" in key.scopes, "completions.write" in key.scopes) == (acme.manager, True, False)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_key_is_stopped_for_a_while_and_for_good(visitor: Any, acme: Company, scripts: bool) -> None:
    page = visitor(acme.owner, scripts=scripts).go(f"/o/{acme.organization.slug}/keys/{acme.workspace_key.pk}/")
    page.get_by_role("link", name="Disable…").click()
    page.get_by_role("button", name="Disable Acme workspace key").click()
    expect(page.get_by_text("Disabled", exact=True).first).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="Disable…")).to_be_visible()
    page.get_by_role("link", name="Revoke…").click()
    page.get_by_label("to confirm").fill("Acme workspace key")
    page.get_by_role("button", name="Revoke Acme workspace key").click()
    expect(page.get_by_text("This key is revoked.")).to_be_visible()
    assert ApiKey.objects.get(pk=acme.workspace_key.pk).is_revoked


def test_without_scripts_the_form_says_what_it_would_make(visitor: Any, acme: Company) -> None:
    owner = visitor(acme.owner, scripts=False)
    page = owner.go(f"/o/{acme.organization.slug}/keys/new/")
    page.get_by_label("Name", exact=True).fill("plain")
    page.get_by_role("radio", name="Organization").check()
    page.get_by_role("button", name="Check what it can do").click()
    expect(page.locator("#draft")).to_contain_text("This key can read prompts in Acme")
    expect(page.get_by_text("A key of this kind cannot carry it.")).to_be_visible()
    page.get_by_role("button", name="Create key").click()
    secret_on(page)
    stored(page)
    assert ApiKey.objects.get(name="plain").workspace is None


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_nothing_is_wrong_with_any_page(visitor: Any, acme: Company, theme: str, width: int) -> None:
    owner, root = visitor(acme.owner, theme=theme, width=width), f"/o/{acme.organization.slug}/keys/"
    key = f"{root}{acme.user_key.pk}/"
    pages = [root, f"{root}?q=nothing", f"{root}new/", key, f"{key}?tab=activity"]
    for address in [*pages, f"{key}edit/", f"{key}disable/", f"{key}revoke/"]:
        owner.go(address)
        owner.look()
    page = owner.go(f"{root}new/")
    page.get_by_label("Name", exact=True).fill("مفتاح " * 30)
    page.locator("details").evaluate_all("all => all.forEach((each) => { each.open = true; })")
    owner.look()
    page.get_by_role("button", name="Create key").click()
    secret_on(page)
    owner.look()
