"""An organization's settings and the matrix of its roles, as a browser sees them."""

import re
from typing import Any

import pytest

from apps.access.actions import Action, Level
from apps.access.roles import Column
from apps.organizations import matrix, questions
from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from tests.house.tables import rows_of
from tests.world import Company, World, system

FORGED = '<a href="//evil.example">Click</a>'
TURNED = "\u202emalice\u202c"


def settings_of(company: Company) -> str:
    return f"/o/{company.organization.slug}/settings/"


class TestSettings:
    def test_an_admin_renames(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.admin)
        form = browser.get(settings_of(acme)).context["form"]
        sent = {"name": "Acme Ltd", "description": "Rockets", "version": form["version"].value()}
        assert browser.post(settings_of(acme), sent).status_code == 302
        acme.organization.refresh_from_db()
        assert (acme.organization.name, acme.organization.description) == ("Acme Ltd", "Rockets")

    def test_an_edit_of_an_older_version_is_refused(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.admin)
        version = browser.get(settings_of(acme)).context["form"]["version"].value()
        organizations.update(acme.organization, name="Meanwhile", by=system())
        answer = browser.post(settings_of(acme), {"name": "Too late", "description": "", "version": version})
        assert answer.status_code == 409
        assert "Meanwhile" in answer.content.decode()
        acme.organization.refresh_from_db()
        assert acme.organization.name == "Meanwhile"

    @pytest.mark.parametrize("person", ["member", "manager", "bystander"])
    def test_a_member_is_told_who_could(self, sign_in: Any, acme: Company, person: str) -> None:
        answer = sign_in(acme[person]).post(settings_of(acme), {"name": "Mine"})
        text = answer.content.decode()
        assert answer.status_code == 403
        for fact in ("organisations.update", "Organization owner, Organization admin", acme.owner.email, "Acme"):
            assert fact in text
        acme.organization.refresh_from_db()
        assert acme.organization.name == "Acme"

    def test_the_neighbour_finds_nothing(self, sign_in: Any, world: World) -> None:
        browser = sign_in(world.globex.owner)
        assert browser.post(settings_of(world.acme), {"name": "Ours now"}).status_code == 404
        assert not Organization.objects.filter(name="Ours now").exists()

    @pytest.mark.parametrize("version", ["x", "-1", "0", "1.5"])
    def test_a_version_that_is_none_is_an_error_of_the_form(self, sign_in: Any, acme: Company, version: str) -> None:
        answer = sign_in(acme.owner).post(settings_of(acme), {"name": "A", "description": "", "version": version})
        assert answer.status_code == 400
        assert answer.context["form"].errors.keys() == {"version"}

    def test_a_version_that_there_never_was_is_another_one(self, sign_in: Any, acme: Company) -> None:
        sent = {"name": "A", "description": "", "version": "9" * 30}
        answer = sign_in(acme.owner).post(settings_of(acme), sent)
        assert answer.status_code == 409
        assert "saved another version" in answer.content.decode()
        acme.organization.refresh_from_db()
        assert acme.organization.name == "Acme"


