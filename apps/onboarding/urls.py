"""Addresses of the pages that need several apps at once."""

from django.urls import path

from apps.onboarding import account_views, role_views, settings_views, views

_ORGANIZATION = "o/<slug:organization>"

app_name = "onboarding"
urlpatterns = [
    path("account/organizations/", account_views.MyOrganizations.as_view(), name="mine"),
    path("account/close/", account_views.CloseAccount.as_view(), name="close"),
    path("organizations/new/", views.FoundOrganization.as_view(), name="found"),
    path(f"{_ORGANIZATION}/", views.OrganizationOverview.as_view(), name="organization"),
    path(f"{_ORGANIZATION}/roles/who/", role_views.WhoCan.as_view(), name="who"),
    path(f"{_ORGANIZATION}/roles/<slug:role>/<slug:row>/", role_views.RoleCell.as_view(), name="cell"),
    path(f"{_ORGANIZATION}/settings/security/", settings_views.OrganizationSecurity.as_view(), name="security"),
    path(f"{_ORGANIZATION}/settings/danger/", settings_views.OrganizationDanger.as_view(), name="danger"),
    path(f"{_ORGANIZATION}/delete/", settings_views.OrganizationDelete.as_view(), name="delete"),
    path(f"{_ORGANIZATION}/w/<slug:workspace>/", views.WorkspaceOverview.as_view(), name="workspace"),
]
