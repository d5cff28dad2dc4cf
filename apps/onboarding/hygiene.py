"""What an organization could tidy up: each a number, and the list that holds just those rows."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, NamedTuple

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.translation import ngettext

from apps.access.actions import Action
from apps.access.roles import REACHING_INTO_WORKSPACES, OrganizationRole
from apps.access.scopes import KeyType
from apps.accounts.queries import SECOND_FACTORS
from apps.apikeys import attention
from apps.apikeys.models import ApiKey, action_on
from apps.core.clock import now
from apps.memberships.models import Invitation, OrganizationMembership
from apps.tenancy.keyset import Total
from apps.tenancy.tenant import Tenant
from apps.workspaces.models import Workspace

INACTIVE_DAYS = 90


@dataclass(frozen=True)
class Chore:
    """One kind of thing to tidy up: the rows it counts, the list that shows them, and what to say of them."""

    name: str
    icon: str
    rows: QuerySet[Any]
    page: str
    query: str
    said: Callable[[int], str]


class Finding(NamedTuple):
    """A chore with something in it, as the page shows it."""

    icon: str
    text: str
    link: str


def chores(tenant: Tenant) -> Iterator[Chore]:
    """Those that the reader may do something about."""
    if tenant.may(Action.ORGANISATION_USERS_UPDATE):
        yield from _of_members(tenant)
    if tenant.may(Action.ORGANISATION_USERS_CREATE):
        yield _of_invitations(tenant)
    if tenant.may(action_on(KeyType.ORGANIZATION, "list")):
        yield from _of_keys(tenant)
    if tenant.may(Action.WORKSPACES_CREATE):
        yield _of_workspaces(tenant)


def findings(tenant: Tenant, found: list[Chore], counted: Mapping[str, Total]) -> list[Finding]:
    """The chores that have something in them, said with their numbers."""
    slug = tenant.organization.slug
    return [
        Finding(
            chore.icon,
            chore.said(counted[chore.name].number) % {"count": counted[chore.name]},
            f"{reverse(chore.page, args=[slug])}?{chore.query}",
        )
        for chore in found
        if counted[chore.name]
    ]


def without_second_factor(rows: QuerySet[Any]) -> QuerySet[Any]:
    factors = Authenticator.objects.filter(user=OuterRef("user"), type__in=SECOND_FACTORS)
    return rows.filter(~Exists(factors))


def _of_members(tenant: Tenant) -> Iterator[Chore]:
    rows: Any = tenant.own(OrganizationMembership)
    active = rows.active()
    before = now() - timedelta(days=INACTIVE_DAYS)
    gone = active.filter(Q(last_active_at__lt=before) | Q(last_active_at=None, created_at__lt=before))
    yield Chore("inactive", "user-round-x", gone, "memberships:members", f"inactive={INACTIVE_DAYS}", _inactive)
    for role in (role for role in OrganizationRole if role in REACHING_INTO_WORKSPACES):
        unguarded = without_second_factor(active.filter(role=role))
        query = f"role={role.value}&factor=no"
        yield Chore(
            f"unguarded_{role.value}", "shield-alert", unguarded, "memberships:members", query, _UNGUARDED[role]
        )


def _of_invitations(tenant: Tenant) -> Chore:
    rows: Any = tenant.own(Invitation)
    late = rows.shown_as("expired")
    return Chore("expired_invitations", "mail-x", late, "memberships:invitations", "status=expired", _expired)


def _of_keys(tenant: Tenant) -> Iterator[Chore]:
    """Those that work, as the list shows them; the same words narrow the list, so that it holds just these rows."""
    rows: Any = tenant.own(ApiKey)
    live = rows.live().in_open_places(tenant.organization)
    yield Chore("endless_keys", "key-round", live.without_end(), "apikeys:list", "status=active&expiry=never", _endless)
    yield Chore("ending_keys", "clock-alert", live.ending_soon(), "apikeys:list", "status=active&expiry=soon", _ending)
    for matter, (icon, said) in _MATTERS.items():
        found = attention.about(matter, live, tenant.organization)
        yield Chore(f"{matter}_keys", icon, found, "apikeys:list", f"status=active&attention={matter}", said)


def _of_workspaces(tenant: Tenant) -> Chore:
    rows: Any = tenant.own(Workspace)
    alone = rows.active().managed_by_one(tenant.organization)
    return Chore("one_manager", "user-round", alone, "workspaces:list", "managers=one", _one_manager)


def _inactive(count: int) -> str:
    return ngettext(
        "%(count)s member has not been here for 90 days", "%(count)s members have not been here for 90 days", count
    )


def _unguarded_owners(count: int) -> str:
    return ngettext("%(count)s owner has no second factor", "%(count)s owners have no second factor", count)


def _unguarded_admins(count: int) -> str:
    return ngettext("%(count)s admin has no second factor", "%(count)s admins have no second factor", count)


_UNGUARDED: Final[dict[str, Callable[[int], str]]] = {
    OrganizationRole.OWNER: _unguarded_owners,
    OrganizationRole.ADMIN: _unguarded_admins,
}


def _expired(count: int) -> str:
    return ngettext("%(count)s invitation has expired", "%(count)s invitations have expired", count)


def _endless(count: int) -> str:
    return ngettext("%(count)s API key never expires", "%(count)s API keys never expire", count)


def _ending(count: int) -> str:
    return ngettext("%(count)s API key expires within 30 days", "%(count)s API keys expire within 30 days", count)


def _forgotten(count: int) -> str:
    return ngettext(
        "%(count)s API key is older than 30 days and was never used",
        "%(count)s API keys are older than 30 days and were never used",
        count,
    )


def _left(count: int) -> str:
    return ngettext("%(count)s API key is of somebody who has left", "%(count)s API keys are of people who left", count)


def _suspended(count: int) -> str:
    return ngettext(
        "%(count)s API key is of somebody who is suspended", "%(count)s API keys are of people who are suspended", count
    )


def _not_as_asked(count: int) -> str:
    return ngettext(
        "%(count)s API key is not as the policy asks", "%(count)s API keys are not as the policy asks", count
    )


def _unused_scopes(count: int) -> str:
    return ngettext(
        "%(count)s API key carries scopes it did not use for 30 days",
        "%(count)s API keys carry scopes they did not use for 30 days",
        count,
    )


_MATTERS: Final[dict[str, tuple[str, Callable[[int], str]]]] = {
    "forgotten": ("unplug", _forgotten),
    "left": ("user-round-x", _left),
    "suspended": ("pause", _suspended),
    "policy": ("scale", _not_as_asked),
    "scopes": ("scissors", _unused_scopes),
}


def _one_manager(count: int) -> str:
    return ngettext("%(count)s workspace rests on one manager", "%(count)s workspaces rest on one manager each", count)
