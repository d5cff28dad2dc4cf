"""The frame under somebody's hands: switching, searching, dialogs and the keyboard; and every component at once."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.world import Company

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def root(company: Company) -> str:
    return f"/o/{company.organization.slug}/"


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 768), ("dark", 390)])
def test_every_component_is_right_in_every_theme(visitor: Any, settings: Any, theme: str, width: int) -> None:
    settings.DEBUG = True
    reader = visitor(width=width, theme=theme)
    reader.go("/styleguide/")
    reader.look()


def test_the_switcher_opens_where_one_can_type_and_leads_to_the_same_page(visitor: Any, acme: Company) -> None:
    owner = visitor(acme.owner)
    page = owner.go(f"{root(acme)}members/")
    page.locator("[data-panel=switcher]").click()
    search = page.get_by_role("searchbox", name="Search organizations and workspaces")
    expect(search).to_be_focused()
    owner.look()
    search.press_sequentially("acme sea")
    expect(page.locator("#switcher [data-find]:visible")).to_have_count(1)
    search.press("Enter")
    expect(page).to_have_url(re.compile(f"/w/{acme.workspace.slug}/team/$"))
    page.locator("[data-panel=switcher]").click()
    expect(page.locator("#switcher [aria-current=true]")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(page.locator("#switcher")).to_be_hidden()
    expect(page.locator("[data-panel=switcher]")).to_be_focused()


def test_the_palette_finds_by_keyboard_alone(visitor: Any, acme: Company) -> None:
    owner = visitor(acme.owner)
    page = owner.go(root(acme))
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Pages, people, workspaces and keys")
    expect(box).to_be_focused()
    expect(page.get_by_role("option", name="Members")).to_be_visible()
    owner.look()
    box.press_sequentially("peo")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Members")
    box.press("ArrowDown")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Invite people")
    box.press("ArrowUp")
    box.press("Enter")
    expect(page).to_have_url(re.compile("/members/$"))
    page.keyboard.press("Control+k")
    page.keyboard.type("x")
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()


def test_the_keys_go_places_and_are_not_heard_while_somebody_types(visitor: Any, acme: Company) -> None:
    owner = visitor(acme.owner)
    page = owner.go(root(acme))
    page.keyboard.press("g")
    page.keyboard.press("m")
    expect(page).to_have_url(re.compile("/members/$"))
    page.keyboard.press("/")
    field = page.locator("main [type=search]").first
    expect(field).to_be_focused()
    field.press_sequentially("g w?c")
    expect(field).to_have_value("g w?c")
    assert page.url.split("?")[0].endswith("/members/")
    field.fill("")
    field.evaluate("field => field.blur()")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    expect(page.get_by_role("link", name="Close")).to_be_focused()
    owner.look()
    page.keyboard.press("g")
    page.keyboard.press("w")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()
    assert page.url.split("?")[0].endswith("/members/")


def test_rows_are_walked_and_picked_by_keyboard(visitor: Any, settings: Any) -> None:
    settings.DEBUG = True
    page = visitor().go("/styleguide/")
    rows, picks = page.locator("[data-rows] tbody tr"), page.locator("[data-pick]")
    expect(page.locator("[data-bulk]")).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("x")
    expect(picks.first).to_be_checked()
    expect(page.locator("[data-picked]")).to_have_text("1")
    picks.nth(3).click(modifiers=["Shift"])
    expect(page.locator("[data-picked]")).to_have_text("4")
    page.locator("[data-pick-all]").check()
    expect(page.locator("[data-picked]")).to_have_text("5")
    page.locator("[data-pick-all]").uncheck()
    expect(page.locator("[data-bulk]")).to_be_hidden()


def test_a_question_opens_over_the_page_and_leads_back_to_it(visitor: Any, acme: Company) -> None:
    owner = visitor(acme.owner)
    page = owner.go(root(acme))
    page.locator(".me button").click()
    page.get_by_role("link", name="Keyboard shortcuts").click()
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.get_by_role("link", name="Close").click()
    expect(page.locator("#dialog")).to_be_hidden()
    assert page.url.endswith(root(acme))


def test_everything_is_a_page_without_scripts(visitor: Any, acme: Company) -> None:
    owner = visitor(acme.owner, scripts=False)
    page = owner.go(f"{root(acme)}members/")
    page.locator("[data-panel=switcher]").click()
    expect(page.get_by_role("heading", name="Where to?")).to_be_visible()
    page.get_by_role("link", name="Acme Search").click()
    expect(page).to_have_url(re.compile("/team/$"))
    page.locator("[data-palette]").click()
    page.get_by_role("searchbox").fill("people")
    page.get_by_role("main").get_by_role("button", name="Search").click()
    page.get_by_role("main").get_by_role("link", name="Team").click()
    expect(page).to_have_url(re.compile("/team/$"))
    assert owner.troubles == []
