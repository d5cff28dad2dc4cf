"""Staff who are no operators: at the console they see and do what their own roles allow, and no more."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from apps.accounts.models import User
from apps.apikeys.models import ApiKey
from apps.audit.models import AuditEvent
from apps.memberships.models import Invitation, OrganizationMembership, WorkspaceMembership
from apps.organizations.models import Organization, OrganizationGroupPermission, OrganizationRoleGroup
from apps.workspaces import operations as workspaces
from apps.workspaces.models import Workspace
from tests.console.desk import Desk, address, errors_on, latest, lines, pages, verbs
from tests.world import Company, World, system

Hire = Callable[[User], Desk]
TENANT_ROWS = (Organization, Workspace, OrganizationMembership, WorkspaceMembership, Invitation, ApiKey, AuditEvent)


def listed(desk: Desk, model: Any) -> set[Any] | int:
    """The rows somebody's list holds, or the status that stands in its place."""
    answer = desk.get("changelist", model, all="")
    return set(answer.context["cl"].result_list) if answer.status_code == 200 else answer.status_code


def test_an_owner_sees_her_organization_and_nothing_of_another(staff: Hire, acme: Company, globex: Company) -> None:
    desk = staff(acme.owner)
    assert listed(desk, Organization) == {acme.organization}
    assert listed(desk, Workspace) == set(acme.organization.workspaces.all())
    assert listed(desk, OrganizationMembership) == set(acme.organization.memberships.all())
    assert listed(desk, WorkspaceMembership) == set(acme.workspace.memberships.all())
    assert listed(desk, Invitation) == {acme.invitation}
    assert listed(desk, ApiKey) == {acme.organization_key, acme.workspace_key, acme.user_key}
    assert {line.chain for line in listed(desk, AuditEvent)} == {acme.organization.pk}


def test_a_member_sees_the_member_column(staff: Hire, acme: Company) -> None:
    desk = staff(acme.member)
    assert listed(desk, Organization) == {acme.organization}
    assert listed(desk, Workspace) == {acme.workspace}
    assert listed(desk, OrganizationMembership) == set(acme.organization.memberships.all())
    assert listed(desk, WorkspaceMembership) == set(acme.workspace.memberships.all())
    assert [listed(desk, model) for model in (Invitation, ApiKey, AuditEvent)] == [403] * 3


def test_a_manager_sees_the_keys_of_her_workspace(staff: Hire, acme: Company) -> None:
    desk = staff(acme.manager)
    assert listed(desk, ApiKey) == {acme.workspace_key, acme.user_key}
    assert desk.get("change", acme.workspace_key).status_code == 200
    assert desk.get("change", acme.organization_key).status_code == 404


@pytest.mark.parametrize("who", ["stranger", "suspended"])
def test_who_belongs_nowhere_sees_nothing(staff: Hire, world: World, who: str) -> None:
    desk = staff(world.stranger if who == "stranger" else world.acme.suspended)
    assert {listed(desk, model) for model, _ in pages()} == {403}
    assert "nothing here for you" in desk.browser.get(reverse("admin:index")).content.decode()


def test_an_archived_workspace_is_gone_for_its_team(staff: Hire, acme: Company) -> None:
    workspaces.archive(acme.workspace, by=system())
    assert listed(staff(acme.member), Workspace) == 403
    assert acme.workspace in listed(staff(acme.owner), Workspace)


def test_what_is_somebody_else_s_is_not_found(staff: Hire, acme: Company, globex: Company) -> None:
    desk = staff(acme.owner)
    foreign = (
        globex.organization,
        globex.workspace,
        globex.membership(globex.member),
        globex.placed(globex.member),
        globex.invitation,
        globex.workspace_key,
        AuditEvent.objects.filter(chain=globex.organization.pk).first(),
    )
    before = latest()
    for row, page in ((row, dict(pages())[type(row)]) for row in foreign):
        for verb in ("change", "history", *verbs(page)):
            assert desk.get(verb, row).status_code == 404, (verb, row)
        for verb in verbs(page):
            assert desk.act(verb, row, typed_name="Globex").status_code == 404, (verb, row)
        assert desk.browser.post(address("change", row), {}).status_code in (403, 404)
    assert {line.event for line in lines(before)} <= {"access.refused"}  # by pages that take nothing from anybody


def test_only_operators_see_people_and_the_rows_behind_access(staff: Hire, acme: Company) -> None:
    desk = staff(acme.owner)
    models = [model for model, _ in pages() if model not in TENANT_ROWS]
    assert {User, OrganizationRoleGroup, OrganizationGroupPermission} <= set(models)
    for model in models:
        assert listed(desk, model) == 403
        row = model._default_manager.first()
        assert row is None or desk.get("change", row).status_code == 403


