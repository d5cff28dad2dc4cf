"""The workspace: what separates the projects of an organization."""

from django.apps import AppConfig


class WorkspacesConfig(AppConfig):
    name = "apps.workspaces"
    label = "workspaces"

    def ready(self) -> None:
        from apps.core import search, walls
        from apps.workspaces.models import Workspace, WorkspaceWord

        written_once = ("id", "organization", "slug", "type", "is_default", "created_at")
        walls.build(
            self,
            lambda: [walls.immutable(Workspace, *written_once), walls.same_organization(WorkspaceWord, "row")],
        )
        search.follow(Workspace, "name", "slug")
