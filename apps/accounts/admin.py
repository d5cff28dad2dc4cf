"""The console's pages on addresses and sign-ins. The people themselves are a page of onboarding, which can end them."""

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib import admin

from apps.tenancy.admin import ReadOnlyAdmin


@admin.register(EmailAddress)
class AddressAdmin(ReadOnlyAdmin):
    """Which addresses have been proved; nobody proves one by hand."""

    label, icon = "Addresses", "alternate_email"
    list_display = ("email", "user", "verified", "primary")
    list_filter = ("verified", "primary")
    list_select_related = ("user",)
    search_fields = ("email__startswith",)
    fields = ("email", "user", "verified", "primary")


@admin.register(UserSession)
class SessionAdmin(ReadOnlyAdmin):
    """Where people are signed in, without what would let anybody else be: the key and the data stay unseen."""

    label, icon = "Sessions", "devices"
    list_display = ("user", "ip", "user_agent", "created_at", "last_seen_at")
    list_select_related = ("user",)
    search_fields = ("user__email__startswith", "ip__startswith")
    narrowed_by = ("user",)
    fields = ("user", "ip", "user_agent", "created_at", "last_seen_at")
