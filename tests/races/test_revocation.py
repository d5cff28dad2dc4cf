"""What ends in one process has ended for the very next call in another (P13, RV-12).

Two processes over one database, PostgreSQL or an SQLite file; the other one has just let the same key in.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction

from apps.access.actors import UserActor
from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.accounts.models import User
from apps.apikeys import operations as apikeys
from apps.apikeys import rotation
from apps.apikeys.models import ApiKey
from apps.core.clock import now
from apps.memberships import operations as memberships
from apps.memberships.models import WorkspaceMembership
from apps.onboarding import operations as onboarding
from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from apps.workspaces import operations as workspaces
from apps.workspaces.models import Workspace
from tests.factories import UserFactory
from tests.world import Company, system

# What a test on SQLite writes is in a file of its own.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]
ROUNDS = 5
SCOPES = ["workspaces.read", "workspaces.update"]  # anybody's on the team, and a manager's


class Other:
    """The other process, and how it answers to a secret."""

    def __init__(self, database: str, **environment: str) -> None:
        command = [sys.executable, "-W", "error", "-m", "tests.races.other_process", database]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, text=True, env={**os.environ, **environment}, **pipes)

    def call(self, clear: str) -> tuple[int, list[str] | None]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(clear) + "\n")
        self.process.stdin.flush()
        status, scopes = json.loads(self.process.stdout.readline())
        return status, scopes

    def end(self) -> None:
        self.process.communicate(timeout=20)


@pytest.fixture
def company(acme: Company, tmp_path: Path) -> Iterator[Company]:
    """Acme, in a database that another process can open: on SQLite, in a file instead of in this one's memory."""
    if connection.vendor != "sqlite":
        yield acme
        return
    in_memory, path = connections[DEFAULT_DB_ALIAS], tmp_path / "shared.sqlite3"
    with in_memory.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(path)])
    shared: Any = connections.create_connection(DEFAULT_DB_ALIAS)
    shared.settings_dict = {**in_memory.settings_dict, "NAME": str(path)}
    connections[DEFAULT_DB_ALIAS] = shared
    yield acme
    shared.close()
    connections[DEFAULT_DB_ALIAS] = in_memory


@pytest.fixture
def other(company: Company) -> Iterator[Other]:
    settings = os.environ.get("DJANGO_SETTINGS_MODULE", "config.settings.test")
    process = Other(str(connection.settings_dict["NAME"]), DJANGO_SETTINGS_MODULE=settings, LOG_LEVEL="ERROR")
    yield process
    process.end()


class Held(NamedTuple):
    """A person on a team as manager, with a key of theirs there, and the secret of it."""

    company: Company
    user: User
    key: ApiKey
    clear: str

    @property
    def seat(self) -> WorkspaceMembership:
        return WorkspaceMembership.objects.select_related("workspace__organization", "membership__user").get(
            membership__user=self.user
        )

    @property
    def organization(self) -> Organization:
        return Organization.objects.get(pk=self.company.organization.pk)

    @property
    def workspace(self) -> Workspace:
        return Workspace.objects.select_related("organization").get(pk=self.company.workspace.pk)


@transaction.atomic
def newcomer(company: Company) -> Held:
    user, by = UserFactory(), system()
    membership = memberships.join(user, company.organization, OrganizationRole.MEMBER, by=by)
    memberships.add_to_workspace(company.workspace, membership, WorkspaceRole.MANAGER, by=by)
    made = apikeys.issue(company.workspace, name="theirs", scopes=SCOPES, user=user, by=UserActor(company.owner))
    return Held(company, user, made.key, made.secret.clear)


Act = Callable[[Held], object]


def rewrite(held: Held, **columns: Any) -> None:
    """Time passes for one key: nothing is called, an instant that is in the row comes."""
    ApiKey.objects.filter(pk=held.key.pk).update(**columns)


def close_the_organization(held: Held) -> None:
    organizations.set_status(held.organization, Organization.Status.SUSPENDED, by=system())


def open_the_organization(held: Held) -> None:
    organizations.set_status(held.organization, Organization.Status.ACTIVE, by=system())


def disable(held: Held) -> None:
    apikeys.disable(held.key, by=system())


def enable(held: Held) -> None:
    apikeys.enable(held.key, by=system())


