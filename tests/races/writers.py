# ruff: noqa: PLC0415, T201, BLE001 (models can be imported once the apps are ready; what it says is what it prints)
"""A process that changes things until it is killed, and says after each change that it is done; or one that looks back.

python -m tests.races.writers prepare 4 | write ORGANIZATION WORKSPACE | look ORGANIZATION
"""

import json
import sys
import time
import uuid
from itertools import count
from typing import Any

import django


def prepare(writers: int) -> dict[str, Any]:
    """An empty database with one organization, and a workspace for each writer."""
    from django.core.management import call_command

    from apps.organizations import operations as organizations
    from apps.workspaces import operations as workspaces
    from tests.world import system

    call_command("migrate", verbosity=0)
    organization = organizations.create(name="Crash", by=system())
    made = [workspaces.create(organization, name=f"w{number}", by=system()) for number in range(writers)]
    return {"organization": str(organization.pk), "workspaces": [str(workspace.pk) for workspace in made]}


def write(organization_id: str, workspace_id: str) -> None:
    """Renames its workspace, again and again; a number is printed once its change was acknowledged."""
    from django.db import connection

    from apps.workspaces import operations as workspaces
    from apps.workspaces.models import Workspace
    from tests.world import system

    run = uuid.uuid4().hex[:6]
    print("ready", flush=True)
    for number in count():
        name = f"{run} {number}"
        try:
            workspaces.update(
                Workspace.objects.select_related("organization").get(pk=workspace_id), name=name, by=system()
            )
        except Exception:  # whatever a database does that is killed
            connection.close()
            time.sleep(0.05)
            continue
        print(name, flush=True)


def look(organization_id: str) -> dict[str, Any]:
    """What there is now: the names, the names that the log knows of in their order, and whether it is whole."""
    from apps.audit import verification
    from apps.audit.models import AuditEvent
    from apps.workspaces.models import Workspace

    chain = uuid.UUID(organization_id)
    report = verification.verify(chain)
    told: dict[str, list[str]] = {}
    for line in AuditEvent.objects.filter(chain=chain, event="workspace.updated").order_by("sequence"):
        told.setdefault(line.target_id, []).append(line.details["after"]["name"])
    rows = Workspace.objects.filter(organization=chain)
    return {
        "faults": [str(fault) for fault in report.faults],
        "lines": report.lines,
        "told": told,
        "names": {str(row.pk): row.name for row in rows},
        "versions": {str(row.pk): row.version for row in rows},
    }


if __name__ == "__main__":
    django.setup()
    act, *given = sys.argv[1:]
    if act == "write":
        write(*given)
    else:
        print(json.dumps(prepare(int(given[0])) if act == "prepare" else look(*given)))
