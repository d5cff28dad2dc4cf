"""How allauth meets the product: who may sign up, with which address, and where they land."""

from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts import operations, tasks, trail
from apps.accounts.addresses import normalized
from apps.accounts.models import User
from apps.core import outbox
from apps.core.errors import Invalid
from apps.tenancy import invited

_log = structlog.get_logger(__name__)
_IS_TOLD: Final = "is_told"
_ON_ITS_WAY: Final = "account/messages/email_confirmation_sent.txt"
_UNSENT: Final = "_letter_is_unsent"


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

    def format_email_subject(self, subject: str) -> str:
        """As it is: the sender's name already says which installation writes."""
        return subject

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

    def is_safe_url(self, url: str) -> bool:
        try:
            return bool(super().is_safe_url(url))
        except ValueError:  # what looks like an address and cannot be one
            return False

    def confirm_email(self, request: HttpRequest, email_address: Any) -> bool:
        """All of the change or none of it; an address that is somebody's account by now stays theirs."""
        with transaction.atomic():
            if operations.is_taken(email_address.email, by_other_than=email_address.user):
                self.add_message(request, messages.ERROR, message=_("There is another account with this address."))
                return False
            return bool(super().confirm_email(request, email_address))

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        return _at_home(super().get_email_confirmation_url(request, emailconfirmation))

    def get_reset_password_from_key_url(self, key: str) -> str:
        return _at_home(super().get_reset_password_from_key_url(key))

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """A line in the log, about an account where there is one; the answer is the same for both."""
        person = User.objects.filter(email__iexact=str(credentials.get("email", ""))[:254]).first()
        trail.sign_in_refused(request, person, "password")

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Through the queue: what it tells of is done, whatever becomes of the letter."""
        super().send_notification_mail(template_prefix, user, {**(context or {}), _IS_TOLD: True}, email)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Signed with the configured address, for the same reason.

        A letter with a link leaves at once, because no queue ever holds a secret. If that fails, the act it belongs to
        is done all the same; who asked is told so, and alike whether or not there is an account with the address.
        """
        known = {"request": self.request, "email": email, "current_site": _Signature()}
        letter = self.render_mail(template_prefix, email, {**known, **context})
        if context.get(_IS_TOLD):
            outbox.post(tasks.send_letter, email, letter.subject, letter.body)
            return
        try:
            letter.send()
        except Exception:  # noqa: BLE001  # whatever a mail server or the way there may do; it is logged
            _log.exception("letter_not_sent", letter=template_prefix)
            self._say_unsent()

    def add_message(self, request: HttpRequest, level: int, *said: Any, **more: Any) -> None:
        """As allauth's, except that nothing is said to be on its way that is not."""
        is_claim = _ON_ITS_WAY in (*said, more.get("message_template"))
        if not (is_claim and getattr(request, _UNSENT, False)):
            super().add_message(request, level, *said, **more)

    def _say_unsent(self) -> None:
        if self.request is not None:
            setattr(self.request, _UNSENT, True)
            messages.error(self.request, _("The letter could not be sent. Try again in a few minutes."))

    def clean_person_name(self, value: str, *, field: str) -> str:
        try:
            return operations.person_name(value, field=field)
        except Invalid as refusal:
            raise ValidationError(str(refusal)) from None


class _Signature:
    """What letters say of this installation."""

    name = "Gatehouse"

    @property
    def domain(self) -> str:
        return str(urlsplit(settings.BASE_URL).netloc)


def _at_home(url: str) -> str:
    """The same page at the configured address: no Host header decides where a letter points (IN-10)."""
    return f"{settings.BASE_URL}{urlsplit(url).path}"


def display_name(user: User) -> str:
    return str(user)
