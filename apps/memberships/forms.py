"""The forms about people in places: shape and wording; no rules."""

import re
from collections.abc import Iterable
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.memberships.invitations import Seat
from apps.tenancy.forms import PageForm, VersionedForm
from apps.workspaces.models import Workspace

AT_ONCE: Final = 50
_BETWEEN: Final = re.compile(r"[,;\n]+")
_BRACKETED: Final = re.compile(r"<([^<>]*)>\s*$")


class RoleForm(VersionedForm):
    """Any role there is may be asked for; what may be given, the operation says."""

    role = forms.ChoiceField(choices=OrganizationRole.choices)


class WorkspaceRoleForm(VersionedForm):
    role = forms.ChoiceField(choices=WorkspaceRole.choices)


class TeamForm(PageForm):
    email = forms.CharField(
        label="E-mail address",
        help_text="Somebody who is a member of the organization.",
        widget=forms.EmailInput(attrs={"list": "people", "autocomplete": "off"}),
    )
    role = forms.ChoiceField(choices=WorkspaceRole.choices, initial=WorkspaceRole.MEMBER, widget=forms.RadioSelect)


class InviteForm(PageForm):
    """One or many addresses, a role in the organization, and a role in each workspace that is to wait for them."""

    emails = forms.CharField(
        label="E-mail addresses",
        help_text="Separate addresses with commas or new lines.",
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "sam@example.com, kim@example.com"}),
    )
    role = forms.ChoiceField(
        choices=OrganizationRole.choices, initial=OrganizationRole.MEMBER, widget=forms.RadioSelect
    )

    def __init__(self, *args: Any, workspaces: Iterable[Workspace], roles: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = {f"in_{workspace.slug}": workspace for workspace in workspaces}
        for name, workspace in self.places.items():
            choices = [("", "Not in it"), *((role.value, role.label) for role in roles(workspace))]
            self.fields[name] = forms.ChoiceField(label=workspace.name, choices=choices, required=False)

    def clean_emails(self) -> list[str]:
        parts = [part.strip() for part in _BETWEEN.split(self.cleaned_data["emails"])]
        addresses = [bracketed[1].strip() if (bracketed := _BRACKETED.search(part)) else part for part in parts if part]
        if not addresses:
            raise ValidationError("At least one address is needed.")
        if len(addresses) > AT_ONCE:
            raise ValidationError(f"At most {AT_ONCE} addresses can be invited at once; these are {len(addresses)}.")
        return list(dict.fromkeys(addresses))

    @property
    def seat_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.places]

    @property
    def seats(self) -> list[Seat]:
        given = [(workspace, self.cleaned_data[name]) for name, workspace in self.places.items()]
        return [Seat(workspace, WorkspaceRole(role), workspace.slug) for workspace, role in given if role]
