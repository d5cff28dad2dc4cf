"""How one page of the console leads to another, and says how much is there."""

from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.apps import apps
from django.contrib import admin
from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from apps.organizations.models import Organization

COUNTED: Final = 10_000  # product P29


def to_list(row: Any, text: str, label: str, **narrowed: Any) -> str:
    """A link from a row to a list narrowed to it; only the text, for somebody who may not see that list."""
    page = _page(label)
    return _link(text, page, "changelist", narrowed) if page.has_view_permission(row.seen_in) else text


def to_add(row: Any, text: str, label: str, **filled_in: Any) -> str:
    """A link from a row to a form with the row filled in; nothing, for somebody who may not add there."""
    page = _page(label)
    return _link(text, page, "add", filled_in) if page.has_add_permission(row.seen_in) else ""


def side_by_side(*links: str) -> str:
    return format_html_join(mark_safe(" · "), "{}", ((link,) for link in links if link))


def counted(rows: Any, one: str, many: str = "") -> str:
    """So many of these: "12 members", or "10000+ members" where counting on would only take time."""
    count = rows.all()[:COUNTED].count()
    return f"{count}{'+' if count == COUNTED else ''} {one if count == 1 else many or f'{one}s'}"


def organization_name(column: str) -> Subquery:
    """The name of the organization whose id this column holds, in the same query."""
    return Subquery(Organization.objects.filter(pk=OuterRef(column)).values("name")[:1])


def moment(instant: datetime | None) -> str:
    """An instant as operators compare them: in UTC, to the second."""
    return f"{instant:%Y-%m-%d %H:%M:%S}" if instant else ""


def _page(label: str) -> Any:
    return admin.site.get_model_admin(apps.get_model(label))


def _link(text: str, page: Any, name: str, asked: dict[str, Any]) -> str:
    address = f"{reverse(page.url_name(name))}?{urlencode(asked)}"
    return format_html('<a class="text-link" href="{}">{}</a>', address, text)
