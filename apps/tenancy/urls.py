"""Addresses of what the frame opens."""

from django.urls import path

from apps.tenancy import frame_views, styleguide

_ORGANIZATION = "o/<slug:organization>"
_WORKSPACE = f"{_ORGANIZATION}/w/<slug:workspace>"

app_name = "tenancy"
urlpatterns = [
    path("switch/", frame_views.Switch.as_view(), name="switch"),
    path(f"{_ORGANIZATION}/switch/", frame_views.SwitchHere.as_view(), name="switch-here"),
    path("search/", frame_views.Search.as_view(), name="search"),
    path(f"{_ORGANIZATION}/search/", frame_views.SearchHere.as_view(), name="search-here"),
    path(f"{_WORKSPACE}/search/", frame_views.SearchThere.as_view(), name="search-there"),
    path("keyboard/", frame_views.Keyboard.as_view(), name="keyboard"),
    path("styleguide/", styleguide.Styleguide.as_view(), name="styleguide"),
]
