"""Verbs: what can be done to a row besides changing its fields. A page that says what will happen, and a POST."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final, NoReturn

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.enums import ActionVariant

from apps.access.actions import Action
from apps.audit import refusals
from apps.core.errors import DomainError, Forbidden, Missing
from apps.tenancy.console.forms import VerbForm, explain

Asked = Action | Callable[[Any], Action] | None
# What the gate calls the acts that no role holds.
OPERATE: Final = "installation.operate"


@dataclass(frozen=True, kw_only=True)
class Verb:
    """One act on one row: what it is called, what it takes, when it is offered, and what it will do."""

    title: str
    done: str
    says: Callable[[Any], str]
    # The action it takes, or how the row names it; with none, no role holds it and operators alone do this.
    asks: Asked = None
    when: Callable[[Any], bool] = lambda row: True  # noqa: ARG005
    form: type[VerbForm] = VerbForm
    icon: str = ""
    is_grave: bool = False

    def action_for(self, row: Any) -> Action | None:
        return self.asks if isinstance(self.asks, Action | None) else self.asks(row)


def verb(title: str, **particulars: Any) -> Callable[[Callable[..., str | None]], Callable[..., HttpResponse]]:
    """Makes a method `(self, row, by, **given)` of a page into one of its buttons; see Verb for the particulars.

    The method calls one operation. What it returns, if anything, is a secret that is shown once.
    """
    spoken = Verb(title=title, **particulars)

    def made(act: Callable[..., str | None]) -> Callable[..., HttpResponse]:
        @wraps(act)
        def page(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
            return _answer(self, request, object_id, spoken, act)

        button: Any = page
        button.verb = spoken
        # What the theme reads off a button.
        button.short_description, button.icon, button.attrs = spoken.title, spoken.icon, {}
        button.variant = ActionVariant.DANGER if spoken.is_grave else ActionVariant.DEFAULT
        return page

    return made


def refuse(request: HttpRequest, refusal: Forbidden | Missing, actor: Any) -> NoReturn:
    """What is not said on a form: 404, or 403 with a line in the log. Called when the operation has rolled back."""
    if isinstance(refusal, Missing):
        raise Http404 from refusal
    refusals.refused(refusal.action, actor=actor, place=refusal.place)
    request.is_refusal_noted = True  # type: ignore[attr-defined]
    raise PermissionDenied(str(refusal)) from refusal


def require(admin: Any, request: HttpRequest, action: Action | None, row: Any) -> None:
    """Goes on where this may be done to the row. Whoever may not even see the row is told that there is none."""
    if admin.may_act(request, action, row):
        return
    if not admin.has_view_permission(request, row):
        raise Http404
    refuse(request, Forbidden(action or OPERATE, admin.place_of(row, action)), admin.actor(request))


def show_once(admin: Any, request: HttpRequest, row: Any, secret: str) -> HttpResponse:
    """The one page that ever shows this secret: the answer to the POST that made it. No page of an admin is cached."""
    context = {**_frame(admin, request, row), "title": f"{row}: copy it now", "secret": secret}
    return TemplateResponse(request, "admin/shown_once.html", context)


def _answer(admin: Any, request: HttpRequest, object_id: str, verb: Verb, act: Callable[..., Any]) -> HttpResponse:
    row = admin.get_object(request, unquote(object_id))
    if row is None:
        raise Http404
    require(admin, request, verb.action_for(row), row)
    if request.method not in {"GET", "HEAD", "POST"}:
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    form = verb.form(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        secret = _perform(admin, request, row, form, act)
        if form.is_valid():
            return show_once(admin, request, row, secret) if secret else _done(admin, request, row, verb)
    context = {**_frame(admin, request, row), "title": f"{verb.title}: {row}", "verb": verb, "form": form}
    return TemplateResponse(request, "admin/verb.html", {**context, "says": verb.says(row)})


def _perform(admin: Any, request: HttpRequest, row: Any, form: VerbForm, act: Callable[..., Any]) -> str | None:
    by = admin.actor(request)
    try:
        secret: str | None = act(admin, row, by, **form.cleaned_data)
    except (Forbidden, Missing) as refusal:
        refuse(request, refusal, by)
    except DomainError as refusal:
        explain(form, refusal)
        return None
    return secret


def _done(admin: Any, request: HttpRequest, row: Any, verb: Verb) -> HttpResponse:
    messages.success(request, f"{verb.done}: {row}.")
    is_there = admin.get_object(request, str(row.pk)) is not None
    return redirect(admin.page_of(row) if is_there else reverse(admin.url_name("changelist")))


def _frame(admin: Any, request: HttpRequest, row: Any) -> dict[str, Any]:
    request.current_app = admin.admin_site.name  # type: ignore[attr-defined]
    context = {"opts": admin.opts, "original": row, "back": admin.page_of(row)}
    return {**admin.admin_site.each_context(request), **context}
