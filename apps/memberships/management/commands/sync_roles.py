"""Makes every permission row equal the matrix and every role group the memberships; run by each release."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction
from rich.console import Console
from rich.progress import track

from apps.access.actions import Action
from apps.access.actors import Origin, SystemActor
from apps.access.rows import Drift
from apps.audit import log
from apps.audit.events import Event
from apps.memberships import grants
from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from apps.workspaces import operations as workspaces


class Command(BaseCommand):
    help = "Repair any drift between the matrix, the memberships and the stored permission rows, and say what changed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if there is drift")

    def handle(self, *args: Any, check: bool, verbosity: int, **options: Any) -> None:
        console, total = Console(stderr=True, quiet=verbosity == 0), Drift()
        everything = Organization.objects.order_by("pk")
        for organization in track(everything.iterator(), "Organizations", everything.count(), console=console):
            drift = _repair(organization, keep=not check)
            if drift:
                self.stdout.write(f"{organization.slug}: {drift.added} rows missing, {drift.removed} too many")
            total += drift
        self.stdout.write("Nothing had drifted." if not total else f"{total.added} added, {total.removed} removed.")
        if check and total:
            raise SystemExit(1)


def _repair(organization: Organization, *, keep: bool) -> Drift:
    by = SystemActor(reason="sync_roles", actions=Action, origin=Origin(door="command"))
    with transaction.atomic():
        if not Organization.objects.select_for_update(no_key=True).filter(pk=organization.pk).exists():
            return Drift()
        drift = organizations.sync_roles(organization)
        for workspace in organization.workspaces.order_by("pk").iterator():
            drift += workspaces.sync_roles(workspace)
        drift += grants.sync(organization)
        if drift and keep:
            changed = {"added": drift.added, "removed": drift.removed}
            log.record(
                Event.ROLES_REPAIRED, actor=by, target=organization, organization_id=organization.pk, after=changed
            )
        transaction.set_rollback(not keep)
    return drift
