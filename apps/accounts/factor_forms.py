"""The forms of second factors: allauth's, which expect well-formed answers, made safe against all others."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Final

from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from apps.accounts import factors, trail
from apps.core import text
from apps.core.errors import Invalid

KEY_NAME_LENGTH: Final = 100
# What parsing and checking a made-up credential can run into.
_MALFORMED: Final = (TypeError, ValueError, KeyError, AttributeError, IndexError)


class ActivateForm(ActivateTOTPForm):
    """Between showing a secret and confirming it the session keeps it, sealed as it will be in its row."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        with _sealed_in_session():
            super().__init__(*args, **kwargs)
        self.fields["code"].label = _("The six digits it shows now")
        self.fields["code"].widget.attrs.update(
            inputmode="numeric", maxlength=10, placeholder="", autofocus=self.is_bound
        )


class _AsksForCode:
    """The app's code or a recovery code, both of digits."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs.update(inputmode="numeric", placeholder="", autofocus=True)

    def clean_code(self) -> str:
        with _written_down("code"):
            return super().clean_code()  # type: ignore[misc,no-any-return]


class CodeForm(_AsksForCode, AuthenticateForm):
    """At the second step of signing in."""


class CodeAgainForm(_AsksForCode, ReauthenticateForm):
    """Before a grave act."""


class _ReadsCredential:
    """Whatever a browser sends as a credential is a right one or a wrong one, never an accident."""

    def clean_credential(self) -> Any:
        with _wrong_if_malformed():
            return super().clean_credential()  # type: ignore[misc]


class _ProvesCredential(_ReadsCredential):
    """The same where somebody proves with it who they are."""

    def clean_credential(self) -> Any:
        with _written_down("passkey"):
            return super().clean_credential()


class PasskeyForm(_ProvesCredential, AuthenticateWebAuthnForm):
    """At the second step of signing in."""


class PasskeySignInForm(_ProvesCredential, LoginWebAuthnForm):
    """Instead of the password."""


class PasskeyAgainForm(_ProvesCredential, ReauthenticateWebAuthnForm):
    """Before a grave act."""


class AddPasskeyForm(AddWebAuthnForm):
    name = forms.CharField(
        label=_("Name"),
        required=False,
        max_length=KEY_NAME_LENGTH,
        help_text=_("To tell your keys apart: “Laptop”, “Blue key on my ring”."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        passwordless = self.fields["passwordless"]
        passwordless.label, passwordless.initial = _("Sign in with it alone, without the password"), True
        passwordless.help_text = _("The device then asks for a finger, a face or its PIN.")

    def clean_name(self) -> str:
        return _key_name(super().clean_name())

    def clean(self) -> dict[str, Any]:
        with _wrong_if_malformed():
            return dict(super().clean())


class RenamePasskeyForm(EditWebAuthnForm):
    name = forms.CharField(label=_("Name"), max_length=KEY_NAME_LENGTH)
    field_order: ClassVar = ["name"]

    def clean_name(self) -> str:
        return _key_name(self.cleaned_data["name"])


def _key_name(name: str) -> str:
    try:
        return text.name(name, field="name")
    except Invalid as refusal:
        raise ValidationError(str(refusal)) from None


@contextmanager
def _wrong_if_malformed() -> Iterator[None]:
    try:
        yield
    except _MALFORMED:
        raise get_adapter().validation_error("incorrect_code") from None


@contextmanager
def _written_down(how: str) -> Iterator[None]:
    """A wrong answer is a line in the log, about whoever has given the password, or is signed in."""
    try:
        yield
    except ValidationError:
        trail.sign_in_refused(context.request, factors.asked(), how)
        raise


@contextmanager
def _sealed_in_session() -> Iterator[None]:
    session, adapter = context.request.session, get_adapter()
    sealed = session.pop(SECRET_SESSION_KEY, None)
    if sealed:
        session[SECRET_SESSION_KEY] = adapter.decrypt(sealed)
    yield
    session[SECRET_SESSION_KEY] = adapter.encrypt(session[SECRET_SESSION_KEY])
