"""API keys: actors that carry exactly what they were given."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import pre_delete


def _forget_counters(*, instance: Any, **_: Any) -> None:
    """What counts for a key is not tied to its row; with a workspace it goes."""
    from apps.limits import operations as limits

    limits.forget(instance.api_keys.values_list("pk", flat=True))


class ApikeysConfig(AppConfig):
    name = "apps.apikeys"
    label = "apikeys"
    verbose_name = "API keys"

    def ready(self) -> None:
        from apps.apikeys import alerts
        from apps.apikeys.models import ApiKey, ApiKeyWord, Caller, LastUse, Notice, ScopeUse
        from apps.core import search, walls
        from apps.limits.alerts import on_exhausted, on_threshold
        from apps.workspaces import contents
        from apps.workspaces.models import Workspace

        written_once = ("id", "organization", "workspace", "user", "type", "created_at")
        walls.build(
            self,
            lambda: [
                walls.immutable(ApiKey, *written_once),
                walls.same_organization(ApiKey, "workspace"),
                walls.same_organization(ApiKeyWord, "row"),
                *(walls.same_organization(model, "key") for model in (LastUse, Caller, ScopeUse, Notice)),
            ],
        )
        pre_delete.connect(_forget_counters, sender=Workspace)
        on_threshold.connect(alerts.tell_of_threshold)
        on_exhausted.connect(alerts.tell_of_the_end)
        search.follow(ApiKey, "name", "ending")
        contents.register("API keys", lambda workspace: workspace.api_keys.live().count())
