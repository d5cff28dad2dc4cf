"""The invitation somebody has opened: the link's token, moved from the address bar into a cookie of that browser.

The token is kept where it came from, with whoever holds the link, and not in the sessions' table, where a copy of the
database would show it. What it stands for is asked anew each time: a cancelled invitation opens nothing any more.
"""

from typing import Final, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.core.errors import Missing
from apps.memberships import answers
from apps.memberships.models import Invitation

_COOKIE: Final = "invitation"
_KEPT: Final = 8 * 24 * 60 * 60  # seconds: a day longer than the invitation, to be told that it has expired


class Opened(NamedTuple):
    """An invitation, and the token that this browser holds for it."""

    invitation: Invitation
    token: str

    @property
    def address(self) -> str:
        return str(self.invitation.email)

    @property
    def proves_mailbox(self) -> bool:
        return answers.proves_mailbox(self.invitation, self.token)


def remember(answer: HttpResponseBase, token: str) -> None:
    """Leaves the token with the browser, signed, for as long as it may be answered."""
    answer.set_signed_cookie(
        _COOKIE, token, max_age=_KEPT, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
    )


def held(request: HttpRequest) -> Opened:
    """The invitation whose link this browser holds, answered or not. Raises Missing."""
    token = str(request.get_signed_cookie(_COOKIE, "", max_age=_KEPT))
    return Opened(answers.find(token), token)


def opened(request: HttpRequest) -> Opened | None:
    """The same while it waits for its answer."""
    try:
        found = held(request)
    except Missing:
        return None
    return found if found.invitation.status == Invitation.Status.PENDING else None


def guest(request: HttpRequest) -> Opened | None:
    """The same for somebody who may make an account with it: only while it can be accepted (product P32)."""
    found = opened(request)
    return found if found is not None and found.invitation.is_open else None
