"""What can happen to a workspace; who is in it comes after, in memberships."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from apps.access import gate, rows
from apps.access.actions import Action
from apps.access.actors import Actor
from apps.access.roles import WorkspaceRole
from apps.audit import log
from apps.audit.events import Event
from apps.core import slugs, text
from apps.core.clock import now
from apps.core.errors import Conflict, DomainError, Invalid, Missing
from apps.core.models import Row
from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from apps.workspaces import contents, limits
from apps.workspaces.models import KEPT_AFTER_ARCHIVING, Workspace, WorkspaceRoleGroup
from apps.workspaces.types import WorkspaceType

DEFAULT_NAME = "Shared Team Workspace"
COLORS = ("", "blue", "green", "amber", "red", "cyan", "violet")
ICON_LENGTH = 32


def lock(workspace: Workspace, by: Actor) -> Workspace:
    """The workspace, held still, after its organization: the second lock of every operation. Raises Missing, Closed."""
    organization = organizations.lock(workspace.organization, by)
    held: Workspace | None = Workspace.objects.select_for_update().filter(pk=workspace.pk).first()
    if held is None:
        raise Missing("workspace")
    held.organization = organization
    return held


def lock_open(workspace: Workspace, by: Actor) -> Workspace:
    """The same, for acts that an archived workspace no longer takes part in. Raises Conflict."""
    held = lock(workspace, by)
    if held.is_archived:
        raise Conflict(_("%(workspace)s is archived. Restore it first.") % {"workspace": held})
    return held


@transaction.atomic
def create(
    organization: Organization, *, name: str, kind: str = WorkspaceType.AI_GATEWAY, by: Actor, **details: Any
) -> Workspace:
    """Opens a workspace with its role groups. `details` are the settings that `update` takes too."""
    organization = organizations.lock(organization, by)
    gate.require(by, Action.WORKSPACES_CREATE, organization)
    if kind not in WorkspaceType:
        raise Invalid({"type": _("A workspace type is one of: %(types)s.") % {"types": ", ".join(WorkspaceType)}})
    return _open(organization, name=text.name(name), type=kind, by=by, **_settings(details))


@transaction.atomic
def open_default(organization: Organization, *, by: Actor) -> Workspace:
    """The workspace every organization is founded with, which cannot be deleted (contract rule 5)."""
    organization = organizations.lock(organization, by)
    gate.require(by, Action.WORKSPACES_CREATE, organization)
    return _open(organization, name=DEFAULT_NAME, is_default=True, by=by)


@transaction.atomic
def update(workspace: Workspace, *, version: int | None = None, by: Actor, **changes: Any) -> Workspace:
    """Changes the settings that are named; type, slug and organization are not among them (product 5.4).

    Turning off delete protection needs the right to delete, too.
    """
    workspace = lock(workspace, by)
    gate.require(by, Action.WORKSPACES_UPDATE, workspace)
    if workspace.is_archived:
        # To people the gate says so already; operators and jobs are bound by the state all the same (product P16).
        raise Conflict(_("%(workspace)s is archived. Restore it first.") % {"workspace": workspace})
    workspace.refuse_stale(version)
    wanted = _settings(changes)
    if workspace.delete_protected and wanted.get("delete_protected") is False:
        gate.require(by, Action.WORKSPACES_DELETE, workspace.organization)
    changed = workspace.revise(wanted, by=by)
    if changed:
        _record(
            Event.WORKSPACE_UPDATED,
            workspace,
            by,
            before={field: before for field, (before, _) in changed.items()},
            after={field: after for field, (_, after) in changed.items()},
        )
    return workspace


@transaction.atomic
def archive(workspace: Workspace, *, even_if_used: bool = True, version: int | None = None, by: Actor) -> Workspace:
    """Closes a workspace: its keys die at once, members no longer see it, and after 30 days it is purged.

    With `even_if_used` False it is refused while the workspace still holds something (product P23).
    """
    workspace = lock(workspace, by)
    gate.require(by, Action.WORKSPACES_DELETE, workspace.organization)
    workspace.refuse_stale(version)
    if workspace.is_archived:
        raise Conflict(_("%(workspace)s is archived already.") % {"workspace": workspace})
    _refuse_if_it_stays(workspace)
    held = contents.held_by(workspace)
    if held and not even_if_used:
        things = {"things": ", ".join(held)}
        raise Conflict(_("Unable to delete. Please ensure that all %(things)s are deleted.") % things)
    workspace.revise({"archived_at": now()}, by=by)
    _record(Event.WORKSPACE_ARCHIVED, workspace, by, held=held)
    return workspace


@transaction.atomic
def restore(workspace: Workspace, *, version: int | None = None, by: Actor) -> Workspace:
    """Opens an archived workspace again, as it was, keys included."""
    workspace = lock(workspace, by)
    gate.require(by, Action.WORKSPACES_DELETE, workspace.organization)
    workspace.refuse_stale(version)
    if workspace.kept_until is None:
        raise Conflict(_("%(workspace)s is not archived.") % {"workspace": workspace})
    if workspace.kept_until <= now():
        raise Conflict(_("%(workspace)s could be restored for 30 days, which are over.") % {"workspace": workspace})
    workspace.revise({"archived_at": None}, by=by)
    _record(Event.WORKSPACE_RESTORED, workspace, by)
    return workspace


@transaction.atomic
def delete(workspace: Workspace, *, only_if_due: bool = False, by: Actor) -> None:
    """Ends an archived workspace and everything in it, for good; when asked so, only if its 30 days are over."""
    workspace = lock(workspace, by)
    gate.require(by, Action.WORKSPACES_DELETE, workspace.organization)
    if workspace.kept_until is None:
        raise Conflict(
            _("Archive %(workspace)s first; an archived workspace can be deleted.") % {"workspace": workspace}
        )
    if only_if_due and workspace.kept_until > now():
        raise Conflict(_("%(workspace)s is kept for 30 days.") % {"workspace": workspace})
    _refuse_if_it_stays(workspace)
    _record(Event.WORKSPACE_DELETED, workspace, by, held=contents.held_by(workspace), before={"slug": workspace.slug})
    workspace.delete()


def purge_archived(*, by: Actor) -> tuple[int, int]:
    """Deletes the workspaces whose 30 days are over, one transaction each; answers (purged, refused).

    Each is decided under its own lock: one that was restored meanwhile stays, and stops no other.
    """
    due = Workspace.objects.archived_before(now() - KEPT_AFTER_ARCHIVING).select_related("organization")
    purged = refused = 0
    for workspace in due.filter(organization__status=Organization.Status.ACTIVE).iterator():
        try:
            delete(workspace, only_if_due=True, by=by)
            purged += 1
        except DomainError:
            refused += 1
    return purged, refused


def sync_roles(workspace: Workspace) -> rows.Drift:
    """Makes the workspace's role groups one for each role, and their permission rows equal the matrix."""
    groups = {group.role: group for group in workspace.role_groups.all()}
    for role in WorkspaceRole:
        if role not in groups:
            name = f"workspace {workspace.pk} {role}"
            groups[role] = WorkspaceRoleGroup.objects.create(name=name, workspace=workspace, role=role)
    return rows.sync(workspace, [(group.pk, WorkspaceRole(role)) for role, group in groups.items()])


