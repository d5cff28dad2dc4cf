"""Addresses of the audit log's pages."""

from django.urls import path

from apps.audit import views

_LOG = "o/<slug:organization>/audit"

app_name = "audit"
urlpatterns = [
    path(f"{_LOG}/", views.AuditList.as_view(), name="list"),
    path(f"{_LOG}/<int:sequence>/", views.AuditEntry.as_view(), name="entry"),
    path(f"{_LOG}/export/", views.AuditExport.as_view(), name="export"),
    path(f"{_LOG}/verify/", views.AuditVerify.as_view(), name="verify"),
    path(f"{_LOG}/checkpoint/", views.AuditCheckpoint.as_view(), name="checkpoint"),
    path(f"{_LOG}/filters/", views.FilterKeep.as_view(), name="filters"),
    path(f"{_LOG}/filters/delete/", views.FilterDrop.as_view(), name="filter-delete"),
]
