"""What a page's choices mean: presets, levels and single scopes as the scopes of a key, and a key's scopes as a table.

Nothing here decides: what somebody may give is measured again by the operation.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, NamedTuple

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.actions import Action
from apps.access.actors import Actor
from apps.access.levels import FEATURES, READING, Feature, KeyLevel, without_a_row
from apps.access.scopes import ALLOWED, FREELY_GIVEN, KeyType, not_allowed
from apps.core.errors import Invalid

KEPT: Final = "kept"  # a row of a key that is changed, left as it is


class Preset(TextChoices):
    """Where the scopes of a key come from: the product's defaults, all that only reads, everything, or the table."""

    DEFAULT = "default", gettext_lazy("Default")
    READ_ONLY = "read", gettext_lazy("Read only")
    ALL = "all", gettext_lazy("Full")
    CUSTOM = "custom", gettext_lazy("Custom")


class Look(NamedTuple):
    """How a feature stands in the table: under which heading, with which sign, and what it is about."""

    group: Promise
    icon: str
    told: Promise
    what: Promise  # to follow "read" in a sentence


_TRAFFIC, _BLOCKS = gettext_lazy("Traffic"), gettext_lazy("Building blocks")
_MODELS, _PEOPLE = gettext_lazy("Model access"), gettext_lazy("Administration")
LOOKS: Final[Mapping[str, Look]] = {
    "metrics": Look(
        _TRAFFIC, "chart-line", gettext_lazy("Read logs, usage and cost"), gettext_lazy("logs and figures")
    ),
    "completions": Look(
        _TRAFFIC, "zap", gettext_lazy("Send calls to models through the gateway"), gettext_lazy("models")
    ),
    "prompts": Look(_BLOCKS, "file-text", gettext_lazy("Templates and their versions"), gettext_lazy("prompts")),
    "configs": Look(
        _BLOCKS, "sliders-horizontal", gettext_lazy("Routing, retries and fallbacks"), gettext_lazy("configs")
    ),
    "guardrails": Look(
        _BLOCKS, "shield-check", gettext_lazy("Checks run on requests and answers"), gettext_lazy("guardrails")
    ),
    "virtual_keys": Look(
        _MODELS, "key-square", gettext_lazy("The older name of providers"), gettext_lazy("virtual keys")
    ),
    "workspace_integrations": Look(
        _MODELS, "plug", gettext_lazy("Accounts at model providers"), gettext_lazy("integrations")
    ),
    "providers": Look(
        _MODELS, "boxes", gettext_lazy("Entries of the catalog, open to a workspace"), gettext_lazy("providers")
    ),
    "models": Look(
        _MODELS, "cpu", gettext_lazy("Which models each provider has"), gettext_lazy("models of the catalog")
    ),
    "workspace_users": Look(_PEOPLE, "users", gettext_lazy("Members, teams and invitations"), gettext_lazy("members")),
    "workspace_service_api_keys": Look(_PEOPLE, "key-round", gettext_lazy("Other API keys"), gettext_lazy("API keys")),
}


@dataclass(frozen=True)
class Bounds:
    """What a key of one type in one place may be given, by its type and by whoever makes it (product P12)."""

    key_type: KeyType
    place: Any
    may_give: frozenset[Action]
    kept: frozenset[str] = frozenset()

    @classmethod
    def of(cls, key_type: KeyType, place: Any, by: Actor, kept: Collection[str] = ()) -> "Bounds":
        """Arguments: `kept` are the scopes the key has already, which may stay."""
        may_give = ALLOWED[key_type] & (by.actions_in(place) | (FREELY_GIVEN & place.permitted))
        return cls(key_type, place, may_give, frozenset(kept))

    def given(self, actions: frozenset[Action]) -> frozenset[Action]:
        """Of these, what the key would get."""
        return actions & ALLOWED[self.key_type] & (self.may_give | self.kept)

    def lacking(self, actions: frozenset[Action]) -> frozenset[Action]:
        """Of these, what a key of this type here could have, had its maker the right to give it."""
        possible: frozenset[Action] = actions & ALLOWED[self.key_type] & self.place.permitted
        return possible - self.given(actions)

    def has(self, feature: Feature) -> bool:
        """Whether the place has the feature at all: what its type leaves out does not appear (product 2.4)."""
        return bool(feature.everything & self.place.permitted) or bool(feature.everything & self.kept)


@dataclass(frozen=True)
class Choice:
    """What was chosen: a preset, or a level for each feature and what stands under "More"."""

    preset: str
    levels: Mapping[str, str]
    more: frozenset[str] = frozenset()

    def level(self, feature: Feature) -> str:
        if self.preset == Preset.ALL:
            return feature.highest
        if self.preset == Preset.DEFAULT:
            return feature.default
        if self.preset == Preset.READ_ONLY:
            reads = KeyLevel.READ if KeyLevel.READ in feature.levels else KeyLevel.ENABLED
            return reads if feature.slug != "completions" else KeyLevel.DISABLED
        return self.levels.get(feature.slug) or KeyLevel.DISABLED

    def includes(self, action: Action) -> bool:
        """Whether it includes something that has no row."""
        if self.preset == Preset.CUSTOM:
            return action in self.more
        return self.preset == Preset.ALL or (self.preset == Preset.READ_ONLY and action.verb in READING)


