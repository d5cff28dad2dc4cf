"""What the pages under /admin/ may load, said with every answer there, errors included."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

# The theme evaluates strings and styles inline; even so, nothing comes from another host.
POLICY: Final = (
    "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
)


class ConsolePolicyMiddleware:
    """The strict policy of all other pages leaves this prefix out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path_info.startswith("/admin/"):
            response.headers["Content-Security-Policy"] = POLICY
        return response