@pytest.mark.parametrize("verb", ["suspend", "resume"])
def test_only_operators_suspend_an_organization(staff: Hire, acme: Company, verb: str) -> None:
    desk = staff(acme.owner)
    assert desk.get(verb, acme.organization).status_code == 403
    assert desk.act(verb, acme.organization).status_code == 403


def test_only_operators_found_one_here(staff: Hire, acme: Company) -> None:
    desk = staff(acme.owner)
    assert desk.add(Organization, name="Mine", founder=acme.owner.email).status_code == 403


def test_an_owner_acts_as_the_person_she_is(staff: Hire, acme: Company) -> None:
    desk, before = staff(acme.owner), latest()
    assert desk.change(acme.membership(acme.member), role="admin").status_code == 302
    assert desk.act("remove", acme.placed(acme.manager)).status_code == 302
    assert {(line.actor_kind, line.actor_id, line.door) for line in lines(before)} == {
        ("person", acme.owner.pk, "admin")
    }


def test_a_member_is_offered_nothing_and_may_do_nothing(staff: Hire, acme: Company) -> None:
    desk, before = staff(acme.member), latest()
    for row in (acme.organization, acme.workspace, acme.membership(acme.admin), acme.placed(acme.manager)):
        page = desk.get("change", row)
        assert page.context["actions_detail"] == []
        assert "_save" not in page.content.decode()
        assert "/add/" not in page.content.decode()
        assert desk.browser.post(address("change", row), {"name": "Mine", "role": "owner"}).status_code == 403
        for verb in verbs(dict(pages())[type(row)]):
            assert desk.act(verb, row, typed_name="Acme").status_code == 403
    assert {line.event for line in lines(before)} == {"access.refused"}


@pytest.mark.parametrize(
    ("verb", "action"),
    [
        ("suspend", "installation.operate"),
        ("resume", "installation.operate"),
        ("delete", "organisations.delete"),
    ],
)
def test_a_verb_that_is_refused_is_written_down(staff: Hire, acme: Company, verb: str, action: str) -> None:
    desk, before = staff(acme.admin), latest()
    for answer in (desk.get(verb, acme.organization), desk.act(verb, acme.organization, typed_name="Acme")):
        assert answer.status_code == 403
    refused = [(line.event, line.chain, line.actor_id, line.door, line.details["action"]) for line in lines(before)]
    # The second is counted to the first.
    assert refused == [("access.refused", acme.organization.pk, acme.admin.pk, "admin", action)]


def test_a_change_that_is_refused_is_written_down(staff: Hire, acme: Company) -> None:
    desk, before = staff(acme.member), latest()
    for row in (acme.organization, acme.workspace):
        assert desk.browser.post(address("change", row), {"name": "Mine"}).status_code == 403
    refused = [(line.event, line.target_id, line.details["action"]) for line in lines(before)]
    assert refused == [
        ("access.refused", str(acme.organization.pk), "organisations.update"),
        ("access.refused", str(acme.workspace.pk), "workspaces.update"),
    ]


@pytest.mark.parametrize("verb", ["deactivate", "reactivate"])
def test_a_person_is_as_little_there_as_nobody(staff: Hire, acme: Company, globex: Company, verb: str) -> None:
    desk, before = staff(acme.admin), latest()
    for person in (acme.member, globex.owner, User(email="ghost@nowhere.example")):
        assert desk.get(verb, person).status_code == 404
        assert desk.act(verb, person).status_code == 404
    assert lines(before) == []


class TestAStrangerAndNobody:
    """P10: a form answers for the one exactly as for the other."""

    @pytest.fixture
    def said(self, staff: Hire, acme: Company, globex: Company) -> Any:
        """What a form says of every address that is nobody's in Acme, if it says the same of all."""
        desk = staff(acme.admin)

        def answer(model: Any, field: str, **given: Any) -> str:
            addresses = (globex.owner.email, "ghost@nowhere.example")
            errors = {errors_on(desk.add(model, **given, **{field: nobody})) for nobody in addresses}
            assert len(errors) == 1
            return errors.pop()

        return answer

    def test_have_no_key_of_the_organization(self, said: Any, acme: Company) -> None:
        given = {"organization": acme.organization.pk, "name": "Ops", "scopes": ["workspaces.list"]}
        assert said(ApiKey, "person", **given) == "A key of the organization belongs to no person."

    def test_have_no_key_of_a_workspace(self, said: Any, acme: Company) -> None:
        given = {"workspace": acme.workspace.pk, "name": "Calls", "scopes": ["completions.write"]}
        assert said(ApiKey, "person", **given) == "Nobody here has this address."

    def test_have_no_key_of_no_place(self, said: Any, globex: Company) -> None:
        given = {"name": "Calls", "scopes": ["completions.write"]}
        assert "Nobody" not in said(ApiKey, "person", **given)
        assert "Nobody" not in said(ApiKey, "person", workspace=globex.workspace.pk, **given)

    def test_join_no_team(self, said: Any, acme: Company, globex: Company) -> None:
        assert said(WorkspaceMembership, "member", workspace=acme.workspace.pk, role="member").startswith("Nobody")
        assert "Nobody" not in said(WorkspaceMembership, "member", role="member")
        assert "Nobody" not in said(WorkspaceMembership, "member", workspace=globex.workspace.pk, role="member")


