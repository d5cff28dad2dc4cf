"""The same view behind each way to tell who calls, each at its own address, and one request to one of them."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import override_settings
from django.urls import path
from knox.auth import TokenAuthentication as Knox
from rest_framework.authentication import BaseAuthentication, TokenAuthentication
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_api_key.permissions import HasAPIKey

from apps.apikeys.authentication import HEADER, REFUSAL, ApiKeyAuthentication
from apps.apikeys.models import ApiKey
from apps.apikeys.secret import digests_of_key

ANSWER = {"ok": True}


class Recognised(BasePermission):
    """Whoever the authentication has told: a key, a token."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.auth is not None


class ThroughTheOrm(ApiKeyAuthentication):
    """Ours, as it would be with the query built anew for each call."""

    def authenticate(self, request: Request) -> Any:
        digests = digests_of_key(request.headers[HEADER])
        key = ApiKey.objects.with_places().presented(digests).first() if digests else None
        if key is None or not key.is_let_in:
            return self.refuse()
        return None, key

    def refuse(self) -> Any:
        raise PermissionError(REFUSAL)


def _plain(request: HttpRequest) -> HttpResponse:
    return JsonResponse(ANSWER)


def _behind(authentication: type[BaseAuthentication] | None, permission: type[BasePermission]) -> Callable[..., Any]:
    class Trivial(APIView):
        authentication_classes = [authentication] if authentication else []
        permission_classes = [permission]

        def get(self, request: Request) -> Response:
            return Response(ANSWER)

    return Trivial.as_view()


urlpatterns = [
    path("django", _plain),
    path("drf", _behind(None, AllowAny)),
    path("ours", _behind(ApiKeyAuthentication, Recognised)),
    path("orm", _behind(ThroughTheOrm, Recognised)),
    path("api-key", _behind(None, HasAPIKey)),
    path("token", _behind(TokenAuthentication, Recognised)),
    path("knox", _behind(Knox, Recognised)),
]


def caller() -> Callable[[str, str, str], int]:
    """How a server would ask: `call("ours", "HTTP_AUTHORIZATION", "Bearer …")` is the status of the answer."""
    # Whatever stands before a view makes every way slower, and every ratio look better.
    with override_settings(MIDDLEWARE=[]):
        application = get_wsgi_application()

    def call(stack: str, header: str = "", value: str = "") -> int:
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": f"/{stack}",
            "QUERY_STRING": "",
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "testserver",
            "HTTP_ACCEPT": "application/json",
            "HTTP_USER_AGENT": "bench_keys",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(),
            "wsgi.errors": BytesIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            **({header: value} if header else {}),
        }
        answered: list[str] = []
        response = application(environ, lambda status, headers: answered.append(status))
        b"".join(response)
        response.close()
        return int(answered[0][:3])

    return call
