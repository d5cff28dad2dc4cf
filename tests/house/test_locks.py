"""Each lock alone. A page, an endpoint and an operation ask the same question, and each would hide the
other's absence: so each is tried without the others behind it.
"""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.test import Client
from django.urls import path
from django.views import View
from django.views.generic import ListView
from rest_framework.response import Response

from apps.access.actions import Action
from apps.apikeys.models import ApiKey
from apps.audit.models import AuditEvent
from apps.memberships.models import OrganizationMembership
from apps.tenancy.api import TenantViewSet
from apps.tenancy.views import TenantMixin
from apps.workspaces.models import Workspace
from config.urls import urlpatterns as real
from tests.world import Company, World


class ToyPage(TenantMixin, View):
    action = Action.PROMPTS_PUBLISH
    model = Workspace

    def get(self, request: Any, **kwargs: Any) -> HttpResponse:
        return HttpResponse("inside")


class ToyList(TenantMixin, ListView):
    action = Action.PROMPTS_LIST
    model = ApiKey

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        return HttpResponse(" ".join(sorted(row.name for row in self.get_queryset())))


class ToyEndpoint(TenantViewSet):
    model = ApiKey
    actions = {"list": Action.PROMPTS_PUBLISH}

    def list(self, request: Any, **kwargs: Any) -> Response:
        return Response(sorted(row.name for row in self.get_queryset()))


urlpatterns = [
    path("o/<slug:organization>/w/<slug:workspace>/toy/", ToyPage.as_view()),
    path("o/<slug:organization>/w/<slug:workspace>/keys-toy/", ToyList.as_view()),
    path("v1/toy", ToyEndpoint.as_view({"get": "list"})),
    path("v1/toy/<str:workspace>", ToyEndpoint.as_view({"get": "list"})),
    *real,
]
pytestmark = pytest.mark.urls(__name__)


def page(company: Company, name: str = "toy") -> str:
    return f"/o/{company.organization.slug}/w/{company.workspace.slug}/{name}/"


class TestThePage:
    """Drop `self.tenant.require` from TenantMixin, and these fail."""

    @pytest.mark.parametrize(
        ("person", "status"),
        [("owner", 200), ("admin", 200), ("manager", 200), ("member", 403), ("bystander", 404), ("suspended", 404)],
    )
    def test_asks_before_it_shows(self, acme: Company, sign_in: Any, person: str, status: int) -> None:
        assert sign_in(acme[person]).get(page(acme)).status_code == status

    def test_sends_a_visitor_to_sign_in(self, acme: Company, client: Client) -> None:
        answer = client.get(page(acme))
        assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/accounts/login/")

    def test_is_nothing_to_a_stranger_a_superuser_or_a_neighbour(self, world: World, sign_in: Any) -> None:
        for person in (world.stranger, world.operator, world.globex.owner):
            assert sign_in(person).get(page(world.acme)).status_code == 404

    def test_a_stranger_cannot_tell_it_from_nothing(self, world: World, sign_in: Any) -> None:
        browser = sign_in(world.stranger)
        there, nowhere = browser.get(page(world.acme)), browser.get("/o/nothing-0000/w/ws-nothing-000000/toy/")
        assert there.content == nowhere.content

    def test_a_workspace_is_found_only_under_its_own_organization(self, world: World, sign_in: Any) -> None:
        crossed = f"/o/{world.acme.organization.slug}/w/{world.globex.workspace.slug}/toy/"
        assert sign_in(world.acme.owner).get(crossed).status_code == 404

    def test_shows_rows_of_its_place_alone(self, acme: Company, sign_in: Any) -> None:
        shown = sign_in(acme.member).get(page(acme, "keys-toy")).content.decode()
        assert shown == "Acme user key Acme workspace key"

    def test_names_what_was_missing_and_writes_it_down(self, acme: Company, sign_in: Any) -> None:
        answer = sign_in(acme.member).get(page(acme))
        assert "prompts.publish" in answer.content.decode()
        line = AuditEvent.objects.latest("id")
        assert (line.event, line.status, line.actor_id) == ("access.refused", "refused", acme.member.pk)
        assert line.details == {"action": "prompts.publish"}


