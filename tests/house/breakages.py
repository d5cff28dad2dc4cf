# ruff: noqa: E501 (a breakage is one line, however long what it breaks)
"""Breaks the house on purpose, one wall at a time, and asks whether a test notices.

Run it with `uv run python -m tests.house.breakages`, now and then and after every change to a guard: it is the only
proof that the guards can fail. Each breakage is made in a copy, never in the tree itself.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import track
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("apps", "config", "tests", "templates", "static", "pyproject.toml", "manage.py")


class Breakage(NamedTuple):
    """What is broken, where, what stands there, what is put in its place, and the tests that should notice."""

    what: str
    path: str
    stands: str
    becomes: str
    tests: str


BREAKAGES = [
    Breakage("a cell of the matrix is flipped up", "apps/access/roles.py", "Action.CONFIGS_UPDATE: ADMINS", "Action.CONFIGS_UPDATE: EVERYONE", "tests/house/test_matrix.py"),
    Breakage("a cell of the matrix is flipped down", "apps/access/roles.py", "Action.PROMPTS_CREATE: EVERYONE", "Action.PROMPTS_CREATE: ADMINS", "tests/house/test_matrix.py"),
    Breakage("owners lose billing to admins", "apps/access/roles.py", "Action.BILLING_MANAGE: OWNERS", "Action.BILLING_MANAGE: ADMINS", "tests/house/test_matrix.py"),
    Breakage("the gate lets everything through", "apps/access/gate.py", "    if not may(actor, action, place):", "    if False:", "tests/memberships/test_operations.py tests/house/test_locks.py"),
    Breakage("the page does not ask", "apps/tenancy/views.py", "        self.tenant.require(self.action)\n", "", "tests/house/test_locks.py"),
    Breakage("the endpoint does not ask", "apps/tenancy/permissions.py", "            view.tenant.require(action)", "            pass", "tests/house/test_locks.py"),
    Breakage("strangers are resolved", "apps/tenancy/tenant.py", " or not actor.belongs_to(place)", "", "tests/house/test_locks.py"),
    Breakage("a key covers everything", "apps/tenancy/permissions.py", " or not key.covers(found)", "", "tests/house/test_locks.py"),
    Breakage("rows are not the tenant's", "apps/tenancy/tenant.py", "filter(organization=self.organization)", "all()", "tests/house/test_locks.py"),
    Breakage("rows are not the workspace's", "apps/tenancy/tenant.py", "rows = rows.filter(**{model.workspace_path: self.workspace.pk})", "pass", "tests/house/test_locks.py"),
    Breakage("superusers are members everywhere", "apps/access/actors.py", "    def actions_in(self, place: Place) -> frozenset[Action]:\n        return self._held_in(place).actions", "    def actions_in(self, place: Place) -> frozenset[Action]:\n        if self.user.is_superuser:\n            return frozenset(Action)\n        return self._held_in(place).actions", "tests/organizations/test_operations.py"),
    Breakage("a sync never deletes", "apps/access/rows.py", "        rows.filter(pk__in=extra).delete()", "        pass", "tests/house/test_rows.py"),
    Breakage("role groups are never left", "apps/memberships/grants.py", "        InGroup.objects.filter(pk__in=extra).delete()", "        pass", "tests/memberships/test_operations.py"),
    Breakage("membership of the organization opens workspaces", "apps/access/roles.py", "(Column.MEMBER, frozenset({Level.ORGANIZATION}))", "(Column.MEMBER, frozenset(Level))", "tests/house/test_matrix.py"),
    Breakage("changing a role does not ask", "apps/memberships/operations.py", "    gate.require(by, action, organization)\n", "", "tests/memberships/test_operations.py"),
    Breakage("a team does not ask", "apps/memberships/operations.py", "    gate.require(by, Action.WORKSPACE_USERS_CREATE, workspace)\n", "", "tests/memberships/test_operations.py"),
    Breakage("creating a workspace does not ask", "apps/workspaces/operations.py", "    gate.require(by, Action.WORKSPACES_CREATE, organization)\n    if kind", "    if kind", "tests/workspaces/test_operations.py"),
    Breakage("issuing a key does not ask", "apps/apikeys/operations.py", '    gate.require(by, action_on(key_type, "create"), place)\n', "", "tests/apikeys/test_operations.py"),
    Breakage("keys may be given anything", "apps/apikeys/keeping.py", "    if beyond := needed - by.actions_in(place):", "    if beyond := frozenset():", "tests/apikeys/test_operations.py"),
    Breakage("roles may be given by anybody", "apps/access/gate.py", "    if beyond := _beyond(actor, roles, place):", "    if beyond := set():", "tests/access tests/memberships/test_operations.py"),
    Breakage("admins make owners", "apps/memberships/operations.py", "    if any(makes_owners(reached) for reached in roles):", "    if False:", "tests/memberships/test_operations.py"),
    Breakage("the last owner goes", "apps/memberships/operations.py", "    if not others.filter(", "    if False and not others.filter(", "tests/memberships/test_operations.py"),
    Breakage("people change their own role", "apps/memberships/operations.py", "    if by.person_id == membership.user_id:\n        raise Conflict(message)", "    if False:\n        raise Conflict(message)", "tests/memberships/test_operations.py"),
    Breakage("a removed person keeps their keys", "apps/memberships/operations.py", "    ended = apikeys.revoke_all_of(user, organization, by=by)", "    ended = 0", "tests/memberships/test_operations.py"),
    Breakage("a personal key forgets its person", "apps/apikeys/models.py", "return held & self._person.actions_in(place) if self._person else held", "return held", "tests/apikeys/test_operations.py"),
    Breakage("a revoked key is let in", "apps/apikeys/models.py", "return self.status == self.Status.ACTIVE and not self.is_expired", "return not self.is_expired", "tests/apikeys/test_operations.py"),
    Breakage("an expired key is let in", "apps/apikeys/models.py", "return self.status == self.Status.ACTIVE and not self.is_expired", "return self.status == self.Status.ACTIVE", "tests/apikeys/test_operations.py"),
    Breakage("an old secret lives for ever", "apps/apikeys/querysets.py", "previous_digest__in=digests, transition_ends_at__gt=now()", "previous_digest__in=digests", "tests/apikeys/test_rotation.py"),
    Breakage("a third secret is made", "apps/apikeys/rotation.py", "    if key.is_in_transition:\n        raise InTransition", "    if False:\n        raise InTransition", "tests/apikeys/test_rotation.py"),
    Breakage("rotating hands out more than one holds", "apps/apikeys/rotation.py", "    keeping.refuse_overreach(key.scopes, KeyType(key.type), key.place, by)\n", "", "tests/apikeys/test_rotation.py tests/apikeys/test_chains.py"),
    Breakage("rotating does not ask", "apps/apikeys/rotation.py", '    gate.require(by, action_on(key.type, "rotate"), key.place)\n', "", "tests/apikeys/test_rotation.py"),
    Breakage("a revoked key keeps its old secret", "apps/apikeys/operations.py", "**NO_TRANSITION, ", "", "tests/apikeys/test_rotation.py"),
    Breakage("the policy of the organization is forgotten", "apps/apikeys/policy.py", "return KeyPolicy.of(place.organization).strictest(KeyPolicy.of(place))", "return KeyPolicy.of(place)", "tests/apikeys/test_policy.py"),
    Breakage("keys are not counted", "apps/apikeys/operations.py", "    policy.refuse_one_too_many(place)\n    return _make", "    return _make", "tests/apikeys/test_policy.py"),
    Breakage("a key is used from anywhere", "apps/apikeys/authentication.py", " or not key.may_call_from(key.origin.address):", ":", "tests/apikeys/test_addresses.py"),
    Breakage("choices about other people's keys are taken", "apps/memberships/offboarding.py", "    if strange:", "    if False:", "tests/memberships/test_offboarding.py"),
    Breakage("a consequence is left out", "apps/memberships/consequences.py", "    yield from _elsewhere(membership, before, after)\n", "", "tests/memberships/test_consequences.py"),
    Breakage("the checksum is not looked at", "apps/apikeys/secret.py", "    return hmac.compare_digest(_checksum(clear[:-_CHECK]), clear[-_CHECK:])", "    return True", "tests/apikeys/test_secret.py"),
    Breakage("the inviter's right is not asked again", "apps/memberships/answers.py", "        invitations.measure(offer, invitation.organization, inviter)", "        pass", "tests/memberships/test_invitations.py"),
    Breakage("anybody accepts an invitation", "apps/memberships/answers.py", "    if user.email != invitation.email:", "    if False:", "tests/memberships/test_invitations.py"),
    Breakage("a copied link proves a mailbox", "apps/memberships/answers.py", "    if token and proves_mailbox(invitation, token):", "    if True:", "tests/memberships/test_invitations.py"),
    Breakage("a line of history is forgotten", "apps/memberships/operations.py", '    _record(Event.MEMBERSHIP_ROLE_CHANGED, membership, by, before={"role": before}, after={"role": role})\n', "", "tests/memberships/test_operations.py"),
    Breakage("a line says nothing of the one before", "apps/audit/chain.py", "hashlib.sha256(previous + sequence", "hashlib.sha256(sequence", "tests/audit/test_verification.py"),
    Breakage("a digest is not compared", "apps/audit/verification.py", "        if _digest(row) != digest:", "        if False:", "tests/audit/test_verification.py"),
    Breakage("the line before is not looked at", "apps/audit/verification.py", "        elif is_next and previous != self.digest and not self.was_faulty:", "        elif False:", "tests/audit/test_verification.py"),
    Breakage("names are not compared", "apps/audit/verification.py", " or names_digest(row.names, row.salt) != row.names_digest", "", "tests/audit/test_verification.py"),
    Breakage("any checkpoint is believed", "apps/audit/checkpoints.py", "    if not signing.is_signed(_content(facts), version=version, signature=signature):", "    if False:", "tests/audit/test_verification.py"),
    Breakage("the role of the actor is not hashed", "apps/audit/chain.py", '"actor_id", "actor_role", "workspace_id", "person_id"', '"actor_id", "workspace_id", "person_id"', "tests/audit/test_verification.py"),
    Breakage("repeated refusals are not counted", "apps/audit/refusals.py", "update(count=fold.count + times, last_at=now())", "update(last_at=now())", "tests/tenancy/test_refusing.py"),
    Breakage("a key that is not let in leaves no line", "apps/tenancy/middleware.py", "        refusing.heed(request, response)\n", "", "tests/tenancy/test_refusing.py"),
    Breakage("the log's page shows a neighbour's lines", "apps/audit/lines.py", "AuditEvent.objects.filter(chain=tenant.organization.pk)", "AuditEvent.objects.all()", "tests/audit/test_api.py"),
    Breakage("a file of the log is taken without a line", "apps/audit/views.py", "before=exports.record(self.tenant.organization, query, kind, by=self.tenant.actor)", "before=__import__('apps.audit.models').audit.models.AuditEvent(pk=2**60)", "tests/audit/test_pages.py"),
    Breakage("a list is taken home without a line", "apps/tenancy/export.py", "        log.record(Event.LIST_EXPORTED", "        (lambda *a, **k: None)(Event.LIST_EXPORTED", "tests/tenancy/test_export.py"),
    Breakage("two workers send to one stream", "apps/streams/delivery.py", "Stream.objects.active().free().filter(pk=pk)", "Stream.objects.active().filter(pk=pk)", "tests/streams/test_delivery.py"),
    Breakage("a stream's secret goes to another receiver", "apps/streams/signing.py", 'f"streams.Stream.secret:{stream.pk}:{stream.origin}"', 'f"streams.Stream.secret:{stream.pk}"', "tests/streams"),
    Breakage("private addresses can be reached", "apps/core/outbound.py", "return destination.scheme in _ENCRYPTED and is_public(address)", "return destination.scheme in _ENCRYPTED", "tests/core/test_outbound.py"),
    Breakage("history is written outside the transaction", "apps/audit/log.py", "    if not transaction.get_connection().in_atomic_block:", "    if False:", "tests/audit"),
    Breakage("an archived workspace stays open", "apps/workspaces/models.py", "permitted & READING if self.is_archived else permitted", "permitted", "tests/workspaces/test_operations.py"),
    Breakage("a type's missing feature counts", "apps/workspaces/models.py", "ACTIONS[self.type] & ", "", "tests/workspaces/test_operations.py"),
    Breakage("a wall is not raised", "apps/core/walls.py", "                        cursor.execute(statement)", "                        pass", "tests/house/test_walls.py"),
    Breakage("the organization is not locked", "apps/organizations/operations.py", "    held = Organization.objects.select_for_update(no_key=True).filter(pk=organization.pk).first()\n    by", "    held = Organization.objects.filter(pk=organization.pk).first()\n    by", "tests/races"),
    Breakage("rights are not read again under the lock", "apps/organizations/operations.py", "    by.look_again()\n", "", "tests/races"),
    Breakage("noting presence waits for the organization", "apps/memberships/owners.py", "AFTER UPDATE OF role, status OR DELETE", "AFTER UPDATE OR DELETE", "tests/races"),
    Breakage("a purge does not look again", "apps/workspaces/operations.py", "    if only_if_due and workspace.kept_until > now():", "    if False:", "tests/workspaces/test_operations.py"),
    Breakage("an offer's workspaces are not read again", "apps/memberships/invitations.py", "    offer = _read_again(offer, organization)\n", "", "tests/memberships/test_invitations.py"),
]  # fmt: skip


def is_noticed(breakage: Breakage) -> bool | None:
    """Whether a test fails; None when there is nothing left to break where the breakage says."""
    with tempfile.TemporaryDirectory() as folder:
        for name in COPIED:
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, Path(folder) / name)
        path = Path(folder) / breakage.path
        text = path.read_text()
        if breakage.stands not in text:
            return None
        path.write_text(text.replace(breakage.stands, breakage.becomes))
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-x",
            "-q",
            "-n",
            "0",
            "-p",
            "no:cacheprovider",
            *breakage.tests.split(),
        ]
        run = subprocess.run(command, cwd=folder, env=os.environ, capture_output=True, check=False)
        return run.returncode == 1


def main() -> int:
    console, table = Console(), Table("Breakage", "Noticed")
    verdicts = [is_noticed(breakage) for breakage in track(BREAKAGES, "Breaking", console=console)]
    for breakage, verdict in zip(BREAKAGES, verdicts, strict=True):
        table.add_row(
            breakage.what, {True: "yes", False: "[bold red]no[/]", None: "[bold red]nothing to break[/]"}[verdict]
        )
    console.print(table)
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
