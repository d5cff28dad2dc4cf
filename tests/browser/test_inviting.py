"""Twelve people from a pasted list, two of them mistyped: invited in a minute, with scripts and without."""

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Error, Page, expect

from apps.memberships.models import Invitation
from tests.world import Company

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TWELVE = """Ana Koch <ana@initech.example>, "Lee, Kim" <kim@initech.example>; bo@initech.example
cy@initech.example\tdi@initech.example, ed@initech.example, fay@initech
gus@initech.example, hal@initech.example, ida@initech.example
Jo Roe <jo@initech.example>, nonsense"""


def open_the_page(page: Page) -> None:
    page.get_by_role("link", name="Invite people").first.click()
    page.get_by_label("E-mail addresses").fill(TWELVE)


def mend(page: Page) -> None:
    box = page.get_by_label("Addresses left to mend")
    expect(box).to_have_value("fay@initech\nnonsense")
    box.fill("fay@initech.example\n")


def test_with_scripts_each_address_is_judged_while_one_types(visitor: Any, acme: Company) -> None:
    owner = visitor(acme.owner)
    page = owner.go(f"/o/{acme.organization.slug}/invitations/")
    open_the_page(page)
    expect(page.get_by_text("10 people will be invited as Member.")).to_be_visible()
    expect(page.get_by_text("Not an address")).to_have_count(2)
    page.get_by_label("Acme Search").select_option("manager")
    expect(page.get_by_text(re.compile("into .Acme Search. as Manager"))).to_be_visible()
    expect(page.get_by_label("Acme Search")).to_have_value("manager")
    assert "initech" not in page.url
    owner.look()

    page.get_by_role("button", name="Send invitations (10)").click()
    expect(page.get_by_role("heading", name="10 people are invited")).to_be_visible()
    expect(page.get_by_label(re.compile("^Link for "))).to_have_count(10)
    owner.look()
    page.get_by_role("button", name="Copy all").click()
    expect(page.get_by_role("button", name="Copy all ✓")).to_be_visible()
    assert len(page.evaluate("navigator.clipboard.readText()").splitlines()) == 10
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    lines = Path(download.value.path()).read_text("utf-8-sig").splitlines()
    assert len(lines) == 10
    assert all(re.fullmatch(r'"[a-z]+@initech\.example","http://\S+/invitations/gthi_\w+/"', line) for line in lines)

    mend(page)
    page.get_by_role("button", name="Send invitation (1)").click()
    expect(page.get_by_role("heading", name="1 person is invited")).to_be_visible()
    assert Invitation.objects.filter(email__endswith="@initech.example", workspaces__role="manager").count() == 11
    with suppress(Error):  # the browser may refuse by itself to show them again
        page.go_back()
    expect(page.locator("[data-secret]")).to_have_count(0)


@pytest.mark.parametrize("width", [390, 1440])
def test_without_scripts_a_button_checks_them(visitor: Any, acme: Company, width: int) -> None:
    owner = visitor(acme.owner, scripts=False, width=width)
    page = owner.go(f"/o/{acme.organization.slug}/invitations/")
    open_the_page(page)
    page.get_by_label("Acme Search").select_option("manager")
    page.get_by_role("button", name="Check addresses").click()
    expect(
        page.get_by_text(re.compile("10 people will be invited as Member, into .Acme Search. as Manager"))
    ).to_be_visible()
    expect(page.get_by_label("E-mail addresses")).to_have_value(TWELVE)
    assert Invitation.objects.filter(email__endswith="@initech.example").count() == 0
    page.get_by_role("button", name="Send invitations (10)").click()
    expect(page.get_by_role("heading", name="10 people are invited")).to_be_visible()
    mend(page)
    page.get_by_role("button", name="Send invitation").click()
    expect(page.get_by_role("heading", name="1 person is invited")).to_be_visible()
    assert Invitation.objects.filter(email__endswith="@initech.example", workspaces__role="manager").count() == 11
    assert owner.troubles == []


@pytest.mark.parametrize("scripts", [True, False])
def test_an_invitation_is_changed_copied_and_cancelled(visitor: Any, acme: Company, scripts: bool) -> None:
    owner = visitor(acme.owner, scripts=scripts)
    page = owner.go(f"/o/{acme.organization.slug}/invitations/")

    def choose(name: str) -> None:
        page.get_by_role("button", name="More about").first.click()
        page.get_by_role("link", name=name).first.click()

    choose("Change the role")
    page.get_by_role("radio", name="Admin").check()
    page.get_by_role("button", name="Change the role").click()
    expect(page.get_by_role("cell", name="Admin", exact=True)).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("cell", name="Member", exact=True)).to_be_visible()
    choose("Make a link to copy")
    page.get_by_role("button", name="Make the link").click()
    expect(page.get_by_label("Link of the invitation").last).to_have_value(re.compile("/invitations/gthi_"))
    page.get_by_role("link", name="Done").click()
    choose("Cancel the invitation")
    if scripts:
        expect(page.get_by_role("dialog")).to_contain_text(acme.invitation.email)
        owner.look()
    page.get_by_role("button", name="Cancel the invitation").click()
    expect(page.get_by_text("Nobody is waiting for an answer")).to_be_visible()
    assert owner.troubles == []


def test_many_are_cancelled_together(visitor: Any, acme: Company) -> None:
    owner = visitor(acme.owner)
    page = owner.go(f"/o/{acme.organization.slug}/invitations/")
    page.get_by_label(f"Choose {acme.invitation.email}").check()
    owner.look()
    page.get_by_role("button", name="Cancel them").click()
    expect(page.get_by_role("heading", name="Cancel 1 invitation?")).to_be_visible()
    owner.look()
    page.get_by_role("button", name="Cancel 1 invitation").click()
    expect(page.get_by_role("heading", name="1 invitation is cancelled")).to_be_visible()
    owner.look()


def test_the_list_is_searched_while_one_types(visitor: Any, acme: Company) -> None:
    owner = visitor(acme.owner)
    page = owner.go(f"/o/{acme.organization.slug}/invitations/")
    page.get_by_label("Search invitations").press_sequentially("zz")
    expect(page.get_by_text("No invitation matches")).to_be_visible()
    expect(page.get_by_role("link", name="Pending 0")).to_be_visible()
    assert "q=zz" in page.url
    owner.look()
    page.get_by_label("Search invitations").fill("inv")
    expect(page.get_by_text(acme.invitation.email)).to_be_visible()
