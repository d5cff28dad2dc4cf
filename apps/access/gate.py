"""The one permission check. Pages, API, admin console and operations all end here."""

from collections.abc import Iterable

from apps.access.actions import Action
from apps.access.actors import Actor
from apps.access.places import Place
from apps.access.roles import Role, holders, title
from apps.core.errors import Forbidden, Overreach

OPERATING = frozenset({"operator", "system"})


def may(actor: Actor, action: Action, place: Place) -> bool:
    return action in actor.actions_in(place)


def require(actor: Actor, action: Action, place: Place) -> None:
    """Raises Forbidden, naming the action, the place and the roles that hold it."""
    if not may(actor, action, place):
        raise Forbidden(action, place, roles=[title(role) for role in holders(action)])
    note(actor, (action,))


def note(actor: Actor, actions: Iterable[Action]) -> None:
    """Remembers on a key what it needed, so that people see which of its scopes it never needs."""
    used = getattr(actor, "used", None)
    if used is not None:
        used.update(actions)


def require_to_grant(actor: Actor, roles: Iterable[Role], place: Place, *, field: str) -> None:
    """Raises Overreach unless the actor holds all that these roles hold there (product P4)."""
    roles = tuple(roles)
    if beyond := _beyond(actor, roles, place):
        raise Overreach(field, [action.value for action in beyond])
    note(actor, (action for role in roles for action in actor.needed_to_grant(role) & place.permitted))


def may_grant(actor: Actor, role: Role, place: Place) -> bool:
    """The same as a question, for the choices a page offers."""
    return not _beyond(actor, [role], place)


def require_operator(actor: Actor) -> None:
    """For acts on the installation itself, which no role in any organization holds (product P16)."""
    if actor.kind not in OPERATING:
        raise Forbidden("installation.operate", "this installation")


def _beyond(actor: Actor, roles: Iterable[Role], place: Place) -> set[Action]:
    held = actor.actions_in(place)
    return {action for role in roles for action in (actor.needed_to_grant(role) & place.permitted) - held}
