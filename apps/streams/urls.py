"""Addresses of the pages on streams."""

from django.urls import path

from apps.streams import act_views, views

_LIST = "o/<slug:organization>/settings/streams/"
_ONE = f"{_LIST}<uuid:pk>/"

app_name = "streams"
urlpatterns = [
    path(_LIST, views.StreamList.as_view(), name="list"),
    path(f"{_LIST}new/", views.StreamCreate.as_view(), name="new"),
    path(_ONE, views.StreamDetail.as_view(), name="stream"),
    path(f"{_ONE}edit/", act_views.StreamEdit.as_view(), name="edit"),
    path(f"{_ONE}pause/", act_views.StreamPause.as_view(), name="pause"),
    path(f"{_ONE}resume/", act_views.StreamResume.as_view(), name="resume"),
    path(f"{_ONE}test/", act_views.StreamTest.as_view(), name="test"),
    path(f"{_ONE}again/", act_views.StreamSendAgain.as_view(), name="again"),
    path(f"{_ONE}secret/", act_views.StreamRotate.as_view(), name="secret"),
    path(f"{_ONE}delete/", act_views.StreamDelete.as_view(), name="delete"),
]
