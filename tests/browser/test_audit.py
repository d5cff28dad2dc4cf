"""The audit log in a browser: searched, opened, kept and proved, with nothing wrong on the way."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from apps.access.actors import UserActor
from apps.audit import refusals
from apps.workspaces import operations as workspaces
from tests.world import Company, World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def _filled(acme: Company) -> str:
    workspaces.update(acme.workspace, name="Elsewhere", by=UserActor(acme.owner))
    refusals.refused("workspaces.delete", actor=UserActor(acme.member), place=acme.workspace)
    return f"/o/{acme.organization.slug}/audit/"


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_the_log_is_searched_and_read(visitor: Any, world: World, theme: str, width: int) -> None:
    home, owner = _filled(world.acme), visitor(world.acme.owner, theme=theme, width=width)
    page = owner.go(home)
    owner.look()

    page.locator("#by-result").focus()
    page.select_option("#by-result", "refused")
    expect(page).to_have_url(re.compile(r"\?q=result%3Arefused$"))
    expect(page.get_by_label("Search the log")).to_have_value("result:refused")
    expect(page.locator("#by-result")).to_be_focused()
    expect(page.locator("tbody tr")).to_have_count(1)
    owner.look()

    page.get_by_text("Details of entry").click()
    expect(page.get_by_text("Digest before")).to_be_visible()
    owner.look()

    page.get_by_role("link", name="Without this filter: ").click()
    expect(page).to_have_url(re.compile(r"/audit/$"))
    page.get_by_label("Search the log").fill("foo:bar")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("“foo:” is not known")
    expect(page).to_have_url(re.compile(r"\?q=foo%3Abar$"))
    # A refusal is no trouble of the page: scripts note every answer above 399, as browsers do.
    owner.troubles = [each for each in owner.troubles if "Status Error Code 400" not in each]
    owner.look()
    page.go_back()
    expect(page.get_by_label("Search the log")).to_have_value("")

    page.keyboard.press("Escape")
    page.get_by_role("heading", name="Audit log").click()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/audit/\d+/$"))
    owner.look()


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_a_search_is_kept_a_file_taken_and_the_chain_verified(
    visitor: Any, world: World, theme: str, width: int
) -> None:
    home, owner = _filled(world.acme), visitor(world.acme.owner, theme=theme, width=width)
    page = owner.go(f"{home}?q=result:refused")
    page.get_by_role("button", name="Saved").click()
    owner.look()
    page.get_by_label("Save this search as").fill("Refusals")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("The search is saved.")).to_be_visible()
    page.get_by_role("button", name="Saved").click()
    expect(page.get_by_role("link", name="Refusals")).to_be_visible()
    owner.look()
    page.keyboard.press("Escape")

    page.get_by_role("button", name="Export").click()
    owner.look()
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON Lines").click()
    assert download.value.suggested_filename == "audit-log.jsonl"
    page.keyboard.press("Escape")

    page.get_by_role("button", name="How to search").click()
    owner.look()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("heading", name="The log is whole")).to_be_visible()
    owner.look()


def test_all_of_it_works_without_scripts(visitor: Any, world: World) -> None:
    home, owner = _filled(world.acme), visitor(world.acme.owner, scripts=False)
    page = owner.go(home)
    page.select_option("#by-result", "refused")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page).to_have_url(re.compile(r"\?q=result%3Arefused$"))
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_text("Details of entry").click()
    page.get_by_role("link", name="Open entry").click()
    expect(page.get_by_text("Digest before")).to_be_visible()
    page.get_by_role("link", name="Everything about this person").click()
    expect(page).to_have_url(re.compile(r"q=person%3A"))