@pytest.mark.parametrize("model", [Workspace, WorkspaceMembership, Invitation, ApiKey])
def test_a_member_adds_nothing(staff: Hire, acme: Company, model: Any) -> None:
    desk = staff(acme.member)
    assert desk.get("add", model).status_code == 403
    assert desk.add(model).status_code == 403


def test_an_admin_who_reaches_for_an_owner_is_refused_and_that_is_written_down(staff: Hire, acme: Company) -> None:
    """P1 through this door."""
    desk, before = staff(acme.admin), latest()
    assert desk.change(acme.membership(acme.member), role="owner").status_code == 403
    assert desk.act("remove", acme.membership(acme.second_owner)).status_code == 403
    refused = [(line.event, line.actor_kind, line.door, line.details["action"]) for line in lines(before)]
    assert refused == [("access.refused", "person", "admin", "organisation_owners.manage")] * 2


def test_a_manager_cannot_give_a_key_more_than_she_holds(staff: Hire, acme: Company) -> None:
    desk = staff(acme.manager)
    given = {"name": "Wide", "organization": acme.organization.pk, "scopes": ["workspaces.create"]}
    assert "not one of the available choices" in errors_on(desk.add(ApiKey, **{**given, "organization": "0" * 32}))
    assert desk.add(ApiKey, **given).status_code == 403


def test_nobody_points_at_what_they_cannot_see(staff: Hire, acme: Company, globex: Company) -> None:
    desk = staff(acme.owner)
    page = desk.get("add", Workspace, organization=globex.organization.pk)
    assert page.status_code == 200
    assert "Globex" not in page.content.decode()
    answer = desk.add(Workspace, organization=globex.organization.pk, name="Inside", kind="ai_gateway")
    assert "not one of the available choices" in errors_on(answer)


def test_a_list_narrowed_to_somebody_else_s_says_nothing_of_them(staff: Hire, acme: Company, globex: Company) -> None:
    page = staff(acme.owner).get("changelist", OrganizationMembership, organization=globex.organization.pk)
    assert page.context["cl"].result_list.count() == 0
    assert "Globex" not in page.content.decode()


class TestAutocomplete:
    """AD-05: no data beyond the right to see it."""

    def ask(self, desk: Desk, source: Any, field: str, term: str = "") -> Any:
        meta = source._meta
        asked = {"app_label": meta.app_label, "model_name": meta.model_name, "field_name": field, "term": term}
        answer = desk.browser.get(reverse("admin:autocomplete"), asked)
        return [row["text"] for row in answer.json()["results"]] if answer.status_code == 200 else answer.status_code

    def test_the_operator_finds_every_place(self, desk: Desk) -> None:
        globex, acme = self.ask(desk, Workspace, "organization")
        assert globex.startswith("Globex (globex-") and acme.startswith("Acme (acme-")
        assert self.ask(desk, Workspace, "organization", "glo") == [globex]

    def test_staff_find_their_own(self, staff: Hire, acme: Company) -> None:
        desk = staff(acme.owner)
        assert self.ask(desk, Workspace, "organization") == [f"Acme ({acme.organization.slug})"]
        assert self.ask(desk, Workspace, "organization", "glo") == []
        assert len(self.ask(desk, WorkspaceMembership, "workspace")) == 3

    def test_nobody_but_operators_finds_people(self, staff: Hire, acme: Company, desk: Desk) -> None:
        assert self.ask(staff(acme.owner), OrganizationMembership, "user") == 403
        assert acme.owner.get_full_name() in self.ask(desk, OrganizationMembership, "user", "owner@acme")

    def test_who_belongs_nowhere_finds_nothing(self, staff: Hire, world: World) -> None:
        assert self.ask(staff(world.stranger), Workspace, "organization") == 403

    @pytest.mark.parametrize("field", ["created_by", "nonsense", "permissions"])
    def test_nonsense_finds_nothing(self, desk: Desk, field: str) -> None:
        assert self.ask(desk, Workspace, field) == 403
