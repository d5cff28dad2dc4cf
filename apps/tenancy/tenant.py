"""Where a request is: who acts, in which organization, in which workspace. Resolved once, never again."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db.models import QuerySet

from apps.access import gate
from apps.access.actions import Action, Level
from apps.access.actors import Actor
from apps.core.errors import Missing
from apps.core.models import TenantRow
from apps.organizations.models import Organization
from apps.workspaces.models import Workspace

Row = TypeVar("Row", bound=TenantRow)


@dataclass(frozen=True)
class Tenant:
    """The place a request acts in, and the only way from there to rows."""

    actor: Actor
    organization: Organization
    workspace: Workspace | None = field(default=None)

    def place(self, level: Level) -> Any:
        """Where an action of this level is asked: a workspace's own, unless the request spans the organization."""
        return self.workspace if level is Level.WORKSPACE and self.workspace is not None else self.organization

    def may(self, action: Action) -> bool:
        return gate.may(self.actor, action, self.place(action.level))

    def require(self, action: Action) -> None:
        gate.require(self.actor, action, self.place(action.level))

    def may_any(self, actions: Iterable[Action]) -> bool:
        return any(self.may(action) for action in actions)

    def own(self, model: type[Row]) -> QuerySet[Row]:
        """The rows of this model that belong here, and no others: filtered by the most specific place known."""
        rows = model._default_manager.filter(organization=self.organization)
        if self.workspace is not None and model.workspace_path:
            rows = rows.filter(**{model.workspace_path: self.workspace.pk})
        return rows


def resolve(actor: Actor, organization: Organization | None, workspace: Workspace | None = None) -> Tenant:
    """The tenant of a request. Raises Missing alike for what is not there and for what is not the actor's (P10)."""
    place = workspace or organization
    if organization is None or place is None or not actor.belongs_to(place):
        raise Missing
    return Tenant(actor, organization, workspace)
