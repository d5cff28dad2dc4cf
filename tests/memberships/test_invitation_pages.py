"""Invitations, from the one who sends them to the one who answers, as browsers see them (product P14)."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.access.actors import UserActor
from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.accounts.models import User
from apps.core.clock import now
from apps.memberships import invitations, pace
from apps.memberships import operations as memberships
from apps.memberships.invitations import Offer, Seat
from apps.memberships.models import Invitation, OrganizationMembership
from tests.accounts.signing_in import recently, signed_in
from tests.accounts.test_pages import confirm_address
from tests.factories import PASSWORD, UserFactory
from tests.world import Company, World, system

NEWCOMER = "newcomer@elsewhere.example"
ACCOUNT = {"email": NEWCOMER, "password1": "a-long-enough-secret", "first_name": "New", "last_name": "Comer"}
LINK = re.compile(r"http://testserver(/invitations/gthi_[0-9A-Za-z]{38}/)")
OPEN = "/invitations/open/"


def page(company: Company, act: str = "") -> str:
    return f"/o/{company.organization.slug}/invitations/{act}"


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


@pytest.fixture
def invite(sign_in: Any, acme: Company, django_capture_on_commit_callbacks: Any) -> Any:
    """`invite(role="admin")` posts the form as an owner does, lets the letter leave, and returns the copied link."""

    def invited(email: str = NEWCOMER, by: User | None = None, **sent: str) -> str:
        with django_capture_on_commit_callbacks(execute=True):
            answer = sign_in(by or acme.owner).post(page(acme, "new/"), {"emails": email, "role": "member", **sent})
        return LINK.search(answer.content.decode())[1]

    return invited


def mailed_link() -> str:
    return LINK.search(str(mail.outbox[-1].body))[1]


def membership_of(email: str, company: Company) -> OrganizationMembership | None:
    return OrganizationMembership.objects.filter(organization=company.organization, user__email=email).first()


class TestInviting:
    def test_answers_each_address_for_itself(self, sign_in: Any, acme: Company) -> None:
        sent = {"emails": f"{NEWCOMER},Kim <kim@elsewhere.example>;nonsense\n{acme.member.email}", "role": "member"}
        answer = sign_in(acme.admin).post(page(acme, "new/"), sent)
        text = text_of(answer)
        assert len(set(LINK.findall(text))) == 2
        assert "nonsense is not an e-mail address" in text
        assert re.search(
            rf"{re.escape(acme.member.email)}</bdi></b>\s*</span>\s*<span class=\"tag[^>]*>Already a member", text
        )
        assert answer["Cache-Control"] == "no-store"

    def test_lets_workspaces_wait(self, invite: Any, acme: Company) -> None:
        invite(**{f"in_{acme.workspace.slug}": "manager"})
        (seat,) = Invitation.objects.get(email=NEWCOMER).workspaces.all()
        assert (seat.workspace, seat.role) == (acme.workspace, WorkspaceRole.MANAGER)

    @pytest.mark.parametrize("role", ["owner"])
    def test_an_admin_cannot_invite_an_owner(self, sign_in: Any, acme: Company, role: str) -> None:
        assert 'value="owner"' not in text_of(sign_in(acme.admin).get(page(acme, "new/")))
        answer = sign_in(acme.admin).post(page(acme, "new/"), {"emails": NEWCOMER, "role": role})
        assert answer.status_code == 403
        assert not Invitation.objects.filter(email=NEWCOMER).exists()

    def test_a_workspace_of_somebody_else_is_no_choice(self, sign_in: Any, world: World) -> None:
        sent = {"emails": NEWCOMER, "role": "member", f"in_{world.globex.workspace.slug}": "member"}
        answer = sign_in(world.acme.owner).post(page(world.acme, "new/"), sent)
        assert answer.status_code == 400
        assert not Invitation.objects.filter(email=NEWCOMER).exists()

    @pytest.mark.parametrize(
        ("sent", "field"),
        [
            ({"emails": "", "role": "member"}, "emails"),
            ({"emails": " ,;\n", "role": "member"}, "emails"),
            ({"emails": ",".join(f"a{n}@x.example" for n in range(101)), "role": "member"}, "emails"),
            ({"emails": NEWCOMER, "role": "king"}, "role"),
        ],
    )
    def test_says_what_is_wrong_at_its_field(
        self, sign_in: Any, acme: Company, sent: dict[str, str], field: str
    ) -> None:
        answer = sign_in(acme.owner).post(page(acme, "new/"), sent)
        assert answer.status_code == 400
        assert field in answer.context["form"].errors

    @pytest.mark.parametrize("act", ["new/", "new/check/"])
    @pytest.mark.parametrize("odd", ["a\0b", "\0", "ünïcode", "x" * 500, "a b", "%", ""])
    def test_takes_odd_names_of_workspaces_calmly(self, sign_in: Any, acme: Company, act: str, odd: str) -> None:
        sent = {"emails": NEWCOMER, "role": "member", f"in_{odd}": "member"}
        browser = sign_in(acme.owner)
        with CaptureQueriesContext(connection) as asked:
            answer = browser.post(page(acme, act), sent)
        assert "\0" not in "".join(query["sql"] for query in asked)
        assert answer.status_code == (200 if "check" in act else 400)
        assert "This form has no field called in_" in text_of(answer)
        assert not Invitation.objects.filter(email=NEWCOMER).exists()

    def test_breaks_no_line_of_the_letter(self, sign_in: Any, acme: Company, mailoutbox: Any) -> None:
        sent = {"emails": "a@x.example\r\nBcc: evil@x.example", "role": "member"}
        sign_in(acme.owner).post(page(acme, "new/"), sent)
        assert all("evil" not in str(letter.message()) for letter in mailoutbox)

    def test_links_lead_to_the_configured_host(
        self, acme: Company, mailoutbox: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        """IN-10."""
        browser = Client(headers={"x-forwarded-host": "evil.example"})
        browser.force_login(acme.owner)
        with django_capture_on_commit_callbacks(execute=True):
            answer = browser.post(page(acme, "new/"), {"emails": NEWCOMER, "role": "member"})
        assert LINK.search(answer.content.decode())
        assert LINK.search(mailoutbox[0].body)
        assert browser.get("/", headers={"host": "evil.example"}).status_code == 400


TWELVE = """Ana Koch <ana@initech.example>, "Lee, Kim" <kim@initech.example>; bo@initech.example
cy@initech.example\tdi@initech.example, ed@initech.example, fay@initech
gus@initech.example, hal@initech.example, ida@initech.example
Jo Roe <jo@initech.example>, nonsense"""


class TestCheckingAList:
    def check(self, browser: Client, acme: Company, **sent: str) -> Any:
        return browser.post(page(acme, "new/check/"), {"emails": TWELVE, "role": "member", **sent})

    def test_says_what_would_happen_and_does_nothing(self, sign_in: Any, acme: Company, mailoutbox: Any) -> None:
        before = Invitation.objects.count()
        answer = self.check(sign_in(acme.owner), acme, **{f"in_{acme.workspace.slug}": "manager"})
        text = text_of(answer)
        assert "10 people will be invited as Member, into \u2068Acme Search\u2069 as Manager." in text
        assert text.count('tag warn">Not an address') == 2
        assert "Send invitations (10)" in text
        assert (Invitation.objects.count(), len(mailoutbox)) == (before, 0)
        assert answer["Cache-Control"] == "no-store"

    def test_keeps_what_was_typed_and_chosen(self, sign_in: Any, acme: Company) -> None:
        form = self.check(sign_in(acme.owner), acme, role="admin", with_key="on").context["form"]
        assert (form["emails"].value(), form["role"].value(), form["with_key"].value()) == (TWELVE, "admin", True)

    def test_answers_a_script_with_the_verdicts_alone(self, sign_in: Any, acme: Company) -> None:
        path, sent = page(acme, "new/check/"), {"emails": TWELVE, "role": "member"}
        answer = sign_in(acme.owner).post(path, sent, headers={"hx-request": "true", "hx-target": "verdicts"})
        assert "<html" not in text_of(answer)
        assert "Can be invited: 10. Cannot be invited: 2." in text_of(answer)

    def test_finds_workspaces_and_keeps_those_chosen(self, sign_in: Any, acme: Company) -> None:
        kept = {f"in_{acme.default.slug}": "member", f"in_{acme.workspace.slug}": ""}
        form = self.check(sign_in(acme.owner), acme, find="sear", **kept).context["form"]
        assert {field.label for field in form.seat_fields} == {acme.workspace.name, acme.default.name}
        assert form.is_valid()

    def test_an_address_never_stands_in_an_address(self, sign_in: Any, acme: Company) -> None:
        answer = sign_in(acme.owner).get(page(acme, "new/check/"), {"emails": NEWCOMER})
        assert answer["Location"] == page(acme, "new/")
        assert NEWCOMER not in text_of(sign_in(acme.owner).get(page(acme, "new/"), {"emails": NEWCOMER}))

    @pytest.mark.parametrize("emails", ["", "\0", "x" * 50_000, ",".join("a@x.example" for _ in range(101))])
    def test_takes_bad_input_calmly(self, sign_in: Any, acme: Company, emails: str) -> None:
        assert self.check(sign_in(acme.owner), acme, emails=emails, find="\0 %", role="king").status_code == 200

    def test_costs_the_same_for_one_and_for_a_hundred(
        self, sign_in: Any, acme: Company, django_assert_max_num_queries: Any
    ) -> None:
        browser = sign_in(acme.owner)
        self.check(browser, acme)
        with django_assert_max_num_queries(8):
            self.check(browser, acme, emails=",".join(f"a{n}@x.example" for n in range(100)))


class TestSendingAList:
    def send(self, browser: Client, acme: Company, **sent: str) -> Any:
        return browser.post(page(acme, "new/"), {"emails": TWELVE, "role": "member", **sent})

    def test_the_good_are_invited_and_the_bad_stay_in_the_box(self, sign_in: Any, acme: Company) -> None:
        chosen = {f"in_{acme.workspace.slug}": "manager"}
        answer = self.send(sign_in(acme.owner), acme, **chosen)
        assert len(set(LINK.findall(text_of(answer)))) == 10
        form = answer.context["form"]
        assert form["emails"].value() == "fay@initech\nnonsense"
        assert f'name="in_{acme.workspace.slug}" value="manager"' in text_of(answer)
        assert form.is_valid(), "what is left can be sent as it stands"
        assert Invitation.objects.filter(email__endswith="@initech.example").count() == 10

    def test_sent_again_by_a_reload_it_shows_no_link(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        self.send(browser, acme)
        again = self.send(browser, acme)
        assert again.status_code == 400
        assert not LINK.findall(text_of(again))
        assert text_of(again).count("Already invited") == 10

    def test_with_a_key_promises_the_default_permissions(self, sign_in: Any, acme: Company) -> None:
        self.send(sign_in(acme.owner), acme, emails=NEWCOMER, with_key="on", **{f"in_{acme.workspace.slug}": "member"})
        assert {"completions.write", "prompts.read"} <= set(Invitation.objects.get(email=NEWCOMER).key_scopes)
        assert not [scope for scope in Invitation.objects.get(email=NEWCOMER).key_scopes if scope.endswith(".delete")]

    def test_a_key_needs_a_workspace(self, sign_in: Any, acme: Company) -> None:
        answer = self.send(sign_in(acme.owner), acme, emails=NEWCOMER, with_key="on")
        assert answer.status_code == 400
        assert "with_key" in answer.context["form"].errors

    def test_what_is_too_much_for_this_hour_stays_in_the_box(
        self, sign_in: Any, acme: Company, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr(pace, "AN_HOUR", 3)
        answer = self.send(sign_in(acme.owner), acme)
        assert len(set(LINK.findall(text_of(answer)))) == 3
        assert text_of(answer).count("sends at most 3 invitations an hour") == 7
        assert len(answer.context["form"]["emails"].value().splitlines()) == 9


class TestTogether:
    def post(self, browser: Client, acme: Company, chosen: list[Any], act: str = "cancel", **sent: str) -> Any:
        return browser.post(page(acme, "together/"), {"chosen": [str(pk) for pk in chosen], "act": act, **sent})

    def test_asks_first(self, sign_in: Any, acme: Company) -> None:
        answer = self.post(sign_in(acme.owner), acme, [acme.invitation.pk])
        assert "Cancel 1 invitation" in text_of(answer)
        assert Invitation.objects.get(pk=acme.invitation.pk).is_open

    def test_says_what_became_of_each(self, sign_in: Any, acme: Company, invite: Any) -> None:
        invite()
        other = Invitation.objects.get(email=NEWCOMER)
        invitations.cancel(other, by=UserActor(acme.owner))
        answer = self.post(sign_in(acme.admin), acme, [acme.invitation.pk, other.pk], confirmed="on")
        text = text_of(answer)
        assert "1 invitation is cancelled" in text
        assert "This invitation is cancelled already." in text
        assert f'value="{other.pk}" checked' in text
        assert not Invitation.objects.get(pk=acme.invitation.pk).is_open

    def test_sends_again(self, sign_in: Any, acme: Company) -> None:
        answer = self.post(sign_in(acme.admin), acme, [acme.invitation.pk], act="resend", confirmed="on")
        assert "1 invitation is renewed" in text_of(answer)
        assert Invitation.objects.get(pk=acme.invitation.pk).version == acme.invitation.version + 1

    def test_reaches_no_other_organization(self, sign_in: Any, world: World) -> None:
        theirs = world.globex.invitation
        self.post(sign_in(world.acme.owner), world.acme, [theirs.pk], confirmed="on")
        assert Invitation.objects.get(pk=theirs.pk).is_open

    @pytest.mark.parametrize("chosen", [[], ["x"], ["\0"], [str(UUID(int=n)) for n in range(101)]])
    def test_refuses_what_makes_no_sense(self, sign_in: Any, acme: Company, chosen: list[str]) -> None:
        assert self.post(sign_in(acme.owner), acme, chosen).status_code == 400


class TestOneInvitation:
    def test_its_role_is_changed_and_changed_back(self, sign_in: Any, acme: Company) -> None:
        browser, path = sign_in(acme.owner), page(acme, f"{acme.invitation.pk}/role/")
        version = browser.get(path).context["form"].initial["version"]
        answer = browser.post(path, {"role": "admin", "version": version}, follow=True)
        assert "is invited as Admin" in text_of(answer)
        assert "Undo" in text_of(answer)
        browser.post(path, {"role": "member", "version": version + 1})
        assert Invitation.objects.get(pk=acme.invitation.pk).role == OrganizationRole.MEMBER

    def test_a_stale_change_of_role_is_refused(self, sign_in: Any, acme: Company) -> None:
        path = page(acme, f"{acme.invitation.pk}/role/")
        assert sign_in(acme.owner).post(path, {"role": "admin", "version": 99}).status_code == 409

    def test_an_admin_is_offered_no_owners_role(self, sign_in: Any, acme: Company) -> None:
        """ES-03."""
        browser, path = sign_in(acme.admin), page(acme, f"{acme.invitation.pk}/role/")
        assert 'value="owner"' not in text_of(browser.get(path))
        assert browser.post(path, {"role": "owner", "version": acme.invitation.version}).status_code == 403

    @pytest.mark.parametrize("act", ["copy", "cancel", "role"])
    def test_one_is_asked_first_and_told_whose_it_is(self, sign_in: Any, acme: Company, act: str) -> None:
        text = text_of(sign_in(acme.admin).get(page(acme, f"{acme.invitation.pk}/{act}/")))
        assert acme.invitation.email in text[text.index("<h1>") : text.index("</h1>")]
        assert Invitation.objects.get(pk=acme.invitation.pk).version == acme.invitation.version


class TestInvitingAnOwner:
    """The confirmation ladder's level 4: typed, and by somebody who has just proved that it is them."""

    def asked(self, acme: Company) -> str:
        return f"/accounts/reauthenticate/?next={quote(page(acme, 'new/'), safe='')}%3Frole%3Downer"

    @pytest.mark.parametrize("typed", ["", "acme", NEWCOMER])
    def test_is_typed(self, acme: Company, typed: str) -> None:
        sent = {"emails": NEWCOMER, "role": "owner", "typed": typed}
        answer = recently(acme.owner).post(page(acme, "new/"), sent)
        assert answer.status_code == 400
        assert 'name="typed"' in answer.content.decode()
        assert "Nobody was invited" in text_of(answer)
        assert NEWCOMER in text_of(answer)
        assert not Invitation.objects.filter(email=NEWCOMER).exists()

    def test_asks_who_is_there(self, acme: Company) -> None:
        browser, sent = signed_in(acme.owner), {"emails": NEWCOMER, "role": "owner", "typed": "Acme"}
        answer = browser.post(page(acme, "new/"), sent)
        assert answer["Location"] == self.asked(acme)
        assert not Invitation.objects.filter(email=NEWCOMER).exists()
        back = browser.post(answer["Location"], {"password": PASSWORD, "next": f"{page(acme, 'new/')}?role=owner"})
        assert re.search(r'value="owner"[^>]*\s+checked', browser.get(back["Location"]).content.decode())
        assert browser.post(page(acme, "new/"), sent).status_code == 200
        assert Invitation.objects.get(email=NEWCOMER).role == OrganizationRole.OWNER

    def test_is_announced_while_the_list_is_checked(self, acme: Company) -> None:
        browser, sent = signed_in(acme.owner), {"emails": NEWCOMER, "role": "owner"}
        answer = browser.post(page(acme, "new/check/"), sent)
        assert 'name="typed"' in answer.content.decode()
        assert "asks for your password" in text_of(answer)
        assert 'name="typed"' not in browser.post(page(acme, "new/check/"), {**sent, "role": "admin"}).content.decode()
        assert "asks for your password" not in text_of(recently(acme.owner).post(page(acme, "new/check/"), sent))

    def test_instead_of_a_member_is_typed(self, acme: Company) -> None:
        path = page(acme, f"{acme.invitation.pk}/role/")
        sent = {"role": "owner", "version": acme.invitation.version}
        for typed in ({}, {"typed": "Acme"}):
            answer = recently(acme.owner).post(path, {**sent, **typed})
            assert answer.status_code == 400
            assert 'name="typed"' in answer.content.decode()
        assert Invitation.objects.get(pk=acme.invitation.pk).role == OrganizationRole.MEMBER

    def test_instead_of_a_member_asks_who_is_there(self, acme: Company) -> None:
        path, browser = page(acme, f"{acme.invitation.pk}/role/"), signed_in(acme.owner)
        sent = {"role": "owner", "version": acme.invitation.version, "typed": acme.invitation.email}
        answer = browser.post(path, sent)
        assert answer["Location"] == f"/accounts/reauthenticate/?next={quote(path, safe='')}%3Frole%3Downer"
        assert Invitation.objects.get(pk=acme.invitation.pk).role == OrganizationRole.MEMBER
        browser.post(answer["Location"], {"password": PASSWORD})
        assert 'name="typed"' in browser.get(f"{path}?role=owner").content.decode()
        assert browser.post(path, sent).status_code == 302
        assert Invitation.objects.get(pk=acme.invitation.pk).role == OrganizationRole.OWNER

    def test_is_never_an_undo(self, sign_in: Any, acme: Company) -> None:
        asked = invitations.change_role(acme.invitation, OrganizationRole.OWNER, by=UserActor(acme.owner))
        sent = {"role": "member", "version": asked.version}
        answer = sign_in(acme.owner).post(page(acme, f"{asked.pk}/role/"), sent, follow=True)
        assert "is invited as Member" in text_of(answer)
        assert "Undo" not in text_of(answer)

    def test_by_a_link_to_copy_asks_who_is_there(self, acme: Company) -> None:
        invitations.change_role(acme.invitation, OrganizationRole.OWNER, by=UserActor(acme.owner))
        path = page(acme, f"{acme.invitation.pk}/copy/")
        answer = signed_in(acme.owner).post(path)
        assert answer["Location"].startswith("/accounts/reauthenticate/")
        assert LINK.search(recently(acme.owner).post(path).content.decode())


