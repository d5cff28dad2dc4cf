"""Somebody at the console, and what a test may ask about what they did."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.audit.models import AuditEvent

# What a look may touch: where somebody is signed in, and nothing else.
OF_THE_VISIT = {"sessions.session", "usersessions.usersession"}


class Desk:
    """A browser on the console in which a person is signed in."""

    def __init__(self, person: User | None) -> None:
        self.person, self.browser = person, Client()
        if person is not None:
            self.browser.force_login(person)

    def get(self, page: str, row: Any, **query: Any) -> Any:
        return self.browser.get(address(page, row), query)

    def add(self, model: type[Model], **given: Any) -> Any:
        return self.browser.post(address("add", model), given)

    def change(self, row: Model, **given: Any) -> Any:
        """Sends the change form as the page has it, with some fields filled in otherwise."""
        page = self.get("change", row)
        if page.status_code != 200:
            return page
        return self.browser.post(address("change", row), {**as_shown(page), **given})

    def act(self, verb: str, row: Model, **given: Any) -> Any:
        return self.browser.post(address(verb, row), given)


def address(page: str, row: Any) -> str:
    """`address("change", key)` is that key's page; `address("changelist", ApiKey)` is the list of them."""
    meta = row._meta
    name = f"admin:{meta.app_label}_{meta.model_name}_{page}"
    return reverse(name, args=[row.pk]) if isinstance(row, Model) else reverse(name)


def as_shown(page: Any) -> dict[str, Any]:
    form = page.context["adminform"].form
    shown = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in shown.items() if value not in (None, False)}


def errors_on(page: Any) -> str:
    """Everything that the form on this page has to say against what was sent."""
    context = page.context
    form = context["adminform"].form if "adminform" in context else context["form"]
    return " ".join(str(error) for errors in form.errors.values() for error in errors)


def lines(since: int = 0) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(pk__gt=since).order_by("pk"))


def latest() -> int:
    line = AuditEvent.objects.order_by("-pk").first()
    return line.pk if line else 0


def pages() -> list[Any]:
    """Every page of the console, as [(model, its admin)]."""
    return list(admin.site._registry.items())


def verbs(page: Any) -> list[str]:
    return [button.path for button in page._get_base_actions_detail()]


def state(*, without: str = "") -> dict[str, str]:
    """A fingerprint of every table, so that a look can be shown to have changed nothing; `without` one app's."""
    models = [model for model in apps.get_models() if _counts(model) and model._meta.app_label != without]
    return {model._meta.label_lower: _fingerprint(model) for model in models}


def _counts(model: type[Model]) -> bool:
    return model._meta.managed and model._meta.label_lower not in OF_THE_VISIT


def _fingerprint(model: type[Model]) -> str:
    rows = model._base_manager.order_by("pk").values_list()
    return hashlib.sha256("".join(_plain(rows.iterator())).encode()).hexdigest()


def _plain(rows: Iterator[Any]) -> list[str]:
    return [
        json.dumps(row, default=lambda value: bytes(value).hex() if _is_bytes(value) else str(value)) for row in rows
    ]


def _is_bytes(value: Any) -> bool:
    return isinstance(value, (bytes, memoryview))
