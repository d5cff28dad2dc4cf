"""The pages about one member: who they are, another role, a pause, the end."""

import re
from typing import Any

import pytest
from django.utils.http import urlencode

from apps.access.actors import UserActor
from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.access.scopes import KeyType, every_scope
from apps.apikeys import operations as apikeys
from apps.apikeys.models import ApiKey
from apps.memberships import listing
from apps.memberships import operations as memberships
from apps.memberships.models import OrganizationMembership, WorkspaceMembership
from apps.organizations.models import Organization
from apps.workspaces import operations as workspaces
from tests.factories import PASSWORD
from tests.memberships.confirming import assert_stale, confirm, shown, squeezed, undo_of
from tests.memberships.test_pages import member_page, root
from tests.world import Company, World, system


def detail(company: Company, person: str) -> str:
    return f"{root(company)}/members/{company.membership(company[person]).pk}/"


def role_page(company: Company, person: str, role: str) -> str:
    return f"{member_page(company, person, 'role')}?role={role}"


class TestOnePerson:
    @pytest.mark.parametrize("reader", ["owner", "admin", "manager", "member", "bystander"])
    def test_is_there_for_everybody_in_the_organization(self, sign_in: Any, acme: Company, reader: str) -> None:
        answer = sign_in(acme[reader]).get(detail(acme, "manager"))
        assert answer.status_code == 200
        assert acme.manager.email in answer.content.decode()

    def test_is_not_there_for_anybody_else(self, sign_in: Any, world: World) -> None:
        page = detail(world.acme, "manager")
        assert sign_in(world.globex.owner).get(page).status_code == 404
        theirs = world.globex.membership(world.globex.member).pk
        assert sign_in(world.acme.owner).get(f"{root(world.acme)}/members/{theirs}/").status_code == 404

    def test_is_told_with_every_grant_and_where_it_comes_from(self, sign_in: Any, acme: Company) -> None:
        text = squeezed(sign_in(acme.owner).get(detail(acme, "manager")))
        assert "Acme Search Manager · direct" in text
        assert "Acme Member · direct" in text
        assert "Every workspace Admin · through the role in the organization" in squeezed(
            sign_in(acme.owner).get(detail(acme, "admin"))
        )

    @pytest.mark.parametrize(("reader", "is_told"), [("owner", True), ("admin", True), ("manager", False)])
    def test_says_who_added_them_to_those_who_may_know(
        self, sign_in: Any, acme: Company, reader: str, is_told: bool
    ) -> None:
        OrganizationMembership.objects.filter(user=acme.member).update(created_by=acme.second_owner.pk)
        text = squeezed(sign_in(acme[reader]).get(detail(acme, "member")))
        assert (f"by {acme.second_owner} ," in text) is is_told
        assert (str(acme.second_owner) in text) is is_told

    @pytest.mark.parametrize("adder", ["operator", "elsewhere", "gone"])
    @pytest.mark.parametrize("reader", ["owner", "member"])
    def test_names_nobody_who_is_not_in_the_organization(
        self, sign_in: Any, world: World, reader: str, adder: str
    ) -> None:
        acme = world.acme
        who = {"operator": world.operator, "elsewhere": world.globex.owner, "gone": acme.second_owner}[adder]
        if adder == "gone":
            memberships.remove(acme.membership(who), by=system())
        OrganizationMembership.objects.filter(user=acme.manager).update(created_by=who.pk)
        browser = sign_in(acme[reader])
        pages = [browser.get(detail(acme, "manager")).content]
        if reader == "owner":
            browser.post(f"{root(acme)}/members/columns/", {"show_added": "on", **_PLACES})
            listed = browser.get(f"{root(acme)}/members/?q=manager")
            assert "added" in [column.name for column in listed.context["columns"]]
            sheet = browser.get(f"{root(acme)}/members/?q=manager&format=csv")
            pages += [listed.content, b"".join(sheet.streaming_content)]
        for text in pages:
            assert str(who) not in text.decode()
            assert who.email not in text.decode()

    def test_says_nothing_of_workspaces_the_reader_is_not_in(self, sign_in: Any, acme: Company) -> None:
        assert "Acme Search" not in sign_in(acme.bystander).get(detail(acme, "manager")).content.decode()

    @pytest.mark.parametrize(
        ("reader", "tabs"),
        [
            ("owner", ["access", "keys", "activity"]),
            ("admin", ["access", "keys", "activity"]),
            ("manager", ["access"]),
            ("member", ["access", "keys"]),  # their own page
            ("bystander", ["access"]),
        ],
    )
    def test_has_the_tabs_a_reader_may_open(self, sign_in: Any, acme: Company, reader: str, tabs: list[str]) -> None:
        browser, page = sign_in(acme[reader]), detail(acme, "member")
        assert list(browser.get(page).context["tabs"]) == tabs
        for tab in ("keys", "activity", "nonsense"):
            assert browser.get(page, {"tab": tab}).context["tab"] == (tab if tab in tabs else "access")

    def test_keeps_keys_from_those_who_may_not_see_them(self, sign_in: Any, acme: Company) -> None:
        page = f"{detail(acme, 'member')}?tab=keys"
        assert acme.user_key.mask in sign_in(acme.owner).get(page).content.decode()
        assert acme.user_key.mask in sign_in(acme.member).get(page).content.decode()
        for reader in ("manager", "bystander", "workspace_admin"):
            assert acme.user_key.mask not in sign_in(acme[reader]).get(page).content.decode()

    def test_shows_the_service_keys_they_made(self, sign_in: Any, acme: Company) -> None:
        page = f"{detail(acme, 'owner')}?tab=keys"
        text = sign_in(acme.admin).get(page).content.decode()
        assert acme.organization_key.mask in text
        assert acme.workspace_key.mask in text
        assert acme.secrets["workspace_key"] not in text

    def test_tells_what_happened_to_them(self, sign_in: Any, acme: Company) -> None:
        memberships.change_role(acme.membership(acme.member), OrganizationRole.ADMIN, by=UserActor(acme.owner))
        text = squeezed(sign_in(acme.owner).get(f"{detail(acme, 'member')}?tab=activity"))
        assert "role from member to admin" in text

    def test_says_whether_there_is_a_second_factor_to_those_who_manage_people(
        self, sign_in: Any, acme: Company
    ) -> None:
        fact = "<dt>Second factor</dt>"
        assert fact in sign_in(acme.admin).get(detail(acme, "member")).content.decode()
        assert fact not in sign_in(acme.manager).get(detail(acme, "member")).content.decode()

    def test_offers_nothing_that_would_be_refused(self, sign_in: Any, acme: Company) -> None:
        acts = ("/role/", "/suspend/", "/remove/", "/add/")
        for reader, whom in (("member", "manager"), ("admin", "owner"), ("owner", "owner")):
            text = sign_in(acme[reader]).get(detail(acme, whom)).content.decode()
            assert not [act for act in acts if f"{detail(acme, whom)}{act[1:]}" in text]
        text = sign_in(acme.admin).get(detail(acme, "member")).content.decode()
        assert all(f"{detail(acme, 'member')}{act[1:]}" in text for act in acts)


