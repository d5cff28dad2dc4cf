"""The pages about one member of an organization: who they are, another role, a pause, the end."""

from typing import Any, ClassVar, Final

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView, TemplateView, View
from django.views.generic.detail import SingleObjectMixin

from apps.access.actions import Action
from apps.access.roles import OrganizationRole, makes_owners
from apps.accounts.reauthentication import require_recent
from apps.audit import lines
from apps.core import text
from apps.memberships import access, consequences, listing, offboarding
from apps.memberships import operations as memberships
from apps.memberships.models import OrganizationMembership
from apps.memberships.person_forms import GraveRoleForm, PreviewedRoleForm, RemovalForm, SeatForm
from apps.organizations import questions
from apps.organizations.matrix import summary, workspace_summary
from apps.tenancy.consequences import ReadAgainMixin, SeenForm, digest
from apps.tenancy.context import reachable_workspaces
from apps.tenancy.forms import VersionedForm, grantable, grantable_in
from apps.tenancy.undo import Undo
from apps.tenancy.views import OperationMixin, TenantMixin, finish

ACTS: Final = 50
PLACES: Final = 200  # workspaces in one choice
TABS: Final = {"access": gettext_lazy("Access"), "keys": gettext_lazy("Keys"), "activity": gettext_lazy("Activity")}


class PersonMixin(TenantMixin, SingleObjectMixin):
    """One member."""

    model = OrganizationMembership

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.select_related("user")

    @cached_property
    def object(self) -> Any:
        found = self.get_object()
        found.organization = self.tenant.organization
        return found

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(member=self.object, **more)  # type: ignore[no-any-return]

    @property
    def _address(self) -> tuple[Any, ...]:
        return (self.tenant.organization.slug, self.object.pk)

    def done(self, message: str, undo: Undo | None = None) -> HttpResponse:
        return finish(self.request, message, "memberships:member", *self._address, undo=undo)


class MemberDetail(PersonMixin, TemplateView):
    """Everything an organization may know of one of its people (product P5, P8, P21)."""

    action = Action.ORGANISATION_USERS_READ
    template_name = "memberships/member_detail.html"

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """With those of their teams that the reader may know of."""
        known: Any = listing.with_columns(super().narrow(rows), ["added", "factor"], rows.none())
        return known.with_workspaces(reachable_workspaces(self.tenant))

    @cached_property
    def tabs(self) -> dict[str, Any]:
        closed = set() if self.tenant.may(Action.AUDIT_LOGS_LIST) else {"activity"}
        closed |= set() if self._may_see_keys else {"keys"}
        return {name: label for name, label in TABS.items() if name not in closed}

    @property
    def _may_see_keys(self) -> bool:
        return self.object.user == self.request.user or self.tenant.may(Action.WORKSPACE_USER_API_KEYS_LIST)

    @property
    def _may_see_who_added(self) -> bool:
        """As in the list, where it is a column."""
        return "added" in {column.name for column in listing.readable(self.tenant.may)}

    @property
    def tab(self) -> str:
        asked = self.request.GET.get("tab", "")
        return asked if asked in self.tabs else next(iter(self.tabs))

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(
            tabs=self.tabs,
            tab=self.tab,
            roles=grantable(self.tenant),
            tells_factors=self.tenant.may(Action.ORGANISATION_USERS_UPDATE),
            **{self.tab: getattr(self, f"_{self.tab}")()},
            **more,
        )

    def _access(self) -> dict[str, Any]:
        found = access.grants(self.object, self.object.seats, tells_adder=self._may_see_who_added)
        asked, named = (self.request.GET.get(name, "").replace("\0", " ").strip() for name in ("can", "action"))
        likely = questions.actions_asked_for(asked)
        meant = Action(named) if named in list(Action) else next(iter(likely), None)
        answer = access.answer(self.object, found, meant, self._place) if meant else None
        others = [action for action in likely if action != meant]
        return {"grants": found, "asked": asked[: questions.LONGEST], "answer": answer, "others": others}

    @property
    def _place(self) -> Any:
        """The workspace that the question is about, of those they are in; None for anywhere."""
        slug = self.request.GET.get("workspace", "")
        return next((seat.workspace for seat in self.object.seats if seat.workspace.slug == slug), None)

    def _keys(self) -> dict[str, Any]:
        personal, made = consequences.keys_of(self.object), offboarding.keys_left_by(self.object)
        return {"personal": personal, "made": made[:ACTS] if self.tenant.may(Action.AUDIT_LOGS_LIST) else []}

    def _activity(self) -> Any:
        return lines.lines(lines.of_person(self.object.user_id, self.tenant)[:ACTS], self.tenant)


