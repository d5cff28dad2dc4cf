"""After an act: where one comes back to, how it is taken back, and what a dialog is made of."""

from typing import Any, ClassVar
from uuid import UUID

import pytest
from django.contrib.messages import get_messages
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.views.generic import FormView

from apps.tenancy.consequences import SeenForm, SeenMixin, digest
from apps.tenancy.context import came_from
from apps.tenancy.undo import Undo, unpacked
from apps.tenancy.views import finish
from tests.world import Company


def asked(**fields: str) -> Any:
    request = RequestFactory().post("/", fields)
    for middleware in (SessionMiddleware, MessageMiddleware):
        middleware(lambda _: None).process_request(request)  # type: ignore[attr-defined]
    return request


class TestComingBack:
    @pytest.mark.parametrize("page", ["/", "/o/acme-1234/members/?q=a%20b&role=", "/o/acme-1234/w/search/team/"])
    def test_leads_to_the_page_it_was_asked_from(self, page: str) -> None:
        assert finish(asked(next=page), "Done.", "home")["Location"] == page

    @pytest.mark.parametrize(
        "page",
        [
            "https://evil.example/o/acme/",
            "//evil.example/o/acme/",
            "/\\evil.example",
            "\\\\evil.example",
            "javascript:alert(1)",
            "/nothing/at/all/",
            "/admin/",
            "/accounts/logout/",
            "/v1/whoami",
            "o/acme/",
            "/o/acme/members/columns/",
            "/o/acme/members/00000000-0000-0000-0000-000000000007/reactivate/",
            "/o/acme/members/together/?q=a",
            "/o/acme/invitations/00000000-0000-0000-0000-000000000007/resend/",
            "http://[evil",
            "/o/a\0b/",
            "",
        ],
    )
    def test_leads_nowhere_else(self, page: str) -> None:
        assert came_from(asked(next=page)) == ""
        assert finish(asked(next=page), "Done.", "accounts:profile")["Location"] == "/account/"

    def test_a_header_cannot_be_split(self) -> None:
        answer = finish(asked(next="/o/acme/?q=\r\nSet-Cookie: a=b"), "Done.", "home")
        assert "\n" not in answer["Location"]

    def test_a_form_may_say_where_it_came_from(self, sign_in: Any, acme: Company) -> None:
        page = f"/o/{acme.organization.slug}/members/?q=ann"
        path = f"/o/{acme.organization.slug}/settings/"
        sent = {"name": "Acme", "description": "", "version": acme.organization.version, "next": page}
        assert sign_in(acme.owner).post(path, sent)["Location"] == page


class TestUndo:
    def test_travels_with_the_message(self) -> None:
        request = asked()
        finish(request, "Done.", "home", undo=Undo("memberships:reactivate", ("acme", UUID(int=7)), {"version": 3}))
        (message,) = get_messages(request)
        assert unpacked(message.extra_tags) == {
            "url": "/o/acme/members/00000000-0000-0000-0000-000000000007/reactivate/",
            "fields": {"version": "3"},
        }

    def test_a_message_without_one_has_no_button(self) -> None:
        assert unpacked("") is None
        assert unpacked(None) is None
        assert "<form" not in render_to_string("components/toast.html", {"message": "Done."})

    def test_is_a_form_that_works_without_scripts(self) -> None:
        undo = {"url": "/o/acme/", "fields": {"role": '"><script>'}}
        toast = render_to_string("components/toast.html", {"message": "Done.", "undo": undo})
        assert '<form method="post" action="/o/acme/">' in toast
        assert 'name="role" value="&quot;&gt;&lt;script&gt;"' in toast


class TestDialogs:
    def test_a_page_that_asks_comes_without_its_frame_into_a_dialog(self, sign_in: Any, acme: Company) -> None:
        path = f"/o/{acme.organization.slug}/leave/?next=/o/{acme.organization.slug}/members/"
        browser = sign_in(acme.member)
        inside = browser.get(path, headers={"hx-request": "true", "hx-target": "dialog-body"}).content.decode()
        assert "<html" not in inside
        assert 'data-title="Leave' in inside
        assert 'id="rail"' in browser.get(path).content.decode()
        assert f'name="next" value="/o/{acme.organization.slug}/members/"' in inside

    def test_another_target_gets_what_the_page_gives_it(self, sign_in: Any, acme: Company) -> None:
        path = f"/o/{acme.organization.slug}/leave/"
        answer = sign_in(acme.member).get(path, headers={"hx-request": "true", "hx-target": "list"})
        assert "<html" in answer.content.decode()


class TestConsequences:
    def test_the_same_have_the_same_digest_in_any_order_of_their_names(self, acme: Company) -> None:
        first = digest({"keys": [acme.user_key.pk, 2], "until": acme.user_key.created_at})
        assert first == digest({"until": acme.user_key.created_at, "keys": [acme.user_key.pk, 2]})
        assert first != digest({"until": acme.user_key.created_at, "keys": [2, acme.user_key.pk]})


class Purge(SeenMixin, FormView):
    """A page that asks about something whose extent changes under it."""

    form_class, template_name = SeenForm, "components/seen.html"
    extent: ClassVar[list[int]] = []

    def weigh(self) -> Any:
        return list(self.extent)

    def get_initial(self) -> dict[str, Any]:
        return {"version": 4}

    def run(self, form: SeenForm) -> HttpResponse:
        return HttpResponse("done")


class TestConfirming:
    def answer(self, extent: list[int], **fields: str) -> Any:
        Purge.extent = extent
        answer = Purge.as_view()(asked(version="4", **fields))
        return answer.render() if hasattr(answer, "render") else answer

    def test_does_what_was_shown(self) -> None:
        assert self.answer([1, 2], seen=digest([1, 2])).content == b"done"

    def test_does_nothing_once_that_is_no_longer_so_and_shows_what_is(self) -> None:
        answer = self.answer([1, 2, 3], seen=digest([1, 2]))
        assert answer.status_code == 409
        assert f'name="seen" value="{digest([1, 2, 3])}"' in answer.content.decode()
        assert 'name="version" value="4"' in answer.content.decode()
        assert "has changed since you opened it" in str(answer.context_data["form"].errors)

    @pytest.mark.parametrize("fields", [{}, {"seen": ""}, {"seen": "a" * 999}])
    def test_needs_to_know_what_was_shown(self, fields: dict[str, str]) -> None:
        assert self.answer([1], **fields).status_code == 400
