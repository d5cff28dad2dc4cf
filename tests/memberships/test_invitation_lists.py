"""What people paste, and what is said of each entry before anybody is asked."""

import pytest

from apps.access.actors import UserActor
from apps.access.roles import OrganizationRole
from apps.core.errors import Conflict, Invalid
from apps.memberships import invitations
from apps.memberships.invitations import Offer
from apps.memberships.models import Invitation
from apps.memberships.pasting import entries
from apps.memberships.verdicts import Standing, judge
from tests.factories import UserFactory
from tests.world import Company, World

MEMBER = Offer(OrganizationRole.MEMBER)


def addresses(text: str) -> list[str]:
    return [entry.address for entry in entries(text)]


class TestPasting:
    @pytest.mark.parametrize(
        "between", [",", ", ", ";", " ; ", "\n", "\r\n", "\t", " ", ",\n", "\uff0c", "\u2028", "\u060c"]
    )
    def test_addresses_stand_apart_however_they_are_separated(self, between: str) -> None:
        assert addresses(f"a@x.example{between}b@x.example") == ["a@x.example", "b@x.example"]

    @pytest.mark.parametrize(
        "written",
        [
            *("a@x.example", "<a@x.example>", "Ana <a@x.example>", "Ana Koch <a@x.example>,", "mailto:a@x.example"),
            *('"Koch, Ana" <a@x.example>', "Koch, Ana <a@x.example>", '"Koch; Ana" <a@x.example>', "(a@x.example)"),
            *("'a@x.example'", "\u00a0a@x.example\u200b", "Ana <a@x.example>.", '"Ana" <a@x.example>'),
        ],
    )
    def test_names_are_left_beside(self, written: str) -> None:
        assert addresses(written) == ["a@x.example"]

    def test_a_line_of_a_letter_is_read_as_its_program_wrote_it(self) -> None:
        line = 'Koch, Ana <a@x.example>; "Lee, Kim" <k@x.example>, Bo <b@x.example>, Roe, Rich <r@x.example>'
        assert addresses(line) == ["a@x.example", "k@x.example", "b@x.example", "r@x.example"]

    def test_what_is_no_address_stays_an_entry_of_its_own(self) -> None:
        assert addresses("a@x.example, nonsense, bob.example.com, Kim <k@x.example>") == [
            *("a@x.example", "nonsense", "bob.example.com", "k@x.example")
        ]

    def test_an_entry_remembers_how_it_was_typed(self) -> None:
        assert [entry.typed for entry in entries("Ana  <a@x>, b@")] == ["Ana  <a@x>", "b@"]

    @pytest.mark.parametrize("text", ["", " ,;\n\t", ",,,", "\u2028"])
    def test_nothing_is_nothing(self, text: str) -> None:
        assert entries(text) == []

    def test_a_quote_that_is_never_closed_swallows_nothing(self) -> None:
        assert addresses('"Ana <a@x.example>, b@x.example') == ["a@x.example", "b@x.example"]

    @pytest.mark.parametrize("odd", ['"', '"a,', "<", "<a> ", ">. ", "@ ", "a,", " "])
    def test_hostile_text_takes_no_time(self, odd: str) -> None:
        entries(odd * 20_000)


class TestVerdicts:
    def test_say_what_each_address_is_here(self, acme: Company) -> None:
        pasted = f"new@x.example, {acme.member.email}, {acme.invitation.email}, nonsense, NEW@x.example"
        assert [verdict.standing for verdict in judge(acme.organization, entries(pasted))] == [
            *(Standing.WELCOME, Standing.MEMBER, Standing.INVITED, Standing.MALFORMED, Standing.TWICE)
        ]

    def test_agree_with_what_inviting_then_does(self, acme: Company) -> None:
        pasted = [*entries(f"new@x.example,{acme.suspended.email},{acme.invitation.email},a@b,m\u0131ke@x.example")]
        for verdict in judge(acme.organization, pasted):
            try:
                invitations.invite(
                    acme.organization, verdict.address or verdict.typed, MEMBER, by=UserActor(acme.owner)
                )
            except (Conflict, Invalid):
                assert not verdict.is_welcome
            else:
                assert verdict.is_welcome

    def test_tell_nothing_about_other_organizations_or_accounts(self, world: World) -> None:
        UserFactory(email="somebody@x.example")
        pasted = entries(f"somebody@x.example, {world.globex.member.email}, {world.globex.invitation.email}")
        assert {verdict.standing for verdict in judge(world.acme.organization, pasted)} == {Standing.WELCOME}

    def test_an_expired_invitation_is_in_nobodys_way(self, acme: Company) -> None:
        Invitation.objects.filter(pk=acme.invitation.pk).update(expires_at=acme.invitation.created_at)
        (verdict,) = judge(acme.organization, entries(acme.invitation.email))
        assert verdict.is_welcome

    def test_cost_one_query_however_many_there_are(self, acme: Company, django_assert_num_queries) -> None:
        with django_assert_num_queries(1):
            judge(acme.organization, entries(",".join(f"a{n}@x.example" for n in range(100))))
