"""The OpenAPI description: how keys are sent, the error body every endpoint shares, and the wire's shared objects."""

from collections.abc import Sequence
from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from apps.tenancy import idempotency
from apps.tenancy.errors import CODES

DONE: Final = OpenApiResponse({"type": "object"}, description="Done; there is nothing more to say.")
METADATA: Final = {"type": "object", "additionalProperties": {"type": "string"}, "nullable": True}
BUDGET: Final = {
    "type": "object",
    "nullable": True,
    "properties": {
        "type": {"type": "string", "enum": ["cost", "tokens"]},
        "credit_limit": {"type": "integer", "minimum": 1, "nullable": True},
        "alert_threshold": {"type": "integer", "minimum": 1, "nullable": True},
        "periodic_reset": {"type": "string", "enum": ["monthly", "weekly", None], "nullable": True},
        "periodic_reset_days": {"type": "integer", "minimum": 1, "maximum": 365, "nullable": True},
        "next_usage_reset_at": {"type": "string", "format": "date-time", "nullable": True},
    },
}


def rates(units: Sequence[str]) -> dict[str, Any]:
    """Several rate limits, each of one type and unit."""
    rate = {
        "type": "object",
        "required": ["type", "unit", "value"],
        "properties": {
            "type": {"type": "string", "enum": ["requests", "tokens"]},
            "unit": {"type": "string", "enum": list(units)},
            "value": {"type": "integer", "minimum": 0},
        },
    }
    return {"type": "array", "items": rate, "nullable": True}


_TEXT: Final = {"type": "string"}
_MISTAKE: Final = {"type": "object", "required": ["param", "message"], "properties": {"param": _TEXT, "message": _TEXT}}
# The one error body (see errors.body), a superset of what the contract's clients look for.
ERROR: Final = {
    "type": "object",
    "required": ["success", "status", "status_code", "message", "errorCode", "error", "data"],
    "properties": {
        "success": {"type": "boolean", "enum": [False]},
        "status": {"type": "string", "enum": ["failure"]},
        "status_code": {"type": "integer"},
        "message": _TEXT,
        "errorCode": {"type": "string", "enum": sorted({*CODES.values(), "AB10"})},
        "error": {
            "type": "object",
            "required": ["message", "type", "code", "errorCode", "param"],
            "properties": {
                **dict.fromkeys(("message", "type", "code", "errorCode"), _TEXT),
                "param": {"type": "string", "nullable": True},
                "action": {**_TEXT, "description": "With 403: what was not allowed."},
                "place": {**_TEXT, "description": "With 403: where."},
                "roles": {"type": "array", "items": _TEXT, "description": "With 403: who may."},
                "errors": {
                    "type": "array",
                    "items": _MISTAKE,
                    "description": "With 400: what was wrong, the first fifty of it.",
                },
            },
        },
        "data": {
            "type": "object",
            "required": ["message", "errorCode"],
            "properties": {"message": _TEXT, "errorCode": _TEXT},
        },
    },
}
REFUSALS: Final = {
    400: "Something in the request does not make sense; `error.errors` says what.",
    401: "No live API key came with the request.",
    403: "The key may not do this here; `error.action` names the scope it lacks.",
    404: "There is no such thing, or not for this key.",
}
WRITING: Final = {409: "Not in the state things are in.", 413: "The body is too large."}
PACED: Final = {429: "Not this often; the `Retry-After` header says how many seconds to wait."}
KEYED: Final = {422: "The `Idempotency-Key` was used for another request."}
KEY: Final = OpenApiParameter(
    idempotency.HEADER,
    {"type": "string", "pattern": idempotency.PATTERN},
    OpenApiParameter.HEADER,
    description=(
        "A name of your own for this request. Sent again with the same key within 24 hours, it is answered as before "
        "and does nothing; while the first still runs, 409. A refused or failed request leaves its key free."
    ),
)
REPLAY: Final = OpenApiParameter(
    idempotency.REPLAYED,
    {"type": "string", "enum": ["true"]},
    OpenApiParameter.HEADER,
    response=[200],
    description="There only if this answer was given before. What is shown once is then null.",
)
PATH_IDS: Final = {
    "workspace": "Id or slug of a workspace.",
    "user": "Id of a person.",
    "invite": "Id of an invitation.",
    "id": "Id of an API key.",
}


class WireSchema(AutoSchema):
    """Reads a TenantViewSet's own `reads` and `answers`, so that the description cannot differ from the handlers."""

    def get_tags(self) -> list[str]:
        return [self.view.tag]

    def get_summary(self) -> str:
        return self._said()[0]

    def get_description(self) -> str:
        return self._said()[1]

    def get_request_serializer(self) -> Any:
        return self.view.reads.get(self.view.action)

    def get_override_parameters(self) -> list[Any]:
        if self.is_done_once:
            return [KEY, REPLAY]
        return (
            [self.view.reads[self.view.action]] if self.method == "GET" and self.view.action in self.view.reads else []
        )

    @property
    def is_done_once(self) -> bool:
        return self.method == "POST" and self.view.action not in self.view.questions

    def get_response_serializers(self) -> Any:
        error = ResolvedComponent(name="Error", type=ResolvedComponent.SCHEMA, object="Error", schema=ERROR)
        self.registry.register_on_missing(error)
        refusals = REFUSALS if self.method == "GET" else REFUSALS | WRITING
        refusals = refusals | (PACED if self.view.action in self.view.paced else {})
        refusals = refusals | (KEYED if self.is_done_once else {})
        return {
            200: self.view.answers.get(self.view.action, DONE),
            **{status: OpenApiResponse(error.ref, description) for status, description in refusals.items()},
        }

    def _get_request_body(self, direction: str = "request") -> dict[str, Any] | None:
        """The library leaves out a DELETE's body; the contract has one."""
        if self.method != "DELETE" or self.view.action not in self.view.reads:
            return super()._get_request_body(direction)  # type: ignore[no-any-return]
        schema, _ = self._get_request_for_media_type(self.get_request_serializer())
        return {"content": {"application/json": {"schema": schema}}}

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        choices = self.view.path_choices
        return [
            {
                "name": name,
                "in": "path",
                "required": True,
                "description": PATH_IDS.get(name, ""),
                "schema": {"type": "string", **({"enum": list(choices[name])} if name in choices else {})},
            }
            for name in variables
        ]

    def _said(self) -> tuple[str, str]:
        """The handler's docstring: its first sentence, and the rest."""
        said = " ".join((getattr(self.view, self.view.action).__doc__ or "").split())
        first, dot, rest = said.partition(". ")
        return first + dot.strip(), rest


class KeyScheme(OpenApiAuthenticationExtension):
    target_class = "apps.apikeys.authentication.ApiKeyAuthentication"
    name = ["ApiKey", "Bearer"]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[str]]]:
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        return [
            {"type": "apiKey", "in": "header", "name": "x-portkey-api-key"},
            {"type": "http", "scheme": "bearer", "description": "Heard only without x-portkey-api-key."},
        ]


def one_version(endpoints: list[Any], **kwargs: Any) -> list[Any]:
    """The same table is mounted at /v1 and /v2; it is described once."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/v1/")]
