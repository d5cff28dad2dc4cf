"""How allauth meets the product: who may sign up, with which address, and where they land."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse

from apps.accounts import operations
from apps.accounts.addresses import normalized
from apps.accounts.models import User
from apps.core.errors import Invalid
from apps.tenancy import invited


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Open to all, or only to those who hold an invitation's link (product P32)."""
        return settings.SIGN_UP == "open" or invited.guest(request) is not None

    def unstash_verified_email(self, request: HttpRequest) -> str | None:
        """The address a new account need not prove: its owner came through the mailed link (product P14)."""
        guest = invited.guest(request)
        return guest.address if guest is not None and guest.proves_mailbox else None

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        return self.get_login_redirect_url(request)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Back to the invitation that led here, or home."""
        return reverse("memberships:open") if invited.opened(request) else str(super().get_login_redirect_url(request))

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

    def clean_person_name(self, value: str, *, field: str) -> str:
        try:
            return operations.person_name(value, field=field)
        except Invalid as refusal:
            raise ValidationError(str(refusal)) from None


def display_name(user: User) -> str:
    return str(user)
