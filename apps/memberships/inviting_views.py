"""The pages on which people are invited: the list that is pasted, what would come of it, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from django.core.validators import slug_re
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.generic import FormView

from apps.access.actions import Action
from apps.access.roles import OrganizationRole
from apps.accounts.reauthentication import is_recent, require_recent
from apps.core import search
from apps.core.errors import Conflict, DomainError, TooMany
from apps.memberships import invitations, verdicts
from apps.memberships.answer_views import once
from apps.memberships.forms import InviteForm
from apps.memberships.links import invitation_link
from apps.memberships.models import Invitation
from apps.memberships.verdicts import Standing, Verdict
from apps.organizations.matrix import summary
from apps.tenancy.context import reachable_workspaces
from apps.tenancy.forms import grantable, grantable_in
from apps.tenancy.templatetags.tenancy import isolated
from apps.tenancy.views import OperationMixin, TenantMixin

CHOICES: Final = 100  # of workspaces, in the form
MANY: Final = 8  # from here on they can be searched
_NAMED: Final = 3  # workspaces in a sentence


@dataclass(frozen=True)
class Checked:
    """A pasted list with a verdict for each entry, and what would happen if it were sent now."""

    verdicts: list[Verdict]
    announcement: str = ""

    @property
    def welcome(self) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if verdict.is_welcome]

    @property
    def to_mend(self) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if verdict.is_to_mend]

    @property
    def twice(self) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if verdict.standing is Standing.TWICE]


class Sent(NamedTuple):
    """An invitation, and its link for the one time it is shown."""

    invitation: Invitation
    link: str


class Invite(TenantMixin, OperationMixin, FormView):
    """Asks one or many addresses; each gets its own answer, and its own link for the one time it is shown."""

    action, model = Action.ORGANISATION_USERS_CREATE, Invitation
    form_class = InviteForm
    template_name = "memberships/invitation_new.html"

    def get_form_kwargs(self) -> dict[str, Any]:
        rows: Any = reachable_workspaces(self.tenant).select_related("organization").order_by("name_key", "id")
        sought = self.request.POST.get("find", "").replace("\0", " ").strip()
        found = list((search.matching(rows, sought, self.tenant.organization) if sought else rows)[:CHOICES])
        named = {name.removeprefix("in_") for name in self.request.POST if name.startswith("in_")}
        # What is no slug is no workspace: the form refuses it by its name, and the database is not asked.
        others = set(filter(slug_re.match, named)) - {place.slug for place in found}
        places = {
            "places": self._inviting_into(found),
            "others": self._inviting_into(list(rows.filter(slug__in=others)[:CHOICES]) if others else []),
        }
        return {**super().get_form_kwargs(), **places, "roles": lambda place: grantable_in(self.tenant, place)}

    def get_initial(self) -> dict[str, Any]:
        asked = self.request.GET.get("role", "")
        return {"role": OrganizationRole(asked)} if asked in grantable(self.tenant) else {}

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        roles = [(role, summary(role)) for role in grantable(self.tenant)]
        context = super().get_context_data(roles=roles, **more)
        form = context["form"]
        shown = {
            "checked": self.checked(form),
            "is_long": len(form.places) > MANY or bool(self.request.POST.get("find")),
            "is_grave": form.is_grave,
            "has_to_prove": form.is_grave and not is_recent(self.request),
        }
        return {**shown, **context}

    def checked(self, form: InviteForm) -> Checked | None:
        """None as long as there is no list to check."""
        if not form.is_bound or "emails" not in getattr(form, "cleaned_data", {}):
            return None
        judged = verdicts.judge(self.tenant.organization, form.cleaned_data["emails"])
        return Checked(judged, _announced(sum(each.is_welcome for each in judged), form))

    def run(self, form: InviteForm) -> HttpResponse:
        if form.is_grave:
            self.tenant.require(Action.ORGANISATION_OWNERS_MANAGE)
            form.refuse_untyped(self.tenant.organization.name)
            require_recent(self.request, back=f"{self.request.path}?role={form.cleaned_data['role']}")
        sent, left = self._ask_all(form)
        if not sent:
            form.add_error("emails", _("Nobody was invited: none of these addresses can be."))
            return once(self.render_to_response(self.get_context_data(form=form, checked=Checked(left)), status=400))
        again = {
            **self.request.POST.dict(),
            "emails": "\n".join(verdict.typed for verdict in left if verdict.is_to_mend),
        }
        context = {"sent": sent, "checked": Checked(left), "form": self._filled_again(form, again)}
        return once(render(self.request, "memberships/invitation_results.html", context))

    def _ask_all(self, form: InviteForm) -> tuple[list[Sent], list[Verdict]]:
        """What was sent, and the verdicts on what was not. What is wrong with the offer itself is raised at once."""
        offer, sent, left = _offer(form), [], []
        for verdict in verdicts.judge(self.tenant.organization, form.cleaned_data["emails"]):
            if not verdict.is_welcome:
                left.append(verdict)
                continue
            try:
                made = invitations.invite(self.tenant.organization, verdict.address, offer, by=self.tenant.actor)
                sent.append(Sent(made.invitation, invitation_link(made.token)))
            except DomainError as refusal:
                if not sent and not isinstance(refusal, Conflict | TooMany):
                    raise
                left.append(replace(verdict, standing=Standing.REFUSED, reason=str(refusal)))
        return sent, left

    def _filled_again(self, form: InviteForm, data: Mapping[str, str]) -> InviteForm:
        places = form.places.values()
        return InviteForm(data, tenant=self.tenant, places=places, roles=lambda place: grantable_in(self.tenant, place))

    def _inviting_into(self, places: list[Any]) -> list[Any]:
        """Those of them whose team the person may add to."""
        actor: Any = self.tenant.actor
        actor.look_at(places)
        return [place for place in places if Action.WORKSPACE_USERS_CREATE in actor.actions_in(place)]


class InviteCheck(Invite):
    """The same form, looked at and not sent: writes nothing, and no address ever stands in an address."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return redirect("memberships:invite", self.tenant.organization.slug)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.get_form()
        form.is_valid()
        template = "memberships/_invite_checked.html" if request.htmx else self.template_name
        return once(render(request, template, self.get_context_data(form=form)))


