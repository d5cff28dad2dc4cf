"""The pages of an organization itself: its settings, and the matrix of its roles."""

from typing import Any, Final

from django.http import HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import FormView, TemplateView

from apps.access.actions import Action, Level
from apps.organizations import matrix, operations
from apps.organizations.forms import OrganizationForm
from apps.organizations.models import Organization
from apps.tenancy.views import OperationMixin, TenantMixin, finish

_GLANCE: Final = "glance"


class OrganizationSettings(TenantMixin, OperationMixin, FormView):
    action = Action.ORGANISATIONS_UPDATE
    form_class = OrganizationForm
    template_name = "organizations/organization_settings.html"

    def get_initial(self) -> dict[str, Any]:
        here = self.tenant.organization
        return {"name": here.name, "description": here.description, "version": here.version}

    def current(self) -> Organization:
        self.tenant.organization.refresh_from_db()
        return self.tenant.organization

    def run(self, form: OrganizationForm) -> HttpResponse:
        changed = operations.update(self.tenant.organization, **form.cleaned_data, by=self.tenant.actor)
        return finish(self.request, _("The settings are saved."), "organizations:settings", changed.slug)


class RoleMatrix(TenantMixin, TemplateView):
    """Rendered from the one table, so that it can say nothing else than what holds."""

    action = Action.ORGANISATIONS_READ
    template_name = "organizations/role_matrix.html"

    @cached_property
    def table(self) -> str:
        asked = self.request.GET.get("table", "")
        return asked if asked in list(Level) else _GLANCE

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        only = "only" in self.request.GET
        rows = matrix.FEATURES if self.table == _GLANCE else matrix.rows(Level(self.table))
        shown = [row for row in rows if not only or matrix.differs(row.cells)]
        is_glance = self.table == _GLANCE
        columns = matrix.COLUMNS.values() if is_glance else map(matrix.title, matrix.ROLES[Level(self.table)])
        return super().get_context_data(
            table=self.table, only=only, columns=list(columns), rows=shown, hidden=len(rows) - len(shown), **more
        )
