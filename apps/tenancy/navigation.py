"""The pages of the navigation, in one table: the side of every page, the tabs, the palette and the switcher read it.

Whether a page is shown is what the page itself asks for: the `action` of the view behind its address.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Final, NamedTuple

from django.urls import NoReverseMatch, resolve, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.access.actions import Action
from apps.tenancy.tenant import Tenant


@dataclass(frozen=True, eq=False)
class Page:
    """One page of the navigation. `words` are what else people call it; `beside` are the pages it keeps as tabs."""

    name: str
    label: Promise
    icon: str
    words: Promise | str = ""
    beside: tuple["Page", ...] = ()
    beneath: tuple[str, ...] = ()
    key: str = ""  # after `g`, on the keyboard
    floor: int = 1  # how many slugs its address takes
    needs: tuple[Action, ...] = ()  # one of these, where the page asks for more than its view says
    pages: tuple["Page", ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "pages", (self, *self.beside))


ORGANIZATION: Final = (
    Page("onboarding:organization", _("Overview"), "house", pgettext_lazy("search words", "home start dashboard")),
    Page(
        "workspaces:list",
        _("Workspaces"),
        "boxes",
        pgettext_lazy("search words", "projects spaces"),
        beneath=("workspaces:create",),
        key="w",
    ),
    Page(
        "memberships:members",
        _("Members"),
        "users",
        pgettext_lazy("search words", "people users colleagues team staff persons"),
        beside=(
            Page(
                "memberships:invitations",
                _("Invitations"),
                "mail-plus",
                pgettext_lazy("search words", "invites pending links"),
            ),
        ),
        beneath=("memberships:leave",),
        key="m",
    ),
    Page(
        "apikeys:list",
        _("API keys"),
        "key-round",
        pgettext_lazy("search words", "tokens secrets credentials"),
        beside=(
            Page(
                "apikeys:policy",
                _("Key policy"),
                "scroll-text",
                pgettext_lazy("search words", "rules expiry lifetime rotation of keys"),
                needs=(Action.ORGANISATION_SERVICE_API_KEYS_LIST,),
            ),
        ),
        key="k",
    ),
    Page(
        "organizations:roles",
        _("Roles"),
        "shield-check",
        pgettext_lazy("search words", "permissions rights matrix access"),
        beside=(
            Page("onboarding:who", _("Who can?"), "user-round-search", pgettext_lazy("search words", "explain access")),
        ),
    ),
    Page(
        "audit:list",
        _("Audit log"),
        "scroll-text",
        pgettext_lazy("search words", "history activity events changes"),
        key="a",
        needs=(Action.AUDIT_LOGS_LIST,),
    ),
    Page(
        "organizations:settings",
        _("Settings"),
        "settings",
        pgettext_lazy("search words", "rename general configuration"),
        beside=(
            Page(
                "onboarding:security",
                _("Security"),
                "shield",
                pgettext_lazy("search words", "two-factor sign-in policy"),
            ),
            Page(
                "streams:list",
                _("Audit streams"),
                "radio-tower",
                pgettext_lazy("search words", "siem webhook syslog export log"),
                needs=(Action.ORGANISATIONS_UPDATE,),
                beneath=("streams:new", "streams:stream", "streams:edit", "streams:secret", "streams:delete"),
            ),
            Page(
                "onboarding:danger",
                _("Danger zone"),
                "triangle-alert",
                pgettext_lazy("search words", "delete organization transfer"),
            ),
        ),
        beneath=("onboarding:delete",),
    ),
)
WORKSPACE: Final = (
    Page(
        "onboarding:workspace", _("Overview"), "layout-dashboard", pgettext_lazy("search words", "home start"), floor=2
    ),
    Page(
        "memberships:team",
        _("Team"),
        "users",
        pgettext_lazy("search words", "people users colleagues members"),
        floor=2,
    ),
    Page(
        "apikeys:workspace-list",
        _("API keys"),
        "key-round",
        pgettext_lazy("search words", "tokens secrets credentials"),
        beside=(
            Page(
                "apikeys:workspace-policy",
                _("Key policy"),
                "scroll-text",
                pgettext_lazy("search words", "rules expiry lifetime rotation of keys"),
                floor=2,
                needs=(Action.WORKSPACE_SERVICE_API_KEYS_LIST, Action.WORKSPACE_USER_API_KEYS_LIST),
            ),
        ),
        floor=2,
    ),
    Page(
        "workspaces:settings",
        _("Settings"),
        "settings",
        pgettext_lazy("search words", "rename general configuration protection"),
        beside=(
            Page("workspaces:limits", _("Limits"), "gauge", pgettext_lazy("search words", "budget rates"), floor=2),
            Page(
                "workspaces:danger",
                _("Danger zone"),
                "triangle-alert",
                pgettext_lazy("search words", "archive protection delete workspace"),
                floor=2,
            ),
        ),
        beneath=("workspaces:archive", "workspaces:restore"),
        floor=2,
    ),
)
ACCOUNT: Final = (
    Page("home", _("Home"), "house", pgettext_lazy("search words", "start organizations"), floor=0),
    Page(
        "accounts:profile",
        _("Profile"),
        "user-round",
        pgettext_lazy("search words", "my account name language time zone"),
        floor=0,
    ),
    Page("account_email", _("E-mail address"), "mail", pgettext_lazy("search words", "mail account"), floor=0),
    Page(
        "account_change_password",
        _("Password"),
        "lock-keyhole",
        pgettext_lazy("search words", "sign-in secret"),
        floor=0,
    ),
    Page(
        "mfa_index",
        _("Second factors"),
        "scan-face",
        pgettext_lazy("search words", "passkeys codes two-step"),
        floor=0,
    ),
    Page(
        "usersessions_list",
        _("Sessions"),
        "monitor-smartphone",
        pgettext_lazy("search words", "devices browsers signed in"),
        floor=0,
    ),
    Page(
        "onboarding:mine",
        _("Your organizations"),
        "building-2",
        pgettext_lazy("search words", "leave companies"),
        floor=0,
    ),
)
# What the same page is called on the other floor.
_TWINS: Final = {
    "onboarding:organization": "onboarding:workspace",
    "memberships:members": "memberships:team",
    "apikeys:list": "apikeys:workspace-list",
    "organizations:settings": "workspaces:settings",
}
_HOMES: Final = frozenset({"onboarding:organization", "onboarding:workspace", "home"})


class Standpoint(NamedTuple):
    """Where somebody stands: the slugs of the place, the organization's first, and what they may do there."""

    slugs: tuple[str, ...]
    may: Callable[[Action], bool]


