"""What one can ask about many memberships and invitations."""

import uuid
from typing import Any

from django.db import models

from apps.access.roles import OrganizationRole
from apps.core.clock import now


class OrganizationMembershipQuerySet(models.QuerySet[Any]):
    def active(self) -> "OrganizationMembershipQuerySet":
        return self.filter(status=self.model.Status.ACTIVE)

    def owners(self) -> "OrganizationMembershipQuerySet":
        return self.filter(role=OrganizationRole.OWNER)

    def of(self, user_id: uuid.UUID) -> "OrganizationMembershipQuerySet":
        return self.filter(user=user_id)

    def newest_first(self) -> "OrganizationMembershipQuerySet":
        return self.order_by("-created_at", "-id")


class InvitationQuerySet(models.QuerySet[Any]):
    def pending(self) -> "InvitationQuerySet":
        """Those that can still be accepted: expiry counts when it is looked at, not when a job passes (P14)."""
        return self.filter(status=self.model.Status.PENDING, expires_at__gt=now())

    def shown_as(self, status: str) -> "InvitationQuerySet":
        """Those the wire calls pending, expired, accepted or cancelled."""
        kept = self.model.Status
        if status == "expired":
            return self.filter(status=kept.PENDING, expires_at__lte=now())
        if status == kept.PENDING:
            return self.pending()
        return self.filter(status__in=[kept.CANCELLED, kept.DECLINED] if status == kept.CANCELLED else [status])

    def newest_first(self) -> "InvitationQuerySet":
        return self.order_by("-created_at", "-id")
