"""Who is asking. A person, a key, an operator and a job all answer the same question."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from apps.access import rows
from apps.access.actions import Action
from apps.access.places import Place
from apps.access.roles import Role, needed_to_grant


@dataclass(frozen=True)
class Origin:
    """Where an act came from, for the audit line: the door, the request, the address and the program.

    `uri` is the path that was asked for, without its query and without secrets; `route` is the pattern that it fits.
    """

    door: str = "code"
    request_id: str = ""
    address: str = ""
    agent: str = ""
    method: str = ""
    uri: str = ""
    route: str = ""


NOWHERE = Origin()


class Actor(Protocol):
    """Somebody, or something, that acts."""

    origin: Origin

    @property
    def kind(self) -> str: ...

    @property
    def id(self) -> uuid.UUID | None: ...

    @property
    def label(self) -> str: ...

    @property
    def person_id(self) -> uuid.UUID | None:
        """The person behind the act, where there is one: nobody changes their own role, through any door (P3)."""

    def actions_in(self, place: Place) -> frozenset[Action]: ...

    def belongs_to(self, place: Place) -> bool:
        """Whether the place exists for this actor at all (product P10)."""

    def needed_to_grant(self, role: Role) -> frozenset[Action]:
        """What this actor must hold to give or take a role (product P4)."""

    def role_in(self, organization_id: uuid.UUID, workspace_id: uuid.UUID | None) -> str:
        """What it is there, as the audit line tells it, as far as it has been asked in this request."""

    def look_again(self) -> None:
        """Forgets what it has read of its own rights: what held before a lock may not hold under it (P13)."""


class UserActor:
    """A person answers from guardian's rows, with one query per place and request."""

    kind = "person"

    def __init__(self, user: Any, origin: Origin = NOWHERE) -> None:
        self.user, self.origin = user, origin
        self._held: dict[uuid.UUID, rows.Held] = {}

    @property
    def id(self) -> uuid.UUID:
        return self.user.pk  # type: ignore[no-any-return]

    @property
    def label(self) -> str:
        return str(self.user.email)

    @property
    def person_id(self) -> uuid.UUID:
        return self.id

    def actions_in(self, place: Place) -> frozenset[Action]:
        return self._held_in(place).actions & place.permitted

    def belongs_to(self, place: Place) -> bool:
        return place.is_open_to(self._held_in(place))

    def look_again(self) -> None:
        self._held.clear()
        self.user.refresh_from_db(fields=["is_active"])

    def held_in(self, place: Place) -> rows.Held:
        """The roles behind the actions, for pages that say where access comes from."""
        return self._held_in(place)

    def needed_to_grant(self, role: Role) -> frozenset[Action]:
        return needed_to_grant(role)

    def role_in(self, organization_id: uuid.UUID, workspace_id: uuid.UUID | None) -> str:
        places = {"organization": organization_id, "workspace": workspace_id}
        held = [(level, self._held.get(place, rows.NOTHING).here) for level, place in places.items() if place]
        return " ".join(f"{level}:{role}" for level, roles in held for role in sorted(roles))

    def look_at(self, places: list[Any]) -> None:
        """Reads what is held in all these places of one organization at once, for a page that shows them."""
        self._held.update(rows.held_in(self.id, [place for place in places if place.pk not in self._held]))

    def _held_in(self, place: Any) -> rows.Held:
        if not self.user.is_active:
            return rows.NOTHING
        if place.pk not in self._held:
            # Group rows only: being a superuser is not a role in someone's tenant.
            self.look_at([place])
        return self._held[place.pk]


class NobodyActor:
    """Somebody who has not signed in."""

    kind, id, label, person_id = "nobody", None, "", None

    def __init__(self, origin: Origin = NOWHERE) -> None:
        self.origin = origin

    def actions_in(self, place: Place) -> frozenset[Action]:
        return frozenset()

    def belongs_to(self, place: Place) -> bool:
        return False

    def needed_to_grant(self, role: Role) -> frozenset[Action]:
        return needed_to_grant(role)

    def role_in(self, organization_id: uuid.UUID, workspace_id: uuid.UUID | None) -> str:
        return ""

    def look_again(self) -> None:
        """There is nothing to forget."""


class SystemActor:
    """A job or a command: holds the actions named where it is made, and says why it runs."""

    kind, id, person_id = "system", None, None

    def __init__(self, *, reason: str, actions: Iterable[Action], origin: Origin = NOWHERE) -> None:
        self.reason, self._actions, self.origin = reason, frozenset(actions), origin

    @property
    def label(self) -> str:
        return self.reason

    def actions_in(self, place: Place) -> frozenset[Action]:
        return self._actions

    def belongs_to(self, place: Place) -> bool:
        return True

    def needed_to_grant(self, role: Role) -> frozenset[Action]:
        return needed_to_grant(role)

    def role_in(self, organization_id: uuid.UUID, workspace_id: uuid.UUID | None) -> str:
        return ""

    def look_again(self) -> None:
        """There is nothing to forget."""
