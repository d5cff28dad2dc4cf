"""What time alone brings about; run it from cron, every few minutes."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from apps.access.actions import Action
from apps.access.actors import Origin, SystemActor
from apps.apikeys import upkeep
from apps.audit import checkpoints, refusals
from apps.audit import operations as audit
from apps.streams import delivery
from apps.workspaces import operations as workspaces


class Command(BaseCommand):
    help = (
        "Do what has become due: rotate keys and tell people of ends that come, purge workspaces archived 30 days ago, "
        "sign how far the audit log reaches, let go of what was kept long enough, and of ended sessions."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        by = SystemActor(reason="tick", actions=[Action.WORKSPACES_DELETE], origin=Origin(door="command"))
        self.stdout.write(f"Keys: {upkeep.run(by)}.")
        purged, refused = workspaces.purge_archived(by=by)
        self.stdout.write(f"{purged} archived workspaces purged, {refused} kept after all.")
        self.stdout.write(f"{refusals.settle()} refusals were repeated.")
        self.stdout.write(f"{audit.shorten_all(by=by)} lines of the audit log were kept long enough.")
        self.stdout.write(f"{checkpoints.take_all()} checkpoints of the audit log taken.")
        self.stdout.write(f"{audit.verify_due()} lines of the audit log verified.")
        call_command("clearsessions")
        self.stdout.write(f"Streams: {delivery.run()}.")
