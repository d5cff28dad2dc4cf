"""A page that asks first, as a browser meets it: looked at, then sent with what it showed."""

import re
from typing import Any
from urllib.parse import urlsplit

from django.test import Client

_HIDDEN = re.compile(r'<input type="hidden" name="(seen|version|role)" value="([^"]*)"')


def shown(browser: Client, page: str) -> dict[str, str]:
    """What the form of the page would send along by itself."""
    answer = browser.get(page)
    assert answer.status_code == 200, answer.status_code
    return dict(_HIDDEN.findall(answer.content.decode()))


def confirm(browser: Client, page: str, **more: Any) -> Any:
    """Looks at the page, then sends its form."""
    return browser.post(urlsplit(page).path, {**shown(browser, page), **more})


def squeezed(answer: Any) -> str:
    """The text of a page, without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def assert_stale(answer: Any) -> None:
    """Refused because the form was on another version, and by no other rule."""
    assert answer.status_code == 409
    assert "changed this after you opened it" in squeezed(answer)


def undo_of(browser: Client, page: str, act: str) -> dict[str, str]:
    """What each button on this page sends that does this act."""
    text = browser.get(page).content.decode()
    forms = re.findall(rf'(?s)<form method="post" action="[^"]*/{act}/">(.*?)</form>', text)
    (sent,) = {tuple(re.findall(r'name="(version)" value="([^"]*)"', form)) for form in forms}
    return dict(sent)
