"""Gives the rows that were there before the names they are sorted by, and the words they are found by."""

from django.db import migrations

from apps.core import search


def fill(apps, schema_editor):
    rows = apps.get_model("memberships", "OrganizationMembership")._default_manager.select_related("user")
    words = apps.get_model("memberships", "MemberWord")._default_manager
    batch = []
    for row in rows.iterator(chunk_size=1000):
        batch.append(row)
        if len(batch) == 1000:
            _write(batch, rows, words)
            batch = []
    _write(batch, rows, words)


def _write(batch, rows, words):
    for row in batch:
        row.address_key = search.sort_key(row.user.email)
        row.name_key = search.sort_key(_full_name(row.user) or row.user.email)
    rows.model._default_manager.bulk_update(batch, ["name_key", "address_key"])
    words.bulk_create(
        words.model(organization_id=row.organization_id, row_id=row.pk, word=word)
        for row in batch
        for word in search.words_of(_full_name(row.user), row.user.email)
    )


def _full_name(user):
    return f"{user.first_name} {user.last_name}".strip()


class Migration(migrations.Migration):
    dependencies = [("memberships", "0002_names_to_sort_and_search_by")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
