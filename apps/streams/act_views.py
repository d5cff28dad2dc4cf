"""The pages that change one stream: where it goes, a pause, a test, another secret, the end."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.generic import FormView

from apps.core.errors import Missing
from apps.streams import operations, reasons
from apps.streams.forms import AgainForm, EditStreamForm
from apps.streams.models import Stream
from apps.streams.views import StreamMixin, answer_of
from apps.tenancy.forms import PageForm, VersionedForm
from apps.tenancy.undo import Undo
from apps.tenancy.views import OperationMixin, finish


class StreamAct(StreamMixin, OperationMixin):
    """Something done to a stream that is there."""

    form_class: type[PageForm] = VersionedForm

    def get_initial(self) -> dict[str, Any]:
        return {"version": self.stream.version}

    def done(self, message: str, **more: Any) -> HttpResponse:
        return finish(self.request, message, "streams:stream", *self.address, **more)

    @property
    def address(self) -> tuple[Any, ...]:
        return self.tenant.organization.slug, self.stream.pk


class StreamButton(StreamAct):
    """One without a page of its own: a button on the page of the stream."""

    http_method_names = ["post", "options"]

    def form_invalid(self, form: PageForm, status: int = 400) -> HttpResponse:
        raise form.refusal


class StreamEdit(StreamAct, FormView):
    form_class = EditStreamForm
    template_name = "streams/stream_edit.html"

    def get_initial(self) -> dict[str, Any]:
        return {**super().get_initial(), "name": self.stream.name, "url": self.stream.url}

    def current(self) -> Stream:
        found: Stream | None = self.get_queryset().filter(pk=self.stream.pk).first()
        if found is None:
            raise Missing("stream")
        return found

    def run(self, form: EditStreamForm) -> HttpResponse:
        made = operations.update(self.stream, **form.cleaned_data, by=self.tenant.actor)
        return answer_of(self.request, made, _("The stream is saved."))


class StreamPause(StreamButton, FormView):
    def run(self, form: VersionedForm) -> HttpResponse:
        stream = operations.pause(self.stream, version=form.cleaned_data["version"], by=self.tenant.actor)
        undo = Undo("streams:resume", self.address, {"version": stream.version})
        return self.done(_("%(stream)s is paused. What happens meanwhile waits.") % {"stream": stream}, undo=undo)


class StreamResume(StreamButton, FormView):
    def run(self, form: VersionedForm) -> HttpResponse:
        stream = operations.resume(self.stream, version=form.cleaned_data["version"], by=self.tenant.actor)
        undo = Undo("streams:pause", self.address, {"version": stream.version})
        return self.done(_("%(stream)s goes on where it was.") % {"stream": stream}, undo=undo)


class StreamTest(StreamButton, FormView):
    form_class = PageForm

    def run(self, form: PageForm) -> HttpResponse:
        outcome = operations.test(self.stream, by=self.tenant.actor)
        if not outcome.is_delivered:
            why = reasons.said(outcome.error)
            messages.error(self.request, _("The test did not arrive: %(why)s.") % {"why": why})
            return redirect("streams:stream", *self.address)
        if outcome.status is None:
            return self.done(_("The test is sent. Syslog does not answer, so look for it at the receiver."))
        return self.done(_("The test arrived: the receiver answered %(status)d.") % {"status": outcome.status})


class StreamSendAgain(StreamButton, FormView):
    form_class = AgainForm

    def run(self, form: AgainForm) -> HttpResponse:
        wanted = operations.send_again(self.stream, sequence=form.cleaned_data["sequence"], by=self.tenant.actor)
        said = ngettext("%(count)d line is sent again.", "%(count)d lines are sent again.", wanted)
        return self.done(said % {"count": wanted})


class StreamRotate(StreamAct, FormView):
    """Another secret, shown once."""

    template_name = "streams/stream_rotate.html"

    def run(self, form: VersionedForm) -> HttpResponse:
        made = operations.rotate_secret(self.stream, version=form.cleaned_data["version"], by=self.tenant.actor)
        return answer_of(self.request, made, "")


class StreamDelete(StreamAct, FormView):
    template_name = "streams/stream_delete.html"

    def run(self, form: VersionedForm) -> HttpResponse:
        operations.delete(self.stream, version=form.cleaned_data["version"], by=self.tenant.actor)
        said = _("%(stream)s is deleted.") % {"stream": self.stream}
        return finish(self.request, said, "streams:list", self.tenant.organization.slug)
