"""Every gate a change has to pass, in order; stops at the first that is shut."""

import os
import subprocess
import sys
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console

_TEST_SETTINGS: Final = {"DJANGO_SETTINGS_MODULE": "config.settings.test"}
_MANAGE: Final = ("manage.py",)
GATES: Final[dict[str, tuple[str, ...]]] = {
    "format": ("-m", "ruff", "format", "--check", "--quiet", "."),
    "lint": ("-m", "ruff", "check", "--quiet", "."),
    "templates": ("-m", "djlint", "templates", "--lint", "--quiet"),
    "types": ("-m", "mypy"),
    "imports": ("-c", "import sys; from importlinter.cli import lint_imports_command as run; sys.exit(run())"),
    "system checks": (*_MANAGE, "check", "--fail-level", "WARNING", "--database", "default"),
    "migrations": (*_MANAGE, "makemigrations", "--check", "--dry-run"),
    "schema": (*_MANAGE, "spectacular", "--validate", "--fail-on-warn", "--file", os.devnull),
    "tests": ("-m", "pytest"),
}


class Command(BaseCommand):
    help = "Run every gate: format, lint, templates, types, imports, system checks, migrations, schema, tests."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--except", dest="left_out", action="append", choices=list(GATES), default=[])

    def handle(self, *args: Any, left_out: list[str], **options: Any) -> None:
        console = Console()
        for name, arguments in GATES.items():
            if name in left_out:
                continue
            console.rule(name)
            environment = {**os.environ, **_TEST_SETTINGS}
            finished = subprocess.run(  # noqa: S603 (the commands are the ones above)
                [sys.executable, *arguments], cwd=settings.BASE_DIR, env=environment, check=False
            )
            if finished.returncode != 0:
                console.print(f"[bold red]{name} is shut.[/]")
                raise SystemExit(1)
        console.print("[bold green]Every gate is open.[/]")
