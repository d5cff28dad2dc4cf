"""The API, mounted at /v1 and at /v2 alike (contract 1.0)."""

from typing import Any

from django.urls import path, re_path

from apps.apikeys.api import ApiKeyViewSet, WhoAmIViewSet
from apps.apikeys.leak_api import LeakViewSet
from apps.audit.api import AuditLogViewSet
from apps.memberships import operations as memberships
from apps.memberships.api import InviteViewSet, MemberViewSet, UserViewSet
from apps.organizations.api import OrganisationViewSet
from apps.tenancy.docs import DescriptionView, ReadingView
from apps.tenancy.handlers import unserved
from apps.workspaces.api import WorkspaceViewSet

LIST: dict[str, Any] = {"get": "list"}
CREATE: dict[str, Any] = {"post": "create"}
ONE: dict[str, Any] = {"get": "retrieve", "put": "update", "delete": "destroy"}

app_name = "api"
urlpatterns = [
    path("admin/users", UserViewSet.as_view(LIST), name="users"),
    path("admin/users/invites", InviteViewSet.as_view(LIST | CREATE), name="invites"),
    path(
        "admin/users/invites/<str:invite>",
        InviteViewSet.as_view({"get": "retrieve", "delete": "destroy"}),
        name="invite",
    ),
    path("admin/users/invites/<str:invite>/resend", InviteViewSet.as_view({"post": "resend"}), name="resend"),
    path("admin/users/<str:user>", UserViewSet.as_view(ONE), name="user"),
    path(
        "admin/workspaces",
        WorkspaceViewSet.as_view(LIST | CREATE, add_to_team=memberships.add_to_workspace),
        name="workspaces",
    ),
    path("admin/workspaces/<str:workspace>", WorkspaceViewSet.as_view(ONE), name="workspace"),
    path("admin/workspaces/<str:workspace>/users", MemberViewSet.as_view(LIST | CREATE), name="members"),
    path("admin/workspaces/<str:workspace>/users/<str:user>", MemberViewSet.as_view(ONE), name="member"),
    path("api-keys", ApiKeyViewSet.as_view(LIST), name="keys"),
    re_path(
        r"^api-keys/(?P<type>organisation|workspace)/(?P<sub_type>user|service)$",
        ApiKeyViewSet.as_view(CREATE),
        name="new-key",
    ),
    path("api-keys/<str:id>", ApiKeyViewSet.as_view(ONE), name="key"),
    path("api-keys/<str:id>/rotate", ApiKeyViewSet.as_view({"post": "rotate"}), name="rotate"),
    path("organisations", OrganisationViewSet.as_view(LIST), name="organisations"),
    path("audit-logs", AuditLogViewSet.as_view(LIST), name="audit-logs"),
    path("whoami", WhoAmIViewSet.as_view({"get": "retrieve"}), name="whoami"),
    path("whoami/can", WhoAmIViewSet.as_view({"post": "can"}), name="can"),
    path("leaked-keys", LeakViewSet.as_view(CREATE), name="leaked-keys"),
    path("schema", DescriptionView.as_view(), name="schema"),
    path("docs", ReadingView.as_view(), name="docs"),
    re_path(r"", unserved, name="unserved"),
]
