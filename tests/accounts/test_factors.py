"""Second factors: how they are set up, asked for, kept and written down."""

import json
import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.test import Client

from apps.accounts.queries import with_second_factor
from apps.audit.models import AuditEvent
from tests.accounts.signing_in import code, give_password, recently, signed_in, with_app
from tests.factories import PASSWORD
from tests.world import Company, World

AUTHENTICATE = "/accounts/2fa/authenticate/"


@pytest.fixture(autouse=True)
def _each_code_is_new() -> None:
    """A code that one test has used may be the one another is shown in the same half minute."""
    cache.clear()


def events(person: Any) -> list[tuple[str, str]]:
    rows = AuditEvent.objects.filter(target_id=str(person.pk), event__startswith="account.").order_by("sequence")
    return [(line.event, line.details["factor"]) for line in rows if "factor" in line.details]


class TestTheApp:
    def test_is_asked_for_after_the_password(self, acme: Company) -> None:
        _, secret, _ = with_app(acme.member)
        browser = Client()
        assert give_password(browser, acme.member)["Location"] == AUTHENTICATE
        assert browser.get("/account/").status_code == 302
        assert browser.post(AUTHENTICATE, {"code": code(secret, ahead=50)}).status_code == 200
        assert browser.get("/account/").status_code == 302
        cache.clear()
        assert browser.post(AUTHENTICATE, {"code": code(secret)})["Location"] == "/"
        assert browser.get("/account/").status_code == 200

    def test_cannot_be_set_up_by_whoever_finds_a_browser_open(self, acme: Company) -> None:
        answer = signed_in(acme.member).get("/accounts/2fa/totp/activate/")
        assert answer["Location"].startswith("/accounts/reauthenticate/")

    def test_is_shown_as_a_square_and_in_text(self, acme: Company) -> None:
        page = recently(acme.member).get("/accounts/2fa/totp/activate/")
        text, secret = page.content.decode(), page.context["form"].secret
        assert 'src="data:image/svg+xml;base64,' in text
        assert f"{secret[:4]} {secret[4:8]}" in text
        assert page["Cache-Control"] == "no-store"

    def test_takes_no_code_twice(self, acme: Company) -> None:
        _, secret, _ = with_app(acme.member)
        first, second, now = Client(), Client(), code(secret)
        give_password(first, acme.member)
        give_password(second, acme.member)
        first.post(AUTHENTICATE, {"code": now})
        second.post(AUTHENTICATE, {"code": now})
        assert [browser.get("/account/").status_code for browser in (first, second)] == [200, 302]

    def test_is_turned_off_with_the_codes_that_stood_in_for_it(self, acme: Company) -> None:
        browser, _, _ = with_app(acme.member)
        assert browser.post("/accounts/2fa/totp/deactivate/")["Location"] == "/accounts/2fa/"
        assert not Authenticator.objects.filter(user=acme.member).exists()
        assert give_password(Client(), acme.member)["Location"] == "/"

    @pytest.mark.django_db(transaction=True)
    def test_every_change_is_written_down_and_told_by_letter(self, acme: Company) -> None:
        browser, _, _ = with_app(acme.member)
        browser.post("/accounts/2fa/recovery-codes/generate/")
        browser.post("/accounts/2fa/totp/deactivate/")
        assert events(acme.member) == [
            ("account.factor_added", "totp"),
            ("account.factor_added", "recovery_codes"),
            ("account.recovery_codes_renewed", "recovery_codes"),
            ("account.factor_removed", "totp"),
            ("account.factor_removed", "recovery_codes"),
        ]
        subjects = [letter.subject for letter in mail.outbox]
        assert subjects == [
            "An authenticator app was added",
            "New recovery codes were made",
            "Your authenticator app was turned off",
        ]
        assert {tuple(letter.to) for letter in mail.outbox} == {(acme.member.email,)}

    def test_is_asked_for_at_the_console_too(self, world: World) -> None:
        with_app(world.operator)
        browser = Client()
        asked = browser.get("/admin/")["Location"]
        assert browser.get(asked, follow=True).redirect_chain[-1][0].startswith("/accounts/login/")
        assert give_password(browser, world.operator)["Location"] == AUTHENTICATE
        assert browser.get("/admin/").status_code == 302


