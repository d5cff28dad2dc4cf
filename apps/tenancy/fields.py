"""How the wire spells plain values: strict texts, ids and flags coming in; instants, 0 and 1, and null going out."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from django.db.models import TextChoices
from drf_spectacular.drainage import set_override
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import SkipField

from apps.core import clock

Serializer = serializers.Serializer[Any]
MOST: Final = 100  # members of a list in a body
MOST_SCOPES: Final = 500


class Text(serializers.CharField):
    """A string, and nothing that could be read as one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """True or false: `"no"` and 0 are mistakes here, not answers."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class Id(serializers.UUIDField):
    default_error_messages = {"invalid": "This is not an id."}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class OneOf(serializers.ChoiceField):
    """One of a few words. `prefix` may stand before them: some clients write "ws-admin" (contract 1.4)."""

    def __init__(self, choices: Iterable[str] | type[TextChoices], *, prefix: str = "", **kwargs: Any) -> None:
        self.prefix, words = prefix, [str(choice) for choice in choices]
        super().__init__(choices=words, error_messages={"invalid_choice": f"One of: {', '.join(words)}."}, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data.removeprefix(self.prefix) if isinstance(data, str) else data)


class ListOf(serializers.ListField):
    """A list, counted before its members are read: a body of thousands costs one look and one sentence."""

    def __init__(self, *, most: int = MOST, **kwargs: Any) -> None:
        super().__init__(max_length=most, **kwargs)
        self.most = most

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list) and len(data) > self.most:
            self.fail("max_length", max_length=self.most)
        return super().to_internal_value(data)


class Scopes(ListOf):
    """What a key is to carry; which words are scopes, the operation knows."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=Text(), most=MOST_SCOPES, **kwargs)


class AsSent(serializers.JSONField):
    """A whole object or list, handed on as it came: the operation checks it part by part. `schema` tells its shape."""

    default_error_messages = {"max_length": ListOf.default_error_messages["max_length"]}

    def __init__(self, schema: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**{"required": False, "allow_null": True, **kwargs})
        set_override(self, "field", schema)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, list) and len(data) > MOST:
            self.fail("max_length", max_length=MOST)
        return super().to_internal_value(data)


class NotOffered(serializers.Field[None, Any, None, Any]):
    """A setting of the contract that this installation cannot keep: null is taken, anything else is refused."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(required=False, allow_null=True)
        set_override(self, "field", {"type": "object", "nullable": True, "enum": [None], "description": reason})

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        if data is None:
            raise SkipField
        return super().validate_empty_values(data)

    def to_internal_value(self, data: Any) -> None:
        raise serializers.ValidationError(self.reason)


@extend_schema_field({"type": "string", "format": "date-time"})
class Instant(serializers.Field[datetime, Any, str | None, datetime]):
    def to_representation(self, value: datetime) -> str | None:
        return clock.wire(value)


@extend_schema_field({"type": "string"})
class TextOrNull(serializers.CharField):
    """What is empty here is null there."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, **kwargs)

    def to_representation(self, value: str) -> str | None:  # type: ignore[override]
        return value or None


@extend_schema_field({"type": "integer", "enum": [0, 1]})
class ZeroOrOne(serializers.Field[bool, Any, int, bool]):
    def to_representation(self, value: bool) -> int:
        return int(value)


class Computed(serializers.SerializerMethodField):
    """What the serializer's own method makes of the row; `schema` tells its shape."""

    def __init__(self, schema: dict[str, Any]) -> None:
        super().__init__()
        set_override(self, "field", schema)


class ShownOnce(serializers.CharField):
    """A secret in clear, in the answer to the call that made it and never again: kept answers hold null in its place.

    Every secret the wire answers is a field of this kind (see idempotency).
    """

    def __init__(self, **kwargs: Any) -> None:
        said = "Shown this once. It is null in an answer that is given again for an Idempotency-Key."
        super().__init__(allow_null=True, help_text=said, **kwargs)


class Exact(Serializer):
    """A body of an endpoint of our own: what it does not know is refused by name, not passed over (product P28)."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = [name for name in data if name not in self.fields] if isinstance(data, Mapping) else []
        if unknown:
            raise serializers.ValidationError(dict.fromkeys(unknown, "This field is not known here."))
        return super().to_internal_value(data)


class Always(serializers.Field[Any, Any, Any, Any]):
    """A word, number or null that clients expect and that says the same for every row."""

    def __init__(self, value: Any) -> None:
        super().__init__(source="*", read_only=True)
        self.value = value
        kind = {int: "integer", str: "string", dict: "object", list: "array"}.get(type(value), "object")
        limited = {"enum": [value]} if isinstance(value, int | str) else {"nullable": True} if value is None else {}
        set_override(self, "field", {"type": kind, **limited})

    def to_representation(self, value: Any) -> Any:
        return self.value
