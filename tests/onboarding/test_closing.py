"""Closing an account: what ends with it, what stays, and who cannot (product 5.2)."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core import mail
from django.test import Client

from apps.access.actors import UserActor
from apps.accounts.models import User
from apps.apikeys.models import ApiKey
from apps.audit.models import AuditEvent
from apps.core.errors import Conflict, Missing
from apps.memberships import operations as memberships
from apps.memberships.models import OrganizationMembership, WorkspaceMembership
from apps.onboarding import belonging, closing, operations
from apps.organizations.models import Organization
from tests.accounts.signing_in import give_password, recently, signed_in, with_app
from tests.world import Company, World, system


def sole_owner(acme: Company) -> User:
    memberships.remove(acme.membership(acme.second_owner), by=UserActor(acme.owner))
    return acme.owner


class TestTheOperation:
    def test_ends_all_that_is_the_persons(self, acme: Company) -> None:
        browser, _, _ = with_app(acme.member)
        closing.close_account(acme.member, by=UserActor(acme.member))
        closed = User.objects.get(pk=acme.member.pk)
        assert (closed.first_name, closed.last_name, closed.is_active) == ("", "", False)
        assert closed.email == f"closed-{closed.pk}@account.invalid"
        assert not closed.has_usable_password()
        assert not OrganizationMembership.objects.filter(user=closed).exists()
        assert not WorkspaceMembership.objects.filter(membership__user=closed).exists()
        assert not closed.groups.exists()
        assert ApiKey.objects.get(pk=acme.user_key.pk).status == ApiKey.Status.REVOKED
        for model in (EmailAddress, Authenticator, UserSession):
            assert not model.objects.filter(user=closed).exists()
        assert browser.get("/account/").status_code == 302

    def test_is_written_down_in_every_place_it_touches(self, acme: Company) -> None:
        closing.close_account(acme.member, by=UserActor(acme.member))
        left = AuditEvent.objects.get(event="membership.left", chain=acme.organization.pk)
        assert (left.actor_id, left.details["keys_revoked"]) == (acme.member.pk, 1)
        assert AuditEvent.objects.get(event="account.closed").target_id == str(acme.member.pk)

    def test_leaves_what_the_person_made(self, acme: Company) -> None:
        closing.close_account(acme.workspace_admin, by=UserActor(acme.workspace_admin))
        acme.workspace.refresh_from_db()
        assert ApiKey.objects.get(pk=acme.workspace_key.pk).status == ApiKey.Status.ACTIVE

    def test_is_refused_while_an_organization_rests_on_the_person(self, acme: Company) -> None:
        owner = sole_owner(acme)
        with pytest.raises(Conflict, match="at least one active owner"):
            closing.close_account(owner, by=UserActor(owner))
        owner.refresh_from_db()
        assert (owner.is_active, owner.email) == (True, "owner@acme.example")
        assert acme.membership(owner).is_active

    def test_is_all_or_nothing_over_many_organizations(self, acme: Company, globex: Company) -> None:
        """One organization that needs them keeps them in all."""
        memberships.join(acme.member, globex.organization, "member", by=system())
        own = operations.found_organization(acme.member, name="Mine", by=UserActor(acme.member)).organization
        with pytest.raises(Conflict):
            closing.close_account(acme.member, by=UserActor(acme.member))
        assert OrganizationMembership.objects.filter(user=acme.member).count() == 3
        assert [row.organization for row in belonging.resting_on(acme.member)] == [own]

    def test_is_not_stopped_by_an_organization_that_is_suspended(self, acme: Company) -> None:
        Organization.objects.filter(pk=acme.organization.pk).update(status=Organization.Status.SUSPENDED)
        closing.close_account(acme.member, by=UserActor(acme.member))
        assert not User.objects.get(pk=acme.member.pk).is_active

    def test_is_the_persons_alone(self, world: World) -> None:
        acme = world.acme
        for by in (UserActor(acme.owner), UserActor(world.operator), acme.user_key, system()):
            with pytest.raises(Missing):
                closing.close_account(acme.member, by=by)

    def test_keeps_an_operator(self, world: World) -> None:
        with pytest.raises(Conflict, match="You run this installation"):
            closing.close_account(world.operator, by=UserActor(world.operator))

    def test_frees_the_address(self, acme: Company, client: Client) -> None:
        address = acme.member.email
        closing.close_account(acme.member, by=UserActor(acme.member))
        client.post("/accounts/signup/", {"email": address, "password1": "a-long-enough-secret"})
        assert User.objects.filter(email=address).exists()

    def test_happens_once(self, acme: Company) -> None:
        closing.close_account(acme.member, by=UserActor(acme.member))
        with pytest.raises(Conflict):
            closing.close_account(User.objects.get(pk=acme.member.pk), by=UserActor(acme.member))


class TestThePage:
    def close(self, browser: Client, typed: str) -> Any:
        seen = browser.get("/account/close/").context["seen"]
        return browser.post("/account/close/", {"typed": typed, "seen": seen})

    def test_says_what_ends_and_asks_for_the_address(self, acme: Company) -> None:
        page = recently(acme.member).get("/account/close/").content.decode()
        assert "You leave 1 organization" in page
        assert "1 personal API key is revoked" in page
        assert "Type your address" in page

    def test_closes_signs_out_and_writes_a_last_letter(
        self, acme: Company, django_capture_on_commit_callbacks: Any
    ) -> None:
        browser, address = recently(acme.member), acme.member.email
        with django_capture_on_commit_callbacks(execute=True):
            answer = self.close(browser, address)
        assert answer["Location"] == "/accounts/login/"
        assert "Your account is closed." in browser.get("/accounts/login/").content.decode()
        assert (mail.outbox[-1].subject, mail.outbox[-1].to) == ("Your account is closed", [address])
        assert give_password(Client(), acme.member).status_code == 200

    def test_takes_nothing_but_the_address(self, acme: Company) -> None:
        answer = self.close(recently(acme.member), "owner@acme.example")
        assert answer.status_code == 400
        assert User.objects.get(pk=acme.member.pk).is_active

    def test_is_read_again_when_it_would_end_something_else_by_now(self, acme: Company, globex: Company) -> None:
        browser = recently(acme.member)
        seen = browser.get("/account/close/").context["seen"]
        memberships.join(acme.member, globex.organization, "member", by=system())
        answer = browser.post("/account/close/", {"typed": acme.member.email, "seen": seen})
        assert answer.status_code == 409
        assert "You leave 2 organizations" in answer.content.decode()
        assert User.objects.get(pk=acme.member.pk).is_active

    def test_names_the_organizations_that_need_another_owner_first(self, acme: Company) -> None:
        page = recently(sole_owner(acme)).get("/account/close/").content.decode()
        assert "First, one organization needs another owner" in page
        assert "Close my account" not in page

    def test_a_refusal_is_a_page(self, acme: Company) -> None:
        owner = sole_owner(acme)
        assert self.close(recently(owner), owner.email).status_code == 409

    def test_needs_a_recent_sign_in(self, acme: Company) -> None:
        answer = signed_in(acme.member).post("/account/close/", {"typed": acme.member.email, "seen": "x"})
        assert answer["Location"].startswith("/accounts/reauthenticate/")
        assert User.objects.get(pk=acme.member.pk).is_active


class TestMyOrganizations:
    def test_lists_them_with_role_and_ways_out(self, acme: Company, sign_in: Any) -> None:
        page = sign_in(acme.member).get("/account/organizations/").content.decode()
        assert f"/o/{acme.organization.slug}/leave/" in page
        assert "Member" in page

    def test_shows_where_one_is_suspended_without_a_way_in(self, acme: Company, sign_in: Any) -> None:
        page = sign_in(acme.suspended).get("/account/organizations/").content.decode()
        assert "Suspended" in page
        assert f"/o/{acme.organization.slug}/" not in page

    def test_asks_the_database_the_same_for_many(
        self, acme: Company, sign_in: Any, django_assert_max_num_queries: Any
    ) -> None:
        for number in range(30):
            organization = operations.found_organization(
                acme.member, name=f"Many {number}", with_master_key=False, by=UserActor(acme.member)
            ).organization
            assert organization
        browser = sign_in(acme.member)
        for path in ("/account/organizations/", "/?all=1"):
            browser.get(path)
            with django_assert_max_num_queries(8):
                assert browser.get(path).content.decode().count("Many ") >= 30