class TestTheList:
    def test_is_searched_by_how_an_address_begins(self, sign_in: Any, acme: Company, invite: Any) -> None:
        invite()
        shown = sign_in(acme.admin).get(page(acme), {"q": " NEWC"}).context["page"].rows
        assert [invitation.email for invitation in shown] == [NEWCOMER]
        assert "No invitation matches" in text_of(sign_in(acme.admin).get(page(acme), {"q": "%"}))

    @pytest.mark.parametrize("odd", ["\0", "%", "_", "'", "x" * 5000, "\u202e", "\U0010ffff"])
    def test_takes_odd_searches_calmly(self, sign_in: Any, acme: Company, odd: str) -> None:
        assert sign_in(acme.admin).get(page(acme), {"q": odd, "sort": odd, "status": odd}).status_code == 200

    def test_names_who_invited(self, sign_in: Any, acme: Company, invite: Any, call: Any) -> None:
        sent = {"email": "by-key@x.example", "role": "member"}
        call("POST", "/v1/admin/users/invites", acme.secrets["organization_key"], sent)
        shown = {each.email: each.inviter for each in sign_in(acme.admin).get(page(acme)).context["page"].rows}
        assert shown == {acme.invitation.email: str(acme.owner), "by-key@x.example": acme.organization_key.name}

    def test_leaves_as_a_sheet(self, sign_in: Any, acme: Company) -> None:
        answer = sign_in(acme.admin).get(page(acme), {"format": "csv"})
        sheet = b"".join(answer.streaming_content).decode()
        assert acme.invitation.email in sheet
        assert answer["Content-Type"].startswith("text/csv")
        assert "gthi_" not in sheet

    def test_counts_each_tab(self, sign_in: Any, acme: Company) -> None:
        tabs = sign_in(acme.admin).get(page(acme)).context["tabs"]
        shown = {tab.name: tab.number.number for tab in tabs}
        assert shown == {"pending": 1, "expired": 0, "accepted": 0, "cancelled": 0, "all": 1}

    def test_offers_no_act_to_whoever_would_be_refused(self, sign_in: Any, acme: Company) -> None:
        """An admin cannot change the role of somebody invited as owner."""
        invitations.change_role(acme.invitation, OrganizationRole.OWNER, by=UserActor(acme.owner))
        path = page(acme, f"{acme.invitation.pk}/role/")
        assert path in text_of(sign_in(acme.owner).get(page(acme)))
        assert path not in text_of(sign_in(acme.admin).get(page(acme)))

    def test_shows_status_and_what_can_be_done(self, sign_in: Any, acme: Company) -> None:
        text = text_of(sign_in(acme.admin).get(page(acme)))
        assert "Pending" in text
        for act in ("copy", "resend", "cancel"):
            assert page(acme, f"{acme.invitation.pk}/{act}/") in text

    def test_can_be_narrowed_by_status(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.admin)
        with time_machine.travel(now() + timedelta(days=8)):
            shown = {
                status: len(browser.get(page(acme), {"status": status}).context["page"].rows)
                for status in ("", "pending", "expired", "accepted", "cancelled", "nonsense", "all")
            }
        assert shown == {"": 0, "pending": 0, "expired": 1, "accepted": 0, "cancelled": 0, "nonsense": 0, "all": 1}

    def test_costs_the_same_for_one_and_for_thirty(
        self, sign_in: Any, acme: Company, django_assert_max_num_queries: Any
    ) -> None:
        browser: Client = sign_in(acme.owner)
        offer = Offer(OrganizationRole.MEMBER, [Seat(acme.workspace, WorkspaceRole.MEMBER, "x")])
        for path in (page(acme), page(acme, "new/")):
            browser.get(path)
            with django_assert_max_num_queries(8):
                browser.get(path)
        for number in range(30):
            invitations.invite(acme.organization, f"a{number}@x.example", offer, by=UserActor(acme.owner))
        with django_assert_max_num_queries(8):
            browser.get(page(acme))

    def test_a_copied_link_is_shown_once_and_the_older_dies(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.admin)
        answer = browser.post(page(acme, f"{acme.invitation.pk}/copy/"))
        (link,) = set(LINK.findall(text_of(answer)))
        assert "no-store" in answer["Cache-Control"]
        assert "gthi_" not in text_of(browser.get(page(acme)))
        assert Client().get(link).status_code == 302
        assert Client().get(f"/invitations/{acme.secrets['invitation']}/").status_code == 404

    def test_a_second_letter_makes_the_first_void(
        self, sign_in: Any, acme: Company, invite: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        invite()
        first = mailed_link()
        with django_capture_on_commit_callbacks(execute=True):
            sign_in(acme.admin).post(page(acme, f"{Invitation.objects.get(email=NEWCOMER).pk}/resend/"))
        assert mailed_link() != first
        assert Client().get(first).status_code == 404

    def test_a_cancelled_one_opens_nothing(self, sign_in: Any, acme: Company) -> None:
        """IN-04."""
        browser = Client()
        browser.get(f"/invitations/{acme.secrets['invitation']}/")
        sign_in(acme.admin).post(page(acme, f"{acme.invitation.pk}/cancel/"))
        assert browser.get(OPEN).status_code == 404
        assert browser.post(f"{OPEN}decline/").status_code == 404
        assert Client().get(f"/invitations/{acme.secrets['invitation']}/").status_code == 404


class TestTheLink:
    def test_leaves_the_address_bar_at_once(self, client: Client, acme: Company) -> None:
        answer = client.get(f"/invitations/{acme.secrets['invitation']}/")
        assert answer["Location"] == OPEN
        assert (answer["Referrer-Policy"], answer["Cache-Control"]) == ("no-referrer", "no-store")
        shown = client.get(OPEN)
        assert (shown["Referrer-Policy"], shown["Cache-Control"]) == ("same-origin", "no-store")
        assert acme.secrets["invitation"] not in shown.content.decode()

    def test_tells_a_visitor_what_waits(self, client: Client, acme: Company) -> None:
        client.get(f"/invitations/{acme.secrets['invitation']}/")
        text = text_of(client.get(OPEN))
        for fact in ("Acme", acme.invitation.email, "Acme Search", "Owner of Acme", "Create an account", "sign in"):
            assert fact in text

    @pytest.mark.parametrize("token", ["x", "gthi_" + "0" * 38, "gtho_" + "0" * 38, "%00", "open2", "é" * 40])
    def test_that_nobody_made_leads_nowhere(self, client: Client, db: None, token: str) -> None:
        """IN-06: also no other secret of ours is one."""
        assert client.get(f"/invitations/{token}/").status_code == 404

    def test_is_nothing_to_a_password_reset_or_an_address(self, client: Client, acme: Company) -> None:
        """IN-06."""
        token = acme.secrets["invitation"]
        for path in (f"/accounts/password/reset/key/1-{token}/", f"/accounts/confirm-email/{token}/"):
            assert "This link is no longer good" in text_of(client.get(path))

    def test_waits_for_its_own_address(self, sign_in: Any, acme: Company, world: World) -> None:
        """IN-02."""
        browser = sign_in(world.stranger)
        browser.get(f"/invitations/{acme.secrets['invitation']}/")
        assert "this invitation is for another address" in text_of(browser.get(OPEN))
        assert browser.post(f"{OPEN}accept/").status_code == 409
        assert Invitation.objects.get(pk=acme.invitation.pk).is_open

    def test_stays_in_hand_while_one_changes_accounts(self, sign_in: Any, acme: Company, world: World) -> None:
        browser = sign_in(world.stranger)
        browser.get(f"/invitations/{acme.secrets['invitation']}/")
        assert browser.post(f"{OPEN}sign-out/")["Location"] == OPEN
        assert "Create an account" in text_of(browser.get(OPEN))

    def test_that_has_expired_says_so(self, client: Client, acme: Company) -> None:
        """IN-04."""
        client.get(f"/invitations/{acme.secrets['invitation']}/")
        with time_machine.travel(now() + timedelta(days=7, seconds=1)):
            answer = client.get(OPEN)
            assert answer.status_code == 410
            assert "has expired" in text_of(answer)

    def test_can_be_declined_by_a_visitor(self, client: Client, acme: Company) -> None:
        client.get(f"/invitations/{acme.secrets['invitation']}/")
        client.post(f"{OPEN}decline/")
        assert Invitation.objects.get(pk=acme.invitation.pk).status == Invitation.Status.DECLINED
        assert client.get(OPEN).status_code == 404


class TestAnswering:
    def test_accepting_leads_in_with_all_that_was_offered(self, invite: Any, sign_in: Any, acme: Company) -> None:
        browser = sign_in(UserFactory(email=NEWCOMER))
        browser.get(invite(**{f"in_{acme.workspace.slug}": "manager"}))
        assert browser.post(f"{OPEN}accept/")["Location"] == f"/o/{acme.organization.slug}/"
        assert membership_of(NEWCOMER, acme).role == OrganizationRole.MEMBER
        assert browser.get(f"/o/{acme.organization.slug}/w/{acme.workspace.slug}/team/add/").status_code == 200

    def test_twice_makes_one_membership(self, invite: Any, sign_in: Any, acme: Company) -> None:
        """IN-01."""
        link, user = invite(), UserFactory(email=NEWCOMER)
        browsers = [sign_in(user), sign_in(user)]
        for browser in browsers:
            browser.get(link)
        answers = [browser.post(f"{OPEN}accept/") for browser in (browsers[0], browsers[0], browsers[1])]
        assert {answer["Location"] for answer in answers} == {f"/o/{acme.organization.slug}/"}
        assert OrganizationMembership.objects.filter(user=user).count() == 1
        assert browsers[0].get(link)["Location"] == f"/o/{acme.organization.slug}/"
        assert sign_in(UserFactory()).get(link).status_code == 404
        assert Client().get(link).status_code == 404

    def test_is_refused_once_the_inviter_may_no_longer_offer_it(self, invite: Any, sign_in: Any, acme: Company) -> None:
        """IN-05."""
        link = invite(by=acme.admin, role="admin")
        memberships.change_role(acme.membership(acme.admin), OrganizationRole.MEMBER, by=system())
        browser = sign_in(UserFactory(email=NEWCOMER))
        browser.get(link)
        answer = browser.post(f"{OPEN}accept/")
        assert answer.status_code == 409
        assert "may no longer offer this" in text_of(answer)
        assert membership_of(NEWCOMER, acme) is None

    def test_of_two_to_one_address_only_the_newer_counts(self, invite: Any, sign_in: Any, acme: Company) -> None:
        """IN-07: a second one while the first waits is refused; after the first has expired, the first is void."""
        first = invite()
        again = sign_in(acme.owner).post(page(acme, "new/"), {"emails": NEWCOMER, "role": "admin"})
        assert "Already invited" in text_of(again)
        with time_machine.travel(now() + timedelta(days=8)):
            second = invite(role="admin")
            assert Client().get(first).status_code == 404
            assert Client().get(second).status_code == 302

    def test_promised_keys_are_shown_once(self, sign_in: Any, acme: Company, call: Any) -> None:
        offer = Offer(OrganizationRole.MEMBER, [Seat(acme.workspace, WorkspaceRole.MEMBER, "x")], ["prompts.read"])
        invited = invitations.invite(acme.organization, NEWCOMER, offer, by=UserActor(acme.owner))
        browser = sign_in(UserFactory(email=NEWCOMER))
        browser.get(f"/invitations/{invited.token.clear}/")
        answer = browser.post(f"{OPEN}accept/")
        (secret,) = set(re.findall(r"gthu_[0-9A-Za-z]{38}", answer.content.decode()))
        assert "no-store" in answer["Cache-Control"]
        assert call("GET", "/v1/whoami", secret).status_code == 200
        again = browser.post(f"{OPEN}accept/")
        assert again["Location"] == f"/o/{acme.organization.slug}/"


class TestSigningUpThroughALink:
    """IN-03: the account gets the invited address, whatever is sent; only the mailed link proves it."""

    def test_the_address_is_the_invited_one(self, invite: Any, client: Client) -> None:
        client.get(invite())
        field = client.get("/accounts/signup/").context["form"]["email"]
        assert (field.value(), field.field.disabled) == (NEWCOMER, True)
        client.post("/accounts/signup/", {**ACCOUNT, "email": "evil@elsewhere.example"})
        assert not User.objects.filter(email="evil@elsewhere.example").exists()
        assert User.objects.filter(email=NEWCOMER).exists()

    def test_the_mailed_link_proves_it_and_leads_back(self, invite: Any, client: Client, acme: Company) -> None:
        invite()
        client.get(mailed_link())
        answer = client.post("/accounts/signup/", {**ACCOUNT, "next": OPEN})
        assert answer["Location"] == OPEN
        assert EmailAddress.objects.get(email=NEWCOMER).verified
        assert len(mail.outbox) == 1
        assert client.post(f"{OPEN}accept/")["Location"] == f"/o/{acme.organization.slug}/"

    def test_the_copied_link_does_not(self, invite: Any, client: Client, acme: Company) -> None:
        client.get(invite())
        assert client.post("/accounts/signup/", {**ACCOUNT, "next": OPEN})["Location"] == "/accounts/confirm-email/"
        assert not EmailAddress.objects.get(email=NEWCOMER).verified
        assert confirm_address(client)["Location"] == OPEN
        assert client.post(f"{OPEN}accept/")["Location"] == f"/o/{acme.organization.slug}/"

    def test_without_mail_the_copied_link_still_leads_in(
        self, invite: Any, client: Client, acme: Company, globex: Company, settings: Any
    ) -> None:
        settings.EMAIL_IS_CONFIGURED, settings.ACCOUNT_EMAIL_VERIFICATION = False, "optional"
        other = invitations.invite(
            globex.organization, NEWCOMER, Offer(OrganizationRole.MEMBER), by=UserActor(globex.owner)
        )
        client.get(invite())
        assert client.post("/accounts/signup/", ACCOUNT)["Location"] == OPEN
        assert client.post(f"{OPEN}accept/")["Location"] == f"/o/{acme.organization.slug}/"
        # The address was never proved: no other invitation is matched to it.
        assert "Invitations for you" not in text_of(client.get("/?all=1"))
        assert client.post(f"/invitations/waiting/{other.invitation.pk}/accept/").status_code == 404

    def test_is_open_to_guests_where_sign_up_is_not(self, invite: Any, client: Client, settings: Any) -> None:
        settings.SIGN_UP = "invited"
        assert "By invitation only" in text_of(client.get("/accounts/signup/"))
        client.get(invite())
        assert client.get("/accounts/signup/").context["form"]["email"].value() == NEWCOMER

    def test_is_shut_again_once_the_invitation_is_cancelled(
        self, invite: Any, sign_in: Any, client: Client, acme: Company, settings: Any
    ) -> None:
        settings.SIGN_UP = "invited"
        client.get(invite())
        sign_in(acme.owner).post(page(acme, f"{Invitation.objects.get(email=NEWCOMER).pk}/cancel/"))
        client.post("/accounts/signup/", ACCOUNT)
        assert not User.objects.filter(email=NEWCOMER).exists()

    def test_signing_in_leads_back_too(self, invite: Any, client: Client) -> None:
        user = UserFactory(email=NEWCOMER)
        client.get(invite())
        answer = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
        assert answer["Location"] == OPEN


def test_the_token_is_in_no_table(client: Client, acme: Company) -> None:
    """IN-12: neither the invitation nor the session of whoever opened it shows the token."""
    token = acme.secrets["invitation"]
    answer = client.get(f"/invitations/{token}/")
    cookie = answer.cookies["invitation"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert client.get(OPEN).status_code == 200
    for session in Session.objects.all():
        assert token not in str(session.get_decoded())


def test_a_cookie_somebody_made_up_opens_nothing(client: Client, acme: Company) -> None:
    client.cookies["invitation"] = f"{acme.secrets['invitation']}:1abcde:forged"
    assert client.get(OPEN).status_code == 404
