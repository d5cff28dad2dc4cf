"""What lines of before are found by: their chain, the address, the words of names, and the status of refusals."""

from django.db import migrations, transaction

from apps.audit.retention import DECLARE, WITHDRAW
from apps.core.search import words_of

_BATCH = 1000


def fill(apps, schema_editor):
    connection = schema_editor.connection
    event, names, word = (apps.get_model("audit", name) for name in ("AuditEvent", "AuditNames", "AuditWord"))
    for side in names.objects.select_related("line").order_by("pk").iterator(chunk_size=_BATCH):
        line = side.line
        side.chain, side.address = line.chain, side.names.get("address", "")[:64]
        side.save(update_fields=["chain", "address"])
        called = {str(line.actor_id or ""): side.names.get("actor"), line.target_id: side.names.get("target")}
        rows = [
            word(chain=line.chain, subject=subject, word=found)
            for subject, name in called.items()
            if subject and name
            for found in words_of(name)
        ]
        word.objects.bulk_create(rows, ignore_conflicts=True)
    # Not among what the digests of these lines cover.
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        declaring = connection.vendor == "postgresql"
        for statement in DECLARE[connection.vendor] if declaring else ():
            cursor.execute(statement)
        event.objects.filter(status="refused").update(code=403)
        for statement in WITHDRAW[connection.vendor] if declaring else ():
            cursor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_whole_lines")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
