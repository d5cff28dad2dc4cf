"""A new secret for a key, what a place asks of its keys, and the finer parts of the form, in Chromium."""

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Error, expect

from apps.access.actors import UserActor
from apps.apikeys import operations as apikeys
from apps.apikeys import policy, rotation
from apps.apikeys.models import ApiKey
from apps.core.clock import now
from tests.browser.conftest import Visitor
from tests.browser.test_keys import new, secret_on, stored
from tests.world import Company, system

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def page_of(acme: Company, key: ApiKey, act: str = "") -> str:
    return f"/o/{acme.organization.slug}/keys/{key.pk}/{act}"


def keep(visitor: Visitor, name: str) -> None:
    """A picture, where somebody wants to look: `SCREENSHOTS=folder`."""
    if folder := os.environ.get("SCREENSHOTS"):
        visitor.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_key_is_rotated_and_its_old_secret_ended(visitor: Any, acme: Company, scripts: bool) -> None:
    key = acme.workspace_key
    manager = visitor(acme.manager, scripts=scripts)
    page = manager.go(page_of(acme, key))
    page.get_by_role("link", name="Rotate…").click()
    page.get_by_text("6 hours").click()
    page.get_by_role("button", name="Rotate Acme workspace key").click()
    secret = secret_on(page)
    expect(page.get_by_text("The old secret,")).to_be_visible()
    for example in ("curl", "Python", "Node", "MCP"):
        page.get_by_text(example, exact=True).click()
        expect(page.locator(f"pre[data-example='{example.lower()}']")).to_contain_text(secret)
    stored(page)
    assert secret not in page.content()
    expect(page.get_by_role("heading", name="Two secrets work until")).to_be_visible()
    page.get_by_role("link", name="End the old one now…").click()
    page.get_by_role("button", name="End ").click()
    expect(page.get_by_role("heading", name="Two secrets work until")).to_have_count(0)
    assert not ApiKey.objects.get(pk=key.pk).is_in_transition
    with suppress(Error):
        page.go_back()
        page.go_back()
    expect(page.locator("html")).not_to_contain_text(secret)


def test_sending_the_form_again_reveals_nothing_and_rotates_nothing(visitor: Any, acme: Company) -> None:
    manager = visitor(acme.manager)
    page = manager.go(page_of(acme, acme.workspace_key, "rotate/"))
    page.get_by_role("button", name="Rotate Acme workspace key").click()
    secret = secret_on(page)
    mask = ApiKey.objects.get(pk=acme.workspace_key.pk).mask
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.get_by_role("heading", name="This secret was shown already")).to_be_visible()
    assert secret not in page.content()
    assert ApiKey.objects.get(pk=acme.workspace_key.pk).mask == mask
    manager.look()


def test_what_the_calendar_made_room_for_is_collected(visitor: Any, acme: Company) -> None:
    by_calendar(acme.workspace_key)
    manager = visitor(acme.manager)
    page = manager.go(page_of(acme, acme.workspace_key))
    page.get_by_role("link", name="Collect the new secret…").click()
    page.get_by_role("button", name="Show the new secret").click()
    secret_on(page)
    manager.look()
    stored(page)
    expect(page.get_by_role("heading", name="Two secrets work until")).to_be_visible()


def test_the_list_of_scopes_follows_the_table_until_it_is_used(visitor: Any, acme: Company) -> None:
    manager = visitor(acme.manager)
    page = manager.go(new(acme))
    page.get_by_label("Name", exact=True).fill("exact")
    page.get_by_text("Exact scopes").click()
    page.get_by_role("radiogroup", name="Configs").get_by_label("Read").check()
    expect(page.get_by_label("Scopes, one on each line")).to_have_value("\n".join(sorted(DEFAULTS | CONFIGS)))
    page.locator("label", has_text="Default").click()
    expect(page.get_by_label("Scopes, one on each line")).to_have_value("\n".join(sorted(DEFAULTS)))
    page.get_by_label("Scopes, one on each line").fill("logs.view\nlogs.reed")
    expect(page.get_by_label("Use this list instead of the table")).to_be_checked()
    page.get_by_label("Name", exact=True).focus()
    expect(page.locator("#draft")).to_contain_text("logs.reed")
    page.get_by_label("Scopes, one on each line").fill("logs.view")
    page.get_by_role("button", name="Create key").click()
    secret_on(page)
    assert ApiKey.objects.get(name="exact").scopes == ["logs.view"]


