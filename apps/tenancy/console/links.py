"""How one page of the console leads to another, and says how much is there."""

from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from apps.organizations.models import Organization

COUNTED: Final = 10_000  # product P29


def link(text: str, model: str, page: str = "changelist", **asked: Any) -> str:
    """A link to another page: a list narrowed to something, or an add page filled in for it."""
    address = f"{reverse(f'admin:{model}_{page}')}?{urlencode(asked)}"
    return format_html('<a class="text-link" href="{}">{}</a>', address, text)


def links(*each: str) -> str:
    return format_html_join(mark_safe(" · "), "{}", ((one,) for one in each))


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
