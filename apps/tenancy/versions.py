"""Two versions of one thing side by side: what somebody typed, and what somebody else has saved meanwhile."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from django.forms import BoundField, Form
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

# Who wrote, where it is nobody whose name could be said.
AUTHORS: Final = {
    "key": gettext_lazy("An API key"),
    "operator": gettext_lazy("The people who run this installation"),
    "system": gettext_lazy("Gatehouse"),
    "self": gettext_lazy("You, in another window,"),
    "": gettext_lazy("Somebody"),
}


class Version(NamedTuple):
    """One field in both versions."""

    label: str
    typed: str
    kept: str

    @property
    def differs(self) -> bool:
        return self.typed != self.kept


def versions(form: Form, kept: Mapping[str, Any]) -> list[Version]:
    """The fields of a form that was filled in, each beside what is kept now."""
    return list(_versions(form, kept))


def _versions(form: Form, kept: Mapping[str, Any]) -> Iterator[Version]:
    for field in form.visible_fields():
        if field.name in kept:
            typed = form.cleaned_data.get(field.name)
            yield Version(str(field.label), _said(field, typed), _said(field, kept[field.name]))


def _said(field: BoundField, value: Any) -> str:
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, list | tuple | set):
        return ", ".join(_said(field, each) for each in value)
    labels = {str(key): str(label) for key, label in getattr(field.field, "choices", ())}
    return labels.get(str(value), "" if value is None else str(value))
