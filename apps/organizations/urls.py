"""Addresses of the pages of an organization itself."""

from django.urls import path

from apps.organizations import views

app_name = "organizations"
urlpatterns = [
    path("o/<slug:organization>/settings/", views.OrganizationSettings.as_view(), name="settings"),
    path("o/<slug:organization>/roles/", views.RoleMatrix.as_view(), name="roles"),
]
