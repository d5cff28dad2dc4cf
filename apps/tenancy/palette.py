"""What the command palette finds: pages by what people call them, and the people, workspaces and keys one may see."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from apps.access.actions import Action
from apps.access.actors import Actor
from apps.apikeys import visibility
from apps.apikeys.models import ApiKey
from apps.core import search
from apps.memberships.models import OrganizationMembership
from apps.onboarding.operations import may_found
from apps.tenancy.context import reachable_workspaces
from apps.tenancy.navigation import ACCOUNT, ORGANIZATION, WORKSPACE, Page, address, known, standpoint
from apps.tenancy.tenant import Tenant

EACH: Final = 6  # of every kind
_FOUNDING: Final = "onboarding:found"
# What is done rather than looked at.
ACTS: Final = (
    Page(
        "memberships:invite",
        gettext_lazy("Invite people"),
        "user-round-plus",
        pgettext_lazy("search words", "add member"),
    ),
    Page(
        "workspaces:create",
        gettext_lazy("Create a workspace"),
        "plus",
        pgettext_lazy("search words", "new add project"),
    ),
    Page(
        "apikeys:workspace-create",
        gettext_lazy("Create an API key"),
        "key-round",
        pgettext_lazy("search words", "new add token"),
        floor=2,
        needs=(Action.WORKSPACE_SERVICE_API_KEYS_CREATE, Action.WORKSPACE_USER_API_KEYS_CREATE),
    ),
    Page(
        "apikeys:create",
        gettext_lazy("Create an API key"),
        "key-round",
        pgettext_lazy("search words", "new add token"),
        needs=(Action.ORGANISATION_SERVICE_API_KEYS_CREATE,),
    ),
    Page(
        _FOUNDING,
        gettext_lazy("Found an organization"),
        "plus",
        pgettext_lazy("search words", "new create company"),
        floor=0,
    ),
    Page(
        "tenancy:keyboard",
        gettext_lazy("Keyboard shortcuts"),
        "keyboard",
        pgettext_lazy("search words", "help keys"),
        floor=0,
    ),
)


@dataclass(frozen=True)
class Found:
    """One thing that was found, and where a choice of it leads."""

    label: str
    href: str
    icon: str
    more: str = ""


@dataclass(frozen=True)
class Kind:
    """Things of one kind."""

    label: str | Promise
    found: list[Found] = field(default_factory=list)


def find(actor: Actor, tenant: Tenant | None, asked: str) -> list[Kind]:
    """What somebody may see and mean: a query for each kind that is not pages, and none before anything is asked."""
    kinds = [Kind(gettext_lazy("Pages"), list(_pages(actor, tenant, asked)))]
    if tenant is not None and search.words_of(asked):
        everywhere = replace(tenant, workspace=None)
        kinds += [Kind(label, list(rows(everywhere, asked))) for label, rows in _KINDS]
    return [kind for kind in kinds if kind.found]


def _pages(actor: Actor, tenant: Tenant | None, asked: str) -> Iterator[Found]:
    here, names = standpoint(tenant), _names(tenant)
    for page in (*known(WORKSPACE, ORGANIZATION), *ACTS, *ACCOUNT):
        if not _means(page, asked) or (page.name == _FOUNDING and not may_found(actor)):
            continue
        if href := address(page, here):
            yield Found(str(page.label), href, page.icon, names[page.floor])


def _names(tenant: Tenant | None) -> tuple[str, str, str]:
    """What the place of a page is called, by its floor."""
    if tenant is None:
        return "", "", ""
    return "", str(tenant.organization), str(tenant.workspace or "")


def _means(page: Page, asked: str) -> bool:
    """Whether every word that is asked begins one that the page is called by."""
    names = search.words_of(str(page.label), str(page.words))
    return all(any(name.startswith(word) for name in names) for word in search.folded(asked).split())


def _people(tenant: Tenant, asked: str) -> Iterator[Found]:
    if not tenant.may(Action.ORGANISATION_USERS_LIST):
        return
    rows = tenant.own(OrganizationMembership).select_related("user")
    for member in search.few(rows, asked, tenant.organization, EACH):
        yield Found(str(member), _member(tenant, member), "user-round", member.user.email)


def _workspaces(tenant: Tenant, asked: str) -> Iterator[Found]:
    for workspace in search.few(reachable_workspaces(tenant), asked, tenant.organization, EACH):
        href = reverse("onboarding:workspace", args=[tenant.organization.slug, workspace.slug])
        yield Found(str(workspace), href, "boxes", workspace.get_type_display())


def _keys(tenant: Tenant, asked: str) -> Iterator[Found]:
    rows = visibility.visible(tenant.own(ApiKey), tenant.actor, tenant.organization).not_revoked()  # type: ignore[arg-type]
    for key in search.few(rows.select_related("workspace"), asked, tenant.organization, EACH):
        place = str(key.workspace) if key.workspace_id else _("Organization")
        yield Found(str(key), reverse("apikeys:key", args=[tenant.organization.slug, key.pk]), "key-round", place)


def _member(tenant: Tenant, member: OrganizationMembership) -> str:
    try:
        return reverse("memberships:member", args=[tenant.organization.slug, member.pk])
    except NoReverseMatch:
        return reverse("memberships:members", args=[tenant.organization.slug])


_KINDS: Final[tuple[tuple[Promise, Callable[[Tenant, str], Iterator[Found]]], ...]] = (
    (gettext_lazy("People"), _people),
    (gettext_lazy("Workspaces"), _workspaces),
    (gettext_lazy("API keys"), _keys),
)
