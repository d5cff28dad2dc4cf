"""Invitations, from the one who sends them to the one who answers, as browsers see them (product P14)."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client

from apps.access.actors import UserActor
from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.accounts.models import User
from apps.core.clock import now
from apps.memberships import invitations
from apps.memberships import operations as memberships
from apps.memberships.invitations import Offer, Seat
from apps.memberships.models import Invitation, OrganizationMembership
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
        assert f"{acme.member.email} is a member already" in text
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
            ({"emails": ",".join(f"a{n}@x.example" for n in range(51)), "role": "member"}, "emails"),
            ({"emails": NEWCOMER, "role": "king"}, "role"),
        ],
    )
    def test_says_what_is_wrong_at_its_field(
        self, sign_in: Any, acme: Company, sent: dict[str, str], field: str
    ) -> None:
        answer = sign_in(acme.owner).post(page(acme, "new/"), sent)
        assert answer.status_code == 400
        assert field in answer.context["form"].errors

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


class TestTheList:
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
                for status in ("", "pending", "expired", "accepted", "cancelled", "nonsense")
            }
        assert shown == {"": 1, "pending": 0, "expired": 1, "accepted": 0, "cancelled": 0, "nonsense": 1}

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
        assert "has been invited already" in text_of(again)
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
