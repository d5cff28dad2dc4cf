"""The one page of an account that is not allauth's: what a person wants to be called."""

from typing import Any

from django.http import HttpResponse
from django.views.generic import FormView

from apps.accounts import operations
from apps.accounts.forms import ProfileForm
from apps.tenancy.views import OperationMixin, SignedInMixin, finish


class Profile(SignedInMixin, OperationMixin, FormView):
    form_class = ProfileForm
    template_name = "accounts/profile.html"

    def get_initial(self) -> dict[str, Any]:
        return {"first_name": self.request.user.first_name, "last_name": self.request.user.last_name}

    def run(self, form: ProfileForm) -> HttpResponse:
        operations.rename(self.request.user, **form.cleaned_data, by=self.request.actor)
        return finish(self.request, "Your name is saved.", "accounts:profile")
