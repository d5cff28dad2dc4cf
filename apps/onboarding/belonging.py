"""Where one person belongs, read across every organization: what their own account shows, and what closing it ends."""

from typing import Any, Final

from django.db.models import Exists, OuterRef

from apps.accounts.models import User
from apps.apikeys.models import ApiKey
from apps.memberships.models import OrganizationMembership

LISTED: Final = 500


def memberships_of(user: User) -> list[OrganizationMembership]:
    """Every membership with its organization, suspended ones included."""
    return list(_memberships(user).select_related("organization").order_by("organization__name", "pk")[:LISTED])


def resting_on(user: User) -> list[OrganizationMembership]:
    """The memberships without which an organization would have no active owner (product P2)."""
    rows: Any = OrganizationMembership.objects
    others = rows.active().owners().filter(organization=OuterRef("organization"), user__is_active=True)
    alone = _memberships(user).active().owners().exclude(Exists(others.exclude(user=user)))
    return list(alone.select_related("organization").order_by("organization__name", "pk")[:LISTED])


def personal_keys_of(user: User) -> int:
    """How many API keys stop with the person."""
    return int(ApiKey.objects.not_revoked().filter(user=user).count())


def _memberships(user: User) -> Any:
    rows: Any = OrganizationMembership.objects
    return rows.of(user.pk)
