"""The pages of a person's own account that look into every organization: where they are, and the way out of all."""

from typing import Any

from allauth.account.adapter import get_adapter
from django import forms
from django.contrib.auth import logout
from django.http import HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import FormView, TemplateView

from apps.accounts.reauthentication import RecentMixin
from apps.memberships import answers
from apps.onboarding import belonging, closing
from apps.tenancy.consequences import SeenMixin
from apps.tenancy.forms import TypedForm
from apps.tenancy.views import SignedInMixin, finish


class MyOrganizations(SignedInMixin, TemplateView):
    """Every organization of mine, with my role there, the way in and the way out."""

    template_name = "accounts/organizations.html"

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        user = self.request.user
        told = {"mine": belonging.memberships_of(user), "waiting": answers.waiting_for(user)}
        return super().get_context_data(**told, **more)


class CloseForm(TypedForm):
    seen = forms.CharField(widget=forms.HiddenInput, max_length=24)


class CloseAccount(SignedInMixin, RecentMixin, SeenMixin, FormView):
    """The end of the account: what it takes along is said first, and the address typed."""

    form_class = CloseForm
    template_name = "accounts/close.html"

    @cached_property
    def resting(self) -> list[Any]:
        return belonging.resting_on(self.request.user)

    def weigh(self) -> dict[str, Any]:
        mine = belonging.memberships_of(self.request.user)
        return {
            "organizations": [str(own.organization) for own in mine],
            "resting": [own.organization.slug for own in self.resting],
            "keys": belonging.personal_keys_of(self.request.user),
        }

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "expected": self.request.user.email}

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(resting=self.resting, **more)

    def run(self, form: CloseForm) -> HttpResponse:
        user, address = self.request.user, self.request.user.email
        closing.close_account(user, by=self.request.actor)
        get_adapter().send_notification_mail("account/email/account_closed", user, email=address)
        logout(self.request)
        return finish(self.request, _("Your account is closed."), "account_login")
