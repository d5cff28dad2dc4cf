"""The forms of streams: shape and wording; no rules."""

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.core.outbound import LONGEST_URL
from apps.core.text import NAME_LENGTH
from apps.tenancy.forms import PageForm, VersionedForm

NOW, START = "now", "start"


def _address() -> forms.CharField:
    return forms.CharField(
        label=_("Address"),
        max_length=LONGEST_URL,
        widget=forms.TextInput(
            attrs={
                "inputmode": "url",
                "autocomplete": "off",
                "spellcheck": "false",
                "placeholder": "https://siem.example.com/events",
            }
        ),
    )


class NewStreamForm(PageForm):
    visit = forms.CharField(widget=forms.HiddenInput, max_length=400)
    name = forms.CharField(
        label=_("Name"), max_length=NAME_LENGTH, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    url = _address()
    begin = forms.ChoiceField(
        label=_("Which lines are sent"),
        choices=[
            (NOW, _("Those from now on")),
            (START, _("All that the log has, from the first one on")),
        ],
        widget=forms.RadioSelect,
    )


class EditStreamForm(VersionedForm):
    name = forms.CharField(
        label=_("Name"), max_length=NAME_LENGTH, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    url = _address()


class AgainForm(PageForm):
    """One undelivered line, or all of them."""

    sequence = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)
