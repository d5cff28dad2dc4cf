"""Every page, light and dark, on a desk and on a phone: nothing wrong for anybody who looks at it."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.world import Company, World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIGNED_OUT = [
    "accounts/login/",
    "accounts/signup/",
    "accounts/password/reset/",
    "accounts/password/reset/done/",
    "nothing/",
]
OF_ONES_OWN = [
    "?all=1",
    "account/",
    "accounts/email/",
    "accounts/password/change/",
    "accounts/reauthenticate/",
    "accounts/sessions/",
    "accounts/logout/",
    "organizations/new/",
]
OF_THE_ORGANIZATION = [
    "",
    "settings/",
    "members/",
    "members/?q=nobody",
    "invitations/",
    "invitations/?status=accepted",
    "invitations/new/",
    "workspaces/",
    "workspaces/?show=archived",
    "workspaces/new/",
    "roles/",
    "leave/",
]
OF_THE_WORKSPACE = ["", "team/", "team/add/", "settings/", "archive/"]


def every_page(acme: Company) -> list[str]:
    root = f"/o/{acme.organization.slug}/"
    workspace = f"{root}w/{acme.workspace.slug}/"
    member = f"{root}members/{acme.membership(acme.member).pk}/"
    return [
        *(f"/{page}" for page in OF_ONES_OWN),
        *(f"{root}{page}" for page in OF_THE_ORGANIZATION),
        *(f"{workspace}{page}" for page in OF_THE_WORKSPACE),
        f"{workspace}team/{acme.placed(acme.member).pk}/remove/",
        f"{member}suspend/",
        f"{member}remove/",
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_an_owner_sees_nothing_wrong(visitor: Any, world: World, theme: str, width: int) -> None:
    owner = visitor(world.acme.owner, theme=theme, width=width)
    for page in every_page(world.acme):
        owner.go(page)
        owner.look()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
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


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
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
    page.locator("[popovertarget=switcher]").click()
    owner.look()
    page.keyboard.press("Escape")

    owner.go(f"{root}workspaces/new/").get_by_role("button", name="Create workspace").click()
    expect(page.get_by_text("This field is required")).to_be_visible()
    owner.look()
    owner.go(f"{root}invitations/new/").get_by_label("E-mail addresses").fill("sam@x.example, nonsense")
    page.get_by_role("button", name="Send invitations").click()
    expect(page.get_by_text("nonsense is not an e-mail address")).to_be_visible()
    owner.look()
    owner.go(f"{root}invitations/")
    page.get_by_role("button", name="More about").first.click()
    page.get_by_role("button", name="Make a link to copy").first.click()
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
    assert page.url.endswith("q=mana&role=")
    page.get_by_label("Search members").fill("")
    expect(page.get_by_role("row")).to_have_count(9)
    page.get_by_text("Owners", exact=True).last.click()
    expect(page.get_by_role("row")).to_have_count(3)
    page.evaluate("history.go(-2)")
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page.get_by_label("Search members")).to_have_value("mana")
    owner.look()


def test_a_role_that_was_refused_shows_again_what_holds(visitor: Any, acme: Company) -> None:
    owner = visitor(acme.owner)
    page = owner.go(f"/o/{acme.organization.slug}/members/")
    row = page.get_by_role("row").filter(has_text=acme.member.email)
    row.locator("[name=version]").evaluate("field => field.value = 99")
    row.get_by_role("combobox").select_option("admin")
    row.get_by_role("button", name="Save the role").click()
    expect(page.locator(".toast.error")).to_contain_text("Somebody changed this after you opened it")
    expect(row.get_by_role("combobox")).to_have_value("member")
