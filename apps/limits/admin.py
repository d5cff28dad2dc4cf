"""The console's pages on limits: what is counted, and what running calls hold."""

from django.contrib import admin

from apps.limits.models import Budget, RateWindow, Reservation
from apps.tenancy.admin import ReadOnlyAdmin


@admin.register(Budget)
class BudgetAdmin(ReadOnlyAdmin):
    label, icon = "Budgets", "savings"
    list_display = ("subject", "organization", "unit", "limit", "spent", "reserved", "resets_at", "exhausted_at")
    list_filter = ("unit",)
    list_select_related = ("organization",)
    search_fields = ("subject__exact",)
    search_help_text = "The id of the key that is limited"
    ordering = ("-id",)
    fields = (*list_display, "threshold", "alerted_at", "last_reset_at")


@admin.register(Reservation)
class ReservationAdmin(ReadOnlyAdmin):
    label, icon = "Reservations", "hourglass_top"
    list_display = ("budget", "organization", "amount", "expires_at", "lapsed_at")
    list_select_related = ("budget", "organization")
    search_fields = ("budget__subject__exact",)
    search_help_text = "The id of the key that is limited"
    ordering = ("-id",)
    fields = list_display


@admin.register(RateWindow)
class RateWindowAdmin(ReadOnlyAdmin):
    label, icon = "Rate windows", "speed"
    list_display = ("subject", "organization", "type", "unit", "used", "previous")
    list_select_related = ("organization",)
    search_fields = ("subject__exact",)
    search_help_text = "The id of the key that is limited"
    ordering = ("-id",)
    fields = list_display
