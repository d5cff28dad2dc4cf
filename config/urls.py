"""Every address of the installation."""

from django.contrib import admin
from django.urls import include, path

from apps.onboarding.views import Home
from apps.tenancy.handlers import unserved

pages = [
    path("", Home.as_view(), name="home"),
    path("", include("apps.onboarding.urls")),
    path("", include("apps.organizations.urls")),
    path("", include("apps.streams.urls")),
    path("", include("apps.workspaces.urls")),
    path("", include("apps.memberships.urls")),
    path("", include("apps.apikeys.urls")),
    path("", include("apps.audit.urls")),
    path("", include("apps.accounts.urls")),
    path("", include("apps.tenancy.urls")),
    path("accounts/", include("allauth.urls")),
]
urlpatterns = [
    path("v1/", include("config.api_urls", namespace="v1")),
    path("v2/", include("config.api_urls", namespace="v2")),
    path("v1", unserved),
    path("v2", unserved),
    path("admin/", admin.site.urls),
    *pages,
]

handler400 = "apps.tenancy.handlers.bad_request"
handler404 = "apps.tenancy.handlers.not_found"
handler500 = "apps.tenancy.handlers.server_error"
