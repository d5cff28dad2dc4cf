"""What a first view of a page takes over the wire, compressed as in production: few requests, few kilobytes."""

import gzip
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import brotli
import pytest
from django.conf import settings
from django.contrib.staticfiles import finders

from tests.world import Company

KILOBYTES, REQUESTS = 40, 8
PAGES = [
    "/accounts/login/",
    "/accounts/signup/",
    "/",
    "/account/",
    "/o/{organization}/",
    "/o/{organization}/members/",
    "/o/{organization}/audit/",
    "/o/{organization}/settings/streams/",
    "/o/{organization}/invitations/new/",
    "/o/{organization}/workspaces/",
    "/o/{organization}/keys/",
    "/o/{organization}/keys/new/",
    "/o/{organization}/roles/",
    "/o/{organization}/w/{workspace}/team/",
]


class Parts(HTMLParser):
    """What a browser fetches for a page besides the page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fetched: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        wanted = given.get("href") if tag == "link" else given.get("src")
        if wanted and not wanted.startswith("data:"):
            self.fetched.add(wanted)


def weight_of(url: str) -> int:
    found = finders.find(url.removeprefix(settings.STATIC_URL))
    assert found, f"{url} is not one of our files"
    return len(brotli.compress(Path(found).read_bytes()))


@pytest.mark.parametrize("page", PAGES)
def test_a_first_view_is_light(acme: Company, sign_in: Any, page: str) -> None:
    address = page.format(organization=acme.organization.slug, workspace=acme.workspace.slug)
    answer = sign_in(None if page.startswith("/accounts/") else acme.owner).get(address, follow=True)
    parts = Parts(answer.content.decode()).fetched
    weights = {url: weight_of(url) for url in parts} | {address: len(gzip.compress(answer.content))}
    assert len(weights) <= REQUESTS, sorted(weights)
    assert sum(weights.values()) <= KILOBYTES * 1024, weights
