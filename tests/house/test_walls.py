"""What the database itself refuses, tried by raw statements on whichever database this is."""

import uuid
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction

from apps.accounts.models import User
from apps.apikeys.models import ApiKey
from apps.memberships.models import Invitation, OrganizationMembership, WorkspaceMembership
from apps.organizations.models import Organization
from apps.workspaces.models import Workspace
from tests.world import Company


def refused(change: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        change()
        if connection.vendor == "postgresql":
            connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")


def copy_of(row: models.Model, **changes: Any) -> models.Model:
    """A second row like this one, as a raw insert would make it."""
    twin = type(row)(**{field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields})
    twin.pk = uuid.uuid4()
    for name, value in changes.items():
        setattr(twin, name, value)
    return twin


WRITTEN_ONCE = [
    (Organization, "organization", {"slug": "other-slug"}),
    (Workspace, "workspace", {"slug": "ws-other-000000"}),
    (Workspace, "workspace", {"type": "secrets"}),
    (Workspace, "workspace", {"is_default": True}),
    (Workspace, "workspace", {"organization_id": "globex"}),
    (ApiKey, "workspace_key", {"organization_id": "globex"}),
    (ApiKey, "workspace_key", {"workspace_id": "other"}),
    (ApiKey, "workspace_key", {"type": "organisation-service"}),
    (ApiKey, "user_key", {"user_id": "owner"}),
    (Invitation, "invitation", {"email": "other@x.example"}),
]


@pytest.mark.parametrize(("model", "row", "change"), WRITTEN_ONCE)
def test_some_columns_are_written_once(
    acme: Company, globex: Company, model: type[models.Model], row: str, change: dict[str, Any]
) -> None:
    ids = {"globex": globex.organization.pk, "other": acme.other_workspace.pk, "owner": acme.owner.pk}
    values = {column: ids.get(value, value) for column, value in change.items()}
    refused(lambda: model._default_manager.filter(pk=getattr(acme, row).pk).update(**values))


def test_no_row_of_a_workspace_is_of_another_organization(acme: Company, globex: Company) -> None:
    placed = acme.placed(acme.member)
    for row in (
        copy_of(acme.workspace_key, workspace_id=globex.workspace.pk, digest=b"x" * 32),
        copy_of(placed, workspace_id=globex.workspace.pk),
        copy_of(placed, membership_id=globex.membership(globex.member).pk, workspace_id=acme.other_workspace.pk),
        copy_of(acme.invitation.workspaces.get(), workspace_id=globex.workspace.pk),
    ):
        refused(lambda row=row: row.save(force_insert=True))


UNIQUE = [
    ("a slug in an organization", lambda acme: copy_of(acme.workspace, is_default=False)),
    ("a default workspace", lambda acme: copy_of(acme.default, slug="ws-second-000000")),
    ("a membership of a person", lambda acme: copy_of(acme.membership(acme.member))),
    ("a place on a team", lambda acme: copy_of(acme.placed(acme.member))),
    (
        "a pending invitation of an address",
        lambda acme: copy_of(acme.invitation, copied_digest=None, mailed_digest=None),
    ),
    ("a workspace in an invitation", lambda acme: copy_of(acme.invitation.workspaces.get())),
    ("a digest", lambda acme: copy_of(acme.workspace_key)),
    ("an address", lambda acme: copy_of(acme.member)),
    ("an organization's slug", lambda acme: copy_of(acme.organization)),
]


@pytest.mark.parametrize(("what", "second"), UNIQUE, ids=[what for what, _ in UNIQUE])
def test_there_is_one(acme: Company, what: str, second: Any) -> None:
    refused(lambda: second(acme).save(force_insert=True))


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "workspace-service", "workspace_id": None},
        {"type": "workspace-user", "user_id": None},
        {"type": "organisation-service"},
        {"type": "casino"},
    ],
)
def test_a_key_fits_its_type(acme: Company, wrong: dict[str, Any]) -> None:
    refused(lambda: copy_of(acme.workspace_key, digest=b"y" * 32, **wrong).save(force_insert=True))


def test_a_second_answered_invitation_is_welcome(acme: Company) -> None:
    copy_of(acme.invitation, status="cancelled", copied_digest=None, mailed_digest=None).save(force_insert=True)


def test_the_last_owner_stays_whatever_the_statement(acme: Company) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no deferred triggers; there the operations keep this rule")
    owners = OrganizationMembership.objects.filter(organization=acme.organization, role="owner")
    refused(lambda: owners.update(role="admin"))
    refused(lambda: owners.update(status="suspended"))
    refused(lambda: owners._raw_delete("default"))
    owners.filter(user=acme.owner).update(role="admin")
    Organization.objects.filter(pk=acme.organization.pk).delete()
    connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_raising_the_walls_again_changes_nothing(acme: Company) -> None:
    """SQLite loses triggers when a table is rebuilt, so every migrate raises the walls anew."""
    call_command("migrate", verbosity=0)
    refused(lambda: Workspace.objects.filter(pk=acme.workspace.pk).update(slug="ws-other-000000"))


def test_a_person_with_a_history_is_not_deleted(acme: Company) -> None:
    with pytest.raises(models.ProtectedError):
        User.objects.get(pk=acme.member.pk).delete()


def test_nobody_is_in_a_workspace_without_being_in_the_organization(acme: Company) -> None:
    acme.membership(acme.manager).delete()
    assert not WorkspaceMembership.objects.filter(membership__user=acme.manager).exists()


def test_the_databases_own_checks_pass() -> None:
    call_command("check", databases=["default"], fail_level="WARNING")
