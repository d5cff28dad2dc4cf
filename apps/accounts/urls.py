"""Addresses of a person's own pages; sign-in and all that goes with it are allauth's."""

from django.urls import path

from apps.accounts import views

app_name = "accounts"
urlpatterns = [
    path("account/", views.Profile.as_view(), name="profile"),
    path("account/locale/", views.Locale.as_view(), name="locale"),
    path("account/language/", views.Language.as_view(), name="language"),
]
