"""Taking back what was just done: the toast that says it is done carries the request that does the opposite."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse


@dataclass(frozen=True)
class Undo:
    """The opposite of an operation: the address its form posts to, and the fields it posts.

    It is an ordinary request: whoever may not make it is refused, and a version that has moved on is stale.
    """

    to: str
    args: tuple[Any, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)

    def packed(self) -> str:
        """As a message carries it."""
        fields = {name: str(value) for name, value in self.fields.items()}
        return json.dumps({"url": reverse(self.to, args=self.args), "fields": fields})


def unpacked(carried: str | None) -> dict[str, Any] | None:
    """What a message carries, for its form; None where there is nothing to take back."""
    return json.loads(carried) if carried and carried.startswith("{") else None
