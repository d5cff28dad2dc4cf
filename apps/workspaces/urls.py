"""Addresses of the pages of workspaces."""

from django.urls import path

from apps.workspaces import views

_WORKSPACE = "o/<slug:organization>/w/<slug:workspace>"

app_name = "workspaces"
urlpatterns = [
    path("o/<slug:organization>/workspaces/", views.WorkspaceList.as_view(), name="list"),
    path("o/<slug:organization>/workspaces/new/", views.WorkspaceCreate.as_view(), name="create"),
    path(f"{_WORKSPACE}/settings/", views.WorkspaceSettings.as_view(), name="settings"),
    path(f"{_WORKSPACE}/settings/limits/", views.WorkspaceLimits.as_view(), name="limits"),
    path(f"{_WORKSPACE}/settings/danger/", views.WorkspaceDanger.as_view(), name="danger"),
    path(f"{_WORKSPACE}/archive/", views.WorkspaceArchive.as_view(), name="archive"),
    path(f"{_WORKSPACE}/restore/", views.WorkspaceRestore.as_view(), name="restore"),
]
