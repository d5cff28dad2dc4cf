"""The API's question, asked before every handler: whose key, which place, which action.

Imports neither views nor viewsets: DRF reads its default permissions while it imports those.
"""

import uuid
from typing import Any

from django.http import HttpRequest
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.apikeys.models import ApiKey
from apps.core.errors import Invalid, Missing
from apps.organizations.models import Organization
from apps.tenancy.tenant import Tenant, resolve
from apps.workspaces.models import Workspace


class MayPerformAction(BasePermission):
    """Resolves the tenant from the key and the ids the request names, then asks the gate (product P26)."""

    def has_permission(self, request: Request | HttpRequest, view: Any) -> bool:
        key: Any = request.auth  # type: ignore[union-attr]
        if key is None:
            return False
        view.tenant = tenant_of_call(key, request, view)
        # A method that is not offered, or OPTIONS, is answered by DRF itself.
        for action in view.actions_needed():
            view.tenant.require(action)
        return True


def tenant_of_call(key: ApiKey, request: Any, view: Any) -> Tenant:
    """The tenant of a call: the key's organization, and the workspace that the key or the request names.

    Raises Missing for any id outside the key's reach, Invalid where the body disagrees with the path.
    """
    body = request.data if isinstance(request.data, dict) else {}
    for named in (request.query_params.get("organisation_id"), body.get("organisation_id")):
        if named not in (None, "") and not _names(key.organization, named):
            raise Missing("organization")
    in_path = view.kwargs.get("workspace")
    from_path = find_workspace(key, in_path) if in_path is not None else None
    others = [body.get("workspace_id"), request.query_params.get("workspace_id")]
    named_too = [find_workspace(key, reference) for reference in others if reference not in (None, "")]
    if any(found.pk != (from_path or named_too[0]).pk for found in named_too):
        raise Invalid({"workspace_id": "This is not the workspace that the request names elsewhere."})
    workspace = from_path or next(iter(named_too), None) or key.workspace
    # A key belongs to its own place; what it may do there, the gate says.
    return resolve(key, key.organization, workspace) if workspace else Tenant(key, key.organization)


def find_workspace(key: ApiKey, reference: Any) -> Workspace:
    """A workspace of the key's organization by id or slug, if the key covers it. Raises Missing.

    An archived one is not there any more on the wire (product P23).
    """
    if not isinstance(reference, str):
        raise Invalid({"workspace_id": "The id or slug of a workspace is needed."})
    rows = Workspace.objects.active().filter(organization=key.organization).named(reference)
    # No slug holds NUL, and PostgreSQL would not even compare with one.
    found: Workspace | None = rows.first() if "\0" not in reference else None
    if found is None or not key.covers(found):
        raise Missing("workspace")
    found.organization = key.organization
    return found


def _names(organization: Organization, reference: Any) -> bool:
    try:
        return uuid.UUID(str(reference)) == organization.pk
    except ValueError:
        return bool(reference == organization.slug)