def _open(organization: Organization, *, by: Actor, **columns: Any) -> Workspace:
    slug = slugs.unused(slugs.workspace_slug, columns["name"], organization.workspaces)
    workspace = Workspace.objects.create(organization=organization, slug=slug, **columns, **Row.authored(by))
    sync_roles(workspace)
    _record(Event.WORKSPACE_CREATED, workspace, by, after={"name": workspace.name, "type": workspace.type})
    return workspace


def _refuse_if_it_stays(workspace: Workspace) -> None:
    if workspace.is_default:
        message = _("%(workspace)s is the default workspace, which every organization keeps.")
        raise Conflict(message % {"workspace": workspace})
    if workspace.delete_protected:
        message = _("%(workspace)s is protected from deletion. Turn the protection off in its settings first.")
        raise Conflict(message % {"workspace": workspace})


def _record(event: Event, workspace: Workspace, by: Actor, **details: Any) -> None:
    log.record(
        event,
        actor=by,
        target=workspace,
        organization_id=workspace.organization_id,
        workspace_id=workspace.pk,
        **details,
    )


def _settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as they are kept. Raises Invalid; a setting there is not is a mistake of the caller's."""
    return {field: _CLEANED[field](value) for field, value in given.items()}


def _color(value: str) -> str:
    if value not in COLORS:
        colors = {"colors": ", ".join(filter(None, COLORS))}
        raise Invalid({"color": _("A color is one of: %(colors)s.") % colors})
    return value


def _icon(value: str | None) -> str:
    return text.name(value, field="icon")[:ICON_LENGTH] if value else ""


def _defaults(value: Any) -> dict[str, Any] | None:
    if not value:
        return None
    if not isinstance(value, Mapping):
        raise Invalid({"defaults": _("An object is needed here.")})
    limits.no_reference(value, "input_guardrails", "output_guardrails", "user_api_key_config")
    return {"metadata": limits.metadata(value["metadata"])} if value.get("metadata") is not None else None


_CLEANED: Final[Mapping[str, Callable[[Any], Any]]] = {
    "name": text.name,
    "description": text.description,
    "color": _color,
    "icon": _icon,
    "delete_protected": bool,
    "defaults": _defaults,
    "usage_limits": lambda value: limits.budgets(value) if value is not None else None,
    "rate_limits": lambda value: limits.rate_limits(value, limits.UNITS_OF_WORKSPACES) if value is not None else None,
}
