"""How an organization is secured and how it ends, as a browser sees it."""

import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from apps.audit.models import AuditEvent
from apps.memberships import operations as memberships
from apps.organizations.models import Organization
from apps.workspaces import operations as workspaces
from tests.factories import PASSWORD
from tests.world import Company, system


def settings_of(company: Company, tab: str) -> str:
    return f"/o/{company.organization.slug}/settings/{tab}/"


def deletion(company: Company) -> str:
    return f"/o/{company.organization.slug}/delete/"


@pytest.fixture
def owner(sign_in: Any, acme: Company) -> Client:
    """A browser in which the owner has just typed their password."""
    browser: Client = sign_in(acme.owner)
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return browser


class TestSecurity:
    def test_says_who_signs_in_without_a_second_factor(self, sign_in: Any, acme: Company) -> None:
        Authenticator.objects.create(user=acme.second_owner, type=Authenticator.Type.TOTP, data={})
        Authenticator.objects.create(user=acme.owner, type=Authenticator.Type.RECOVERY_CODES, data={})
        answer = sign_in(acme.owner).get(settings_of(acme, "security"))
        assert (answer.context["counted"]["unguarded"].number, answer.context["counted"]["members"].number) == (6, 7)
        assert {row.user for row in answer.context["unguarded"]} == {acme.owner, acme.admin}
        assert "?factor=no" in answer.content.decode()

    def test_lists_the_owners_and_warns_of_a_single_one(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        text = browser.get(settings_of(acme, "security")).content.decode()
        assert acme.second_owner.email in text
        assert "There is one owner" not in text
        memberships.remove(acme.membership(acme.second_owner), by=system())
        assert "There is one owner" in browser.get(settings_of(acme, "security")).content.decode()

    def test_says_what_the_installation_does(self, sign_in: Any, acme: Company, settings: Any) -> None:
        settings.SESSION_COOKIE_AGE, settings.SIGN_UP = 3 * 86_400, "invited"
        text = sign_in(acme.admin).get(settings_of(acme, "security")).content.decode()
        assert re.search(r"ends after</dt><dd>3 days", text)
        assert "Only invited people" in text

    def test_costs_the_same_however_many(self, sign_in: Any, acme: Company, django_assert_max_num_queries: Any) -> None:
        browser = sign_in(acme.owner)
        browser.get(settings_of(acme, "security"))
        with django_assert_max_num_queries(8):
            browser.get(settings_of(acme, "security"))


class TestTheEnd:
    def test_asks_for_the_password_first(self, sign_in: Any, acme: Company) -> None:
        answer = sign_in(acme.owner).get(deletion(acme))
        assert answer["Location"].startswith("/accounts/reauthenticate/")
        assert Organization.objects.filter(pk=acme.organization.pk).exists()

    def test_is_typed_and_leaves_only_the_log(self, owner: Client, acme: Company, call: Any) -> None:
        context = owner.get(deletion(acme)).context
        sent = {"typed": "Acme", "seen": context["seen"], "version": context["form"].initial["version"]}
        assert owner.post(deletion(acme), {**sent, "typed": "acme"}).status_code == 400
        assert owner.post(deletion(acme), sent)["Location"] == "/"
        assert not Organization.objects.filter(pk=acme.organization.pk).exists()
        assert AuditEvent.objects.filter(chain=acme.organization.pk, event="organization.deleted").exists()
        assert call("GET", "/v1/whoami", acme.secrets["organization_key"]).status_code == 401
        assert owner.get("/").status_code == 200

    def test_is_shown_again_when_more_would_end_than_was_seen(self, owner: Client, acme: Company) -> None:
        context = owner.get(deletion(acme)).context
        workspaces.create(acme.organization, name="Meanwhile", by=system())
        sent = {"typed": "Acme", "seen": context["seen"], "version": context["form"].initial["version"]}
        assert owner.post(deletion(acme), sent).status_code == 409
        assert Organization.objects.filter(pk=acme.organization.pk).exists()

    def test_is_refused_on_an_older_version(self, owner: Client, acme: Company) -> None:
        seen = owner.get(deletion(acme)).context["seen"]
        answer = owner.post(deletion(acme), {"typed": "Acme", "seen": seen, "version": 999})
        assert answer.status_code == 409
        assert "changed this after you opened it" in answer.content.decode()
        assert Organization.objects.filter(pk=acme.organization.pk).exists()

    def test_is_out_of_reach_while_a_workspace_is_protected(self, owner: Client, acme: Company) -> None:
        workspaces.update(acme.workspace, delete_protected=True, by=system())
        text = owner.get(settings_of(acme, "danger")).content.decode()
        assert deletion(acme) not in text
        assert f"/w/{acme.workspace.slug}/settings/danger/" in text
        context = owner.get(deletion(acme)).context
        sent = {"typed": "Acme", "seen": context["seen"], "version": context["form"].initial["version"]}
        assert owner.post(deletion(acme), sent).status_code == 409
        assert Organization.objects.filter(pk=acme.organization.pk).exists()

    def test_is_for_owners_alone(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.admin)
        assert browser.get(settings_of(acme, "danger")).status_code == 403
        assert browser.post(deletion(acme), {}).status_code == 403
        assert "Danger zone" not in browser.get(f"/o/{acme.organization.slug}/settings/").content.decode()
