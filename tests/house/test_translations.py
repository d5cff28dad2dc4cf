"""Every sentence is there in every language, with all that is filled in, and what is compiled is what is written."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import polib
import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
TEMPLATES = sorted(
    path
    for path in (ROOT / "templates").rglob("*")
    if path.suffix in {".html", ".txt"} and not {"admin", "styleguide"} & set(path.parts)
)
FILLED_IN = re.compile(r"%\((\w+)\)[sd]|%[sd]")
# Names and notations, the same in every language.
KEPT = {
    "Gatehouse",
    "env",
    "Portkey",
    "Python",
    "curl",
    "Swagger",
    "English",
    "Deutsch",
    "CSV",
    "API",
    "SSO",
    "TOTP",
    "MCP",
}
SHOWN = {"aria-label", "placeholder", "title", "alt"}


def catalog(language: str, kind: str = "po") -> Path:
    return ROOT / "config" / "locale" / language / "LC_MESSAGES" / f"django.{kind}"


def said(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_translated(language: str) -> None:
    written = polib.pofile(str(catalog(language)))
    assert [entry.msgid for entry in written if not all(said(entry))] == []
    assert [entry.msgid for entry in written.fuzzy_entries()] == []
    assert [entry.msgid for entry in written.obsolete_entries()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_that_is_filled_in_is_lost(language: str) -> None:
    for entry in polib.pofile(str(catalog(language))):
        expected = set(FILLED_IN.findall(entry.msgid_plural or entry.msgid))
        for text in said(entry):
            missing = expected ^ set(FILLED_IN.findall(text))
            assert not missing or (entry.msgid_plural and missing <= expected), entry.msgid


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    written, compiled = polib.pofile(str(catalog(language))), polib.mofile(str(catalog(language, "mo")))
    assert {(e.msgctxt, e.msgid, *said(e)) for e in compiled} == {(e.msgctxt, e.msgid, *said(e)) for e in written}


def test_no_sentence_was_added_without_a_translation(tmp_path: Path) -> None:
    if shutil.which("xgettext") is None:
        (pytest.fail if os.environ.get("REQUIRE_GETTEXT") == "1" else pytest.skip)("There is no xgettext here.")
    for folder in ("apps", "config", "templates"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("*.pyc", "*.mo"))
    django = [sys.executable, "-m", "django", "makemessages", "--locale", LANGUAGES[0], "--no-obsolete"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "DJANGO_SETTINGS_MODULE": "config.settings.test"}
    subprocess.run(django, cwd=tmp_path, env=environment, check=True, capture_output=True)
    found = polib.pofile(str(tmp_path / "config" / "locale" / LANGUAGES[0] / "LC_MESSAGES" / "django.po"))
    kept = polib.pofile(str(catalog(LANGUAGES[0])))
    assert {(e.msgctxt, e.msgid) for e in found} == {(e.msgctxt, e.msgid) for e in kept}


class Words(HTMLParser):
    """What a template says outside every translation."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0
        source = re.sub(r"{% comment.*?endcomment %}|{#.*?#}", "", source, flags=re.DOTALL)
        source = re.sub(r"{% blocktranslate.*?endblocktranslate %}", "", source, flags=re.DOTALL)
        self.feed(re.sub(r"{%.*?%}|{{.*?}}", "", source, flags=re.DOTALL))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in {"code", "pre", "script", "style", "kbd"}
        for name, value in attrs:
            if name in SHOWN:
                self.handle_data(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in {"code", "pre", "script", "style", "kbd"}

    def handle_data(self, data: str) -> None:
        words = set(re.findall(r"[A-Za-z]{2,}", data)) - KEPT
        if words and not self._silent:
            self.found.append(data.strip())


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_no_template_speaks_past_the_translations(template: Path) -> None:
    assert Words(template.read_text()).found == []


SAYS = {"Conflict", "Invalid", "Closed", "ValidationError", "finish", "messages", "done"}
LABELS = {"label", "help_text", "placeholder", "message", "empty_label"}
TRANSLATES = {
    "_",
    "gettext",
    "gettext_lazy",
    "ngettext",
    "ngettext_lazy",
    "pgettext",
    "pgettext_lazy",
    "npgettext",
}
# What operators and programs read stays English: the console, the wire, commands.
ENGLISH = {"admin.py", "api.py", "serializers.py", "errors.py", "environment.py", "fields.py", "parsers.py"}
ENGLISH |= {"styleguide.py", "limits.py", "pagination.py", "permissions.py"}
MODULES = sorted(
    path
    for path in (ROOT / "apps").rglob("*.py")
    if path.name not in ENGLISH and not {"migrations", "management", "console"} & set(path.parts)
)


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _spoken(node: ast.AST) -> Iterator[str]:
    """Every sentence below this node that no translation is asked for."""
    if isinstance(node, ast.Call) and _name(node) in TRANSLATES:
        return
    if isinstance(node, ast.JoinedStr):
        yield ast.unparse(node)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search(r"[a-z] [a-z]", node.value):
        yield node.value
    else:
        for child in ast.iter_child_nodes(node):
            yield from _spoken(child)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT / "apps")))
def test_no_module_speaks_past_the_translations(module: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.Call)]
    said = [argument for call in calls if _name(call) in SAYS for argument in call.args]
    labels = [keyword.value for call in calls for keyword in call.keywords if keyword.arg in LABELS]
    assert [text for node in (*said, *labels) for text in _spoken(node)] == []
