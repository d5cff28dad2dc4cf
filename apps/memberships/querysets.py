"""What one can ask about many memberships and invitations."""

import uuid
from datetime import timedelta
from typing import Any, Final

from django.db import models
from django.db.models.functions import Coalesce, Concat, NullIf, Trim

from apps.access.actions import Action
from apps.access.roles import OrganizationRole, actions_of
from apps.accounts.models import User
from apps.apikeys.models import ApiKey
from apps.core.clock import now

SEEN_EVERY: Final = timedelta(minutes=15)
# When somebody was here last, for sorting: whoever never was counts from the day they joined.
SEEN: Final = Coalesce("last_active_at", "created_at")
_TEXT: Final = models.CharField()


class OrganizationMembershipQuerySet(models.QuerySet[Any]):
    def active(self) -> "OrganizationMembershipQuerySet":
        return self.filter(status=self.model.Status.ACTIVE)

    def owners(self) -> "OrganizationMembershipQuerySet":
        return self.filter(role=OrganizationRole.OWNER)

    def of(self, user_id: uuid.UUID) -> "OrganizationMembershipQuerySet":
        return self.filter(user=user_id)

    def holding(self, action: Action) -> "OrganizationMembershipQuerySet":
        """Those whose role in the organization includes this action."""
        return self.filter(role__in=[role for role in OrganizationRole if action in actions_of(role)])

    def with_workspaces(self, visible: models.QuerySet[Any]) -> "OrganizationMembershipQuerySet":
        """With the workspaces each person is in, of those named: one more query, however many people."""
        teams = self.model.workspaces.rel.related_model._default_manager
        rows = teams.filter(workspace__in=visible).select_related("workspace").order_by("created_at")
        return self.prefetch_related(models.Prefetch("workspaces", rows, to_attr="seats"))

    def note_presence(self) -> int:
        """Notes that these people were here, unless that was noted a moment ago: a write every 15 minutes (P21)."""
        stale = models.Q(last_active_at=None) | models.Q(last_active_at__lt=now() - SEEN_EVERY)
        return self.filter(stale).update(last_active_at=now())

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

    def to_addresses(self, beginning: str) -> "InvitationQuerySet":
        """Those whose address begins so, in the form addresses are kept in."""
        return self.filter(email__begins=beginning.strip().lower())

    def with_inviter(self) -> "InvitationQuerySet":
        """With who made each, as people know them: a name, an address, or the name of a key; else nothing."""
        author = models.OuterRef("created_by")
        whole = NullIf(Trim(Concat("first_name", models.Value(" "), "last_name")), models.Value(""))
        person = (
            User.objects.filter(pk=author).annotate(shown=Coalesce(whole, "email", output_field=_TEXT)).values("shown")
        )
        key = ApiKey.objects.filter(pk=author).values("name")
        name = Coalesce(models.Subquery(person), models.Subquery(key), models.Value(""), output_field=_TEXT)
        rows: InvitationQuerySet = self.annotate(inviter=name)
        return rows

    def with_workspaces(self) -> "InvitationQuerySet":
        """With the workspaces that wait, in one more query."""
        rows = self.model.workspaces.rel.related_model._default_manager.select_related("workspace")
        return self.prefetch_related(models.Prefetch("workspaces", rows, to_attr="seats"))

    def newest_first(self) -> "InvitationQuerySet":
        return self.order_by("-created_at", "-id")
