"""The wire's list envelope, and the names its pages go by (contract 1.0, product P29)."""

from typing import Any

from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.errors import Invalid

SIZES, NUMBERS = ("page_size", "pageSize"), ("current_page", "currentPage", "page")
LARGEST_SIZE, LARGEST_NUMBER = 1000, 10**9


class PageNumbers(BasePagination):
    """Pages count from 0; a page that is not named is the first."""

    default_size = 100

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        size = min(
            number_in(request, SIZES, least=1, default=getattr(view, "page_size", self.default_size)), LARGEST_SIZE
        )
        start = min(number_in(request, NUMBERS, least=0, default=0), LARGEST_NUMBER) * size
        self.total = len(queryset) if isinstance(queryset, list) else queryset.count()
        return list(queryset[start : start + size]) if start < self.total else []

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"object": "list", "total": self.total, "data": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["object", "total", "data"],
            "properties": {
                "object": {"type": "string", "enum": ["list"]},
                "total": {"type": "integer"},
                "data": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        size = getattr(view, "page_size", self.default_size)
        sizes = {"type": "integer", "minimum": 1, "default": size}
        return [
            _parameter(SIZES[0], f"At most {LARGEST_SIZE}; also spelt {SIZES[1]}.", sizes),
            _parameter(
                NUMBERS[0],
                f"Counted from 0; also spelt {' or '.join(NUMBERS[1:])}.",
                {"type": "integer", "minimum": 0, "default": 0},
            ),
        ]


def _parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def number_in(request: Request, names: tuple[str, ...], *, least: int, default: int) -> int:
    given = next(((name, request.query_params[name]) for name in names if name in request.query_params), None)
    if given is None:
        return default
    name, text = given
    if not (text.isascii() and text.isdecimal() and len(text) < 19 and int(text) >= least):
        raise Invalid({name: f"A whole number of at least {least} is needed."})
    return int(text)
