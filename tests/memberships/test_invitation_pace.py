"""How often letters may leave: by invitation, by address and by organization, through every door."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from apps.access.actors import UserActor
from apps.access.roles import OrganizationRole
from apps.core.clock import now
from apps.core.errors import Conflict, TooMany
from apps.memberships import invitations, pace
from apps.memberships.invitations import Offer
from apps.memberships.models import Invitation
from tests.world import Company, system

MEMBER = Offer(OrganizationRole.MEMBER)


def resend(company: Company) -> None:
    invitations.resend(company.invitation, by=UserActor(company.owner))


def test_an_invitation_is_sent_again_once_a_minute(acme: Company) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        resend(acme)
        clock.shift(timedelta(seconds=20))
        with pytest.raises(TooMany, match="in 40 seconds") as refusal:
            resend(acme)
        assert refusal.value.wait == 40
        clock.shift(timedelta(seconds=41))
        resend(acme)


def test_a_refused_letter_leaves_the_older_link_good(acme: Company) -> None:
    resend(acme)
    before = Invitation.objects.get(pk=acme.invitation.pk)
    with pytest.raises(TooMany):
        resend(acme)
    after = Invitation.objects.get(pk=acme.invitation.pk)
    assert (after.version, after.expires_at) == (before.version, before.expires_at)


def test_cancelling_and_inviting_anew_is_no_way_round(acme: Company, monkeypatch: Any) -> None:
    monkeypatch.setattr(pace, "TO_ONE_ADDRESS", 3)
    with time_machine.travel(now().replace(minute=10), tick=False):
        for _round in range(3):
            made = invitations.invite(acme.organization, "a@x.example", MEMBER, by=UserActor(acme.owner))
            invitations.cancel(made.invitation, by=UserActor(acme.owner))
        with pytest.raises(TooMany, match="has been sent 3 letters"):
            invitations.invite(acme.organization, "a@x.example", MEMBER, by=UserActor(acme.owner))
        invitations.invite(acme.organization, "b@x.example", MEMBER, by=UserActor(acme.owner))


def test_an_organization_has_its_share_of_each_hour(acme: Company, globex: Company, monkeypatch: Any) -> None:
    monkeypatch.setattr(pace, "AN_HOUR", 2)
    with time_machine.travel(now().replace(minute=10), tick=False) as clock:
        for number in range(2):
            invitations.invite(acme.organization, f"a{number}@x.example", MEMBER, by=UserActor(acme.owner))
        with pytest.raises(TooMany, match="at most 2 invitations an hour"):
            invitations.invite(acme.organization, "a2@x.example", MEMBER, by=UserActor(acme.owner))
        invitations.invite(globex.organization, "a2@x.example", MEMBER, by=UserActor(globex.owner))
        clock.shift(timedelta(hours=1))
        invitations.invite(acme.organization, "a2@x.example", MEMBER, by=UserActor(acme.owner))


def test_what_was_refused_for_another_reason_does_not_count(acme: Company, monkeypatch: Any) -> None:
    monkeypatch.setattr(pace, "AN_HOUR", 1)
    with pytest.raises(Conflict):
        invitations.invite(acme.organization, acme.member.email, MEMBER, by=UserActor(acme.owner))
    invitations.invite(acme.organization, "a@x.example", MEMBER, by=UserActor(acme.owner))


def test_operators_are_not_counted(acme: Company, monkeypatch: Any) -> None:
    monkeypatch.setattr(pace, "AN_HOUR", 0)
    invitations.invite(acme.organization, "a@x.example", MEMBER, by=system())
    invitations.resend(acme.invitation, by=system())


def test_the_api_says_429_and_how_long_to_wait(acme: Company, call: Any) -> None:
    path = f"/v1/admin/users/invites/{acme.invitation.pk}/resend"
    assert call("POST", path, acme.secrets["organization_key"]).status_code == 200
    answer = call("POST", path, acme.secrets["organization_key"])
    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "AB09"
    assert 0 < int(answer["Retry-After"]) <= 60


def test_a_page_says_when_to_try_again(acme: Company, sign_in: Any) -> None:
    browser = sign_in(acme.admin)
    path = f"/o/{acme.organization.slug}/invitations/{acme.invitation.pk}/resend/"
    assert browser.post(path).status_code == 302
    answer = browser.post(path)
    assert answer.status_code == 429
    assert "Try again in" in answer.content.decode()
    assert 0 < int(answer["Retry-After"]) <= 60
    part = browser.post(path, headers={"hx-request": "true"})
    assert part.status_code == 429
    assert 0 < int(part["Retry-After"]) <= 60
