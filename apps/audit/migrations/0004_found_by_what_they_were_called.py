"""Lines of before get the text that lines have now, and what they are found by: chain, address, person, words, status.

Each batch is a transaction of its own, and can be done again: a migration that was stopped begins anew.
"""

import json
import uuid
from contextlib import contextmanager

from django.db import migrations, transaction
from django.db.models import TextField
from django.db.models.functions import Cast

from apps.audit.canonical import text_of
from apps.audit.retention import DECLARE, WITHDRAW
from apps.core.search import words_of

_BATCH = 1_000
_REMEMBERED = 100_000
_FIRST_FORM = 1
_REFUSED = 403


def fill(apps, schema_editor):
    connection = schema_editor.connection
    events, names, words = (apps.get_model("audit", name) for name in ("AuditEvent", "AuditNames", "AuditWord"))
    written = set()
    for batch in _batches(events.objects.using(connection.alias)):
        with _allowed(connection):
            sides = [_side(*line) for line in batch if line[-1] is not None]
            _update(connection, names, ("line", "chain", "address", "names"), sides)
            _update(connection, events, ("id", "code", "person_id", "details"), list(filter(None, map(_line, batch))))
            _note(words.objects.using(connection.alias), batch, written)


def _batches(lines):
    """Lines of the first form alone: what the digests of later ones cover is never touched."""
    texts = {name: Cast(field, TextField()) for name, field in (("told", "details"), ("called", "side__names"))}
    rows = lines.filter(form=_FIRST_FORM).annotate(**texts).order_by("pk")
    rows = rows.values_list("pk", "chain", "status", "actor_id", "target_id", "told", "called")
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:_BATCH]):
        yield batch
        last = batch[-1][0]


def _side(pk, chain, status, actor_id, target_id, told, called):
    names = json.loads(called)
    return pk, chain, names.get("address", "")[:64], text_of(names)


def _line(line):
    """What has to be written of a line; None of most. The digest is of the value, and not of its text."""
    pk, chain, status, actor_id, target_id, told, called = line
    details = json.loads(told)
    code, person, text = _REFUSED if status == "refused" else 200, _person(details), text_of(details)
    return (pk, code, person, text) if (code, person, text) != (200, None, told) else None


def _person(details):
    try:
        return uuid.UUID(details.get("person"))
    except (AttributeError, TypeError, ValueError):
        return None


def _note(words, batch, written):
    """Names repeat: each is written once, as far as can be remembered."""
    found = {}
    for _pk, chain, _status, actor_id, target_id, told, called in batch:
        names, person = json.loads(called or "{}"), _person(json.loads(told))
        actor, target = names.get("actor"), names.get("target")
        for subject, name in ((actor_id, actor), (target_id, target), (person, target)):
            if subject and name:
                found[chain, str(subject), name] = None
    fresh = [named for named in found if named not in written]
    rows = {(chain, subject, word) for chain, subject, name in fresh for word in words_of(name)}
    words.bulk_create(
        [words.model(chain=chain, subject=subject, word=word) for chain, subject, word in sorted(rows)],
        batch_size=_BATCH,
        ignore_conflicts=True,
    )
    if len(written) > _REMEMBERED:
        written.clear()
    written.update(fresh)


def _update(connection, model, names, rows):
    """Writes rows, each its key and then what these columns are from now on, in one statement."""
    if not rows:
        return
    fields, quote = [model._meta.get_field(name) for name in names], connection.ops.quote_name
    given = [f"CAST(given.column{n} AS {field.rel_db_type(connection)})" for n, field in enumerate(fields, 1)]
    columns = [quote(field.column) for field in fields]
    key, *wanted = zip(columns, given, strict=True)
    line = f"({', '.join(['%s'] * len(fields))})"
    statement = (
        f"UPDATE {quote(model._meta.db_table)} SET {', '.join(map(' = '.join, wanted))} "
        f"FROM (VALUES {', '.join([line] * len(rows))}) AS given WHERE {' = '.join(key)}"
    )
    values = [
        field.get_db_prep_save(value, connection) for row in rows for field, value in zip(fields, row, strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@contextmanager
def _allowed(connection):
    """On PostgreSQL walls stand while migrations run; on SQLite they are down."""
    is_walled = connection.vendor == "postgresql"
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for statement in DECLARE[connection.vendor] if is_walled else ():
            cursor.execute(statement)
        yield
        for statement in WITHDRAW[connection.vendor] if is_walled else ():
            cursor.execute(statement)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("audit", "0003_whole_lines")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
