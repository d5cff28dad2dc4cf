# ruff: noqa: PLC0415, T201 (models can be imported once the apps are ready; what it says is what it prints)
"""One of several processes that call at the same instant; what it did is its last line, for the test that started it.

python -m tests.races.callers '{"organization": ..., "subject": ..., "usage_limits": ..., "calls": 5, ...}'
"""

import json
import sys
import uuid
from datetime import datetime
from typing import Any

import django


def prepare() -> dict[str, Any]:
    """An empty database of its own, with one organization in it."""
    from django.core.management import call_command

    from apps.organizations.models import Organization

    call_command("migrate", verbosity=0)
    return {
        "organization": str(Organization.objects.create(name="Race", slug="race-0000", created_by_kind="system").pk)
    }


def call(told: dict[str, Any]) -> dict[str, Any]:
    """Calls as often as it was told, and counts what became of it."""
    from apps.core.errors import Exhausted
    from apps.limits import operations as limits
    from apps.limits.alerts import on_exhausted, on_threshold
    from apps.limits.errors import TooFast
    from tests.limits.subjects import Limited

    heard: list[str] = []
    receivers = [lambda **_: heard.append("threshold"), lambda **_: heard.append("exhausted")]
    on_threshold.connect(receivers[0])
    on_exhausted.connect(receivers[1])
    subject = Limited(
        uuid.UUID(told["organization"]), told.get("usage_limits"), told.get("rate_limits"), uuid.UUID(told["subject"])
    )
    at = datetime.fromisoformat(told["at"]) if told.get("at") else None
    passed = 0
    print("ready", flush=True)
    sys.stdin.readline()  # until all are
    for _ in range(told["calls"]):
        try:
            admission = limits.admit(subject, tokens=1, at=at)
        except (Exhausted, TooFast):
            continue
        passed += 1
        if told.get("settles"):
            limits.settle(admission, at=at)
    return {"passed": passed, "heard": heard}


if __name__ == "__main__":
    django.setup()
    asked = json.loads(sys.argv[1])
    print(json.dumps(call(asked) if "calls" in asked else prepare()))
