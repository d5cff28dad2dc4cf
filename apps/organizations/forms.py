"""The forms of an organization: shape and wording; no rules."""

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.tenancy.forms import VersionedForm


class OrganizationForm(VersionedForm):
    name = forms.CharField(label=_("Name"), widget=forms.TextInput(attrs={"autocomplete": "organization"}))
    description = forms.CharField(
        label=_("Description"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What it is for, in a sentence or two."),
    )
