"""An installation of the first release, with everything in it, becomes one of today's."""

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection

from apps.apikeys.models import ApiKeyWord
from apps.memberships.models import MemberWord, OrganizationMembership
from apps.workspaces.models import Workspace, WorkspaceWord
from tests.world import World

GROWN = ("memberships", "apikeys", "workspaces", "accounts", "audit")


def found_by() -> list[list[str]]:
    return [sorted(words.objects.values_list("word", flat=True)) for words in (MemberWord, WorkspaceWord, ApiKeyWord)]


@pytest.mark.django_db(transaction=True)
def test_the_first_release_grows_into_this_one_and_its_walls_stand(world: World) -> None:
    """PostgreSQL changes tables in place; SQLite rebuilds them, with all that points at them."""
    now, people = found_by(), sorted(OrganizationMembership.objects.values_list("name_key", "address_key"))
    for app in GROWN:
        call_command("migrate", app, "0001", verbosity=0)
    call_command("migrate", verbosity=0)
    assert found_by() == now
    assert sorted(OrganizationMembership.objects.values_list("name_key", "address_key")) == people
    with pytest.raises(IntegrityError):
        Workspace.objects.filter(pk=world.acme.workspace.pk).update(organization=world.globex.organization)
    connection.check_constraints()
