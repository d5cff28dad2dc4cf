"""What one can ask about the accounts of many people, where an organization may know it (product P21)."""

import uuid
from collections.abc import Iterable

from allauth.mfa.models import Authenticator

# A recovery code stands in for a factor and is none itself.
SECOND_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def with_second_factor(user_ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Those of these people who have a second factor: yes or no, and nothing else about it. One query."""
    rows = Authenticator.objects.filter(user__in=list(user_ids), type__in=SECOND_FACTORS)
    return set(rows.values_list("user", flat=True))
