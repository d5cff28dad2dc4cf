"""The role matrix as tables that people read. Who may do what is computed; only the words are written here."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, NamedTuple

from django.utils.functional import Promise
from django.utils.text import get_text_list, slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.actions import DATA_PLANE, Action, Level
from apps.access.roles import BASELINE, MATRIX, Column, OrganizationRole, Role, WorkspaceRole, actions_of
from apps.tenancy.wording import in_words, thing

_FEW = 4
# The product's words for the verbs; those of the wire where it has none.
VERBS: Final[dict[str, Promise]] = {
    "list": gettext_lazy("List"),
    "view": gettext_lazy("View"),
    "read": gettext_lazy("View"),
    "create": gettext_lazy("Create"),
    "edit": gettext_lazy("Edit"),
    "update": gettext_lazy("Update"),
    "delete": gettext_lazy("Delete"),
    "duplicate": gettext_lazy("Duplicate"),
    "copy": gettext_lazy("Copy"),
    "publish": gettext_lazy("Publish"),
    "render": gettext_lazy("Render"),
    "rotate": gettext_lazy("Rotate"),
    "manage": gettext_lazy("Manage"),
    "export": gettext_lazy("Export"),
    "write": gettext_lazy("Write"),
    "invoke": gettext_lazy("Invoke"),
}
# Roles of the two kinds are spelt alike, so they are told apart by what they are called in addresses.
_TITLES: Final[dict[str, Promise]] = {
    "organization-owner": gettext_lazy("Organization owner"),
    "organization-admin": gettext_lazy("Organization admin"),
    "organization-member": gettext_lazy("Organization member"),
    "workspace-admin": gettext_lazy("Workspace admin"),
    "workspace-manager": gettext_lazy("Workspace manager"),
    "workspace-member": gettext_lazy("Workspace member"),
}
COLUMNS: Final[dict[Column, Promise]] = {
    Column.OWNER: gettext_lazy("Owner"),
    Column.ADMIN: gettext_lazy("Admin"),
    Column.MEMBER: gettext_lazy("Member"),
}


class Cell(NamedTuple):
    """What one role holds of one row: its words, whether that is all there is, and the role's name in addresses."""

    words: list[str]
    is_everything: bool
    role: str = ""


@dataclass(frozen=True)
class Feature:
    """A feature as the product names it, and the word it has for each action."""

    name: str | Promise
    key: str
    words: dict[Promise, Action]

    @property
    def actions(self) -> list[Action]:
        return list(self.words.values())

    @property
    def cells(self) -> list[Cell]:
        return [self._cell(column) for column in Column]

    def _cell(self, column: Column) -> Cell:
        return _cell_of(self.words.items(), lambda action: column in MATRIX[action], self._held_as(column))

    def _held_as(self, column: Column) -> Role:
        """The role a column speaks of: in a workspace, membership of the organization holds nothing."""
        levels = {action.level for action in self.words.values()}
        places: Any = WorkspaceRole if column is Column.MEMBER and levels == {Level.WORKSPACE} else OrganizationRole
        role: Role = places(column.value)
        return role


def _feature(name: str | Promise, resource: str, verbs: str, key: str = "") -> Feature:
    spelt = {"view": "read", "edit": "update"}
    words = {VERBS[verb]: Action(f"{resource}.{spelt.get(verb, verb)}") for verb in verbs.split()}
    return Feature(name, key or slugify(resource), words)


_CATALOG: Final = "list create edit duplicate delete copy"
FEATURES: Final = (
    Feature(
        gettext_lazy("Logs and Analytics"),
        "logs-and-analytics",
        {
            gettext_lazy("View"): Action.LOGS_VIEW,
            gettext_lazy("Filter"): Action.LOGS_LIST,
            gettext_lazy("Group"): Action.ANALYTICS_VIEW,
        },
    ),
    _feature(gettext_lazy("Prompts"), "prompts", "list view create update delete publish"),
    _feature(gettext_lazy("Configs"), "configs", "list view create update delete"),
    _feature(gettext_lazy("Guardrails"), "guardrails", "list view create update delete"),
    _feature(gettext_lazy("Virtual Keys"), "virtual_keys", _CATALOG),
    _feature(gettext_lazy("Integrations"), "workspace_integrations", _CATALOG),
    _feature(gettext_lazy("Model Catalog: Providers"), "providers", _CATALOG),
    _feature(gettext_lazy("Model Catalog: Models"), "models", _CATALOG),
    Feature(
        gettext_lazy("Team"),
        "team",
        {
            gettext_lazy("Add users"): Action.ORGANISATION_USERS_CREATE,
            gettext_lazy("assign roles"): Action.ORGANISATION_USERS_UPDATE,
        },
    ),
    _feature(gettext_lazy("Organization"), "organisations", "update", "organization"),
    _feature(gettext_lazy("API Keys"), "workspace_service_api_keys", "create edit delete update rotate"),
    _feature(gettext_lazy("Billing"), "billing", "manage"),
)


