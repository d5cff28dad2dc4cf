"""The stream: where lines of the log are sent, how far it has come, and what could not be delivered."""

from typing import Final

from django.db import models
from django.db.models import Q

from apps.core import outbound
from apps.core.clock import now
from apps.core.models import TenantRow
from apps.core.text import NAME_LENGTH
from apps.organizations.models import Organization
from apps.streams.querysets import StreamQuerySet

ERROR_LENGTH: Final = 20


class Stream(TenantRow):
    """A receiver of an organization's log.

    The log itself is the queue: a stream keeps only the number of the last line that arrived. What delivery notes
    is no edit, so it makes no new version.
    """

    class Kind(models.TextChoices):
        WEBHOOK = "webhook"
        SYSLOG = "syslog"

    class Status(models.TextChoices):
        ACTIVE = "active"
        PAUSED = "paused"

    workspace_path = None

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="streams")
    name = models.CharField(max_length=NAME_LENGTH)
    kind = models.CharField(max_length=10, choices=Kind, editable=False)
    url = models.CharField(max_length=outbound.LONGEST_URL)
    # What signs, sealed for this row and for where it is sent: see signing. Empty where nothing is signed.
    sealed_secret = models.TextField(blank=True, editable=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE, editable=False)
    # Of delivery.
    position = models.BigIntegerField(default=0, editable=False)  # the number of the last line that arrived
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)  # of the next one, in vain
    next_try_at = models.DateTimeField(null=True, editable=False)
    leased_until = models.DateTimeField(null=True, editable=False)  # somebody is sending to it until then
    last_error = models.CharField(max_length=ERROR_LENGTH, blank=True, editable=False)  # see reasons
    last_delivered_at = models.DateTimeField(null=True, editable=False)

    objects = StreamQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(name="streams_begin_at_the_beginning", condition=Q(position__gte=0)),
            models.CheckConstraint(
                name="a_webhook_is_signed", condition=Q(kind="syslog", sealed_secret="") | ~Q(sealed_secret="")
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "created_at", "id"], name="streams_of_organization"),
            models.Index(fields=["next_try_at"], name="streams_to_send", condition=Q(status="active")),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def origin(self) -> str:
        """Where it is sent, without the path, which may be a secret of the receiver."""
        return outbound.parse(self.url).origin

    @property
    def is_paused(self) -> bool:
        return self.status == self.Status.PAUSED

    @property
    def is_signed(self) -> bool:
        return self.kind == self.Kind.WEBHOOK


class Undelivered(models.Model):
    """A line that was given up after many attempts; the stream went on without it."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    stream = models.ForeignKey(Stream, models.CASCADE, related_name="undelivered", db_index=False)
    sequence = models.BigIntegerField(editable=False)
    attempts = models.PositiveSmallIntegerField()
    error = models.CharField(max_length=ERROR_LENGTH)
    at = models.DateTimeField(default=now)
    is_wanted = models.BooleanField(default=False)  # somebody has asked for it to be sent again

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["stream", "sequence"], name="a_line_is_given_up_once")]

    def __str__(self) -> str:
        return f"line {self.sequence} of {self.stream_id}"
