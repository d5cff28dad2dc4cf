"""The rooms: every module says what lives there, no function is long, and no rule is written twice."""

import ast
import re
from pathlib import Path

import pytest
from django.apps import apps as installed
from django.contrib.auth.models import Group
from django.db.migrations.loader import MigrationLoader

import apps
from apps.audit.events import Event
from tests.house.breakages import BREAKAGES, Breakage

ROOT = Path(apps.__file__).parents[1]
MODULES = sorted(p for top in ("apps", "config") for p in (ROOT / top).rglob("*.py") if "migrations" not in p.parts)
LONGEST = 30


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_module_opens_with_the_sentence_that_says_what_lives_there() -> None:
    silent = [_name(p) for p in MODULES if p.read_text().strip() and not ast.get_docstring(ast.parse(p.read_text()))]
    assert silent == []


def test_no_function_is_long() -> None:
    functions = [
        (f"{_name(path)}:{node.lineno} {node.name}", (node.end_lineno or 0) - node.lineno + 1)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    ]
    assert [where for where, length in functions if length > LONGEST + _docstring_allowance(where)] == []


def _docstring_allowance(where: str) -> int:
    """Operations may say at length what they take and refuse."""
    return 8 if "/operations.py" in where or "/invitations.py" in where else 0


def test_no_room_is_called_utils() -> None:
    assert [_name(p) for p in MODULES if p.stem in {"utils", "helpers", "common", "misc"}] == []


def test_only_the_table_compares_roles() -> None:
    """Ask the gate instead: a role compared elsewhere is a second table."""
    comparison = re.compile(
        r"""role\w*(\.\w+)?\s*(==|!=|\bin\b)\s*[\[({]?\s*(["'](owner|admin|member|manager)|\w*Role\.)"""
    )
    paths = [p for p in MODULES if "access" not in p.parts] + sorted((ROOT / "templates").rglob("*.html"))
    assert [_name(p) for p in paths if comparison.search(p.read_text())] == []


def test_only_one_function_writes_permission_rows() -> None:
    """ES-11: nothing but access.rows.sync and memberships.grants writes who may do what."""
    writing = re.compile(
        r"assign_perm|remove_perm|user_permissions\.|groups\.(add|set|remove|clear)|user_set\.(add|set|remove)"
    )
    assert [_name(p) for p in MODULES if writing.search(p.read_text())] == []


def test_the_operator_is_made_in_one_place() -> None:
    makers = [_name(p) for p in MODULES if "OperatorActor(" in p.read_text()]
    assert makers == ["apps/tenancy/admin.py"]


def test_links_leave_the_house_from_the_configured_address_alone() -> None:
    """IN-10: a Host header never decides where a letter points."""
    assert [_name(p) for p in MODULES if "build_absolute_uri" in p.read_text()] == []


def test_every_event_is_recorded_somewhere() -> None:
    code = "".join(p.read_text() for p in MODULES if p.name != "events.py")
    assert [event.name for event in Event if f"Event.{event.name}" not in code] == []


def test_apps_start_with_one_migration_and_no_cycle() -> None:
    loader = MigrationLoader(None)
    ours = {config.label for config in installed.get_app_configs() if config.name.startswith("apps.")}
    needs = {label: set() for label in ours}
    for (label, _), migration in loader.disk_migrations.items():
        if label in ours:
            needs[label] |= {app for app, _ in migration.dependencies if app in ours and app != label}
    seen: list[str] = []

    def visit(label: str, path: tuple[str, ...]) -> None:
        assert label not in path, f"apps depend on each other: {' -> '.join((*path, label))}"
        for other in needs[label]:
            visit(other, (*path, label))
        seen.append(label)

    for label in ours:
        visit(label, ())
    assert set(seen) == ours


def test_role_groups_are_children_of_group() -> None:
    children = {model.__name__ for model in Group.__subclasses__()}
    assert children == {"OrganizationRoleGroup", "WorkspaceRoleGroup"}


@pytest.mark.parametrize("banned", ["get_objects_for_user", "get_users_with_perms", "ObjectPermissionChecker"])
def test_the_slow_ways_round_are_not_taken(banned: str) -> None:
    assert [_name(p) for p in MODULES if banned in p.read_text()] == []


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda breakage: breakage.what)
def test_what_a_breakage_breaks_stands_once(breakage: Breakage) -> None:
    """A guard that moved takes its breakage along, or nobody would notice that it can no longer fail."""
    assert (ROOT / breakage.path).read_text().count(breakage.stands) >= 1
