"""What the frame of every page shows: my organizations, where I am, and what the installation says of itself."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from apps.memberships.models import OrganizationMembership


def frame(request: HttpRequest) -> dict[str, Any]:
    return {
        "tenant": getattr(request, "tenant", None),
        "mail_is_off": not settings.EMAIL_IS_CONFIGURED,
        "my_memberships": SimpleLazyObject(lambda: _memberships(request)),
    }


def _memberships(request: HttpRequest) -> Any:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    return list(OrganizationMembership.objects.active().of(user.pk).select_related("organization").order_by("organization__name"))
