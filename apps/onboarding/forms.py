"""The forms that found an organization and end it: shape and wording; no rules."""

from datetime import datetime, timedelta
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.core.clock import now
from apps.tenancy.consequences import SeenForm
from apps.tenancy.forms import PageForm, TypedForm

PRESET, NEVER = "90", "never"
EXPIRIES: Final = [
    ("30", _("In 30 days")),
    (PRESET, _("In 90 days")),
    ("365", _("In one year")),
    (NEVER, _("Never")),
]


class FoundForm(PageForm):
    # Names one visit of the form, so that sending it twice founds one organization.
    visit = forms.CharField(required=False, max_length=32, widget=forms.HiddenInput)
    name = forms.CharField(
        label=_("Name of the organization"),
        widget=forms.TextInput(attrs={"autocomplete": "organization", "placeholder": "Acme"}),
    )
    with_master_key = forms.BooleanField(
        label=_("Create a master key now"),
        required=False,
        initial=True,
        help_text=_("A key that may do everything over the API. You can make one later instead."),
    )
    expires_in = forms.ChoiceField(label=_("The master key expires"), choices=EXPIRIES, required=False, initial=PRESET)

    @property
    def input(self) -> dict[str, Any]:
        """What the operation takes."""
        given = self.cleaned_data
        return {
            "name": given["name"],
            "with_master_key": given["with_master_key"],
            "key_expires_at": _in_days(given["expires_in"] or PRESET),
        }


class DeleteForm(TypedForm, SeenForm):
    """The end of an organization: its name, typed, and what was shown to end with it."""


def _in_days(days: str) -> datetime | None:
    return None if days == NEVER else now() + timedelta(days=int(days))
