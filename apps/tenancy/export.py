"""Lists as CSV files that a spreadsheet opens safely: streamed, in UTF-8, with nothing in a cell that would be run."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.http import StreamingHttpResponse

BYTE_ORDER_MARK: Final = "\ufeff"  # without it, spreadsheets take UTF-8 for something else
# What a spreadsheet would take for a formula or a command, in plain and in full width (OWASP, CSV injection).
_RUN: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def answer(filename: str, header: Iterable[Any], rows: Iterable[Iterable[Any]]) -> StreamingHttpResponse:
    """A file of these rows, sent while they are read."""
    response = StreamingHttpResponse(_written(header, rows), content_type="text/csv; charset=utf-8")
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
