"""A log of the first release becomes one of today's: whole, found by all that lines are found by, and written on."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import TextField
from django.db.models.functions import Cast
from django.test.utils import CaptureQueriesContext

from apps.access.actors import Origin, UserActor
from apps.audit import search, verification, wire
from apps.audit.canonical import text_of
from apps.audit.chain import digest_of
from apps.audit.events import Event
from apps.audit.models import AuditEvent, AuditHead, AuditNames, AuditWord
from apps.audit.retention import declared
from apps.core.clock import now
from apps.workspaces import operations as workspaces
from tests.world import Company, World

BEFORE = ("audit", "0002_who_and_what")
FILL = "0004_found_by_what_they_were_called"
ANA, BEN, PLACE = uuid.UUID(int=1), uuid.UUID(int=2), uuid.UUID(int=3)
NAMES = {"actor": "Ana Kovač", "target": "Ben Östlund", "address": "192.0.2.7", "agent": "Firefox"}
JOINED = {"event": Event.MEMBERSHIP_CREATED, "details": {"person": str(BEN), "after": {"role": "member"}}}
REFUSED = {"event": Event.ACCESS_REFUSED, "status": "refused", "details": {"action": "workspaces.delete"}}
RENAMED = {"event": Event.WORKSPACE_UPDATED, "details": {"before": {"name": "ä"}, "after": {"name": "ö"}}}
PLAIN = {"event": Event.MEMBERSHIP_LEFT, "details": {}}

SHARED = {
    "status": "done",
    "actor_kind": "person",
    "actor_id": ANA,
    "workspace_id": None,
    "target_type": "workspaces.workspace",
    "target_id": str(PLACE),
    "door": "page",
    "request_id": "r-1",
    "count": 1,
}


@pytest.fixture
def company(transactional_db: None, world: World) -> Iterator[Company]:
    """A company whose log is empty, in a database of the first release."""
    with declared():
        for model in (AuditNames, AuditEvent, AuditHead, AuditWord):
            model.objects.all().delete()
    call_command("migrate", *BEFORE, verbosity=0)
    try:
        yield world.acme
    finally:
        call_command("migrate", verbosity=0)


def write(chain: uuid.UUID, *lines: dict[str, Any], names: dict[str, str] | None = None) -> None:
    """Appends lines as the first release did, through its tables."""
    state = MigrationExecutor(connection).loader.project_state(BEFORE).apps
    heads, events, sides = (state.get_model("audit", name) for name in ("AuditHead", "AuditEvent", "AuditNames"))
    head, _ = heads.objects.get_or_create(chain=chain)
    for number, line in enumerate(lines, head.sequence + 1):
        facts = {
            **SHARED,
            "chain": chain,
            "sequence": number,
            "at": now() - timedelta(hours=1),
            "previous": bytes(head.digest),
            **line,
        }
        head.sequence, head.digest = number, digest_of(AuditEvent(form=1, **facts))
        row = events.objects.create(digest=head.digest, **facts)
        sides.objects.create(line=row, names=NAMES if names is None else names)
    head.save()


def migrate() -> list[str]:
    """Today's database. Returns the statements that filled it."""
    call_command("migrate", "audit", "0003", verbosity=0)
    with CaptureQueriesContext(connection) as queries:
        call_command("migrate", "audit", FILL, verbosity=0)
    call_command("migrate", verbosity=0)
    said = [query["sql"] for query in queries if "audit_audit" in query["sql"]]
    return [statement for statement in said if statement.startswith(("SELECT", "INSERT", "UPDATE"))]


def found(company: Company, text: str) -> list[int]:
    chain = company.organization.pk
    rows = search.find(AuditEvent.objects.order_by("sequence"), search.parse(text), chain=chain)
    return list(rows.values_list("sequence", flat=True))


