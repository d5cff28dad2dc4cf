"""The published description of the API, and the page to read it on: for anybody, as they say nothing of any tenant."""

from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from rest_framework.permissions import AllowAny
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class OpenView(APIView):
    schema = None
    authentication_classes = ()
    permission_classes = (AllowAny,)
    http_method_names = ["get", "head"]


class DescriptionView(OpenView):
    """OpenAPI, as JSON."""

    def get(self, request: Request) -> Response:
        return Response(description())


class ReadingView(OpenView):
    """Swagger, from our own files: nothing is fetched from elsewhere, and no script is in the page."""

    renderer_classes = (TemplateHTMLRenderer,)

    def get(self, request: Request) -> Response:
        return Response(template_name="api/docs.html")


@cache
def description() -> dict[str, Any]:
    """It does not change while a process lives, so it is made once."""
    made: dict[str, Any] = SchemaGenerator().get_schema(public=True)
    return made
