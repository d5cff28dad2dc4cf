"""The log: written in the transaction, chained, and never changed."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from apps.access.actors import NobodyActor, Origin, UserActor
from apps.access.roles import OrganizationRole
from apps.audit import appending, log, refusals
from apps.audit.chain import digest_of
from apps.audit.events import Event
from apps.audit.models import AuditEvent, AuditHead, AuditNames
from apps.audit.retention import declared
from apps.memberships import operations as memberships
from apps.workspaces import operations as workspaces
from tests.world import Company, system


@pytest.mark.django_db(transaction=True)
def test_a_line_is_written_inside_a_transaction_or_not_at_all(acme: Company) -> None:
    with pytest.raises(RuntimeError, match="inside the transaction"):
        log.record(Event.WORKSPACE_CREATED, actor=NobodyActor(), target=acme.workspace, organization_id=None)


def test_each_organization_has_a_chain_of_its_own(acme: Company, globex: Company) -> None:
    for company in (acme, globex):
        lines = list(AuditEvent.objects.filter(chain=company.organization.pk).order_by("sequence"))
        assert [line.sequence for line in lines] == list(range(1, len(lines) + 1))
        previous = b""
        for line in lines:
            assert bytes(line.previous) == previous
            assert bytes(line.digest) == digest_of(line)
            previous = bytes(line.digest)
        head = AuditHead.objects.get(chain=company.organization.pk)
        assert (head.sequence, bytes(head.digest)) == (len(lines), previous)


def test_the_digest_covers_what_happened(acme: Company) -> None:
    line = AuditEvent.objects.filter(chain=acme.organization.pk).latest("sequence")
    for field, value in (
        ("event", "x"),
        ("actor_kind", "key"),
        ("details", {"a": 1}),
        ("sequence", 999),
        ("status", "refused"),
    ):
        kept = getattr(line, field)
        setattr(line, field, value)
        assert digest_of(line) != bytes(line.digest), field
        setattr(line, field, kept)


def test_names_stand_beside_the_line_and_can_be_erased(acme: Company) -> None:
    workspaces.update(acme.workspace, name="x", by=UserActor(acme.owner, Origin("page", "r-1", "10.0.0.1", "Firefox")))
    line = AuditEvent.objects.select_related("side").latest("id")
    assert line.names == {"actor": acme.owner.email, "target": "x", "address": "10.0.0.1", "agent": "Firefox"}
    assert acme.owner.email not in str(line.details)
    with declared():
        AuditNames.objects.filter(line=line).update(names={})
    assert digest_of(AuditEvent.objects.get(pk=line.pk)) == bytes(line.digest)


def test_a_line_says_through_which_door_and_which_request(acme: Company) -> None:
    workspaces.update(acme.workspace, name="x", by=UserActor(acme.owner, Origin("page", "r-1")))
    line = AuditEvent.objects.latest("id")
    assert (line.door, line.request_id) == ("page", "r-1")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_auditevent SET event = 'x'",
        "DELETE FROM audit_auditevent",
        "UPDATE audit_auditevent SET digest = previous",
    ],
)
def test_no_statement_changes_a_line(acme: Company, statement: str) -> None:
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_truncating_is_refused_too(acme: Company) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no TRUNCATE")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE audit_auditevent CASCADE")


def test_only_declared_retention_lets_lines_go(acme: Company) -> None:
    with declared():
        AuditNames.objects.all().delete()
        AuditEvent.objects.all().delete()
    assert not AuditEvent.objects.exists()
    workspaces.update(acme.workspace, name="x", by=system())
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEvent.objects.all()._raw_delete(using="default")


def test_a_refusal_is_a_line_of_its_own(acme: Company) -> None:
    refusals.refused("workspaces.delete", actor=UserActor(acme.member), place=acme.workspace)
    line = AuditEvent.objects.latest("id")
    assert (line.event, line.status, line.workspace_id) == ("access.refused", "refused", acme.workspace.pk)
    assert line.details == {"action": "workspaces.delete"}


@pytest.mark.parametrize(
    ("person", "role"),
    [("owner", "organization:owner"), ("manager", "organization:member workspace:manager")],
)
def test_a_line_says_what_the_actor_was_then(acme: Company, person: str, role: str) -> None:
    workspaces.update(acme.workspace, name="x", by=UserActor(acme[person]))
    line = AuditEvent.objects.latest("id")
    assert line.actor_role == role
    memberships.change_role(acme.membership(acme.admin), OrganizationRole.MEMBER, by=UserActor(acme.owner))
    assert AuditEvent.objects.get(pk=line.pk).actor_role == role


def test_a_line_says_of_a_key_which_it_is(acme: Company) -> None:
    workspaces.create(acme.organization, name="x", by=acme.organization_key)
    assert AuditEvent.objects.latest("id").actor_role == "organisation-service"


def test_an_address_has_no_line_break_and_no_secret_in_it(acme: Company) -> None:
    by = UserActor(acme.owner, Origin("page", "r-1", method="POST", uri="/a\nb\u2028c\x1b[31m"))
    workspaces.update(acme.workspace, name="x", by=by)
    assert AuditEvent.objects.latest("id").uri == "/a b c [31m"


@pytest.mark.django_db(transaction=True)
def test_an_act_whose_line_cannot_be_written_does_not_happen(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> bool:
        raise DatabaseError("the disk is full")

    monkeypatch.setattr("apps.audit.appending.append", fail)
    with pytest.raises(DatabaseError):
        workspaces.update(acme.workspace, name="x", by=UserActor(acme.owner))
    acme.workspace.refresh_from_db()
    assert acme.workspace.name != "x"


def test_both_ways_to_append_make_the_same_chain(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one statement of PostgreSQL, and the steps of every other database."""
    workspaces.update(acme.workspace, name="one", by=system())
    monkeypatch.setattr(appending, "_in_one_statement", appending._in_turn)
    workspaces.update(acme.workspace, name="two", by=system())
    monkeypatch.undo()
    workspaces.update(acme.workspace, name="three", by=system())
    rows = list(AuditEvent.objects.filter(chain=acme.organization.pk).order_by("sequence"))
    assert [bytes(row.digest) for row in rows] == [digest_of(row) for row in rows]
    assert [bytes(row.previous) for row in rows[1:]] == [bytes(row.digest) for row in rows[:-1]]
