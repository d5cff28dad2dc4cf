"""Lists as files: CSV that a spreadsheet opens safely, with nothing in a cell that would be run, and JSON Lines.

Both are sent while they are read, in UTF-8, and kept by nobody on the way.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar

from django.db import transaction
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase

from apps.audit import log
from apps.audit.events import Event
from apps.tenancy.tenant import Tenant

Response = TypeVar("Response", bound=HttpResponseBase)

BYTE_ORDER_MARK: Final = "\ufeff"  # without it, spreadsheets take UTF-8 for something else
# What a spreadsheet would take for a formula or a command, in plain and in full width (OWASP, CSV injection).
_RUN: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def answer(filename: str, header: Iterable[Any], rows: Iterable[Iterable[Any]]) -> StreamingHttpResponse:
    """A file of these rows, sent while they are read."""
    return attached(filename, StreamingHttpResponse(_written(header, rows), content_type="text/csv; charset=utf-8"))


def recorded(tenant: Tenant, name: str, header: Iterable[Any], rows: Iterable[Iterable[Any]]) -> StreamingHttpResponse:
    """The same of a list of this place, written down before the first row is sent. Arguments: `name` is the list's."""
    target, workspace_id = tenant.workspace or tenant.organization, tenant.workspace and tenant.workspace.pk
    here: dict[str, Any] = {"organization_id": tenant.organization.pk, "workspace_id": workspace_id}
    with transaction.atomic():
        log.record(Event.LIST_EXPORTED, actor=tenant.actor, target=target, **here, list=name)
    return answer(f"{name}.csv", header, rows)


def json_lines(filename: str, rows: Iterable[Mapping[str, Any]]) -> StreamingHttpResponse:
    """The same with an object of JSON on each line."""
    lines = (json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
    return attached(filename, StreamingHttpResponse(lines, content_type="application/jsonl; charset=utf-8"))


def attached(filename: str, response: Response) -> Response:
    """An answer that a browser keeps as a file, and nobody else keeps at all."""
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    response["Cache-Control"] = "no-store"
    return response


def safe(value: Any) -> str:
    """A cell that is text and nothing else."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_RUN) else text


class _Echo:
    """A file that hands back each line instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def _written(header: Iterable[Any], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    writer = csv.writer(_Echo(), quoting=csv.QUOTE_ALL)
    yield BYTE_ORDER_MARK + writer.writerow([safe(name) for name in header])
    for row in rows:
        yield writer.writerow([safe(value) for value in row])
