"""The forms about people in places: shape and wording; no rules."""

import uuid
from collections.abc import Iterable
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from apps.access.roles import OrganizationRole, WorkspaceRole, makes_owners
from apps.core import text
from apps.core.errors import Invalid
from apps.memberships import bulk
from apps.memberships.invitations import Seat
from apps.memberships.listing import Column
from apps.memberships.pasting import Pasted, entries
from apps.tenancy.forms import PageForm, TypedForm, VersionedForm
from apps.workspaces.models import Workspace

AT_ONCE: Final = 100


class RoleForm(VersionedForm):
    """Any role there is may be asked for; what may be given, the operation says."""

    role = forms.ChoiceField(choices=OrganizationRole.choices)


class GraveInvitationForm(TypedForm, RoleForm):
    """The same for a role that makes owners, which is typed (the confirmation ladder's level 4)."""


class InviteForm(PageForm):
    """One or many addresses, a role in the organization, and a role in each workspace that is to wait for them.

    Arguments: `places` are the workspaces to choose from, `others` those that were chosen from before; `roles` says
    which roles may be given in one of them.
    """

    emails = forms.CharField(
        label=_("E-mail addresses"),
        help_text=_("Paste as many as you like: separated by commas, semicolons or new lines, with names or without."),
        max_length=AT_ONCE * 400,
        widget=forms.Textarea(
            attrs={"rows": 5, "placeholder": "sam@example.com, Kim Lee <kim@example.com>", "spellcheck": "false"}
        ),
        error_messages={"required": _("At least one address is needed.")},
    )
    role = forms.ChoiceField(
        choices=OrganizationRole.choices, initial=OrganizationRole.MEMBER, widget=forms.RadioSelect
    )
    with_key = forms.BooleanField(
        label=_("Give each of them a personal API key there"),
        help_text=_("With the default permissions, one key a workspace. Only they see it, once, when they accept."),
        required=False,
    )
    find = forms.CharField(required=False, max_length=200)
    # Asked for only where owners are invited, and compared as the last thing before they are.
    typed = forms.CharField(
        required=False,
        max_length=text.NAME_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(
        self, *args: Any, places: Iterable[Workspace], others: Iterable[Workspace] = (), roles: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.sought = {f"in_{place.slug}": place for place in places}
        self.places = {**self.sought, **{f"in_{place.slug}": place for place in others}}
        for name, place in self.places.items():
            choices = [("", _("Not in it")), *((role.value, role.label) for role in roles(place))]
            self.fields[name] = forms.ChoiceField(label=place.name, choices=choices, required=False)

    def clean_emails(self) -> list[Pasted]:
        pasted = entries(self.cleaned_data["emails"])
        if not pasted:
            raise ValidationError(_("At least one address is needed."))
        if len(pasted) > AT_ONCE:
            message = _("At most %(most)d addresses can be invited at once; these are %(number)d.")
            raise ValidationError(message, params={"most": AT_ONCE, "number": len(pasted)})
        return pasted

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("with_key") and not self.seats:
            self.add_error("with_key", _("Choose at least one workspace for the key to live in."))
        return cleaned

    @property
    def is_grave(self) -> bool:
        """Whether it invites owners (the confirmation ladder's level 4)."""
        asked = self["role"].value()
        return asked in OrganizationRole and makes_owners(OrganizationRole(asked))

    def refuse_untyped(self, expected: str) -> None:
        """Raises Invalid unless the confirmation was typed."""
        if self.cleaned_data["typed"].strip() != expected.strip():
            raise Invalid({"typed": str(_("This is not what it says above. Nobody was invited."))})

    @property
    def seat_fields(self) -> list[forms.BoundField]:
        """The workspaces to show: those chosen already, and those that were looked for."""
        return [self[name] for name in self.places if name in self.sought or self[name].value()]

    @property
    def seats(self) -> list[Seat]:
        given = [(workspace, self.cleaned_data.get(name)) for name, workspace in self.places.items()]
        return [Seat(workspace, WorkspaceRole(role), workspace.slug) for workspace, role in given if role]


class ChosenField(forms.Field):
    """The ids of the rows that were ticked in a list. What they may be, the tenant's own rows say."""

    widget = forms.MultipleHiddenInput

    def __init__(self, *args: Any, most: int = AT_ONCE, **kwargs: Any) -> None:
        self.most = most
        super().__init__(*args, **kwargs)

    def clean(self, value: Any) -> list[uuid.UUID]:
        given = list(dict.fromkeys(super().clean(value) or []))
        if len(given) > self.most:
            raise ValidationError(_("At most %(most)d can be chosen at once."), params={"most": self.most})
        try:
            return [uuid.UUID(each) for each in given]
        except ValueError:
            raise ValidationError(_("This is not one of the rows of the list.")) from None


class ChosenInvitationsForm(PageForm):
    """What is to happen to the invitations that were ticked, and whether that was confirmed."""

    act = forms.ChoiceField(choices=[("resend", _("Send again")), ("cancel", _("Cancel"))])
    chosen = ChosenField(error_messages={"required": _("Choose at least one invitation first.")})
    confirmed = forms.BooleanField(required=False)


class ChosenMembersForm(PageForm):
    """What is to happen to the members that were ticked, or to all that a filter finds, once it is confirmed."""

    act = forms.ChoiceField(choices=list(bulk.LABELS.items()))
    chosen = ChosenField(required=False, most=bulk.MOST)
    everybody = forms.BooleanField(required=False)
    filter = forms.CharField(required=False, max_length=4000)
    role = forms.ChoiceField(choices=[("", ""), *OrganizationRole.choices], required=False)
    workspace = forms.SlugField(required=False, max_length=255)
    seat = forms.ChoiceField(choices=[("", ""), *WorkspaceRole.choices], required=False)
    typed = forms.CharField(required=False, max_length=text.NAME_LENGTH)
    confirmed = forms.BooleanField(required=False)
    seen = forms.CharField(required=False, max_length=bulk.MOST * (bulk.SEEN_LENGTH + 1), widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not cleaned.get("chosen") and not cleaned.get("everybody") and "chosen" not in self.errors:
            self.add_error("chosen", _("Choose at least one member first."))
        return cleaned


class ColumnsForm(PageForm):
    """Which columns the list of members has, and in which order: those that the reader may know of."""

    usual = forms.BooleanField(required=False)

    def __init__(self, *args: Any, columns: list[Column], shown: list[Column], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.columns = columns
        places = [(str(place), str(place)) for place in range(1, len(columns) + 1)]
        for place, column in enumerate(columns, start=1):
            self.fields[f"show_{column.name}"] = forms.BooleanField(
                label=column.label, required=False, initial=column in shown
            )
            self.fields[f"place_{column.name}"] = forms.ChoiceField(
                label=_("Place of %(column)s") % {"column": column.label}, choices=places, initial=str(place)
            )

    @property
    def pairs(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """Of each column: whether it is shown, and its place."""
        return [(self[f"show_{column.name}"], self[f"place_{column.name}"]) for column in self.columns]

    @property
    def wanted(self) -> list[str]:
        """The columns to show, in the order asked for; between two at one place, the one that was before stays so."""
        given = self.cleaned_data
        shown = [column for column in self.columns if given[f"show_{column.name}"]]
        return [column.name for column in sorted(shown, key=lambda column: int(given[f"place_{column.name}"]))]
