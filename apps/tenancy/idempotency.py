"""`Idempotency-Key`: a POST that is sent again is answered again, and what it asks for is done once.

Wired into every TenantViewSet, behind the hallway's questions: whoever may not ask any more is not answered either.
"""

import json
import re
from collections.abc import Callable
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _
from rest_framework import serializers, status
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.errors import Invalid
from apps.replays import operations as replays
from apps.replays.models import KEY_LENGTH
from apps.tenancy.fields import ShownOnce

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"
PATTERN: Final = rf"^[!-~](?:[ -~]{{0,{KEY_LENGTH - 2}}}[!-~])?$"
_WELL_FORMED: Final = re.compile(PATTERN)
Handler = Callable[..., Response]


def heed(view: Any) -> None:
    """Lets a POST that names a key do nothing a second time. Called when everything else has been asked.

    Raises Invalid for what cannot be a key.
    """
    if view.request.method == "POST" and view.action in view.actions.keys() - view.questions:
        key = key_of(view.request)
        if key is not None:
            view.post = once(view, key, view.post)


def once(view: Any, key: str, handler: Handler) -> Handler:
    """The handler of a POST, run once for this key; after that, its answer.

    What it does and its answer commit together: a lost reply or a killed process leaves both, or neither (CF-11).
    A refusal undoes both, which frees the key; its line in the log is written afterwards, outside.
    """

    def answered(request: Request, *args: Any, **kwargs: Any) -> Response:
        call = _call(view, key)
        with transaction.atomic():
            if kept := replays.find(call):
                return Response(json.loads(kept.answer), kept.status, headers={REPLAYED: "true"})
            answer = handler(request, *args, **kwargs)
            if status.is_success(answer.status_code):
                said = JSONRenderer().render(without_secrets(_shape(view), answer.data)).decode()
                replays.keep(call, status=answer.status_code, answer=said, organization=view.tenant.organization)
        return answer

    return answered


def key_of(request: Request) -> str | None:
    """The key that a request names, if it does. Raises Invalid for what cannot be one."""
    given = request.headers.get(HEADER)
    if given is not None and not _WELL_FORMED.fullmatch(given):
        message = _("The key must be 1 to %(most)d printable ASCII characters.") % {"most": KEY_LENGTH}
        raise Invalid({HEADER: message})
    return given


def without_secrets(shape: Any, said: Any) -> Any:
    """An answer as it may be kept: null where its serializer shows something once.

    Raises RuntimeError for what no serializer declares, since nobody could say whether it is a secret.
    """
    if isinstance(shape, serializers.ListSerializer):
        return [without_secrets(shape.child, part) for part in said]
    if isinstance(shape, ShownOnce):
        return None
    if not isinstance(said, dict) or not (shape is None or isinstance(shape, serializers.Serializer)):
        return said
    fields = {} if shape is None else shape.fields
    if undeclared := said.keys() - fields.keys():
        raise RuntimeError(f"No serializer declares {sorted(undeclared)}; see TenantViewSet.answers.")
    return {name: without_secrets(fields[name], part) for name, part in said.items()}


def _shape(view: Any) -> Any:
    answers = view.answers.get(view.action)
    return answers and answers()


def _call(view: Any, key: str) -> replays.Call:
    """A call is another one if anything in it is, its query included; how its JSON is laid out does not count."""
    request = view.request
    said = json.dumps([request.method, request.get_full_path(), request.data], sort_keys=True)
    return replays.Call(view.tenant.actor.id, key, f"{request.method} {request.path}", said)
