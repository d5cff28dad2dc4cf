"""Levels: the few words a person chooses a key's scopes by, feature by feature (product 3, "API-key permissions")."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.access.actions import Action
from apps.access.scopes import ALLOWED, KeyType


class KeyLevel(TextChoices):
    """How much of a feature a key may use; each includes the ones before it."""

    DISABLED = "disabled", _("Disabled")
    ENABLED = "enabled", _("Enabled")
    READ = "read", _("Read")
    WRITE = "write", _("Write")
    DELETE = "delete", _("Delete")


READING: Final = frozenset({"list", "read", "copy", "render"})
WRITING: Final = READING | {"create", "update", "duplicate", "publish", "rotate"}
DELETING: Final = WRITING | {"delete"}
_VERBS: Final = {KeyLevel.READ: READING, KeyLevel.WRITE: WRITING, KeyLevel.DELETE: DELETING}


@dataclass(frozen=True)
class Feature:
    """One row of the product's table: a feature, the levels it has, in rising order, and what each of them gives."""

    slug: str
    name: Promise | str
    levels: Mapping[KeyLevel, frozenset[Action]]
    default: KeyLevel = KeyLevel.DISABLED

    @property
    def is_switch(self) -> bool:
        return KeyLevel.ENABLED in self.levels

    @property
    def highest(self) -> KeyLevel:
        return list(self.levels)[-1]

    @property
    def everything(self) -> frozenset[Action]:
        return self.levels[self.highest]

    def at(self, level: KeyLevel, key_type: KeyType) -> frozenset[Action]:
        """What this level gives to a key of this type."""
        return self.levels[level] & ALLOWED[key_type]

    def level_of(self, scopes: Iterable[Any], key_type: KeyType) -> KeyLevel | None:
        """The lowest level that gives just what these scopes hold of the feature; None when no level does."""
        held = self.everything & ALLOWED[key_type] & frozenset(scopes)
        return next((level for level in self.levels if self.at(level, key_type) == held), None)


def _switch(slug: str, name: Promise, *actions: Action, default: KeyLevel = KeyLevel.DISABLED) -> Feature:
    return Feature(slug, name, {KeyLevel.DISABLED: frozenset(), KeyLevel.ENABLED: frozenset(actions)}, default)


def _ladder(name: Promise, *resources: str, default: KeyLevel = KeyLevel.DISABLED) -> Feature:
    of_feature = [action for action in Action if action.resource in resources]
    given = {level: frozenset(a for a in of_feature if a.verb in verbs) for level, verbs in _VERBS.items()}
    return Feature(resources[0], name, {KeyLevel.DISABLED: frozenset(), **given}, default)


FEATURES: Final = (
    _switch("metrics", _("Metrics"), Action.ANALYTICS_VIEW, Action.LOGS_LIST, Action.LOGS_VIEW, Action.LOGS_EXPORT),
    _switch(
        "completions",
        _("Completions (all LLM calls)"),
        Action.COMPLETIONS_WRITE,
        Action.LOGS_WRITE,
        Action.GUARDRAILS_INVOKE,
        default=KeyLevel.ENABLED,
    ),
    _ladder(_("Prompts"), "prompts", default=KeyLevel.READ),
    _ladder(_("Configs"), "configs"),
    _ladder(_("Guardrails"), "guardrails"),
    _ladder(_("Virtual Keys"), "virtual_keys"),
    _ladder(_("Integrations"), "workspace_integrations", "organisation_integrations"),
    _ladder(_("Model Catalog: Providers"), "providers"),
    _ladder(_("Model Catalog: Models"), "models"),
    _ladder(_("Users (Team Management)"), "workspace_users", "organisation_users"),
    _ladder(_("API Keys"), "workspace_service_api_keys", "workspace_user_api_keys", "organisation_service_api_keys"),
)
_WITH_A_ROW: Final = frozenset(action for feature in FEATURES for action in feature.everything)


def without_a_row(key_type: KeyType) -> Iterator[Action]:
    """What a key of this type may carry that belongs to no feature of the table: pages show it under "More"."""
    return (action for action in Action if action in ALLOWED[key_type] and action not in _WITH_A_ROW)
