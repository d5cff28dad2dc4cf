"""What templates may ask of a workspace's looks."""

from typing import Any

from django import template

from apps.workspaces import looks

register = template.Library()


@register.filter
def tone(workspace: Any) -> int:
    return looks.hue(workspace)


@register.filter
def drawn(workspace: Any) -> str:
    return looks.icon(workspace)
