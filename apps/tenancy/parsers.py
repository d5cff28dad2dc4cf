"""Reads request bodies: JSON objects, of a bounded size, holding nothing a database could not keep."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from apps.tenancy.errors import TooLarge

LARGEST_BODY = 1_000_000  # bytes
_DEEPEST = 32


class BodyParser(JSONParser):
    """JSON, whatever the caller calls it: some clients send no content type, or another one (see negotiation)."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        request = (parser_context or {})["request"]
        if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BODY:
            raise TooLarge
        try:
            parsed = super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None
        if not isinstance(parsed, dict):
            raise ParseError("A JSON object is needed.")
        _refuse_unstorable(parsed)
        return parsed


def _refuse_unstorable(value: Any, depth: int = 0) -> None:
    if depth > _DEEPEST:
        raise ParseError("The JSON is nested too deeply.")
    if isinstance(value, str):
        if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in value):
            raise ParseError("Texts cannot hold NUL or half of a character pair.")
    elif isinstance(value, dict):
        for name, part in value.items():
            _refuse_unstorable(name, depth)
            _refuse_unstorable(part, depth + 1)
    elif isinstance(value, list):
        for part in value:
            _refuse_unstorable(part, depth + 1)
