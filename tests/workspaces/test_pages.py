"""The list of workspaces, a new one, its settings, its end and its return, as a browser sees them."""

import re
from typing import Any

import pytest
from django.test import Client

from apps.apikeys.authentication import REFUSAL
from apps.workspaces import operations as workspaces
from apps.workspaces.models import Workspace
from apps.workspaces.types import WorkspaceType
from tests.world import Company, World, system


def root(company: Company) -> str:
    return f"/o/{company.organization.slug}"


def names(answer: Any) -> set[str]:
    return {workspace.name for workspace in answer.context["page"].rows}


class TestTheList:
    def test_shows_an_owner_all_and_which_are_theirs(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        listed = f"{root(acme)}/workspaces/"
        assert names(browser.get(listed)) == {"Shared Team Workspace", "Acme Search", "Acme Support"}
        assert names(browser.get(f"{listed}?show=mine")) == set()

    def test_shows_a_member_their_own_and_no_other(self, sign_in: Any, acme: Company) -> None:
        for show in ("", "?show=all", "?show=archived"):
            answer = sign_in(acme.member).get(f"{root(acme)}/workspaces/{show}")
            assert names(answer) == {"Acme Search"}
            assert "Acme Support" not in answer.content.decode()

    def test_tells_who_is_in_none_who_could_help(self, sign_in: Any, acme: Company) -> None:
        assert (
            "You are in no workspace yet" in sign_in(acme.bystander).get(f"{root(acme)}/workspaces/").content.decode()
        )

    def test_keeps_the_archived_apart(self, sign_in: Any, acme: Company) -> None:
        workspaces.archive(acme.other_workspace, by=system())
        browser = sign_in(acme.admin)
        assert "Acme Support" not in names(browser.get(f"{root(acme)}/workspaces/"))
        assert names(browser.get(f"{root(acme)}/workspaces/?show=archived")) == {"Acme Support"}

    def test_costs_the_same_for_three_and_for_thirty(
        self, sign_in: Any, acme: Company, django_assert_max_num_queries: Any
    ) -> None:
        browser: Client = sign_in(acme.owner)
        browser.get(f"{root(acme)}/workspaces/")
        for _ in range(2):
            with django_assert_max_num_queries(8):
                browser.get(f"{root(acme)}/workspaces/")
            for number in range(30):
                workspaces.create(acme.organization, name=f"Project {number}", by=system())


class TestANewOne:
    @pytest.mark.parametrize("kind", list(WorkspaceType))
    def test_opens_with_its_type(self, sign_in: Any, acme: Company, kind: str) -> None:
        answer = sign_in(acme.admin).post(f"{root(acme)}/workspaces/new/", {"name": "Lab", "kind": kind})
        made = Workspace.objects.get(name="Lab")
        assert (made.type, made.organization_id) == (kind, acme.organization.pk)
        assert answer["Location"] == f"{root(acme)}/w/{made.slug}/"

    @pytest.mark.parametrize(
        ("sent", "field"),
        [
            ({"name": "", "kind": "secrets"}, "name"),
            ({"name": "Lab", "kind": "nothing"}, "kind"),
            ({"name": "Lab"}, "kind"),
        ],
    )
    def test_says_what_is_wrong_at_its_field(
        self, sign_in: Any, acme: Company, sent: dict[str, str], field: str
    ) -> None:
        answer = sign_in(acme.admin).post(f"{root(acme)}/workspaces/new/", sent)
        assert answer.status_code == 400
        assert field in answer.context["form"].errors

    def test_is_not_for_members(self, sign_in: Any, acme: Company) -> None:
        answer = sign_in(acme.manager).post(f"{root(acme)}/workspaces/new/", {"name": "Lab", "kind": "secrets"})
        assert answer.status_code == 403
        assert not Workspace.objects.filter(name="Lab").exists()


class TestItsEnd:
    def test_is_confirmed_by_typing_the_name(self, sign_in: Any, acme: Company, call: Any) -> None:
        browser, page = sign_in(acme.admin), f"{root(acme)}/w/{acme.workspace.slug}/archive/"
        text = browser.get(page).content.decode()
        assert re.search(r"2 API keys\s+stop at once", text)
        assert browser.post(page, {"typed": "acme search"}).status_code == 400
        assert not Workspace.objects.get(pk=acme.workspace.pk).is_archived
        assert browser.post(page, {"typed": "Acme Search"}).status_code == 302
        assert Workspace.objects.get(pk=acme.workspace.pk).is_archived
        assert REFUSAL in call("GET", "/v1/whoami", acme.secrets["workspace_key"]).content.decode()

    def test_hides_it_from_its_team_and_not_from_owners(self, sign_in: Any, acme: Company) -> None:
        workspaces.archive(acme.workspace, by=system())
        page = f"{root(acme)}/w/{acme.workspace.slug}/"
        assert sign_in(acme.manager).get(page).status_code == 404
        text = sign_in(acme.owner).get(page).content.decode()
        assert "can be restored until" in re.sub(r"\s+", " ", text)

    def test_can_be_undone(self, sign_in: Any, acme: Company) -> None:
        workspaces.archive(acme.workspace, by=system())
        page = f"{root(acme)}/w/{acme.workspace.slug}/restore/"
        assert sign_in(acme.admin).post(page, {"typed": "Acme Search"}).status_code == 302
        assert sign_in(acme.manager).get(f"{root(acme)}/w/{acme.workspace.slug}/").status_code == 200

    def test_never_comes_for_the_default_workspace(self, sign_in: Any, acme: Company) -> None:
        page = f"{root(acme)}/w/{acme.default.slug}/archive/"
        answer = sign_in(acme.owner).post(page, {"typed": acme.default.name})
        assert answer.status_code == 409
        assert "every organization keeps" in answer.content.decode()


class TestItsSettings:
    def test_a_manager_changes_them(self, sign_in: Any, acme: Company) -> None:
        browser, page = sign_in(acme.manager), f"{root(acme)}/w/{acme.workspace.slug}/settings/"
        version = browser.get(page).context["form"]["version"].value()
        sent = {"name": "Search", "description": "", "delete_protected": "on", "version": version}
        assert browser.post(page, sent).status_code == 302
        acme.workspace.refresh_from_db()
        assert (acme.workspace.name, acme.workspace.delete_protected) == ("Search", True)

    def test_only_who_may_archive_takes_the_protection_off(self, sign_in: Any, acme: Company) -> None:
        workspaces.update(acme.workspace, delete_protected=True, by=system())
        page = f"{root(acme)}/w/{acme.workspace.slug}/settings/"
        assert sign_in(acme.manager).post(page, {"name": "Acme Search", "description": ""}).status_code == 403
        acme.workspace.refresh_from_db()
        assert acme.workspace.delete_protected

    def test_a_stranger_and_a_bystander_find_nothing(self, sign_in: Any, world: World) -> None:
        page = f"{root(world.acme)}/w/{world.acme.workspace.slug}/settings/"
        for person in (world.stranger, world.acme.bystander, world.globex.owner):
            assert sign_in(person).post(page, {"name": "Ours"}).status_code == 404
