"""The log's tables: one line an act, the head of each chain, the names that may be erased, and what proves a chain.

A line holds no foreign keys, because it outlives what it describes.
"""

import uuid
from typing import Any, Final

from django.db import models
from django.db.models import Q

from apps.audit.canonical import CanonicalJSONField
from apps.core.search import WORD_LENGTH

# Acts that belong to no organization are lines of the installation's own chain.
INSTALLATION = uuid.UUID(int=0)
URI_LENGTH: Final = 300


class AuditHead(models.Model):
    """The end of one chain: an organization's, or the installation's. Locked last of all rows (product 5.9)."""

    chain = models.UUIDField(primary_key=True)
    sequence = models.BigIntegerField(default=0)
    digest = models.BinaryField(default=b"", max_length=32)
    previous = models.BinaryField(default=b"", max_length=32)  # the digest before this one
    is_streamed = models.BooleanField(default=False)  # whether somebody waits for each new line
    # What the last whole verification found: up to where, and the first fault it can name, if any.
    verified_at = models.DateTimeField(null=True)
    verified_sequence = models.BigIntegerField(default=0)
    verified_lines = models.BigIntegerField(default=0)
    fault = models.TextField(blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.chain} at {self.sequence}"


class AuditEvent(models.Model):
    """One line: what happened, to what, by whom, through which door. Written once; never changed or deleted."""

    class Status(models.TextChoices):
        DONE = "done"
        REFUSED = "refused"

    chain = models.UUIDField(editable=False)
    sequence = models.BigIntegerField(editable=False)
    form = models.PositiveSmallIntegerField(default=2, editable=False)  # of the bytes that are hashed; see chain
    at = models.DateTimeField(editable=False)
    event = models.CharField(max_length=60, editable=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.DONE, editable=False)
    actor_kind = models.CharField(max_length=10, editable=False)
    actor_id = models.UUIDField(null=True, editable=False)
    # What the actor was then, in the organization and in the workspace: "organization:member workspace:manager".
    actor_role = models.CharField(max_length=80, blank=True, editable=False)
    workspace_id = models.UUIDField(null=True, editable=False)
    person_id = models.UUIDField(null=True, editable=False)  # whom it was done to, where that is somebody
    target_type = models.CharField(max_length=60, editable=False)
    target_id = models.CharField(max_length=64, editable=False)
    door = models.CharField(max_length=10, editable=False)
    method = models.CharField(max_length=10, blank=True, editable=False)
    uri = models.CharField(max_length=URI_LENGTH, blank=True, editable=False)  # the path alone, without secrets
    request_id = models.CharField(max_length=64, blank=True, editable=False)
    code = models.PositiveSmallIntegerField(default=200, editable=False)  # the HTTP status: done, or why not
    count = models.PositiveIntegerField(default=1, editable=False)
    # What changed, as {"before": {...}, "after": {...}} and other facts; an allow-list made at the call.
    details = CanonicalJSONField(default=dict, editable=False)
    # SHA-256 over the salted names beside the line: it tells that they were altered, and nothing of erased ones.
    names_digest = models.BinaryField(default=b"", max_length=32, editable=False)
    previous = models.BinaryField(max_length=32, editable=False)
    digest = models.BinaryField(max_length=32, editable=False)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["chain", "sequence"], name="one_line_per_number")]
        indexes = [
            models.Index(fields=["chain", "-id"], name="audit_newest_first"),
            models.Index(fields=["chain", "workspace_id", "-id"], name="audit_of_workspace"),
            models.Index(fields=["chain", "target_id", "-id"], name="audit_of_target"),
            models.Index(fields=["chain", "actor_id", "-id"], name="audit_of_actor"),
            models.Index(fields=["chain", "person_id", "-id"], name="audit_of_person"),
            models.Index(fields=["chain", "event", "-id"], name="audit_of_event"),
            models.Index(fields=["chain", "at"], name="audit_by_time"),
            models.Index(fields=["chain", "-id"], name="audit_refused", condition=Q(status="refused")),
            # Of the two doors that nearly all lines came through, a list read in its order soon has a page.
            models.Index(
                fields=["chain", "door", "-id"], name="audit_by_rare_door", condition=~Q(door__in=["page", "api"])
            ),
            models.Index(fields=["chain", "request_id"], name="audit_of_request", condition=~Q(request_id="")),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.target_type} {self.target_id}"

    @property
    def name_of_its_own(self) -> str:
        """By which others know it: its number in the table would tell how much happens elsewhere."""
        return f"{self.chain}-{self.sequence}"

    @property
    def names(self) -> "dict[str, Any]":
        """The names and addresses beside the line, as long as nobody has erased them."""
        return (getattr(self, "side", None) and self.side.names) or {}


class AuditNames(models.Model):
    """Names and addresses of one line, outside its digest, so that a person's can be erased (product 5.9)."""

    line = models.OneToOneField(AuditEvent, models.CASCADE, primary_key=True, related_name="side")
    chain = models.UUIDField(default=INSTALLATION)
    address = models.CharField(max_length=64, blank=True)  # the one in `names`, to be looked for
    names = CanonicalJSONField(default=dict)
    salt = models.BinaryField(default=b"", max_length=16)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["chain", "address", "-line"],
                opclasses=["uuid_ops", "varchar_pattern_ops", "int8_ops"],
                name="audit_of_address",
            )
        ]

    def __str__(self) -> str:
        return f"names of line {self.line_id}"


class AuditWord(models.Model):
    """One word by which what the log speaks of is found: of a name that an actor or a target had once."""

    chain = models.UUIDField()
    word = models.CharField(max_length=WORD_LENGTH)
    subject = models.CharField(max_length=64)  # an `actor_id` or a `target_id`

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["chain", "subject", "word"], name="audit_word_once")]
        indexes = [
            models.Index(
                fields=["chain", "word"], opclasses=["uuid_ops", "varchar_pattern_ops"], name="audit_word_begins"
            )
        ]

    def __str__(self) -> str:
        return self.word


class AuditFold(models.Model):
    """A refusal that is repeated: counted here until its minute is over, then written as one line more."""

    fingerprint = models.BinaryField(max_length=32, unique=True)
    line = models.BigIntegerField(null=True)  # the line of the first one
    until = models.DateTimeField(db_index=True)
    last_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)  # how many came after the first

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.count} more like line {self.line}"


class AuditCheckpoint(models.Model):
    """Up to where a chain was whole at an instant, signed, so that it can be kept elsewhere (product 5.9)."""

    class Reason(models.TextChoices):
        REGULAR = "regular"
        ASKED = "asked"
        RETENTION = "retention"  # the lines up to here were deleted, because their time to be kept was over

    chain = models.UUIDField()
    sequence = models.BigIntegerField()
    head = models.BinaryField(max_length=32)
    at = models.DateTimeField()
    reason = models.CharField(max_length=10, choices=Reason)
    key_version = models.PositiveSmallIntegerField()
    signature = models.BinaryField(max_length=64)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["chain", "-sequence"], name="checkpoints_of_chain")]

    def __str__(self) -> str:
        return f"{self.chain} at {self.sequence}"
