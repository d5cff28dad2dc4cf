"""Places: what the access rules need to know of an organization or a workspace, and no more."""

import uuid
from typing import TYPE_CHECKING, Any, Protocol

from apps.access.actions import Action

if TYPE_CHECKING:
    from apps.access.rows import Held


class Place(Protocol):
    """Somewhere rights are granted."""

    pk: Any

    @property
    def parent(self) -> "Place | None":
        """The place whose grants hold here too."""

    @property
    def organization_key(self) -> uuid.UUID:
        """The organization this place is, or belongs to."""

    def is_open_to(self, held: "Held") -> bool:
        """Whether someone holding this here, or on the parent, belongs here (P10, P17, P22)."""

    @property
    def permitted(self) -> frozenset[Action]:
        """What anybody may do here at all: the state and the type of the place decide (P22, product 2.4)."""
