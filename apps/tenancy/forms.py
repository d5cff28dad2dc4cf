"""What every form of the pages has in common: how a field looks, and that nothing unasked is taken."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.forms.renderers import DjangoTemplates
from django.template.loader import get_template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access import gate
from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.core import text
from apps.core.errors import Invalid
from apps.tenancy.tenant import Tenant

# Sent by the page's frame, not by the form.
_OF_THE_FRAME = frozenset({"csrfmiddlewaretoken", "next"})


class PageRenderer(DjangoTemplates):
    """Fields from our own components, widgets from Django."""

    field_template_name = "components/field.html"

    def get_template(self, template_name: str) -> Any:
        ours = template_name.startswith("components/")
        return get_template(template_name) if ours else super().get_template(template_name)


class PageForm(forms.Form):
    """Shape and wording of a page's input. Rules are the operation's, and come back through `refuse`."""

    default_renderer: ClassVar = PageRenderer()

    def __init__(self, *args: Any, tenant: Tenant | None = None, **kwargs: Any) -> None:
        self.tenant = tenant
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        known = _OF_THE_FRAME | {self.add_prefix(name) for name in self.fields}
        if unknown := sorted(set(self.data) - known):
            # Refused by name rather than ignored: a page never half-does what it was sent (product P28).
            raise ValidationError(_("This form has no field called %(name)s.") % {"name": unknown[0][:80]})
        return self.cleaned_data

    def taken(self) -> dict[str, Any]:
        """What was sent, for an act that has no page of its own to say errors on. Raises Invalid."""
        if not self.is_valid():
            raise self.refusal
        return self.cleaned_data

    @property
    def refusal(self) -> Invalid:
        """What is wrong with it, where no page of its own can say so."""
        return Invalid({field: str(errors[0]) for field, errors in self.errors.items()})

    def refuse(self, refusal: Invalid) -> None:
        """Says what an operation found invalid, at the field it concerns or above them all."""
        for field, message in refusal.errors.items():
            self.add_error(field if field in self.fields else None, message)


class VersionedForm(PageForm):
    """A form on a row that somebody else may have changed since it was opened (product 5.1)."""

    version = forms.IntegerField(
        widget=forms.HiddenInput,
        min_value=1,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value"),
            gettext_lazy(
                "This form does not say which version of the page it was filled in on. Reload the page, then try again."
            ),
        ),
    )


class TypedForm(PageForm):
    """A confirmation that is typed: the name of what is about to end."""

    typed = forms.CharField(
        label="",
        max_length=text.NAME_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        self.expected = expected
        super().__init__(*args, **kwargs)

    def clean_typed(self) -> str:
        typed = text.composed(self.cleaned_data["typed"], text.NAME_LENGTH, field="typed")
        if typed != self.expected.strip():
            raise ValidationError(_("This is not what it says above. Nothing was changed."))
        return typed


def grantable(tenant: Tenant) -> list[OrganizationRole]:
    """The organization's roles that somebody could give here (product P4): the choices a page offers."""
    return [role for role in OrganizationRole if gate.may_grant(tenant.actor, role, tenant.organization)]


def grantable_in(tenant: Tenant, workspace: Any) -> list[WorkspaceRole]:
    """The same for the team of one workspace."""
    return [role for role in WorkspaceRole if gate.may_grant(tenant.actor, role, workspace)]
