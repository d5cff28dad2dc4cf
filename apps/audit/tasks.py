"""What is done for the log by the worker."""

import uuid

from django.core.cache import cache
from django_tasks import task

from apps.audit import verification


@task()  # type: ignore[untyped-decorator]  # the library ships no types for it
def verify(chain: str) -> int:
    """Verifies a long chain; what it finds is noted beside its head. Returns how many faults it found."""
    try:
        return len(verification.verify(uuid.UUID(chain)).faults)
    finally:
        cache.delete(waiting(chain))


def waiting(chain: uuid.UUID | str) -> str:
    """What says in the cache that a job for this chain is waiting already."""
    return f"audit-verification-{chain}"
