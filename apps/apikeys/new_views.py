"""The pages on which a key is created, and the one answer that shows its secret."""

from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import FormView

from apps.access import gate
from apps.access.actions import Action
from apps.access.actors import UserActor
from apps.access.scopes import KeyType, effective
from apps.accounts.models import User
from apps.apikeys import operations, policy, presets, sayings, schedule, secret, visibility
from apps.apikeys.forms import KeyForm, NewKeyForm
from apps.apikeys.models import ApiKey, action_on
from apps.core.errors import Invalid
from apps.core.search import folded
from apps.tenancy.context import reachable_workspaces
from apps.tenancy.middleware import address_of
from apps.tenancy.views import OperationMixin, TenantMixin, WorkspaceMixin
from apps.tenancy.visits import VisitMixin
from apps.tenancy.wording import in_words
from apps.workspaces.models import Workspace

OFFERED: Final = 200  # workspaces and people to choose from; the rest is typed, or reached from its own page
_OF_WORKSPACES: Final = (KeyType.WORKSPACE, KeyType.USER)


class KeyCreate(TenantMixin, VisitMixin, OperationMixin, FormView):
    """A key of the organization, or of a workspace in which the person may create one."""

    visit_salt = "apikeys.visit"
    action = Action.ORGANISATIONS_READ
    form_class = NewKeyForm
    template_name = "apikeys/key_new.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.refuse_who_may_not()
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.refuse_who_may_not()
        if request.POST.get("check"):
            return self.render_to_response(self.get_context_data())
        return super().post(request, *args, **kwargs)

    def refuse_who_may_not(self) -> None:
        if not self.kinds:
            here: Any = self.tenant.workspace or self.tenant.organization
            kind = KeyType.WORKSPACE if self.tenant.workspace else KeyType.ORGANIZATION
            gate.require(self.tenant.actor, action_on(kind, "create"), here)

    @cached_property
    def places(self) -> dict[str, Workspace]:
        """The workspaces in which the person may create keys, by slug."""
        if self.tenant.workspace is not None:
            found = [self.tenant.workspace]
        else:
            found = list(reachable_workspaces(self.tenant).order_by("name_key", "id")[:OFFERED])
            for workspace in found:
                workspace.organization = self.tenant.organization
            self._look_at(found)
        return {place.slug: place for place in found if any(self._creates(kind, place) for kind in _OF_WORKSPACES)}

    @cached_property
    def kinds(self) -> list[KeyType]:
        organization, places = self.tenant.organization, self.places.values()
        of_workspaces = [kind for kind in _OF_WORKSPACES if any(self._creates(kind, place) for place in places)]
        is_above = self.tenant.workspace is None and self._creates(KeyType.ORGANIZATION, organization)
        return [*of_workspaces, *([KeyType.ORGANIZATION] if is_above else [])]

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "kinds": self.kinds, "places": self.places}

    def get_initial(self) -> dict[str, Any]:
        asked = self.request.GET
        wanted, there = asked.get("kind", ""), asked.get("workspace", "")
        return {
            "visit": self.new_visit(),
            "kind": wanted if wanted in self.kinds else self.kinds[0],
            "workspace": there if there in self.places else next(iter(self.places), ""),
            "person": self.request.user.email,
        }

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        context = super().get_context_data(**more)
        form = context["form"]
        more = {"places": self.places, "people": self._people(form), "my_address": address_of(self.request)}
        return {**context, **self.draft(form), **more}

    def draft(self, form: NewKeyForm) -> dict[str, Any]:
        """The table as it can be filled in for what is chosen so far, and what the key would be able to do."""
        kind = self._kind(form)
        place: Any = self.tenant.organization if kind is KeyType.ORGANIZATION else self._workspace(form)
        if place is None:
            return {"kind": kind}
        there = self._workspace(form)
        is_closed = there is not None and policy.binding(there).service_only
        board, asked = form.board(presets.Bounds.of(kind, place, self.tenant.actor)), policy.binding(place)
        until = form.ends(form.expiry_under(asked))
        return {
            "kind": kind,
            "shut_kinds": {KeyType.USER} if is_closed else set(),
            "place": place,
            "drawn": drawn_for(kind, place),
            **board,
            "sentence": sayings.sentence(board["scopes"], kind, place, until),
            "idle": self._idle(form, kind, place, board["scopes"]),
            **asked_of(form, asked, kind),
        }

    def run(self, form: NewKeyForm) -> HttpResponse:
        given, kind = form.cleaned_data, KeyType(form.cleaned_data["kind"])
        place: Any = self.tenant.organization if kind is KeyType.ORGANIZATION else self.places[given["workspace"]]
        bounds = presets.Bounds.of(kind, place, self.tenant.actor)
        owner = self._person(given["person"]) if kind is KeyType.USER else None
        try:
            issued = operations.issue(
                place,
                name=given["name"],
                description=given["description"],
                scopes=form.granted(bounds),
                user=owner,
                expires_at=form.ends_at,
                allowed_addresses=given["addresses"],
                rotation_policy=None if cadence(policy.binding(place), kind) else form.rotation,
                once=self.visit(given["visit"]),
                by=self.tenant.actor,
                **form.limits(),
            )
        except operations.AlreadyShown as shown:
            return render(self.request, "apikeys/key_shown_already.html", self._said_already(shown.key), status=409)
        key = issued.key
        said = sayings.sentence(key.scopes, KeyType(key.type), key.place, key.expires_at)
        return shown_once(self.request, "apikeys/key_shown.html", issued, sentence=said)

    def _said_already(self, key: ApiKey) -> dict[str, Any]:
        rotates = visibility.may(self.tenant.actor, "rotate", key) and key.is_live and not key.is_in_transition
        return {"key": key, "shown_at": key.created_at, "may_rotate": rotates}

    def _creates(self, kind: KeyType, place: Any) -> bool:
        return gate.may(self.tenant.actor, action_on(kind, "create"), place)

    def _look_at(self, workspaces: list[Workspace]) -> None:
        """Reads what the person holds in all of them at once, unless their organization role says it for all."""
        self.tenant.actor.look_at(workspaces)

    def _kind(self, form: NewKeyForm) -> KeyType:
        chosen = str(form["kind"].value())
        return KeyType(chosen) if chosen in self.kinds else self.kinds[0]

    def _workspace(self, form: NewKeyForm) -> Workspace | None:
        return self.places.get(str(form["workspace"].value())) or next(iter(self.places.values()), None)

    def _member(self, address: str) -> Any:
        people = self.tenant.organization.memberships.select_related("user")
        return people.filter(user__email=folded(address).strip()[:255]).first()

    def _person(self, address: str) -> User:
        """A stranger and nobody at all are refused alike."""
        member = self._member(address)
        if member is None:
            raise Invalid({"person": _("Nobody with this address is in this organization.")})
        return member.user

    def _people(self, form: NewKeyForm) -> list[Any]:
        """Some people to choose from: the team of the workspace that is chosen."""
        place = self._workspace(form)
        if place is None or KeyType.USER not in self.kinds:
            return []
        team = place.memberships.select_related("membership__user").order_by("-created_at", "-id")
        return [placed.membership.user for placed in team[:OFFERED]]

    def _idle(self, form: NewKeyForm, kind: KeyType, place: Any, scopes: list[str]) -> dict[str, Any] | None:
        """What a personal key would carry that its person may not do now (P12)."""
        address = str(form["person"].value() or "")
        if kind is not KeyType.USER or not address:
            return None
        member = self.request.membership if address == self.request.user.email else self._member(address)
        if member is None:
            return None
        is_me = member.user_id == self.request.user.pk
        actor = self.tenant.actor if is_me else UserActor(member.user)
        acts = {str(in_words(action)) for action in effective(scopes, kind) - actor.actions_in(place)}
        return {"person": member.user, "acts": sorted(acts)} if acts else None


