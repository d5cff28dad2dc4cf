"""The settings of an organization that need several apps at once: how it is secured, and how it ends."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.generic import FormView, TemplateView

from apps.access.actions import Action
from apps.access.roles import REACHING_INTO_WORKSPACES
from apps.accounts.reauthentication import RecentMixin
from apps.apikeys.models import ApiKey
from apps.memberships.models import Invitation, OrganizationMembership
from apps.onboarding import hygiene, operations
from apps.onboarding.forms import DeleteForm
from apps.tenancy import keyset
from apps.tenancy.consequences import ReadAgainMixin
from apps.tenancy.views import TenantMixin
from apps.workspaces.models import Workspace

_FEW = 10
_DAY = 24 * 60 * 60


class OrganizationSecurity(TenantMixin, TemplateView):
    """How people sign in here and how well they are guarded: facts, and where to act on them."""

    action = Action.ORGANISATIONS_UPDATE
    template_name = "onboarding/organization_security.html"

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        members = self.tenant.own(OrganizationMembership).active()
        unguarded = hygiene.without_second_factor(members)
        strong = unguarded.filter(role__in=REACHING_INTO_WORKSPACES)
        owners = members.owners().select_related("user").order_by("name_key", "id")
        return super().get_context_data(
            counted=keyset.count(members=members, unguarded=unguarded, owners=members.owners()),
            unguarded=strong.select_related("user").order_by("name_key", "id")[:_FEW],
            owners=owners[:_FEW],
            session_days=settings.SESSION_COOKIE_AGE // _DAY,
            sign_up=settings.SIGN_UP,
            mail_is_on=settings.EMAIL_IS_CONFIGURED,
            **more,
        )


class OrganizationDanger(TenantMixin, TemplateView):
    action, model = Action.ORGANISATIONS_DELETE, Workspace
    template_name = "onboarding/organization_danger.html"

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        guarded = self.get_queryset().filter(delete_protected=True)
        counted = keyset.count(protected=guarded)
        return super().get_context_data(
            counted=counted, protected=guarded.order_by("name_key", "id")[:_FEW] if counted["protected"] else [], **more
        )


class OrganizationDelete(TenantMixin, RecentMixin, ReadAgainMixin, FormView):
    """The end of an organization, by somebody who has just proved that it is still them."""

    action = Action.ORGANISATIONS_DELETE
    form_class = DeleteForm
    template_name = "onboarding/organization_delete.html"

    def get_initial(self) -> dict[str, Any]:
        return {"version": self.tenant.organization.version}

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "expected": self.tenant.organization.name}

    def weigh(self) -> dict[str, Any]:
        own: Any = self.tenant.own
        counted = keyset.count(
            members=own(OrganizationMembership),
            workspaces=own(Workspace),
            api_keys=own(ApiKey).live(),
            invitations=own(Invitation).pending(),
            protected=own(Workspace).filter(delete_protected=True),
        )
        return {name: total.number for name, total in counted.items()}

    def run(self, form: DeleteForm) -> HttpResponse:
        given = form.cleaned_data
        operations.delete_organization(
            self.tenant.organization, typed_name=given["typed"], version=given["version"], by=self.tenant.actor
        )
        told = {"organization": self.tenant.organization}
        messages.success(self.request, _("%(organization)s is deleted, with everything in it.") % told)
        return redirect("home")