class Link(NamedTuple):
    """A page as somebody is led to it from where they are."""

    page: Page
    href: str
    current: str = ""  # as aria-current says it


def standpoint(tenant: Tenant | None) -> Standpoint:
    if tenant is None:
        return Standpoint((), lambda _: False)
    slugs = (tenant.organization.slug, tenant.workspace.slug) if tenant.workspace else (tenant.organization.slug,)
    return Standpoint(slugs, tenant.may)


def address(page: Page, here: Standpoint) -> str:
    """Where the page is, or nothing: there is none, or it would refuse."""
    if page.needs and not any(map(here.may, page.needs)):
        return ""
    action, href = action_at(page.name), _reversed(page.name, *_slugs(page, here))
    return href if action is None or here.may(action) else ""


def links(here: Standpoint, pages: Iterable[Page], path: str) -> list[Link]:
    """Those of the pages that are there for whoever asks, the one they are on or under marked as current."""
    found = [Link(page, href) for page in pages if (href := address(page, here))]
    length, nearest = max(((_under(link, here, path), link.href) for link in found), default=(0, ""))
    if not length:
        return found
    current = "page" if path == nearest else "true"
    return [link._replace(current=current) if link.href == nearest else link for link in found]


def tabs(here: Standpoint, path: str) -> list[Link]:
    """The pages that belong together with the one at this address; none where it stands alone."""
    for root in (*ORGANIZATION, *WORKSPACE):
        found = [Link(page, href) for page in root.pages if (href := address(page, here))]
        if len(found) > 1 and path in {link.href for link in found}:
            return [link._replace(current="page" if link.href == path else "") for link in found]
    return []


def counterpart(name: str, there: Standpoint) -> str:
    """The page of this name in another place, or the one that is its like there, or else the overview."""
    floor = ORGANIZATION if len(there.slugs) == 1 else WORKSPACE
    wanted = {name, _TWINS.get(name), *(up for up, down in _TWINS.items() if down == name)}
    same = next((href for page in known(floor) if page.name in wanted and (href := address(page, there))), "")
    return same or address(floor[0], there)


def known(*floors: Iterable[Page]) -> Iterator[Page]:
    """Every page of these floors, those that are tabs included."""
    return (page for floor in floors for root in floor for page in root.pages)


@cache
def action_at(name: str) -> Action | None:
    """The action that the page of this name asks for; None for one outside every organization."""
    for slugs in ((), ("o",), ("o", "w")):
        if href := _reversed(name, *slugs):
            return getattr(getattr(resolve(href).func, "view_class", None), "action", None)
    return None


def _slugs(page: Page, here: Standpoint) -> tuple[str, ...]:
    return here.slugs[: page.floor]


def _reversed(name: str, *slugs: str) -> str:
    try:
        return reverse(name, args=slugs)
    except NoReverseMatch:
        return ""


def _under(link: Link, here: Standpoint, path: str) -> int:
    """How much of this address is the page's own, or that of a page which is kept with it."""
    if link.page.name in _HOMES:
        return len(path) if path == link.href else 0
    names = (*(page.name for page in link.page.pages), *link.page.beneath)
    roots = filter(None, (_reversed(name, *_slugs(link.page, here)) for name in names))
    return max((len(root) for root in roots if path.startswith(root)), default=0)
