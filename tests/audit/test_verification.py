"""What the verification finds: every line that was altered, deleted, inserted, swapped or cut off, by its number."""

import json
import random
import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import override_settings
from django.utils import timezone

from apps.access.actors import Origin, UserActor
from apps.audit import checkpoints, log, operations, refusals, tasks, verification
from apps.audit.chain import facts_digest, facts_of, linked
from apps.audit.events import Event
from apps.audit.models import INSTALLATION, AuditCheckpoint, AuditEvent, AuditHead, AuditNames, AuditWord
from apps.audit.retention import declared
from apps.audit.verification import Kind
from apps.core.errors import Forbidden
from tests.world import Company, system

log_in_transaction = transaction.atomic(log.record)
EVENT, NAMES = AuditEvent._meta.db_table, AuditNames._meta.db_table


@pytest.fixture
def long(acme: Company) -> Company:
    """A company with enough lines to hide something among them."""
    for number in range(60):
        log_in_transaction(
            Event.WORKSPACE_UPDATED,
            actor=UserActor(acme.owner, Origin("page", f"r-{number}", "192.0.2.7", "Firefox")),
            target=acme.workspace,
            organization_id=acme.organization.pk,
            workspace_id=acme.workspace.pk,
            before={"name": f"name {number}"},
            after={"name": f"name {number + 1} größer"},
        )
    return acme


