"""The list of members: what it tells to whom, how it is narrowed and sorted, and how each reader arranges it."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator

from apps.access.roles import OrganizationRole
from apps.core.clock import now
from apps.memberships import listing
from apps.memberships import operations as memberships
from apps.memberships.models import OrganizationMembership
from tests.factories import UserFactory
from tests.memberships.test_pages import crowd, emails, root
from tests.world import Company, World, system

EVERY_COLUMN = {"role", "workspaces", "keys", "factor", "seen", "joined"}


def page(company: Company) -> str:
    return f"{root(company)}/members/"


def columns(answer: Any) -> list[str]:
    return [column.name for column in answer.context["columns"]]


def lines(answer: Any) -> list[dict[str, str]]:
    text = b"".join(answer.streaming_content).decode().lstrip("\ufeff")
    return list(csv.DictReader(io.StringIO(text)))


def arranged(**changes: str) -> dict[str, str]:
    """The form of the columns as it is at first, with some of it changed."""
    names = [column.name for column in listing.COLUMNS]
    places = {f"place_{name}": str(place) for place, name in enumerate(names, start=1)}
    return {**places, **{f"show_{name}": "on" for name in names if name != "added"}, **changes}


class TestTheColumns:
    def test_are_all_there_for_an_admin(self, sign_in: Any, acme: Company) -> None:
        assert set(columns(sign_in(acme.admin).get(page(acme)))) == EVERY_COLUMN

    @pytest.mark.parametrize("person", ["manager", "member", "bystander"])
    def test_say_nothing_of_keys_and_factors_to_others(self, sign_in: Any, acme: Company, person: str) -> None:
        answer = sign_in(acme[person]).get(page(acme))
        assert set(columns(answer)) == EVERY_COLUMN - {"keys", "factor"}
        assert 'name="factor"' not in answer.content.decode()
        assert 'name="show_factor"' not in answer.content.decode()

    def test_count_personal_keys_that_are_not_revoked(self, sign_in: Any, acme: Company) -> None:
        rows = sign_in(acme.owner).get(page(acme)).context["page"].rows
        assert {row.user.email: row.key_count for row in rows if row.key_count} == {acme.member.email: 1}

    def test_say_who_has_a_second_factor(self, sign_in: Any, acme: Company) -> None:
        Authenticator.objects.create(user=acme.member, type=Authenticator.Type.TOTP, data={})
        Authenticator.objects.create(user=acme.manager, type=Authenticator.Type.RECOVERY_CODES, data={})
        rows = sign_in(acme.owner).get(page(acme)).context["page"].rows
        assert [row.user.email for row in rows if row.has_factor] == [acme.member.email]

    def test_are_kept_in_the_order_somebody_chose(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        sent = arranged(place_joined="1", place_role="6", show_added="on", show_keys="")
        answer = browser.post(f"{page(acme)}columns/", {**sent, "next": f"{page(acme)}?role=member"})
        assert answer["Location"] == f"{page(acme)}?role=member"
        shown = columns(browser.get(page(acme)))
        assert shown[0] == "joined"
        assert "added" in shown
        assert "keys" not in shown
        assert columns(sign_in(acme.admin).get(page(acme)))[0] == "role"

    def test_are_as_usual_again_when_asked(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        browser.post(f"{page(acme)}columns/", arranged(show_role=""))
        assert "role" not in columns(browser.get(page(acme)))
        browser.post(f"{page(acme)}columns/", arranged(usual="on"))
        assert set(columns(browser.get(page(acme)))) == EVERY_COLUMN

    @pytest.mark.parametrize("odd", [{"show_salary": "on"}, {"place_role": "99"}, {"place_role": "x"}])
    def test_there_are_not_are_refused(self, sign_in: Any, acme: Company, odd: dict[str, str]) -> None:
        browser = sign_in(acme.owner)
        assert browser.post(f"{page(acme)}columns/", arranged(**odd)).status_code == 400
        assert columns(browser.get(page(acme)))[0] == "role"

    def test_of_others_cannot_be_asked_for(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.member)
        assert browser.post(f"{page(acme)}columns/", arranged()).status_code == 400
        acme.member.preferences = {listing.PREFERENCE: ["factor", "keys", "salary", "role"]}
        acme.member.save()
        assert columns(browser.get(page(acme))) == ["role"]

    @pytest.mark.parametrize("kept", ["role", 7, {"role": 1}, None])
    def test_are_the_usual_ones_where_what_was_kept_makes_no_sense(
        self, sign_in: Any, acme: Company, kept: Any
    ) -> None:
        acme.owner.preferences = {listing.PREFERENCE: kept}
        acme.owner.save()
        assert set(columns(sign_in(acme.owner).get(page(acme)))) == EVERY_COLUMN


class TestNarrowing:
    def test_finds_by_how_words_of_name_or_address_begin(self, sign_in: Any, acme: Company) -> None:
        memberships.join(
            UserFactory(email="ak@crowd.example", first_name="Ana", last_name="Kovač"),
            acme.organization,
            OrganizationRole.MEMBER,
            by=system(),
        )
        browser = sign_in(acme.member)
        for asked in ("an ko", "KOV", "ak@cr", "kovac ana"):
            assert emails(browser.get(page(acme), {"q": asked})) == ["ak@crowd.example"], asked
        assert emails(browser.get(page(acme), {"q": "ana x"})) == []

    def test_by_workspace_knows_only_those_the_reader_does(self, sign_in: Any, acme: Company) -> None:
        asked = {"workspace": acme.workspace.slug}
        assert acme.member.email in emails(sign_in(acme.owner).get(page(acme), asked))
        assert acme.bystander.email not in emails(sign_in(acme.owner).get(page(acme), asked))
        assert emails(sign_in(acme.bystander).get(page(acme), asked)) == []

    def test_by_status(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.member)
        assert emails(browser.get(page(acme), {"status": "suspended"})) == [acme.suspended.email]
        assert acme.suspended.email not in emails(browser.get(page(acme), {"status": "active"}))

    def test_by_second_factor_is_for_those_who_may_know(self, sign_in: Any, acme: Company) -> None:
        Authenticator.objects.create(user=acme.member, type=Authenticator.Type.TOTP, data={})
        browser = sign_in(acme.owner)
        assert emails(browser.get(page(acme), {"factor": "yes"})) == [acme.member.email]
        without = emails(browser.get(page(acme), {"factor": "no"}))
        assert acme.member.email not in without
        assert acme.suspended.email not in without
        assert len(emails(sign_in(acme.member).get(page(acme), {"factor": "yes"}))) == 8

    def test_by_absence_counts_from_the_day_of_joining(self, sign_in: Any, acme: Company) -> None:
        long_ago = now() - timedelta(days=91)
        OrganizationMembership.objects.filter(user=acme.member).update(created_at=long_ago)
        OrganizationMembership.objects.filter(user=acme.admin).update(created_at=long_ago, last_active_at=now())
        assert emails(sign_in(acme.owner).get(page(acme), {"inactive": "90"})) == [acme.member.email]

    @pytest.mark.parametrize("name", ["role", "status", "factor", "inactive"])
    def test_by_a_word_nobody_offered_narrows_nothing(self, sign_in: Any, acme: Company, name: str) -> None:
        assert len(emails(sign_in(acme.owner).get(page(acme), {name: "\x00nonsense"}))) == 8

    def test_is_said_in_chips_that_each_lead_out(self, sign_in: Any, acme: Company) -> None:
        chips = sign_in(acme.owner).get(page(acme), {"role": "owner", "factor": "no", "size": "25"}).context["chips"]
        assert [chip.said for chip in chips] == ["Role: Owner", "Without a second factor"]
        assert chips[0].without == f"{page(acme)}?factor=no&size=25"

    def test_to_nobody_says_by_what_and_how_to_clear(self, sign_in: Any, acme: Company) -> None:
        text = sign_in(acme.owner).get(page(acme), {"q": "zz<b>", "role": "owner"}).content.decode()
        assert "No member matches" in text
        assert "Search: zz&lt;b&gt;" in text
        assert re.search(rf'href="{page(acme)}">Clear</a>', text)


class TestSorting:
    def test_by_name_and_by_address_goes_both_ways(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        by_address = emails(browser.get(page(acme), {"sort": "email"}))
        assert by_address == sorted(by_address)
        assert emails(browser.get(page(acme), {"sort": "-email"})) == by_address[::-1]
        names = [str(row.user) for row in browser.get(page(acme), {"sort": "name"}).context["page"].rows]
        assert names == sorted(names, key=str.casefold)

    def test_by_presence_puts_the_last_seen_first(self, sign_in: Any, acme: Company) -> None:
        later = now() + timedelta(hours=1)
        OrganizationMembership.objects.filter(user=acme.manager).update(last_active_at=later)
        assert emails(sign_in(acme.owner).get(page(acme), {"sort": "-seen"}))[0] == acme.manager.email

    @pytest.mark.parametrize("sort", ["name", "-email", "role", "-role", "seen", "-seen", "joined"])
    def test_pages_follow_one_another_whatever_the_order(self, sign_in: Any, acme: Company, sort: str) -> None:
        crowd(acme, 30)
        browser, met = sign_in(acme.owner), []
        answer = browser.get(page(acme), {"sort": sort, "size": "25"})
        met += emails(answer)
        answer = browser.get(page(acme), {"sort": sort, "size": "25", "after": answer.context["page"].older})
        met += emails(answer)
        assert len(met) == len(set(met)) == 38

    def test_by_what_no_index_serves_is_as_usual(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        assert emails(browser.get(page(acme), {"sort": "keys"})) == emails(browser.get(page(acme)))


class TestTheFile:
    def test_has_those_the_filter_finds_in_their_order(self, sign_in: Any, acme: Company) -> None:
        found = lines(sign_in(acme.owner).get(page(acme), {"format": "csv", "role": "owner", "sort": "email"}))
        assert [line["E-mail"] for line in found] == sorted([acme.owner.email, acme.second_owner.email])
        assert found[0]["Role"] == "Owner"

    def test_has_no_more_than_the_reader_may_know(self, sign_in: Any, acme: Company) -> None:
        known = lines(sign_in(acme.owner).get(page(acme), {"format": "csv"}))[0]
        told = lines(sign_in(acme.bystander).get(page(acme), {"format": "csv"}))
        assert {"API keys", "Second factor"} <= known.keys()
        assert not {"API keys", "Second factor"} & told[0].keys()
        assert not any("Acme Search" in line["Workspaces"] for line in told)

    def test_is_not_for_strangers(self, sign_in: Any, world: World) -> None:
        assert sign_in(world.globex.owner).get(page(world.acme), {"format": "csv"}).status_code == 404


class TestTheRows:
    def test_the_last_owner_is_told_to_add_another_first(self, sign_in: Any, acme: Company) -> None:
        memberships.remove(acme.membership(acme.second_owner), by=system())
        text = sign_in(acme.owner).get(page(acme)).content.decode()
        assert "Add another owner first" in text
        assert f"{root(acme)}/leave/" not in text

    def test_one_of_two_owners_may_leave(self, sign_in: Any, acme: Company) -> None:
        text = sign_in(acme.owner).get(page(acme)).content.decode()
        assert "Add another owner first" not in text
        assert f"{root(acme)}/leave/" in text

    def test_a_role_is_chosen_on_a_page_that_says_first_what_it_changes(self, sign_in: Any, acme: Company) -> None:
        text = sign_in(acme.owner).get(page(acme)).content.decode()
        to = f"{page(acme)}{acme.membership(acme.member).pk}/role/"
        assert f'<form class="role" method="get" action="{to}"' in text

    def test_a_part_keeps_the_filters_that_the_whole_has(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        part = browser.get(page(acme), {"role": "owner"}, headers={"hx-request": "true"})
        assert "<html" not in part.content.decode()
        back = browser.get(
            page(acme), {"role": "owner"}, headers={"hx-request": "true", "hx-history-restore-request": "true"}
        )
        assert "<html" in back.content.decode()

    @pytest.mark.parametrize(
        "query", ["", "?q=crowd", "?q=crowd&role=member&factor=no&inactive=90&status=active", "?sort=seen"]
    )
    @pytest.mark.parametrize("person", ["owner", "manager"])
    def test_cost_the_same_however_many_there_are(
        self, sign_in: Any, acme: Company, django_assert_max_num_queries: Any, person: str, query: str
    ) -> None:
        crowd(acme, 60)
        acme[person].preferences = {listing.PREFERENCE: [column.name for column in listing.COLUMNS]}
        acme[person].save()
        browser = sign_in(acme[person])
        browser.get(page(acme))
        with django_assert_max_num_queries(8):
            assert browser.get(f"{page(acme)}{query}").status_code == 200
