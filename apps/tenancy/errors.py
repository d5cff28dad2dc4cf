"""The domain's refusals in the wire's one error body (contract 1.0, product P27)."""

from typing import Any, Final

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, JsonResponse
from rest_framework import exceptions
from rest_framework.settings import api_settings

from apps.access.actions import Action
from apps.access.actors import Actor
from apps.audit import refusals
from apps.core.errors import (
    Closed,
    Conflict,
    DomainError,
    Exhausted,
    Forbidden,
    Invalid,
    Missing,
    Overreach,
    TooMany,
    Unavailable,
)
from apps.replays.operations import AnotherCall

CODES: Final = {
    400: "AB01",
    401: "AB02",
    403: "AB03",
    404: "AB08",
    405: "AB04",
    406: "AB04",
    409: "AB07",
    412: "AB05",
    413: "AB06",
    415: "AB04",
    422: "AB01",
    429: "AB09",
}
TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    412: "insufficient_quota",
    413: "request_too_large",
    429: "rate_limit_error",
}
_STATUS: Final[dict[type[DomainError], int]] = {
    Forbidden: 403,
    Closed: 403,
    Missing: 404,
    AnotherCall: 422,
    Conflict: 409,
    Invalid: 400,
    Exhausted: 412,
    TooMany: 429,
    Unavailable: 503,
}
MOST_LISTED: Final = 50  # mistakes in one answer
NOT_FOUND: Final = "Not found."
TOO_LARGE: Final = "The request body is too large."
_DJANGO: Final[dict[type[Exception], tuple[int, str]]] = {
    Http404: (404, NOT_FOUND),
    PermissionDenied: (403, "You may not do this."),
    RequestDataTooBig: (413, TOO_LARGE),
    SuspiciousOperation: (400, "The request cannot be read."),
}


class TooLarge(exceptions.APIException):
    status_code = 413
    default_detail = TOO_LARGE


def body(status: int, message: str, **more: Any) -> dict[str, Any]:
    """The superset of error shapes that every client reads well."""
    code = CODES.get(status, "AB10" if status >= 500 else "AB01")
    error = {
        "message": message,
        "type": TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error"),
        "code": code,
        "errorCode": code,
        "param": None,
        **more,
    }
    return {
        "success": False,
        "status": "failure",
        "status_code": status,
        "message": message,
        "errorCode": code,
        "error": error,
        "data": {"message": message, "errorCode": code},
    }


def exception_handler(exc: Exception, context: dict[str, Any]) -> JsonResponse | None:
    """What DRF calls for every refusal; an answer of None is a 500, which the last handler words.

    The answer is JSON already, so that even the pages among the endpoints refuse in the wire's words.
    """
    if isinstance(exc, DomainError):
        return _domain(exc, context)
    for kind, answer in _DJANGO.items():
        if isinstance(exc, kind):
            return last_resort(*answer)
    if isinstance(exc, exceptions.ValidationError):
        return JsonResponse(_invalid(_flat(exc.detail)), status=400)
    if isinstance(exc, exceptions.APIException):
        challenge = getattr(exc, "auth_header", None)
        headers = {"WWW-Authenticate": challenge} if challenge else None
        return JsonResponse(body(exc.status_code, str(exc.detail)), status=exc.status_code, headers=headers)
    return None


def last_resort(status: int, message: str) -> JsonResponse:
    """The same body where there is no more to say, because no view was reached, or one failed."""
    return JsonResponse(body(status, message), status=status)


def _domain(exc: DomainError, context: dict[str, Any]) -> JsonResponse:
    status = next(code for kind, code in _STATUS.items() if isinstance(exc, kind))
    if isinstance(exc, Missing):
        # One sentence for all: what is missing and what is somebody else's read alike (P10).
        return last_resort(404, NOT_FOUND)
    if isinstance(exc, Overreach):
        _write_down_overreach(exc, getattr(context["view"], "tenant", None))
    if isinstance(exc, Invalid):
        return JsonResponse(_invalid(list(exc.errors.items())), status=status)
    if isinstance(exc, Forbidden):
        _write_down(exc, context["request"].auth)
        facts = {"action": str(exc.action), "place": str(exc.place), "roles": list(exc.roles)}
        return JsonResponse(body(status, str(exc), **facts), status=status)
    answer = last_resort(status, str(exc))
    if isinstance(exc, TooMany | Unavailable):
        answer["Retry-After"] = str(exc.wait)
    return answer


def _write_down(refusal: Forbidden, actor: Actor | None) -> None:
    if actor is not None:
        refusals.refused(refusal.action, actor=actor, place=refusal.place)


def _write_down_overreach(refusal: Overreach, tenant: Any) -> None:
    """One line, in the name of the first action that was too much."""
    if tenant is not None:
        action = Action(refusal.beyond[0])
        refusals.refused(action, actor=tenant.actor, place=tenant.place(action.level))


def _invalid(errors: list[tuple[str, str]]) -> dict[str, Any]:
    listed = [{"param": param, "message": message} for param, message in errors[:MOST_LISTED]]
    param, message = errors[0]
    said = f"{param}: {message}" if param else message
    return body(400, said, param=param or None, errors=listed)


def _flat(detail: Any, path: str = "") -> list[tuple[str, str]]:
    """Nested complaints as (path, sentence): "users[1].role"."""
    if isinstance(detail, dict):
        return [error for name, part in detail.items() for error in _flat(part, _step(path, name))]
    if isinstance(detail, list):
        nested = any(isinstance(part, dict) for part in detail)
        return [
            error for index, part in enumerate(detail) for error in _flat(part, _step(path, index) if nested else path)
        ]
    return [(path, str(detail))]


def _step(path: str, name: str | int) -> str:
    if name == api_settings.NON_FIELD_ERRORS_KEY:
        return path
    return f"{path}[{name}]" if isinstance(name, int) else f"{path}.{name}".strip(".")