def choice_of(scopes: Collection[str], key_type: KeyType) -> Choice:
    """The choice that stands for the scopes a key has."""
    levels = {feature.slug: str(feature.level_of(scopes, key_type) or KEPT) for feature in FEATURES}
    return Choice(Preset.CUSTOM, levels, frozenset(scopes) & frozenset(without_a_row(key_type)))


def scopes_of(choice: Choice, bounds: Bounds) -> list[str]:
    """The scopes that a choice means, as far as they may be given."""
    found: set[str] = set(bounds.kept - ALLOWED[bounds.key_type])  # taken once by the contract, and never effective
    for feature in FEATURES:
        level = choice.level(feature)
        chosen = feature.everything & bounds.kept if level == KEPT else feature.levels[KeyLevel(level)]
        found |= bounds.given(chosen)
    found |= bounds.given(frozenset(filter(choice.includes, without_a_row(bounds.key_type))))
    return sorted(map(str, found))


def unknown(words: Collection[str], key_type: KeyType) -> list[str]:
    """Of the words of a list, those that a key of this type cannot have."""
    return not_allowed(words, key_type)


def refuse_unknown(written: str, key_type: KeyType) -> None:
    """Raises Invalid for a list with a word that is no scope a key of this type can have, naming each with its line."""
    lines = [(number, word) for number, line in enumerate(written.splitlines(), 1) for word in line.split()]
    wrong = set(not_allowed([word for _number, word in lines], key_type))
    known = {action.value for action in Action}
    said = []
    for number, word in lines:
        if word in wrong:
            told = _("a key of this kind cannot carry it") if word in known else _("there is no such scope")
            named = {"number": number, "word": word[:80], "told": told}
            said.append(_("Line %(number)d: “%(word)s”: %(told)s.") % named)
    if said:
        raise Invalid({"exact": " ".join(said[:5])})


class Cell(NamedTuple):
    """One level of one feature, as it can be chosen."""

    level: str
    label: str
    is_chosen: bool
    is_shut: bool
    is_default: bool = False


@dataclass(frozen=True)
class Row:
    """One feature in the table: its levels, which of them is chosen, and what cannot be given, and why."""

    feature: Feature
    look: Look
    cells: list[Cell]
    is_for_this_type: bool
    lacking: frozenset[Action]

    @property
    def is_kept(self) -> bool:
        return any(cell.level == KEPT for cell in self.cells)

    @property
    def chosen(self) -> str:
        return next((cell.label for cell in self.cells if cell.is_chosen), "")


def table(choice: Choice, bounds: Bounds) -> list[tuple[str, list[Row]]]:
    """The rows to choose from, under their headings."""
    rows = [_row(feature, choice, bounds) for feature in FEATURES if bounds.has(feature)]
    return [(str(group), list(found)) for group, found in groupby(rows, key=lambda row: row.look.group)]


def _row(feature: Feature, choice: Choice, bounds: Bounds) -> Row:
    is_for_this_type = bool(feature.everything & ALLOWED[bounds.key_type])
    level = choice.level(feature) if is_for_this_type else str(KeyLevel.DISABLED)
    cells = list(_cells(feature, level, bounds))
    return Row(feature, LOOKS[feature.slug], cells, is_for_this_type, bounds.lacking(feature.everything))


def _cells(feature: Feature, chosen: str, bounds: Bounds) -> Iterator[Cell]:
    """A level that gives no more than the one before it is shut."""
    before: frozenset[Action] = frozenset()
    for level, actions in feature.levels.items():
        given = bounds.given(actions)
        is_shut = level is not KeyLevel.DISABLED and given == before
        yield Cell(str(level), str(level.label), str(level) == chosen, is_shut, level == feature.default)
        before = given
    held = feature.everything & bounds.kept
    if held and feature.level_of(held, bounds.key_type) is None:
        yield Cell(KEPT, _("As it is"), chosen == KEPT, is_shut=False)


class Extra(NamedTuple):
    """A scope without a row, as it can be ticked."""

    action: Action
    is_chosen: bool
    is_shut: bool


def extras(choice: Choice, bounds: Bounds) -> list[tuple[str, list[Extra]]]:
    """What stands under "More", by resource."""
    possible = [action for action in without_a_row(bounds.key_type) if action in bounds.place.permitted | bounds.kept]
    found = [Extra(a, choice.includes(a), not bounds.given(frozenset({a}))) for a in possible]
    found.sort(key=lambda extra: extra.action.resource)
    return [(resource, list(group)) for resource, group in groupby(found, key=lambda extra: extra.action.resource)]
