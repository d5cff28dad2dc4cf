"""Files for spreadsheets: what is in a cell is read, never run."""

import csv
from itertools import repeat
from typing import Any

import pytest

from apps.tenancy import export
from tests.console.desk import latest, lines
from tests.world import Company


def read(answer: export.StreamingHttpResponse) -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith(export.BYTE_ORDER_MARK)
    return list(csv.reader(text.removeprefix(export.BYTE_ORDER_MARK).splitlines(keepends=True)))


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1+1", "=cmd|'/C calc'!A0"]
)
def test_what_a_spreadsheet_would_run_is_text(cell: str) -> None:
    ((shown,),) = read(export.answer("x.csv", [cell], []))
    assert shown.startswith("'")


@pytest.mark.parametrize("cell", ["Ana", 'says "hi", they say', "two\nlines", "", "قائمة", "a=1"])
def test_everything_else_stays_as_it_is(cell: str) -> None:
    assert read(export.answer("x.csv", ["name"], [[cell]])) == [["name"], [cell]]


def test_nothing_is_kept_while_it_is_sent() -> None:
    answer = export.answer("x.csv", ["n"], ([number] for number in repeat(1)))  # without an end
    lines = iter(answer.streaming_content)
    assert [next(lines) for _ in range(3)][1:] == [b'"1"\r\n'] * 2


def test_a_file_is_kept_by_nobody_on_the_way() -> None:
    answer = export.answer("members.csv", ["n"], [])
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Disposition"] == 'attachment; filename="members.csv"'


@pytest.mark.parametrize("name", ["members", "invitations", "workspaces", "api-keys"])
def test_who_takes_a_list_home_is_in_the_log_before_its_first_row(sign_in: Any, acme: Company, name: str) -> None:
    before = latest()
    pages = {"members": "members", "invitations": "invitations", "workspaces": "workspaces", "api-keys": "keys"}
    answer = sign_in(acme.owner).get(f"/o/{acme.organization.slug}/{pages[name]}/", {"format": "csv"})
    (line,) = lines(before)
    assert (line.event, line.details, line.actor_id) == ("list.exported", {"list": name}, acme.owner.pk)
    assert (line.method, line.chain) == ("GET", acme.organization.pk)
    assert b"".join(answer.streaming_content)
