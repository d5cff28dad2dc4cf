"""What a rate refuses."""

from django.utils.translation import ngettext

from apps.core.errors import TooMany
from apps.limits.terms import Rate


class TooFast(TooMany):
    """A rate has had enough for now; after `wait` seconds the same call would pass, if no other came before."""

    def __init__(self, rate: Rate, *, wait: int) -> None:
        message = ngettext(
            "This is more than its rate limit lets through. Try again in %(wait)d second.",
            "This is more than its rate limit lets through. Try again in %(wait)d seconds.",
            wait,
        )
        super().__init__(message % {"wait": wait}, wait=wait)
        self.rate = rate
