"""The log's tables: one line an act, the head of each chain, and the names that may be erased.

A line holds no foreign keys, because it outlives what it describes.
"""

import uuid
from typing import Any

from django.db import models
from django.db.models import F
from django.db.models.fields.json import KeyTransform

# Acts that belong to no organization are lines of the installation's own chain.
INSTALLATION = uuid.UUID(int=0)


class AuditHead(models.Model):
    """The end of one chain: an organization's, or the installation's. Locked last of all rows (product 5.9)."""

    chain = models.UUIDField(primary_key=True)
    sequence = models.BigIntegerField(default=0)
    digest = models.BinaryField(default=b"", max_length=32)

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
    at = models.DateTimeField(editable=False)
    event = models.CharField(max_length=60, editable=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.DONE, editable=False)
    actor_kind = models.CharField(max_length=10, editable=False)
    actor_id = models.UUIDField(null=True, editable=False)
    workspace_id = models.UUIDField(null=True, editable=False)
    target_type = models.CharField(max_length=60, editable=False)
    target_id = models.CharField(max_length=64, editable=False)
    door = models.CharField(max_length=10, editable=False)
    request_id = models.CharField(max_length=64, blank=True, editable=False)
    count = models.PositiveIntegerField(default=1, editable=False)
    # What changed, as {"before": {...}, "after": {...}} and other facts; an allow-list made at the call.
    details = models.JSONField(default=dict, editable=False)
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
            models.Index(F("chain"), KeyTransform("person", "details"), F("id").desc(), name="audit_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.target_type} {self.target_id}"

    @property
    def names(self) -> "dict[str, Any]":
        """The names and addresses beside the line, as long as nobody has erased them."""
        return (getattr(self, "side", None) and self.side.names) or {}


class AuditNames(models.Model):
    """Names and addresses of one line, outside its digest, so that a person's can be erased (product 5.9)."""

    line = models.OneToOneField(AuditEvent, models.CASCADE, primary_key=True, related_name="side")
    names = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"names of line {self.line_id}"
