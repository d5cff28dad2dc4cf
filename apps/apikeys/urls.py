"""Addresses of the pages of API keys."""

from django.urls import path

from apps.apikeys import (
    act_views,
    bulk_views,
    list_views,
    new_views,
    policy_views,
    rotation_views,
    scope_views,
    views,
)

app_name = "apikeys"
_KEYS, _THERE = "o/<slug:organization>/keys/", "o/<slug:organization>/w/<slug:workspace>/keys/"
urlpatterns = [
    path(_KEYS, list_views.KeyList.as_view(), name="list"),
    path(f"{_KEYS}new/", new_views.KeyCreate.as_view(), name="create"),
    path(f"{_KEYS}new/draft/", new_views.KeyDraft.as_view(), name="draft"),
    path(f"{_KEYS}policy/", policy_views.KeyPolicyPage.as_view(), name="policy"),
    path(f"{_KEYS}together/", bulk_views.KeysTogether.as_view(), name="together"),
    path(f"{_KEYS}<uuid:pk>/", views.KeyDetail.as_view(), name="key"),
    path(f"{_KEYS}<uuid:pk>/edit/", act_views.KeyEdit.as_view(), name="edit"),
    path(f"{_KEYS}<uuid:pk>/edit/draft/", act_views.KeyEditDraft.as_view(), name="edit-draft"),
    path(f"{_KEYS}<uuid:pk>/rotate/", rotation_views.KeyRotate.as_view(), name="rotate"),
    path(f"{_KEYS}<uuid:pk>/end-old/", rotation_views.KeyEndOld.as_view(), name="end-old"),
    path(f"{_KEYS}<uuid:pk>/reset/", rotation_views.KeyResetUsage.as_view(), name="reset"),
    path(f"{_KEYS}<uuid:pk>/unused/", scope_views.KeyUnused.as_view(), name="unused"),
    path(f"{_KEYS}<uuid:pk>/disable/", act_views.KeyDisable.as_view(), name="disable"),
    path(f"{_KEYS}<uuid:pk>/enable/", act_views.KeyEnable.as_view(), name="enable"),
    path(f"{_KEYS}<uuid:pk>/revoke/", act_views.KeyRevoke.as_view(), name="revoke"),
    path(_THERE, list_views.WorkspaceKeyList.as_view(), name="workspace-list"),
    path(f"{_THERE}policy/", policy_views.WorkspaceKeyPolicyPage.as_view(), name="workspace-policy"),
    path(f"{_THERE}new/", new_views.WorkspaceKeyCreate.as_view(), name="workspace-create"),
    path(f"{_THERE}new/draft/", new_views.WorkspaceKeyDraft.as_view(), name="workspace-draft"),
]
