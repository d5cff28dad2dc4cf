"""Addresses of pages that leave the house in letters and API answers, always on the configured host (IN-10)."""

from django.conf import settings

from apps.apikeys.secret import Secret


def invitation_link(token: Secret) -> str:
    return f"{settings.BASE_URL}/invitations/{token.clear}/"
