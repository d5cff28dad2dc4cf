"""The pages on which a key gets a new secret, collects the one the calendar made room for, and ends the old one."""

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.generic import FormView

from apps.access.scopes import KeyType
from apps.apikeys import keeping, operations, rotation, schedule, visibility
from apps.apikeys.act_views import KeyAct
from apps.apikeys.models import ApiKey, LastUse
from apps.apikeys.new_views import shown_once
from apps.apikeys.rotation_forms import GRACES, RotateForm, grace_initial
from apps.audit.events import Event
from apps.audit.models import AuditEvent
from apps.core.clock import now
from apps.core.errors import Conflict, Overreach, Stale
from apps.tenancy.consequences import SeenForm, SeenMixin
from apps.tenancy.forms import VersionedForm
from apps.tenancy.wording import in_words

_SHOWN = (Event.API_KEY_ROTATED, Event.API_KEY_COLLECTED)


class KeyRotate(SeenMixin, KeyAct, FormView):
    """A new secret, and for how long the old one works on; or the one that waits since the calendar rotated."""

    verb = "rotate"
    form_class = RotateForm
    template_name = "apikeys/key_rotate.html"

    def get_initial(self) -> dict[str, Any]:
        return {**super().get_initial(), **grace_initial(self.key.rotation_policy)}

    def weigh(self) -> dict[str, Any]:
        """What the answer would change, besides the secret."""
        key = self.key
        return {
            "collects": key.awaits_collection,
            "old": key.previous_mask if key.awaits_collection else key.mask,
            "ends": key.transition_ends_at if key.awaits_collection and key.is_in_transition else None,
            "next": self._next(),
            "status": key.shown_status,
        }

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        at = now()
        lengths = [(value, label, _end_of(value, at)) for value, label in GRACES]
        told = {"lengths": lengths, "hindrance": self._hindrance(), "beyond": self._beyond(), "next": self._next()}
        return super().get_context_data(**told, **self._traffic(), **more)

    def run(self, form: RotateForm) -> HttpResponse:
        given = form.cleaned_data
        length = None if self.consequences["collects"] else form.length
        try:
            made = rotation.rotate(self.key, transition=length, version=given["version"], by=self.tenant.actor)
        except Stale:
            shown = self._shown_before()
            if shown is None:
                raise
            return self._already(shown)
        collected = {"collected": self.consequences["collects"], "old": self.consequences["old"]}
        return shown_once(self.request, "apikeys/key_rotated.html", made, ends=made.transition_ends_at, **collected)

    def form_valid(self, form: RotateForm) -> HttpResponse:
        """A form that was sent twice is told so before it is told that things have changed since: it changed them."""
        is_old = form.cleaned_data["version"] < self.key.version
        shown = self._shown_before() if is_old else None
        return super().form_valid(form) if shown is None else self._already(shown)

    def _already(self, shown: AuditEvent) -> HttpResponse:
        key = self.get_queryset().get(pk=self.key.pk)  # as it is now
        may_rotate = key.is_live and not key.is_in_transition
        context = {"key": key, "shown_at": shown.at, "may_rotate": may_rotate, "is_rotated": True}
        return render(self.request, "apikeys/key_shown_already.html", context, status=409)

    def _shown_before(self) -> AuditEvent | None:
        """The line that says that the reader was the last to touch the key, and was shown a secret of it then."""
        lines = AuditEvent.objects.filter(chain=self.tenant.organization.pk, target_id=str(self.key.pk))
        last = lines.filter(status=AuditEvent.Status.DONE).order_by("-id").first()
        is_mine = last is not None and last.event in _SHOWN and last.actor_id == self.tenant.actor.id
        # What the calendar turns shows nobody anything.
        return last if is_mine else None

    def _next(self) -> datetime | None:
        """When the calendar rotates it next, once it is done."""
        key = self.key
        return key.next_rotation_at if key.awaits_collection else schedule.next_after(key.rotation_policy, now())

    def _hindrance(self) -> str:
        """Why there is nothing to rotate now, before anybody fills anything in."""
        key = self.key
        if key.status == ApiKey.Status.DISABLED:
            return _("The key is disabled. Enable it first, or revoke it.")
        if key.is_expired:
            return _("The key has expired. Give it a later end first, or revoke it.")
        if key.is_in_transition and not key.awaits_collection:
            return _("Two secrets of this key are alive. Wait until the old one has ended, or end it now.")
        return ""

    def _beyond(self) -> list[str]:
        """What the key may do and the reader may not: they could not issue it, so they are not shown its secret."""
        key = self.key
        if visibility.is_own(key, self.tenant.actor):
            return []
        try:
            keeping.refuse_overreach(key.scopes, KeyType(key.type), key.place, self.tenant.actor)
        except Overreach as refusal:
            return sorted({str(in_words(action)) for action in refusal.beyond})
        return []

    def _traffic(self) -> dict[str, Any]:
        """Who would notice: the last call, and how many programs called within a day."""
        lately = self.key.callers.filter(at__gte=now() - timedelta(days=1)).count()
        return {"last_use": LastUse.objects.filter(key=self.key).first(), "lately": lately}


class KeyEndOld(SeenMixin, KeyAct, FormView):
    """The end of the old secret before its time."""

    verb = "rotate"
    form_class = SeenForm
    template_name = "apikeys/key_end_old.html"

    def weigh(self) -> dict[str, Any]:
        key = self.key
        if not key.is_in_transition:
            raise Conflict(_("The old secret of %(key)s has ended already.") % {"key": key})
        return {"old": key.previous_mask, "ends": key.transition_ends_at, "waits": key.awaits_collection}

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(last_use=LastUse.objects.filter(key=self.key).first(), **more)

    def run(self, form: SeenForm) -> HttpResponse:
        key = rotation.end_transition(self.key, version=form.cleaned_data["version"], by=self.tenant.actor)
        return self.done(_("The old secret of %(key)s has ended.") % {"key": key})


class KeyResetUsage(KeyAct, FormView):
    """What the key has used of its budget, set back to nothing."""

    form_class = VersionedForm
    template_name = "apikeys/key_reset.html"

    def run(self, form: VersionedForm) -> HttpResponse:
        key = operations.update(self.key, version=form.cleaned_data["version"], reset_usage=True, by=self.tenant.actor)
        return self.done(_("%(key)s starts again: nothing of its budget is used.") % {"key": key})


def _end_of(grace: str, at: datetime) -> datetime | None:
    return at + timedelta(minutes=int(grace)) if grace.isdigit() else None
