"""The forms about one member: another role, an end, a place on a team. Shape and wording; no rules."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.memberships.forms import AT_ONCE
from apps.memberships.models import OrganizationMembership
from apps.memberships.offboarding import Choices, Fate, Report
from apps.memberships.pasting import Pasted, entries
from apps.tenancy.consequences import SeenForm
from apps.tenancy.forms import PageForm, TypedForm


class PreviewedRoleForm(SeenForm):
    """A role whose consequences were read. Any may be asked for; what may be given, the operation says."""

    role = forms.ChoiceField(choices=OrganizationRole.choices, widget=forms.HiddenInput)


class GraveRoleForm(TypedForm, PreviewedRoleForm):
    """The same for a role that makes owners, which is typed (the confirmation ladder's level 4)."""


class PreviewedTeamRoleForm(SeenForm):
    role = forms.ChoiceField(choices=WorkspaceRole.choices, widget=forms.HiddenInput)


class RemovalForm(TypedForm, SeenForm):
    """The end of a membership, with a decision for everything the person would leave behind.

    Arguments: `report` is what that is; `successors` says who could lead the workspace of a place on a team.
    """

    invitations = forms.BooleanField(
        required=False,
        label=gettext_lazy("Stand for them yourself"),
        help_text=gettext_lazy("Otherwise nobody can accept them any more."),
    )

    def __init__(self, *args: Any, report: Report, successors: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.report, self._successors = report, dict[str, OrganizationMembership]()
        for key in report.keys:
            self.fields[f"key_{key.pk}"] = forms.ChoiceField(label=key.name, choices=Fate.choices, initial=Fate.KEEP)
        for placed in report.leads:
            self.fields[f"lead_{placed.workspace_id}"] = self._lead(placed, successors(placed))
        if not report.invitations:
            del self.fields["invitations"]

    def _lead(self, placed: Any, able: Iterable[OrganizationMembership]) -> forms.ChoiceField:
        self._successors |= {str(member.pk): member for member in able}
        nobody = ("", _("Nobody: owners and admins look after it"))
        choices = [nobody, *((str(member.pk), str(member)) for member in able)]
        return forms.ChoiceField(label=str(placed.workspace), choices=choices, required=False)

    @property
    def key_fields(self) -> list[tuple[Any, forms.BoundField]]:
        return [(key, self[f"key_{key.pk}"]) for key in self.report.keys]

    @property
    def lead_fields(self) -> list[tuple[Any, forms.BoundField]]:
        return [(placed, self[f"lead_{placed.workspace_id}"]) for placed in self.report.leads]

    @property
    def choices(self) -> Choices:
        given = self.cleaned_data
        leads = {placed.workspace_id: given[f"lead_{placed.workspace_id}"] for placed in self.report.leads}
        return Choices(
            keys={key.pk: Fate(given[f"key_{key.pk}"]) for key in self.report.keys},
            leads={place: self._successors[chosen] for place, chosen in leads.items() if chosen},
            invitations_are_taken_over=bool(given.get("invitations")),
        )


class SeatForm(PageForm):
    """A workspace, of those offered, and the role on its team."""

    workspace = forms.ChoiceField(label=gettext_lazy("Workspace"))
    role = forms.ChoiceField(choices=WorkspaceRole.choices, initial=WorkspaceRole.MEMBER, widget=forms.RadioSelect)

    def __init__(self, *args: Any, places: Iterable[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._places = {place.slug: place for place in places}
        self.fields["workspace"].choices = [(slug, str(place)) for slug, place in self._places.items()]

    @property
    def place(self) -> Any:
        return self._places[self.cleaned_data["workspace"]]

    @property
    def role_given(self) -> WorkspaceRole:
        return WorkspaceRole(self.cleaned_data["role"])


class GatheringForm(PageForm):
    """People for a team: members that were ticked, addresses that were typed, and one role for all of them."""

    people = forms.MultipleChoiceField(required=False)
    emails = forms.CharField(
        required=False,
        label=gettext_lazy("Or by e-mail address"),
        help_text=gettext_lazy("Separated by commas or new lines. Whoever is no member yet is invited."),
        max_length=AT_ONCE * 400,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
    )
    role = forms.ChoiceField(choices=WorkspaceRole.choices, initial=WorkspaceRole.MEMBER, widget=forms.RadioSelect)
    find = forms.CharField(required=False, max_length=200)

    def __init__(self, *args: Any, people: Iterable[OrganizationMembership], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._people = {str(member.pk): member for member in people}
        self.fields["people"].choices = [(pk, str(member)) for pk, member in self._people.items()]

    def clean_emails(self) -> list[Pasted]:
        pasted = entries(self.cleaned_data["emails"])
        if len(pasted) > AT_ONCE:
            message = _("At most %(most)d addresses can be taken at once; these are %(number)d.")
            raise ValidationError(message, params={"most": AT_ONCE, "number": len(pasted)})
        return pasted

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.errors and not cleaned["people"] and not cleaned["emails"]:
            raise ValidationError(_("Choose somebody, or type an address."))
        return cleaned

    @property
    def chosen(self) -> list[OrganizationMembership]:
        return [self._people[pk] for pk in self.cleaned_data["people"]]

    @property
    def role_given(self) -> WorkspaceRole:
        return WorkspaceRole(self.cleaned_data["role"])
