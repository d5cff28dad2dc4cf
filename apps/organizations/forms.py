"""The forms of an organization: shape and wording; no rules."""

from django import forms

from apps.tenancy.forms import VersionedForm


class OrganizationForm(VersionedForm):
    name = forms.CharField(widget=forms.TextInput(attrs={"autocomplete": "organization"}))
    description = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 3}), help_text="What it is for, in a sentence or two."
    )