class PersonAct(PersonMixin, ReadAgainMixin, FormView):
    """Something that is done to a member, once what it brings has been read; what cannot be is not shown."""

    action = Action.ORGANISATION_USERS_UPDATE

    def may_be(self) -> None:
        """Raises what stands against the act before anybody reads on."""
        raise NotImplementedError

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.may_be()
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.may_be()
        return super().post(request, *args, **kwargs)

    def get_initial(self) -> dict[str, Any]:
        return {"version": self.object.version}


class MemberRole(PersonAct):
    """Another role, once what it changes has been read. Making an owner is typed, and asks who is there."""

    template_name = "memberships/member_role.html"

    @cached_property
    def role(self) -> OrganizationRole:
        asked = self.request.POST.get("role") or self.request.GET.get("role", "")
        return OrganizationRole(asked if asked in OrganizationRole else self.object.role)

    @property
    def is_grave(self) -> bool:
        return makes_owners(self.role) and not makes_owners(OrganizationRole(self.object.role))

    def get_form_class(self) -> Any:
        return GraveRoleForm if self.is_grave else PreviewedRoleForm

    def get_form_kwargs(self) -> dict[str, Any]:
        typed = {"expected": self.object.user.email} if self.is_grave else {}
        return {**super().get_form_kwargs(), **typed}

    def get_initial(self) -> dict[str, Any]:
        return {**super().get_initial(), "role": self.role}

    def may_be(self) -> None:
        memberships.refuse_role(self.object, self.role, by=self.tenant.actor)

    def weigh(self) -> Any:
        return consequences.of_role(self.object, self.role)

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        roles = [(role, summary(role)) for role in grantable(self.tenant)]
        return super().get_context_data(roles=roles, role=self.role, is_grave=self.is_grave, **more)

    def run(self, form: Any) -> HttpResponse:
        if self.is_grave:
            require_recent(self.request, back=f"{self.request.path}?role={self.role}")
        given, before = form.cleaned_data, OrganizationRole(self.object.role)
        member = memberships.change_role(
            self.object, OrganizationRole(given["role"]), version=given["version"], by=self.tenant.actor
        )
        said = _("%(person)s is now %(role)s.") % {"person": member, "role": text.amid(member.role_name)}
        return self.done(said, undo=self._undo(member, before))

    def _undo(self, member: Any, before: OrganizationRole) -> Undo | None:
        if makes_owners(before):
            return None  # making an owner is never one click
        seen = digest(consequences.of_role(member, before))
        fields = {"role": before, "version": member.version, "seen": seen}
        return Undo("memberships:role", self._address, fields)


class MemberAdd(PersonMixin, OperationMixin, FormView):
    """Puts a member on the team of one more workspace."""

    action = Action.WORKSPACE_USERS_CREATE
    form_class = SeatForm
    template_name = "memberships/member_add.html"

    @cached_property
    def places(self) -> list[Any]:
        rows = reachable_workspaces(self.tenant).exclude(memberships__membership=self.object)
        found = list(rows.order_by("name_key", "pk")[:PLACES])
        for place in found:
            place.organization = self.tenant.organization
        return found

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "places": self.places}

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        roles = [(role, workspace_summary(role)) for role in grantable_in(self.tenant, self.tenant.organization)]
        return super().get_context_data(roles=roles, places=self.places, **more)

    def run(self, form: Any) -> HttpResponse:
        placed = memberships.add_to_workspace(form.place, self.object, form.role_given, by=self.tenant.actor)
        told = {"person": self.object, "workspace": form.place, "role": text.amid(placed.role_name)}
        return self.done(_("%(person)s is in %(workspace)s now, as %(role)s.") % told)


