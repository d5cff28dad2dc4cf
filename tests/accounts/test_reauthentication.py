"""Before grave acts: the password or a factor once more, and back to where one was."""

import time
from unittest.mock import patch

from django.test import Client

from apps.accounts.models import User
from tests.accounts.signing_in import give_password, recently, signed_in, with_app
from tests.factories import PASSWORD
from tests.world import Company

ASKED = "/accounts/reauthenticate/?next=%2Faccount%2Fclose%2F"


def test_a_page_comes_back_to_itself(acme: Company) -> None:
    browser = signed_in(acme.member)
    assert browser.get("/account/close/")["Location"] == ASKED
    assert browser.post(ASKED, {"password": PASSWORD, "next": "/account/close/"})["Location"] == "/account/close/"
    assert browser.get("/account/close/").status_code == 200


def test_what_was_sent_is_not_done_and_not_sent_again_by_itself(acme: Company) -> None:
    browser = signed_in(acme.member)
    assert browser.post("/account/close/", {"typed": acme.member.email})["Location"] == ASKED
    answer = browser.post(ASKED, {"password": PASSWORD, "next": "/account/close/"}, follow=True)
    assert answer.request["REQUEST_METHOD"] == "GET"
    assert User.objects.get(pk=acme.member.pk).is_active


def test_a_script_is_led_there_as_a_whole_page(acme: Company) -> None:
    answer = signed_in(acme.member).get("/account/close/", headers={"hx-request": "true"})
    assert answer["HX-Redirect"] == ASKED


def test_it_holds_for_minutes(acme: Company) -> None:
    browser = recently(acme.member)
    assert browser.get("/account/close/").status_code == 200
    with patch("time.time", return_value=time.time() + 11 * 60):
        assert browser.get("/account/close/")["Location"] == ASKED


def test_a_wrong_password_is_none(acme: Company) -> None:
    browser = signed_in(acme.member)
    browser.post(ASKED, {"password": "x" * 12})
    assert browser.get("/account/close/")["Location"] == ASKED


def test_a_stranger_is_asked_to_sign_in_instead(client: Client, db: None) -> None:
    assert client.get("/account/close/")["Location"] == "/accounts/login/?next=/account/close/"


def test_a_factor_does_as_well_as_the_password(acme: Company) -> None:
    _, _, codes = with_app(acme.member)
    browser = Client()
    give_password(browser, acme.member)
    browser.post("/accounts/2fa/authenticate/", {"code": codes[0]})
    asked = browser.get(ASKED).content.decode()
    assert "/accounts/2fa/reauthenticate/?next=" in asked
    browser.post("/accounts/2fa/reauthenticate/", {"code": codes[1]})
    assert browser.get("/account/close/").status_code == 200


def test_nobody_is_led_away_by_it(acme: Company) -> None:
    browser = signed_in(acme.member)
    answer = browser.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": "https://evil.example/"})
    assert answer["Location"].startswith("/")
