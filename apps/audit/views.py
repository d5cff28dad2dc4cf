"""The pages of an organization's audit log: found, read line by line, proved, taken away as a file."""

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import TemplateView, View
from django_htmx.http import push_url

from apps.access.actions import Action
from apps.audit import entry, exports, facets, lines, operations, saved, search
from apps.audit.search import Query
from apps.core.errors import Invalid, Missing
from apps.tenancy import export, preferences
from apps.tenancy.context import reachable_workspaces
from apps.tenancy.keyset import Total
from apps.tenancy.views import TenantMixin, finish

PLACES = 100  # workspaces to choose from
FAULTS = 50  # that are named
LARGEST = 2**63 - 1


class AuditMixin(TenantMixin):
    """The log of an organization, for those who may read it."""

    action = Action.AUDIT_LOGS_LIST

    @property
    def home(self) -> str:
        return reverse("audit:list", args=[self.tenant.organization.slug])

    def found(self, query: Query) -> Any:
        """What a search finds here. Raises Invalid."""
        chain = self.tenant.organization.pk
        return search.find(lines.of(self.tenant), query, chain=chain, window=search.WINDOW)


class ActMixin(AuditMixin):
    """Something that is done with the log; there is no page to look at."""

    http_method_names: ClassVar = ["post", "options"]


class AuditList(AuditMixin, TemplateView):
    """The lines that a search finds, newest first."""

    @cached_property
    def is_part(self) -> bool:
        return bool(self.request.htmx) and not self.request.htmx.history_restore_request

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        query, wrong = Query(), ""
        try:
            query = facets.written(request.GET.get("q", ""), request.GET)
            rows = self.found(query)
        except Invalid as refusal:
            rows, wrong = lines.of(self.tenant).none(), str(refusal)
        address = facets.address(self.home, request.GET.get("q", "")[: search.TEXT] if wrong else str(query))
        if facets.is_given(request.GET) and not wrong and not self.is_part:
            return redirect(address)
        context = self.get_context_data(query=query, rows=rows, wrong=wrong)
        answer = self.render_to_response(context, status=400 if wrong else 200)
        is_turned = {"after", "before"} & request.GET.keys()
        return push_url(answer, request.get_full_path() if is_turned else address) if self.is_part else answer

    def get_template_names(self) -> list[str]:
        return ["audit/_list.html" if self.is_part else "audit/log.html"]

    def get_context_data(self, query: Query, rows: Any, wrong: str, **more: Any) -> dict[str, Any]:
        chain, places = self.tenant.organization.pk, self._places()
        page = lines.page(rows, self.request.GET, chain)
        shown, head = lines.lines(page.rows, self.tenant), lines.end_of(chain, rows)
        return super().get_context_data(
            query=query,
            asked=self.request.GET.get("q", "").replace("\0", "")[: search.TEXT] if wrong else str(query),
            wrong=wrong,
            page=page,
            lines=shown,
            head=head,
            total=Total(head.total),
            verified=f"{head.verified_lines:,}".replace(",", "\N{NO-BREAK SPACE}"),
            facets=facets.facets(query, places),
            chips=[self._chip(*chip) for chip in facets.chips(query, {**lines.called(shown), **places})],
            wider=[(said, facets.address(self.home, str(other))) for said, other in facets.wider(query)],
            **self._saved(str(query)),
            **more,
        )

    def _chip(self, said: str, without: str) -> facets.Chip:
        return facets.Chip(said, facets.address(self.home, without))

    def _places(self) -> dict[str, str]:
        named = reachable_workspaces(self.tenant).order_by("name_key", "pk").values_list("slug", "name")
        return dict(named[:PLACES])

    def _saved(self, now: str) -> dict[str, Any]:
        kept = saved.of(preferences.kept(self.request, saved.PREFERENCE), self.tenant.organization.pk)
        links = [(each, facets.address(self.home, each.q), each.q == now) for each in kept]
        return {"saved": links, "saved_most": saved.MOST, "saved_length": saved.NAME_LENGTH}


class AuditEntry(AuditMixin, TemplateView):
    """One line in full, at an address that stays its own."""

    def get_context_data(self, sequence: int, **more: Any) -> dict[str, Any]:
        row = lines.of(self.tenant).filter(sequence=min(sequence, LARGEST)).first()
        if row is None:
            raise Missing
        return super().get_context_data(
            line=lines.lines([row], self.tenant)[0],
            changes=entry.changes(row),
            others=entry.others(row),
            role=entry.role(row),
            leads=list(entry.leads(row, self.tenant)),
            digest=bytes(row.digest).hex(),
            previous=bytes(row.previous).hex(),
            **more,
        )

    def get_template_names(self) -> list[str]:
        is_part = self.request.htmx and not self.request.htmx.history_restore_request
        return ["audit/_entry.html" if is_part else "audit/entry.html"]


class AuditExport(ActMixin, View):
    """The lines that a search finds, as a file; that it was taken is written down before."""

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        kind = request.POST.get("format", "")
        if kind not in exports.FORMATS:
            raise Invalid({"format": _("The log is written as CSV or as JSON Lines.")})
        query = exports.applied(search.parse(request.POST.get("q", "")))
        found = self.found(query)
        rows = exports.rows(found, before=exports.record(self.tenant.organization, query, kind, by=self.tenant.actor))
        if kind == "csv":
            return export.answer("audit-log.csv", exports.HEADER, map(exports.spelt, rows))
        return export.json_lines("audit-log.jsonl", map(exports.named, rows))


class AuditVerify(ActMixin, View):
    """Verifies every line there is, and says what was found."""

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        report = operations.verify(self.tenant.organization, by=self.tenant.actor)
        if report is None:
            said = _(
                "The log is long and is being verified. Look again in a few minutes: what is found stands above it."
            )
            return finish(request, said, self.home)
        context = {"report": report, "faults": report.faults[:FAULTS], "more": max(len(report.faults) - FAULTS, 0)}
        return render(request, "audit/verified.html", context)


class AuditCheckpoint(ActMixin, View):
    """A signed checkpoint, as a file to be kept elsewhere."""

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        taken = operations.take_checkpoint(self.tenant.organization, by=self.tenant.actor)
        answer = JsonResponse(taken, json_dumps_params={"indent": 2})
        return export.attached(f"{self.tenant.organization.slug}-checkpoint.json", answer)


class FilterKeep(ActMixin, View):
    """Keeps a search by a name."""

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        name, q = (request.POST.get(field, "") for field in ("name", "q"))
        here = self.tenant.organization.pk
        preferences.change(request, saved.PREFERENCE, lambda kept: saved.adding(kept, here, name, q))
        return finish(request, _("The search is saved."), facets.address(self.home, str(search.parse(q))))


class FilterDrop(ActMixin, View):
    """Forgets a search that was kept."""

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        here, name = self.tenant.organization.pk, request.POST.get("name", "")
        preferences.change(request, saved.PREFERENCE, lambda kept: saved.dropping(kept, here, name))
        return finish(request, _("The search is no longer saved."), self.home)
