"""The organization: what a company is here."""

from django.apps import AppConfig


class OrganizationsConfig(AppConfig):
    name = "apps.organizations"
    label = "organizations"

    def ready(self) -> None:
        from apps.core import walls
        from apps.organizations.models import Organization

        walls.build(self, lambda: [walls.immutable(Organization, "id", "slug", "created_at")])
