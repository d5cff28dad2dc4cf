"""Addresses of the pages of API keys."""

from django.urls import path

from apps.apikeys import act_views, new_views, views

app_name = "apikeys"
_KEYS, _THERE = "o/<slug:organization>/keys/", "o/<slug:organization>/w/<slug:workspace>/keys/"
urlpatterns = [
    path(_KEYS, views.KeyList.as_view(), name="list"),
    path(f"{_KEYS}new/", new_views.KeyCreate.as_view(), name="create"),
    path(f"{_KEYS}new/draft/", new_views.KeyDraft.as_view(), name="draft"),
    path(f"{_KEYS}<uuid:pk>/", views.KeyDetail.as_view(), name="key"),
    path(f"{_KEYS}<uuid:pk>/edit/", act_views.KeyEdit.as_view(), name="edit"),
    path(f"{_KEYS}<uuid:pk>/disable/", act_views.KeyDisable.as_view(), name="disable"),
    path(f"{_KEYS}<uuid:pk>/enable/", act_views.KeyEnable.as_view(), name="enable"),
    path(f"{_KEYS}<uuid:pk>/revoke/", act_views.KeyRevoke.as_view(), name="revoke"),
    path(_THERE, views.WorkspaceKeyList.as_view(), name="workspace-list"),
    path(f"{_THERE}new/", new_views.WorkspaceKeyCreate.as_view(), name="workspace-create"),
    path(f"{_THERE}new/draft/", new_views.WorkspaceKeyDraft.as_view(), name="workspace-draft"),
]