class MemberReactivate(PersonMixin, View):
    action = Action.ORGANISATION_USERS_UPDATE

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        version = VersionedForm(request.POST, tenant=self.tenant).taken()["version"]
        member = memberships.reactivate(self.object, version=version, by=self.tenant.actor)
        return self.done(_("%(person)s is active again.") % {"person": member})


class MemberSuspend(PersonAct):
    form_class = SeenForm
    template_name = "memberships/member_suspend.html"

    def may_be(self) -> None:
        memberships.refuse_status(self.object, OrganizationMembership.Status.SUSPENDED, by=self.tenant.actor)

    def weigh(self) -> Any:
        return consequences.of_suspension(self.object)

    def run(self, form: Any) -> HttpResponse:
        member = memberships.suspend(self.object, version=form.cleaned_data["version"], by=self.tenant.actor)
        undo = Undo("memberships:reactivate", self._address, {"version": member.version})
        return self.done(_("%(person)s is suspended.") % {"person": member}, undo=undo)


class MemberRemove(PersonAct):
    """The end of a membership: what ends with it, and a decision for each thing the person would leave."""

    action = Action.ORGANISATION_USERS_DELETE
    form_class = RemovalForm
    template_name = "memberships/member_remove.html"

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return offboarding.with_offers(super().narrow(rows))

    @cached_property
    def report(self) -> offboarding.Report:
        return offboarding.report(self.object)

    def weigh(self) -> Any:
        return self.report.spelt()

    def get_form_kwargs(self) -> dict[str, Any]:
        known = {"expected": self.object.user.email, "report": self.report, "successors": self._successors}
        return {**super().get_form_kwargs(), **known}

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(report=self.report, most=offboarding.MOST, **more)

    @cached_property
    def _teams(self) -> dict[Any, list[OrganizationMembership]]:
        return offboarding.successors(self.report, self.object)

    def _successors(self, placed: Any) -> list[OrganizationMembership]:
        """The others on the team, and the reader, who is given the place where they have none yet."""
        me: Any = self.request.membership
        me.user = self.request.user
        team = self._teams[placed.workspace_id]
        return [member for member in team if member != me] if me in team else [me, *team]

    def may_be(self) -> None:
        memberships.refuse_removal(self.object, by=self.tenant.actor)

    def run(self, form: RemovalForm) -> HttpResponse:
        version, seen = form.cleaned_data["version"], self.report.spelt()
        offboarding.remove(self.object, form.choices, version=version, seen=seen, by=self.tenant.actor)
        told = {"person": self.object, "organization": self.tenant.organization}
        slug = self.tenant.organization.slug
        said = _("%(person)s is no longer in %(organization)s.") % told
        return finish(self.request, said, "memberships:members", slug)


class OrganizationLeave(TenantMixin, ReadAgainMixin, FormView):
    """One's own way out, which needs no right but being a member (product P3)."""

    action = Action.ORGANISATIONS_READ
    model: ClassVar = OrganizationMembership
    form_class = SeenForm
    template_name = "memberships/member_leave.html"

    @cached_property
    def object(self) -> Any:
        mine = self.request.membership
        mine.user = self.request.user
        return mine

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        memberships.refuse_if_last_owner(self.object)
        return super().get(request, *args, **kwargs)

    def weigh(self) -> Any:
        return consequences.of_removal(self.object)

    def get_initial(self) -> dict[str, Any]:
        return {"version": self.object.version}

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(member=self.object, **more)

    def run(self, form: Any) -> HttpResponse:
        memberships.leave(self.object, version=form.cleaned_data["version"], by=self.tenant.actor)
        return finish(self.request, _("You have left %(place)s.") % {"place": self.tenant.organization}, "home")
