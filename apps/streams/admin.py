"""The console's pages on streams: how they stand, and what was not delivered; no secret, no path of a receiver."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from apps.streams.models import Stream, Undelivered
from apps.tenancy.admin import ReadOnlyAdmin


@admin.register(Stream)
class StreamAdmin(ReadOnlyAdmin):
    section, label, icon = "History", "Audit streams", "podcasts"
    list_display = ("name", "organization", "kind", "origin", "status", "behind", "attempts", "last_error", "created")
    list_filter = ("kind", "status")
    list_select_related = ("organization",)
    search_fields = ("name__istartswith",)
    narrowed_by = ("organization",)
    fields = (
        *("name", "organization", "kind", "origin", "status", "position", "behind", "attempts", "last_error"),
        *("next_try_at", "leased_until", "last_delivered_at", "created_at", "updated_at"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).with_standing()  # type: ignore[attr-defined,no-any-return]

    def history_of(self, row: Stream) -> dict[str, Any]:
        return {"target_type": "streams.stream", "target_id": str(row.pk)}

    @display(description="sent to")
    def origin(self, row: Stream) -> str:
        return row.origin

    @display(description="lines behind")
    def behind(self, row: Any) -> int:
        return int(row.behind)


@admin.register(Undelivered)
class UndeliveredAdmin(ReadOnlyAdmin):
    section, label, icon = "History", "Undelivered lines", "unsubscribe"
    list_display = ("stream", "organization", "sequence", "attempts", "error", "at", "is_wanted")
    list_select_related = ("stream", "organization")
    search_fields = ("sequence__exact",)
    narrowed_by = ("organization", "stream")
    fields = list_display