def test_a_change_is_told_while_it_is_made(visitor: Any, acme: Company) -> None:
    page = visitor(acme.manager).go(page_of(acme, acme.workspace_key, "edit/"))
    page.locator("label", has_text="Read only").click()
    expect(page.locator("#draft")).to_contain_text("This key can read")
    page.get_by_text("Rotation", exact=False).first.click()
    page.locator("label", has_text="Every Monday").click()
    expect(page.locator("#draft")).to_contain_text("It rotates first on Monday")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_policy_is_checked_before_it_holds(visitor: Any, acme: Company, scripts: bool) -> None:
    page = visitor(acme.owner, scripts=scripts).go(f"/o/{acme.organization.slug}/keys/")
    page.get_by_role("link", name="Key policy").first.click()
    page.get_by_label("Keys must have an end").check()
    page.get_by_role("button", name="Check what it touches").click()
    expect(page.get_by_role("heading", name="What this would touch")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The key policy is saved.")).to_be_visible()
    assert policy.KeyPolicy.of(type(acme.organization).objects.get(pk=acme.organization.pk)).expiry_required


SIDES = [("light", 1440), ("dark", 390)]


@pytest.mark.parametrize(("theme", "width"), SIDES)
def test_nothing_is_wrong_with_any_page(visitor: Any, acme: Company, theme: str, width: int) -> None:
    owner, root = visitor(acme.owner, theme=theme, width=width), f"/o/{acme.organization.slug}/"
    for name, address in pages(acme, root):
        page = owner.go(address)
        page.locator("details").evaluate_all("all => all.forEach((each) => { each.open = true; })")
        owner.look()
        keep(owner, f"{name}-{theme}-{width}")
    page = owner.go(page_of(acme, acme.organization_key, "rotate/"))
    page.get_by_role("button", name="Rotate ").click()
    secret_on(page)
    page.get_by_text("MCP", exact=True).click()
    owner.look()
    keep(owner, f"rotated-{theme}-{width}")


def pages(acme: Company, root: str) -> Iterator[tuple[str, str]]:
    """Each page in each of its states; the state is made when the page is asked for."""
    limits = {
        "usage_limits": {"type": "cost", "credit_limit": 10, "alert_threshold": 8, "periodic_reset": "monthly"},
        "rate_limits": [{"type": "requests", "unit": "rpm", "value": 60}],
        "allowed_addresses": ["203.0.113.7", "10.0.0.0/8"],
        "rotation_policy": {"rotation_period": "monthly", "key_transition_period_ms": 86_400_000},
    }
    key = apikeys.issue(acme.workspace, name="search " * 12, scopes=["logs.view"], by=system(), **limits).key
    yield "rotate", page_of(acme, key, "rotate/")
    yield "edit", page_of(acme, key, "edit/")
    yield "reset", page_of(acme, key, "reset/")
    rotation.rotate(key, transition=timedelta(hours=6), by=system())
    yield "two-secrets", page_of(acme, key)
    yield "end-old", page_of(acme, key, "end-old/")
    yield "rotate-not-now", page_of(acme, key, "rotate/")
    by_calendar(acme.workspace_key)
    yield "waits", page_of(acme, acme.workspace_key)
    yield "collect", page_of(acme, acme.workspace_key, "rotate/")
    yield "policy", f"{root}keys/policy/"
    strict = {"max_days": 30, "service_only": True, "addresses_required": True, "rotation_days": 90}
    policy.change(acme.organization, by=UserActor(acme.owner), **strict)
    yield "policy-violated", f"{root}keys/policy/"
    yield "policy-there", f"{root}w/{acme.workspace.slug}/keys/policy/"
    yield "new-strict", f"{root}w/{acme.workspace.slug}/keys/new/"
    yield "edit-personal", page_of(acme, acme.user_key, "edit/")
    policy.change(acme.organization, by=UserActor(acme.owner), max_days=None, service_only=False)
    policy.change(acme.organization, by=UserActor(acme.owner), addresses_required=False, rotation_days=None)
    yield "new", f"{root}keys/new/"


def by_calendar(key: ApiKey) -> None:
    """The key's day has come."""
    apikeys.update(key, rotation_policy={"rotation_period": "weekly"}, by=system())
    ApiKey.objects.filter(pk=key.pk).update(next_rotation_at=now() - timedelta(minutes=1))
    assert rotation.rotate_by_calendar(ApiKey.objects.with_places().get(pk=key.pk), by=system())


DEFAULTS = {
    "completions.write",
    "logs.write",
    "guardrails.invoke",
    "prompts.list",
    "prompts.read",
    "prompts.render",
}
CONFIGS = {"configs.list", "configs.read"}
