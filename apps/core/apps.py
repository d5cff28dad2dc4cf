"""Registers the house's own tools: base models, errors, walls and commands. No product words live here."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "apps.core"
    label = "core"
