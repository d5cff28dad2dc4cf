"""The API key: an actor with its own place, its own scopes and no sign-in."""

import ipaddress
import uuid
from functools import cached_property
from typing import Any, ClassVar, Final

from django.conf import settings
from django.db import models

from apps.access.actions import Action
from apps.access.actors import NOWHERE, Origin, UserActor
from apps.access.places import Place
from apps.access.roles import Role, needed_to_grant
from apps.access.scopes import ALLOWED, KeyType, effective
from apps.apikeys.querysets import ApiKeyQuerySet
from apps.core.clock import now
from apps.core.models import TenantRow
from apps.core.search import KEY_LENGTH, Word
from apps.core.text import NAME_LENGTH
from apps.limits.standing import Standing
from apps.organizations.models import Organization
from apps.workspaces.models import Workspace

AGENT_LENGTH, ROUTE_LENGTH = 120, 160

# The family of actions that governs each type of key.
FAMILIES = {
    KeyType.ORGANIZATION: "organisation_service_api_keys",
    KeyType.WORKSPACE: "workspace_service_api_keys",
    KeyType.USER: "workspace_user_api_keys",
}


def action_on(key_type: str, verb: str) -> Action:
    """The action that governs this act on keys of this type: "workspace_service_api_keys.create"."""
    return Action(f"{FAMILIES[KeyType(key_type)]}.{verb}")


_ROTATES: Final = models.Q(next_rotation_at__isnull=False)
_IN_TRANSITION: Final = models.Q(transition_ends_at__isnull=False)