def _offer(form: InviteForm) -> invitations.Offer:
    scopes = invitations.usual_scopes(seat.workspace for seat in form.seats) if form.cleaned_data["with_key"] else None
    return invitations.Offer(OrganizationRole(form.cleaned_data["role"]), form.seats, scopes)


def _announced(number: int, form: InviteForm) -> str:
    """What sending would do: "10 people will be invited as Member, into Search as Manager."."""
    if not number or "role" not in form.cleaned_data:
        return ""
    told = {"number": number, "role": OrganizationRole(form.cleaned_data["role"]).label}
    seats = form.seats
    if not seats:
        sentence = ngettext(
            "%(number)d person will be invited as %(role)s.",
            "%(number)d people will be invited as %(role)s.",
            number,
        )
    elif len(seats) > _NAMED:
        told["places"] = len(seats)
        sentence = ngettext(
            "%(number)d person will be invited as %(role)s, into %(places)d workspaces.",
            "%(number)d people will be invited as %(role)s, into %(places)d workspaces.",
            number,
        )
    else:
        told["places"] = get_text_list([_place(seat) for seat in seats], _("and"))
        sentence = ngettext(
            "%(number)d person will be invited as %(role)s, into %(places)s.",
            "%(number)d people will be invited as %(role)s, into %(places)s.",
            number,
        )
    return sentence % told


def _place(seat: invitations.Seat) -> str:
    return _("%(workspace)s as %(role)s") % {"workspace": isolated(seat.workspace), "role": seat.role.label}
