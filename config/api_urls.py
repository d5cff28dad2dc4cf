"""The API, mounted at /v1 and at /v2 alike (contract 1.0)."""

from typing import Any

urlpatterns: list[Any] = []
