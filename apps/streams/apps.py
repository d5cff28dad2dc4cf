"""Streams: an organization's audit log, sent line by line to where it is collected."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_delete


def _nobody_waits(*, instance: Any, **_: Any) -> None:
    """The chain of an organization outlives it; its streams do not."""
    from apps.audit.models import AuditHead

    AuditHead.objects.filter(chain=instance.pk, is_streamed=True).update(is_streamed=False)


class StreamsConfig(AppConfig):
    name = "apps.streams"
    label = "streams"

    def ready(self) -> None:
        from apps.audit import log
        from apps.core import outbound, walls
        from apps.organizations.models import Organization
        from apps.streams import tasks
        from apps.streams.models import Stream, Undelivered

        outbound.permitted()  # a setting that makes no sense is said before anything is sent
        walls.build(
            self,
            lambda: [
                walls.immutable(Stream, "id", "organization", "kind", "created_at"),
                walls.immutable(Undelivered, "id", "organization", "stream", "sequence"),
                walls.same_organization(Undelivered, "stream"),
            ],
        )
        post_delete.connect(_nobody_waits, sender=Organization)
        log.listen(tasks.call)
