"""Every component of the pages in every state, for whoever builds on them. Only a developer's machine shows it."""

from datetime import timedelta
from typing import Any, Final

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.generic import TemplateView

from apps.core.clock import now
from apps.tenancy.forms import PageForm
from apps.tenancy.keyset import Page

_LONG: Final = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft " * 2
NAMES: Final = ("Ines Carvalho", _LONG.strip(), "نورة السيد", "<b>Bold</b> & co", "🦉 Owl")


class Person:
    """Somebody who is not in the database."""

    def __init__(self, name: str, number: int) -> None:
        self.pk, self.name = number, name
        self.email = f"person{number}@example.com"

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        return self.name


class Fields(PageForm):
    """One field of every kind."""

    name = forms.CharField(help_text="What people call it.")
    note = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))
    role = forms.ChoiceField(choices=[("admin", "Admin"), ("member", "Member")])
    kind = forms.ChoiceField(choices=[("one", "One"), ("two", "Two")], widget=forms.RadioSelect, initial="one")
    locked = forms.CharField(disabled=True, initial="Cannot be changed")
    stored = forms.BooleanField(label="I have stored it")


class Styleguide(TemplateView):
    template_name = "styleguide/styleguide.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.DEBUG:
            raise Http404
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        people = [Person(name, number) for number, name in enumerate(NAMES)]
        times = {"earlier": now() - timedelta(hours=3), "later": now() + timedelta(days=6), "never": None}
        shown = {
            "people": people,
            "times": times,
            "fields": Fields(),
            "wrong": Fields({"role": "king"}, prefix="wrong"),
            "undo": {"url": "/styleguide/", "fields": {"role": "member"}},
            "page": Page(people, newer="a", older="b"),
            "sort": "-joined",
        }
        return super().get_context_data(**shown, **more)
