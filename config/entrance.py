"""Which settings a process runs with: what the environment says, then the file .env, then the default."""

import os
from pathlib import Path

import environ


def choose(default: str) -> None:
    """Reads .env before anything else is decided, so that it can name the settings, too."""
    environ.Env.read_env(Path(__file__).resolve().parents[1] / ".env")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", default)