class TestRecoveryCodes:
    def test_sign_in_once_each(self, acme: Company, django_capture_on_commit_callbacks: Any) -> None:
        _, _, codes = with_app(acme.member)
        for expected in ("/", None):
            browser = Client()
            give_password(browser, acme.member)
            with django_capture_on_commit_callbacks(execute=True):
                assert browser.post(AUTHENTICATE, {"code": codes[0]}).get("Location") == expected
        assert ("account.recovery_code_used", "recovery_codes") in events(acme.member)
        line = AuditEvent.objects.get(event="account.recovery_code_used")
        assert line.details["left"] == len(codes) - 1
        assert mail.outbox[-1].subject == "A recovery code was used"

    def test_are_taken_as_they_are_shown(self, acme: Company) -> None:
        _, _, codes = with_app(acme.member)
        browser = Client()
        give_password(browser, acme.member)
        assert browser.post(AUTHENTICATE, {"code": f"{codes[0][:5]} {codes[0][5:]}"})["Location"] == "/"

    def test_are_shown_once(self, acme: Company) -> None:
        browser, _, codes = with_app(acme.member)
        again = browser.get("/accounts/2fa/recovery-codes/")
        assert again["Cache-Control"] == "no-store"
        assert not [one for one in codes if one[:5] in again.content.decode()]
        assert browser.get("/accounts/2fa/recovery-codes/download/").status_code == 403

    def test_end_when_new_ones_are_made(self, acme: Company) -> None:
        browser, _, codes = with_app(acme.member)
        browser.post("/accounts/2fa/recovery-codes/generate/")
        other = Client()
        give_password(other, acme.member)
        assert other.post(AUTHENTICATE, {"code": codes[0]}).status_code == 200

    def test_how_many_are_left_is_said_without_opening_them(self, acme: Company, settings: Any) -> None:
        browser, _, _ = with_app(acme.member)
        settings.ENCRYPTION_KEYS = {9: "another-key-" + "k" * 40}
        assert "10 left" in browser.get("/accounts/2fa/").content.decode()


class TestAStolenDatabase:
    def test_shows_no_secret(self, acme: Company) -> None:
        """SR-01: neither the app's secret nor a code is in any row, nor in the session while it waits."""
        browser = recently(acme.admin)
        waiting = browser.get("/accounts/2fa/totp/activate/").context["form"].secret
        _, secret, codes = with_app(acme.member)
        rows = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
        sessions = json.dumps([session.get_decoded() for session in Session.objects.all()])
        for one in (secret, waiting, *codes):
            assert one not in rows + sessions

    def test_gives_nobody_the_factor_of_another(self, acme: Company) -> None:
        """A row copied to somebody else's account opens nothing there."""
        _, secret, _ = with_app(acme.member)
        row = Authenticator.objects.get(user=acme.member, type="totp")
        Authenticator.objects.create(user=acme.owner, type="totp", data=row.data)
        browser = Client()
        give_password(browser, acme.owner)
        assert browser.post(AUTHENTICATE, {"code": code(secret)}).context["form"].errors.keys() == {"code"}
        assert browser.get("/account/").status_code == 302


