"""The forms of a workspace: shape and wording; no rules."""

from collections.abc import Iterable
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.tenancy.consequences import SeenForm
from apps.tenancy.forms import PageForm, TypedForm, VersionedForm
from apps.workspaces.limits import LARGEST, UNITS_OF_WORKSPACES
from apps.workspaces.looks import COLORS, ICONS
from apps.workspaces.types import WorkspaceType

# What each type switches on, for the person who picks one (product 2.4).
TYPES: Final = {
    WorkspaceType.AI_GATEWAY: gettext_lazy(
        "Prompts, configs, guardrails, providers, models, logs and analytics for one AI project."
    ),
    WorkspaceType.SECRETS: gettext_lazy("A team, its keys and settings, for what should stay between few people."),
}
_NO_COLOR: Final = ("", gettext_lazy("By its name"))
_NO_ICON: Final = ("", gettext_lazy("Its initials"))
RESETS: Final = [
    ("", gettext_lazy("Never")),
    ("weekly", gettext_lazy("Every Monday")),
    ("monthly", gettext_lazy("On the first of the month")),
]
UNITS: Final = {"rpm": gettext_lazy("A minute"), "rph": gettext_lazy("An hour"), "rpd": gettext_lazy("A day")}
COUNTED: Final = {"requests": gettext_lazy("Requests"), "tokens": gettext_lazy("Tokens")}
BUDGETS: Final = {"cost": gettext_lazy("Money, in US dollars"), "tokens": gettext_lazy("Tokens")}
_EVERY: Final = "days"


class LooksForm(PageForm):
    """What a workspace is called and looks like."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("A project, a product, a team: whatever should have its own people, keys and spending."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    description = forms.CharField(
        label=gettext_lazy("Description"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    color = forms.ChoiceField(
        label=gettext_lazy("Colour"), choices=[_NO_COLOR, *COLORS.items()], required=False, widget=forms.RadioSelect
    )
    icon = forms.ChoiceField(
        label=gettext_lazy("Icon"), choices=[_NO_ICON, *ICONS.items()], required=False, widget=forms.RadioSelect
    )


class WorkspaceForm(LooksForm):
    kind = forms.ChoiceField(
        label=gettext_lazy("Type"),
        choices=WorkspaceType.choices,
        initial=WorkspaceType.AI_GATEWAY,
        widget=forms.RadioSelect,
    )
    delete_protected = forms.BooleanField(
        label=gettext_lazy("Protect from deletion"),
        required=False,
        help_text=gettext_lazy(
            "For production: it cannot be archived, nor its organization deleted, until this is off."
        ),
    )


class WorkspaceSettingsForm(VersionedForm, LooksForm):
    """The same for a workspace there is; an icon chosen over the API stays, drawn here or not."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kept = self.initial.get("icon")
        if kept and kept not in ICONS:
            self.fields["icon"].choices = [*self.fields["icon"].choices, (kept, kept)]


class ProtectionForm(VersionedForm):
    delete_protected = forms.BooleanField(label=gettext_lazy("Protect from deletion"), required=False)


class ArchiveForm(TypedForm, SeenForm):
    """The end of a workspace: its name, typed, and what was shown to end with it."""


class LimitsForm(VersionedForm):
    """One budget in money and one in tokens, and the rates: what the wire holds beside these stays as it is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in BUDGETS:
            days = self.initial.get(f"{kind}_every")
            kept = [(_EVERY, _("Every %(days)s days") % {"days": days})] if days else []
            self.fields[f"{kind}_limit"] = _amount(_("At most"), 1)
            self.fields[f"{kind}_alert"] = _amount(_("Tell people at"), 1)
            self.fields[f"{kind}_resets"] = forms.ChoiceField(
                label=_("Starts again"), choices=[*RESETS, *kept], required=False
            )
        for counted in COUNTED:
            for unit in UNITS_OF_WORKSPACES:
                told = {"counted": COUNTED[counted], "unit": str(UNITS[unit]).lower()}
                self.fields[f"{counted}_{unit}"] = _amount(_("%(counted)s %(unit)s") % told, 0)

    @staticmethod
    def initial_of(workspace: Any) -> dict[str, Any]:
        shown: dict[str, Any] = {"version": workspace.version}
        for kind in BUDGETS:
            budget = _first(workspace.usage_limits or [], kind) or {}
            days = budget.get("periodic_reset_days")
            shown[f"{kind}_limit"], shown[f"{kind}_alert"] = budget.get("credit_limit"), budget.get("alert_threshold")
            shown[f"{kind}_resets"] = _EVERY if days else budget.get("periodic_reset") or ""
            shown[f"{kind}_every"] = days
        return shown | {f"{rate['type']}_{rate['unit']}": rate["value"] for rate in workspace.rate_limits or []}

    @property
    def budgets(self) -> list[tuple[Any, list[forms.BoundField]]]:
        return [
            (told, [self[f"{kind}_{part}"] for part in ("limit", "alert", "resets")]) for kind, told in BUDGETS.items()
        ]

    @property
    def rates(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """A line for what is counted, a column for each unit."""
        return [(told, [self[f"{counted}_{unit}"] for unit in UNITS]) for counted, told in COUNTED.items()]

    @property
    def units(self) -> list[Any]:
        return list(UNITS.values())

    def limits(self, before: Any) -> dict[str, Any]:
        """The settings as the operation takes them."""
        given, kept = self.cleaned_data, list(before.usage_limits or [])
        rates = [(counted, unit, given[f"{counted}_{unit}"]) for counted in COUNTED for unit in UNITS]
        budgets = [self._budget(kind, _first(kept, kind) or {}) for kind in BUDGETS]
        others = [budget for budget in kept if budget is not _first(kept, budget["type"])]
        return {
            "usage_limits": [budget for budget in budgets if budget] + others or None,
            "rate_limits": [{"type": c, "unit": unit, "value": value} for c, unit, value in rates if value is not None]
            or None,
        }

    def _budget(self, kind: str, kept: dict[str, Any]) -> dict[str, Any] | None:
        given = self.cleaned_data
        limit, alert, resets = (given[f"{kind}_{part}"] for part in ("limit", "alert", "resets"))
        if limit is None and alert is None:
            return None
        how = {} if resets == _EVERY else {"periodic_reset": resets or None, "periodic_reset_days": None}
        return {**kept, "type": kind, "credit_limit": limit, "alert_threshold": alert, **how}


def _amount(label: Any, least: int) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, min_value=least, max_value=LARGEST)


def _first(budgets: Iterable[dict[str, Any]], kind: str) -> dict[str, Any] | None:
    return next((budget for budget in budgets if budget["type"] == kind), None)
