"""The forms of a person's own account: shape and wording; no rules."""

from typing import Any, Final

from allauth.account.adapter import get_adapter
from allauth.account.forms import AddEmailForm, ChangePasswordForm, LoginForm, ResetPasswordForm, SignupForm
from allauth.core import context
from django import forms
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.accounts import locales, operations, trail
from apps.accounts.operations import PERSON_NAME_LENGTH
from apps.tenancy import invited
from apps.tenancy.forms import PageForm

_ADDRESS: Final = _("E-mail address")


def _part_of_a_name(label: str | Promise, autocomplete: str) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": autocomplete, "maxlength": PERSON_NAME_LENGTH})
    return forms.CharField(label=label, required=False, widget=widget)


class SignInForm(LoginForm):
    """allauth's, in our words."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _ADDRESS


class PasswordForm(ChangePasswordForm):
    """allauth's; a wrong password is written down as it is at the door."""

    def clean_oldpassword(self) -> str:
        try:
            return super().clean_oldpassword()  # type: ignore[no-any-return]
        except forms.ValidationError:
            trail.sign_in_refused(context.request, self.user, "password")
            raise


class AddressForm(AddEmailForm):
    """allauth's, in our words."""

    email = forms.EmailField(label=_("New e-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "email"}))


class ForgottenForm(ResetPasswordForm):
    """allauth's, in our words."""

    email = forms.EmailField(label=_ADDRESS, widget=forms.EmailInput(attrs={"autocomplete": "email"}))


class SignUpForm(SignupForm):
    """allauth's, with a name; through an invitation's link the address is the invited one, whatever is sent (IN-03)."""

    first_name = _part_of_a_name(_("First name"), "given-name")
    last_name = _part_of_a_name(_("Last name"), "family-name")
    field_order = ("first_name", "last_name", "email", "password1")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _ADDRESS
        guest = invited.guest(context.request)
        if guest is not None:
            self.fields["email"].initial = self.initial["email"] = guest.address
            self.fields["email"].disabled = True
            self.fields["email"].help_text = _("The address that was invited.")

    def clean_email(self) -> str:
        operations.drop_claims(get_adapter().clean_email(self.cleaned_data["email"]))
        return str(super().clean_email())

    def clean_first_name(self) -> str:
        return str(get_adapter().clean_person_name(self.cleaned_data["first_name"], field="first_name"))

    def clean_last_name(self) -> str:
        return str(get_adapter().clean_person_name(self.cleaned_data["last_name"], field="last_name"))


class ProfileForm(PageForm):
    first_name = _part_of_a_name(_("First name"), "given-name")
    last_name = _part_of_a_name(_("Last name"), "family-name")


def _languages() -> list[tuple[str, str]]:
    return [("", gettext("The language of my browser")), *settings.LANGUAGES]


def _zones() -> list[tuple[str, Any]]:
    areas = [
        (str(area), [(zone.name, f"{zone.place} ({zone.offset})") for zone in places])
        for area, places in locales.zones()
    ]
    return [("", gettext("UTC, the same everywhere")), *areas]


class LocaleForm(PageForm):
    """The language and the time zone of somebody who is signed in."""

    language = forms.ChoiceField(label=_("Language"), choices=_languages, required=False)
    timezone = forms.ChoiceField(
        label=_("Time zone"),
        choices=_zones,
        required=False,
        help_text=_("Dates and times on every page are told in it."),
        widget=forms.Select(attrs={"data-zone": ""}),
    )


class LanguageForm(PageForm):
    """The language of somebody who is not, kept by their browser."""

    language = forms.ChoiceField(choices=settings.LANGUAGES)
    next = forms.CharField(required=False)
