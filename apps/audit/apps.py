"""What has happened: the append-only log of acts."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "apps.audit"
    label = "audit"

    def ready(self) -> None:
        from apps.audit.models import AuditCheckpoint, AuditEvent, AuditNames
        from apps.audit.retention import append_only
        from apps.core import walls

        walls.build(self, lambda: [append_only(model) for model in (AuditEvent, AuditNames, AuditCheckpoint)])
