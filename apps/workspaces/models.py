"""The workspace, its role groups, and the permission rows that hang on it."""

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar, NoReturn

from django.contrib.auth.models import Group
from django.db import models
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from apps.access.actions import READING, Action, Level, permissions_on
from apps.access.roles import REACHING_INTO_WORKSPACES, WorkspaceRole
from apps.access.rows import Held
from apps.core.models import TenantRow
from apps.core.search import KEY_LENGTH, Word
from apps.core.text import NAME_LENGTH
from apps.organizations.models import Organization
from apps.workspaces.querysets import WorkspaceQuerySet
from apps.workspaces.types import ACTIONS, WorkspaceType

KEPT_AFTER_ARCHIVING = timedelta(days=30)  # product P22, P23


class Workspace(TenantRow):
    """A project of an organization: its own team, keys and the features of its type."""

    workspace_path = "pk"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="workspaces")
    name = models.CharField(max_length=NAME_LENGTH)
    name_key = models.CharField(max_length=KEY_LENGTH, editable=False)
    slug = models.SlugField(max_length=NAME_LENGTH, editable=False)
    description = models.TextField(blank=True)
    type = models.CharField(max_length=20, choices=WorkspaceType, default=WorkspaceType.AI_GATEWAY, editable=False)
    color = models.CharField(max_length=20, blank=True)
    icon = models.CharField(max_length=32, blank=True)
    is_default = models.BooleanField(default=False, editable=False)
    delete_protected = models.BooleanField(default=False)
    archived_at = models.DateTimeField(null=True, editable=False)
    # The wire's own shapes (contract 1.0, 1.3), checked where they are written.
    defaults = models.JSONField(null=True)
    usage_limits = models.JSONField(null=True)
    rate_limits = models.JSONField(null=True)
    # What is asked of the API keys here, as apikeys.policy reads and writes it; None asks for nothing.
    key_policy = models.JSONField(null=True, editable=False)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions = permissions_on(Level.WORKSPACE)
        constraints = [
            models.UniqueConstraint(fields=["organization", "slug"], name="one_workspace_per_slug"),
            models.UniqueConstraint(
                fields=["organization"], condition=models.Q(is_default=True), name="one_default_workspace"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="workspaces_newest_first"),
            models.Index(fields=["organization", "name_key", "id"], name="workspaces_by_name"),
            models.Index(
                fields=["organization"], name="workspaces_archived", condition=models.Q(archived_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def parent(self) -> Organization:
        return self.organization

    @property
    def organization_key(self) -> uuid.UUID:
        return self.organization_id

    @property
    def is_archived(self) -> bool:
        return self.archived_at is not None

    @property
    def kept_until(self) -> datetime | None:
        """Until when an archived workspace can be restored."""
        return self.archived_at and self.archived_at + KEPT_AFTER_ARCHIVING

    def is_open_to(self, held: Held) -> bool:
        # An archived workspace is there only for those whose role in the organization reaches into it (P22).
        return bool(held.above & REACHING_INTO_WORKSPACES) or (bool(held.here) and not self.is_archived)

    @property
    def permitted(self) -> frozenset[Action]:
        permitted = ACTIONS[self.type] & self.organization.permitted
        return permitted & READING if self.is_archived else permitted


class WorkspaceWord(Word):
    """A word by which a workspace is found: of its name, or of its slug."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    row = models.ForeignKey(Workspace, models.CASCADE, related_name="words", db_index=False)

    class Meta(Word.Meta):
        pass


class WorkspaceRoleGroup(Group):
    """The auth group that stands for everyone with this role in this workspace."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="role_groups")
    role = models.CharField(max_length=10, choices=WorkspaceRole)

    # Group types its manager as one of Groups; ours holds role groups.
    objects: ClassVar[models.Manager["WorkspaceRoleGroup"]] = models.Manager()  # type: ignore[assignment]

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["workspace", "role"], name="one_workspace_group_per_role")]


class WorkspaceGroupPermission(GroupObjectPermissionBase):
    """What a role group may do in a workspace: written by access.rows alone."""

    content_object = models.ForeignKey(Workspace, models.CASCADE)

    class Meta(GroupObjectPermissionBase.Meta):
        default_permissions = ()


class WorkspaceUserPermission(UserObjectPermissionBase):
    """Exists only to refuse: permissions reach people through a role."""

    content_object = models.ForeignKey(Workspace, models.CASCADE)

    class Meta(UserObjectPermissionBase.Meta):
        default_permissions = ()

    def save(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("Permissions reach people through a role, never one by one.")
