"""What needs several apps at once: founding an organization, ending one, shutting a person out."""

from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from apps.access import gate
from apps.access.actions import Action
from apps.access.actors import Actor, UserActor
from apps.access.roles import OrganizationRole
from apps.access.scopes import KeyType, every_scope
from apps.accounts import operations as accounts
from apps.accounts.models import User
from apps.apikeys import operations as apikeys
from apps.audit import log
from apps.audit.events import Event
from apps.core.errors import Closed, Conflict, Invalid
from apps.memberships import operations as memberships
from apps.memberships.models import OrganizationMembership
from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from apps.workspaces import operations as workspaces
from apps.workspaces.models import Workspace

MASTER_KEY = "Master key"


class Founded(NamedTuple):
    """A new organization, its owner, its first workspace and, once, its master key."""

    organization: Organization
    owner: OrganizationMembership
    workspace: Workspace
    master_key: apikeys.Issued | None


@transaction.atomic
def found_organization(
    founder: User, *, name: str, with_master_key: bool = True, key_expires_at: datetime | None = None, by: Actor
) -> Founded:
    """The organization, its owner, its default workspace and its master key, or none of them (seed 001, P24).

    Raises Closed where only operators found organizations (P32).
    """
    founder = accounts.lock(founder)
    if not may_found(by):
        raise Closed(_("Only the people who run this installation can found organizations here."))
    organization = organizations.create(name=name, by=by)
    owner = memberships.join(founder, organization, OrganizationRole.OWNER, by=by)
    # The founder has become an owner since `by` last looked.
    first = UserActor(founder, by.origin) if isinstance(by, UserActor) else by
    workspace = workspaces.open_default(organization, by=first)
    master_key = None
    if with_master_key:
        scopes = every_scope(KeyType.ORGANIZATION)
        master_key = apikeys.issue(organization, name=MASTER_KEY, scopes=scopes, expires_at=key_expires_at, by=first)
    return Founded(organization, owner, workspace, master_key)


def may_found(actor: Actor) -> bool:
    """Whether this installation lets the actor found organizations at all (product P32)."""
    return actor.kind in gate.OPERATING or (settings.FOUNDING == "anyone" and isinstance(actor, UserActor))


@transaction.atomic
def delete_organization(organization: Organization, *, typed_name: str, version: int | None = None, by: Actor) -> None:
    """Ends an organization and everything in it; its audit log stays (P9).

    Arguments: `typed_name` is what the person typed to confirm.
    """
    organization = organizations.lock(organization, by)
    gate.require(by, Action.ORGANISATIONS_DELETE, organization)
    organization.refuse_stale(version)
    if typed_name.strip() != organization.name:
        raise Invalid({"typed_name": _("This is not the organization's name.")})
    protected = list(organization.workspaces.filter(delete_protected=True).values_list("name", flat=True)[:5])
    if protected:
        names = {"workspaces": ", ".join(protected)}
        raise Conflict(_("Some workspaces are protected from deletion: %(workspaces)s.") % names)
    log.record(
        Event.ORGANIZATION_DELETED,
        actor=by,
        target=organization,
        organization_id=organization.pk,
        before={"slug": organization.slug},
    )
    organization.delete()


@transaction.atomic
def deactivate_account(user: User, *, by: Actor) -> User:
    """Shuts a person out of the whole installation; refused while an organization rests on them alone (P2)."""
    gate.require_operator(by)
    if by.person_id == user.pk:
        raise Conflict(_("You cannot deactivate your own account. Ask another operator."))
    user = accounts.lock(user)
    _refuse_if_needed(user)
    user.is_active = False
    user.save(update_fields=["is_active"])
    log.record(Event.ACCOUNT_DEACTIVATED, actor=by, target=user, organization_id=None)
    return user


@transaction.atomic
def reactivate_account(user: User, *, by: Actor) -> User:
    """Lets a person in again, with the roles they had."""
    gate.require_operator(by)
    user = User.objects.select_for_update().get(pk=user.pk)
    if user.is_active:
        raise Conflict(_("%(person)s is active already.") % {"person": user})
    user.is_active = True
    user.save(update_fields=["is_active"])
    log.record(Event.ACCOUNT_REACTIVATED, actor=by, target=user, organization_id=None)
    return user


def _refuse_if_needed(user: User) -> None:
    """Holds every organization the person is in, in one order, and refuses if one rests on them alone (P2)."""
    theirs = Organization.objects.filter(memberships__user=user).order_by("pk").values_list("pk", flat=True)
    for pk in list(theirs):
        Organization.objects.select_for_update(no_key=True).filter(pk=pk).first()
        membership = OrganizationMembership.objects.filter(organization=pk, user=user).select_related("user").first()
        if membership is not None:
            memberships.refuse_if_last_owner(membership)
