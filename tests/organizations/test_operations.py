"""What can happen to an organization itself, in sentences, without HTTP."""

import pytest

from apps.access.actions import Action
from apps.access.actors import UserActor
from apps.audit.models import AuditEvent
from apps.core.errors import Closed, Conflict, Forbidden, Invalid, Stale
from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from tests.world import Company, World, system


def test_renaming_keeps_the_slug(acme: Company) -> None:
    slug = acme.organization.slug
    renamed = organizations.update(acme.organization, name="Acme & Sons", by=UserActor(acme.admin))
    assert (renamed.name, renamed.slug) == ("Acme & Sons", slug)
    line = AuditEvent.objects.get(event="organization.updated")
    assert line.details == {"before": {"name": "Acme"}, "after": {"name": "Acme & Sons"}}


@pytest.mark.parametrize("person", ["member", "manager", "workspace_admin", "bystander"])
def test_members_rename_nothing(acme: Company, person: str) -> None:
    with pytest.raises(Forbidden) as refusal:
        organizations.update(acme.organization, name="Mine", by=UserActor(acme[person]))
    assert refusal.value.action == Action.ORGANISATIONS_UPDATE


def test_a_stale_edit_is_refused(acme: Company) -> None:
    organizations.update(acme.organization, name="Newer", by=system())
    with pytest.raises(Stale):
        organizations.update(acme.organization, name="Older", version=1, by=system())


@pytest.mark.parametrize("name", ["", " ", "x" * 256, "a\nb", "a\0b"])
def test_a_name_is_one_line_of_text(acme: Company, name: str) -> None:
    with pytest.raises(Invalid):
        organizations.update(acme.organization, name=name, by=system())


def test_a_description_may_have_lines(acme: Company) -> None:
    assert organizations.update(acme.organization, description="one\ntwo", by=system()).description == "one\ntwo"
    with pytest.raises(Invalid):
        organizations.update(acme.organization, description="x" * 2001, by=system())


def test_only_operators_suspend_and_resume(acme: Company) -> None:
    with pytest.raises(Forbidden):
        organizations.set_status(acme.organization, Organization.Status.SUSPENDED, by=UserActor(acme.owner))
    organizations.set_status(acme.organization, Organization.Status.SUSPENDED, by=system())
    with pytest.raises(Closed):
        organizations.update(acme.organization, name="x", by=UserActor(acme.owner))
    with pytest.raises(Conflict, match="suspended already"):
        organizations.set_status(acme.organization, Organization.Status.SUSPENDED, by=system())
    organizations.set_status(acme.organization, Organization.Status.ACTIVE, by=system())
    organizations.update(acme.organization, name="x", by=UserActor(acme.owner))


def test_a_suspension_reaches_workspaces(acme: Company) -> None:
    organizations.set_status(acme.organization, Organization.Status.SUSPENDED, by=system())
    acme.workspace.organization.refresh_from_db()
    assert UserActor(acme.manager).actions_in(acme.workspace) == frozenset()


def test_being_a_superuser_opens_no_organization(world: World) -> None:
    """Let UserActor trust is_superuser, and this fails."""
    assert UserActor(world.operator).actions_in(world.acme.organization) == frozenset()
    assert not UserActor(world.operator).belongs_to(world.acme.workspace)
