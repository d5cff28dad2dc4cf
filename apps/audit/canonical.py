"""JSON as it is hashed: sorted, without spaces, kept as the text it was written as, so that nothing renders it anew."""

import json
from typing import Any, Final

from django.db import models

_encode: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def text_of(value: Any) -> str:
    """The one text of this value."""
    return _encode(value)


class CanonicalJSONField(models.Field[Any, Any]):
    """A dict that the database keeps as its one text; it can be read and written, and not be asked about."""

    def get_internal_type(self) -> str:
        return "TextField"

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return None if value is None else json.loads(value)

    def to_python(self, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        return value if isinstance(value, str | type(None)) else text_of(value)

    def value_to_string(self, obj: models.Model) -> str:
        return text_of(self.value_from_object(obj))
