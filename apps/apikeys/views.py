"""The pages that show API keys: the lists, and one key with all that is known of it."""

import uuid
from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView

from apps.access.actions import Action
from apps.access.actors import UserActor
from apps.access.rows import places_granting
from apps.access.scopes import KeyType, effective
from apps.apikeys import presets, secret, visibility
from apps.apikeys.models import ApiKey, action_on
from apps.apikeys.querysets import EXPIRY
from apps.audit import lines
from apps.core import search
from apps.core.errors import Missing
from apps.tenancy import export, keyset
from apps.tenancy.context import reaches_every_workspace
from apps.tenancy.views import ListMixin, TenantMixin, WorkspaceMixin, who_may
from apps.tenancy.wording import in_words
from apps.workspaces.models import Workspace

STATUSES: Final = [
    ("active", _("Active")),
    ("disabled", _("Disabled")),
    ("expired", _("Expired")),
    ("revoked", _("Revoked")),
]
EXPIRIES: Final = [("never", _("Never")), ("soon", _("Within 30 days")), ("over", _("Over"))]
KINDS: Final = KeyType.choices
ACTIVITY: Final = "activity"
LINES: Final = 50


class KeysMixin(TenantMixin):
    """The keys that exist for the reader: everybody has a page of them, if only of their own (P5)."""

    action = Action.ORGANISATIONS_READ
    model = ApiKey

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return visibility.visible(rows, self.tenant.actor, self.tenant.organization)


class KeyList(KeysMixin, ListMixin, TemplateView):
    template_name = "apikeys/key_list.html"
    orders = {"created": keyset.NEWEST_FIRST, "name": keyset.Order("name_key"), "expires": keyset.Order(EXPIRY)}
    searched = True

    @cached_property
    def filters(self) -> dict[str, str]:
        """What the address narrows the list by; a word nobody offered narrows nothing."""
        offered = {"kind": KINDS, "status": STATUSES, "expiry": EXPIRIES}
        given = {name: self.request.GET.get(name, "").replace("\0", "")[:200] for name in (*offered, *_FREE)}
        known = {name: [word for word, _ in words] for name, words in offered.items()}
        return {name: said for name, said in given.items() if name in _FREE or said in known[name]}

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        rows, asked = super().narrow(rows), self.filters
        rows = rows.shown_as(asked["status"]) if asked.get("status") else rows.not_revoked()
        if asked.get("kind"):
            rows = rows.of_types([asked["kind"]])
        if asked["workspace"]:
            rows = rows.filter(workspace__slug=asked["workspace"])
        if asked["owner"].strip():
            rows = rows.filter(user__in=self._owners(asked["owner"].strip()))
        if asked.get("expiry"):
            rows = _ENDING[asked["expiry"]](rows)
        return rows.with_places().with_people(self.tenant.organization)

    def to_count(self) -> dict[str, QuerySet[Any]]:
        kept: Any = super().narrow(self.tenant.own(ApiKey)).not_revoked()
        live = kept.live()
        counted = {"live": live, "soon": live.ending_soon(), "endless": live.without_end(), "kept": kept}
        if not self.may_create():
            # A manager creates keys in their own workspaces, which the organization's page knows nothing of.
            create = action_on(KeyType.WORKSPACE, "create")
            counted["makes"] = places_granting(create, self.tenant.actor.id, Workspace)
        return counted

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.GET.get("format") == "csv":
            rows = self.order.applied(self.get_queryset())
            if self.asked:
                rows = search.matching(rows, self.asked, self.tenant.organization)
            return export.answer("api-keys.csv", _HEADER, (_spelt(key) for key in rows.iterator(chunk_size=500)))
        return super().get(request, *args, **kwargs)

    def get_template_names(self) -> list[str]:
        is_part = self.request.htmx and not self.request.htmx.history_restore_request
        return ["apikeys/_keys.html" if is_part else self.template_name]

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        context = super().get_context_data(filters=self.filters, kinds=KINDS, **more)
        self._look_into(context["page"].rows)
        may_create = self.may_create() or (self.tenant.workspace is None and bool(context["counted"]["makes"]))
        context |= {"statuses": STATUSES, "expiries": EXPIRIES, "may_create": may_create}
        context["is_narrowed"] = bool(self.asked or any(self.filters.values()))
        if not context["page"].rows and not context["is_narrowed"] and not context["may_create"]:
            context["helpers"] = who_may(self.tenant, action_on(KeyType.WORKSPACE, "create"))
        return context

    def may_create(self) -> bool:
        """Whether the place of the page lets the reader create one."""
        kinds = KeyType if self.tenant.workspace is None else (KeyType.WORKSPACE, KeyType.USER)
        return self.tenant.may_any(action_on(kind, "create") for kind in kinds)

    def _look_into(self, keys: list[Any]) -> None:
        """Reads at once what the reader holds in the workspaces of a page, for the buttons of its rows."""
        if not reaches_every_workspace(self.tenant):
            self.tenant.actor.look_at(list({key.workspace_id: key.workspace for key in keys if key.workspace}.values()))

    def _owners(self, asked: str) -> Any:
        """The people meant: one by id, as links have it, or all whose name or address begins so."""
        members = self.tenant.organization.memberships
        try:
            return members.filter(user=uuid.UUID(asked)).values("user")
        except ValueError:
            return search.matching(members.all(), asked, self.tenant.organization).values("user")


class WorkspaceKeyList(WorkspaceMixin, KeyList):
    action = Action.WORKSPACES_READ


class KeyMixin(TenantMixin):
    """One key. `verb` is what the page does to it, asked once the key is found: of its own family, where it lives."""

    action = Action.ORGANISATIONS_READ
    model = ApiKey
    verb = "read"

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.with_places().with_people(self.tenant.organization)

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
        may = {verb: visibility.may(self.tenant.actor, verb, self.key) for verb in ("update", "delete")}
        return super().get_context_data(key=self.key, may=may, **more)

    def _reaches(self) -> bool:
        return reaches_every_workspace(self.tenant)


class KeyDetail(KeyMixin, TemplateView):
    template_name = "apikeys/key_detail.html"

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        tells = self.tenant.may(Action.AUDIT_LOGS_LIST)
        is_activity = tells and self.request.GET.get("tab") == ACTIVITY
        told = self._activity() if is_activity else self._scopes()
        shown = {"tells": tells, "is_activity": is_activity, "fingerprint": secret.fingerprint(self.key.digest)}
        return super().get_context_data(**shown, **told, **more)

    def _activity(self) -> dict[str, Any]:
        rows = lines.of(self.tenant).filter(target_type="apikeys.apikey", target_id=str(self.key.pk))
        return {"lines": lines.lines(rows[:LINES], self.tenant)}

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


_FREE: Final = ("workspace", "owner")
_ENDING: Final = {
    "never": lambda rows: rows.without_end(),
    "soon": lambda rows: rows.ending_soon(),
    "over": lambda rows: rows.ended(),
}
_HEADER: Final = (
    "name", "kind", "key", "workspace", "owner", "scopes", "expires", "status", "created by", "created"
)  # fmt: skip


def _spelt(key: Any) -> list[Any]:
    """A key as a line of the export: by its mask, like everywhere."""
    author = key.author_email or key.author_key or key.created_by_kind
    owner, workspace = key.user.email if key.user else "", key.workspace.name if key.workspace else ""
    ends = key.expires_at.isoformat() if key.expires_at else ""
    scopes, kind = " ".join(key.scopes), KeyType(key.type).value
    made = key.created_at.isoformat()
    return [key.name, kind, key.mask, workspace, owner, scopes, ends, key.shown_status, author, made]
