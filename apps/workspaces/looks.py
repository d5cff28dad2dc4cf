"""How a workspace looks in lists: its colour and its icon, from the few there are to choose from."""

from typing import Any, Final
from zlib import crc32

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# In the order of the hues of the pages.
COLORS: Final[dict[str, Promise]] = {
    "blue": _("Blue"),
    "green": _("Green"),
    "amber": _("Amber"),
    "red": _("Red"),
    "cyan": _("Cyan"),
    "violet": _("Violet"),
}
ICONS: Final[dict[str, Promise]] = {
    "boxes": _("Boxes"),
    "bot": _("Robot"),
    "search": _("Magnifying glass"),
    "message-circle": _("Speech bubble"),
    "flask-conical": _("Flask"),
    "rocket": _("Rocket"),
    "shield": _("Shield"),
    "lock-keyhole": _("Lock"),
    "chart-line": _("Chart"),
    "building-2": _("Building"),
}


def hue(workspace: Any) -> int:
    """One of six colours: the one that was chosen, or else always the same one."""
    chosen = list(COLORS)
    return chosen.index(workspace.color) if workspace.color in COLORS else crc32(str(workspace.pk).encode()) % 6


def icon(workspace: Any) -> str:
    """The icon that was chosen, where pages can draw it: over the API it may be any text."""
    return str(workspace.icon) if workspace.icon in ICONS else ""