_PLACES = {f"place_{column.name}": str(place) for place, column in enumerate(listing.COLUMNS, start=1)}


class TestAskingWhatSomebodyCanDo:
    def ask(self, browser: Any, acme: Company, person: str, **asked: str) -> str:
        return squeezed(browser.get(f"{detail(acme, person)}?{urlencode(asked)}"))

    def test_is_answered_with_the_way(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        text = self.ask(browser, acme, "manager", can="publish prompts")
        assert re.search(r"Yes, .{0,3}Manager of Acme.{0,3} can publish prompts", text)
        assert "Acme Search Manager · direct" in text

    def test_is_answered_with_the_roles_that_could(self, sign_in: Any, acme: Company) -> None:
        text = self.ask(sign_in(acme.owner), acme, "member", can="who can publish prompts?")
        assert "publish prompts in" in text
        assert "Roles that include it: Organization owner, Organization admin, Workspace admin" in text

    def test_is_about_one_workspace_where_one_is_named(self, sign_in: Any, acme: Company) -> None:
        text = self.ask(sign_in(acme.owner), acme, "manager", action="prompts.publish", workspace=acme.workspace.slug)
        assert "Yes," in text

    def test_is_no_while_somebody_is_suspended(self, sign_in: Any, acme: Company) -> None:
        assert "No," in self.ask(sign_in(acme.owner), acme, "suspended", can="publish prompts")

    @pytest.mark.parametrize("asked", ["xyzzy", "\x00", "%" * 3000, "'; drop table", "é" * 400])
    def test_takes_anything(self, sign_in: Any, acme: Company, asked: str) -> None:
        browser = sign_in(acme.owner)
        for name in ("can", "action", "workspace", "tab"):
            assert browser.get(detail(acme, "member"), {name: asked}).status_code == 200


class TestAnotherRole:
    def test_is_shown_before_it_is_given(self, sign_in: Any, acme: Company) -> None:
        browser, page = sign_in(acme.owner), role_page(acme, "member", "admin")
        text = squeezed(browser.get(page))
        assert "As admin, this person… Acme" in text
        assert "Members Create, Update, Delete" in text
        assert "scopes take effect" in text
        assert acme.membership(acme.member).role == OrganizationRole.MEMBER

    def test_is_given_and_can_be_taken_back(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        answer = confirm(browser, role_page(acme, "member", "admin"))
        assert answer["Location"] == detail(acme, "member")
        assert acme.membership(acme.member).role == OrganizationRole.ADMIN
        said = squeezed(follow := browser.get(answer["Location"]))
        assert "is now admin" in said
        fields = dict(re.findall(r'name="(role|version|seen)" value="([^"]*)"', follow.content.decode()))
        assert fields["role"] == "member"
        assert browser.post(member_page(acme, "member", "role"), fields).status_code == 302
        assert acme.membership(acme.member).role == OrganizationRole.MEMBER

    def test_brings_the_reader_back_to_the_list_they_came_from(self, sign_in: Any, acme: Company) -> None:
        back = f"{root(acme)}/members/?role=member"
        answer = confirm(sign_in(acme.owner), role_page(acme, "member", "admin"), next=back)
        assert answer["Location"] == back

    def test_is_refused_when_what_it_does_has_changed(self, sign_in: Any, acme: Company) -> None:
        browser, page = sign_in(acme.owner), role_page(acme, "bystander", "admin")
        read = shown(browser, page)
        member = acme.membership(acme.bystander)
        memberships.add_to_workspace(acme.workspace, member, WorkspaceRole.MANAGER, by=system())
        answer = browser.post(member_page(acme, "bystander", "role"), read)
        assert answer.status_code == 409
        assert "has changed since you opened it" in answer.content.decode()
        assert acme.membership(acme.bystander).role == OrganizationRole.MEMBER
        again = dict(re.findall(r'name="(seen|version|role)" value="([^"]*)"', answer.content.decode()))
        assert browser.post(member_page(acme, "bystander", "role"), again).status_code == 302

    def test_is_refused_on_an_older_version(self, sign_in: Any, acme: Company) -> None:
        browser, page = sign_in(acme.owner), role_page(acme, "bystander", "admin")
        read = shown(browser, page)
        memberships.suspend(acme.membership(acme.bystander), by=system())
        memberships.reactivate(acme.membership(acme.bystander), by=system())
        answer = browser.post(member_page(acme, "bystander", "role"), read)
        assert answer.status_code == 409
        assert "changed this after you opened it" in answer.content.decode()
        assert acme.membership(acme.bystander).role == OrganizationRole.MEMBER

    @pytest.mark.parametrize("missing", ["seen", "version", "role"])
    def test_is_not_given_by_half_a_form(self, sign_in: Any, acme: Company, missing: str) -> None:
        browser, page = sign_in(acme.owner), role_page(acme, "member", "admin")
        sent = {name: value for name, value in shown(browser, page).items() if name != missing}
        answer = browser.post(member_page(acme, "member", "role"), sent)
        assert answer.status_code == 400
        assert answer.context["form"].errors.keys() == {missing}
        assert acme.membership(acme.member).role == OrganizationRole.MEMBER

    @pytest.mark.parametrize(
        ("person", "whom", "role"),
        [
            ("admin", "member", "owner"),  # making an owner
            ("admin", "owner", "member"),  # unmaking one
            ("admin", "second_owner", "admin"),
            ("member", "bystander", "admin"),
            ("manager", "bystander", "admin"),
        ],
    )
    def test_beyond_ones_own_is_neither_shown_nor_given(
        self, sign_in: Any, acme: Company, person: str, whom: str, role: str
    ) -> None:
        browser, before = sign_in(acme[person]), acme.membership(acme[whom]).role
        assert browser.get(role_page(acme, whom, role)).status_code == 403
        assert browser.post(member_page(acme, whom, "role"), {"role": role}).status_code == 403
        assert acme.membership(acme[whom]).role == before

    def test_is_not_ones_own_to_change(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        assert browser.get(member_page(acme, "owner", "role")).status_code == 409
        assert browser.post(member_page(acme, "owner", "role"), {"role": "member"}).status_code == 409
        assert acme.membership(acme.owner).role == OrganizationRole.OWNER

    @pytest.mark.parametrize("role", ["", "king", "OWNER", "manager"])
    def test_there_is_not_is_an_error(self, sign_in: Any, acme: Company, role: str) -> None:
        browser = sign_in(acme.owner)
        sent = {**shown(browser, role_page(acme, "member", "admin")), "role": role}
        answer = browser.post(member_page(acme, "member", "role"), sent)
        assert answer.status_code == 400
        assert answer.context["form"].errors.keys() == {"role"}
        assert acme.membership(acme.member).role == OrganizationRole.MEMBER

    def test_of_an_owner_is_typed_and_asks_who_is_there(self, sign_in: Any, acme: Company, client: Any) -> None:
        page = role_page(acme, "admin", "owner")
        browser = sign_in(acme.owner)
        assert confirm(browser, page, typed="Admin").status_code == 400
        answer = confirm(browser, page, typed=acme.admin.email)
        assert "/accounts/reauthenticate/" in answer["Location"]
        assert acme.membership(acme.admin).role == OrganizationRole.ADMIN
        browser.post(answer["Location"], {"password": PASSWORD})
        assert confirm(browser, page, typed=acme.admin.email).status_code == 302
        assert acme.membership(acme.admin).role == OrganizationRole.OWNER

    def test_comes_in_a_dialog_where_a_script_asks(self, sign_in: Any, acme: Company) -> None:
        asked = {"hx-request": "true", "hx-target": "dialog-body"}
        text = sign_in(acme.owner).get(role_page(acme, "member", "admin"), headers=asked).content.decode()
        assert "<html" not in text
        assert f'href="{member_page(acme, "member", "role")}?role=owner' in text


class TestOneWorkspaceMore:
    def test_is_given_from_the_page_of_the_person(self, sign_in: Any, acme: Company) -> None:
        browser, page = sign_in(acme.admin), member_page(acme, "bystander", "add")
        assert browser.get(page).status_code == 200
        sent = {"workspace": acme.other_workspace.slug, "role": "manager"}
        assert browser.post(page, sent)["Location"] == detail(acme, "bystander")
        placed = WorkspaceMembership.objects.get(membership__user=acme.bystander)
        assert (placed.workspace, placed.role) == (acme.other_workspace, WorkspaceRole.MANAGER)

    @pytest.mark.parametrize("place", ["", "nowhere", "globex"])
    def test_is_one_that_is_offered(self, sign_in: Any, world: World, place: str) -> None:
        acme = world.acme
        slug = world.globex.workspace.slug if place == "globex" else place
        page = member_page(acme, "bystander", "add")
        assert sign_in(acme.owner).post(page, {"workspace": slug, "role": "member"}).status_code == 400
        assert not WorkspaceMembership.objects.filter(membership__user=acme.bystander).exists()


class TestSuspending:
    def test_is_a_pause_that_can_be_taken_back(self, sign_in: Any, acme: Company, call: Any) -> None:
        owner, member = sign_in(acme.owner), sign_in(acme.member)
        answer = confirm(owner, member_page(acme, "member", "suspend"))
        assert answer["Location"] == detail(acme, "member")
        assert member.get(f"{root(acme)}/").status_code == 404
        assert call("GET", "/v1/whoami", acme.secrets["user_key"]).status_code == 401
        owner.post(member_page(acme, "member", "reactivate"), undo_of(owner, answer["Location"], "reactivate"))
        assert member.get(f"{root(acme)}/").status_code == 200
        assert call("GET", "/v1/whoami", acme.secrets["user_key"]).status_code == 200

    def test_is_taken_back_once_and_not_when_it_comes_again(self, sign_in: Any, acme: Company) -> None:
        owner, page = sign_in(acme.owner), member_page(acme, "member", "suspend")
        undo = undo_of(owner, confirm(owner, page)["Location"], "reactivate")
        assert owner.post(member_page(acme, "member", "reactivate"), undo).status_code == 302
        confirm(sign_in(acme.admin), page)
        again = owner.post(member_page(acme, "member", "reactivate"), undo)
        assert again.status_code == 409
        assert "changed this after you opened it" in squeezed(again)
        assert not acme.membership(acme.member).is_active

    @pytest.mark.parametrize("place", ["", "list"])
    def test_is_ended_where_somebody_is_shown_as_suspended(self, sign_in: Any, acme: Company, place: str) -> None:
        browser, page = sign_in(acme.admin), member_page(acme, "suspended", "reactivate")
        sent = undo_of(browser, f"{root(acme)}/members/" if place else detail(acme, "suspended"), "reactivate")
        assert browser.post(page, sent).status_code == 302
        assert acme.membership(acme.suspended).is_active

    @pytest.mark.parametrize("sent", [{}, {"version": "x"}, {"version": 2, "junk": 1}])
    def test_is_not_ended_by_half_a_form(self, sign_in: Any, acme: Company, sent: dict[str, Any]) -> None:
        assert sign_in(acme.owner).post(member_page(acme, "suspended", "reactivate"), sent).status_code == 400
        assert not acme.membership(acme.suspended).is_active

    def test_is_refused_on_an_older_version(self, sign_in: Any, acme: Company) -> None:
        browser, page = sign_in(acme.owner), member_page(acme, "member", "suspend")
        assert_stale(browser.post(page, {**shown(browser, page), "version": 999}))
        assert acme.membership(acme.member).is_active

    @pytest.mark.parametrize(("reader", "whom", "status"), [("owner", "owner", 409), ("admin", "owner", 403)])
    def test_is_not_shown_where_it_would_be_refused(
        self, sign_in: Any, acme: Company, reader: str, whom: str, status: int
    ) -> None:
        for act in ("suspend", "remove"):
            assert sign_in(acme[reader]).get(member_page(acme, whom, act)).status_code == status


class TestRemoving:
    def test_says_what_ends_and_what_is_left(self, sign_in: Any, acme: Company) -> None:
        text = squeezed(sign_in(acme.admin).get(member_page(acme, "member", "remove")))
        for fact in ("Acme Search", "1 key is revoked for good", acme.user_key.mask):
            assert fact in text

    def test_is_confirmed_by_typing_the_address(self, sign_in: Any, acme: Company) -> None:
        browser, page = sign_in(acme.admin), member_page(acme, "member", "remove")
        assert confirm(browser, page, typed="Member").status_code == 400
        assert acme.membership(acme.member)
        assert confirm(browser, page, typed=acme.member.email).status_code == 302
        assert not OrganizationMembership.objects.filter(user=acme.member, organization=acme.organization).exists()
        assert ApiKey.objects.get(pk=acme.user_key.pk).is_revoked

    def test_is_refused_on_an_older_version(self, sign_in: Any, acme: Company) -> None:
        browser, page = sign_in(acme.owner), member_page(acme, "member", "remove")
        assert_stale(browser.post(page, {**shown(browser, page), "typed": acme.member.email, "version": 999}))
        assert acme.membership(acme.member)

    def test_leaves_nothing_that_answers_them(self, sign_in: Any, acme: Company, call: Any) -> None:
        browser = sign_in(acme.member)
        places = [f"{root(acme)}/", f"{root(acme)}/members/", f"{root(acme)}/w/{acme.workspace.slug}/"]
        places += [detail(acme, "owner"), f"{root(acme)}/w/{acme.workspace.slug}/team/", f"{root(acme)}/keys/"]
        assert {browser.get(place).status_code for place in places} == {200}
        confirm(sign_in(acme.owner), member_page(acme, "member", "remove"), typed=acme.member.email)
        assert {browser.get(place).status_code for place in places} == {404}
        assert call("GET", "/v1/whoami", acme.secrets["user_key"]).status_code == 401

    def test_does_with_each_key_what_was_chosen(self, sign_in: Any, acme: Company) -> None:
        page = member_page(acme, "owner", "remove")
        browser = sign_in(acme.second_owner)
        chosen = {f"key_{acme.workspace_key.pk}": "revoke", f"key_{acme.organization_key.pk}": "keep"}
        answer = confirm(browser, page, typed=acme.owner.email, **chosen)
        assert answer.status_code == 302
        assert ApiKey.objects.get(pk=acme.workspace_key.pk).is_revoked
        assert not ApiKey.objects.get(pk=acme.organization_key.pk).is_revoked

    def test_wants_a_choice_for_every_key(self, sign_in: Any, acme: Company) -> None:
        page = member_page(acme, "owner", "remove")
        answer = confirm(sign_in(acme.second_owner), page, typed=acme.owner.email)
        assert answer.status_code == 400
        assert acme.membership(acme.owner)

    def test_keeps_what_was_chosen_when_something_else_is_wrong(self, sign_in: Any, acme: Company) -> None:
        chosen = {f"key_{acme.workspace_key.pk}": "revoke", f"key_{acme.organization_key.pk}": "keep"}
        answer = confirm(sign_in(acme.second_owner), member_page(acme, "owner", "remove"), typed="no", **chosen)
        assert answer.status_code == 400
        assert answer.content.decode().count('value="revoke" selected') == 1

    def test_starts_again_when_a_key_was_made_meanwhile(self, sign_in: Any, acme: Company) -> None:
        browser, page = sign_in(acme.second_owner), member_page(acme, "owner", "remove")
        read = shown(browser, page)
        scopes = every_scope(KeyType.ORGANIZATION)
        made = apikeys.issue(acme.organization, name="One more", scopes=scopes, by=UserActor(acme.owner)).key
        chosen = {f"key_{acme.workspace_key.pk}": "revoke", f"key_{acme.organization_key.pk}": "keep"}
        answer = browser.post(page, {**read, "typed": acme.owner.email, f"key_{made.pk}": "keep", **chosen})
        assert answer.status_code == 409
        assert "One more" in answer.content.decode()
        assert acme.membership(acme.owner)

    def test_gives_a_workspace_to_somebody_else(self, sign_in: Any, acme: Company) -> None:
        memberships.remove_from_workspace(acme.placed(acme.workspace_admin), by=system())
        page = member_page(acme, "manager", "remove")
        successor = acme.membership(acme.member)
        chosen = {f"lead_{acme.workspace.pk}": str(successor.pk)}
        assert confirm(sign_in(acme.owner), page, typed=acme.manager.email, **chosen).status_code == 302
        assert acme.placed(acme.member).role == WorkspaceRole.MANAGER

    @pytest.mark.parametrize("field", ["key_x", "lead_x", "password", "organization"])
    def test_refuses_what_the_form_does_not_have(self, sign_in: Any, acme: Company, field: str) -> None:
        page = member_page(acme, "member", "remove")
        answer = confirm(sign_in(acme.owner), page, typed=acme.member.email, **{field: "1"})
        assert answer.status_code == 400
        assert acme.membership(acme.member)


class TestLeaving:
    def test_is_ones_own_to_choose(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.bystander)
        answer = confirm(browser, f"{root(acme)}/leave/")
        assert "You have left Acme" in browser.get(answer["Location"]).content.decode()
        assert browser.get(f"{root(acme)}/").status_code == 404

    def test_is_refused_on_an_older_version(self, sign_in: Any, acme: Company) -> None:
        browser, page = sign_in(acme.bystander), f"{root(acme)}/leave/"
        assert_stale(browser.post(page, {**shown(browser, page), "version": 999}))
        assert acme.membership(acme.bystander)

    def test_is_not_for_the_last_owner(self, sign_in: Any, acme: Company) -> None:
        read = shown(sign_in(acme.owner), f"{root(acme)}/leave/")
        memberships.remove(acme.membership(acme.second_owner), by=system())
        browser = sign_in(acme.owner)
        assert browser.get(f"{root(acme)}/leave/").status_code == 409
        assert browser.post(f"{root(acme)}/leave/", read).status_code == 409
        assert acme.membership(acme.owner).role == OrganizationRole.OWNER


def test_every_page_about_a_person_asks_the_database_little(
    sign_in: Any, acme: Company, django_assert_max_num_queries: Any
) -> None:
    member = acme.membership(acme.member)
    organization = Organization.objects.get(pk=acme.organization.pk)
    for number in range(12):
        place = workspaces.create(organization, name=f"Place {number}", by=system())
        memberships.add_to_workspace(place, member, WorkspaceRole.MANAGER, by=system())
        apikeys.issue(place, name="Service", scopes=["logs.list"], by=UserActor(acme.member))
        apikeys.issue(place, name="Own", scopes=["logs.list"], user=acme.member, by=UserActor(acme.owner))
    for reader in ("owner", "second_owner"):
        browser = sign_in(acme[reader])
        browser.get(f"{root(acme)}/")
        pages = [f"{detail(acme, 'member')}?tab={tab}" for tab in ("access", "keys", "activity")]
        pages += [member_page(acme, "member", act) for act in ("role", "suspend", "remove", "add")]
        for page in [*pages, role_page(acme, "member", "admin"), f"{root(acme)}/leave/"]:
            with django_assert_max_num_queries(8):
                assert browser.get(page).status_code == 200