class TestNames:
    @pytest.mark.parametrize("name", [FORGED, TURNED])
    def test_are_never_trusted(self, sign_in: Any, acme: Company, name: str) -> None:
        organizations.update(acme.organization, name=name, description=name, by=system())
        root = f"/o/{acme.organization.slug}"
        browser = sign_in(acme.owner)
        for path in ("/", "/members/", "/invitations/", "/workspaces/", "/roles/", "/settings/", "/leave/"):
            text = browser.get(root + path).content.decode()
            assert FORGED not in text
            assert f"<bdi>{TURNED}</bdi>" in text if name == TURNED else "&lt;a href=" in text

    def test_are_not_trusted_in_letters_either(
        self, acme: Company, sign_in: Any, mailoutbox: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        """IN-11."""
        organizations.update(acme.organization, name=FORGED, by=system())
        sent = {"emails": "sam@elsewhere.example", "role": "member"}
        with django_capture_on_commit_callbacks(execute=True):
            sign_in(acme.owner).post(f"/o/{acme.organization.slug}/invitations/new/", sent)
        (letter,) = mailoutbox
        html = letter.alternatives[0].content
        assert FORGED not in html
        assert html.count("<a ") == 1
        assert "\n" not in letter.subject


class TestTheMatrix:
    def test_begins_with_the_products_own_table(self) -> None:
        """The words on the page, against the words of the product, cell by cell."""
        shown = [
            (
                feature.name.replace("Organization", "Organisation"),
                *(", ".join(cell.words) or "-" for cell in feature.cells),
            )
            for feature in matrix.FEATURES
        ]
        assert shown == [tuple(row) for row in rows_of("product_table.md")]

    @pytest.mark.parametrize("person", ["owner", "admin", "member", "bystander"])
    def test_is_there_for_everybody_in_the_organization(self, sign_in: Any, acme: Company, person: str) -> None:
        browser, page = sign_in(acme[person]), f"/o/{acme.organization.slug}/roles/"
        assert "Model Catalog: Providers" in browser.get(page).content.decode()
        text = browser.get(f"{page}?table=workspace").content.decode()
        for fact in ("Workspace manager", "Organization owner", "Prompts"):
            assert fact in text

    @pytest.mark.parametrize("level", list(Level))
    def test_has_every_action_in_one_row(self, level: Level) -> None:
        rows = list(matrix.rows(level))
        assert sorted(action for row in rows for action in row.actions) == sorted(a for a in Action if a.level is level)
        assert all(len(row.cells) == len(matrix.ROLES[level]) for row in rows)

    def test_can_leave_out_what_all_roles_share(self, sign_in: Any, acme: Company) -> None:
        page = f"/o/{acme.organization.slug}/roles/"
        answer = sign_in(acme.owner).get(f"{page}?only=1")
        assert [str(row.name) for row in answer.context["rows"]][:2] == ["Prompts", "Configs"]
        assert "1 row where all roles are alike" in answer.content.decode()

    @pytest.mark.parametrize("table", ["glance", "organization", "workspace", "nonsense", "%00"])
    def test_leads_from_every_cell_to_a_page(self, sign_in: Any, acme: Company, table: str) -> None:
        browser = sign_in(acme.member)
        text = browser.get(f"/o/{acme.organization.slug}/roles/?table={table}").content.decode()
        links = set(re.findall(r'href="(/o/[^"]+/roles/[a-z-]+/[a-z_-]+/)"', text))
        assert len(links) >= 36
        assert {browser.get(link).status_code for link in sorted(links)[::7]} == {200}

    def test_says_in_words_what_each_role_may_do(self) -> None:
        owner, admin, member = (matrix.summary(role) for role in matrix.OrganizationRole)
        assert owner == "Everything, in every workspace."
        assert "except to delete this organization" in admin
        assert "see the members" in member
        assert [column.value for column in Column] == ["owner", "admin", "member"]


class TestAsking:
    @pytest.mark.parametrize(
        ("question", "meant"),
        [
            ("publish prompts", "prompts.publish"),
            ("Who can publish prompts?", "prompts.publish"),
            ("prompts.publish", "prompts.publish"),
            ("PUBLISH PROMPT", "prompts.publish"),
            ("invite people", "organisation_users.create"),
            ("remove a member", "organisation_users.delete"),
            ("delete workspace", "workspaces.delete"),
            ("manage billing", "billing.manage"),
            ("make owners", "organisation_owners.manage"),
            ("read the audit log", "audit_logs.list"),
        ],
    )
    def test_understands_what_people_ask(self, question: str, meant: str) -> None:
        assert questions.actions_asked_for(question)[0] == meant

    @pytest.mark.parametrize("question", ["", "?", "who can", "xyzzy", "\x00", "x" * 100_000, "\u202e", "%_\\"])
    def test_has_no_answer_to_nonsense_and_survives_it(self, question: str) -> None:
        assert questions.actions_asked_for(question) == []

    def test_an_exact_question_has_few_answers(self) -> None:
        assert len(questions.actions_asked_for("prompts")) <= questions.SHOWN
