"""What can happen to an organization itself; people come after, in memberships."""

from django.db import transaction
from django.utils.translation import gettext as _

from apps.access import gate, rows
from apps.access.actions import Action
from apps.access.actors import Actor
from apps.access.roles import OrganizationRole
from apps.audit import log
from apps.audit.events import Event
from apps.core import slugs, text
from apps.core.errors import Closed, Conflict, Missing
from apps.core.models import Row
from apps.organizations.models import Organization, OrganizationRoleGroup


def lock(organization: Organization, by: Actor) -> Organization:
    """The organization, held still until the transaction ends: the first lock of every operation.

    From here on `by` holds what they hold now, not what they held before they waited (P13).
    Raises Missing when it is gone, Closed when it is suspended.
    """
    held = Organization.objects.select_for_update(no_key=True).filter(pk=organization.pk).first()
    by.look_again()
    if held is None:
        raise Missing("organization")
    if held.is_suspended:
        message = _("%(organization)s is suspended. Ask the people who run this installation.")
        raise Closed(message % {"organization": held})
    return held


@transaction.atomic
def create(*, name: str, by: Actor) -> Organization:
    """The organization and its role groups, without anybody in it: onboarding adds the founder."""
    name = text.name(name)
    organization = Organization.objects.create(
        name=name, slug=slugs.unused(slugs.organization_slug, name, Organization.objects), **Row.authored(by)
    )
    sync_roles(organization)
    log.record(
        Event.ORGANIZATION_FOUNDED, actor=by, target=organization, organization_id=organization.pk, after={"name": name}
    )
    return organization


@transaction.atomic
def update(
    organization: Organization,
    *,
    name: str | None = None,
    description: str | None = None,
    version: int | None = None,
    by: Actor,
) -> Organization:
    """Renames or redescribes; what is None stays. Its slug never changes, so no link breaks."""
    organization = lock(organization, by)
    gate.require(by, Action.ORGANISATIONS_UPDATE, organization)
    organization.refuse_stale(version)
    wanted = {"name": None if name is None else text.name(name)}
    wanted["description"] = None if description is None else text.description(description)
    changed = organization.revise({field: value for field, value in wanted.items() if value is not None}, by=by)
    if changed:
        log.record(
            Event.ORGANIZATION_UPDATED,
            actor=by,
            target=organization,
            organization_id=organization.pk,
            before={field: before for field, (before, _) in changed.items()},
            after={field: after for field, (_, after) in changed.items()},
        )
    return organization


@transaction.atomic
def set_status(organization: Organization, status: Organization.Status, *, by: Actor) -> Organization:
    """Suspends an organization, with everybody and every key in it, or resumes it: the operator's act (P22)."""
    gate.require_operator(by)
    held = Organization.objects.select_for_update(no_key=True).filter(pk=organization.pk).first()
    if held is None:
        raise Missing("organization")
    organization = held
    if organization.status == status:
        told = {"organization": organization, "status": str(status.label).lower()}
        raise Conflict(_("%(organization)s is %(status)s already.") % told)
    organization.revise({"status": status}, by=by)
    event = Event.ORGANIZATION_SUSPENDED if organization.is_suspended else Event.ORGANIZATION_RESUMED
    log.record(event, actor=by, target=organization, organization_id=organization.pk)
    return organization


def sync_roles(organization: Organization) -> rows.Drift:
    """Makes the organization's role groups one for each role, and their permission rows equal the matrix."""
    groups = {group.role: group for group in organization.role_groups.all()}
    for role in OrganizationRole:
        if role not in groups:
            name = f"organization {organization.pk} {role}"
            groups[role] = OrganizationRoleGroup.objects.create(name=name, organization=organization, role=role)
    return rows.sync(organization, [(group.pk, OrganizationRole(role)) for role, group in groups.items()])
