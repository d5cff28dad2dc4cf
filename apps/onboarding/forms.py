"""The form that founds an organization: shape and wording; no rules."""

from datetime import datetime, timedelta
from typing import Any, Final

from django import forms

from apps.core.clock import now
from apps.tenancy.forms import PageForm

PRESET, NEVER = "90", "never"
EXPIRIES: Final = [("30", "In 30 days"), (PRESET, "In 90 days"), ("365", "In one year"), (NEVER, "Never")]


class FoundForm(PageForm):
    # Names one visit of the form, so that sending it twice founds one organization.
    visit = forms.CharField(required=False, max_length=32, widget=forms.HiddenInput)
    name = forms.CharField(
        label="Name of the organization",
        widget=forms.TextInput(attrs={"autocomplete": "organization", "placeholder": "Acme"}),
    )
    with_master_key = forms.BooleanField(
        label="Create a master key now",
        required=False,
        initial=True,
        help_text="A key that may do everything over the API. You can make one later instead.",
    )
    expires_in = forms.ChoiceField(label="The master key expires", choices=EXPIRIES, required=False, initial=PRESET)

    @property
    def input(self) -> dict[str, Any]:
        """What the operation takes."""
        given = self.cleaned_data
        return {
            "name": given["name"],
            "with_master_key": given["with_master_key"],
            "key_expires_at": _in_days(given["expires_in"] or PRESET),
        }


def _in_days(days: str) -> datetime | None:
    return None if days == NEVER else now() + timedelta(days=int(days))
