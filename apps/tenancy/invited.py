"""The invitation somebody has opened: the link's token, moved from the address bar into the session.

What the token stands for is asked anew each time, so that a cancelled invitation opens nothing any more.
"""

from typing import NamedTuple

from django.http import HttpRequest

from apps.core.errors import Missing
from apps.memberships import invitations
from apps.memberships.models import Invitation

_TOKEN = "invitation"


class Opened(NamedTuple):
    """An invitation, and the token that this browser holds for it."""

    invitation: Invitation
    token: str

    @property
    def address(self) -> str:
        return str(self.invitation.email)

    @property
    def proves_mailbox(self) -> bool:
        return invitations.proves_mailbox(self.invitation, self.token)


def remember(request: HttpRequest, token: str) -> None:
    request.session[_TOKEN] = token


def held(request: HttpRequest) -> Opened:
    """The invitation whose link this browser holds, answered or not. Raises Missing."""
    token = request.session.get(_TOKEN, "")
    return Opened(invitations.find(token), token)


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
