"""The pages of an account that are not allauth's: what a person is called, their language and their time."""

from typing import Any

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.generic import FormView, View

from apps.accounts import operations
from apps.accounts.forms import LanguageForm, LocaleForm, ProfileForm
from apps.accounts.queries import with_second_factor
from apps.tenancy.views import DomainErrorMixin, OperationMixin, SignedInMixin, finish


class Profile(SignedInMixin, OperationMixin, FormView):
    form_class = ProfileForm
    template_name = "accounts/profile.html"

    def get_initial(self) -> dict[str, Any]:
        return {"first_name": self.request.user.first_name, "last_name": self.request.user.last_name}

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        user = self.request.user
        chosen = {"language": user.language, "timezone": user.timezone}
        told = {
            "is_verified": operations.has_verified_address(user),
            "has_factor": bool(with_second_factor([self.request.actor.person_id])),
            "locale_form": LocaleForm(initial=chosen),
        }
        return super().get_context_data(**{**told, **more})

    def run(self, form: ProfileForm) -> HttpResponse:
        operations.rename(self.request.user, **form.cleaned_data, by=self.request.actor)
        return finish(self.request, _("Your name is saved."), "accounts:profile")


class Locale(Profile):
    """The second form of the same page."""

    http_method_names = ["post", "options"]
    form_class = LocaleForm

    def get_initial(self) -> dict[str, Any]:
        return {}

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        names = ProfileForm(initial=super().get_initial())
        return super().get_context_data(**{**more, "form": names, "locale_form": more["form"]})

    def run(self, form: LocaleForm) -> HttpResponse:
        user = operations.choose_locale(self.request.user, **form.cleaned_data, by=self.request.actor)
        with translation.override(user.language or translation.get_language_from_request(self.request)):
            return finish(self.request, _("Your language and time zone are saved."), "accounts:profile")


class Language(DomainErrorMixin, View):
    """The language of the pages for whoever is not signed in; the browser remembers it."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        chosen = LanguageForm(request.POST).taken()
        # An address and nothing else: a redirect by name would look for a page called "true".
        is_ours = chosen["next"].startswith("/") and get_adapter().is_safe_url(chosen["next"])
        answer = HttpResponseRedirect(chosen["next"] if is_ours else reverse("account_login"))
        answer.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            chosen["language"],
            max_age=settings.LANGUAGE_COOKIE_AGE,
            httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
            samesite=settings.LANGUAGE_COOKIE_SAMESITE,
            secure=settings.SESSION_COOKIE_SECURE,
        )
        return answer
