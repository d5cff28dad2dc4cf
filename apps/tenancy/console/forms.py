"""The console's forms: the theme's look, the version that was read, and what an operation refused."""

import uuid
from typing import Any, ClassVar, Final

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from unfold import widgets

from apps.accounts.addresses import normalized
from apps.accounts.models import User
from apps.core.errors import DomainError, Invalid

UNKNOWN: Final = "Nobody here has this address."
# The theme's look of each kind of input, most particular first; kinds that bring their own are not named.
_LOOKS: list[tuple[type[forms.Widget], list[str]]] = [
    (forms.CheckboxInput, widgets.CHECKBOX_CLASSES),
    (forms.Textarea, widgets.TEXTAREA_CLASSES),
    (forms.widgets.Input, widgets.INPUT_CLASSES),
]


def dress(form: forms.BaseForm) -> None:
    """Gives the fields a form declares itself the look of those the admin makes."""
    for field in form.fields.values():
        looks = next((classes for kind, classes in _LOOKS if isinstance(field.widget, kind)), [])
        if looks and "class" not in field.widget.attrs:
            field.widget.attrs["class"] = " ".join(looks)


def explain(form: forms.BaseForm, refusal: DomainError) -> None:
    """Says on the form what an operation refused: beside the field, where the form has it."""
    errors = refusal.errors if isinstance(refusal, Invalid) else {"": str(refusal)}
    for param, message in errors.items():
        name = param.partition(".")[0].partition("[")[0]
        form.add_error(name if name in form.fields else None, message)


class VerbForm(forms.Form):
    """What a verb needs to be told; most need nothing but the click."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)


class OperationForm(forms.ModelForm[Any]):
    """A form that an operation answers; `refusal` is what it said no with."""

    refusal: ClassVar[DomainError | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.refusal is not None:
            explain(self, self.refusal)
        return cleaned


class ChangeForm(OperationForm):
    """A form on a row that is there: carries the version that was read, so that a stale edit is refused."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["version"].initial = self.instance.version


class ChoiceField(forms.ChoiceField):
    """One of several, as the theme shows it."""

    widget = widgets.UnfoldAdminSelectWidget


class PersonField(forms.EmailField):
    """Somebody with an account anywhere, named by address: for operators, since it says who has one."""

    def clean(self, value: Any) -> User | None:
        address = super().clean(value)
        person = person_among(User.objects.all(), address) if address else None
        if address and person is None:
            raise ValidationError(UNKNOWN)
        return person


def person_in(organization: Any, address: str) -> User | None:
    """Who has this address in an organization. A stranger is nobody here (product P10)."""
    return person_among(User.objects.filter(memberships__organization=organization), address)


def person_among(people: QuerySet[User], address: str) -> User | None:
    try:
        return people.filter(email=normalized(address)).first()
    except Invalid:
        return None


class PlaceSelect(AutocompleteSelect):
    """Django's own, which fails on an id that is none; this one selects nothing then."""

    def optgroups(self, name: str, value: list[str], attrs: dict[str, Any] | None = None) -> Any:
        return super().optgroups(name, [one for one in value if as_uuid(one)], attrs)


def as_uuid(text: Any) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(text).strip())
    except ValueError:
        return None
