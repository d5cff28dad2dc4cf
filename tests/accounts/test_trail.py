"""What becomes of accounts is in the log of the installation, in one transaction with it; so are wrong answers."""

from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.test import Client

from apps.accounts.models import User
from apps.audit.models import INSTALLATION, AuditEvent
from tests.console.desk import latest, lines
from tests.factories import PASSWORD
from tests.world import Company

LOGIN = "/accounts/login/"


def told(before: int) -> list[str]:
    assert {line.chain for line in lines(before)} <= {INSTALLATION}
    return [line.event for line in lines(before)]


class TestSigningIn:
    def test_is_a_line_and_so_is_signing_out(self, acme: Company) -> None:
        before, browser = latest(), Client()
        browser.post(LOGIN, {"login": acme.member.email, "password": PASSWORD})
        browser.post("/accounts/logout/")
        assert told(before) == ["account.signed_in", "account.signed_out"]
        line = lines(before)[0]
        assert (line.actor_id, line.door, line.method, line.uri) == (acme.member.pk, "page", "POST", LOGIN)

    @pytest.mark.parametrize("who", ["somebody", "nobody"])
    def test_with_a_wrong_password_is_refused_and_counted(self, acme: Company, who: str) -> None:
        before, browser = latest(), Client()
        address = acme.member.email if who == "somebody" else "nobody@nowhere.example"
        for _ in range(3):
            browser.post(LOGIN, {"login": address, "password": "Tr0ub4dor&3"})
        (line,) = lines(before)
        assert (line.event, line.status, line.code, line.actor_kind) == ("sign_in.refused", "refused", 401, "nobody")
        assert line.target_id == (str(acme.member.pk) if who == "somebody" else "")
        assert "Tr0ub4dor" not in f"{line.details}{line.names}"
        assert ("nobody@nowhere" in str(line.names)) is False

    def test_nor_is_the_old_password_guessed_without_a_line(self, acme: Company, sign_in: Any) -> None:
        browser = sign_in(acme.member)
        browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
        before = latest()
        browser.post("/accounts/password/change/", {"oldpassword": "x", "password1": "a-good-one-77", "password2": "a"})
        assert told(before) == ["sign_in.refused"]


class TestOneTransaction:
    def test_a_line_that_cannot_be_written_undoes_the_change(
        self, acme: Company, monkeypatch: pytest.MonkeyPatch, sign_in: Any
    ) -> None:
        def fail(*args: object) -> bool:
            raise RuntimeError("the disk is full")

        browser = sign_in(acme.member)
        browser.raise_request_exception = False
        browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
        monkeypatch.setattr("apps.audit.appending.append", fail)
        words = {"oldpassword": PASSWORD, "password1": "another-good-one-7", "password2": "another-good-one-7"}
        assert browser.post("/accounts/password/change/", words).status_code == 500
        assert User.objects.get(pk=acme.member.pk).check_password(PASSWORD)

    def test_the_log_is_not_held_while_a_letter_is_on_its_way(
        self, acme: Company, monkeypatch: pytest.MonkeyPatch, settings: Any
    ) -> None:
        settings.SIGN_UP = "open"
        seen: list[bool] = []
        send = EmailMessage.send

        def slow(letter: EmailMessage, fail_silently: bool = False) -> int:
            seen.append(AuditEvent.objects.filter(event="account.signed_up").exists())
            return send(letter, fail_silently)

        monkeypatch.setattr(EmailMessage, "send", slow)
        Client().post(
            "/accounts/signup/", {"email": "new@acme.example", "password1": "another-good-one-7", "first_name": "New"}
        )
        assert seen == [False]
        assert AuditEvent.objects.filter(event="account.signed_up").exists()
