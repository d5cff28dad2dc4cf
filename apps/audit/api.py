"""`audit-logs` (contract 1.7): the organization's log, for its own keys with the scope."""

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from django.db.models import Q
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.actions import Action
from apps.audit import addresses, lines, search, wire
from apps.audit.serializers import AuditLogFilter, AuditLogSerializer
from apps.audit.times import since, until
from apps.core import counting
from apps.tenancy.api import TenantViewSet
from apps.tenancy.pagination import LARGEST_NUMBER, NUMBERS, SIZES, PageNumbers, number_in

LARGEST_SIZE: Final = 100
COUNTED: Final = 100_000


class LogPages(PageNumbers):
    """Pages of a log that may be very long: its lines are counted up to some number, or to the end of the page.

    Where there are more, the total is one more than was counted, so that whoever reads on finds them all.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        size = min(number_in(request, SIZES, least=0, default=self.default_size), LARGEST_SIZE)
        start = min(number_in(request, NUMBERS, least=0, default=0), LARGEST_NUMBER) * size
        self.total = counting.count(max(COUNTED, start + size), {"lines": queryset})["lines"]
        # Found first and read then, so that nothing is worked out for the lines that are passed over.
        found = queryset.values_list("pk", flat=True)[start : start + size] if start < self.total else ()
        return list(queryset.filter(pk__in=list(found)))

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
        asked, chain = self.asked(), self.tenant.organization.pk
        rows = lines.of(self.tenant).filter(narrowed(asked, chain))
        found = search.find(rows, asked["q"], chain=chain) if "q" in asked else rows
        page = self.answers["list"](self.paginate_queryset(found), many=True, context=self.get_serializer_context())
        return self.get_paginated_response(page.data)


def narrowed(asked: Mapping[str, Any], chain: uuid.UUID) -> Q:
    """What the query asks of a line. The organization and the workspace are the tenant's already."""
    wanted = wire.in_words(asked.get("resource_type"), asked.get("action"))
    for name, value in asked.items():
        if name in _COLUMNS:
            wanted &= Q((_COLUMNS[name], value))
        elif name in _NARROWING:
            wanted &= _NARROWING[name](value, chain)
    return wanted


_COLUMNS: Final[Mapping[str, str]] = {
    **{name: name for name in ("method", "uri", "request_id", "actor_id")},
    "user_id": "actor_id",
    "user_type": "actor_kind__in",
    "resource_id": "target_id",
    "response_status_code": "code",
}


def _until(moment: datetime, chain: uuid.UUID) -> Q:
    """Lines of this instant or earlier."""
    return until(moment + datetime.resolution, chain)


def _from_address(address: str, chain: uuid.UUID) -> Q:
    known = addresses.read(address)
    return addresses.among(known, chain) if known else Q(pk__in=())


def _from_country(country: str, chain: uuid.UUID) -> Q:
    """No line: countries are not kept."""
    return Q(pk__in=())


_NARROWING: Final[Mapping[str, Callable[[Any, uuid.UUID], Q]]] = {
    "start_time": since,
    "end_time": _until,
    "client_ip": _from_address,
    "country": _from_country,
}
