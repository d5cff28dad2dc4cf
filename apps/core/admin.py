"""The console's page on the queue: what was handed to it, and how that went."""

from django.contrib import admin
from django_tasks_db.models import DBTaskResult

from apps.tenancy.admin import ReadOnlyAdmin


@admin.register(DBTaskResult)
class TaskAdmin(ReadOnlyAdmin):
    label, icon = "Tasks", "schedule"
    list_display = ("task_path", "status", "enqueued_at", "started_at", "finished_at")
    list_filter = ("status",)
    search_fields = ("task_path__startswith",)
    ordering = ("-enqueued_at",)
    fields = (
        "id",
        "task_path",
        "status",
        ("enqueued_at", "started_at", "finished_at"),
        ("queue_name", "priority"),
        "args_kwargs",
        "exception_class_path",
        "traceback",
    )
