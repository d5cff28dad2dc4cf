"""Signing up, in and out, and a person's own pages, as a browser sees them."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from apps.accounts.models import User
from tests.factories import PASSWORD
from tests.world import Company, World

NEW = {"email": "new@elsewhere.example", "password1": "a-long-enough-secret", "first_name": "Nova", "last_name": "Lind"}
FOREIGN = [
    "//evil.example",
    "///evil.example",
    "https://evil.example/",
    "https:evil.example",
    "http:///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    " //evil.example",
    "\t//evil.example",
    "/%0d%0aSet-Cookie:x=y/../..//evil.example",
    "https://testserver@evil.example/",
    "https://testserver.evil.example/",
    "ftp://testserver/",
]


def is_ours(link: str) -> bool:
    return link.startswith(("/", "#")) and not link.startswith(("//", "/\\"))


def confirm_address(browser: Client) -> Any:
    """Opens the newest letter's link and presses the button."""
    link = re.search(r"/accounts/confirm-email/[^\s]+", str(mail.outbox[-1].body))[0]
    assert browser.get(link).status_code == 200
    return browser.post(link)


class TestSigningUp:
    @pytest.mark.django_db
    def test_leads_in_once_the_address_is_verified(self, client: Client) -> None:
        assert client.post("/accounts/signup/", NEW)["Location"] == "/accounts/confirm-email/"
        assert confirm_address(client)["Location"] == "/"
        user = User.objects.get(email=NEW["email"])
        assert (str(user), user.is_staff, user.is_superuser) == ("Nova Lind", False, False)
        assert client.get("/").status_code == 200

    @pytest.mark.django_db
    def test_makes_nobody_an_operator_whatever_is_sent(self, client: Client) -> None:
        client.post("/accounts/signup/", {**NEW, "is_superuser": "on", "is_staff": "on"})
        user = User.objects.get(email=NEW["email"])
        assert not user.is_superuser
        assert not user.is_staff

    @pytest.mark.django_db
    def test_needs_no_letter_where_mail_is_off(self, client: Client, settings: Any) -> None:
        settings.EMAIL_IS_CONFIGURED, settings.ACCOUNT_EMAIL_VERIFICATION = False, "optional"
        assert client.post("/accounts/signup/", NEW)["Location"] == "/"
        assert not EmailAddress.objects.get(email=NEW["email"]).verified
        assert "addresses are unverified" in client.get("/").content.decode()

    @pytest.mark.django_db
    def test_says_what_is_wrong_at_its_field(self, client: Client) -> None:
        answer = client.post(
            "/accounts/signup/", {**NEW, "email": "m\u0131ke@elsewhere.example", "first_name": "a\u2028b"}
        )
        assert answer.context["form"].errors.keys() == {"email", "first_name"}
        assert not User.objects.filter(email__endswith="@elsewhere.example", first_name="a\u2028b").exists()

    def test_tells_nobody_who_has_an_account(self, client: Client, acme: Company) -> None:
        known = client.post("/accounts/signup/", {**NEW, "email": acme.owner.email})
        unknown = Client().post("/accounts/signup/", NEW)
        assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])

    @pytest.mark.django_db
    def test_is_by_invitation_only_where_the_installation_says_so(self, client: Client, settings: Any) -> None:
        settings.SIGN_UP = "invited"
        assert "By invitation only" in client.get("/accounts/signup/").content.decode()
        client.post("/accounts/signup/", NEW)
        assert not User.objects.filter(email=NEW["email"]).exists()


class TestSigningIn:
    def test_leads_home_and_changes_the_session(self, client: Client, acme: Company) -> None:
        client.get("/accounts/login/")
        client.session["marker"] = "before"
        before = client.session.session_key
        answer = client.post("/accounts/login/", {"login": acme.owner.email, "password": PASSWORD})
        assert answer["Location"] == "/"
        assert client.session.session_key != before

    def test_refuses_alike_for_a_wrong_password_and_an_unknown_address(self, client: Client, acme: Company) -> None:
        wrong = client.post("/accounts/login/", {"login": acme.owner.email, "password": "x" * 12})
        unknown = client.post("/accounts/login/", {"login": "nobody@nowhere.example", "password": "x" * 12})
        assert wrong.context["form"].errors == unknown.context["form"].errors

    @pytest.mark.parametrize("target", FOREIGN)
    def test_never_leaves_the_house_for_where_a_link_says(self, acme: Company, target: str) -> None:
        browser = Client()
        credentials = {"login": acme.owner.email, "password": PASSWORD, "next": target}
        assert is_ours(browser.post("/accounts/login/", credentials)["Location"])

    @pytest.mark.parametrize("target", FOREIGN)
    def test_never_links_to_where_a_link_says(self, db: None, target: str) -> None:
        text = Client().get("/accounts/login/", {"next": target}).content.decode()
        assert all(is_ours(link) for link in re.findall(r'(?:href|action)="([^"]*)"', text))

    def test_comes_back_to_the_page_that_asked(self, client: Client, acme: Company) -> None:
        wanted = f"/o/{acme.organization.slug}/members/"
        asked = client.get(wanted)["Location"]
        answer = client.post(asked, {"login": acme.owner.email, "password": PASSWORD, "next": wanted})
        assert answer["Location"] == wanted

    def test_a_form_sent_after_the_session_ended_leads_home_and_not_to_a_dead_end(
        self, client: Client, acme: Company
    ) -> None:
        answer = client.post(f"/o/{acme.organization.slug}/members/{acme.membership(acme.member).pk}/role/")
        assert answer["Location"] == "/accounts/login/?next=/"

    def test_a_deactivated_person_stays_out(self, client: Client, acme: Company) -> None:
        User.objects.filter(pk=acme.member.pk).update(is_active=False)
        client.post("/accounts/login/", {"login": acme.member.email, "password": PASSWORD})
        assert client.get("/account/").status_code == 302


