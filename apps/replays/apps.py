"""Calls that may come twice, and what they were answered."""

from django.apps import AppConfig


class ReplaysConfig(AppConfig):
    name = "apps.replays"
    label = "replays"
