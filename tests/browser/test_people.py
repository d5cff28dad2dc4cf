"""A colleague is promoted, somebody goes, a team grows: with scripts and without, on a desk and on a phone."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.apikeys.models import ApiKey
from apps.memberships.models import OrganizationMembership
from tests.world import Company

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def pages(acme: Company) -> list[str]:
    root = f"/o/{acme.organization.slug}"
    member, team = f"{root}/members/{acme.membership(acme.member).pk}/", f"{root}/w/{acme.workspace.slug}/team/"
    placed = f"{team}{acme.placed(acme.member).pk}/"
    owner = f"{root}/members/{acme.membership(acme.second_owner).pk}/"
    return [
        *(f"{member}{rest}" for rest in ("", "?can=publish+prompts", "?can=xyzzy", "?tab=keys", "?tab=activity")),
        *(
            f"{member}{rest}"
            for rest in ("role/", "role/?role=admin", "role/?role=owner", "add/", "suspend/", "remove/")
        ),
        f"{owner}remove/",
        f"{root}/leave/",
        *(f"{team}{rest}" for rest in ("", "?q=nobody", "?role=manager&sort=added", "add/")),
        *(f"{placed}{rest}" for rest in ("role/?role=manager", "remove/")),
    ]


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_nothing_is_wrong_with_any_page_about_people(visitor: Any, acme: Company, width: int, theme: str) -> None:
    owner = visitor(acme.owner, width=width, theme=theme)
    for page in pages(acme):
        owner.go(page)
        owner.look()


def row(page: Page, person: Any) -> Any:
    return page.get_by_role("row").filter(has_text=person.email)


def test_a_colleague_is_promoted_after_a_look_at_what_changes(visitor: Any, acme: Company) -> None:
    owner = visitor(acme.owner)
    page = owner.go(f"/o/{acme.organization.slug}/members/?sort=name")
    row(page, acme.bystander).get_by_role("combobox").select_option("admin")
    dialog = page.get_by_role("dialog", name=re.compile("^Role of"))
    expect(dialog.get_by_text("As admin, this person…")).to_be_visible()
    expect(dialog.get_by_role("link", name="Cancel")).to_be_focused()
    owner.look()
    dialog.get_by_role("link", name=re.compile("^Owner")).click()
    expect(dialog.get_by_label(re.compile("To confirm, type"))).to_be_visible()
    dialog.get_by_role("link", name=re.compile("^Admin")).click()
    dialog.get_by_role("button", name=re.compile("^Make .* admin$")).click()
    expect(page.get_by_text(re.compile("is now admin"))).to_be_visible()
    assert page.url.endswith("/members/?sort=name")
    assert acme.membership(acme.bystander).role == OrganizationRole.ADMIN
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text(re.compile("is now member"))).to_be_visible()
    assert acme.membership(acme.bystander).role == OrganizationRole.MEMBER


def test_a_change_of_mind_changes_nothing(visitor: Any, acme: Company) -> None:
    page = visitor(acme.owner).go(f"/o/{acme.organization.slug}/w/{acme.workspace.slug}/team/")
    choice = row(page, acme.member).get_by_role("combobox")
    choice.select_option("manager")
    page.get_by_role("dialog").get_by_role("link", name="Cancel").click()
    expect(choice).to_have_value("member")
    assert acme.placed(acme.member).role == WorkspaceRole.MEMBER


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("width", [390, 1440])
def test_somebody_goes_and_their_keys_are_decided_about(visitor: Any, acme: Company, scripts: bool, width: int) -> None:
    owner = visitor(acme.second_owner, scripts=scripts, width=width)
    page = owner.go(f"/o/{acme.organization.slug}/members/{acme.membership(acme.owner).pk}/")
    page.get_by_role("link", name="Remove…").click()
    page.get_by_label(re.compile("What becomes of .*workspace key")).select_option("revoke")
    page.get_by_label("Stand for them yourself").check()
    page.get_by_label(re.compile("To confirm, type")).fill(acme.owner.email)
    page.get_by_role("button", name=re.compile("^Remove")).click()
    expect(page.get_by_text(re.compile("is no longer in"))).to_be_visible()
    assert not OrganizationMembership.objects.filter(user=acme.owner, organization=acme.organization).exists()
    assert ApiKey.objects.get(pk=acme.workspace_key.pk).is_revoked
    assert not ApiKey.objects.get(pk=acme.organization_key.pk).is_revoked


@pytest.mark.parametrize("scripts", [True, False])
def test_a_team_grows_by_several_at_once(visitor: Any, acme: Company, scripts: bool) -> None:
    owner = visitor(acme.owner, scripts=scripts)
    page = owner.go(f"/o/{acme.organization.slug}/w/{acme.workspace.slug}/team/")
    page.get_by_role("link", name="Add to the team").click()
    page.get_by_label(re.compile(re.escape(acme.bystander.email))).check()
    page.get_by_label(re.compile("^Look for members")).fill("admin")
    if not scripts:
        page.get_by_role("button", name="Look for").click()
    expect(page.get_by_label(re.compile(re.escape(acme.second_owner.email)))).to_have_count(0)
    expect(page.get_by_label(re.compile(re.escape(acme.bystander.email)))).to_be_checked()
    page.get_by_label(re.compile(re.escape(f"{acme.admin.email}"))).last.check()
    page.get_by_label("Or by e-mail address").fill("new@x.example, nonsense")
    page.get_by_role("radio", name=re.compile("^Manager")).check()
    page.get_by_role("button", name="Add to the team").click()
    expect(page.get_by_role("heading", name="What became of each")).to_be_visible()
    expect(page.get_by_text("On the team")).to_have_count(2)
    expect(page.get_by_text("Not an address")).to_be_visible()
    expect(page.get_by_label("Link for new@x.example")).to_have_count(1)
    if scripts:
        owner.look()
    assert {acme.placed(user).role for user in (acme.bystander, acme.admin)} == {WorkspaceRole.MANAGER}