def test_the_chain_is_whole_and_goes_on(company: Company) -> None:
    write(company.organization.pk, JOINED, REFUSED, RENAMED, PLAIN)
    migrate()
    assert verification.verify(company.organization.pk).is_whole
    workspaces.update(company.workspace, name="Elsewhere", by=UserActor(company.owner, Origin("page")))
    report = verification.verify(company.organization.pk)
    assert (report.is_whole, report.lines) == (True, 5)
    assert list(AuditEvent.objects.order_by("sequence").values_list("form", flat=True)) == [1, 1, 1, 1, 2]
    assert found(company, "elsewhere") == [5]


@pytest.mark.parametrize(
    ("asked", "sequences"),
    [
        ("ip:192.0.2.7", [1, 2, 3, 4]),
        ("ip:192.0.2.0/24 result:refused", [2]),
        (f"person:{BEN}", [1]),
        ("person:ostl", [1]),
        ("actor:kovac", [1, 2, 3, 4]),
        ("actor:ben", []),
        ("target:ben", [1, 2, 3, 4]),
        ("action:delete", [2, 4]),
        ("action:create", [1]),
    ],
)
def test_its_lines_are_found(company: Company, asked: str, sequences: list[int]) -> None:
    write(company.organization.pk, JOINED, REFUSED, RENAMED, PLAIN)
    migrate()
    assert found(company, asked) == sequences


def test_what_was_refused_is_found_in_the_words_of_the_wire(company: Company) -> None:
    write(company.organization.pk, JOINED, REFUSED, RENAMED, PLAIN)
    migrate()
    line = AuditEvent.objects.get(wire.in_words("Workspaces", "Delete"))
    assert (line.sequence, line.code, wire.words_of(line)) == (2, 403, ("Workspaces", "Delete"))
    assert not AuditEvent.objects.exclude(pk=line.pk).exclude(code=200).exists()


def test_its_text_is_the_one_that_is_written_now(company: Company) -> None:
    write(company.organization.pk, JOINED, RENAMED)
    migrate()
    texts = AuditEvent.objects.values_list(Cast("details", TextField()), Cast("side__names", TextField()))
    assert list(texts.order_by("sequence")) == [
        (text_of(line["details"]), text_of(NAMES)) for line in (JOINED, RENAMED)
    ]


def test_lines_whose_names_say_little_are_filled_too(company: Company) -> None:
    write(company.organization.pk, PLAIN, {**PLAIN, "actor_id": None, "details": {"person": "nobody"}}, names={})
    migrate()
    sides = AuditNames.objects.values_list("chain", "address", "names")
    assert list(sides) == [(company.organization.pk, "", {})] * 2
    assert not AuditEvent.objects.exclude(person_id=None).exists()
    assert verification.verify(company.organization.pk).is_whole


def test_companies_keep_to_themselves(company: Company, world: World) -> None:
    write(company.organization.pk, JOINED)
    write(world.globex.organization.pk, PLAIN)
    migrate()
    chains = dict(AuditNames.objects.values_list("line__chain", "chain"))
    assert chains == {place.organization.pk: place.organization.pk for place in (company, world.globex)}
    assert found(world.globex, "person:ben") == []


def test_more_lines_of_a_batch_take_no_more_statements(company: Company) -> None:
    numbers = []
    for more in (1, 60):
        write(company.organization.pk, *[JOINED, REFUSED] * more)
        numbers.append(len(migrate()))
        call_command("migrate", *BEFORE, verbosity=0)
    assert numbers[0] == numbers[1] <= 6


def test_lines_of_many_batches_are_all_filled_and_doing_it_again_changes_nothing(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill = import_module(f"apps.audit.migrations.{FILL}")
    monkeypatch.setattr(fill, "_BATCH", 4)
    monkeypatch.setattr(fill, "_REMEMBERED", 1)
    write(company.organization.pk, *[JOINED, REFUSED, PLAIN] * 5)
    migrate()
    first = [list(model.objects.order_by("pk").values()) for model in (AuditEvent, AuditNames, AuditWord)]
    assert len(first[0]) == len(first[1]) == len(found(company, "ip:192.0.2.7")) == 15
    migrate()
    assert [list(model.objects.order_by("pk").values()) for model in (AuditEvent, AuditNames, AuditWord)] == first
