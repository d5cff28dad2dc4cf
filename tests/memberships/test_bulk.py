"""One act on many members: foreseen first, done row by row, refused row by row."""

import re
from typing import Any

import pytest

from apps.access.actors import UserActor
from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.accounts.models import User
from apps.apikeys.models import ApiKey
from apps.core.models import Row
from apps.memberships import bulk
from apps.memberships import operations as memberships
from apps.memberships.models import OrganizationMembership, WorkspaceMembership
from tests.factories import UserFactory
from tests.memberships.test_member_list import lines
from tests.memberships.test_pages import crowd, root
from tests.world import Company, World, system


def page(company: Company) -> str:
    return f"{root(company)}/members/together/"


def ids(company: Company, *people: str) -> list[str]:
    return [str(company.membership(company[person]).pk) for person in people]


def send(browser: Any, company: Company, act: str, *people: str, **more: Any) -> Any:
    """The form as it is on the page, which was looked at before it is confirmed."""
    sent = {"act": act, "chosen": ids(company, *people), **more}
    if more.get("confirmed"):
        shown = browser.post(page(company), {**sent, "confirmed": ""}).context or {}
        sent["seen"] = shown.get("seen", "")
    return browser.post(page(company), sent)


def refused(answer: Any) -> set[str]:
    told = answer.context.get("results") or answer.context["verdicts"]
    return {
        each.member.user.email for each in told if getattr(each, "refusal", "") or not getattr(each, "is_done", True)
    }


