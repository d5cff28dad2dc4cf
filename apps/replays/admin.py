"""The console's page on kept answers: which calls were answered, without what was said."""

from django.contrib import admin

from apps.replays.models import KeptAnswer
from apps.tenancy.admin import ReadOnlyAdmin


@admin.register(KeptAnswer)
class KeptAnswerAdmin(ReadOnlyAdmin):
    label, icon = "Kept answers", "replay"
    list_display = ("call", "organization", "status", "created_at")
    list_select_related = ("organization",)
    search_fields = ("actor_id__exact",)
    search_help_text = "The id of the key that called"
    ordering = ("-created_at",)
    fields = ("organization", "actor_id", "call", "status", "created_at")
