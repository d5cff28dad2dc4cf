"""Verifies the audit log, of every organization or of one, and names what is not as it was written."""

import uuid
from argparse import ArgumentParser
from itertools import chain
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from apps.audit import checkpoints, verification
from apps.audit.checkpoints import Checkpoint, Unproven
from apps.audit.models import INSTALLATION, AuditCheckpoint, AuditEvent, AuditHead


class Command(BaseCommand):
    help = "Verify the audit log from its first line to its last; fails and names the lines where it is not whole."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organization", nargs="?", help="the slug or id of one organization; all without it")
        parser.add_argument(
            "--checkpoints",
            action="append",
            default=[],
            metavar="FILE",
            help="checkpoints that were kept elsewhere: a downloaded one, or a file of one a line; may be repeated",
        )

    def handle(self, *args: Any, organization: str | None, checkpoints: list[str], **options: Any) -> None:
        outside = [checkpoint for path in checkpoints for checkpoint in _brought(Path(path))]
        chains = [_chain_of(organization)] if organization else _every_chain(outside)
        if checkpoints and not any(kept.chain in chains for kept in outside):
            raise CommandError(
                "None of these checkpoints is of a log that is verified here, so they would prove nothing."
            )
        faulty = sum(not self._verify(chain, outside) for chain in chains)
        if faulty:
            raise CommandError(f"{faulty} of {len(chains)} logs are not whole.")
        compared = f", compared with {len(outside)} checkpoints from elsewhere" if outside else ""
        self.stdout.write(self.style.SUCCESS(f"{len(chains)} logs are whole{compared}."))

    def _verify(self, own: uuid.UUID, outside: list[Checkpoint]) -> bool:
        head = AuditHead.objects.filter(chain=own).first()
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        with Progress(*columns, transient=True, disable=not self.stdout.isatty()) as bar:
            task = bar.add_task(str(own), total=head.sequence if head else None)
            report = verification.verify(own, outside=outside, progress=lambda lines: bar.advance(task, lines))
        for fault in report.faults:
            self.stdout.write(self.style.ERROR(f"{own}: {fault}"))
        if report.is_whole:
            erased = f", the names beside {report.erased} of them erased" if report.erased else ""
            self.stdout.write(f"{own}: {report.lines} lines, the last is {report.sequence}{erased}.")
        return report.is_whole


def _brought(path: Path) -> list[Checkpoint]:
    try:
        return checkpoints.brought(path)
    except (OSError, UnicodeDecodeError, Unproven) as fault:
        raise CommandError(f"{path} cannot be read: {fault}") from fault


def _chain_of(organization: str) -> uuid.UUID:
    rows = apps.get_model("organizations.organization")._default_manager
    found = rows.filter(slug=organization).values_list("pk", flat=True).first()
    if found is not None:
        return uuid.UUID(str(found))
    try:
        return uuid.UUID(organization)
    except ValueError:
        raise CommandError(f"There is no organization {organization!r}.") from None


def _every_chain(outside: list[Checkpoint]) -> list[uuid.UUID]:
    """Those with a head, lines, an organization or a checkpoint somewhere: none can hide by losing one of these."""
    organizations = apps.get_model("organizations.organization")._default_manager.values_list("pk", flat=True)
    tables = (AuditHead, AuditEvent, AuditCheckpoint)
    kept = (model.objects.order_by().values_list("chain", flat=True).distinct() for model in tables)
    every = {*organizations, *chain(*kept), *(checkpoint.chain for checkpoint in outside)}
    return sorted(every - {INSTALLATION}) + [INSTALLATION] * (INSTALLATION in every)
