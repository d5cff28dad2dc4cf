"""The hallway between HTTP and the domain."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin


class TenancyConfig(AppConfig):
    name = "apps.tenancy"
    label = "tenancy"


class ConsoleConfig(admin.AdminConfig):
    """Django's admin, with the operator's console for its site."""

    default = False
    default_site = "apps.tenancy.console.site.Console"
