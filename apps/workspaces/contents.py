"""What a workspace can hold: each app that keeps things in one names them here, from below (architecture 2)."""

from collections.abc import Callable
from typing import Any

Counter = Callable[[Any], int]
_counters: dict[str, Counter] = {}


def register(plural: str, counter: Counter) -> None:
    """Names one kind of content: what it is called, and how many of it a workspace holds."""
    _counters[plural] = counter


def held_by(workspace: Any) -> dict[str, int]:
    """What is still in the workspace, as {"API keys": 2}; kinds it holds none of are left out."""
    return {plural: count for plural, counter in _counters.items() if (count := counter(workspace))}
