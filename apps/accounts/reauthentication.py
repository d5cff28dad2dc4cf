"""Whether it is still the person themselves, asked before the acts of the confirmation ladder's level 4.

A page that is always grave takes the mixin second: `class Delete(TenantMixin, RecentMixin, OperationMixin, FormView)`.
One that is so at times calls `require_recent(self.request)` in `run`, before its operation; `back` where it has no GET.
"""

from typing import Any

from allauth.account.internal.flows.reauthentication import is_reauthentication_required
from allauth.core.exceptions import ImmediateHttpResponse
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django_htmx.http import HttpResponseClientRedirect


class RecentMixin:
    """Lets nobody look at the page, let alone send it, who has not proved lately that it is still them."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            require_recent(request)
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc,no-any-return]


def is_recent(request: HttpRequest) -> bool:
    """Whether they proved within the last minutes that it is still them."""
    return not is_reauthentication_required(request, app="apps.accounts")


def require_recent(request: HttpRequest, *, back: str = "") -> None:
    """Leads to the page that asks for a password or a factor, unless one was given within the last minutes.

    Afterwards the person is back at the page, or at `back`; what they had sent was not done and is sent again by them.
    """
    if not is_recent(request):
        asked = f"{reverse('account_reauthenticate')}?{urlencode({'next': back or request.get_full_path()})}"
        through_script = getattr(request, "htmx", False)
        raise ImmediateHttpResponse(HttpResponseClientRedirect(asked) if through_script else redirect(asked))