class ApiKey(TenantRow):
    """A key of an organization, of a workspace, or of one person in a workspace."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        DISABLED = "disabled", "Disabled"
        REVOKED = "revoked", "Revoked"

    class Creation(models.TextChoices):
        UI = "ui"
        API = "api"
        AUTO = "auto"

    workspace_path = "workspace"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="api_keys")
    workspace = models.ForeignKey(Workspace, models.CASCADE, null=True, related_name="api_keys")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="api_keys")
    type = models.CharField(max_length=20, choices=KeyType)
    name = models.CharField(max_length=NAME_LENGTH)
    name_key = models.CharField(max_length=KEY_LENGTH, editable=False)
    description = models.TextField(blank=True)
    scopes = models.JSONField(default=list)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    expires_at = models.DateTimeField(null=True)
    creation = models.CharField(max_length=4, choices=Creation, default=Creation.UI)
    # The secret itself is nowhere: its keyed digest, which pepper made it, and what people may see of it.
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    pepper_version = models.PositiveSmallIntegerField(editable=False)
    mask = models.CharField(max_length=20, editable=False)
    # The secret before this one lives on beside it until the transition ends; there is never a third (contract 3.7).
    previous_digest = models.BinaryField(max_length=32, null=True, editable=False)
    previous_mask = models.CharField(max_length=20, blank=True, editable=False)
    transition_ends_at = models.DateTimeField(null=True, editable=False)
    # A rotation by the calendar shows nobody the new secret: it is made when somebody comes for it (P30).
    awaits_collection = models.BooleanField(default=False, editable=False)
    last_rotated_at = models.DateTimeField(null=True, editable=False)
    rotation_policy = models.JSONField(null=True)
    next_rotation_at = models.DateTimeField(null=True)
    # From where it may call: addresses and networks; None is from anywhere.
    allowed_addresses = models.JSONField(null=True)
    # The wire's own shapes (contract 1.6), checked where they are written.
    defaults = models.JSONField(null=True)
    rate_limits = models.JSONField(null=True)
    usage_limits = models.JSONField(null=True)
    alert_emails = models.JSONField(null=True)

    # How much of its limits is used, once somebody has looked: see limits.standing.
    standing: Standing | None = None

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="a_key_fits_its_type",
                condition=models.Q(type=KeyType.ORGANIZATION, workspace=None, user=None)
                | models.Q(type=KeyType.WORKSPACE, workspace__isnull=False, user=None)
                | models.Q(type=KeyType.USER, workspace__isnull=False, user__isnull=False),
            ),
            # Of the few that have one, so that SQLite's planner does not take the many without for one value.
            models.UniqueConstraint(
                fields=["previous_digest"],
                name="one_key_per_old_secret",
                condition=models.Q(previous_digest__isnull=False),
            ),
            models.CheckConstraint(
                name="a_transition_has_two_secrets",
                condition=models.Q(previous_digest=None, transition_ends_at=None)
                | models.Q(previous_digest__isnull=False, transition_ends_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="keys_newest_first"),
            models.Index(fields=["workspace", "-created_at", "-id"], name="keys_of_workspace"),
            models.Index(fields=["organization", "name_key", "id"], name="keys_by_name"),
            models.Index(fields=["workspace", "name_key", "id"], name="keys_of_workspace_by_name"),
            models.Index(fields=["organization", "expires_at", "id"], name="keys_by_expiry"),
            models.Index(fields=["next_rotation_at"], name="keys_to_rotate", condition=_ROTATES),
            models.Index(fields=["transition_ends_at"], name="keys_in_transition", condition=_IN_TRANSITION),
            models.Index(fields=["expires_at"], name="keys_that_expire", condition=models.Q(expires_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<ApiKey {self.pk} {self.mask}>"

    @property
    def place(self) -> Organization | Workspace:
        """Where the key lives, and the only place it opens."""
        return self.workspace or self.organization

    @property
    def ending(self) -> str:
        """The part of the secret that people may see, and find the key by."""
        return self.mask[-4:]

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= now()

    @property
    def is_revoked(self) -> bool:
        return self.status == self.Status.REVOKED

    @property
    def is_live(self) -> bool:
        """Whether the key itself is neither disabled nor over; its place and its person are asked when it is used."""
        return self.status == self.Status.ACTIVE and not self.is_expired

    def may_call_from(self, address: str) -> bool:
        """Whether it may be used from this address. One that names addresses is not heard from an unknown one."""
        if not self.allowed_addresses:
            return True
        try:
            caller: Any = ipaddress.ip_address(address)
        except ValueError:
            return False
        caller = getattr(caller, "ipv4_mapped", None) or caller
        return any(caller in ipaddress.ip_network(network) for network in self.allowed_addresses)

    @property
    def is_in_transition(self) -> bool:
        """Whether the secret before this one still opens the door beside it."""
        return self.transition_ends_at is not None and self.transition_ends_at > now()

    @property
    def shown_status(self) -> str:
        """The status people and the wire are told: what is over or used up is computed, never stored (product P22)."""
        if self.status != self.Status.ACTIVE:
            return self.status
        if self.is_expired:
            return "expired"
        return "exhausted" if self.standing is not None and self.standing.is_exhausted else self.status

    @property
    def is_let_in(self) -> bool:
        """Whether a request that carries this key is heard at all (product P13, P22)."""
        is_closed = self.organization.is_suspended or (self.workspace is not None and self.workspace.is_archived)
        if not self.is_live or is_closed:
            return False
        return self._person is None or self._person.belongs_to(self.place)

    # What makes a key an actor: see access.actors.

    kind: ClassVar = "key"
    origin: Origin = NOWHERE

    @property
    def label(self) -> str:
        return self.name

    @property
    def person_id(self) -> uuid.UUID | None:
        return self.user_id

    def actions_in(self, place: Place) -> frozenset[Action]:
        # A key opens its own place and no other door, whatever its scopes say.
        if not (self.covers(place) and self.is_let_in):
            return frozenset()
        held = effective(self.scopes, KeyType(self.type)) & place.permitted
        # A person's key can never do more than the person can do now.
        return held & self._person.actions_in(place) if self._person else held

    def belongs_to(self, place: Place) -> bool:
        return self.covers(place)

    def covers(self, place: Place) -> bool:
        if self.workspace_id is not None:
            return bool(place.pk == self.workspace_id)
        return bool(place.organization_key == self.organization_id)

    def needed_to_grant(self, role: Role) -> frozenset[Action]:
        # A key is measured against what its kind may carry (product P4).
        return needed_to_grant(role) & ALLOWED[KeyType(self.type)]

    def role_in(self, organization_id: uuid.UUID, workspace_id: uuid.UUID | None) -> str:
        person = self._person.role_in(organization_id, workspace_id) if self._person else ""
        return f"{self.type} {person}".strip()

    def look_again(self) -> None:
        fresh = ApiKey.objects.filter(pk=self.pk).values("status", "scopes", "expires_at").first()
        for field, value in (fresh or {"status": self.Status.REVOKED}).items():
            setattr(self, field, value)
        if self._person is not None:
            self._person.look_again()

    @cached_property
    def used(self) -> set[Action]:
        """What it needed so far in this call: see access.gate."""
        return set()

    @cached_property
    def _person(self) -> UserActor | None:
        return UserActor(self.user) if self.user_id is not None else None


class ApiKeyWord(Word):
    """A word by which a key is found: of its name, or the last four characters of its secret."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)
    row = models.ForeignKey(ApiKey, models.CASCADE, related_name="words", db_index=False)

    class Meta(Word.Meta):
        pass


