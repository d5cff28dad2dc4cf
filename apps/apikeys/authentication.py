"""From a header to a key: what every call to the API begins with."""

from typing import Any, cast

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from apps.apikeys import lookup
from apps.apikeys.models import ApiKey
from apps.apikeys.secret import digests_of_key

HEADER = "x-portkey-api-key"
_KEY, _AUTHORIZATION = "HTTP_X_PORTKEY_API_KEY", "HTTP_AUTHORIZATION"
REFUSAL = "Unauthorised Request"


class ApiKeyAuthentication(BaseAuthentication):
    """`x-portkey-api-key` first; only without it, `Authorization: Bearer` (contract 1.0).

    Whatever is wrong with a key, the answer is the same 401: unknown, revoked, expired and from elsewhere look alike.
    """

    def authenticate(self, request: Request) -> tuple[None, ApiKey] | None:
        clear, call = _presented(request), cast("Any", request._request)
        if clear is None:
            return None
        key = lookup.find(clear)
        if key is not None:
            key.origin = getattr(call, "origin", key.origin)
        if key is None or not key.is_let_in or not key.may_call_from(key.origin.address):
            call.refused_key, call.refused_digests = key, digests_of_key(clear)  # for the log, never the secret
            raise AuthenticationFailed(REFUSAL)
        return None, key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def _presented(request: Request) -> str | None:
    """What is shown as a key. The address and the cookies are not looked at: both lie about in logs and browsers."""
    sent = request._request.META
    if _KEY in sent:
        return str(sent[_KEY])
    scheme, _, credential = str(sent.get(_AUTHORIZATION, "")).partition(" ")
    return credential.strip() if scheme.lower() == "bearer" and credential.strip() else None
