"""What time alone brings about; run it from cron, once a day or oftener."""

from typing import Any

from django.core.management.base import BaseCommand

from apps.access.actions import Action
from apps.access.actors import Origin, SystemActor
from apps.workspaces import operations as workspaces


class Command(BaseCommand):
    help = "Do what has become due: purge workspaces that were archived more than 30 days ago."

    def handle(self, *args: Any, **options: Any) -> None:
        by = SystemActor(reason="tick", actions=[Action.WORKSPACES_DELETE], origin=Origin(door="command"))
        self.stdout.write(f"{workspaces.purge_archived(by=by)} archived workspaces purged.")