class TestBeforeItIsConfirmed:
    @pytest.mark.parametrize("act", ["suspend", "reactivate", "remove"])
    def test_nothing_happens(self, sign_in: Any, acme: Company, act: str) -> None:
        before = list(OrganizationMembership.objects.order_by("pk").values_list("pk", "status", "version"))
        assert send(sign_in(acme.owner), acme, act, "member", "suspended").status_code == 200
        assert list(OrganizationMembership.objects.order_by("pk").values_list("pk", "status", "version")) == before

    def test_a_role_is_asked_for_first(self, sign_in: Any, acme: Company) -> None:
        answer = send(sign_in(acme.owner), acme, "role", "member", confirmed="on")
        assert answer.status_code == 400
        assert "Choose first what it is to be." in answer.content.decode()
        assert "verdicts" not in answer.context

    def test_each_is_told_what_would_happen_or_why_not(self, sign_in: Any, acme: Company) -> None:
        answer = send(sign_in(acme.admin), acme, "remove", "member", "owner", "admin")
        assert refused(answer) == {acme.owner.email, acme.admin.email}
        text = answer.content.decode()
        assert "leaves 1 workspace; 1 personal key is revoked" in text
        assert "You cannot remove yourself" in text

    @pytest.mark.parametrize(
        ("act", "more"),
        [
            ("role", {"role": "admin"}),
            ("role", {"role": "member"}),
            ("suspend", {}),
            ("reactivate", {}),
            ("remove", {"typed": "Acme"}),
        ],
    )
    @pytest.mark.parametrize("person", ["owner", "admin"])
    def test_what_is_foreseen_is_what_comes(
        self, sign_in: Any, acme: Company, person: str, act: str, more: dict[str, str]
    ) -> None:
        everybody = ["owner", "second_owner", "admin", "member", "manager", "suspended"]
        browser = sign_in(acme[person])
        foreseen = refused(send(browser, acme, act, *everybody, **more))
        assert refused(send(browser, acme, act, *everybody, confirmed="on", **more)) == foreseen

    def test_an_owner_is_not_made_among_many(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        asked = send(browser, acme, "role", "member")
        assert [role.value for role, _ in asked.context["offers"]] == ["admin", "member"]
        assert send(browser, acme, "role", "member", role="owner", confirmed="on").status_code == 400
        assert acme.membership(acme.member).role == OrganizationRole.MEMBER

    def test_service_keys_that_would_stay_are_listed(self, sign_in: Any, acme: Company) -> None:
        ApiKey.objects.filter(pk=acme.workspace_key.pk).update(
            created_by=acme.member.pk, created_by_kind=UserActor.kind
        )
        answer = send(sign_in(acme.owner), acme, "remove", "member")
        assert acme.workspace_key.pk in {key.pk for key in answer.context["staying"]}


class TestOnceItIsConfirmed:
    def test_nothing_is_done_that_was_not_shown(self, sign_in: Any, acme: Company) -> None:
        browser, chosen = sign_in(acme.owner), ids(acme, "member", "manager")
        shown = browser.post(page(acme), {"act": "role", "chosen": chosen, "role": "admin"}).context["seen"]
        sent = {"act": "role", "chosen": chosen, "confirmed": "on", "seen": shown}
        memberships.change_role(acme.membership(acme.manager), OrganizationRole.ADMIN, by=system())
        for changed in ({"role": "admin"}, {"role": "member"}, {"role": "admin", "seen": ""}):
            answer = browser.post(page(acme), {**sent, **changed})
            assert answer.status_code == 409
            assert "What this would do has changed since you opened it" in answer.content.decode()
        assert acme.membership(acme.member).role == OrganizationRole.MEMBER

    def test_those_who_were_unticked_are_left_alone(self, sign_in: Any, acme: Company) -> None:
        browser, chosen = sign_in(acme.owner), ids(acme, "member", "manager")
        shown = browser.post(page(acme), {"act": "suspend", "chosen": chosen}).context["seen"]
        sent = {"act": "suspend", "chosen": chosen[:1], "confirmed": "on", "seen": shown}
        assert browser.post(page(acme), sent).context["done"] == 1
        assert acme.membership(acme.manager).is_active

    def test_each_row_says_what_became_of_it(self, sign_in: Any, acme: Company) -> None:
        answer = send(sign_in(acme.admin), acme, "suspend", "member", "owner", "manager", confirmed="on")
        assert (answer.context["done"], answer.context["failed"]) == (2, 1)
        assert refused(answer) == {acme.owner.email}
        assert not acme.membership(acme.member).is_active
        assert acme.membership(acme.owner).is_active

    def test_those_that_failed_stay_chosen_and_can_be_tried_again(self, sign_in: Any, acme: Company) -> None:
        text = send(sign_in(acme.admin), acme, "suspend", "member", "owner", confirmed="on").content.decode()
        failed, done = ids(acme, "owner")[0], ids(acme, "member")[0]
        assert f'value="{failed}" data-pick checked' in text
        assert f'value="{done}"' not in text
        assert "Try those again" in text

    def test_a_role_changes(self, sign_in: Any, acme: Company) -> None:
        send(sign_in(acme.owner), acme, "role", "member", "manager", role="admin", confirmed="on")
        assert {acme.membership(person).role for person in (acme.member, acme.manager)} == {OrganizationRole.ADMIN}

    def test_people_join_a_workspace(self, sign_in: Any, acme: Company) -> None:
        chosen = {"workspace": acme.workspace.slug, "seat": "manager"}
        answer = send(sign_in(acme.owner), acme, "add", "bystander", "member", confirmed="on", **chosen)
        assert refused(answer) == {acme.member.email}
        placed = WorkspaceMembership.objects.get(workspace=acme.workspace, membership__user=acme.bystander)
        assert placed.role == WorkspaceRole.MANAGER

    def test_removal_is_confirmed_by_the_name_of_the_organization(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        assert send(browser, acme, "remove", "member", confirmed="on", typed="acme corp").status_code == 400
        assert acme.membership(acme.member)
        send(browser, acme, "remove", "member", confirmed="on", typed=acme.organization.name)
        assert not OrganizationMembership.objects.filter(organization=acme.organization, user=acme.member).exists()
        acme.user_key.refresh_from_db()
        acme.workspace_key.refresh_from_db()
        assert acme.user_key.status == ApiKey.Status.REVOKED
        assert acme.workspace_key.status == ApiKey.Status.ACTIVE

    def test_the_last_active_owner_stays(self, acme: Company) -> None:
        memberships.suspend(acme.membership(acme.second_owner), by=system())
        act = bulk.Suspend(system())
        (verdict,) = bulk.foresee(act, [acme.membership(acme.owner)])
        assert "at least one active owner" in verdict.refusal

    def test_of_two_owners_only_one_can_go(self, acme: Company) -> None:
        both = [acme.membership(acme.owner), acme.membership(acme.second_owner)]
        for member in both:
            member.key_count = 0
        verdicts = bulk.foresee(bulk.Suspend(system()), both)
        assert [verdict.is_change for verdict in verdicts] == [True, False]
        assert [result.is_done for result in bulk.perform(bulk.Suspend(system()), verdicts)] == [True, False]


class TestEverybodyThatMatches:
    def test_is_found_anew_by_the_filter(self, sign_in: Any, acme: Company) -> None:
        crowd(acme, 30)
        sent = {"act": "suspend", "everybody": "on", "filter": "q=crowd&role=member"}
        verdicts = sign_in(acme.owner).post(page(acme), sent).context["verdicts"]
        assert len(verdicts) == 30

    def test_is_at_most_so_many_at_once_and_says_so(
        self, sign_in: Any, acme: Company, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        crowd(acme, 6)
        monkeypatch.setattr(bulk, "MOST", 5)
        answer = sign_in(acme.owner).post(page(acme), {"act": "suspend", "everybody": "on", "filter": "q=crowd"})
        assert len(answer.context["verdicts"]) == 5
        assert "6 members match. Only 5 can be changed at once" in answer.content.decode()

    def test_with_a_hostile_filter_breaks_nothing(self, sign_in: Any, acme: Company) -> None:
        for odd in ("%", "q=%00", "role=nonsense", "&&==", "q=" + "x" * 3000):
            sent = {"act": "suspend", "everybody": "on", "filter": odd}
            assert sign_in(acme.owner).post(page(acme), sent).status_code == 200


class TestTheFile:
    def test_has_those_that_were_ticked(self, sign_in: Any, acme: Company) -> None:
        found = lines(send(sign_in(acme.owner), acme, "export", "member", "manager"))
        assert {line["E-mail"] for line in found} == {acme.member.email, acme.manager.email}


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        "sent",
        [
            {},
            {"act": "suspend"},
            {"act": "promote", "chosen": "x"},
            {"act": "suspend", "chosen": "not-an-id"},
            {"act": "suspend", "everybody": "on", "filter": "x" * 5000},
            {"act": "role", "role": "king", "everybody": "on"},
            {"act": "suspend", "everybody": "on", "salary": "1"},
        ],
    )
    def test_what_makes_no_sense(self, sign_in: Any, acme: Company, sent: dict[str, str]) -> None:
        assert sign_in(acme.owner).post(page(acme), sent).status_code == 400

    def test_a_workspace_that_is_not_here(self, sign_in: Any, world: World) -> None:
        chosen = {"workspace": world.globex.workspace.slug, "seat": "member"}
        answer = send(sign_in(world.acme.owner), world.acme, "add", "bystander", confirmed="on", **chosen)
        assert answer.status_code == 400

    def test_members_of_others_are_not_found(self, sign_in: Any, world: World) -> None:
        theirs = ids(world.globex, "member")
        answer = sign_in(world.acme.owner).post(page(world.acme), {"act": "suspend", "chosen": theirs})
        assert answer.context["verdicts"] == []
        assert "None of those who were chosen is here any more." in answer.content.decode()

    @pytest.mark.parametrize("person", ["manager", "member", "bystander"])
    def test_those_who_may_not(self, sign_in: Any, acme: Company, person: str) -> None:
        assert send(sign_in(acme[person]), acme, "suspend", "bystander", confirmed="on").status_code == 403


class TestTheCost:
    @pytest.mark.parametrize(
        ("act", "more"), [("suspend", {}), ("remove", {}), ("role", {"role": "admin"}), ("add", {"seat": "member"})]
    )
    def test_is_the_same_however_many_there_are(
        self, sign_in: Any, acme: Company, django_assert_max_num_queries: Any, act: str, more: dict[str, str]
    ) -> None:
        crowd(acme, 40)
        sent = {"act": act, "everybody": "on", "filter": "role=member", "workspace": acme.workspace.slug, **more}
        browser = sign_in(acme.owner)
        browser.post(page(acme), sent)
        with django_assert_max_num_queries(8):
            assert browser.post(page(acme), sent).status_code == 200

    def test_as_many_as_can_be_chosen_can_be_confirmed(self, sign_in: Any, acme: Company) -> None:
        """The form as a browser sends it: its fields, counted, are fewer than a request may have."""
        people = [UserFactory.build(email=f"many{number}@crowd.example") for number in range(bulk.MOST + 1)]
        User.objects.bulk_create(people)
        made = {"organization": acme.organization, "role": OrganizationRole.MEMBER, **Row.authored(system())}
        OrganizationMembership.objects.bulk_create(OrganizationMembership(user=user, **made) for user in people)
        browser, last = sign_in(acme.owner), OrganizationMembership.objects.order_by("pk").last()
        OrganizationMembership.objects.filter(pk=last.pk).update(role=OrganizationRole.ADMIN)
        sent = {"act": "role", "role": "member"}
        text = browser.post(page(acme), {**sent, "everybody": "on", "filter": ""}).content.decode()
        fields = re.findall(r'<input type="(?:hidden|checkbox)" name="(seen|chosen)" value="([^"]*)"', text)
        given: dict[str, list[str]] = {"seen": [], "chosen": []}
        for name, value in fields:
            given[name].append(value)
        assert len(given["chosen"]) == bulk.MOST
        answer = browser.post(page(acme), {**sent, **given, "confirmed": "on"})
        assert (answer.status_code, answer.context["done"], answer.context["failed"]) == (200, 1, 0)
        last.refresh_from_db()
        assert last.role == OrganizationRole.MEMBER
