"""Production refuses to start with what is only good enough for a demo (product 5.11)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "SECRET_KEY": "k3y-" * 15 + "abcdefghij",
    "KEY_PEPPERS": "1:" + "p3pp3r-0f-this-installation-" * 2,
    "ENCRYPTION_KEYS": "1:" + "3ncrypti0n-0f-this-installati0n-" * 2,
    "DATABASE_URL": "postgres://gatehouse@localhost/gatehouse",
    "BASE_URL": "https://gatehouse.example.com",
    "ALLOWED_HOSTS": "gatehouse.example.com",
}


def start(**changes: str | None) -> subprocess.CompletedProcess[str]:
    environment = {**GOOD, **changes, "PATH": os.environ["PATH"]}
    shown = "import config.settings.production as s; print(s.DEBUG, s.SESSION_COOKIE_NAME, s.EMAIL_BACKEND)"
    return subprocess.run(
        [sys.executable, "-c", shown],
        cwd=ROOT,
        env={name: value for name, value in environment.items() if value is not None},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_starts_with_all_it_needs() -> None:
    started = start()
    assert started.stdout.split() == ["False", "__Host-sessionid", "django.core.mail.backends.dummy.EmailBackend"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", None),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "a" * 60),
        ("KEY_PEPPERS", None),
        ("KEY_PEPPERS", "1:short"),
        ("KEY_PEPPERS", "no version at all, however long it is"),
        ("KEY_PEPPERS", "1:" + "a" * 40),
        ("KEY_PEPPERS", GOOD["KEY_PEPPERS"] + "," + GOOD["KEY_PEPPERS"]),
        ("ENCRYPTION_KEYS", None),
        ("DATABASE_URL", "sqlite:///db.sqlite3"),
        ("DATABASE_URL", None),
        ("BASE_URL", "http://gatehouse.example.com"),
        ("BASE_URL", None),
        ("ALLOWED_HOSTS", None),
        ("SIGN_UP", "sometimes"),
        ("DEFAULT_FROM_EMAIL", "nobody"),
    ],
)
def test_it_does_not_start_without(name: str, value: str | None) -> None:
    refused = start(**{name: value})
    assert refused.returncode == 1
    assert name in refused.stderr
    assert "ImproperlyConfigured" in refused.stderr
    assert (
        value is None
        or len(value) < 10
        or value not in refused.stderr
        or name in {"BASE_URL", "DATABASE_URL", "SIGN_UP"}
    )
