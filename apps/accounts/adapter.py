"""How allauth meets the product: who may sign up, and the one form in which addresses are kept."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from apps.accounts.addresses import normalized
from apps.accounts.models import User
from apps.core.errors import Invalid

# Where the pages of invitations leave the token of the link somebody opened.
INVITATION_TOKEN, INVITED_ADDRESS = "invitation", "invited_address"  # noqa: S105 (names of session entries)


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Open to all, or only to those who hold an invitation's link (product P32)."""
        return settings.SIGN_UP == "open" or INVITED_ADDRESS in request.session

    def clean_email(self, email: str) -> str:
        try:
            return normalized(email)
        except Invalid as refusal:
            raise ValidationError(str(refusal)) from None

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        user.email = normalized(form.cleaned_data["email"])
        user.first_name = form.cleaned_data.get("first_name", "")
        user.last_name = form.cleaned_data.get("last_name", "")
        user.set_password(form.cleaned_data["password1"])
        if commit:
            user.save()
        return user


def display_name(user: User) -> str:
    return str(user)
