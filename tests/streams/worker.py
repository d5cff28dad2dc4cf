# ruff: noqa: PLC0415, T201 (models can be imported once the apps are ready; what it says is what it prints)
"""Prepares a database of its own for workers that run as processes: one organization, its log, and a stream of it.

python -m tests.streams.worker '{"url": "http://127.0.0.1:1234/", "lines": 40}'
"""

import json
import sys
from typing import Any

import django


def prepare(told: dict[str, Any]) -> dict[str, Any]:
    from django.core.management import call_command

    from apps.access.actions import Action
    from apps.access.actors import SystemActor
    from apps.audit import log
    from apps.organizations import operations as organizations
    from apps.streams import operations
    from apps.streams.models import Stream

    call_command("migrate", verbosity=0)
    log._listeners.clear()  # the workers are to find all of it
    by = SystemActor(reason="the tests", actions=Action)
    organization = organizations.create(name="Streamed", by=by)
    for number in range(told["lines"] - 2):
        organizations.update(organization, name=f"Streamed {number}", by=by)
    made = operations.create(organization, name="SIEM", url=told["url"], from_start=True, by=by)
    return {"stream": str(made.stream.pk), "position": Stream.objects.get().position}


if __name__ == "__main__":
    django.setup()
    print(json.dumps(prepare(json.loads(sys.argv[1]))))