class TestPasskeys:
    @pytest.mark.parametrize(
        "credential",
        [
            *(
                "{}",
                "[]",
                "1",
                '"x"',
                "null",
                '{"response": {}}',
                '{"response": {"userHandle": "eA"}}',
                "{",
                "",
                "\x00",
            ),
            '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"AA","attestationObject":"AA",'
            '"authenticatorData":"AA","signature":"AA","userHandle":"AA"}}',
        ],
    )
    def test_a_made_up_answer_is_a_wrong_one_and_no_accident(self, acme: Company, credential: str) -> None:
        browser, _, _ = with_app(acme.member)
        assert browser.get("/accounts/2fa/webauthn/add/").status_code == 200
        sent = {"name": "Key", "credential": credential}
        assert browser.post("/accounts/2fa/webauthn/add/", sent).status_code == 200
        assert browser.post("/accounts/2fa/webauthn/reauthenticate/", sent).status_code in {200, 302}
        visitor = Client()
        assert visitor.get("/accounts/2fa/webauthn/login/", headers={"accept": "application/json"}).status_code == 200
        assert visitor.post("/accounts/2fa/webauthn/login/", sent)["Location"] == "/accounts/login/"
        give_password(visitor, acme.member)
        assert visitor.post(AUTHENTICATE, sent).status_code == 200
        assert not Authenticator.objects.filter(type="webauthn").exists()

    def test_say_that_they_need_scripts(self, acme: Company) -> None:
        for page in (Client().get("/accounts/login/"), recently(acme.member).get("/accounts/2fa/webauthn/add/")):
            assert "A passkey needs JavaScript" in page.content.decode()


class TestWhoHasOne:
    def test_is_known_of_many_people_with_one_query(self, acme: Company, django_assert_num_queries: Any) -> None:
        with_app(acme.member)
        Authenticator.objects.create(user=acme.admin, type="recovery_codes", data={})
        people = [acme.member.pk, acme.admin.pk, acme.owner.pk]
        with django_assert_num_queries(1):
            assert with_second_factor(people) == {acme.member.pk}


class TestEveryPage:
    PAGES = ["", "totp/activate/", "webauthn/", "webauthn/add/", "recovery-codes/generate/", "recovery-codes/"]

    @pytest.mark.parametrize("path", [f"/accounts/2fa/{page}" for page in PAGES])
    def test_wears_the_frame_and_asks_little_of_the_database(
        self, acme: Company, path: str, django_assert_max_num_queries: Any
    ) -> None:
        browser = recently(acme.member) if "activate" in path else with_app(acme.member)[0]
        browser.get(path)
        keeps_something = 3 if path.endswith(("add/", "activate/")) else 0
        with django_assert_max_num_queries(8 + keeps_something):
            page = browser.get(path)
        text = page.content.decode()
        assert page.status_code == 200
        assert 'class="rail"' in text
        assert not re.search(r"<script(?![^>]*(src=|application/json))|\son\w+=|\sstyle=", text)

    def test_cannot_be_tried_for_ever(self, acme: Company, settings: Any) -> None:
        with_app(acme.member)
        settings.ACCOUNT_RATE_LIMITS = {}
        browser = Client()
        give_password(browser, acme.member)
        said = [browser.post(AUTHENTICATE, {"code": "000000"}).content.decode() for _ in range(7)]
        assert "Too many" in said[-1]
        assert "Too many" not in said[0]

    def test_is_nobody_elses(self, acme: Company) -> None:
        """P21: an owner of the organization reaches no factor of a member's."""
        with_app(acme.member)
        Authenticator.objects.create(user=acme.member, type="webauthn", data={"name": "Key", "credential": {}})
        key = Authenticator.objects.get(user=acme.member, type="webauthn")
        browser = recently(acme.owner)
        for act in ("edit", "remove"):
            assert browser.post(f"/accounts/2fa/webauthn/keys/{key.pk}/{act}/", {"name": "Mine"}).status_code == 404

    def test_asks_for_the_password_again_first(self, acme: Company) -> None:
        browser = signed_in(acme.member)
        for path in ("totp/activate/", "webauthn/add/"):
            asked = browser.get(f"/accounts/2fa/{path}")["Location"]
            assert asked == f"/accounts/reauthenticate/?next=%2Faccounts%2F2fa%2F{path.replace('/', '%2F')}"
        assert browser.post(asked, {"password": PASSWORD, "next": "/accounts/2fa/"})["Location"] == "/accounts/2fa/"
