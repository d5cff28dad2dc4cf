"""The forms of a person's own account: shape and wording; no rules."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import SignupForm
from allauth.core import context
from django import forms

from apps.accounts import operations
from apps.accounts.operations import PERSON_NAME_LENGTH
from apps.tenancy import invited
from apps.tenancy.forms import PageForm


def _part_of_a_name(label: str, autocomplete: str) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": autocomplete, "maxlength": PERSON_NAME_LENGTH})
    return forms.CharField(label=label, required=False, widget=widget)


class SignUpForm(SignupForm):
    """allauth's, with a name; through an invitation's link the address is the invited one, whatever is sent (IN-03)."""

    first_name = _part_of_a_name("First name", "given-name")
    last_name = _part_of_a_name("Last name", "family-name")
    field_order = ("first_name", "last_name", "email", "password1")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        guest = invited.guest(context.request)
        if guest is not None:
            self.fields["email"].initial = self.initial["email"] = guest.address
            self.fields["email"].disabled = True
            self.fields["email"].help_text = "The address that was invited."

    def clean_email(self) -> str:
        operations.drop_claims(get_adapter().clean_email(self.cleaned_data["email"]))
        return str(super().clean_email())

    def clean_first_name(self) -> str:
        return str(get_adapter().clean_person_name(self.cleaned_data["first_name"], field="first_name"))

    def clean_last_name(self) -> str:
        return str(get_adapter().clean_person_name(self.cleaned_data["last_name"], field="last_name"))


class ProfileForm(PageForm):
    first_name = _part_of_a_name("First name", "given-name")
    last_name = _part_of_a_name("Last name", "family-name")
