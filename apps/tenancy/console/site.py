"""The console's site: who gets in, and what may be registered on it."""

from collections.abc import Callable
from functools import update_wrapper
from itertools import groupby
from typing import Any, Final

from allauth.account.decorators import secure_admin_login
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from unfold.sites import UnfoldAdminSite

from apps.audit.models import AuditEvent
from apps.tenancy.admin import ReadOnlyAdmin

SECTIONS: Final = ("Places", "People", "Keys", "History", "Access", "Machinery")


class Suggestions(AutocompleteJsonView):
    """What a field suggests while one types: rows told apart, and only those one may see."""

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().select_related(*self.model_admin.list_select_related or ())

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        return {**super().serialize_result(obj, to_field_name), "text": self.model_admin.known_as(obj)}


class Console(UnfoldAdminSite):  # type: ignore[misc]
    """Django's admin as the operator's console."""

    site_title = site_header = "Gatehouse"
    index_title = "Console"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Takes pages of ours alone: those that other packages bring would write past the operations."""
        if admin_class is not None and issubclass(admin_class, ReadOnlyAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """People sign in on the site's own page, with its limits and second factors."""
        return secure_admin_login(super().login)(request, extra_context)  # type: ignore[no-any-return]

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect("account_change_password")

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Not served: the theme keeps its answers longer than the right to see them may last."""
        raise Http404

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        lines = self.get_model_admin(AuditEvent).get_queryset(request)
        context = {"recent": lines.select_related("side").order_by("-pk")[:8], **(extra_context or {})}
        return super().index(request, context)  # type: ignore[no-any-return]

    def autocomplete_view(self, request: HttpRequest) -> HttpResponseBase:
        return Suggestions.as_view(admin_site=self)(request)

    def get_urls(self) -> list[Any]:
        """Without the one that leads from an id to a page of the site, which says whether there is such an id."""
        return [url for url in super().get_urls() if getattr(url, "name", None) != "view_on_site"]

    def admin_view(self, view: Callable[..., HttpResponse], cacheable: bool = False) -> Callable[..., HttpResponse]:
        inner = super().admin_view(view, cacheable)

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            # No database keeps NUL, and not every one of them survives being asked for it.
            if any("\0" in text for name, values in request.GET.lists() for text in (name, *values)):
                raise BadRequest("The address holds NUL.")
            return inner(request, *args, **kwargs)  # type: ignore[no-any-return]

        return update_wrapper(guarded, inner)

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        """What the person may see, by section."""
        models = [model for app in self.get_app_list(request) for model in app["models"]]
        pages = sorted(((self.get_model_admin(model["model"]), model) for model in models), key=_place_in_sidebar)
        return [
            {"title": section, "items": [_item(request, page, model) for page, model in of_it]}
            for section, of_it in groupby(pages, key=lambda pair: pair[0].section)
        ]


def _place_in_sidebar(pair: tuple[Any, dict[str, Any]]) -> tuple[int, str]:
    page, _ = pair
    return SECTIONS.index(page.section), page.name


def _item(request: HttpRequest, page: Any, model: dict[str, Any]) -> dict[str, Any]:
    link, add = model["admin_url"], model["add_url"]
    is_here = request.path.startswith(link)
    return {"title": page.name, "link": link, "add": add, "icon": page.icon, "active": is_here, "has_permission": True}
