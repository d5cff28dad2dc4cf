"""Search by how words begin: "an ko" finds Ana Kovač, on an index, however many rows there are (product P29)."""

import re
import unicodedata
from collections.abc import Callable
from typing import Any, ClassVar, Final

from django.db import models
from django.db.models.signals import post_save, pre_save

from apps.core import counting

WORD_LENGTH: Final = 64
KEY_LENGTH: Final = 255
RARE: Final = 30_000  # words: the rows of fewer are fetched and sorted faster than a long list is read
_WORDS_A_ROW, _WORDS_A_QUESTION = 40, 6
_AFTER_EVERY_LETTER: Final = "\U0010ffff"


def folded(text: str) -> str:
    """As people compare: without case, without accents."""
    apart = unicodedata.normalize("NFKD", text.replace("\0", " ")).casefold()
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def words_of(*texts: str) -> list[str]:
    """Each word a row is found by: those between spaces as they stand, and their parts without the signs between."""
    whole = [word for text in texts for word in folded(text).split()]
    parts = [part for word in whole for part in re.split(r"[\W_]+", word) if part]
    return list(dict.fromkeys(word[:WORD_LENGTH] for word in (*whole, *parts)))[:_WORDS_A_ROW]


def sort_key(text: str) -> str:
    """What a list is sorted by where people see this text."""
    return folded(text)[:KEY_LENGTH]


class Word(models.Model):
    """One word by which a row of an organization is found. A subclass adds both: `organization` and `row`."""

    organization: ClassVar[Any]
    row: ClassVar[Any]
    word = models.CharField(max_length=WORD_LENGTH)

    class Meta:
        abstract = True
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["row", "word"], name="%(class)s_once")]
        indexes = [
            models.Index(
                fields=["organization", "word"], opclasses=["uuid_ops", "varchar_pattern_ops"], name="%(class)s_begins"
            )
        ]

    def __str__(self) -> str:
        return self.word


def few(rows: Any, asked: str, organization: Any, most: int) -> list[Any]:
    """Some of those that match, in the order of their names among themselves: for a glance, in one query."""
    words: Any = rows.model.words.rel.related_model._default_manager.filter(organization=organization)
    for beginning in _beginnings(asked):
        rows = rows.filter(pk__in=words.filter(word__begins=beginning).values("row"))
    return sorted(rows.order_by()[:most], key=lambda row: (row.name_key, row.pk))


def matching(rows: Any, asked: str, organization: Any) -> Any:
    """Those of an organization's rows that have, for every word asked, one that begins so.

    Where a word is rare, its rows are looked up first, behind a fence that no planner moves: a list that is read in
    its order until a page is full would be read to its end for them. Finding that out is one query.
    """
    words: Any = rows.model.words.rel.related_model._default_manager.filter(organization=organization)
    found = {beginning: words.filter(word__begins=beginning) for beginning in _beginnings(asked)}
    if not found:
        return rows
    numbers = counting.count(RARE, found)
    rarest = min(numbers, key=lambda beginning: numbers[beginning])
    for beginning, with_it in found.items():
        is_fenced = beginning == rarest and numbers[rarest] <= RARE
        theirs = with_it.values("row")
        rows = rows.filter(pk__in=theirs[: _enough(numbers[rarest])] if is_fenced else theirs)
    return rows


def _enough(number: int) -> int:
    """A limit that limits nothing: what has one is computed by itself, and is not believed to be much more."""
    return 2 * number + 1000


def _beginnings(asked: str) -> list[str]:
    return [beginning[:WORD_LENGTH] for beginning in folded(asked).split()[:_WORDS_A_QUESTION]]


def note(row: Any, *texts: str) -> None:
    """Writes by which words this row is found from now on."""
    model: Any = type(row).words.rel.related_model
    wanted, held = set(words_of(*texts)), dict(row.words.values_list("word", "pk"))
    row.words.filter(pk__in=[pk for word, pk in held.items() if word not in wanted]).delete()
    model._default_manager.bulk_create(
        model(organization_id=row.organization_id, row=row, word=word) for word in sorted(wanted - held.keys())
    )


def follow(model: type[models.Model], *fields: str) -> None:
    """Keeps the words and the `name_key` of this model's rows true to these fields; called from AppConfig.ready()."""

    def before(instance: Any, **kwargs: Any) -> None:
        instance.name_key = sort_key(getattr(instance, fields[0]))

    def after(instance: Any, created: bool, update_fields: Any, **kwargs: Any) -> None:
        if update_fields is not None and not set(fields) & set(update_fields):
            return
        if not created:
            model._default_manager.filter(pk=instance.pk).update(name_key=instance.name_key)
        note(instance, *(getattr(instance, field) for field in fields))

    _connect(pre_save, model, before)
    _connect(post_save, model, after)


def _connect(signal: Any, model: type[models.Model], receiver: Callable[..., None]) -> None:
    signal.connect(receiver, sender=model, weak=False, dispatch_uid=f"search {model._meta.label} {receiver.__name__}")


@models.CharField.register_lookup
class Begins(models.Lookup[Any]):
    """`word__begins`: as `startswith`, and on an index that every database uses."""

    lookup_name = "begins"

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        column, before = self.process_lhs(compiler, connection)
        escaped = re.sub(r"([\\%_])", r"\\\1", str(self.rhs))
        return f"{column} LIKE %s", (*before, f"{escaped}%")

    def as_sqlite(self, compiler: Any, connection: Any) -> Any:
        column, before = self.process_lhs(compiler, connection)
        upto = f"{self.rhs}{_AFTER_EVERY_LETTER}"
        return f"({column} >= %s AND {column} < %s)", (*before, self.rhs, *before, upto)
