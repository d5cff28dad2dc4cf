"""Where anybody reports a leaked key, without having one."""

from typing import Any, ClassVar, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers, viewsets
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from apps.apikeys import leaks
from apps.core.errors import Invalid
from apps.tenancy.schema import PACED, REFUSALS, WRITING, WireSchema

TAKEN: Final = {"object": "leak-report"}


class LeakReportIn(serializers.Serializer):
    token = serializers.CharField(help_text=gettext_lazy("What was found: the whole secret."))
    source = serializers.CharField(
        required=False,
        max_length=leaks.SOURCE_LENGTH,
        help_text=gettext_lazy("Where: an address on the web, or words."),
    )


class LeakReportOut(serializers.Serializer):
    object = serializers.ChoiceField(["leak-report"])


class LeakSchema(WireSchema):
    """The one endpoint that asks for no key."""

    refusals: ClassVar = {400: REFUSALS[400], 413: WRITING[413], **PACED}

    def get_auth(self) -> list[Any]:
        return [{}]

    def get_response_serializers(self) -> Any:
        described = super().get_response_serializers()
        error = described[400].response
        return {200: described[200]} | {
            status: type(described[400])(error, said) for status, said in self.refusals.items()
        }


class LeakViewSet(viewsets.ViewSet):
    """`POST /leaked-keys`: the same answer for whatever was reported."""

    schema = LeakSchema()
    tag: ClassVar = "Leaked keys"
    authentication_classes = ()
    permission_classes = (AllowAny,)
    http_method_names: ClassVar = ["post"]
    reads: ClassVar = {"create": LeakReportIn}
    answers: ClassVar = {"create": LeakReportOut}
    paced: ClassVar = frozenset({"create"})
    questions: ClassVar = frozenset({"create"})
    path_choices: ClassVar[dict[str, Any]] = {}

    def create(self, request: Request, **kwargs: Any) -> Response:
        """Report a secret that was found where it does not belong. The answer says nothing about it.

        If it is one of a live key, the people of the key are told at once, and the key is disabled unless its
        organization has chosen otherwise. Anybody may ask, a scanner as well as a person; no key is needed.
        """
        token, source = request.data.get("token"), request.data.get("source")
        if not isinstance(token, str):
            raise Invalid({"token": _("The secret that was found is needed, as a text.")})
        leaks.report(token, source=source if isinstance(source, str) else "", origin=request._request.origin)
        return Response(TAKEN)
