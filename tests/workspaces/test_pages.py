"""The list of workspaces, a new one, its settings, its end and its return, as a browser sees them."""

import re
from typing import Any

import pytest
from django.test import Client

from apps.apikeys import operations as apikeys
from apps.apikeys.authentication import REFUSAL
from apps.memberships import operations as memberships
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


class TestFinding:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("q=acme", {"Acme Search", "Acme Support"}),
            ("q=sea", {"Acme Search"}),
            ("q=sup acme", {"Acme Support"}),
            ("q=nothing", set()),
            ("type=secrets", set()),
            ("type=ai_gateway&q=shared", {"Shared Team Workspace"}),
            ("protected=1", {"Acme Support"}),
            ("type=nonsense&show=nonsense&as=nonsense&sort=nonsense&size=-1", None),
            ("q=%00", None),
        ],
    )
    def test_takes_what_narrows_it(self, sign_in: Any, acme: Company, query: str, found: set[str] | None) -> None:
        workspaces.update(acme.other_workspace, delete_protected=True, by=system())
        everything = {"Shared Team Workspace", "Acme Search", "Acme Support"}
        answer = sign_in(acme.owner).get(f"{root(acme)}/workspaces/?{query}")
        assert names(answer) == (everything if found is None else found)

    def test_sorts_by_name_both_ways(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        for sort, first in (("name", "Acme Search"), ("-name", "Shared Team Workspace")):
            rows = browser.get(f"{root(acme)}/workspaces/?sort={sort}").context["page"].rows
            assert rows[0].name == first

    def test_says_how_many_each_tab_holds(self, sign_in: Any, acme: Company) -> None:
        workspaces.archive(acme.other_workspace, by=system())
        counted = sign_in(acme.owner).get(f"{root(acme)}/workspaces/").context["counted"]
        assert [counted[tab].number for tab in ("mine", "all", "archived")] == [0, 2, 1]

    def test_finds_those_that_rest_on_one_manager(self, sign_in: Any, acme: Company) -> None:
        page = f"{root(acme)}/workspaces/?managers=one"
        assert names(sign_in(acme.owner).get(page)) == set()
        memberships.remove_from_workspace(acme.placed(acme.manager), by=system())
        memberships.remove_from_workspace(acme.placed(acme.suspended), by=system())
        assert names(sign_in(acme.owner).get(page)) == {"Acme Search"}

    def test_remembers_cards_or_table(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        assert browser.get(f"{root(acme)}/workspaces/").context["shape"] == "table"
        browser.get(f"{root(acme)}/workspaces/?as=cards")
        assert browser.get(f"{root(acme)}/workspaces/").context["shape"] == "cards"
        assert 'class="places-grid"' in browser.get(f"{root(acme)}/workspaces/").content.decode()

    def test_hands_over_what_is_shown_as_csv(self, sign_in: Any, acme: Company) -> None:
        workspaces.update(acme.workspace, name="=Search", by=system())
        answer = sign_in(acme.owner).get(f"{root(acme)}/workspaces/?q=sear&format=csv")
        lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
        assert lines[0].startswith('"Name","Id","Type"')
        assert lines[1].startswith(f'"\'=Search","{acme.workspace.slug}","AI gateway","4","2"')
        assert len(lines) == 2

    def test_tells_who_can_help_by_name(self, sign_in: Any, acme: Company) -> None:
        text = sign_in(acme.bystander).get(f"{root(acme)}/workspaces/").content.decode()
        assert acme.owner.email in text
        assert acme.admin.email in text

    def test_gives_a_script_the_list_alone(self, sign_in: Any, acme: Company) -> None:
        answer = sign_in(acme.owner).get(f"{root(acme)}/workspaces/", HTTP_HX_REQUEST="true")
        assert "<html" not in answer.content.decode()
        assert "Acme Search" in answer.content.decode()


class TestANewOne:
    @pytest.mark.parametrize("kind", list(WorkspaceType))
    def test_opens_with_its_type(self, sign_in: Any, acme: Company, kind: str) -> None:
        looks = {"description": "Trials", "color": "red", "icon": "rocket", "delete_protected": "on"}
        answer = sign_in(acme.admin).post(f"{root(acme)}/workspaces/new/", {"name": "Lab", "kind": kind, **looks})
        made = Workspace.objects.get(name="Lab")
        assert (made.type, made.organization_id) == (kind, acme.organization.pk)
        assert (made.description, made.color, made.icon, made.delete_protected) == ("Trials", "red", "rocket", True)
        assert answer["Location"] == f"{root(acme)}/w/{made.slug}/"

    @pytest.mark.parametrize(
        ("sent", "field"),
        [
            ({"name": "", "kind": "secrets"}, "name"),
            ({"name": "Lab", "kind": "nothing"}, "kind"),
            ({"name": "Lab"}, "kind"),
            ({"name": "Lab", "kind": "secrets", "color": "plaid"}, "color"),
            ({"name": "Lab", "kind": "secrets", "icon": "<svg>"}, "icon"),
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


def ending(browser: Client, page: str, typed: str) -> dict[str, Any]:
    """What the confirmation sends when the page is filled in."""
    context = browser.get(page).context
    return {"typed": typed, "seen": context["seen"], "version": context["form"].initial["version"]}


class TestItsEnd:
    def test_is_confirmed_by_typing_the_name(self, sign_in: Any, acme: Company, call: Any) -> None:
        browser, page = sign_in(acme.admin), f"{root(acme)}/w/{acme.workspace.slug}/archive/"
        text = browser.get(page).content.decode()
        assert re.search(r"2 API keys\s+stop at once", text)
        assert browser.post(page, ending(browser, page, "acme search")).status_code == 400
        assert not Workspace.objects.get(pk=acme.workspace.pk).is_archived
        assert browser.post(page, ending(browser, page, "Acme Search")).status_code == 302
        assert Workspace.objects.get(pk=acme.workspace.pk).is_archived
        assert REFUSAL in call("GET", "/v1/whoami", acme.secrets["workspace_key"]).content.decode()

    def test_is_shown_again_when_more_would_end_than_was_seen(self, sign_in: Any, acme: Company) -> None:
        browser, page = sign_in(acme.admin), f"{root(acme)}/w/{acme.workspace.slug}/archive/"
        sent = ending(browser, page, "Acme Search")
        apikeys.issue(acme.workspace, name="Another", scopes=["completions.write"], by=system())
        answer = browser.post(page, sent)
        assert answer.status_code == 409
        assert "3 API keys" in answer.content.decode()
        assert not Workspace.objects.get(pk=acme.workspace.pk).is_archived

    def test_offers_to_take_it_back(self, sign_in: Any, acme: Company) -> None:
        browser, page = sign_in(acme.admin), f"{root(acme)}/w/{acme.workspace.slug}/archive/"
        listed = browser.post(page, ending(browser, page, "Acme Search"))["Location"]
        undo = f"{root(acme)}/w/{acme.workspace.slug}/restore/"
        text = browser.get(listed).content.decode()
        version = Workspace.objects.get(pk=acme.workspace.pk).version
        form = rf'action="{undo}">.*?<input type="hidden" name="version" value="{version}">'
        assert re.search(form, text, re.DOTALL)
        assert browser.post(undo, {"version": version}).status_code == 302
        assert not Workspace.objects.get(pk=acme.workspace.pk).is_archived
        workspaces.archive(acme.workspace, by=system())
        assert browser.post(undo, {"version": version}).status_code == 409
        assert Workspace.objects.get(pk=acme.workspace.pk).is_archived

    def test_is_refused_on_an_older_version(self, sign_in: Any, acme: Company) -> None:
        browser, page = sign_in(acme.admin), f"{root(acme)}/w/{acme.workspace.slug}/archive/"
        answer = browser.post(page, {**ending(browser, page, "Acme Search"), "version": 999})
        assert answer.status_code == 409
        assert "changed this after you opened it" in answer.content.decode()
        assert not Workspace.objects.get(pk=acme.workspace.pk).is_archived

    def test_hides_it_from_its_team_and_not_from_owners(self, sign_in: Any, acme: Company) -> None:
        workspaces.archive(acme.workspace, by=system())
        page = f"{root(acme)}/w/{acme.workspace.slug}/"
        assert sign_in(acme.manager).get(page).status_code == 404
        text = sign_in(acme.owner).get(page).content.decode()
        assert "can be restored until" in re.sub(r"\s+", " ", text)

    def test_can_be_undone(self, sign_in: Any, acme: Company) -> None:
        workspaces.archive(acme.workspace, by=system())
        page = f"{root(acme)}/w/{acme.workspace.slug}/restore/"
        browser = sign_in(acme.admin)
        (version,) = re.findall(r'name="version" value="(\d+)"', browser.get(page).content.decode())
        assert browser.post(page).status_code == 400
        assert browser.post(page, {"version": version}).status_code == 302
        assert sign_in(acme.manager).get(f"{root(acme)}/w/{acme.workspace.slug}/").status_code == 200

    def test_never_comes_for_the_default_workspace(self, sign_in: Any, acme: Company) -> None:
        page = f"{root(acme)}/w/{acme.default.slug}/archive/"
        browser = sign_in(acme.owner)
        answer = browser.post(page, ending(browser, page, acme.default.name))
        assert answer.status_code == 409
        assert "every organization keeps" in answer.content.decode()


class TestItsSettings:
    def test_a_manager_changes_them(self, sign_in: Any, acme: Company) -> None:
        browser, page = sign_in(acme.manager), f"{root(acme)}/w/{acme.workspace.slug}/settings/"
        version = browser.get(page).context["form"]["version"].value()
        sent = {"name": "Search", "description": "", "color": "green", "icon": "bot", "version": version}
        assert browser.post(page, sent).status_code == 302
        acme.workspace.refresh_from_db()
        assert (acme.workspace.name, acme.workspace.color, acme.workspace.icon) == ("Search", "green", "bot")

    def test_an_icon_chosen_over_the_api_stays(self, sign_in: Any, acme: Company) -> None:
        workspaces.update(acme.workspace, icon="\N{ROCKET}", by=system())
        browser, page = sign_in(acme.manager), f"{root(acme)}/w/{acme.workspace.slug}/settings/"
        form = browser.get(page).context["form"]
        sent = {"name": "Search", "icon": "\N{ROCKET}", "version": form["version"].value()}
        assert browser.post(page, sent).status_code == 302
        acme.workspace.refresh_from_db()
        assert acme.workspace.icon == "\N{ROCKET}"

    def test_two_edits_at_once_are_shown_side_by_side(self, sign_in: Any, acme: Company) -> None:
        browser, page = sign_in(acme.manager), f"{root(acme)}/w/{acme.workspace.slug}/settings/"
        version = browser.get(page).context["form"]["version"].value()
        workspaces.update(acme.workspace, name="Meanwhile", by=system())
        answer = browser.post(page, {"name": "Too late", "version": version})
        assert answer.status_code == 409
        assert {"Too late", "Meanwhile"} <= set(re.findall(r"Too late|Meanwhile", answer.content.decode()))

    def test_only_who_may_archive_takes_the_protection_off(self, sign_in: Any, acme: Company) -> None:
        held = workspaces.update(acme.workspace, delete_protected=True, by=system())
        page = f"{root(acme)}/w/{acme.workspace.slug}/settings/danger/"
        assert sign_in(acme.manager).post(page, {"version": held.version}).status_code == 403
        acme.workspace.refresh_from_db()
        assert acme.workspace.delete_protected
        assert sign_in(acme.admin).post(page, {"version": held.version}).status_code == 302
        acme.workspace.refresh_from_db()
        assert not acme.workspace.delete_protected

    def test_protection_can_be_taken_back(self, sign_in: Any, acme: Company) -> None:
        browser, page = sign_in(acme.admin), f"{root(acme)}/w/{acme.workspace.slug}/settings/danger/"
        sent = {"delete_protected": "on", "version": acme.workspace.version}
        text = browser.get(browser.post(page, sent)["Location"]).content.decode()
        assert "is protected from deletion" in text
        assert "Undo" in text

    def test_a_stranger_and_a_bystander_find_nothing(self, sign_in: Any, world: World) -> None:
        page = f"{root(world.acme)}/w/{world.acme.workspace.slug}/settings/"
        for person in (world.stranger, world.acme.bystander, world.globex.owner):
            assert sign_in(person).post(page, {"name": "Ours"}).status_code == 404


class TestItsLimits:
    EVERY_BUDGET = {
        "type": "cost",
        "credit_limit": 100,
        "alert_threshold": 80,
        "periodic_reset": None,
        "periodic_reset_days": 10,
        "next_usage_reset_at": "2027-01-01T00:00:00.000Z",
    }

    def _page(self, acme: Company) -> str:
        return f"{root(acme)}/w/{acme.workspace.slug}/settings/limits/"

    def _save(self, browser: Client, acme: Company, **changes: str) -> Any:
        form = browser.get(self._page(acme)).context["form"]
        shown = {field.html_name: field.value() for field in form if field.value() is not None}
        answer = browser.post(self._page(acme), {**shown, **changes})
        acme.workspace.refresh_from_db()
        return answer

    def test_are_written_in_the_wires_shapes(self, sign_in: Any, acme: Company) -> None:
        sent = {"cost_limit": "500", "cost_resets": "monthly", "requests_rpm": "60", "tokens_rpd": "0"}
        assert self._save(sign_in(acme.manager), acme, **sent).status_code == 302
        (budget,) = acme.workspace.usage_limits
        assert (budget["type"], budget["credit_limit"], budget["periodic_reset"]) == ("cost", 500, "monthly")
        assert acme.workspace.rate_limits == [
            {"type": "requests", "unit": "rpm", "value": 60},
            {"type": "tokens", "unit": "rpd", "value": 0},
        ]

    def test_what_the_page_cannot_show_stays(self, sign_in: Any, acme: Company) -> None:
        second = {**self.EVERY_BUDGET, "credit_limit": 7, "periodic_reset_days": None}
        workspaces.update(acme.workspace, usage_limits=[self.EVERY_BUDGET, second], by=system())
        assert self._save(sign_in(acme.manager), acme, cost_alert="90").status_code == 302
        assert acme.workspace.usage_limits == [{**self.EVERY_BUDGET, "alert_threshold": 90}, second]

    def test_are_cleared_by_emptying_them(self, sign_in: Any, acme: Company) -> None:
        workspaces.update(acme.workspace, usage_limits=[self.EVERY_BUDGET], by=system())
        assert self._save(sign_in(acme.manager), acme, cost_limit="", cost_alert="").status_code == 302
        assert acme.workspace.usage_limits is None

    @pytest.mark.parametrize(
        "sent", [{"cost_limit": "0"}, {"cost_limit": "-1"}, {"requests_rpm": "9" * 30}, {"cost_resets": "hourly"}]
    )
    def test_that_make_no_sense_are_said_at_their_field(
        self, sign_in: Any, acme: Company, sent: dict[str, str]
    ) -> None:
        answer = self._save(sign_in(acme.manager), acme, **sent)
        assert answer.status_code == 400
        assert set(answer.context["form"].errors) == set(sent)
