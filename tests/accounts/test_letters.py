"""Letters about an account, while the mail server answers and while it does not."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.test import Client
from django_tasks_db.models import DBTaskResult

from apps.accounts.models import User
from tests.accounts.signing_in import recently, signed_in
from tests.factories import PASSWORD
from tests.world import Company

NEW_PASSWORD = "another-long-enough-secret"
UNSENT = "The letter could not be sent"
ON_ITS_WAY = "A letter is on its way"


class Broken(BaseEmailBackend):
    """A mail server that is not there."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        raise ConnectionRefusedError(111, "Connection refused")


@pytest.fixture
def _without_mail(settings: Any) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.Broken"


@pytest.fixture
def _queued(settings: Any) -> None:
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}


def followed(browser: Client, path: str, sent: dict[str, str]) -> str:
    answer = browser.post(path, sent, follow=True)
    assert answer.status_code == 200
    # Who is told differs by what they typed themselves, and by the token of the form.
    return re.sub(r"[\w.-]+@[\w.-]+|name=\"csrfmiddlewaretoken\"[^>]*", "", answer.content.decode())


@pytest.mark.usefixtures("_without_mail")
@pytest.mark.django_db(transaction=True)
class TestWhileTheMailServerIsAway:
    def test_an_account_is_closed_all_the_same(self, acme: Company) -> None:
        browser = recently(acme.member)
        page = browser.get("/account/close/")
        sent = {"typed": acme.member.email, "seen": page.context["seen"]}
        sent["version"] = page.context["form"].initial.get("version", "")
        answer = browser.post("/account/close/", {name: value for name, value in sent.items() if value})
        assert answer["Location"] == "/accounts/login/"
        assert "Your account is closed." in browser.get("/accounts/login/").content.decode()

    def test_a_password_is_changed_all_the_same(self, acme: Company) -> None:
        sent = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
        assert signed_in(acme.member).post("/accounts/password/change/", sent).status_code == 302
        assert User.objects.get(pk=acme.member.pk).check_password(NEW_PASSWORD)

    def test_a_forgotten_password_is_told_alike_of_every_address(self, acme: Company) -> None:
        told = [
            followed(Client(), "/accounts/password/reset/", {"email": address})
            for address in (acme.member.email, "nobody-at-all@elsewhere.example")
        ]
        assert UNSENT in told[0]
        assert told[0] == told[1]

    def test_an_account_is_made_all_the_same_and_told_alike_of_every_address(self, acme: Company) -> None:
        told = [
            followed(Client(), "/accounts/signup/", {"email": address, "password1": NEW_PASSWORD})
            for address in (acme.member.email, "new@elsewhere.example")
        ]
        assert UNSENT in told[0]
        assert ON_ITS_WAY not in told[0]
        assert told[0] == told[1]
        assert User.objects.filter(email="new@elsewhere.example").exists()

    def test_a_new_address_waits_for_a_letter_that_can_be_sent_again(self, acme: Company) -> None:
        text = followed(recently(acme.member), "/accounts/email/", {"email": "moved@acme.example", "action_add": ""})
        assert UNSENT in text
        assert ON_ITS_WAY not in text
        assert EmailAddress.objects.filter(user=acme.member, email="moved@acme.example", verified=False).exists()

    def test_it_is_logged_without_the_address_or_the_link(self, acme: Company, caplog: Any) -> None:
        Client().post("/accounts/password/reset/", {"email": acme.member.email})
        (line,) = [str(record.msg) for record in caplog.records if "letter_not_sent" in str(record.msg)]
        assert "account/email/password_reset_key" in line
        assert acme.member.email not in line
        assert "/accounts/password/reset/key/" not in caplog.text


@pytest.mark.usefixtures("_queued")
class TestTheQueue:
    def test_holds_what_tells_of_something_done(self, acme: Company) -> None:
        sent = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
        signed_in(acme.member).post("/accounts/password/change/", sent)
        (waiting,) = DBTaskResult.objects.all()
        assert waiting.args_kwargs["args"][:2] == [acme.member.email, "Your password was changed"]
        assert not mail.outbox

    @pytest.mark.parametrize("address", ["new@elsewhere.example", "member@acme.example"])
    @pytest.mark.parametrize("path", ["/accounts/signup/", "/accounts/password/reset/"])
    def test_never_holds_a_link(self, acme: Company, path: str, address: str) -> None:
        Client().post(path, {"email": address, "password1": NEW_PASSWORD})
        assert not DBTaskResult.objects.exists()
        assert [letter.to for letter in mail.outbox] == [[address]]


@pytest.mark.django_db(transaction=True)
def test_a_letter_that_tells_of_something_done_is_sent_as_it_was_written(acme: Company) -> None:
    sent = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    signed_in(acme.member).post("/accounts/password/change/", sent)
    letter = mail.outbox[-1]
    assert (letter.subject, letter.to) == ("Your password was changed", [acme.member.email])
    assert "The password of your account was changed." in letter.body
    assert "testserver" in letter.body
