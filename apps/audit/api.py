"""`audit-logs` (contract 1.7): the organization's log, for its own keys with the scope."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db.models import Q
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.actions import Action
from apps.audit import lines, wire
from apps.audit.serializers import KINDS, AuditLogFilter, AuditLogSerializer
from apps.core import counting
from apps.tenancy.api import TenantViewSet
from apps.tenancy.pagination import LARGEST_NUMBER, NUMBERS, SIZES, PageNumbers, _number

LARGEST_SIZE: Final = 100
COUNTED: Final = 100_000


class LogPages(PageNumbers):
    """Pages of a log that may be very long: its lines are counted up to some number, or to the end of the page.

    Where there are more, the total is one more than was counted, so that whoever reads on finds them all.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        size = min(_number(request, SIZES, least=0, default=self.default_size), LARGEST_SIZE)
        start = min(_number(request, NUMBERS, least=0, default=0), LARGEST_NUMBER) * size
        self.total = counting.count(max(COUNTED, start + size), {"lines": queryset})["lines"]
        return list(queryset[start : start + size]) if start < self.total else []

    def get_paginated_response(self, data: Any) -> Response:
        """The rows twice: under the description's name for them and under that of its clients (contract D28)."""
        return Response({"object": "list", "total": self.total, "records": data, "data": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        described = super().get_paginated_response_schema(schema)
        total = {"type": "integer", "description": f"Exact up to {COUNTED}; beyond, at least one more than were read."}
        described["properties"] |= {"total": total, "records": {**schema, "description": "The same rows as `data`."}}
        return {**described, "required": [*described["required"], "records"]}

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        sizes, numbers = super().get_schema_operation_parameters(view)
        size = {"type": "integer", "minimum": 0, "default": self.default_size}
        return [{**sizes, "description": f"At most {LARGEST_SIZE}; also spelt {SIZES[1]}.", "schema": size}, numbers]


class AuditLogViewSet(TenantViewSet):
    tag = "Audit logs"
    pagination_class = LogPages
    actions = {"list": Action.AUDIT_LOGS_LIST}
    reads = {"list": AuditLogFilter}
    answers = {"list": AuditLogSerializer}

    def list(self, request: Request) -> Response:
        """Read the audit log, newest first: what was done, and what was refused.

        Lines of the last 30 days, unless a time is given. Every row stands under `records` and under `data`.
        """
        rows = lines.of(self.tenant).filter(narrowed(self.asked())).order_by("-at", "-id")
        page = self.answers["list"](self.paginate_queryset(rows), many=True, context=self.get_serializer_context())
        return self.get_paginated_response(page.data)


def narrowed(asked: Mapping[str, Any]) -> Q:
    """What the query asks of a line. The organization and the workspace are the tenant's already."""
    wanted = wire.in_words(asked.get("resource_type"), asked.get("action"))
    for name, narrow in _NARROWING.items():
        if name in asked:
            wanted &= narrow(asked[name])
    return wanted


_NARROWING: Final[Mapping[str, Callable[[Any], Q]]] = {
    "start_time": lambda moment: Q(at__gte=moment),
    "end_time": lambda moment: Q(at__lte=moment),
    "method": lambda method: Q(method=method),
    "uri": lambda uri: Q(uri=uri),
    "request_id": lambda request_id: Q(request_id=request_id),
    "user_id": lambda actor: Q(actor_id=actor),
    "actor_id": lambda actor: Q(actor_id=actor),
    "user_type": lambda word: Q(actor_kind__in=[kind for kind, user_type in KINDS.items() if user_type == word]),
    "resource_id": lambda target: Q(target_id=target),
    "response_status_code": lambda code: Q(code=code),
    "client_ip": lambda address: Q(side__address=address),
    "country": lambda country: Q(pk__in=()),
}
