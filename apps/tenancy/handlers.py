"""What is answered where no view was reached, or one failed: the wire's error body under the API, a page elsewhere."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt

from apps.tenancy.errors import NOT_FOUND, last_resort
from apps.tenancy.middleware import is_api


@csrf_exempt
def unserved(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """Every path of the API that nothing else answers, whatever the method (product P27)."""
    return last_resort(404, NOT_FOUND)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request.path):
        return last_resort(400, "The request cannot be read.")
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request.path):
        return last_resort(404, NOT_FOUND)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if is_api(request.path):
        return last_resort(500, "Something went wrong here. The trace id names this request in the log.")
    return defaults.server_error(request)
