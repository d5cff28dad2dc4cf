"""How a request is read before anything of ours sees it."""

from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest


class PlainRequest(WSGIRequest):
    """Reads every request as UTF-8, whatever charset its content type claims.

    Django would decode the query string with any codec that Python knows: some of them fail before a view is
    reached, and some make text that no database can keep.
    """

    @property
    def encoding(self) -> str | None:
        return None

    @encoding.setter
    def encoding(self, claimed: Any) -> None:
        """Claims are heard and not followed."""


class Application(WSGIHandler):
    request_class = PlainRequest
