"""Addresses of the pages about people in places."""

from django.urls import path

from apps.memberships import invitation_views, views

_ORGANIZATION = "o/<slug:organization>"
_INVITATION = f"{_ORGANIZATION}/invitations/<uuid:pk>"
_WORKSPACE = f"{_ORGANIZATION}/w/<slug:workspace>"

app_name = "memberships"
urlpatterns = [
    path(f"{_ORGANIZATION}/members/", views.MemberList.as_view(), name="members"),
    path(f"{_ORGANIZATION}/members/<uuid:pk>/role/", views.MemberRole.as_view(), name="role"),
    path(f"{_ORGANIZATION}/members/<uuid:pk>/suspend/", views.MemberSuspend.as_view(), name="suspend"),
    path(f"{_ORGANIZATION}/members/<uuid:pk>/reactivate/", views.MemberReactivate.as_view(), name="reactivate"),
    path(f"{_ORGANIZATION}/members/<uuid:pk>/remove/", views.MemberRemove.as_view(), name="remove"),
    path(f"{_ORGANIZATION}/leave/", views.OrganizationLeave.as_view(), name="leave"),
    path(f"{_ORGANIZATION}/invitations/", invitation_views.InvitationList.as_view(), name="invitations"),
    path(f"{_ORGANIZATION}/invitations/new/", invitation_views.Invite.as_view(), name="invite"),
    path(f"{_INVITATION}/resend/", invitation_views.InvitationResend.as_view(), name="resend"),
    path(f"{_INVITATION}/copy/", invitation_views.InvitationCopy.as_view(), name="copy"),
    path(f"{_INVITATION}/cancel/", invitation_views.InvitationCancel.as_view(), name="cancel"),
    path(f"{_WORKSPACE}/team/", views.TeamList.as_view(), name="team"),
    path(f"{_WORKSPACE}/team/add/", views.TeamAdd.as_view(), name="team-add"),
    path(f"{_WORKSPACE}/team/<uuid:pk>/role/", views.TeamRole.as_view(), name="team-role"),
    path(f"{_WORKSPACE}/team/<uuid:pk>/remove/", views.TeamRemove.as_view(), name="team-remove"),
    path("invitations/open/", invitation_views.InvitationOpen.as_view(), name="open"),
    path("invitations/open/accept/", invitation_views.InvitationAccept.as_view(), name="accept"),
    path("invitations/open/decline/", invitation_views.InvitationDecline.as_view(), name="decline"),
    path("invitations/open/sign-out/", invitation_views.InvitationSignOut.as_view(), name="sign-out"),
    path("invitations/waiting/<uuid:pk>/accept/", invitation_views.InvitationAccept.as_view(), name="accept-waiting"),
    path(
        "invitations/waiting/<uuid:pk>/decline/", invitation_views.InvitationDecline.as_view(), name="decline-waiting"
    ),
    path("invitations/<str:token>/", invitation_views.InvitationLink.as_view(), name="link"),
]
