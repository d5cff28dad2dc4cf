"""One act on many members: shown first, done once it is confirmed, and told row by row."""

from typing import Any, ClassVar, Final

from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import TemplateView

from apps.access.actions import Action
from apps.access.actors import UserActor
from apps.access.roles import OrganizationRole, WorkspaceRole, makes_owners
from apps.apikeys.models import ApiKey
from apps.memberships import bulk, listing
from apps.memberships.bulk import Act, Verdict
from apps.memberships.forms import ChosenMembersForm
from apps.memberships.listing import Filters
from apps.memberships.member_views import CHOICES, MembersMixin, found, written
from apps.memberships.models import WorkspaceMembership
from apps.organizations.matrix import summary, workspace_summary
from apps.tenancy import keyset
from apps.tenancy.context import reachable_workspaces
from apps.workspaces.models import Workspace

STAYING: Final = 20
_NONE: Final = ("", 200)
_PLAIN: Final[dict[str, Any]] = {"suspend": bulk.Suspend, "reactivate": bulk.Reactivate, "remove": bulk.Remove}


class MembersTogether(MembersMixin, TemplateView):
    """The first answer foresees, and asks what is still to be chosen; a confirmed one acts on those it had shown."""

    action = Action.ORGANISATION_USERS_UPDATE
    template_name = "memberships/bulk.html"
    http_method_names: ClassVar = ["post", "options"]

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        form = ChosenMembersForm(request.POST, tenant=self.tenant)
        given = form.taken()
        if given["act"] == bulk.EXPORT:
            return written(self._rows(given).newest_first(), self.tenant)
        self.tenant.require(_NEEDED[given["act"]])
        members = self._members(given)
        act = self._act(given, members)
        verdicts = bulk.foresee(act, members) if act else []
        mistake, status = self._mistake(act, given, verdicts) if given["confirmed"] else _NONE
        context = self._told(act, members, verdicts, is_to_do=given["confirmed"] and not mistake)
        is_full = given["everybody"] and len(members) == bulk.MOST
        total = keyset.count(total=self._rows(given))["total"] if is_full else None
        chosen = {"act": given["act"], "given": given, "total": total, "most": bulk.MOST, "mistake": mistake}
        return render(request, self.template_name, self.get_context_data(**chosen, **context), status=status)

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        context = super().get_context_data(**more)
        if more["act"] == "role":
            context["offers"] = [(role, summary(role)) for role in context["roles"] if not makes_owners(role)]
        elif more["act"] == "add":
            context["offers"] = [(role, workspace_summary(role)) for role in WorkspaceRole]
            context["places"] = self.places
        return context

    @cached_property
    def places(self) -> list[Workspace]:
        """The workspaces to choose from."""
        return list(reachable_workspaces(self.tenant).order_by("name_key", "pk")[:CHOICES])

    def _told(self, act: Act | None, members: list[Any], verdicts: list[Verdict], *, is_to_do: bool) -> dict[str, Any]:
        """What would become of each, and, once it is done, what has."""
        if act is None:
            return {"waiting": members}
        staying = self._staying(members) if isinstance(act, bulk.Remove) else []
        if not is_to_do:
            able = sum(each.is_change for each in verdicts)
            return {"verdicts": verdicts, "seen": bulk.seen(verdicts), "able": able, "staying": staying}
        results = bulk.perform(act, verdicts)
        done = sum(result.is_done for result in results)
        return {"results": results, "done": done, "failed": len(results) - done, "staying": staying}

    def _rows(self, given: Any) -> Any:
        """Those that were ticked, or all that the filter finds now."""
        if given["everybody"]:
            return found(self.tenant, Filters.read(QueryDict(given["filter"]), self.tenant.may))
        return found(self.tenant, Filters()).filter(pk__in=given["chosen"])

    def _members(self, given: Any) -> list[Any]:
        """The first of them, with what is told of each."""
        told = ["workspaces", "keys"] if given["act"] == bulk.Remove.name else ["keys"]
        rows = listing.with_columns(self._rows(given), told, reachable_workspaces(self.tenant))
        members = list(rows.newest_first()[: bulk.MOST])
        for member in members:
            member.organization = self.tenant.organization
        return members

    def _act(self, given: Any, members: list[Any]) -> Any:
        """What is to be done; nothing while something of it is not chosen."""
        name, by = given["act"], self.tenant.actor
        if name in _PLAIN:
            return _PLAIN[name](by)  # type: ignore[no-any-return]
        if name == "role":
            role = OrganizationRole(given["role"]) if given["role"] else None
            # An owner is made on a page of their own, which asks for more (the confirmation ladder's level 4).
            return bulk.ChangeRole(role, by) if role and not makes_owners(role) else None
        place = next((each for each in self.places if each.slug == given["workspace"]), None)
        if place is None or not given["seat"]:
            return None
        place.organization = self.tenant.organization
        team: Any = self.tenant.own(WorkspaceMembership).filter(workspace=place)
        there = {row.membership_id: row for row in team.filter(membership__in=members)}
        for member in members:
            if member.pk in there:
                there[member.pk].membership = member
        return bulk.AddToWorkspace(place, WorkspaceRole(given["seat"]), there, by)

    def _mistake(self, act: Act | None, given: Any, verdicts: list[Verdict]) -> tuple[str, int]:
        """What is missing before it can be done, and the status that says so."""
        if act is None:
            return _("Choose first what it is to be."), 400
        if not {verdict.seen for verdict in verdicts} <= set(given["seen"].split()):
            return _("What this would do has changed since you opened it. Read it again, then confirm."), 409
        if isinstance(act, bulk.Remove) and given["typed"].strip() != self.tenant.organization.name.strip():
            return _("This is not the name of the organization. Nobody was removed."), 400
        return _NONE

    def _staying(self, members: list[Any]) -> list[Any]:
        """Service keys that these people have made, which stay when they go (product P11)."""
        people = [member.user_id for member in members]
        keys: Any = self.tenant.own(ApiKey)
        made = keys.not_revoked().filter(user=None, created_by_kind=UserActor.kind, created_by__in=people)
        return list(made.with_places().newest_first()[:STAYING])


_NEEDED: Final = {act.name: act.needs for act in bulk.ACTS}
