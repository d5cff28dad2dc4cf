"""What opens, what goes wrong, and what moves on a page: nothing wrong for anybody who looks at it."""

from typing import Any

import pytest
from playwright.sync_api import expect

from apps.access.roles import WorkspaceRole
from apps.memberships import operations as memberships
from tests.world import Company, World, system

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIGNED_OUT = [
    "accounts/login/",
    "accounts/signup/",
    "accounts/password/reset/",
    "accounts/password/reset/done/",
    "nothing/",
]


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_others_see_nothing_wrong(visitor: Any, world: World, theme: str, width: int) -> None:
    acme, outside = world.acme, visitor(theme=theme, width=width)
    for page in [*(f"/{page}" for page in SIGNED_OUT), f"/invitations/{acme.secrets['invitation']}/"]:
        outside.go(page)
        outside.look()
    member = visitor(acme.member, theme=theme, width=width)
    root = f"/o/{acme.organization.slug}/"
    for page in (root, f"{root}members/", f"{root}workspaces/", f"{root}settings/", "/o/nothing-0000/"):
        member.go(page)
        member.look()
    bystander = visitor(acme.bystander, theme=theme, width=width)
    for page in (root, f"{root}workspaces/", f"/invitations/{acme.secrets['invitation']}/"):
        bystander.go(page)
        bystander.look()


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_what_opens_and_what_goes_wrong_is_right_too(visitor: Any, world: World, theme: str, width: int) -> None:
    acme, owner = world.acme, visitor(world.acme.owner, theme=theme, width=width)
    root, page = f"/o/{acme.organization.slug}/", owner.page
    owner.go(f"{root}members/")
    page.get_by_role("button", name="More about").first.click()
    owner.look()
    page.keyboard.press("Escape")
    if width < 860:
        page.get_by_role("button", name="Open menu").click()
        owner.look()
    page.locator("[data-panel=switcher]").click()
    expect(page.get_by_role("searchbox", name="Search organizations and workspaces")).to_be_focused()
    owner.look()
    page.keyboard.press("Escape")

    owner.go(f"{root}workspaces/new/").get_by_role("button", name="Create workspace").click()
    expect(page.get_by_text("This field is required")).to_be_visible()
    owner.look()
    owner.go(f"{root}invitations/new/").get_by_label("E-mail addresses").fill("sam@x.example, nonsense")
    page.get_by_role("button", name="Send invitation").click()
    expect(page.get_by_text("nonsense is not an e-mail address")).to_be_visible()
    owner.look()
    owner.go(f"{root}invitations/")
    page.get_by_role("button", name="More about").first.click()
    page.get_by_role("link", name="Make a link to copy").first.click()
    page.get_by_role("button", name="Make the link").click()
    expect(page.get_by_role("heading", name="Copy this link now")).to_be_visible()
    owner.look()


def test_the_theme_stays_as_it_was_chosen(visitor: Any, acme: Company) -> None:
    owner = visitor(acme.owner, theme="light")
    page = owner.go(f"/o/{acme.organization.slug}/")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_label("Dark").check(force=True)
    owner.go(f"/o/{acme.organization.slug}/members/")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.get_by_label("System").check(force=True)
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == light


def test_members_are_found_while_one_types(visitor: Any, acme: Company) -> None:
    owner = visitor(acme.owner)
    page = owner.go(f"/o/{acme.organization.slug}/members/")
    page.get_by_label("Search members").press_sequentially("mana")
    expect(page.get_by_role("row")).to_have_count(2)
    assert page.url.endswith("/members/?q=mana")
    page.get_by_label("Search members").fill("")
    expect(page.get_by_role("row")).to_have_count(9)
    page.locator("#role").select_option("owner")
    expect(page.get_by_role("row")).to_have_count(3)
    page.evaluate("history.go(-2)")
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page.get_by_label("Search members")).to_have_value("mana")
    owner.look()


def test_a_role_that_was_not_given_shows_again_what_holds(visitor: Any, acme: Company) -> None:
    owner = visitor(acme.owner)
    page = owner.go(f"/o/{acme.organization.slug}/members/")
    row = page.get_by_role("row").filter(has_text=acme.member.email)
    row.get_by_role("combobox").select_option("admin")
    expect(page.get_by_role("dialog")).to_contain_text("Can also")
    owner.look()
    page.get_by_role("dialog").get_by_role("link", name="Cancel").click()
    expect(row.get_by_role("combobox")).to_have_value("member")


def test_many_members_are_suspended_at_once(visitor: Any, acme: Company) -> None:
    owner = visitor(acme.owner)
    page = owner.go(f"/o/{acme.organization.slug}/members/?role=member&sort=email")
    page.locator("[data-pick]").first.click()
    page.locator("[data-pick]").nth(2).click(modifiers=["Shift"])
    expect(page.locator("[data-picked]")).to_have_text("3")
    owner.look()
    page.get_by_role("button", name="Suspend…").click()
    expect(page.get_by_text("Nothing has happened yet")).to_be_visible()
    owner.look()
    page.get_by_role("button", name="Suspend those ticked").click()
    expect(page.get_by_text("Done for 3 members")).to_be_visible()
    owner.look()
    page.get_by_role("link", name="Done").click()
    assert page.url.endswith("?role=member&sort=email")


def test_the_workspaces_of_somebody_open_under_the_pointer(visitor: Any, acme: Company) -> None:
    for workspace in (acme.default, acme.other_workspace):
        memberships.add_to_workspace(workspace, acme.membership(acme.member), WorkspaceRole.MEMBER, by=system())
    owner = visitor(acme.owner)
    page = owner.go(f"/o/{acme.organization.slug}/members/")
    more = page.get_by_role("button", name="1 more")
    more.hover()
    expect(page.get_by_role("listitem").filter(has_text=acme.default.name)).to_be_visible()
    owner.look()
    page.get_by_role("heading", name="Members", level=1).hover()
    expect(page.locator(".peek:popover-open")).to_have_count(0)
    more.focus()
    expect(page.locator(".peek:popover-open")).to_have_count(1)
