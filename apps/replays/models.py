"""The answer of a call that came with a key, kept for a day, for whoever sends it again."""

from django.db import models

from apps.core.clock import now
from apps.organizations.models import Organization

KEY_LENGTH = 255


class KeptAnswer(models.Model):
    """What one actor's call was answered.

    Written in the transaction that did what the call asked for, so that neither is there without the other.
    No secret is ever part of it.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    # Whoever acted, as an id without a foreign key: actors leave (product 5.7).
    actor_id = models.UUIDField(editable=False)
    key = models.CharField(max_length=KEY_LENGTH, editable=False)
    call = models.TextField(editable=False)
    # Of everything the call said. Keyed, as a body may hold something that could be guessed.
    digest = models.BinaryField(max_length=32, editable=False)
    status = models.PositiveSmallIntegerField(editable=False)
    answer = models.TextField(editable=False)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["actor_id", "key"], name="one_answer_for_each_key")]
        indexes = [models.Index(fields=["created_at"], name="answers_by_age")]

    def __str__(self) -> str:
        return self.call
