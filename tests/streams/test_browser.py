"""A stream from its first form to its end, in Chromium, with scripts and without."""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.audit.models import AuditHead
from apps.streams import delivery
from apps.streams.models import Stream, Undelivered
from tests.browser.conftest import Visitor, chromium, visitor  # noqa: F401 (fixtures)
from tests.streams.receiver import Receiver
from tests.world import Company

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def keep(somebody: Visitor, name: str) -> None:
    """A picture, where somebody wants to look: `SCREENSHOTS=folder`."""
    if folder := os.environ.get("SCREENSHOTS"):
        somebody.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def store(page: Page) -> None:
    page.get_by_label("I have stored it").check()
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("heading", name="SIEM")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_the_life_of_a_stream(visitor: Any, acme: Company, receiver: Receiver, scripts: bool) -> None:  # noqa: F811
    owner = visitor(acme.owner, scripts=scripts)
    page = owner.go(f"/o/{acme.organization.slug}/settings/streams/")
    page.get_by_role("link", name="Create a stream").click()
    page.get_by_label("Name", exact=True).fill("SIEM")
    page.get_by_label("Address", exact=True).fill("http://10.0.0.1/")
    page.get_by_role("button", name="Create stream").click()
    expect(page.get_by_text("Nothing can be sent to this address from here.")).to_be_visible()
    page.get_by_label("Address", exact=True).fill(receiver.url)
    page.get_by_role("button", name="Create stream").click()
    secret = page.get_by_label("Signing secret", exact=True).input_value()
    assert secret.startswith("whsec_")
    store(page)
    assert secret not in page.content()
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("The test arrived: the receiver answered 200.")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused", exact=True)).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Delivering", exact=True)).to_be_visible()
    delivery.run()
    page.get_by_role("link", name="Delete…").click()
    page.get_by_role("button", name="Delete SIEM").click()
    expect(page.get_by_text("Nothing is sent anywhere")).to_be_visible()
    assert not AuditHead.objects.get(chain=acme.organization.pk).is_streamed
    told = [one.event["event"] for one in receiver.kept if one.event["event"] != "stream.test"]
    assert told == ["stream.created", "stream.tested", "stream.paused", "stream.resumed"]


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_nothing_is_wrong_with_the_pages(
    visitor: Any,  # noqa: F811
    acme: Company,
    stream: Stream,
    receiver: Receiver,
    width: int,
    theme: str,
) -> None:
    left = {"organization": acme.organization, "stream": stream, "attempts": 12, "error": "500"}
    Undelivered.objects.bulk_create([Undelivered(**left, sequence=number) for number in (1, 2, 3)])
    owner = visitor(acme.owner, width=width, theme=theme)
    root = f"/o/{acme.organization.slug}/settings/streams/"
    for name in ("", "new/", *(f"{stream.pk}/{each}" for each in ("", "edit/", "secret/", "delete/"))):
        page = owner.go(root + name)
        for fold in page.locator("summary").all():
            fold.click()
        owner.look()
        keep(owner, f"streams-{width}-{name.strip('/').rpartition('/')[2] or 'list'}")
    owner.go(f"{root}{stream.pk}/secret/").get_by_role("button", name="Rotate the secret").click()
    owner.look()
    keep(owner, f"streams-{width}-shown")
    store(owner.page)
