"""What lines of before are found by: their chain, the address, the words of names, and the status of refusals."""

from contextlib import contextmanager

from django.db import migrations

from apps.audit.retention import DECLARE, WITHDRAW
from apps.core.search import words_of

_BATCH = 1000


def fill(apps, schema_editor):
    with _allowed(schema_editor.connection):
        _fill(*(apps.get_model("audit", name) for name in ("AuditEvent", "AuditNames", "AuditWord")))


def _fill(events, names, words):
    """None of it is among what the digests of these lines cover."""
    for side in names.objects.select_related("line").order_by("pk").iterator(chunk_size=_BATCH):
        line = side.line
        side.chain, side.address = line.chain, side.names.get("address", "")[:64]
        side.save(update_fields=["chain", "address"])
        actor, target = side.names.get("actor"), side.names.get("target")
        called = [(str(line.actor_id or ""), actor), (line.target_id, target), (line.details.get("person"), target)]
        rows = [
            words(chain=line.chain, subject=subject, word=found)
            for subject, name in called
            if subject and name
            for found in words_of(name)
        ]
        words.objects.bulk_create(rows, ignore_conflicts=True)
    events.objects.filter(status="refused").update(code=403)
    for line in events.objects.filter(details__contains='"person"').iterator(chunk_size=_BATCH):
        events.objects.filter(pk=line.pk).update(person_id=line.details.get("person"))


@contextmanager
def _allowed(connection):
    """On PostgreSQL walls stand while migrations run; on SQLite they are down."""
    with connection.cursor() as cursor:
        for statement in DECLARE[connection.vendor] if connection.vendor == "postgresql" else ():
            cursor.execute(statement)
        yield
        for statement in WITHDRAW[connection.vendor] if connection.vendor == "postgresql" else ():
            cursor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_whole_lines")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
