"""The sign-up form: shape and wording; no rules."""

from typing import Any

from allauth.account.forms import SignupForm
from django import forms

from apps.accounts.adapter import INVITED_ADDRESS


class SignUpForm(SignupForm):
    """allauth's, with a name; through an invitation's link the address is the invited one (IN-03)."""

    first_name = forms.CharField(max_length=150, required=False, widget=forms.TextInput(attrs={"autocomplete": "given-name"}))
    last_name = forms.CharField(max_length=150, required=False, widget=forms.TextInput(attrs={"autocomplete": "family-name"}))
    field_order = ("first_name", "last_name", "email", "password1")
