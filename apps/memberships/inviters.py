"""Who invites: as those who are invited may be told, and as somebody who must still be allowed to."""

import uuid

from django.utils.translation import gettext as _

from apps.access.actions import Action
from apps.access.actors import Actor, SystemActor, UserActor
from apps.accounts.models import User
from apps.apikeys.models import ApiKey
from apps.core.errors import Conflict
from apps.memberships.models import Invitation


def name_of(invitation: Invitation) -> str:
    """Who asks, as the invited person may be told."""
    if invitation.created_by_kind == ApiKey.kind:
        return _("an API key of %(organization)s") % {"organization": invitation.organization}
    author = invitation.created_by
    person = User.objects.filter(pk=author).first() if author else None
    return str(person) if person is not None else _("the people who run this installation")


def standing_for(invitation: Invitation, by: Actor) -> Actor:
    """Whoever made the offer, as they stand today. Raises Conflict when there is nobody to stand for it."""
    kind, author = invitation.offered_by_kind, invitation.offered_by or uuid.UUID(int=0)
    person = User.objects.filter(pk=author, is_active=True).first()
    if kind == ApiKey.kind:
        key: ApiKey | None = ApiKey.objects.with_places().filter(pk=author).first()
        if key is not None and key.is_let_in:
            return key
    elif kind == UserActor.kind and person is not None:
        return UserActor(person, by.origin)
    elif kind == SystemActor.kind or (person is not None and person.is_superuser):
        # Operators and their commands answer to nobody inside the organization (P16).
        return SystemActor(reason="invitation by the operator", actions=Action, origin=by.origin)
    raise Conflict(_("Whoever invited you is no longer here. Ask for a new invitation."))
