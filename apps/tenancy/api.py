"""The frame of every endpoint: a viewset that names, for each thing it offers, an action and what is said."""

import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, final

from django.core.exceptions import ImproperlyConfigured
from django.db.models import QuerySet
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.actions import Action
from apps.core.errors import Invalid
from apps.core.models import TenantRow
from apps.tenancy import idempotency
from apps.tenancy.tenant import Tenant

STANDARD = ("list", "retrieve", "create", "update", "partial_update", "destroy")
Needed = Action | Callable[[Any], Iterable[Action]]
Shape = type[serializers.Serializer[Any]]


def nothing(view: Any) -> Iterable[Action]:
    """For the few endpoints that any live key may ask, named so that nobody forgets an action by leaving it out."""
    return ()


class TenantViewSet(viewsets.GenericViewSet[Any]):
    """Every handler has its action in `actions`, asked before it runs; rows are the tenant's own.

    An action may be a function of the view, where what is asked depends on the path or on the row's type.
    `reads` and `answers` hold the serializers of the handlers, for them and for the published schema alike.
    """

    actions: ClassVar[dict[str, Needed]] = {}
    reads: ClassVar[dict[str, Shape]] = {}
    answers: ClassVar[dict[str, Shape]] = {}
    paced: ClassVar[frozenset[str]] = frozenset()  # what can be asked too often
    questions: ClassVar[frozenset[str]] = frozenset()  # POSTs that change nothing: each is answered anew
    model: ClassVar[type[TenantRow]]
    tenant: Tenant
    http_method_names = ["get", "head", "post", "put", "delete"]
    # The names under which a body may repeat the id in the path.
    body_ids: ClassVar[tuple[str, ...]] = ("id",)
    # For the published schema: the heading an endpoint stands under, and the words a path takes.
    tag: ClassVar[str] = ""
    path_choices: ClassVar[Mapping[str, Iterable[str]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        offered = {name for name in STANDARD if hasattr(cls, name)}
        offered |= {extra.__name__ for extra in cls.get_extra_actions()}
        if offered != set(cls.actions):
            raise ImproperlyConfigured(f"{cls.__qualname__}: actions must name exactly {sorted(offered)}.")
        if "get_queryset" in vars(cls):
            raise ImproperlyConfigured(f"{cls.__qualname__}: an endpoint may narrow its rows, not replace them.")

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        in_path, body = self.kwargs.get(self.lookup_url_kwarg or self.lookup_field), dict(request.data)
        for name in self.body_ids if in_path is not None else ():
            if body.get(name) not in (None, "") and not self.is_same(in_path, body[name]):
                raise Invalid({name: "The body names something else than the path."})
        idempotency.heed(self)

    def actions_needed(self) -> Iterable[Action]:
        if self.action in (None, "metadata"):
            return ()
        needed = self.actions[self.action]
        return (needed,) if isinstance(needed, Action) else needed(self)

    @property
    def workspace(self) -> Any:
        """The workspace that the path, the request or the key names, for handlers that have one."""
        return self.tenant.workspace

    @final
    def get_queryset(self) -> Any:
        return self.narrow(self.tenant.own(self.model))

    def narrow(self, rows: Any) -> Any:
        return rows

    def is_same(self, in_path: Any, in_body: Any) -> bool:
        """Whether path and body name the same row (product P26)."""
        return bool(as_id(in_path) == as_id(in_body))

    def asked(self) -> dict[str, Any]:
        """What the body says, or the query of a list, as the handler's serializer reads it. Raises what becomes 400."""
        given = self.request.query_params if self.request.method in {"GET", "HEAD"} else self.request.data
        reading = self.reads[self.action](data=given, context=self.get_serializer_context())
        reading.is_valid(raise_exception=True)
        return dict(reading.validated_data)

    def answer(self, row: Any) -> Response:
        return Response(self.answers[self.action](row, context=self.get_serializer_context()).data)

    def answer_list(self, rows: Any) -> Response:
        """One page, newest first (product P29)."""
        ordered = rows.order_by("-created_at", "-id") if isinstance(rows, QuerySet) else rows
        page = self.answers[self.action](
            self.paginate_queryset(ordered), many=True, context=self.get_serializer_context()
        )
        return self.get_paginated_response(page.data)

    def done(self) -> Response:
        """An act after which there is nothing to say is still 200 and JSON (contract 1.0)."""
        return Response({})


def as_id(reference: Any) -> Any:
    """An id however it is written; anything else as it is."""
    try:
        return uuid.UUID(reference)
    except (AttributeError, TypeError, ValueError):
        return reference
