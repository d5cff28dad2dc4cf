"""What every operation on a key begins and ends with: holding it still, measuring its scopes, writing its line."""

from typing import Any

from django.utils.translation import gettext as _

from apps.access import gate
from apps.access.actors import Actor
from apps.access.scopes import FREELY_GIVEN, KeyType, effective, not_allowed
from apps.apikeys.models import ApiKey
from apps.audit import log
from apps.audit.events import Event
from apps.core.errors import Invalid, Missing, Overreach
from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from apps.workspaces import operations as workspaces
from apps.workspaces.models import Workspace

Place = Organization | Workspace


def lock(place: Place, by: Actor, *, even_archived: bool = False) -> Any:
    if isinstance(place, Organization):
        return organizations.lock(place, by)
    return workspaces.lock(place, by) if even_archived else workspaces.lock_open(place, by)


def lock_key(key: ApiKey, by: Actor, *, even_archived: bool = False) -> ApiKey:
    """The key, held still after the places it is in. Raises Missing: a revoked key is not there any more (P25)."""
    place = lock(key.place, by, even_archived=even_archived)
    # Not its id: what is noted beside a key, and owed about it, waits for nobody.
    held: ApiKey | None = ApiKey.objects.select_for_update(no_key=True).not_revoked().filter(pk=key.pk).first()
    if held is None:
        raise Missing("API key")
    held.organization = place if isinstance(place, Organization) else place.organization
    held.workspace = place if isinstance(place, Workspace) else None
    return held


def scopes_of(scopes: Any, key_type: KeyType) -> list[str]:
    """The scopes as they are kept. Raises Invalid for none, and for what a key of this type cannot have."""
    if not isinstance(scopes, list) or not scopes or not all(isinstance(scope, str) for scope in scopes):
        raise Invalid({"scopes": _("At least one scope is needed.")})
    if wrong := not_allowed(scopes, key_type):
        told = {"type": key_type, "scopes": ", ".join(scope[:80] for scope in wrong[:10])}
        raise Invalid({"scopes": _("A %(type)s key cannot have: %(scopes)s.") % told})
    return sorted(set(scopes))


def refuse_overreach(scopes: list[str], key_type: KeyType, place: Place, by: Actor) -> None:
    """Raises Overreach for scopes beyond what `by` holds there, but for those anybody may give (product P12)."""
    needed = effective(scopes, key_type) - FREELY_GIVEN
    if beyond := needed - by.actions_in(place):
        raise Overreach("scopes", [action.value for action in beyond])
    gate.note(by, needed)


def record(event: Event, key: ApiKey, by: Actor, **details: Any) -> None:
    log.record(
        event, actor=by, target=key, organization_id=key.organization_id, workspace_id=key.workspace_id, **details
    )
