"""The clock of the operations, and how the wire spells an instant."""

from datetime import UTC, datetime

from django.utils import timezone


def now() -> datetime:
    return timezone.now()


def wire(moment: datetime | None) -> str | None:
    """RFC 3339 with milliseconds and Z (contract 1.0)."""
    if moment is None:
        return None
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
