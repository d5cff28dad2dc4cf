"""Which keys exist for somebody: those of the families they may list, where they may, and always their own (P5)."""

from typing import Any

from django.db.models import Q

from apps.access import gate
from apps.access.actions import Action
from apps.access.actors import UserActor
from apps.access.rows import places_granting
from apps.access.scopes import KeyType
from apps.apikeys.models import ApiKey, action_on
from apps.apikeys.querysets import ApiKeyQuerySet
from apps.organizations.models import Organization
from apps.workspaces.models import Workspace


def visible(rows: Any, actor: UserActor, organization: Organization) -> ApiKeyQuerySet:
    """Those of an organization's keys that the person may see, found by the database without listing workspaces.

    Keys of an archived workspace are there for those whose organization role reaches into it (P22).
    """
    everywhere = [kind for kind in KeyType if gate.may(actor, action_on(kind, "list"), organization)]
    found: ApiKeyQuerySet = rows
    if len(everywhere) < len(KeyType):
        theirs = Q(user=actor.id) | Q(type__in=everywhere)
        for kind in {KeyType.WORKSPACE, KeyType.USER} - set(everywhere):
            places = places_granting(action_on(kind, "list"), actor.id, Workspace)
            theirs |= Q(type=kind, workspace__in=places)
        found = found.filter(theirs)
    reaches = gate.may(actor, Action.WORKSPACES_READ, organization)
    return found if reaches else found.in_open_places(organization)


def is_own(key: ApiKey, actor: Any) -> bool:
    """Whether it is the person's own key, which they always see and may revoke (P5)."""
    return bool(actor.kind == UserActor.kind and actor.id == key.user_id)


def belongs(actor: Any, key: ApiKey) -> bool:
    """Whether the place of the key is there for somebody: elsewhere the key is not there either (P10)."""
    return gate.may(actor, Action.WORKSPACES_READ, key.organization) or bool(actor.belongs_to(key.place))


def may(actor: Any, verb: str, key: ApiKey) -> bool:
    """Whether somebody may do this to the key: what its family's action says, and what everybody may do to their own.

    An archived workspace lets a key be revoked all the same, by those who may anywhere in the organization.
    """
    is_archived = key.workspace is not None and key.workspace.is_archived
    if is_own(key, actor) and (verb in {"read", "delete"} or (verb == "rotate" and not is_archived)):
        return True
    action, place = action_on(key.type, verb), key.place
    if gate.may(actor, action, key.organization):  # what the organization grants holds in its workspaces too
        return action in place.permitted or (is_archived and verb == "delete")
    return gate.may(actor, action, place)


def require(actor: Any, verb: str, key: ApiKey) -> None:
    """Raises Forbidden, in the name of the place of the key."""
    if not may(actor, verb, key):
        gate.require(actor, action_on(key.type, verb), key.place)
