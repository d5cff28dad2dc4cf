"""API keys: actors that carry exactly what they were given."""

from django.apps import AppConfig


class ApikeysConfig(AppConfig):
    name = "apps.apikeys"
    label = "apikeys"
    verbose_name = "API keys"

    def ready(self) -> None:
        from apps.apikeys.models import ApiKey, ApiKeyWord
        from apps.core import search, walls
        from apps.workspaces import contents

        written_once = ("id", "organization", "workspace", "user", "type", "created_at")
        walls.build(
            self,
            lambda: [
                walls.immutable(ApiKey, *written_once),
                walls.same_organization(ApiKey, "workspace"),
                walls.same_organization(ApiKeyWord, "row"),
            ],
        )
        search.follow(ApiKey, "name", "ending")
        contents.register("API keys", lambda workspace: workspace.api_keys.live().count())
