"""The pages of an organization itself: its settings, and the matrix of its roles."""

from typing import Any

from django.http import HttpResponse
from django.views.generic import FormView, TemplateView

from apps.access.actions import Action, Level
from apps.access.roles import Column, title
from apps.organizations import matrix, operations
from apps.organizations.forms import OrganizationForm
from apps.tenancy.views import OperationMixin, TenantMixin, finish


class OrganizationSettings(TenantMixin, OperationMixin, FormView):
    action = Action.ORGANISATIONS_UPDATE
    form_class = OrganizationForm
    template_name = "organizations/organization_settings.html"

    def get_initial(self) -> dict[str, Any]:
        here = self.tenant.organization
        return {"name": here.name, "description": here.description, "version": here.version}

    def run(self, form: OrganizationForm) -> HttpResponse:
        changed = operations.update(self.tenant.organization, **form.cleaned_data, by=self.tenant.actor)
        return finish(self.request, "The settings are saved.", "organizations:settings", changed.slug)


class RoleMatrix(TenantMixin, TemplateView):
    """Rendered from the one table, so that it can say nothing else than what holds."""

    action = Action.ORGANISATIONS_READ
    template_name = "organizations/role_matrix.html"

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(
            columns=[column.title() for column in Column],
            features=matrix.FEATURES,
            levels=[(level, map(title, matrix.ROLES[level]), matrix.rows(level)) for level in Level],
            **more,
        )