class _OfKey(models.Model):
    """What is noted about a key beside it, so that noting never waits for whoever changes the key."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+", db_index=False)

    class Meta:
        abstract = True
        default_permissions = ()


class LastUse(_OfKey):
    """When, from where and for what a key was used last; written at most once a minute (AK-10)."""

    key = models.OneToOneField(ApiKey, models.CASCADE, primary_key=True, related_name="last_use")
    at = models.DateTimeField()
    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=AGENT_LENGTH)
    route = models.CharField(max_length=ROUTE_LENGTH)

    class Meta(_OfKey.Meta):
        indexes = [models.Index(fields=["organization", "at", "key"], name="keys_by_last_use")]

    def __str__(self) -> str:
        return self.route


class Caller(_OfKey):
    """A program at an address that calls with a key: who notices when the key ends."""

    key = models.ForeignKey(ApiKey, models.CASCADE, related_name="callers", db_index=False)
    address = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=AGENT_LENGTH)
    first_at = models.DateTimeField()
    at = models.DateTimeField()

    class Meta(_OfKey.Meta):
        constraints = [models.UniqueConstraint(fields=["key", "address", "agent"], name="one_row_per_caller")]
        indexes = [
            models.Index(fields=["key", "-at"], name="callers_of_key"),
            models.Index(fields=["at"], name="callers_by_last_call"),
        ]

    def __str__(self) -> str:
        return f"{self.agent} {self.address}".strip()


class ScopeUse(_OfKey):
    """When a key last did something that needs this scope: what it never needs can be taken from it."""

    key = models.ForeignKey(ApiKey, models.CASCADE, related_name="scope_uses", db_index=False)
    scope = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta(_OfKey.Meta):
        constraints = [models.UniqueConstraint(fields=["key", "scope"], name="one_row_per_scope_used")]

    def __str__(self) -> str:
        return self.scope


class Notice(_OfKey):
    """A letter owed about a key, written with what it tells of and sent by a job, once (contract rule 50)."""

    class Kind(models.TextChoices):
        ROTATED = "rotated"
        ROTATES_SOON = "rotates_soon"
        TRANSITION_ENDS_SOON = "transition_ends_soon"
        EXPIRES_SOON = "expires_soon"
        EXPIRED = "expired"
        ALERT = "alert"
        EXHAUSTED = "exhausted"
        LEAKED = "leaked"

    key = models.ForeignKey(ApiKey, models.CASCADE, related_name="notices", db_index=False)
    kind = models.CharField(max_length=20, choices=Kind)
    # What it is about: the instant that comes or came. The same thing is never told twice.
    about = models.DateTimeField()
    details = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=now)
    sent_at = models.DateTimeField(null=True)

    class Meta(_OfKey.Meta):
        constraints = [models.UniqueConstraint(fields=["key", "kind", "about"], name="told_once")]
        indexes = [models.Index(fields=["created_at"], name="notices_unsent", condition=models.Q(sent_at=None))]

    def __str__(self) -> str:
        return self.kind