def sql(statement: str, *values: Any) -> None:
    """What somebody can do who owns the database: the walls are down."""
    with declared(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def line(company: Company, sequence: int) -> AuditEvent:
    return AuditEvent.objects.get(chain=company.organization.pk, sequence=sequence)


def found(company: Company, **more: Any) -> list[tuple[Kind, int, int]]:
    report = verification.verify(company.organization.pk, **more)
    return [(fault.kind, fault.sequence, fault.last) for fault in report.faults]


def end(company: Company) -> int:
    return AuditHead.objects.get(chain=company.organization.pk).sequence


def end_of_lines(company: Company) -> int:
    return AuditEvent.objects.filter(chain=company.organization.pk).count()


def rechain(company: Company, start: int) -> None:
    """What somebody does who knows how the chain is made: hashes everything from there on anew."""
    rows = AuditEvent.objects.filter(chain=company.organization.pk).order_by("sequence")
    before = rows.filter(sequence__lt=start).last()
    previous = bytes(before.digest) if before else b""
    for row in rows.filter(sequence__gte=start):
        digest = linked(previous, row.sequence, facts_digest(facts_of(row)))
        with declared():
            AuditEvent.objects.filter(pk=row.pk).update(previous=previous, digest=digest)
        previous = digest
    AuditHead.objects.filter(chain=company.organization.pk).update(digest=previous)


class TestWhatIsWhole:
    def test_a_log_as_it_was_written_has_no_fault(self, long: Company, globex: Company) -> None:
        for company in (long, globex):
            report = verification.verify(company.organization.pk)
            assert report.is_whole
            assert report.lines == report.sequence == end(company)

    def test_so_has_that_of_the_installation_and_one_with_refusals(self, long: Company) -> None:
        refusals.refused("workspaces.delete", actor=UserActor(long.member), place=long.workspace)
        refusals.refused("workspaces.delete", actor=UserActor(long.member), place=long.workspace)
        refusals.refused("installation.operate", actor=UserActor(long.member), place="this installation")
        assert found(long) == []
        assert verification.verify(INSTALLATION).is_whole

    @pytest.mark.parametrize("zone", ["Asia/Kathmandu", "America/St_Johns"])
    def test_another_time_zone_raises_no_false_alarm(self, long: Company, zone: str) -> None:
        with override_settings(TIME_ZONE=zone), timezone.override(zone):
            assert found(long) == []

    def test_another_style_of_dates_raises_no_false_alarm(self, long: Company) -> None:
        if connection.vendor != "postgresql":
            pytest.skip("SQLite has no style of dates")
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL TimeZone = 'Asia/Tokyo'; SET LOCAL DateStyle = 'ISO, DMY'")
        assert found(long) == []

    def test_the_head_tells_when_and_what_was_verified(self, long: Company) -> None:
        verification.verify(long.organization.pk)
        head = AuditHead.objects.get(chain=long.organization.pk)
        assert (head.verified_sequence, head.verified_lines, head.fault) == (head.sequence, head.sequence, "")
        assert head.verified_at is not None

    def test_progress_counts_every_line(self, long: Company) -> None:
        seen: list[int] = []
        verification.verify(long.organization.pk, progress=seen.append)
        assert sum(seen) == end(long)


class TestTampering:
    @pytest.mark.parametrize(
        "change",
        [
            {"event": "workspace.deleted"},
            {"actor_role": "organization:owner"},
            {"actor_id": uuid.UUID(int=7)},
            {"uri": "/elsewhere"},
            {"code": 403},
            {"count": 7},
            {"details": {"before": {}, "after": {}}},
            {"request_id": "r-x"},
            {"target_id": "x"},
            {"digest": b"\0" * 32},
            {"previous": b"\0" * 32},
            {"names_digest": b""},
            {"form": 1},
            {"form": 0},
            {"form": 3},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_an_altered_line_is_named(self, long: Company, change: dict[str, Any]) -> None:
        with declared():
            AuditEvent.objects.filter(pk=line(long, 20).pk).update(**change)
        assert found(long) == [(Kind.ALTERED, 20, 0)]

    def test_one_microsecond_is_enough(self, long: Company) -> None:
        with declared():
            moved = line(long, 20).at + timedelta(microseconds=1)
            AuditEvent.objects.filter(pk=line(long, 20).pk).update(at=moved)
        assert found(long) == [(Kind.ALTERED, 20, 0)]

    def test_a_line_that_was_altered_and_hashed_anew_is_named(self, long: Company) -> None:
        row = line(long, 20)
        row.event = "workspace.deleted"
        digest = linked(bytes(row.previous), 20, facts_digest(facts_of(row)))
        with declared():
            AuditEvent.objects.filter(pk=row.pk).update(event=row.event, digest=digest)
        assert found(long) == [(Kind.REWRITTEN, 20, 0)]

    def test_deleted_lines_are_named(self, long: Company) -> None:
        with declared():
            gone = AuditEvent.objects.filter(chain=long.organization.pk, sequence__in=[20, 30, 31, 32])
            AuditNames.objects.filter(line__in=gone).delete()
            gone.delete()
        assert found(long) == [(Kind.MISSING, 20, 20), (Kind.MISSING, 30, 32)]

    def test_a_cut_tail_is_named(self, long: Company) -> None:
        last = end(long)
        with declared():
            AuditEvent.objects.filter(chain=long.organization.pk, sequence__gt=last - 3).delete()
        assert found(long) == [(Kind.MISSING, last - 2, last)]

    def test_an_empty_log_is_named(self, long: Company) -> None:
        with declared():
            AuditEvent.objects.filter(chain=long.organization.pk).delete()
        assert found(long) == [(Kind.MISSING, 1, end(long))]

    def test_a_line_put_after_the_end_is_named(self, long: Company) -> None:
        row, last = line(long, 20), end(long)
        row.pk, row.sequence, row.previous = None, last + 1, line(long, last).digest
        row.digest = linked(bytes(row.previous), last + 1, facts_digest(facts_of(row)))
        row.save(force_insert=True)
        assert (Kind.INSERTED, last + 1, last + 1) in found(long)

    def test_a_line_put_before_the_beginning_is_named(self, long: Company) -> None:
        row = line(long, 20)
        row.pk, row.sequence = None, 0
        row.save(force_insert=True)
        assert found(long) == [(Kind.INSERTED, 0, 0)]

    def test_a_line_put_where_one_was_taken_is_named(self, long: Company) -> None:
        row = line(long, 20)
        with declared():
            AuditEvent.objects.filter(pk=line(long, 33).pk).delete()
        row.pk, row.sequence = None, 33
        row.save(force_insert=True)
        assert found(long) == [(Kind.ALTERED, 33, 0)]

    def test_swapped_lines_are_named(self, long: Company) -> None:
        one, other = line(long, 20), line(long, 40)
        for pk, sequence in ((one.pk, -1), (other.pk, 20), (one.pk, 40)):
            sql(f"UPDATE {EVENT} SET sequence = %s WHERE id = %s", sequence, pk)
        assert found(long) == [(Kind.ALTERED, 20, 0), (Kind.ALTERED, 40, 0)]

    def test_lines_whose_place_in_lists_was_swapped_are_named(self, long: Company) -> None:
        with declared():
            AuditNames.objects.filter(line__in=[line(long, 20).pk]).delete()
            row = line(long, 20)
            AuditEvent.objects.filter(pk=row.pk).delete()
        row.pk = AuditEvent.objects.latest("id").pk + 1
        row.save(force_insert=True)
        assert {kind for kind, *_ in found(long)} == {Kind.MOVED, Kind.NAMES}

    @pytest.mark.parametrize("names", [{"actor": "somebody.else@acme.example"}, {}])
    def test_altered_names_are_named(self, long: Company, names: dict[str, str]) -> None:
        with declared():
            AuditNames.objects.filter(line=line(long, 20)).update(names=names)
        assert found(long) == [(Kind.NAMES, 20, 0)]

    @pytest.mark.parametrize(
        ("column", "value"),
        [("details", "no JSON"), ("uri", "/a\nb"), ("actor_role", "a\nb"), ("target_id", "\n")],
    )
    @pytest.mark.parametrize("form", [1, 2])
    def test_what_cannot_even_be_read_is_an_altered_line(
        self, long: Company, column: str, value: str, form: int
    ) -> None:
        sql(f"UPDATE {EVENT} SET {column} = %s, form = %s WHERE id = %s", value, form, line(long, 20).pk)
        assert found(long) == [(Kind.ALTERED, 20, 0)]

    @pytest.mark.parametrize(("column", "value"), [("actor_id", "x"), ("at", "yesterday"), ("names_digest", "x")])
    def test_so_is_what_sqlite_takes_into_any_column(self, long: Company, column: str, value: str) -> None:
        if connection.vendor != "sqlite":
            pytest.skip("PostgreSQL takes no such thing")
        sql(f"UPDATE {EVENT} SET {column} = %s WHERE id = %s", value, line(long, 20).pk)
        assert found(long) == [(Kind.ALTERED, 20, 0)]

    @pytest.mark.parametrize("change", [{"address": "198.51.100.1"}, {"address": ""}, {"chain": uuid.UUID(int=7)}])
    def test_so_is_what_hides_a_line_from_those_who_look_for_it(self, long: Company, change: dict[str, Any]) -> None:
        at = end(long) - 3
        with declared():
            AuditNames.objects.filter(line=line(long, at)).update(**change)
        assert found(long) == [(Kind.NAMES, at, 0)]

    def test_an_altered_event_can_still_be_looked_at(self, long: Company, sign_in: Any) -> None:
        at = end(long) - 3
        with declared():
            AuditEvent.objects.filter(pk=line(long, at).pk).update(event="nothing.known")
        browser = sign_in(long.owner)
        for page in ("", f"{at}/"):
            assert browser.get(f"/o/{long.organization.slug}/audit/{page}").status_code == 200
        secret = {"x-portkey-api-key": long.secrets["organization_key"]}
        assert browser.get("/v1/audit-logs", headers=secret).status_code == 200

    def test_a_lost_head_is_named(self, long: Company) -> None:
        AuditHead.objects.filter(chain=long.organization.pk).delete()
        assert Kind.HEAD in {kind for kind, *_ in found(long)}

    def test_the_sentences_name_lines(self, long: Company) -> None:
        with declared():
            AuditEvent.objects.filter(chain=long.organization.pk, sequence__in=[30, 31]).delete()
            AuditEvent.objects.filter(pk=line(long, 20).pk).update(code=500)
        report = verification.verify(long.organization.pk)
        assert [str(fault) for fault in report.faults] == ["Line 20 was altered.", "Lines 30 to 31 are missing."]

    def test_a_random_thousand_is_named_each(self, long: Company) -> None:
        """Edits, deletions, swaps and insertions at random places: no line that was touched stays unnamed."""
        last, chance = end(long), random.Random(7)
        for _ in range(1000):
            at = chance.randint(2, last - 1)
            attack = chance.choice(ATTACKS)
            with undone():
                touched = attack(long, at, chance)
                faults = found(long)
                named = {number for _, first, to in faults for number in range(first, max(first, to) + 1)}
                assert touched <= named, (attack.__name__, at, faults)
        assert found(long) == []


class undone:  # noqa: N801  # reads as a word
    """What happens inside has not happened after."""

    def __enter__(self) -> None:
        self.point = transaction.savepoint()

    def __exit__(self, *exc: object) -> None:
        transaction.savepoint_rollback(self.point)


def _edited(company: Company, at: int, chance: random.Random) -> set[int]:
    change = chance.choice(
        [{"event": "x"}, {"code": 201}, {"details": {"x": at}}, {"actor_kind": "key"}, {"door": "x"}]
    )
    with declared():
        AuditEvent.objects.filter(pk=line(company, at).pk).update(**change)
    return {at}


def _deleted(company: Company, at: int, chance: random.Random) -> set[int]:
    with declared():
        AuditEvent.objects.filter(pk=line(company, at).pk).delete()
    return {at}


def _swapped(company: Company, at: int, chance: random.Random) -> set[int]:
    other = chance.choice([number for number in range(2, end(company)) if number != at])
    one, two = line(company, at).pk, line(company, other).pk
    for pk, sequence in ((one, -1), (two, at), (one, other)):
        sql(f"UPDATE {EVENT} SET sequence = %s WHERE id = %s", sequence, pk)
    return {at, other}


def _cut(company: Company, at: int, chance: random.Random) -> set[int]:
    last = end(company)
    with declared():
        AuditEvent.objects.filter(chain=company.organization.pk, sequence__gte=at).delete()
    return set(range(at, last + 1))


def _inserted(company: Company, at: int, chance: random.Random) -> set[int]:
    """A line more, for which all that follow made room."""
    rows = AuditEvent.objects.filter(chain=company.organization.pk, sequence__gte=at).order_by("-sequence")
    copy = line(company, at)
    for pk, sequence in rows.values_list("pk", "sequence"):
        sql(f"UPDATE {EVENT} SET sequence = %s WHERE id = %s", sequence + 1, pk)
    copy.pk, copy.sequence = None, at
    copy.details = {"forged": True}
    copy.save(force_insert=True)
    return {at}


def _hashed_anew(company: Company, at: int, chance: random.Random) -> set[int]:
    row = line(company, at)
    row.event = "x"
    digest = linked(bytes(row.previous), at, facts_digest(facts_of(row)))
    with declared():
        AuditEvent.objects.filter(pk=row.pk).update(event="x", digest=digest)
    return {at}


ATTACKS: list[Callable[[Company, int, random.Random], set[int]]] = [
    *(_edited, _edited, _edited, _deleted, _deleted, _swapped, _cut, _inserted, _hashed_anew),
]


class TestCheckpoints:
    def test_one_that_is_kept_elsewhere_shows_a_cut_tail(self, long: Company) -> None:
        kept = checkpoints.read(operations.take_checkpoint(long.organization, by=UserActor(long.owner)))
        last = end(long)
        with declared():
            AuditEvent.objects.filter(chain=long.organization.pk, sequence__gt=last - 5).delete()
            AuditCheckpoint.objects.all().delete()
        row = line(long, last - 5)
        AuditHead.objects.filter(chain=long.organization.pk).update(sequence=last - 5, digest=row.digest)
        assert found(long) == []
        assert found(long, outside=[kept]) == [(Kind.MISSING, last - 4, last)]

    def test_one_shows_a_log_that_was_hashed_anew_to_its_end(self, long: Company) -> None:
        kept = checkpoints.read(operations.take_checkpoint(long.organization, by=UserActor(long.owner)))
        with declared():
            AuditEvent.objects.filter(pk=line(long, 20).pk).update(event="x")
            AuditCheckpoint.objects.all().delete()
        rechain(long, 20)
        assert found(long) == []
        assert found(long, outside=[kept]) == [(Kind.REWRITTEN, kept.sequence, 0)]

    def test_those_kept_here_show_it_too(self, long: Company) -> None:
        checkpoints.take_all()
        with declared():
            AuditEvent.objects.filter(pk=line(long, 20).pk).update(event="x")
        rechain(long, 20)
        assert [kind for kind, *_ in found(long)] == [Kind.REWRITTEN]

    def test_one_that_nobody_signed_is_named(self, long: Company) -> None:
        checkpoints.take_all()
        with declared():
            AuditCheckpoint.objects.filter(chain=long.organization.pk).update(sequence=20)
        assert (Kind.CHECKPOINT, 20, 0) in found(long)

    @pytest.mark.parametrize("name", ["sequence", "head", "at", "organization_id", "reason", "signature"])
    def test_an_altered_one_proves_nothing(self, long: Company, name: str) -> None:
        told = operations.take_checkpoint(long.organization, by=UserActor(long.owner))
        told[name] = {"sequence": 1, "at": "2020-01-01T00:00:00.000Z", "reason": "regular"}.get(name, "00" * 16)
        with pytest.raises(checkpoints.Unproven):
            checkpoints.read(told)

    @pytest.mark.parametrize("told", [None, [], {}, {"sequence": "x"}, "text", 7, {"at": "0001-01-01T00:00:00+14:00"}])
    def test_what_is_none_proves_nothing(self, told: Any) -> None:
        with pytest.raises(checkpoints.Unproven):
            checkpoints.read(told)

    def test_anybody_can_verify_one_with_the_public_key(self, long: Company) -> None:
        told = operations.take_checkpoint(long.organization, by=UserActor(long.owner))
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(told["public_key"]))
        key.verify(bytes.fromhex(told["signature"]), told["signed"].encode())

    def test_they_are_taken_where_something_was_written_since(
        self, long: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with override_settings(AUDIT_CHECKPOINTS=str(tmp_path)):
            assert checkpoints.take_all() > 0
            assert checkpoints.take_all() == 0
            later = timezone.now() + checkpoints.EVERY
            monkeypatch.setattr(checkpoints, "now", lambda: later)
            assert checkpoints.take_all() == 0
            log.record(
                Event.WORKSPACE_UPDATED, actor=system(), target=long.workspace, organization_id=long.organization.pk
            )
            assert checkpoints.take_all() == 1
        written = checkpoints.brought(tmp_path / f"{long.organization.pk}.jsonl")
        assert [checkpoint.sequence for checkpoint in written] == [end(long) - 1, end(long)]

    def test_no_statement_changes_one(self, long: Company) -> None:
        checkpoints.take_all()
        with pytest.raises(IntegrityError, match="append-only"):
            AuditCheckpoint.objects.update(sequence=1)


class TestRetention:
    def test_what_is_left_is_whole_and_begins_at_a_signature(self, long: Company) -> None:
        boundary = line(long, 30).at
        assert operations.shorten(long.organization.pk, before=boundary, by=system()) == 29
        report = verification.verify(long.organization.pk)
        assert report.is_whole
        assert AuditEvent.objects.filter(chain=long.organization.pk).earliest("sequence").sequence == 30
        assert AuditEvent.objects.latest("id").details["lines"] == 29

    def test_lines_that_go_without_a_signature_are_missing(self, long: Company) -> None:
        operations.shorten(long.organization.pk, before=line(long, 30).at, by=system())
        with declared():
            AuditCheckpoint.objects.filter(chain=long.organization.pk).delete()
        assert found(long)[0] == (Kind.MISSING, 1, 29)

    def test_nothing_goes_where_lines_are_kept_for_ever(self, long: Company) -> None:
        assert operations.shorten_all(by=system()) == 0

    def test_the_last_line_stays(self, long: Company) -> None:
        later = timezone.now() + timedelta(days=1)
        operations.shorten(long.organization.pk, before=later, by=system())
        assert found(long) == []
        assert AuditEvent.objects.filter(chain=long.organization.pk).exists()

    def test_the_words_of_whom_no_line_speaks_any_more_go_too(self, long: Company) -> None:
        subjects = set(AuditWord.objects.filter(chain=long.organization.pk).values_list("subject", flat=True))
        operations.shorten(long.organization.pk, before=line(long, end(long) - 5).at, by=system())
        left = set(AuditWord.objects.filter(chain=long.organization.pk).values_list("subject", flat=True))
        assert left == {str(long.owner.pk), str(long.workspace.pk)} < subjects

    def test_lines_go_with_the_line_that_says_so_or_not_at_all(self, long: Company, monkeypatch: Any) -> None:
        def fail(*args: object) -> bool:
            raise DatabaseError("the disk is full")

        monkeypatch.setattr("apps.audit.appending.append", fail)
        there = AuditEvent.objects.filter(chain=long.organization.pk).count()
        with pytest.raises(DatabaseError), transaction.atomic():
            operations.shorten(long.organization.pk, before=line(long, 30).at, by=system())
        assert AuditEvent.objects.filter(chain=long.organization.pk).count() == there
        assert not AuditCheckpoint.objects.filter(chain=long.organization.pk).exists()


class TestErasure:
    def test_ends_where_names_were_taken_away_before(self, long: Company) -> None:
        with declared():
            AuditNames.objects.filter(line=line(long, end(long))).delete()
        assert operations.erase(long.owner, by=system()) >= 59

    def test_a_persons_names_go_and_the_chain_holds(self, long: Company) -> None:
        address = long.owner.email
        assert AuditNames.objects.filter(names__contains=address).exists()
        operations.erase(long.owner, by=system())
        assert not AuditNames.objects.filter(names__contains=address).exists()
        report = verification.verify(long.organization.pk)
        assert report.is_whole
        assert report.erased >= 60

    def test_only_operators_may(self, long: Company) -> None:
        with pytest.raises(Forbidden):
            operations.erase(long.member, by=UserActor(long.owner))


class TestTheCommand:
    def test_says_that_all_is_whole(self, long: Company, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("verify_audit")
        assert "whole" in capsys.readouterr().out

    def test_names_the_faults_and_fails(self, long: Company, capsys: pytest.CaptureFixture[str]) -> None:
        with declared():
            AuditEvent.objects.filter(pk=line(long, 20).pk).update(event="x")
        with pytest.raises(CommandError):
            call_command("verify_audit")
        assert "Line 20 was altered." in capsys.readouterr().out

    def test_takes_checkpoints_from_elsewhere(self, long: Company, tmp_path: Path) -> None:
        told = operations.take_checkpoint(long.organization, by=UserActor(long.owner))
        file = tmp_path / "kept.json"
        file.write_text(json.dumps(told))
        call_command("verify_audit", checkpoints=[str(file)])
        with declared():
            AuditEvent.objects.filter(chain=long.organization.pk, sequence__gt=20).delete()
            AuditCheckpoint.objects.all().delete()
        AuditHead.objects.filter(chain=long.organization.pk).update(sequence=20, digest=line(long, 20).digest)
        call_command("verify_audit")
        with pytest.raises(CommandError):
            call_command("verify_audit", checkpoints=[str(file)])

    def test_fails_where_a_checkpoint_proves_nothing(self, long: Company, globex: Company, tmp_path: Path) -> None:
        file = tmp_path / "kept.json"
        file.write_text(json.dumps(operations.take_checkpoint(globex.organization, by=UserActor(globex.owner))))
        with pytest.raises(CommandError, match="prove nothing"):
            call_command("verify_audit", long.organization.slug, checkpoints=[str(file)])

    def test_knows_a_log_by_its_checkpoints_alone(self, long: Company, capsys: Any) -> None:
        refusals.refused("installation.operate", actor=UserActor(long.member), place=None)
        checkpoints.take_all()
        with declared():
            AuditEvent.objects.filter(chain=INSTALLATION).delete()
        AuditHead.objects.filter(chain=INSTALLATION).delete()
        with pytest.raises(CommandError):
            call_command("verify_audit")
        assert str(INSTALLATION) in capsys.readouterr().out

    def test_says_of_an_organization_without_a_log_that_it_has_none(self, long: Company, capsys: Any) -> None:
        with declared():
            AuditEvent.objects.filter(chain=long.organization.pk).delete()
        AuditHead.objects.filter(chain=long.organization.pk).delete()
        with pytest.raises(CommandError):
            call_command("verify_audit")
        assert "no end written down" in capsys.readouterr().out

    def test_an_unknown_organization_or_file_is_said(self, long: Company, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="no organization"):
            call_command("verify_audit", "no-such-organization")
        with pytest.raises(CommandError, match="cannot be read"):
            call_command("verify_audit", checkpoints=[str(tmp_path / "none.json")])


class TestTheClock:
    def test_every_log_is_verified_once_a_day(self, long: Company, globex: Company) -> None:
        assert operations.verify_due() > end(long)
        assert operations.verify_due() == 0
        AuditHead.objects.filter(chain=globex.organization.pk).update(verified_at=timezone.now() - timedelta(days=2))
        assert operations.verify_due() == end(globex)

    def test_no_column_puts_it_off(self, long: Company) -> None:
        later = timezone.now() + timedelta(days=9000)
        AuditHead.objects.update(verified_at=later)
        assert operations.verify_due() > end(long)
        AuditHead.objects.filter(chain=long.organization.pk).delete()
        assert operations.verify_due() == end_of_lines(long)

    def test_a_long_log_is_verified_by_a_job(self, long: Company, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(operations, "LONG", 10)
        assert operations.verify(long.organization, by=UserActor(long.owner)) is None
        tasks.verify.func(str(long.organization.pk))
        head = AuditHead.objects.get(chain=long.organization.pk)
        assert (head.verified_sequence, head.fault) == (head.sequence, "")

    def test_a_log_that_cannot_be_read_holds_up_no_other(
        self, long: Company, globex: Company, monkeypatch: Any
    ) -> None:
        whole = verification.verify

        def fail(chain: uuid.UUID) -> verification.Report:
            if chain == long.organization.pk:
                raise RuntimeError
            return whole(chain)

        monkeypatch.setattr("apps.audit.operations.verification.verify", fail)
        operations.verify_due()
        assert AuditHead.objects.get(chain=globex.organization.pk).verified_at is not None


@pytest.mark.django_db(transaction=True)
class TestMeanwhile:
    """What is written, signed or let go of while a chain is read is no fault of it."""

    def test_a_checkpoint_that_is_taken(self, long: Company, monkeypatch: pytest.MonkeyPatch) -> None:
        self.during(monkeypatch, lambda: operations.take_checkpoint(long.organization, by=UserActor(long.owner)))
        assert found(long) == []

    def test_lines_that_are_let_go_of(self, long: Company, monkeypatch: pytest.MonkeyPatch) -> None:
        boundary = line(long, 30).at
        self.during(monkeypatch, lambda: operations.shorten(long.organization.pk, before=boundary, by=system()))
        assert found(long) == []

    def during(self, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
        """Does this once the head is about to be read: on PostgreSQL beside the one look that the reading is."""
        signed = verification._signed

        def first(*args: Any) -> Any:
            answer = signed(*args)
            if connection.vendor == "postgresql":
                beside = threading.Thread(target=lambda: (act(), connection.close()))
                beside.start()
                beside.join()
            else:
                act()
            monkeypatch.setattr(verification, "_signed", signed)
            return answer

        monkeypatch.setattr(verification, "_signed", first)
