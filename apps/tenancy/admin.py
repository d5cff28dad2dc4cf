"""The frame of every page of the admin console: who the operator is, and that nothing is written past an operation."""

from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.access.actions import Action
from apps.access.actors import Origin, UserActor
from apps.access.places import Place
from apps.access.roles import Role, needed_to_grant
from apps.core.errors import DomainError


class OperatorActor:
    """A superuser under /admin/: holds every action, bound by the rules on owners and states (product P16).

    Constructed here and nowhere else.
    """

    kind = "operator"

    def __init__(self, user: Any, origin: Origin) -> None:
        self.user, self.origin = user, origin

    @property
    def id(self) -> Any:
        return self.user.pk

    @property
    def label(self) -> str:
        return str(self.user.email)

    @property
    def person_id(self) -> Any:
        return self.user.pk

    def actions_in(self, place: Place) -> frozenset[Action]:
        return frozenset(Action)

    def belongs_to(self, place: Place) -> bool:
        return True

    def needed_to_grant(self, role: Role) -> frozenset[Action]:
        return needed_to_grant(role)


def actor_of_console(request: HttpRequest) -> OperatorActor | UserActor:
    """A superuser acts as the operator; other staff as the person they are, with the roles they have."""
    origin: Origin = request.origin  # type: ignore[attr-defined]
    user = request.user
    return OperatorActor(user, origin) if user.is_active and user.is_superuser else UserActor(user, origin)


class ReadOnlyAdmin(ModelAdmin):
    """Browsable by superusers, writable by nobody."""

    actions = None

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        raise ImproperlyConfigured(f"{type(self).__qualname__} must save through an operation.")

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        raise ImproperlyConfigured(f"{type(self).__qualname__} must delete through an operation.")

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        raise ImproperlyConfigured(f"{type(self).__qualname__} must delete through an operation.")
