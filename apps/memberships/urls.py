"""Addresses of the pages about people in places."""

from django.urls import path

from apps.memberships import (
    answer_views,
    bulk_views,
    invitation_views,
    inviting_views,
    member_views,
    person_views,
    team_views,
)

_ORGANIZATION = "o/<slug:organization>"
_INVITATION = f"{_ORGANIZATION}/invitations/<uuid:pk>"
_WORKSPACE = f"{_ORGANIZATION}/w/<slug:workspace>"

app_name = "memberships"
urlpatterns = [
    path(f"{_ORGANIZATION}/members/", member_views.MemberList.as_view(), name="members"),
    path(f"{_ORGANIZATION}/members/columns/", member_views.MemberColumns.as_view(), name="columns"),
    path(f"{_ORGANIZATION}/members/together/", bulk_views.MembersTogether.as_view(), name="members-together"),
    path(f"{_ORGANIZATION}/members/<uuid:pk>/", person_views.MemberDetail.as_view(), name="member"),
    path(f"{_ORGANIZATION}/members/<uuid:pk>/role/", person_views.MemberRole.as_view(), name="role"),
    path(f"{_ORGANIZATION}/members/<uuid:pk>/add/", person_views.MemberAdd.as_view(), name="member-add"),
    path(f"{_ORGANIZATION}/members/<uuid:pk>/suspend/", person_views.MemberSuspend.as_view(), name="suspend"),
    path(f"{_ORGANIZATION}/members/<uuid:pk>/reactivate/", person_views.MemberReactivate.as_view(), name="reactivate"),
    path(f"{_ORGANIZATION}/members/<uuid:pk>/remove/", person_views.MemberRemove.as_view(), name="remove"),
    path(f"{_ORGANIZATION}/leave/", person_views.OrganizationLeave.as_view(), name="leave"),
    path(f"{_ORGANIZATION}/invitations/", invitation_views.InvitationList.as_view(), name="invitations"),
    path(f"{_ORGANIZATION}/invitations/new/", inviting_views.Invite.as_view(), name="invite"),
    path(f"{_ORGANIZATION}/invitations/new/check/", inviting_views.InviteCheck.as_view(), name="check"),
    path(f"{_ORGANIZATION}/invitations/together/", invitation_views.InvitationsTogether.as_view(), name="together"),
    path(f"{_INVITATION}/resend/", invitation_views.InvitationResend.as_view(), name="resend"),
    path(f"{_INVITATION}/copy/", invitation_views.InvitationCopy.as_view(), name="copy"),
    path(f"{_INVITATION}/role/", invitation_views.InvitationRole.as_view(), name="invitation-role"),
    path(f"{_INVITATION}/cancel/", invitation_views.InvitationCancel.as_view(), name="cancel"),
    path(f"{_WORKSPACE}/team/", team_views.TeamList.as_view(), name="team"),
    path(f"{_WORKSPACE}/team/add/", team_views.TeamAdd.as_view(), name="team-add"),
    path(f"{_WORKSPACE}/team/<uuid:pk>/role/", team_views.TeamRole.as_view(), name="team-role"),
    path(f"{_WORKSPACE}/team/<uuid:pk>/remove/", team_views.TeamRemove.as_view(), name="team-remove"),
    path("invitations/open/", answer_views.InvitationOpen.as_view(), name="open"),
    path("invitations/open/accept/", answer_views.InvitationAccept.as_view(), name="accept"),
    path("invitations/open/decline/", answer_views.InvitationDecline.as_view(), name="decline"),
    path("invitations/open/sign-out/", answer_views.InvitationSignOut.as_view(), name="sign-out"),
    path("invitations/waiting/<uuid:pk>/accept/", answer_views.InvitationAccept.as_view(), name="accept-waiting"),
    path("invitations/waiting/<uuid:pk>/decline/", answer_views.InvitationDecline.as_view(), name="decline-waiting"),
    path("invitations/<str:token>/", answer_views.InvitationLink.as_view(), name="link"),
]
