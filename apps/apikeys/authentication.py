"""From a header to a key: what every call to the API begins with."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from apps.apikeys.models import ApiKey
from apps.apikeys.secret import digests_of_key

HEADER = "x-portkey-api-key"
REFUSAL = "Unauthorised Request"


class ApiKeyAuthentication(BaseAuthentication):
    """`x-portkey-api-key` first; only without it, `Authorization: Bearer` (contract 1.0).

    Whatever is wrong with a key, the answer is the same 401: unknown, revoked, expired and from elsewhere look alike.
    """

    def authenticate(self, request: Request) -> tuple[None, ApiKey] | None:
        clear = _presented(request)
        if clear is None:
            return None
        digests = digests_of_key(clear)
        key = _find(digests) if digests else None
        if key is None or not key.is_let_in:
            raise AuthenticationFailed(REFUSAL)
        key.origin = getattr(request._request, "origin", key.origin)
        if not key.may_call_from(key.origin.address):
            raise AuthenticationFailed(REFUSAL)
        return None, key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def _presented(request: Request) -> str | None:
    if HEADER in request.headers:
        return str(request.headers[HEADER])
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    return credential.strip() if scheme.lower() == "bearer" and credential.strip() else None


def _find(digests: list[bytes]) -> ApiKey | None:
    key: ApiKey | None = ApiKey.objects.with_places().presented(digests).first()
    return key
