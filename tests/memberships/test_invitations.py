"""What can happen to an invitation, in sentences, without HTTP (product P14)."""

from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.utils import translation

from apps.access.actors import NobodyActor, Origin, UserActor
from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.accounts.models import User
from apps.apikeys import operations as apikeys
from apps.apikeys.models import ApiKey
from apps.audit.models import AuditEvent
from apps.core.clock import now
from apps.core.errors import Conflict, Forbidden, Invalid, Missing, Overreach, Stale
from apps.memberships import answers, invitations
from apps.memberships import operations as memberships
from apps.memberships.invitations import Offer, Seat
from apps.memberships.models import Invitation
from apps.organizations import operations as organizations
from apps.workspaces import operations as workspaces
from apps.workspaces.models import Workspace
from tests.factories import UserFactory
from tests.world import Company, system

MEMBER = Offer(OrganizationRole.MEMBER)
NEWCOMER = "newcomer@elsewhere.example"


@pytest.fixture
def newcomer(db: None) -> User:
    return UserFactory(email=NEWCOMER)


@pytest.fixture
def unproved(db: None) -> User:
    """Somebody who signed up with the address and has not shown that it is theirs."""
    return UserFactory(email=NEWCOMER, verified=False)


def mailed_token() -> str:
    return next(word for word in mail.outbox[-1].body.split() if "/invitations/" in word).split("/")[-2]


def seat(company: Company, role: WorkspaceRole = WorkspaceRole.MEMBER) -> Seat:
    return Seat(company.workspace, role, company.workspace.slug)


