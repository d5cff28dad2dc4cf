"""`api-keys` (contract 1.6), and `whoami`, an addition in its style."""

import uuid
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, Final

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access import gate
from apps.access.actions import Action
from apps.access.scopes import KeyType
from apps.accounts.models import User
from apps.apikeys import operations, reasons, rotation
from apps.apikeys.models import ApiKey, action_on
from apps.apikeys.schedule import transition_of
from apps.apikeys.serializers import (
    ApiKeyChanges,
    ApiKeyFilter,
    ApiKeySerializer,
    IssuedSerializer,
    NewApiKey,
    Question,
    RotatedSerializer,
    Rotation,
    VerdictSerializer,
    WhoAmISerializer,
)
from apps.core.errors import Invalid
from apps.limits.standing import look_at
from apps.organizations.models import Organization
from apps.tenancy.api import TenantViewSet, nothing
from apps.tenancy.tenant import Tenant
from apps.workspaces.models import Workspace

TYPES: Final = {"type": ("organisation", "workspace"), "sub_type": ("user", "service")}
_OF_WORKSPACES: Final = (KeyType.WORKSPACE, KeyType.USER)


def types_listed(tenant: Tenant) -> list[KeyType]:
    """The types of keys whose list the caller may see in the place it asks about."""
    there = _OF_WORKSPACES if tenant.workspace else KeyType
    return [key_type for key_type in there if tenant.may(action_on(key_type, "list"))]


def any_list(view: Any) -> Iterable[Action]:
    """One family is enough; to see none is refused, in the name of the family of the place."""
    family = KeyType.WORKSPACE if view.tenant.workspace else KeyType.ORGANIZATION
    return () if types_listed(view.tenant) else (action_on(family, "list"),)


def on_the_key(verb: str) -> Callable[[Any], Iterable[Action]]:
    """The action of the row's own family; asked after the row was found, so that a stranger's is 404."""
    return lambda view: (action_on(view.key.type, verb),)


def create_one(view: Any) -> Iterable[Action]:
    return (action_on(view.wanted_type, "create"),)


class ApiKeyViewSet(TenantViewSet):
    tag = "API keys"
    model, lookup_url_kwarg = ApiKey, "id"
    path_choices = TYPES
    actions = {
        "list": any_list,
        "retrieve": on_the_key("read"),
        "create": create_one,
        "update": on_the_key("update"),
        "destroy": on_the_key("delete"),
        "rotate": on_the_key("rotate"),
    }
    reads = {"list": ApiKeyFilter, "create": NewApiKey, "update": ApiKeyChanges, "rotate": Rotation}
    answers = {
        "list": ApiKeySerializer,
        "retrieve": ApiKeySerializer,
        "create": IssuedSerializer,
        "rotate": RotatedSerializer,
    }

    def narrow(self, rows: Any) -> Any:
        return rows.not_revoked().in_open_places(self.tenant.organization).with_places()

    @cached_property
    def key(self) -> ApiKey:
        """The key that the path names."""
        found: ApiKey = self.get_object()
        look_at([found], with_rates=False)
        return found

    def paginate_queryset(self, queryset: Any) -> Any:
        rows = super().paginate_queryset(queryset)
        look_at(rows or (), with_rates=False)
        return rows

    @property
    def wanted_type(self) -> KeyType:
        wanted = f"{self.kwargs['type']}-{self.kwargs['sub_type']}"
        if wanted not in KeyType:
            raise Invalid({"sub-type": "A key of the organisation belongs to no person: its sub-type is service."})
        return KeyType(wanted)

    def list(self, request: Request) -> Response:
        """List the keys the caller may see, without revoked ones.

        An organization's key sees those of all its workspaces too, unless `workspace_id` names one.
        """
        listed = types_listed(self.tenant)
        gate.note(self.tenant.actor, (action_on(key_type, "list") for key_type in listed))
        return self.answer_list(self.get_queryset().of_types(listed))

    def retrieve(self, request: Request, id: str) -> Response:  # noqa: A002 (the wire's word)
        """Get a key, by its mask."""
        return self.answer(self.key)

    def create(self, request: Request, type: str, sub_type: str) -> Response:  # noqa: A002 (the wire's words)
        """Make a key. Its secret is answered this once.

        Scopes beyond the caller's own are refused, except those of the data plane, which may be given freely.
        """
        asked, place = self.asked(), self._place()
        user = self._owner(place, asked.pop("user_id", None))
        made = operations.issue(place, user=user, creation=ApiKey.Creation.API, by=self.tenant.actor, **asked)
        return self.answer(made)

    def update(self, request: Request, id: str) -> Response:  # noqa: A002 (the wire's word)
        """Change a key. What is absent stays, null clears."""
        operations.update(self.key, by=self.tenant.actor, **self.asked())
        return self.done()

    def destroy(self, request: Request, id: str) -> Response:  # noqa: A002 (the wire's word)
        """Revoke a key, for good."""
        operations.revoke(self.key, by=self.tenant.actor)
        return self.done()

    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, id: str) -> Response:  # noqa: A002 (the wire's word)
        """Give a key a new secret, answered this once. The old one works on until the transition ends.

        A key that the calendar has rotated answers the secret that waits to be collected.
        """
        asked = self.asked().get("key_transition_period_ms")
        transition = None if asked is None else transition_of(asked)
        return self.answer(rotation.rotate(self.key, transition=transition, by=self.tenant.actor))

    def _place(self) -> Organization | Workspace:
        """Where the new key will live: the path says which kind of place, the request which one."""
        is_of_workspace = self.wanted_type in _OF_WORKSPACES
        if is_of_workspace and self.tenant.workspace is None:
            raise Invalid({"workspace_id": "workspace_id is required."})
        if not is_of_workspace and self.tenant.workspace is not None:
            raise Invalid({"workspace_id": "A key of the organisation lives in no workspace."})
        return self.tenant.workspace or self.tenant.organization

    def _owner(self, place: Organization | Workspace, user_id: uuid.UUID | None) -> User | None:
        """The person a personal key is for. A stranger and nobody at all are refused alike."""
        is_personal = self.wanted_type is KeyType.USER
        if is_personal is not (user_id is not None):
            raise Invalid({"user_id": "user_id is required." if is_personal else "Only a personal key has a person."})
        if not is_personal:
            return None
        people = self.tenant.organization.memberships.select_related("user")
        membership = people.filter(user=user_id).first()
        if membership is None:
            raise Invalid({"user_id": f"This person does not belong to {place}."})
        owner: User = membership.user
        return owner


class WhoAmIViewSet(TenantViewSet):
    tag = "API keys"
    actions = {"retrieve": nothing, "can": nothing}
    questions = frozenset({"can"})
    reads = {"can": Question}
    answers = {"retrieve": WhoAmISerializer, "can": VerdictSerializer}

    def retrieve(self, request: Request) -> Response:
        """The key that asks: its place, its person, and the scopes that count for it now."""
        look_at([self.tenant.actor])
        return self.answer(self.tenant.actor)

    @action(detail=False, methods=["post"])
    def can(self, request: Request) -> Response:
        """Ask whether this key would be allowed something, and why. Nothing is done, and no refusal is noted."""
        asked: Action = self.asked()["action"]
        return self.answer(reasons.verdict(self.tenant.actor, asked, self.tenant.place(asked.level)))