class TestTheEndpoint:
    """Drop the loop over `actions_needed` from MayPerformAction, and these fail."""

    def test_asks_before_it_answers(self, acme: Company, call: Any) -> None:
        assert call("GET", "/v1/toy", acme.secrets["workspace_key"]).status_code == 200
        refused = call("GET", "/v1/toy", acme.secrets["user_key"])
        assert (refused.status_code, refused.json()["error"]["action"]) == (403, "prompts.publish")

    def test_writes_the_refusal_down(self, acme: Company, call: Any) -> None:
        call("GET", "/v1/toy", acme.secrets["user_key"])
        line = AuditEvent.objects.latest("id")
        assert (line.event, line.actor_kind, line.actor_id) == ("access.refused", "key", acme.user_key.pk)

    def test_lets_nobody_in_without_a_key(self, acme: Company, call: Any, sign_in: Any) -> None:
        assert call("GET", "/v1/toy").status_code == 401
        assert sign_in(acme.owner).get("/v1/toy").status_code == 401

    def test_shows_rows_of_its_place_alone(self, acme: Company, call: Any) -> None:
        spanning = call("GET", "/v1/toy", acme.secrets["organization_key"]).json()
        assert spanning == ["Acme organization key", "Acme user key", "Acme workspace key"]
        of_workspace = call("GET", f"/v1/toy?workspace_id={acme.workspace.slug}", acme.secrets["organization_key"])
        assert of_workspace.json() == ["Acme user key", "Acme workspace key"]
        assert call("GET", "/v1/toy", acme.secrets["workspace_key"]).json() == ["Acme user key", "Acme workspace key"]

    @pytest.mark.parametrize("key", ["organization_key", "workspace_key"])
    def test_another_place_is_nothing(self, acme: Company, globex: Company, call: Any, key: str) -> None:
        """Drop `resolve` for keys, and this fails."""
        secret, foreign = acme.secrets[key], globex.workspace
        nothing = call("GET", "/v1/toy/ws-nothing-000000", secret)
        for reference in (foreign.slug, str(foreign.pk)):
            for url in (f"/v1/toy/{reference}", f"/v1/toy?workspace_id={reference}"):
                answer = call("GET", url, secret)
                assert (answer.status_code, answer.content) == (404, nothing.content)

    def test_a_workspace_key_stays_in_its_own(self, acme: Company, call: Any) -> None:
        for reference in (acme.other_workspace.slug, str(acme.other_workspace.pk)):
            assert call("GET", f"/v1/toy/{reference}", acme.secrets["workspace_key"]).status_code == 404

    def test_what_a_key_does_not_cover_is_nothing_even_beside_its_own(self, acme: Company, call: Any) -> None:
        """Drop `key.covers` from find_workspace, and a workspace key can tell a neighbour from nothing."""
        own, secret = acme.workspace.slug, acme.secrets["workspace_key"]
        answers = [
            call("GET", f"/v1/toy/{own}?workspace_id={reference}", secret)
            for reference in (acme.other_workspace.slug, str(acme.other_workspace.pk), "ws-nothing-000000")
        ]
        assert {(answer.status_code, answer.content) for answer in answers} == {(404, answers[-1].content)}

    def test_another_organization_is_nothing(self, acme: Company, globex: Company, call: Any) -> None:
        secret = acme.secrets["organization_key"]
        for reference in (str(globex.organization.pk), globex.organization.slug, "nonsense"):
            assert call("GET", f"/v1/toy?organisation_id={reference}", secret).status_code == 404
        for reference in (str(acme.organization.pk), acme.organization.slug):
            assert call("GET", f"/v1/toy?organisation_id={reference}", secret).status_code == 200

    def test_ids_that_disagree_are_an_error(self, acme: Company, call: Any) -> None:
        url = f"/v1/toy/{acme.workspace.slug}?workspace_id={acme.other_workspace.slug}"
        assert call("GET", url, acme.secrets["organization_key"]).status_code == 400


class TestForgetting:
    """A door that forgets its lock does not import."""

    def test_a_page_without_an_action(self) -> None:
        with pytest.raises(ImproperlyConfigured, match="which action"):
            type("Forgetful", (TenantMixin, View), {"model": Workspace})

    def test_a_page_with_its_mixin_behind(self) -> None:
        with pytest.raises(ImproperlyConfigured, match="first base"):
            type("Bypassed", (ListView, TenantMixin), {"action": Action.WORKSPACES_LIST, "model": Workspace})

    @pytest.mark.parametrize("method", ["dispatch", "enter", "get_queryset"])
    def test_a_page_that_replaces_its_frame(self, method: str) -> None:
        with pytest.raises(ImproperlyConfigured, match="not replace"):
            members = {"action": Action.WORKSPACES_LIST, "model": Workspace, method: lambda self: None}
            type("Willful", (TenantMixin, View), members)

    def test_an_endpoint_that_offers_what_it_does_not_name(self) -> None:
        members = {"model": OrganizationMembership, "actions": {}, "destroy": lambda self, request: None}
        with pytest.raises(ImproperlyConfigured, match="must name exactly"):
            type("Forgetful", (TenantViewSet,), members)

    def test_an_endpoint_that_replaces_its_rows(self) -> None:
        with pytest.raises(ImproperlyConfigured, match="not replace"):
            type("Willful", (TenantViewSet,), {"actions": {}, "get_queryset": lambda self: None})