class TestTheAccount:
    def test_a_person_says_what_they_are_called(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.member)
        browser.post("/account/", {"first_name": " Ana ", "last_name": "<b>Lind</b>"})
        acme.member.refresh_from_db()
        assert str(acme.member) == "Ana <b>Lind</b>"
        assert "&lt;b&gt;Lind&lt;/b&gt;" in browser.get("/account/").content.decode()

    @pytest.mark.parametrize("name", ["a\nb", "a\u2028b", "x" * 151, "\x00"])
    def test_a_name_that_could_forge_a_line_is_refused(self, sign_in: Any, acme: Company, name: str) -> None:
        answer = sign_in(acme.member).post("/account/", {"first_name": name, "last_name": ""})
        assert answer.status_code == 400
        assert "first_name" in answer.context["form"].errors

    def test_nothing_else_of_the_account_can_be_posted(self, sign_in: Any, acme: Company) -> None:
        sent = {"first_name": "Ana", "last_name": "", "is_superuser": "on"}
        answer = sign_in(acme.member).post("/account/", sent)
        assert answer.status_code == 400
        assert "no field called is_superuser" in answer.content.decode()
        acme.member.refresh_from_db()
        assert not acme.member.is_superuser

    def test_its_sessions_are_listed_and_ended(self, acme: Company) -> None:
        browsers = [Client(headers={"user-agent": f"Mozilla/5.0 (Windows) Firefox/{number}"}) for number in (1, 2)]
        for browser in browsers:
            browser.post("/accounts/login/", {"login": acme.member.email, "password": PASSWORD})
        assert browsers[0].get("/accounts/sessions/").content.decode().count("Firefox on Windows") == 2
        browsers[0].post("/accounts/sessions/")
        assert browsers[1].get("/account/").status_code == 302
        assert browsers[0].get("/account/").status_code == 200

    def test_watching_sessions_costs_no_query_on_the_next_page(
        self, sign_in: Any, acme: Company, django_assert_max_num_queries: Any
    ) -> None:
        browser = sign_in(acme.member)
        browser.get("/account/")
        with django_assert_max_num_queries(4):
            browser.get("/account/")

    @pytest.mark.parametrize("path", ["/accounts/email/", "/accounts/password/change/", "/accounts/logout/"])
    def test_its_pages_wear_the_frame(self, sign_in: Any, acme: Company, path: str) -> None:
        answer = sign_in(acme.member).get(path)
        assert answer.status_code == 200
        assert 'class="rail"' in answer.content.decode()

    def test_a_new_address_holds_once_the_password_is_given_again_and_the_letter_answered(self, acme: Company) -> None:
        browser = Client()
        browser.post("/accounts/login/", {"login": acme.member.email, "password": PASSWORD})
        asked = browser.post("/accounts/email/", {"email": "moved@acme.example", "action_add": ""})
        assert asked["Location"].startswith("/accounts/reauthenticate/")
        assert not mail.outbox
        browser.post(asked["Location"], {"password": PASSWORD})
        acme.member.refresh_from_db()
        assert acme.member.email == "member@acme.example"
        confirm_address(browser)
        acme.member.refresh_from_db()
        assert acme.member.email == "moved@acme.example"


class TestEveryPage:
    @pytest.mark.parametrize(
        "path", ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/nothing/"]
    )
    def test_carries_the_strict_policy_and_is_kept_nowhere(self, client: Client, db: None, path: str) -> None:
        answer = client.get(path)
        policy = answer["Content-Security-Policy"]
        assert "unsafe" not in policy
        for part in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'self'"):
            assert part in policy
        assert "no-store" in answer["Cache-Control"]
        assert answer["X-Frame-Options"] == "DENY"

    def test_needs_a_token_to_be_changed(self, world: World) -> None:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(world.acme.member)
        answer = browser.post("/account/", {"first_name": "Mallory"})
        assert answer.status_code == 403
        assert "open too long" in answer.content.decode()
        world.acme.member.refresh_from_db()
        assert world.acme.member.first_name != "Mallory"
