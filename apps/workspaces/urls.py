"""Addresses of the pages of workspaces."""

from django.urls import path

from apps.workspaces import views

app_name = "workspaces"
urlpatterns = [
    path("o/<slug:organization>/workspaces/", views.WorkspaceList.as_view(), name="list"),
    path("o/<slug:organization>/workspaces/new/", views.WorkspaceCreate.as_view(), name="create"),
    path("o/<slug:organization>/w/<slug:workspace>/settings/", views.WorkspaceSettings.as_view(), name="settings"),
    path("o/<slug:organization>/w/<slug:workspace>/archive/", views.WorkspaceArchive.as_view(), name="archive"),
    path("o/<slug:organization>/w/<slug:workspace>/restore/", views.WorkspaceRestore.as_view(), name="restore"),
]
