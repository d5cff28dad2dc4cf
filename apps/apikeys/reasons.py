"""Why a key may do something, or what it is that it lacks: the gate's own answer, said in words."""

from dataclasses import dataclass
from typing import Final

from django.db.models import TextChoices

from apps.access import gate
from apps.access.actions import Action
from apps.access.actors import UserActor
from apps.access.roles import holders, title
from apps.access.scopes import ALLOWED, KeyType
from apps.apikeys.models import ApiKey
from apps.organizations.models import Organization
from apps.workspaces.models import Workspace


class Reason(TextChoices):
    """What decides, the furthest from the key's reach first: a wider scope helps no key whose kind cannot carry it."""

    ALLOWED = "allowed"
    KIND_CANNOT = "kind_cannot"
    PLACE_CLOSED = "place_closed"
    NOT_IN_SCOPES = "not_in_scopes"
    PERSON_LACKS = "person_lacks"


@dataclass(frozen=True)
class Verdict:
    """Whether a key may do this there, and why."""

    key: ApiKey
    action: Action
    place: Organization | Workspace
    code: Reason

    @property
    def allowed(self) -> bool:
        return self.code is Reason.ALLOWED

    @property
    def roles(self) -> list[str]:
        """Who may: the roles that hold the action, highest first."""
        return [title(role) for role in holders(self.action)]

    @property
    def reason(self) -> str:
        said = _SENTENCES[self.code].format(
            action=self.action, place=self.place, type=self.key.type, others=_others(self.action)
        )
        if self.code is Reason.NOT_IN_SCOPES and not _its_person_may(self.key, self.action, self.place):
            said += " Nor does the person it belongs to hold it there."
        return said if self.allowed else f"{said} Who holds it: {', '.join(self.roles)}."


# In English alone, like everything the wire says.
_SENTENCES: Final = {
    Reason.ALLOWED: "This key may do {action} in {place}.",
    Reason.KIND_CANNOT: "A {type} key cannot do {action}, whatever its scopes; {others}.",
    Reason.PLACE_CLOSED: "Nobody may do {action} in {place}: there is no such thing there.",
    Reason.NOT_IN_SCOPES: "{action} is not among the scopes of this key.",
    Reason.PERSON_LACKS: "The key carries {action}, but the person it belongs to does not hold it in {place}.",
}


def verdict(key: ApiKey, action: Action, place: Organization | Workspace) -> Verdict:
    """What the gate would say, and the first thing that stands in the way. Nothing is done, and nothing recorded."""
    return Verdict(key, action, place, _decided_by(key, action, place))


def _decided_by(key: ApiKey, action: Action, place: Organization | Workspace) -> Reason:
    if gate.may(key, action, place):
        return Reason.ALLOWED
    if action not in ALLOWED[KeyType(key.type)]:
        return Reason.KIND_CANNOT
    if action not in place.permitted or not (key.covers(place) and key.is_let_in):
        return Reason.PLACE_CLOSED
    return Reason.NOT_IN_SCOPES if action not in key.scopes else Reason.PERSON_LACKS


def _its_person_may(key: ApiKey, action: Action, place: Organization | Workspace) -> bool:
    """Whether more scopes would be enough; a key that is nobody's has no person who could lack anything."""
    return key.person_id is None or gate.may(UserActor(key.user), action, place)


def _others(action: Action) -> str:
    carrying = [str(type_) for type_ in KeyType if action in ALLOWED[type_]]
    return f"a key of the type {' or '.join(carrying)} can" if carrying else "no key can, only people"
