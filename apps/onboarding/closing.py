"""Closing an account: the person leaves every organization, and the row that stays names nobody (product 5.2)."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.utils.translation import gettext as _

from apps.access.actors import Actor, UserActor
from apps.accounts import operations as accounts
from apps.accounts.models import User
from apps.audit import log
from apps.audit.events import Event
from apps.core.errors import Conflict, Missing
from apps.memberships import operations as memberships
from apps.memberships.models import OrganizationMembership
from apps.organizations.models import Organization


@transaction.atomic
def close_account(user: User, *, by: Actor) -> None:
    """Ends the memberships, personal keys, factors and sessions of the person who asks, and blanks name and address.

    Raises Missing for anybody else, Conflict while an organization rests on them alone (P2).
    """
    if by.kind != UserActor.kind or by.id != user.pk:
        raise Missing("account")
    user = accounts.lock(user)
    if user.is_staff or user.is_superuser:
        raise Conflict(_("You run this installation. Another operator has to take that from you first."))
    _leave_everywhere(user, by)
    log.record(Event.ACCOUNT_CLOSED, actor=by, target=user, organization_id=None)
    for rows in (EmailAddress.objects, Authenticator.objects):
        rows.filter(user=user).delete()
    for session in UserSession.objects.filter(user=user):
        session.end()
    _blank(user)


def _leave_everywhere(user: User, by: Actor) -> None:
    """One organization after the other, each held before its membership, in one order for everybody."""
    theirs = OrganizationMembership.objects.filter(user=user).order_by("organization").values_list("organization", "pk")
    for organization_id, pk in list(theirs):
        Organization.objects.select_for_update(no_key=True).filter(pk=organization_id).first()
        rows = OrganizationMembership.objects.select_for_update(of=("self",)).select_related("organization", "user")
        membership = rows.filter(pk=pk).first()
        if membership is not None:
            memberships.end(membership, by=by)


def _blank(user: User) -> None:
    # An address must be unique, and .invalid is nobody's (RFC 2606).
    user.email = f"closed-{user.pk}@account.invalid"
    user.first_name = user.last_name = user.language = user.timezone = ""
    user.preferences, user.is_active = {}, False
    user.set_unusable_password()
    user.save()
