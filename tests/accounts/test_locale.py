"""Languages and time zones: whose counts where, and that neither outlives its request."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone, translation

from apps.access.actors import Origin, UserActor
from apps.accounts import locales
from apps.accounts import operations as accounts
from apps.accounts.middleware import LocaleMiddleware
from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.core.errors import Invalid, Missing
from tests.accounts.test_pages import FOREIGN, is_ours
from tests.world import Company, World, system

GERMAN = {"accept-language": "de-AT,de;q=0.9,en;q=0.5"}


def asked(user: Any, path: str = "/", door: str = "page", **headers: str) -> HttpRequest:
    request = RequestFactory(headers=headers).get(path)
    request.user, request.origin = user, Origin(door=door)
    return request


def heard(request: HttpRequest) -> tuple[str, str]:
    """Which language and which zone are in force while a request is answered."""
    found: list[tuple[str, str]] = []

    def answer(request: HttpRequest) -> HttpResponse:
        found.append((translation.get_language() or "", timezone.get_current_timezone_name()))
        return HttpResponse()

    LocaleMiddleware(answer)(request)
    return found[0]


class TestWhatAPageSpeaks:
    def test_is_what_the_person_has_chosen_before_what_the_browser_says(self, acme: Company) -> None:
        acme.member.language, acme.member.timezone = "en", "Europe/Vienna"
        assert heard(asked(acme.member, **GERMAN)) == ("en", "Europe/Vienna")
        acme.member.language = "de"
        assert heard(asked(acme.member))[0] == "de"

    def test_is_otherwise_what_the_browser_says_in_utc(self, acme: Company) -> None:
        assert heard(asked(acme.member, **GERMAN)) == ("de", "UTC")

    @pytest.mark.parametrize(("language", "zone"), [("xx", "Mars/Olympus"), ("\x00", "../etc/passwd"), ("de-x", "utc")])
    def test_is_never_broken_by_what_was_kept(self, acme: Company, language: str, zone: str) -> None:
        acme.member.language, acme.member.timezone = language, zone
        assert heard(asked(acme.member)) == ("en", "UTC")

    @pytest.mark.parametrize(("path", "door"), [("/v1/admin/users", "api"), ("/admin/", "admin")])
    def test_is_english_in_the_api_and_in_the_console(self, acme: Company, path: str, door: str) -> None:
        acme.member.language, acme.member.timezone = "de", "Europe/Vienna"
        assert heard(asked(acme.member, path, door, **GERMAN)) == ("en", "UTC")

    def test_ends_with_the_request(self, acme: Company) -> None:
        acme.member.language, acme.member.timezone = "de", "Asia/Tokyo"
        with translation.override("en"), timezone.override("Africa/Cairo"):
            heard(asked(acme.member))
            assert (translation.get_language(), timezone.get_current_timezone_name()) == ("en", "Africa/Cairo")

    def test_ends_with_a_request_that_failed(self, acme: Company) -> None:
        acme.member.timezone = "Asia/Tokyo"

        def fail(request: HttpRequest) -> HttpResponse:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            LocaleMiddleware(fail)(asked(acme.member))
        assert timezone.get_current_timezone_name() == "UTC"

    def test_holds_for_what_is_sent_line_by_line(self, acme: Company) -> None:
        acme.member.language, acme.member.timezone = "de", "Asia/Tokyo"

        def lines() -> Any:
            for _ in range(2):
                yield f"{translation.get_language()} {timezone.get_current_timezone_name()}\n"

        answer = LocaleMiddleware(lambda request: StreamingHttpResponse(lines()))(asked(acme.member))
        sent = []
        for chunk in answer:
            sent.append(chunk)
            assert translation.get_language() == "en"
        assert b"".join(sent) == b"de Asia/Tokyo\n" * 2

    def test_stands_at_the_top_of_the_page(self, db: None) -> None:
        page = Client(headers=GERMAN).get("/accounts/login/")
        assert '<html lang="de" dir="ltr">' in page.content.decode()
        assert page["Content-Language"] == "de"
        assert "Accept-Language" in page["Vary"]

    def test_costs_the_api_nothing(self, acme: Company, call: Any) -> None:
        answer = call("GET", "/v1/nothing", **GERMAN)
        assert answer["Content-Language"] == "en"
        assert "Accept-Language" not in answer.get("Vary", "")

    def test_is_english_where_the_console_is_looked_at(self, world: World, sign_in: Any) -> None:
        User.objects.filter(pk=world.operator.pk).update(language="de")
        assert '<html lang="en' in sign_in(world.operator).get("/admin/", headers=GERMAN).content.decode()


class TestChoosing:
    def test_is_the_persons_own(self, acme: Company) -> None:
        accounts.choose_locale(acme.member, language="de", timezone="Europe/Berlin", by=UserActor(acme.member))
        acme.member.refresh_from_db()
        assert (acme.member.language, acme.member.timezone) == ("de", "Europe/Berlin")
        assert AuditEvent.objects.get(event="account.locale_changed").actor_id == acme.member.pk
        for by in (UserActor(acme.owner), acme.user_key, system()):
            with pytest.raises(Missing):
                accounts.choose_locale(acme.member, language="en", timezone="", by=by)

    def test_the_same_again_is_nothing_new(self, acme: Company) -> None:
        accounts.choose_locale(acme.member, language="", timezone="", by=UserActor(acme.member))
        assert not AuditEvent.objects.filter(event="account.locale_changed").exists()

    @pytest.mark.parametrize(
        ("field", "value"), [("language", "tlh"), ("timezone", "Mars/Olympus"), ("timezone", "posix/UTC")]
    )
    def test_takes_what_there_is(self, acme: Company, field: str, value: str) -> None:
        with pytest.raises(Invalid) as refusal:
            accounts.choose_locale(
                acme.member, **{"language": "", "timezone": "", field: value}, by=UserActor(acme.member)
            )
        assert list(refusal.value.errors) == [field]

    def test_is_done_on_the_profile_page(self, acme: Company, sign_in: Any) -> None:
        browser = sign_in(acme.member)
        answer = browser.post("/account/locale/", {"language": "de", "timezone": "Asia/Kolkata"})
        assert answer["Location"] == "/account/"
        page = browser.get("/account/").content.decode()
        assert 'lang="de"' in page
        assert '<option value="Asia/Kolkata" selected>Kolkata (UTC+05:30)</option>' in page

    @pytest.mark.parametrize("sent", [{"timezone": "Mars/Olympus"}, {"language": "\x00"}, {"is_staff": "on"}])
    def test_says_what_it_does_not_take(self, acme: Company, sign_in: Any, sent: dict[str, str]) -> None:
        answer = sign_in(acme.member).post("/account/locale/", sent)
        assert answer.status_code == 400
        assert answer.context["locale_form"].errors
        assert answer.context["form"]["first_name"].value() == acme.member.first_name

    def test_offers_every_place_there_is(self) -> None:
        names = [zone.name for _, places in locales.zones() for zone in places]
        assert len(names) == len(set(names)) > 400
        assert {"Europe/Berlin", "America/Argentina/Buenos_Aires", "Pacific/Auckland"} <= set(names)
        assert all(ZoneInfo(name) for name in names)


class TestTheSwitchAtTheEntrance:
    def test_is_kept_by_the_browser(self, client: Client, db: None) -> None:
        answer = client.post("/account/language/", {"language": "de", "next": "/accounts/signup/"})
        assert answer["Location"] == "/accounts/signup/"
        assert answer.cookies["django_language"]["httponly"]
        assert 'lang="de"' in client.get("/accounts/login/").content.decode()

    @pytest.mark.parametrize("target", FOREIGN)
    def test_leads_nowhere_else(self, client: Client, db: None, target: str) -> None:
        assert is_ours(client.post("/account/language/", {"language": "de", "next": target})["Location"])

    @pytest.mark.parametrize("name", ["b", "true", "a b", "0", "home", "account_signup", "accounts:profile"])
    def test_takes_no_word_for_the_name_of_a_page(self, client: Client, db: None, name: str) -> None:
        answer = client.post("/account/language/", {"language": "de", "next": name})
        assert answer["Location"] == "/accounts/login/"

    @pytest.mark.parametrize("language", ["tlh", "", "../de", "\x00"])
    def test_knows_the_languages_there_are(self, client: Client, db: None, language: str) -> None:
        answer = client.post("/account/language/", {"language": language})
        assert answer.status_code == 400
        assert not answer.cookies.get("django_language")
