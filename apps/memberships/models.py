"""People in places: membership of an organization, of a workspace, and the invitation to become one."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F

from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.core.clock import now
from apps.core.models import TenantRow
from apps.core.search import KEY_LENGTH, Word
from apps.memberships.querysets import SEEN, SEEN_EVERY, InvitationQuerySet, OrganizationMembershipQuerySet
from apps.organizations.models import Organization
from apps.workspaces.models import Workspace


class OrganizationMembership(TenantRow):
    """A person in an organization, with one role there."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        SUSPENDED = "suspended", "Suspended"

    workspace_path = None

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=10, choices=OrganizationRole)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    last_active_at = models.DateTimeField(null=True, editable=False)
    external_id = models.CharField(max_length=255, blank=True, editable=False)
    # The person's name and address as the list is sorted and searched by; they follow the account (see directory).
    name_key = models.CharField(max_length=KEY_LENGTH, editable=False)
    address_key = models.CharField(max_length=KEY_LENGTH, editable=False)

    objects = OrganizationMembershipQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["organization", "user"], name="one_membership_per_person")]
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="members_newest_first"),
            models.Index(fields=["organization", "role", "-created_at", "-id"], name="members_of_role"),
            models.Index(fields=["organization", "name_key", "id"], name="members_by_name"),
            models.Index(fields=["organization", "address_key", "id"], name="members_by_address"),
            models.Index(fields=["organization", "role", "id"], name="members_by_role"),
            models.Index(F("organization"), SEEN, F("id"), name="members_by_presence"),
            models.Index(
                fields=["organization", "-created_at", "-id"],
                condition=models.Q(status="suspended"),
                name="members_suspended",
            ),
        ]

    def __str__(self) -> str:
        return str(self.user)

    @property
    def is_active(self) -> bool:
        return self.status == self.Status.ACTIVE

    @property
    def role_name(self) -> str:
        return OrganizationRole(self.role).label

    @property
    def was_seen_lately(self) -> bool:
        return self.last_active_at is not None and self.last_active_at > now() - SEEN_EVERY


class MemberWord(Word):
    """A word by which a member is found: of the name, or of the address."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    row = models.ForeignKey(OrganizationMembership, models.CASCADE, related_name="words", db_index=False)

    class Meta(Word.Meta):
        pass


class WorkspaceMembership(TenantRow):
    """A member of the organization in one workspace of it, with one role there."""

    workspace_path = "workspace"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="memberships")
    # Through the membership of the organization, so that nobody is in a workspace without being in it.
    membership = models.ForeignKey(OrganizationMembership, models.CASCADE, related_name="workspaces")
    role = models.CharField(max_length=10, choices=WorkspaceRole)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["workspace", "membership"], name="one_membership_per_workspace")]
        indexes = [models.Index(fields=["workspace", "-created_at", "-id"], name="team_newest_first")]

    def __str__(self) -> str:
        return f"{self.membership} in {self.workspace}"

    @property
    def role_name(self) -> str:
        return WorkspaceRole(self.role).label


class Invitation(TenantRow):
    """An address asked to join an organization, with the role and workspaces that wait for it (product P14)."""

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        ACCEPTED = "accepted", "Accepted"
        CANCELLED = "cancelled", "Cancelled"
        DECLINED = "declined", "Declined"

    workspace_path = None

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=OrganizationRole)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    # Two tokens, both stored as digests alone. Only the mailed one proves that the mailbox was read.
    mailed_digest = models.BinaryField(max_length=32, null=True, unique=True, editable=False)
    copied_digest = models.BinaryField(max_length=32, null=True, unique=True, editable=False)
    # Who stands for the offer: whoever invited, sent it again or copied its link last.
    offered_by = models.UUIDField(null=True, editable=False)
    offered_by_kind = models.CharField(max_length=10, editable=False)
    # A personal key with these scopes is made in each invited workspace when the person accepts (contract rule 18).
    key_scopes = models.JSONField(null=True)
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    objects = InvitationQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "email"], condition=models.Q(status="pending"), name="one_pending_invitation"
            ),
        ]
        indexes = [models.Index(fields=["organization", "-created_at", "-id"], name="invitations_newest_first")]

    def __str__(self) -> str:
        return self.email

    @property
    def is_expired(self) -> bool:
        return self.status == self.Status.PENDING and self.expires_at <= now()

    @property
    def is_open(self) -> bool:
        return self.status == self.Status.PENDING and not self.is_expired

    @property
    def shown_status(self) -> str:
        """What the wire calls it: expiry is computed, and a declined one is cancelled (contract 1.2, P14)."""
        if self.is_expired:
            return "expired"
        return self.Status.CANCELLED if self.status == self.Status.DECLINED else self.status

    @property
    def role_name(self) -> str:
        return OrganizationRole(self.role).label


class InvitedWorkspace(TenantRow):
    """A workspace that waits for an invited person, with the role they will have there."""

    workspace_path = None

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    invitation = models.ForeignKey(Invitation, models.CASCADE, related_name="workspaces")
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+")
    role = models.CharField(max_length=10, choices=WorkspaceRole)
    # The id or slug as the inviter wrote it: clients compare it with what they sent (contract 1.2).
    reference = models.CharField(max_length=255)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["invitation", "workspace"], name="invited_once_per_workspace")]
        ordering: ClassVar = ["created_at", "id"]

    def __str__(self) -> str:
        return f"{self.workspace} as {self.role}"

    @property
    def role_name(self) -> str:
        return WorkspaceRole(self.role).label
