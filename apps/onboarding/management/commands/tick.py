"""What time alone brings about; run it from cron, every few minutes."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from apps.access.actions import Action
from apps.access.actors import Origin, SystemActor
from apps.apikeys import upkeep
from apps.workspaces import operations as workspaces


class Command(BaseCommand):
    help = (
        "Do what has become due: rotate keys and tell people of ends that come, purge workspaces archived 30 days ago, "
        "and ended sessions."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        by = SystemActor(reason="tick", actions=[Action.WORKSPACES_DELETE], origin=Origin(door="command"))
        self.stdout.write(f"Keys: {upkeep.run(by)}.")
        purged, refused = workspaces.purge_archived(by=by)
        self.stdout.write(f"{purged} archived workspaces purged, {refused} kept after all.")
        call_command("clearsessions")