class TestInviting:
    def test_writes_a_letter_with_a_token_that_is_stored_nowhere(
        self, acme: Company, django_capture_on_commit_callbacks
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            invited = invitations.invite(acme.organization, NEWCOMER, MEMBER, by=UserActor(acme.admin))
        (letter,) = mail.outbox
        assert letter.to == [NEWCOMER]
        assert mailed_token() != invited.token.clear
        stored = Invitation.objects.filter(pk=invited.invitation.pk).values().get()
        assert not any(token in str(stored) for token in (mailed_token(), invited.token.clear))
        assert not AuditEvent.objects.filter(details__icontains=invited.token.clear).exists()

    def test_an_address_is_asked_once(self, acme: Company) -> None:
        invitations.invite(acme.organization, NEWCOMER, MEMBER, by=UserActor(acme.admin))
        with pytest.raises(Conflict, match="invited already"):
            invitations.invite(acme.organization, NEWCOMER.upper(), MEMBER, by=UserActor(acme.admin))

    def test_a_member_is_not_invited(self, acme: Company) -> None:
        with pytest.raises(Conflict, match="member already"):
            invitations.invite(acme.organization, acme.member.email, MEMBER, by=UserActor(acme.admin))

    def test_two_organizations_may_ask_the_same_address(self, acme: Company, globex: Company) -> None:
        for company in (acme, globex):
            invitations.invite(company.organization, NEWCOMER, MEMBER, by=UserActor(company.admin))

    def test_an_expired_one_makes_room(self, acme: Company) -> None:
        old = invitations.invite(acme.organization, NEWCOMER, MEMBER, by=UserActor(acme.admin)).invitation
        with time_machine.travel(now() + timedelta(days=8), tick=False):
            invitations.invite(acme.organization, NEWCOMER, MEMBER, by=UserActor(acme.admin))
        old.refresh_from_db()
        assert old.status == Invitation.Status.CANCELLED

    def test_a_workspace_of_another_organization_is_not_there(self, acme: Company, globex: Company) -> None:
        memberships.join(acme.owner, globex.organization, OrganizationRole.OWNER, by=system())
        offer = Offer(OrganizationRole.MEMBER, [seat(globex)])
        with pytest.raises(Invalid) as refusal:
            invitations.invite(acme.organization, NEWCOMER, offer, by=UserActor(acme.owner))
        assert list(refusal.value.errors) == ["workspaces"]

    def test_an_archived_workspace_is_not_there_however_old_the_form(self, acme: Company) -> None:
        offer = Offer(OrganizationRole.MEMBER, [seat(acme)])
        workspaces.archive(Workspace.objects.get(pk=acme.workspace.pk), by=system())
        with pytest.raises(Invalid):
            invitations.invite(acme.organization, NEWCOMER, offer, by=UserActor(acme.owner))

    @pytest.mark.parametrize("person", ["member", "manager", "workspace_admin", "bystander"])
    def test_members_invite_nobody(self, acme: Company, person: str) -> None:
        with pytest.raises(Forbidden):
            invitations.invite(acme.organization, NEWCOMER, MEMBER, by=UserActor(acme[person]))

    def test_only_owners_invite_owners(self, acme: Company) -> None:
        offer = Offer(OrganizationRole.OWNER)
        for by in (UserActor(acme.admin), acme.organization_key):
            with pytest.raises(Forbidden):
                invitations.invite(acme.organization, NEWCOMER, offer, by=by)
        invitations.invite(acme.organization, NEWCOMER, offer, by=UserActor(acme.owner))

    def test_nobody_offers_more_than_they_hold(self, acme: Company) -> None:
        narrow = apikeys.issue(
            acme.organization, name="narrow", scopes=["organisation_users.create"], by=UserActor(acme.owner)
        ).key
        with pytest.raises(Overreach):
            invitations.invite(acme.organization, NEWCOMER, Offer(OrganizationRole.ADMIN), by=narrow)
        with pytest.raises(Forbidden):
            invitations.invite(acme.organization, NEWCOMER, Offer(OrganizationRole.MEMBER, [seat(acme)]), by=narrow)

    def test_a_promised_key_is_measured_too(self, acme: Company) -> None:
        narrow = apikeys.issue(
            acme.organization,
            name="narrow",
            scopes=[s for s in acme.organization_key.scopes if not s.startswith("prompts.")],
            by=UserActor(acme.owner),
        ).key
        with pytest.raises(Overreach):
            invitations.invite(
                acme.organization,
                NEWCOMER,
                Offer(OrganizationRole.MEMBER, [seat(acme)], ["prompts.read"]),
                by=narrow,
            )

    def test_a_promised_key_needs_a_workspace(self, acme: Company) -> None:
        with pytest.raises(Invalid):
            invitations.invite(
                acme.organization,
                NEWCOMER,
                Offer(OrganizationRole.MEMBER, [], ["prompts.read"]),
                by=UserActor(acme.owner),
            )

    @pytest.mark.parametrize(
        "address",
        [
            *("", "x", "@x.example", "a@b", "a b@x.example", "a@exa mple.example", "a@x..example"),
            *("a@x.example\nBcc: evil@x.example", "a@" + "x" * 250 + ".example"),
            *("m\u0131ke@x.example", "\uff4dike@x.example", "\u212aim@x.example"),
        ],
    )
    def test_what_is_no_address_is_refused_by_name(self, acme: Company, address: str) -> None:
        with pytest.raises(Invalid) as refusal:
            invitations.invite(acme.organization, address, MEMBER, by=UserActor(acme.admin))
        assert list(refusal.value.errors) == ["email"]

    def test_addresses_are_kept_in_one_form(self, acme: Company) -> None:
        invited = invitations.invite(
            acme.organization, " Mike+Tag@B\u00dcCHER.example ", MEMBER, by=UserActor(acme.admin)
        )
        assert invited.invitation.email == "mike+tag@xn--bcher-kva.example"


class TestAccepting:
    def test_makes_a_member_with_all_that_was_offered(self, acme: Company, newcomer: User) -> None:
        offer = Offer(
            OrganizationRole.MEMBER, [seat(acme, WorkspaceRole.MANAGER)], ["prompts.read", "completions.write"]
        )
        invited = invitations.invite(acme.organization, NEWCOMER, offer, by=UserActor(acme.owner))
        accepted = answers.accept(invited.invitation, token=invited.token.clear, by=UserActor(newcomer))
        assert accepted.membership.role == OrganizationRole.MEMBER
        assert acme.placed(newcomer).role == WorkspaceRole.MANAGER
        (made,) = accepted.keys
        assert (made.key.name, made.key.creation, made.key.user) == ("default_user_key", "auto", newcomer)
        assert ApiKey.objects.with_places().get(pk=made.key.pk).is_let_in

    def test_twice_answers_with_the_same_membership(self, acme: Company, newcomer: User) -> None:
        invited = invitations.invite(acme.organization, NEWCOMER, MEMBER, by=UserActor(acme.owner))
        first = answers.accept(invited.invitation, token=invited.token.clear, by=UserActor(newcomer))
        second = answers.accept(invited.invitation, token=invited.token.clear, by=UserActor(newcomer))
        assert first.membership.pk == second.membership.pk
        assert second.keys == []

    def test_is_for_the_invited_address_alone(self, acme: Company) -> None:
        other = UserFactory()
        invited = invitations.invite(acme.organization, NEWCOMER, MEMBER, by=UserActor(acme.owner))
        with pytest.raises(Conflict, match="another address"):
            answers.accept(invited.invitation, token=invited.token.clear, by=UserActor(other))
        invited.invitation.refresh_from_db()
        assert invited.invitation.is_open

    def test_after_it_was_accepted_the_link_is_nothing_to_others(self, acme: Company, newcomer: User) -> None:
        invited = invitations.invite(acme.organization, NEWCOMER, MEMBER, by=UserActor(acme.owner))
        answers.accept(invited.invitation, token=invited.token.clear, by=UserActor(newcomer))
        with pytest.raises(Missing):
            answers.accept(invited.invitation, token=invited.token.clear, by=UserActor(UserFactory()))

    def test_expiry_counts_when_it_is_used(self, acme: Company, newcomer: User) -> None:
        invited = invitations.invite(acme.organization, NEWCOMER, MEMBER, by=UserActor(acme.owner))
        with (
            time_machine.travel(now() + timedelta(days=7, seconds=1), tick=False),
            pytest.raises(Conflict, match="expired"),
        ):
            answers.accept(invited.invitation, token=invited.token.clear, by=UserActor(newcomer))

    def test_a_cancelled_one_is_not_there(self, acme: Company, newcomer: User) -> None:
        invited = invitations.invite(acme.organization, NEWCOMER, MEMBER, by=UserActor(acme.owner))
        invitations.cancel(invited.invitation, by=UserActor(acme.admin))
        with pytest.raises(Missing):
            answers.accept(invited.invitation, token=invited.token.clear, by=UserActor(newcomer))

    def test_the_inviter_must_still_be_able_to(self, acme: Company, newcomer: User) -> None:
        invited = invitations.invite(acme.organization, NEWCOMER, MEMBER, by=UserActor(acme.admin))
        memberships.change_role(acme.membership(acme.admin), OrganizationRole.MEMBER, by=UserActor(acme.owner))
        with pytest.raises(Conflict, match="Ask for a new invitation"):
            answers.accept(invited.invitation, token=invited.token.clear, by=UserActor(newcomer))

    def test_the_key_that_invited_must_still_be_let_in(self, acme: Company, newcomer: User) -> None:
        invited = invitations.invite(acme.organization, NEWCOMER, MEMBER, by=acme.organization_key)
        apikeys.revoke(acme.organization_key, by=UserActor(acme.owner))
        with pytest.raises(Conflict, match="Ask for a new invitation"):
            answers.accept(invited.invitation, token=invited.token.clear, by=UserActor(newcomer))

    def test_whoever_sends_it_again_stands_for_it(self, acme: Company, newcomer: User) -> None:
        invited = invitations.invite(acme.organization, NEWCOMER, MEMBER, by=UserActor(acme.admin))
        memberships.remove(acme.membership(acme.admin), by=UserActor(acme.owner))
        copied = invitations.copy_link(invited.invitation, by=UserActor(acme.owner))
        assert answers.accept(copied.invitation, token=copied.token.clear, by=UserActor(newcomer)).membership

    def test_the_line_of_a_promised_key_says_who_took_it_and_who_promised(self, acme: Company, newcomer: User) -> None:
        offer = Offer(OrganizationRole.MEMBER, [seat(acme)], ["prompts.read"])
        invited = invitations.invite(acme.organization, NEWCOMER, offer, by=UserActor(acme.owner))
        by = UserActor(newcomer, Origin("page", "r-7"))
        answers.accept(invited.invitation, token=invited.token.clear, by=by)
        line = AuditEvent.objects.filter(event="api_key.issued").latest("id")
        assert (line.actor_id, line.door, line.request_id) == (newcomer.pk, "page", "r-7")
        assert line.details["after"]["offered_by"] == str(acme.owner.pk)

    def test_a_key_that_is_still_let_in_stands_for_its_offer(self, acme: Company, newcomer: User) -> None:
        invited = invitations.invite(acme.organization, NEWCOMER, MEMBER, by=acme.organization_key)
        assert answers.accept(invited.invitation, token=invited.token.clear, by=UserActor(newcomer)).membership

    def test_workspaces_archived_meanwhile_are_left_out(self, acme: Company, newcomer: User) -> None:
        offer = Offer(OrganizationRole.MEMBER, [seat(acme)])
        invited = invitations.invite(acme.organization, NEWCOMER, offer, by=UserActor(acme.owner))
        workspaces.archive(acme.workspace, by=UserActor(acme.owner))
        accepted = answers.accept(invited.invitation, token=invited.token.clear, by=UserActor(newcomer))
        assert not accepted.membership.workspaces.exists()

    def test_the_copied_link_proves_no_mailbox(self, acme: Company, globex: Company, unproved: User) -> None:
        invited = invitations.invite(acme.organization, NEWCOMER, MEMBER, by=UserActor(acme.owner))
        elsewhere = invitations.invite(globex.organization, NEWCOMER, MEMBER, by=UserActor(globex.owner))
        answers.accept(invited.invitation, token=invited.token.clear, by=UserActor(unproved))
        assert not EmailAddress.objects.filter(user=unproved, verified=True).exists()
        assert answers.waiting_for(unproved) == []
        with pytest.raises(Missing):
            answers.accept(elsewhere.invitation, by=UserActor(unproved))

    def test_the_mailed_link_does(
        self, acme: Company, globex: Company, unproved: User, django_capture_on_commit_callbacks
    ) -> None:
        elsewhere = invitations.invite(globex.organization, NEWCOMER, MEMBER, by=UserActor(globex.owner))
        with django_capture_on_commit_callbacks(execute=True):
            invited = invitations.invite(acme.organization, NEWCOMER, MEMBER, by=UserActor(acme.owner))
        invitation = Invitation.objects.get(pk=invited.invitation.pk)
        answers.accept(invitation, token=mailed_token(), by=UserActor(unproved))
        assert EmailAddress.objects.filter(user=unproved, verified=True).exists()
        assert answers.waiting_for(unproved) == [elsewhere.invitation]
        answers.accept(elsewhere.invitation, by=UserActor(unproved))

    def test_another_invitations_token_opens_nothing(self, acme: Company, globex: Company, newcomer: User) -> None:
        mine = invitations.invite(acme.organization, NEWCOMER, MEMBER, by=UserActor(acme.owner))
        other = invitations.invite(globex.organization, NEWCOMER, MEMBER, by=UserActor(globex.owner))
        with pytest.raises(Missing):
            answers.accept(mine.invitation, token=other.token.clear, by=UserActor(newcomer))

    @pytest.mark.parametrize(
        "token", ["", "x", "gthi_" + "0" * 38, "gthi_", "\0", "gtho_" + "0" * 38, "gthi_" + "é" * 38]
    )
    def test_junk_is_found_nowhere_and_asks_nothing(self, db: None, token: str, django_assert_num_queries) -> None:
        with django_assert_num_queries(0), pytest.raises(Missing):
            answers.find(token)


class TestResendingAndCopying:
    def test_a_second_letter_voids_the_first(
        self, acme: Company, newcomer: User, django_capture_on_commit_callbacks
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            invited = invitations.invite(acme.organization, NEWCOMER, MEMBER, by=UserActor(acme.owner))
        first = mailed_token()
        with django_capture_on_commit_callbacks(execute=True):
            invitations.resend(invited.invitation, by=UserActor(acme.admin))
        with pytest.raises(Missing):
            answers.find(first)
        assert answers.find(mailed_token()) == invited.invitation

    def test_it_keeps_role_and_workspaces_and_gives_seven_more_days(self, acme: Company) -> None:
        offer = Offer(OrganizationRole.ADMIN, [seat(acme)])
        invited = invitations.invite(acme.organization, NEWCOMER, offer, by=UserActor(acme.owner))
        with time_machine.travel(now() + timedelta(days=30), tick=False):
            again = invitations.resend(invited.invitation, by=UserActor(acme.owner))
            assert again.is_open
            assert again.expires_at == now() + timedelta(days=7)
        assert again.role == OrganizationRole.ADMIN
        assert [row.workspace for row in again.workspaces.all()] == [acme.workspace]

    def test_a_new_copy_voids_the_older(self, acme: Company) -> None:
        invited = invitations.invite(acme.organization, NEWCOMER, MEMBER, by=UserActor(acme.owner))
        copied = invitations.copy_link(invited.invitation, by=UserActor(acme.admin))
        assert answers.find(copied.token.clear) == invited.invitation
        with pytest.raises(Missing):
            answers.find(invited.token.clear)

    def test_who_could_not_invite_cannot_resend_copy_or_cancel(self, acme: Company) -> None:
        for act in (invitations.resend, invitations.copy_link, invitations.cancel):
            with pytest.raises(Forbidden):
                act(acme.invitation, by=UserActor(acme.manager))

    def test_an_answered_one_is_neither_sent_nor_cancelled(self, acme: Company, newcomer: User) -> None:
        invited = invitations.invite(acme.organization, NEWCOMER, MEMBER, by=UserActor(acme.owner))
        answers.accept(invited.invitation, token=invited.token.clear, by=UserActor(newcomer))
        for act in (invitations.resend, invitations.copy_link, invitations.cancel):
            with pytest.raises(Conflict, match="accepted already"):
                act(invited.invitation, by=UserActor(acme.owner))


class TestChangingTheRole:
    def test_offers_another_role_to_the_same_link(self, acme: Company, newcomer: User) -> None:
        invited = invitations.invite(acme.organization, NEWCOMER, MEMBER, by=UserActor(acme.owner))
        changed = invitations.change_role(invited.invitation, OrganizationRole.ADMIN, by=UserActor(acme.owner))
        assert changed.role == OrganizationRole.ADMIN
        accepted = answers.accept(changed, token=invited.token.clear, by=UserActor(newcomer))
        assert accepted.membership.role == OrganizationRole.ADMIN

    def test_writes_a_line(self, acme: Company) -> None:
        invitations.change_role(acme.invitation, OrganizationRole.ADMIN, by=UserActor(acme.owner))
        line = AuditEvent.objects.filter(event="invitation.role_changed").latest("id")
        assert (line.details["before"], line.details["after"]) == ({"role": "member"}, {"role": "admin"})

    def test_the_same_role_again_changes_nothing(self, acme: Company) -> None:
        same = invitations.change_role(acme.invitation, OrganizationRole.MEMBER, by=UserActor(acme.owner))
        assert same.version == acme.invitation.version
        assert not AuditEvent.objects.filter(event="invitation.role_changed").exists()

    def test_only_owners_make_or_unmake_an_owner_of_somebody_invited(self, acme: Company) -> None:
        """ES-03."""
        with pytest.raises(Forbidden):
            invitations.change_role(acme.invitation, OrganizationRole.OWNER, by=UserActor(acme.admin))
        invitations.change_role(acme.invitation, OrganizationRole.OWNER, by=UserActor(acme.owner))
        with pytest.raises(Forbidden):
            invitations.change_role(acme.invitation, OrganizationRole.MEMBER, by=UserActor(acme.admin))

    @pytest.mark.parametrize("person", ["member", "manager", "bystander"])
    def test_members_change_nobodys(self, acme: Company, person: str) -> None:
        with pytest.raises(Forbidden):
            invitations.change_role(acme.invitation, OrganizationRole.MEMBER, by=UserActor(acme[person]))

    def test_whoever_changes_it_stands_for_it(self, acme: Company, newcomer: User) -> None:
        invited = invitations.invite(acme.organization, NEWCOMER, MEMBER, by=UserActor(acme.owner))
        invitations.change_role(invited.invitation, OrganizationRole.ADMIN, by=UserActor(acme.admin))
        memberships.change_role(acme.membership(acme.admin), OrganizationRole.MEMBER, by=system())
        with pytest.raises(Conflict, match="no longer offer"):
            answers.accept(invited.invitation, token=invited.token.clear, by=UserActor(newcomer))

    def test_of_a_stale_page_is_refused(self, acme: Company) -> None:
        with pytest.raises(Stale):
            invitations.change_role(acme.invitation, OrganizationRole.ADMIN, version=99, by=UserActor(acme.owner))

    def test_an_expired_one_is_sent_again_first(self, acme: Company) -> None:
        with time_machine.travel(now() + timedelta(days=8)), pytest.raises(Conflict, match="expired"):
            invitations.change_role(acme.invitation, OrganizationRole.ADMIN, by=UserActor(acme.owner))

    def test_an_answered_one_stays_as_it_was(self, acme: Company, newcomer: User) -> None:
        invited = invitations.invite(acme.organization, NEWCOMER, MEMBER, by=UserActor(acme.owner))
        answers.accept(invited.invitation, token=invited.token.clear, by=UserActor(newcomer))
        with pytest.raises(Conflict, match="accepted already"):
            invitations.change_role(invited.invitation, OrganizationRole.ADMIN, by=UserActor(acme.owner))


class TestDeclining:
    @pytest.mark.parametrize("signed_in", [True, False])
    def test_whoever_holds_the_link_may(self, acme: Company, signed_in: bool) -> None:
        invited = invitations.invite(acme.organization, NEWCOMER, MEMBER, by=UserActor(acme.owner))
        by = UserActor(UserFactory()) if signed_in else NobodyActor()
        declined = answers.decline(invited.invitation, token=invited.token.clear, by=by)
        assert declined.shown_status == Invitation.Status.CANCELLED
        assert AuditEvent.objects.filter(event="invitation.declined").count() == 1

    def test_nobody_else_may(self, acme: Company) -> None:
        with pytest.raises(Missing):
            answers.decline(acme.invitation, token="gthi_" + "0" * 38, by=NobodyActor())
        with pytest.raises(Missing):
            answers.decline(acme.invitation, by=NobodyActor())


def test_a_letter_speaks_the_language_and_tells_the_time_of_its_reader(
    acme: Company, newcomer: User, settings, django_capture_on_commit_callbacks
) -> None:
    User.objects.filter(pk=newcomer.pk).update(timezone="Asia/Tokyo", language="de")
    with translation.override("en"), django_capture_on_commit_callbacks(execute=True):
        invitations.invite(acme.organization, NEWCOMER, MEMBER, by=UserActor(acme.owner))
        invitations.invite(acme.organization, "unknown@x.example", MEMBER, by=UserActor(acme.owner))
    to_reader, to_stranger = mail.outbox
    assert "(Asia/Tokyo)" in to_reader.body
    assert '<html lang="de"' in to_reader.alternatives[0].content
    assert "(UTC)" in to_stranger.body
    assert '<html lang="en"' in to_stranger.alternatives[0].content
    assert "Owner of Acme invites you" in to_stranger.body


def test_a_letter_cannot_be_made_to_say_something_else(acme: Company, django_capture_on_commit_callbacks) -> None:
    organizations.update(acme.organization, name="<a href=//evil>Click</a>", by=UserActor(acme.owner))
    with django_capture_on_commit_callbacks(execute=True):
        invitations.invite(acme.organization, NEWCOMER, MEMBER, by=UserActor(acme.owner))
    letter = mail.outbox[-1]
    html = letter.alternatives[0].content
    assert "<a href=//evil>" not in html
    assert html.count("<a ") == 1
    assert "\n" not in letter.subject
    assert letter.message()["To"] == NEWCOMER
