"""The role matrix as tables that people read. Who may do what is computed; only the words are written here."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple

from apps.access.actions import DATA_PLANE, Action, Level
from apps.access.roles import BASELINE, MATRIX, Column, OrganizationRole, Role, WorkspaceRole, actions_of
from apps.tenancy.wording import in_words, listed, thing

_FEW = 4


class Cell(NamedTuple):
    """What one role holds of one row: its words, and whether that is all there is."""

    words: list[str]
    is_everything: bool


@dataclass(frozen=True)
class Feature:
    """A feature as the product names it, and the word it has for each action."""

    name: str
    words: dict[str, Action]

    @property
    def cells(self) -> list[Cell]:
        held = [[word for word, action in self.words.items() if column in MATRIX[action]] for column in Column]
        return [Cell(words, len(words) == len(self.words)) for words in held]


def _feature(name: str, resource: str, verbs: str) -> Feature:
    spelt = {"view": "read", "edit": "update"}
    return Feature(name, {verb.title(): Action(f"{resource}.{spelt.get(verb, verb)}") for verb in verbs.split()})


_CATALOG: Final = "list create edit duplicate delete copy"
FEATURES: Final = (
    Feature(
        "Logs and Analytics",
        {"View": Action.LOGS_VIEW, "Filter": Action.LOGS_LIST, "Group": Action.ANALYTICS_VIEW},
    ),
    _feature("Prompts", "prompts", "list view create update delete publish"),
    _feature("Configs", "configs", "list view create update delete"),
    _feature("Guardrails", "guardrails", "list view create update delete"),
    _feature("Virtual Keys", "virtual_keys", _CATALOG),
    _feature("Integrations", "workspace_integrations", _CATALOG),
    _feature("Model Catalog: Providers", "providers", _CATALOG),
    _feature("Model Catalog: Models", "models", _CATALOG),
    Feature(
        "Team",
        {"Add users": Action.ORGANISATION_USERS_CREATE, "assign roles": Action.ORGANISATION_USERS_UPDATE},
    ),
    _feature("Organization", "organisations", "update"),
    _feature("API Keys", "workspace_service_api_keys", "create edit delete update rotate"),
    _feature("Billing", "billing", "manage"),
)


class Row(NamedTuple):
    """One kind of thing, and what each role may do with it."""

    name: str
    cells: list[Cell]


# What is granted on organizations, no role of a workspace can hold.
ROLES: Final[dict[Level, tuple[Role, ...]]] = {
    Level.ORGANIZATION: tuple(OrganizationRole),
    Level.WORKSPACE: (*OrganizationRole, *WorkspaceRole),
}


def rows(level: Level) -> Iterator[Row]:
    """Every action of this level, a line for each resource."""
    of_level = sorted((action for action in Action if action.level is level), key=lambda action: action.resource)
    for resource, group in groupby(of_level, key=lambda action: action.resource):
        actions, name = list(group), thing(resource)
        yield Row(name[:1].upper() + name[1:], [_cell(actions, role) for role in ROLES[level]])


def summary(role: OrganizationRole) -> str:
    """A sentence on what a role of the organization may do, for the place where somebody picks one."""
    missing = actions_of(OrganizationRole.OWNER) - actions_of(role)
    if not missing:
        return "Everything, in every workspace."
    if len(missing) <= _FEW:
        return f"Everything, in every workspace, except to {_said(missing, last='or')}."
    return f"Can {_said(BASELINE & actions_of(role))}. The rest comes from the workspaces they are added to."


def workspace_summary(role: WorkspaceRole) -> str:
    """The same for a role in one workspace, next to its highest."""
    most = actions_of(WorkspaceRole.ADMIN)
    held = actions_of(role)
    if held == most:
        return "Everything in this workspace."
    used = {action.resource for action in held - DATA_PLANE if action.verb == "create"}
    return f"Works with what is here and can create {listed(sorted(thing(resource) for resource in used))}."


def _cell(actions: list[Action], role: Role) -> Cell:
    held = [action.verb for action in actions if action in actions_of(role)]
    return Cell(held, len(held) == len(actions))


def _said(actions: Iterable[Action], last: str = "and") -> str:
    return listed(sorted({in_words(action) for action in actions}), last)
