"""`organisations`: the one organization a key is for; an addition to the contract, in its style."""

from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.actions import Action
from apps.organizations.serializers import OrganisationSerializer
from apps.tenancy.api import TenantViewSet


class OrganisationViewSet(TenantViewSet):
    tag = "Organisations"
    actions = {"list": Action.ORGANISATIONS_READ}
    answers = {"list": OrganisationSerializer}

    def list(self, request: Request) -> Response:
        """The organization of the key that asks."""
        return self.answer_list([self.tenant.organization])
