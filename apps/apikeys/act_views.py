"""The pages that change one API key: its settings, a pause, the end."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import FormView

from apps.access.actors import UserActor
from apps.access.scopes import KeyType, effective
from apps.apikeys import operations, policy, presets, rotation_forms, sayings, uses
from apps.apikeys.forms import AS_IT_IS, EditKeyForm, RevokeForm, levels_initial
from apps.apikeys.limit_fields import initial
from apps.apikeys.models import ApiKey
from apps.apikeys.new_views import asked_of, cadence
from apps.apikeys.views import KeyMixin
from apps.core.errors import Missing
from apps.tenancy.consequences import SeenMixin
from apps.tenancy.forms import VersionedForm
from apps.tenancy.middleware import address_of
from apps.tenancy.undo import Undo
from apps.tenancy.views import OperationMixin, finish


class KeyAct(KeyMixin, OperationMixin):
    """Something done to a key that is still there."""

    verb = "update"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.refuse_the_revoked()
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.refuse_the_revoked()
        return super().post(request, *args, **kwargs)

    def refuse_the_revoked(self) -> None:
        if self.key.is_revoked:
            raise Missing("API key")

    def get_initial(self) -> dict[str, Any]:
        return {"version": self.key.version}

    def done(self, message: str, **more: Any) -> HttpResponse:
        return finish(self.request, message, "apikeys:key", self.tenant.organization.slug, self.key.pk, **more)

    def turned(self, key: ApiKey, back: str) -> Undo:
        """The way back from a pause, or into it again."""
        return Undo(back, (self.tenant.organization.slug, key.pk), {"version": key.version})


class KeyEdit(KeyAct, FormView):
    form_class = EditKeyForm
    template_name = "apikeys/key_edit.html"

    def get_initial(self) -> dict[str, Any]:
        key, kind = self.key, KeyType(self.key.type)
        known = {"name": key.name, "description": key.description, "addresses": "\n".join(key.allowed_addresses or [])}
        levels = levels_initial(presets.choice_of(key.scopes, kind))
        calendar = rotation_forms.initial(key.rotation_policy)
        return {**super().get_initial(), **known, **levels, **calendar, **initial(key)}

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        context, key = super().get_context_data(**more), self.key
        return {**context, **self.draft(context["form"]), "my_address": address_of(self.request), "place": key.place}

    def draft(self, form: EditKeyForm) -> dict[str, Any]:
        """The table as it can be filled in, and what the key would be able to do."""
        bounds, asked = self._bounds(), policy.binding(self.key.place)
        board, until = form.board(bounds), form.until(self.key.expires_at)
        told = asked_of(form, asked, bounds.key_type)
        if not form.is_rotation_changed or told["cadence"]:
            told |= {"first_rotation": self.key.next_rotation_at, "is_rotating": True}
        said = sayings.sentence(board["scopes"], bounds.key_type, self.key.place, until)
        return {**board, **told, "sentence": said}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.POST.get("check"):
            return self.render_to_response(self.get_context_data())
        return super().post(request, *args, **kwargs)

    def run(self, form: EditKeyForm) -> HttpResponse:
        given = form.cleaned_data
        changes: dict[str, Any] = {"name": given["name"], "description": given["description"]}
        if given["expires"] != AS_IT_IS:
            changes["expires_at"] = form.ends_at
        changes["scopes"] = form.granted(self._bounds())
        changes |= form.limits(self.key)
        # What a policy speaks of is only sent where it was changed: a key of before may stay as it is.
        if given["addresses"] != (self.key.allowed_addresses or []):
            changes["allowed_addresses"] = given["addresses"]
        if form.is_rotation_changed and not cadence(policy.binding(self.key.place), self.key.type):
            changes["rotation_policy"] = form.rotation
        operations.update(self.key, version=given["version"], by=self.tenant.actor, **changes)
        return self.done(_("The key is saved."))

    def _bounds(self) -> presets.Bounds:
        return presets.Bounds.of(KeyType(self.key.type), self.key.place, self.tenant.actor, self.key.scopes)


class KeyEditDraft(KeyEdit):
    """What the changes would make of the key, without making them: the sentence beside the form."""

    template_name = "apikeys/_draft.html"
    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.refuse_the_revoked()
        return self.render_to_response(self.get_context_data(redraw=False))


class KeyDisable(KeyAct, FormView):
    form_class = VersionedForm
    template_name = "apikeys/key_disable.html"

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(traffic=uses.traffic(self.key), **more)

    def run(self, form: VersionedForm) -> HttpResponse:
        key = operations.disable(self.key, version=form.cleaned_data["version"], by=self.tenant.actor)
        said = _("%(key)s is disabled: calls with it are turned away.") % {"key": key}
        return self.done(said, undo=self.turned(key, "apikeys:enable"))


class KeyEnable(KeyAct, FormView):
    """Without a page of its own: what it brings back was there before."""

    form_class = VersionedForm
    http_method_names = ["post", "options"]

    def run(self, form: VersionedForm) -> HttpResponse:
        key = operations.enable(self.key, version=form.cleaned_data["version"], by=self.tenant.actor)
        return self.done(_("%(key)s works again.") % {"key": key}, undo=self.turned(key, "apikeys:disable"))

    def form_invalid(self, form: VersionedForm, status: int = 400) -> HttpResponse:
        raise form.refusal


class KeyRevoke(SeenMixin, KeyAct, FormView):
    verb = "delete"
    form_class = RevokeForm
    template_name = "apikeys/key_revoke.html"

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "expected": self.key.name}

    def weigh(self) -> dict[str, Any]:
        """What stops with the key."""
        key = self.key
        held = effective(key.scopes, KeyType(key.type)) & key.place.permitted
        if key.user_id:
            held &= UserActor(key.user).actions_in(key.place)
        used = self.traffic.seen
        return {"scopes": sorted(held), "status": key.shown_status, "expires": key.expires_at, "used": used}

    @cached_property
    def traffic(self) -> uses.Traffic:
        """Who calls with it, and would notice."""
        return uses.traffic(self.key)

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        key = self.key
        said = sayings.sentence(self.consequences["scopes"], KeyType(key.type), key.place, key.expires_at)
        return super().get_context_data(sentence=said, traffic=self.traffic, **more)

    def run(self, form: RevokeForm) -> HttpResponse:
        operations.revoke(self.key, version=form.cleaned_data["version"], by=self.tenant.actor)
        return self.done(_("%(key)s is revoked, for good.") % {"key": self.key})
