"""The organization, its role groups, and the permission rows that hang on it."""

import uuid
from typing import Any, ClassVar, NoReturn

from django.contrib.auth.models import Group
from django.db import models
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from apps.access.actions import EVERYTHING, Action, Level, permissions_on
from apps.access.roles import OrganizationRole
from apps.access.rows import Held
from apps.core.models import Row
from apps.core.text import NAME_LENGTH


class Organization(Row):
    """A tenant: everything in the product belongs to exactly one."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        SUSPENDED = "suspended", "Suspended"

    name = models.CharField(max_length=NAME_LENGTH)
    slug = models.SlugField(max_length=NAME_LENGTH, unique=True, editable=False)
    description = models.TextField(blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE, editable=False)
    # What is asked of the API keys here, as apikeys.policy reads and writes it; None asks for nothing.
    key_policy = models.JSONField(null=True, editable=False)

    class Meta:
        default_permissions = ()
        permissions = permissions_on(Level.ORGANIZATION)

    def __str__(self) -> str:
        return self.name

    @property
    def parent(self) -> None:
        return None

    @property
    def organization_key(self) -> uuid.UUID:
        return self.pk

    @property
    def is_suspended(self) -> bool:
        return self.status == self.Status.SUSPENDED

    def is_open_to(self, held: Held) -> bool:
        return bool(held.here)

    @property
    def permitted(self) -> frozenset[Action]:
        # A suspended organization still says what it is, to those who belong to it (product P22).
        return frozenset({Action.ORGANISATIONS_READ}) if self.is_suspended else EVERYTHING


class OrganizationRoleGroup(Group):
    """The auth group that stands for everyone with this role here.

    A child of Group rather than a neighbour of it, so that deleting the place deletes the group too, and
    nothing is left behind to be inherited by accident.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="role_groups")
    role = models.CharField(max_length=10, choices=OrganizationRole)

    # Group types its manager as one of Groups; ours holds role groups.
    objects: ClassVar[models.Manager["OrganizationRoleGroup"]] = models.Manager()  # type: ignore[assignment]

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["organization", "role"], name="one_organization_group_per_role")]


class OrganizationGroupPermission(GroupObjectPermissionBase):
    """What a role group may do in an organization: written by access.rows alone."""

    content_object = models.ForeignKey(Organization, models.CASCADE)

    class Meta(GroupObjectPermissionBase.Meta):
        default_permissions = ()


class OrganizationUserPermission(UserObjectPermissionBase):
    """Exists only to refuse: permissions reach people through a role."""

    content_object = models.ForeignKey(Organization, models.CASCADE)

    class Meta(UserObjectPermissionBase.Meta):
        default_permissions = ()

    def save(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("Permissions reach people through a role, never one by one.")
