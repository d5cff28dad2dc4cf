"""The forms of a workspace: shape and wording; no rules."""

from typing import Final

from django import forms

from apps.tenancy.forms import PageForm, VersionedForm
from apps.workspaces.types import WorkspaceType

# What each type switches on, for the person who picks one (product 2.4).
TYPES: Final = {
    WorkspaceType.AI_GATEWAY: "Prompts, configs, guardrails, providers, models, logs and analytics for one AI project.",
    WorkspaceType.SECRETS: "A team, its keys and settings, for what should stay between few people.",
}


class WorkspaceForm(PageForm):
    name = forms.CharField(
        help_text="A project, a product, a team: whatever should have its own people, keys and spending.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    kind = forms.ChoiceField(
        label="Type", choices=WorkspaceType.choices, initial=WorkspaceType.AI_GATEWAY, widget=forms.RadioSelect
    )


class WorkspaceSettingsForm(VersionedForm):
    name = forms.CharField(widget=forms.TextInput(attrs={"autocomplete": "off"}))
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 3}))
    delete_protected = forms.BooleanField(
        label="Protect from deletion",
        required=False,
        help_text="A protected workspace cannot be archived, nor its organization deleted.",
    )
