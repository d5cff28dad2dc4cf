"""Lines of the log as the wire spells them: the fields of the description and those of its clients (contract 1.7)."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.audit import search, wire
from apps.audit.models import AuditEvent
from apps.core.clock import now
from apps.tenancy.fields import Always, Computed, Id, Instant, OneOf, Serializer, Text, TextOrNull

WINDOW: Final = timedelta(days=30)
METHODS: Final = ("POST", "PUT", "DELETE", "GET")
_TEXT_LENGTH: Final = 300
# The wire knows people and keys; an operator is a person, and what is neither is called by its own name.
_USER_TYPES: Final = {
    "person": "user",
    "operator": "user",
    "key": "api_key",
    "system": "system",
    "nobody": "nobody",
}
USER_TYPES: Final = tuple(dict.fromkeys(_USER_TYPES.values()))
# No line is older or will be younger, and what is bounded so can be reckoned with.
_FIRST, _LAST = datetime(1971, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
_MASKED: Final = "****"
# The header a request proved itself by, at each door.
_CREDENTIALS: Final = {"api": "x-portkey-api-key", "page": "cookie", "admin": "cookie"}
_STRING: Final = {"type": "string"}


class AuditLogSerializer(Serializer):
    """One line. What the log does not keep is said as empty: queries, other headers, and countries."""

    id = serializers.CharField(source="name_of_its_own")
    timestamp = Instant(source="at")
    created_at = Instant(source="at")
    method = serializers.CharField(help_text="Empty for what came with no request: a job, or a command.")
    uri = serializers.CharField()
    request_id = serializers.CharField()
    request_body = Computed({**_STRING, "description": "JSON: what changed, from what to what; no secret."})
    query_params = Always("{}")
    request_headers = Computed({**_STRING, "description": "JSON: the program, and that there was a credential."})
    user_id = serializers.UUIDField(source="actor_id", allow_null=True)
    user_type = Computed({**_STRING, "enum": list(USER_TYPES)})
    organisation_id = serializers.UUIDField(source="chain")
    workspace_id = serializers.UUIDField(allow_null=True)
    response_status_code = serializers.IntegerField(source="code")
    resource_type = Computed({**_STRING, "enum": wire.RESOURCE_TYPES})
    action = Computed({**_STRING, "enum": wire.ACTIONS})
    client_ip = TextOrNull(source="names.address", default=None)
    country = Always(None)
    actor_id = serializers.UUIDField(allow_null=True)
    actor_email = Computed({**_STRING, "nullable": True})
    actor_name = Computed({**_STRING, "nullable": True})
    resource_id = TextOrNull(source="target_id")
    resource_name = TextOrNull(source="names.target", default=None)
    metadata = Computed({"type": "object"})
    event = serializers.CharField(help_text='What happened, finer than `action`: "api_key.rotated".')
    sequence = serializers.IntegerField(help_text="The number of the line in the organization's log, without gaps.")
    result = serializers.ChoiceField(AuditEvent.Status.values, source="status")
    count = serializers.IntegerField(help_text="How often it happened, where repetitions are counted.")
    actor_kind = serializers.CharField()
    actor_role = serializers.CharField()
    door = serializers.CharField()
    digest = Computed({**_STRING, "description": "SHA-256 over the line and the digest before it, in hexadecimal."})

    def get_request_body(self, line: AuditEvent) -> str:
        return json.dumps(line.details, sort_keys=True)

    def get_request_headers(self, line: AuditEvent) -> str:
        headers = {"user-agent": line.names.get("agent", "")}
        if line.actor_id is not None and line.door in _CREDENTIALS:
            headers[_CREDENTIALS[line.door]] = _MASKED
        return json.dumps({name: value for name, value in headers.items() if value})

    def get_user_type(self, line: AuditEvent) -> str:
        return _USER_TYPES[line.actor_kind]

    def get_resource_type(self, line: AuditEvent) -> str:
        return wire.words_of(line)[0]

    def get_action(self, line: AuditEvent) -> str:
        return wire.words_of(line)[1]

    def get_actor_email(self, line: AuditEvent) -> str | None:
        return line.names.get("actor") if _USER_TYPES[line.actor_kind] == "user" else None

    def get_actor_name(self, line: AuditEvent) -> str | None:
        """What they are called now, while they are members; else what the line remembers."""
        return getattr(line, "actor_name", None) or line.names.get("actor")

    def get_metadata(self, line: AuditEvent) -> dict[str, Any]:
        return dict(line.details)

    def get_digest(self, line: AuditEvent) -> str:
        return bytes(line.digest).hex()


@extend_schema_field({"type": "string", "format": "date-time"})
class Moment(serializers.Field[datetime, Any, Any, datetime]):
    """An instant in ISO 8601; without a zone it is UTC."""

    default_error_messages = {"invalid": "A time in ISO 8601 is needed, such as 2026-07-01T00:00:00Z."}

    def to_internal_value(self, data: Any) -> datetime:
        try:
            read = datetime.fromisoformat(data)
            return min(max(read if read.tzinfo else read.replace(tzinfo=UTC), _FIRST), _LAST).astimezone(UTC)
        except (TypeError, ValueError):
            self.fail("invalid")


class AuditLogFilter(Serializer):
    """What narrows the log. A word that nothing is called finds nothing."""

    start_time = Moment(required=False, help_text="ISO 8601; 30 days before the end where it is not given.")
    end_time = Moment(required=False, help_text="ISO 8601; now where it is not given.")
    organisation_id = Text(required=False, allow_blank=True, help_text="The key's own organization, if given at all.")
    workspace_id = Text(required=False, allow_blank=True, help_text="Id or slug; only what happened there.")
    method = OneOf(METHODS, required=False)
    uri = Text(required=False, max_length=_TEXT_LENGTH, help_text="The whole path.")
    request_id = Text(required=False, max_length=_TEXT_LENGTH)
    user_id = Id(required=False, help_text="Id of a person or of a key; the same as `actor_id`.")
    user_type = OneOf(USER_TYPES, required=False)
    actor_id = Id(required=False)
    resource_id = Text(required=False, max_length=_TEXT_LENGTH)
    resource_type = Text(required=False, max_length=_TEXT_LENGTH, help_text="Such as API Keys, in whatever case.")
    action = Text(required=False, max_length=_TEXT_LENGTH, help_text="Such as Rotate, in whatever case.")
    response_status_code = serializers.IntegerField(required=False, min_value=100, max_value=599)
    client_ip = Text(required=False, max_length=_TEXT_LENGTH)
    country = Text(required=False, max_length=_TEXT_LENGTH, help_text="Countries are not kept: any finds nothing.")

    q = Text(required=False, max_length=search.TEXT, help_text="A search as on the page: `actor:ana result:refused`.")

    def validate_user_type(self, value: str) -> list[str]:
        """The kinds of actors that the wire calls so."""
        return [kind for kind, said in _USER_TYPES.items() if said == value]

    def validate_q(self, value: str) -> search.Query:
        return search.parse(value)

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        """A window is always bounded at its start, or reading on would never end; a search may name its own."""
        end = asked.get("end_time")
        if "start_time" not in asked and not asked.get("q", search.Query()).is_timed:
            asked["start_time"] = (end or now()) - WINDOW
        if end is not None and end < asked.get("start_time", end):
            raise serializers.ValidationError({"end_time": "This lies before start_time."})
        return asked