def shown_once(request: HttpRequest, template: str, made: Any, **more: Any) -> HttpResponse:
    """The one answer with a secret in it: kept by nobody, so that neither reload nor Back brings it again."""
    shown = {"key": made.key, "secret": made.secret, "fingerprint": secret.fingerprint(made.key.digest)}
    answer = render(request, template, {**shown, "base_url": settings.BASE_URL.rstrip("/"), **more})
    answer["Cache-Control"] = "no-store"
    return answer


def asked_of(form: KeyForm, asked: policy.KeyPolicy, kind: KeyType) -> dict[str, Any]:
    """What the place asks of a key of this kind, and what of the form that leaves to be chosen."""
    days = cadence(asked, kind)
    first = schedule.first(policy.cadence(days)) if days else form.first_rotation
    return {"asked": asked, "expiries": form.expiries(asked), "cadence": days, "first_rotation": first}


def cadence(asked: policy.KeyPolicy, kind: str) -> int | None:
    """After how many days a key of this kind rotates because the organization says so."""
    return asked.rotation_days if kind == KeyType.USER else None


def drawn_for(kind: KeyType, place: Any) -> str:
    """What the table depends on: drawn for another kind or place it would offer something else."""
    return f"{kind} {place.slug}"


class KeyDraft(KeyCreate):
    """What the form would make, without making it: the sentence beside it while it is being filled in."""

    template_name = "apikeys/_draft.html"
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.refuse_who_may_not()
        context = self.get_context_data()
        context["redraw"] = request.POST.get("drawn") != context.get("drawn")
        return self.render_to_response(context)


class WorkspaceKeyCreate(WorkspaceMixin, KeyCreate):
    action = Action.WORKSPACES_READ


class WorkspaceKeyDraft(WorkspaceMixin, KeyDraft):
    action = Action.WORKSPACES_READ