# What ends a key, and what brings it back, where anything does.
ENDS: dict[str, tuple[Act, Act | None]] = {
    "revoked": (lambda held: apikeys.revoke(held.key, by=system()), None),
    "disabled": (disable, enable),
    "expired": (lambda held: rewrite(held, expires_at=now()), lambda held: rewrite(held, expires_at=None)),
    "from elsewhere": (
        lambda held: apikeys.update(held.key, allowed_addresses=["192.0.2.1"], by=system()),
        lambda held: apikeys.update(held.key, allowed_addresses=None, by=system()),
    ),
    "off the team": (
        lambda held: memberships.remove_from_workspace(held.seat, by=system()),
        None,
    ),
    "removed": (lambda held: memberships.remove(held.company.membership(held.user), by=system()), None),
    "suspended": (
        lambda held: memberships.suspend(held.company.membership(held.user), by=system()),
        lambda held: memberships.reactivate(held.company.membership(held.user), by=system()),
    ),
    "account closed": (
        lambda held: onboarding.deactivate_account(held.user, by=system()),
        lambda held: onboarding.reactivate_account(held.user, by=system()),
    ),
    "workspace archived": (
        lambda held: workspaces.archive(held.workspace, by=system()),
        lambda held: workspaces.restore(held.workspace, by=system()),
    ),
    "organization suspended": (close_the_organization, open_the_organization),
}


def test_whatever_ends_a_key_has_ended_it_for_the_next_call_elsewhere(company: Company, other: Other) -> None:
    """Keep what `lookup.find` has found for as little as a second, and this fails."""
    for number in range(ROUNDS):
        for name, (end, bring_back) in ENDS.items():
            held = newcomer(company)
            assert other.call(held.clear) == (200, SCOPES), (name, number)
            end(held)
            assert other.call(held.clear) == (401, None), (name, number)
            if bring_back is not None:
                bring_back(held)
                assert other.call(held.clear) == (200, SCOPES), (name, number)


def test_a_lowered_role_is_lower_for_the_next_call_elsewhere(company: Company, other: Other) -> None:
    held = newcomer(company)
    for _ in range(ROUNDS):
        assert other.call(held.clear) == (200, SCOPES)
        memberships.change_workspace_role(held.seat, WorkspaceRole.MEMBER, by=system())
        assert other.call(held.clear) == (200, SCOPES[:1])
        memberships.change_workspace_role(held.seat, WorkspaceRole.MANAGER, by=system())


def test_a_scope_that_is_taken_is_gone_for_the_next_call_elsewhere(company: Company, other: Other) -> None:
    held = newcomer(company)
    for _ in range(ROUNDS):
        assert other.call(held.clear) == (200, SCOPES)
        apikeys.update(held.key, scopes=SCOPES[:1], by=system())
        assert other.call(held.clear) == (200, SCOPES[:1])
        apikeys.update(held.key, scopes=SCOPES, by=system())


@pytest.mark.parametrize("how", ["ended by hand", "its time is over", "forgotten"])
def test_the_old_secret_of_a_rotation_ends_for_the_next_call_elsewhere(
    company: Company, other: Other, how: str
) -> None:
    for _ in range(ROUNDS):
        held = newcomer(company)
        rotated = rotation.rotate(held.key, transition=timedelta(minutes=30), by=system())
        assert {other.call(clear)[0] for clear in (held.clear, rotated.secret.clear)} == {200}
        if how == "ended by hand":
            rotation.end_transition(rotated.key, by=system())
        else:
            rewrite(held, transition_ends_at=now())
        if how == "forgotten":
            rotation.forget_ended_transitions()
        assert other.call(held.clear)[0] == 401
        assert other.call(rotated.secret.clear)[0] == 200


def test_a_new_secret_is_heard_by_the_next_call_elsewhere(company: Company, other: Other) -> None:
    held = newcomer(company)
    for _ in range(ROUNDS):
        rotated = rotation.rotate(held.key, transition=timedelta(minutes=30), by=system())
        assert other.call(rotated.secret.clear)[0] == 200
        rotation.end_transition(rotated.key, by=system())


def test_what_is_undone_ends_nothing_elsewhere(company: Company, other: Other) -> None:
    """The other process sees what is written for good, and waits for nobody who is still writing."""
    held = newcomer(company)
    assert other.call(held.clear)[0] == 200  # and has noted that the key is used, which on SQLite waits for a writer
    with transaction.atomic():
        apikeys.revoke(held.key, by=system())
        assert other.call(held.clear)[0] == 200
        transaction.set_rollback(True)
    assert other.call(held.clear)[0] == 200
