"""What every table of a tenant has in common: an id, its instants, who made it, and its place."""

import uuid
from typing import Any, ClassVar

import uuid_utils.compat
from django.db import models

from apps.core.clock import now
from apps.core.errors import Stale


def new_id() -> uuid.UUID:
    """A UUIDv7: unguessable enough for a name, and in the order things were made (product 5.1)."""
    made: uuid.UUID = uuid_utils.compat.uuid7()
    return made


class Row(models.Model):
    """A row people can edit: its id, its two instants, and a version that a stale edit is caught by."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    # Authors are ids without a foreign key: a key can be one, and one may leave (product 5.7).
    created_by = models.UUIDField(null=True, editable=False)
    created_by_kind = models.CharField(max_length=10, editable=False)
    updated_by = models.UUIDField(null=True, editable=False)
    updated_by_kind = models.CharField(max_length=10, editable=False)

    class Meta:
        abstract = True

    def revise(self, changes: dict[str, Any], *, by: Any) -> dict[str, tuple[Any, Any]]:
        """Writes what differs, as one more version of the row.

        Returns the changes as {field: (before, after)}; an empty answer means nothing was written.
        """
        differing = {
            name: (getattr(self, name), value) for name, value in changes.items() if getattr(self, name) != value
        }
        if differing:
            for name, (_, value) in differing.items():
                setattr(self, name, value)
            self.version += 1
            self.updated_at, self.updated_by, self.updated_by_kind = now(), by.id, by.kind
            self.save(update_fields=[*differing, "version", "updated_at", "updated_by", "updated_by_kind"])
        return differing

    def refuse_stale(self, version: int | None) -> None:
        """Raises Stale when the caller read an older version; None means the caller did not say which."""
        if version is not None and version != self.version:
            raise Stale

    @classmethod
    def authored(cls, by: Any) -> dict[str, Any]:
        """The author columns of a new row."""
        return {"created_by": by.id, "created_by_kind": by.kind, "updated_by": by.id, "updated_by_kind": by.kind}


class TenantRow(Row):
    """A row inside one organization, never reached except through it: every one has an `organization` column.

    `workspace_path` says how a workspace is found on the row, where the row may live in one; None says it may not.
    """

    workspace_path: ClassVar[str | None]

    class Meta:
        abstract = True
