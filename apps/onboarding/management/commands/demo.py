"""The whole product from one command: migrate, fill with two sample companies, say how to sign in, serve."""

import io
import json
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from apps.accounts import operations as accounts
from apps.accounts.models import User
from apps.apikeys.models import ApiKey
from apps.apikeys.secret import digests_of_key
from apps.onboarding import sample

PASSWORD = "gatehouse-demo"
OPERATOR = "operator@gatehouse.example"
NAMES = {
    "owner": ("Ines", "Carvalho"),
    "second_owner": ("Tomasz", "Wierzbicki"),
    "admin": ("Amara", "Okonkwo"),
    "workspace_admin": ("Jonas", "Lindqvist"),
    "manager": ("Priya", "Raman"),
    "member": ("Mateo", "Fuentes"),
    "bystander": ("Hana", "Kobayashi"),
    "suspended": ("Lukas", "Brandt"),
}
COMPANIES = (("Acme", "acme.example"), ("Globex", "globex.example"))


class Command(BaseCommand):
    help = "Set up, fill and serve a working product on this machine, with no configuration at all."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-serve", action="store_true", help="set up and fill, but do not serve")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--json", action="store_true", help="print sign-ins, ids and keys as JSON")

    def handle(self, *args: Any, no_serve: bool, port: int, **options: Any) -> None:
        if not settings.SETTINGS_MODULE.endswith(".local") or connection.vendor != "sqlite":
            raise CommandError("The demo makes people with a known password: on SQLite, with config.settings.local.")
        with redirect_stdout(io.StringIO()):  # letters to people who do not exist
            facts = _prepare(Console(stderr=True), f"http://localhost:{port}")
        if options["json"]:
            self.stdout.write(json.dumps(facts, indent=2))
        else:
            _show(facts, Console())
        if not no_serve:
            self.stdout.flush()
            _serve(port)


def _prepare(console: Console, address: str) -> dict[str, Any]:
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("Setting up the database", total=2 + len(COMPANIES))
        call_command("migrate", verbosity=0)
        progress.advance(task)
        _operator()
        companies = []
        for name, domain in COMPANIES:
            progress.update(task, description=f"Founding {name}", advance=1)
            companies.append(_company(name, domain))
        progress.advance(task)
    return {"address": address, "password": PASSWORD, "operator": OPERATOR, "companies": companies}


def _operator() -> None:
    if not User.objects.filter(email=OPERATOR).exists():
        User.objects.create_superuser(OPERATOR, PASSWORD, first_name="Olga", last_name="Operator")


def _person(role: str, email: str) -> User:
    first, last = NAMES[role]
    user = User.objects.create_user(email, PASSWORD, first_name=first, last_name=last)
    accounts.prove_address(user)
    return user


def _company(name: str, domain: str) -> dict[str, Any]:
    """The company's facts: founded on the first run, found again on the others."""
    kept = _kept(domain)
    if kept is not None:
        return kept
    if User.objects.filter(email=f"owner@{domain}").exists():
        raise CommandError(
            f"The keys of {name} are no longer in {_file()}. Delete the folder {settings.VAR} to start afresh."
        )
    made = sample.found(name, domain, person=_person)
    places = {"default": made.default, "search": made.workspace, "support": made.other_workspace}
    facts = {
        "domain": domain,
        "organization": {"id": str(made.organization.pk), "slug": made.organization.slug, "name": name},
        "workspaces": {label: {"id": str(place.pk), "slug": place.slug} for label, place in places.items()},
        "people": {role: {"id": str(user.pk), "email": user.email} for role, user in made.people.items()},
        "keys": {label: issued.secret.clear for label, issued in made.keys.items()},
    }
    _keep(facts)
    return facts


def _file() -> Path:
    """Demo secrets are shown on every run, so unlike real ones they are kept: beside their database."""
    name = Path(str(connection.settings_dict["NAME"])).stem
    return Path(settings.VAR) / f"demo-{name}.json"


def _kept(domain: str) -> dict[str, Any] | None:
    companies: list[dict[str, Any]] = json.loads(_file().read_text()) if _file().exists() else []
    for company in companies:
        digests = digests_of_key(company["keys"]["organization"])
        if company["domain"] == domain and ApiKey.objects.filter(digest__in=digests).exists():
            return company
    return None


def _keep(facts: dict[str, Any]) -> None:
    others = json.loads(_file().read_text()) if _file().exists() else []
    _file().touch(mode=0o600)
    _file().write_text(json.dumps([*(c for c in others if c["domain"] != facts["domain"]), facts], indent=2))


def _show(facts: dict[str, Any], console: Console) -> None:
    table = Table("Role", *(company["organization"]["name"] for company in facts["companies"]))
    for role in NAMES:
        addresses = [company["people"][role]["email"] for company in facts["companies"]]
        table.add_row(role.replace("_", " "), *addresses)
    console.print(table)
    for company in facts["companies"]:
        for label, key in company["keys"].items():
            console.print(f"{company['organization']['name']} {label} key: {key}", soft_wrap=True, highlight=False)
    console.print(f"Everybody's password is [bold]{PASSWORD}[/]. The operator, for /admin/, is {OPERATOR}.")
    console.print(f"Gatehouse is at [bold]{facts['address']}/[/] and its API at [bold]{facts['address']}/v1[/].")


def _serve(port: int) -> None:
    """Serves as production does, without debug pages, by becoming the server."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE,
        "DEBUG": os.environ.get("DEBUG", "false"),
        "BASE_URL": os.environ.get("BASE_URL", f"http://localhost:{port}"),
    }
    server = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    os.execve(sys.executable, [*server, "--no-ws", "--blocking-threads", "4", "config.wsgi:application"], environment)  # noqa: S606
