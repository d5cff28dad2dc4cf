"""The generator writes what the operations would write. Nothing here is timed."""

import io

import pytest
from django.contrib.auth.models import Group
from django.db import connection, models
from rich.console import Console

from apps.access.rows import Drift
from apps.accounts.models import User
from apps.apikeys.models import ApiKey
from apps.core import search
from apps.memberships import grants
from apps.memberships.models import OrganizationMembership, WorkspaceMembership
from apps.onboarding.operations import found_organization
from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from apps.workspaces import operations as workspaces
from apps.workspaces.models import Workspace
from tests.benchmarks import sample
from tests.benchmarks.fill import LARGE, SMALL, Size, fill, refuse_unless_empty
from tests.factories import UserFactory
from tests.world import system

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="The generator speaks to PostgreSQL alone"),
]
SIZE = Size(1000)


@pytest.fixture
def standing() -> set[tuple[str, str]]:
    """What stands around the rows before the generator comes."""
    return _indexes_and_constraints()


@pytest.fixture
def filled(standing: set[tuple[str, str]]) -> None:
    """The people of the tests make room for as long as the test lasts."""
    tables = ", ".join(model._meta.db_table for model in (User, Organization, Group))
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} CASCADE")
    fill(SIZE, Console(file=io.StringIO()))


@pytest.mark.usefixtures("filled")
def test_it_writes_as_many_memberships_as_it_was_asked_for() -> None:
    everyone, seats = OrganizationMembership.objects.all(), WorkspaceMembership.objects.all()
    assert everyone.count() + seats.count() == SIZE.memberships
    assert everyone.filter(organization__slug=LARGE).count() == SIZE.members
    assert everyone.filter(organization__slug=SMALL).count() == 10
    heavy = seats.values("membership").annotate(teams=models.Count("pk")).latest("teams")
    assert heavy["teams"] == SIZE.teams_of_heavy


@pytest.mark.usefixtures("filled")
def test_the_operations_find_nothing_to_repair() -> None:
    drift = sum((organizations.sync_roles(place) for place in Organization.objects.all()), Drift())
    drift += sum((workspaces.sync_roles(place) for place in Workspace.objects.all()), Drift())
    drift += sum((grants.sync(place) for place in Organization.objects.all()), Drift())
    assert drift == Drift()


@pytest.mark.usefixtures("filled")
def test_the_matrix_the_product_and_guardian_agree_about_everybody() -> None:
    found = sample.compare(Organization.objects.filter(slug__in=[LARGE, SMALL]), count=5)
    assert found.pairs > 50
    assert found.disagreements == []


@pytest.mark.usefixtures("filled")
def test_everything_is_found_by_the_words_that_the_product_would_note() -> None:
    for model, texts in (
        (OrganizationMembership, lambda row: (row.user.get_full_name(), row.user.email)),
        (Workspace, lambda row: (row.name, row.slug)),
        (ApiKey, lambda row: (row.name, row.ending)),
    ):
        for row in model.objects.order_by("?")[:20]:
            assert set(row.words.values_list("word", flat=True)) == set(search.words_of(*texts(row)))
            assert row.name_key == search.sort_key(texts(row)[0])


@pytest.mark.usefixtures("filled")
def test_its_groups_have_the_names_that_the_operations_give() -> None:
    founded = found_organization(UserFactory(), name="Founded", by=system()).organization
    assert _names_of_groups(Organization.objects.get(slug=SMALL)) == _names_of_groups(founded)


@pytest.mark.usefixtures("filled")
def test_every_index_and_every_wall_stands_again(standing: set[tuple[str, str]]) -> None:
    assert _indexes_and_constraints() == standing


@pytest.mark.usefixtures("world")
def test_it_refuses_a_database_that_is_in_use() -> None:
    with pytest.raises(SystemExit, match="holds users already"):
        refuse_unless_empty()


def _indexes_and_constraints() -> set[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "UNION ALL SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()"
        )
        return set(cursor.fetchall())


def _names_of_groups(organization: Organization) -> set[str]:
    """Of the organization and of its default workspace, with their ids left out."""
    workspace = organization.workspaces.get(is_default=True)
    return {
        group.name.replace(str(place.pk), "...")
        for place in (organization, workspace)
        for group in place.role_groups.all()
    }
