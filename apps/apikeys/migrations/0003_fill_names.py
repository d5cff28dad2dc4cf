"""Gives the rows that were there before the names they are sorted by, and the words they are found by."""

from django.db import migrations

from apps.core import search


def fill(apps, schema_editor):
    rows = apps.get_model("apikeys", "ApiKey")._default_manager.all()
    words = apps.get_model("apikeys", "ApiKeyWord")._default_manager
    batch = []
    for row in rows.iterator(chunk_size=1000):
        batch.append(row)
        if len(batch) == 1000:
            _write(batch, rows, words)
            batch = []
    _write(batch, rows, words)


def _write(batch, rows, words):
    for row in batch:
        row.name_key = search.sort_key(row.name)
    rows.model._default_manager.bulk_update(batch, ["name_key"])
    words.bulk_create(
        words.model(organization_id=row.organization_id, row_id=row.pk, word=word)
        for row in batch
        for word in search.words_of(row.name, row.mask[-4:])
    )


class Migration(migrations.Migration):
    dependencies = [("apikeys", "0002_names_to_sort_and_search_by")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
