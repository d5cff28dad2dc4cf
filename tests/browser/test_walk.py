"""A walk through every page there is for every reader: by day, by night, on a phone, a tablet and a desk.

With `SCREENSHOTS=folder` each page is kept as pictures.
"""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from apps.access.actors import UserActor
from apps.workspaces import operations as workspaces
from tests.browser.conftest import Visitor
from tests.house.test_shown import READERS, Walk, kind_of
from tests.world import World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]
# The owner sees most, so their pages are looked at from every side; others' only from the two that differ most.
EVERY_SIDE = [(theme, width) for theme in ("light", "dark") for width in (1440, 768, 390)]
TWO_SIDES = [("light", 1440), ("dark", 390)]
REQUESTS = 8
PARTS = 2
ASKED = 2  # things that an address asks of a page; more of them make the same page
# Most rules read the page, which is one; a few read how it looks, which each side changes.
ALL_RULES = "axe.run({resultTypes: ['violations']}).then(result => result.violations)"
RULES_OF_A_SIDE = ALL_RULES.replace(
    "{", "{runOnly: ['color-contrast', 'target-size', 'scrollable-region-focusable'], ", 1
)
IS_TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
# What watches its own size learns of a new one a frame later.
TWO_FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
OUTSIDE = (
    "accounts/login/",
    "accounts/signup/",
    "accounts/password/reset/",
    "accounts/password/reset/done/",
    "nothing/",
)
OF_ALLAUTH = ("accounts/email/", "accounts/password/change/", "accounts/sessions/", "accounts/2fa/", "accounts/logout/")


def pages_of(world: World, sign_in: Any, reader: str) -> list[str]:
    acme = world.acme
    workspaces.archive(acme.other_workspace, by=UserActor(acme.owner))
    if reader == "stranger":
        theirs = [f"/o/{acme.organization.slug}/", "/"]
        return [*theirs, *(f"/{page}" for page in (*OUTSIDE, *OF_ALLAUTH))]
    walk = Walk(sign_in(acme[reader]), of_each_kind=1).from_("/", f"/o/{acme.organization.slug}/")
    refused = [f"/o/{acme.organization.slug}/{page}/" for page in ("settings", "invitations", "keys/new")]
    # What comes whole from a library has a test of its own.
    ours = [address for address in walk.visited if not address.startswith("/v1/") and len(kind_of(address)[1]) <= ASKED]
    one_of_each = {kind_of(address): address for address in reversed(ours)}
    return list(dict.fromkeys([*one_of_each.values(), *refused]))


def keep(visitor: Visitor, reader: str, address: str, look: str) -> None:
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        name = re.sub(r"[^a-z0-9]+", "-", re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "id", address.lower())).strip("-")
        path = Path(folder) / reader / f"{name or 'home'}-{look}.png"
        visitor.page.screenshot(path=path, full_page=True)


def look_from_every_side(visitor: Visitor, reader: str, address: str, wrong: list[str]) -> None:
    page = visitor.page
    page.evaluate(Axe().axe_script)
    for theme, width in EVERY_SIDE if reader == "owner" else TWO_SIDES:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(TWO_FRAMES)
        where = f"{address} {theme} {width}"
        if page.evaluate(IS_TOO_WIDE):
            wrong.append(f"{where}: scrolls sideways")
        found = page.evaluate(ALL_RULES if (theme, width) in TWO_SIDES else RULES_OF_A_SIDE)
        wrong += [f"{where}: {each['id']} {each['nodes'][0]['html'][:200]}" for each in found]
        keep(visitor, reader, address, f"{theme}-{width}")


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("reader", [*READERS, "stranger"])
def test_nothing_is_wrong_on_any_page(visitor: Any, world: World, sign_in: Any, reader: str, part: int) -> None:
    person = world.stranger if reader == "stranger" else world.acme[reader]
    pages = pages_of(world, sign_in, reader)[part::PARTS]
    browser, wrong = visitor(person), []
    asked: list[str] = []
    browser.page.on("request", lambda request: asked.append(request.url))
    for address in pages:
        asked.clear()
        browser.go(address)
        if len(asked) > REQUESTS:
            wrong.append(f"{address}: {len(asked)} requests")
        look_from_every_side(browser, reader, address, wrong)
        wrong += [f"{address}: {trouble}" for trouble in browser.troubles]
        browser.troubles.clear()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("reader", [*READERS, "stranger"])
def test_every_page_stands_without_scripts(visitor: Any, world: World, sign_in: Any, reader: str) -> None:
    person = world.stranger if reader == "stranger" else world.acme[reader]
    browser, wrong = visitor(person, width=390, scripts=False), []
    for address in pages_of(world, sign_in, reader):
        page = browser.go(address)
        if page.locator("h1:visible").count() != 1:
            wrong.append(f"{address}: {page.locator('h1:visible').count()} headings")
        if page.locator(".js:visible").count():
            wrong.append(f"{address}: offers what needs scripts")
        if page.evaluate(IS_TOO_WIDE):
            wrong.append(f"{address}: scrolls sideways")
        keep(browser, reader, address, "no-scripts")
    assert not wrong, "\n".join(wrong)
