"""The pages that show streams: the list, one with all that is known of it, and the one on which it is made."""

from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import FormView, TemplateView

from apps.access.actions import Action
from apps.streams import operations, reasons
from apps.streams.forms import NOW, START, NewStreamForm
from apps.streams.models import Stream
from apps.tenancy.views import OperationMixin, TenantMixin, finish
from apps.tenancy.visits import VisitMixin

SHOWN: Final = 50


class StreamsMixin(TenantMixin):
    """The streams of an organization, each with how it stands."""

    action = Action.ORGANISATIONS_UPDATE
    model = Stream

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.with_standing().select_related("organization")


class StreamMixin(StreamsMixin):
    """One of them."""

    @cached_property
    def stream(self) -> Stream:
        found: Stream = get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])
        return found

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        why = reasons.said(self.stream.last_error) if self.stream.last_error else ""
        return super().get_context_data(stream=self.stream, why=why, **more)


class StreamList(StreamsMixin, TemplateView):
    template_name = "streams/stream_list.html"

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        rows = list(self.get_queryset().order_by("created_at", "id"))
        streams = [(row, reasons.said(row.last_error) if row.last_error else "") for row in rows]
        is_full = len(rows) >= operations.MOST
        return super().get_context_data(streams=streams, most=operations.MOST, is_full=is_full, **more)


class StreamDetail(StreamMixin, TemplateView):
    template_name = "streams/stream_detail.html"

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        rows = self.stream.undelivered.order_by("sequence")[:SHOWN]
        undelivered = [(row, reasons.said(row.error)) for row in rows]
        return super().get_context_data(undelivered=undelivered, shown=SHOWN, **more)


class StreamCreate(StreamsMixin, VisitMixin, OperationMixin, FormView):
    """The form carries the id of the stream it makes: sent twice, it makes one."""

    visit_salt = "streams.visit"
    form_class = NewStreamForm
    template_name = "streams/stream_new.html"

    def get_initial(self) -> dict[str, Any]:
        return {"visit": self.new_visit(), "begin": NOW}

    def run(self, form: NewStreamForm) -> HttpResponse:
        given, organization = form.cleaned_data, self.tenant.organization
        try:
            made = operations.create(
                organization,
                name=given["name"],
                url=given["url"],
                from_start=given["begin"] == START,
                once=self.visit(given["visit"]),
                by=self.tenant.actor,
            )
        except operations.AlreadyMade as twin:
            said = _("The stream was created already. If you have not stored its secret, rotate it.")
            return finish(self.request, said, "streams:stream", organization.slug, twin.stream.pk)
        return answer_of(self.request, made, _("The stream is created."))


def answer_of(request: HttpRequest, made: operations.Made, message: str) -> HttpResponse:
    """Back to the stream; or, where it has a new secret, the one answer that shows it and that nobody keeps."""
    stream = made.stream
    if made.secret is None:
        return finish(request, message, "streams:stream", stream.organization.slug, stream.pk)
    answer = render(request, "streams/stream_secret.html", {"stream": stream, "clear": made.secret.clear})
    answer["Cache-Control"] = "no-store"
    return answer
