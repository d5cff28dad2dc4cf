"""The frame of every endpoint: a viewset that names an action for each thing it offers."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, final

from django.core.exceptions import ImproperlyConfigured
from django.db.models import QuerySet
from rest_framework import serializers, viewsets
from rest_framework.response import Response

from apps.access.actions import Action
from apps.core.errors import Invalid
from apps.core.models import TenantRow
from apps.tenancy.tenant import Tenant

STANDARD = ("list", "retrieve", "create", "update", "partial_update", "destroy")
Needed = Action | Callable[[Any], Iterable[Action]]


def nothing(view: Any) -> Iterable[Action]:
    """For the few endpoints that any live key may ask, named so that nobody forgets an action by leaving it out."""
    return ()


class TenantViewSet(viewsets.GenericViewSet[Any]):
    """Every handler has its action in `actions`, asked before it runs; rows are the tenant's own.

    An action may be a function of the view, where what is asked depends on the path or on the row's type.
    """

    actions: ClassVar[dict[str, Needed]] = {}
    model: ClassVar[type[TenantRow]]
    tenant: Tenant
    lookup_value_regex = "[^/]+"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        offered = {name for name in STANDARD if hasattr(cls, name)}
        offered |= {extra.__name__ for extra in cls.get_extra_actions()}
        if offered != set(cls.actions):
            raise ImproperlyConfigured(f"{cls.__qualname__}: actions must name exactly {sorted(offered)}.")
        if "get_queryset" in vars(cls):
            raise ImproperlyConfigured(f"{cls.__qualname__}: an endpoint may narrow its rows, not replace them.")

    def actions_needed(self) -> Iterable[Action]:
        if self.action in (None, "metadata"):
            return ()
        needed = self.actions[self.action]
        return (needed,) if isinstance(needed, Action) else needed(self)

    @final
    def get_queryset(self) -> QuerySet[Any]:
        return self.narrow(self.tenant.own(self.model))

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows

    def read(self, serializer: type[serializers.Serializer[Any]], *, partial: bool = False) -> dict[str, Any]:
        """The request's body as this serializer reads it. Raises what becomes a 400."""
        reading = serializer(data=self.request.data, partial=partial, context=self.get_serializer_context())
        reading.is_valid(raise_exception=True)
        return dict(reading.validated_data)

    def answer_list(self, rows: QuerySet[Any], serializer: type[serializers.Serializer[Any]]) -> Response:
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(serializer(page, many=True, context=self.get_serializer_context()).data)

    def query(self, name: str) -> str:
        """A query parameter, or nothing. Raises Invalid for what no database could keep."""
        value: str = self.request.query_params.get(name, "")
        if "\0" in value:
            raise Invalid({name: "It cannot hold NUL."})
        return value
