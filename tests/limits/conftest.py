"""A subject of Acme for every test here, and the alerts it causes."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apps.limits.alerts import on_exhausted, on_threshold
from tests.limits.subjects import Limited
from tests.world import Company


@pytest.fixture
def limited(acme: Company) -> Callable[..., Limited]:
    """`limited(usage_limits=budget(10))` is something of Acme's with these limits."""
    return lambda **limits: Limited(acme.organization.pk, **limits)


@pytest.fixture
def told() -> Iterator[list[tuple[str, int]]]:
    """Every alert that was sent: its name, and how much was spent."""
    heard: list[tuple[str, int]] = []

    def threshold(budget: Any, **kwargs: Any) -> None:
        heard.append(("threshold", budget.spent))

    def exhausted(budget: Any, **kwargs: Any) -> None:
        heard.append(("exhausted", budget.spent))

    on_threshold.connect(threshold)
    on_exhausted.connect(exhausted)
    yield heard
    on_threshold.disconnect(threshold)
    on_exhausted.disconnect(exhausted)
