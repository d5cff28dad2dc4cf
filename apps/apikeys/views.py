"""The pages that show API keys: the lists, and one key with all that is known of it."""

from typing import Any, Final

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django.views.generic import TemplateView

from apps.access.actions import Action
from apps.access.actors import UserActor
from apps.access.scopes import KeyType, effective
from apps.apikeys import presets, secret, uses, visibility
from apps.apikeys.models import ApiKey
from apps.audit import lines
from apps.core.errors import Missing
from apps.limits.standing import state
from apps.tenancy.context import reaches_every_workspace
from apps.tenancy.views import TenantMixin
from apps.tenancy.wording import in_words

USAGE, SCOPES, ACTIVITY = "usage", "scopes", "activity"
LINES: Final = 50


class KeyMixin(TenantMixin):
    """One key. `verb` is what the page does to it, asked once the key is found: of its own family, where it lives."""

    action = Action.ORGANISATIONS_READ
    model = ApiKey
    verb = "read"

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.with_places().with_people(self.tenant.organization).with_use()

    @cached_property
    def key(self) -> ApiKey:
        found: ApiKey = get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])
        actor = self.tenant.actor
        is_hidden = found.workspace is not None and found.workspace.is_archived and not self._reaches()
        if is_hidden or not visibility.belongs(actor, found):
            raise Missing("API key")
        visibility.require(actor, self.verb, found)
        return found

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        may = {verb: visibility.may(self.tenant.actor, verb, self.key) for verb in ("update", "delete", "rotate")}
        return super().get_context_data(key=self.key, may=may, **more)

    def _reaches(self) -> bool:
        return reaches_every_workspace(self.tenant)


class KeyDetail(KeyMixin, TemplateView):
    template_name = "apikeys/key_detail.html"

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        tells = self.tenant.may(Action.AUDIT_LOGS_LIST)
        offered = {USAGE: self._usage, SCOPES: self._needed, **({ACTIVITY: self._activity} if tells else {})}
        tab = self.request.GET.get("tab", "")
        told = offered.get(tab, self._scopes)()
        shown = {"tells": tells, "tab": tab if tab in offered else "", "standing": state(self.key)}
        shown["fingerprint"] = secret.fingerprint(self.key.digest)
        return super().get_context_data(**shown, **told, **more)

    def _activity(self) -> dict[str, Any]:
        rows = lines.of(self.tenant).filter(target_type="apikeys.apikey", target_id=str(self.key.pk))
        return {"lines": lines.lines(rows[:LINES], self.tenant)}

    def _usage(self) -> dict[str, Any]:
        """Who called with it in the last 30 days, the latest first."""
        found = list(uses.callers(self.key)[: LINES + 1])
        return {"callers": found[:LINES], "are_more": len(found) > LINES, "traffic": uses.traffic(self.key, *found[:1])}

    def _needed(self) -> dict[str, Any]:
        """What was granted, and when each scope was needed last."""
        found = uses.scopes_of(self.key)
        unused = sum(each.at is None for each in found)
        return {"granted": found, "unused": unused, "since": uses.since(self.key)}

    def _scopes(self) -> dict[str, Any]:
        """What was granted, and what of it counts now (P12)."""
        key, kind = self.key, KeyType(self.key.type)
        held = effective(key.scopes, kind)
        offered = held & key.place.permitted
        counts = offered & UserActor(key.user).actions_in(key.place) if key.user_id else offered
        choice = presets.choice_of(key.scopes, kind)
        bounds = presets.Bounds(kind, key.place, counts, frozenset(key.scopes))
        return {
            "table": presets.table(choice, bounds),
            "extras": presets.extras(choice, bounds),
            "idle": sorted({str(in_words(action)) for action in held - counts}),
            "counted": counts,
        }
