"""Addresses of the pages that need several apps at once."""

from django.urls import path

from apps.onboarding import views

app_name = "onboarding"
urlpatterns = [
    path("organizations/new/", views.FoundOrganization.as_view(), name="found"),
    path("o/<slug:organization>/", views.OrganizationOverview.as_view(), name="organization"),
    path("o/<slug:organization>/w/<slug:workspace>/", views.WorkspaceOverview.as_view(), name="workspace"),
]