class Row(NamedTuple):
    """One kind of thing, and what each role may do with it."""

    name: str
    key: str
    actions: list[Action]
    cells: list[Cell]


# What is granted on organizations, no role of a workspace can hold.
ROLES: Final[dict[Level, tuple[Role, ...]]] = {
    Level.ORGANIZATION: tuple(OrganizationRole),
    Level.WORKSPACE: (*OrganizationRole, *WorkspaceRole),
}


def rows(level: Level) -> list[Row]:
    """Every action of this level, a line for each resource, by its name."""
    return sorted(_rows(level), key=lambda row: row.name)


def _rows(level: Level) -> Iterator[Row]:
    of_level = sorted((action for action in Action if action.level is level), key=lambda action: action.resource)
    for resource, group in groupby(of_level, key=lambda action: action.resource):
        actions, name = list(group), str(thing(resource))
        yield Row(name[:1].upper() + name[1:], resource, actions, [_cell(actions, role) for role in ROLES[level]])


def row_named(key: str) -> tuple[str, list[Action]] | None:
    """The name and actions of the row an address speaks of: a feature's, or a resource's."""
    feature = next((feature for feature in FEATURES if feature.key == key), None)
    if feature is not None:
        return str(feature.name), feature.actions
    actions = [action for action in Action if action.resource == key]
    name = str(thing(key))
    return (name[:1].upper() + name[1:], actions) if actions else None


def differs(cells: Iterable[Cell]) -> bool:
    """Whether the roles hold different things of a row."""
    return len({tuple(cell.words) for cell in cells}) > 1


def role_key(role: Role) -> str:
    """A role in an address: "workspace-manager"."""
    return f"{'organization' if isinstance(role, OrganizationRole) else 'workspace'}-{role.value}"


def role_named(key: str) -> Role | None:
    return next((role for role in ROLES[Level.WORKSPACE] if role_key(role) == key), None)


def title(role: Role) -> str:
    """A role with the kind of place it is held in: "Workspace manager"."""
    return str(_TITLES[role_key(role)])


def summary(role: OrganizationRole) -> str:
    """A sentence on what a role of the organization may do, for the place where somebody picks one."""
    missing = actions_of(OrganizationRole.OWNER) - actions_of(role)
    if not missing:
        return _("Everything, in every workspace.")
    if len(missing) <= _FEW:
        return _("Everything, in every workspace, except to %(acts)s.") % {"acts": _said(missing, _("or"))}
    held = {"acts": _said(BASELINE & actions_of(role), _("and"))}
    return _("Can %(acts)s. The rest comes from the workspaces they are added to.") % held


def workspace_summary(role: WorkspaceRole) -> str:
    """The same for a role in one workspace, next to its highest."""
    held = actions_of(role)
    if held == actions_of(WorkspaceRole.ADMIN):
        return _("Everything in this workspace.")
    used = {action.resource for action in held - DATA_PLANE if action.verb == "create"}
    things = get_text_list(sorted(str(thing(resource)) for resource in used), _("and"))
    return _("Works with what is here and can create %(things)s.") % {"things": things}


def _cell(actions: list[Action], role: Role) -> Cell:
    return _cell_of(((VERBS[action.verb], action) for action in actions), actions_of(role).__contains__, role)


def _cell_of(words: Iterable[tuple[Promise, Action]], holds: Any, role: Role) -> Cell:
    every = list(words)
    held = [str(word) for word, action in every if holds(action)]
    return Cell(held, len(held) == len(every), role_key(role))


def _said(actions: Iterable[Action], last: str) -> str:
    return get_text_list(sorted({str(in_words(action)) for action in actions}), last)
