"""A real Chromium in front of a real server, and what is wrong with any page it sees."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as configured
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from apps.accounts.models import User

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


class Visitor:
    """Somebody in front of a browser of their own, who notices everything that is wrong."""

    def __init__(self, context: BrowserContext, base: str) -> None:
        self.context, self.base, self.troubles = context, base, []
        self.page: Page = context.new_page()
        self.page.set_default_timeout(10_000)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("request", self._follow)

    def go(self, path: str) -> Page:
        self.page.goto(path if path.startswith("http") else f"{self.base}{path}")
        return self.page

    def look(self) -> None:
        """Nothing on this page is wrong: for a screen reader, for a narrow screen, for the console, for the network."""
        found = Axe().run(self.page).response["violations"]
        where = self.page.url
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], where
        assert self.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), where
        assert self.troubles == [], where

    def _hear(self, message: ConsoleMessage) -> None:
        # A refusal is no trouble of the page: browsers note every answer above 399.
        if message.type in {"error", "warning"} and "the server responded with a status of 4" not in message.text:
            self.troubles.append(message.text)

    def _follow(self, request: Request) -> None:
        if not request.url.startswith((self.base, "data:", "blob:")):
            self.troubles.append(f"left the house: {request.url}")


@pytest.fixture
def chromium(live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """The system's own, so that nothing is downloaded. Without one these tests are skipped, or fail on demand."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        (pytest.fail if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip)("There is no Chromium here.")
    # Playwright runs a loop in this thread; Django would take every query beside it for a mistake.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()
        # Beside a running loop Django keeps connections of its own, which nobody else would close.
        connections.close_all()


@pytest.fixture
def visitor(chromium: Browser, live_server: Any, settings: Any) -> Iterator[Callable[..., Visitor]]:
    """`visitor()` is somebody with a browser; `visitor(acme.owner, width=390)` is signed in, with a phone."""
    settings.BASE_URL = live_server.url

    def arrived(user: User | None = None, *, width: int = 1440, theme: str = "light", scripts: bool = True) -> Visitor:
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=theme,
            java_script_enabled=scripts,
            reduced_motion="reduce",  # what fades in is hard to read for a moment, and meant to be
        )
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        if user is not None:
            context.add_cookies([{**_session(user), "url": live_server.url}])
        return Visitor(context, live_server.url)

    yield arrived
    for context in chromium.contexts:
        context.close()


def _session(user: User) -> dict[str, str]:
    browser = Client()
    browser.force_login(user)
    name = configured.SESSION_COOKIE_NAME
    return {"name": name, "value": browser.cookies[name].value}
