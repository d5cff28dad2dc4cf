"""By which words the log's actors and targets are found, whatever has become of them since."""

import uuid
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from django.db import transaction

from apps.audit.models import AuditWord
from apps.core.search import words_of

_REMEMBERED: Final = 10_000
_Named = tuple[uuid.UUID, str, str]
# What this process has written already and need not write again: names rarely change, lines are many.
_written: OrderedDict[_Named, None] = OrderedDict()


def note(chain: uuid.UUID, called: Iterable[tuple[str, str]]) -> None:
    """Writes what these are called. Arguments: `called` are ids, each with its name; what has none is left out."""
    fresh = [(chain, subject, name) for subject, name in called if subject and name]
    fresh = [named for named in fresh if named not in _written]
    if fresh:
        rows = [
            AuditWord(chain=chain, subject=subject, word=word) for _, subject, name in fresh for word in words_of(name)
        ]
        AuditWord.objects.bulk_create(rows, ignore_conflicts=True)
        transaction.on_commit(lambda: _remember(fresh))


def forget() -> None:
    """Forgets what has been written, where it may have been erased since."""
    _written.clear()


def _remember(named: list[_Named]) -> None:
    _written.update(dict.fromkeys(named))
    while len(_written) > _REMEMBERED:
        _written.popitem(last=False)
