"""Lists: the envelope, the names of pages, whose rows they hold, and what they cost (contract 1.0, product P29)."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.apikeys.models import ApiKey
from apps.memberships import invitations
from apps.memberships import operations as memberships
from apps.memberships.models import Invitation, OrganizationMembership, WorkspaceMembership
from apps.workspaces import operations as workspaces
from apps.workspaces.models import Workspace
from tests.api.endpoints import LISTS, Endpoint, new_key, says
from tests.factories import UserFactory
from tests.world import Company, World, system

GROWING = [endpoint for endpoint in LISTS if endpoint.path != "/organisations"]


def grow(company: Company, count: int) -> None:
    """So many more of everything that is listed: people, seats, invitations, workspaces and keys."""
    for number in range(count):
        user = UserFactory()
        person = memberships.join(user, company.organization, OrganizationRole.MEMBER, by=system())
        memberships.place_in_workspace(company.workspace, person, WorkspaceRole.MEMBER, by=system())
        seat = invitations.Seat(company.workspace, WorkspaceRole.MEMBER, company.workspace.slug)
        offer = invitations.Offer(OrganizationRole.MEMBER, [seat])
        address = f"more{number}-{user.pk}@elsewhere.example"
        invitations.invite(company.organization, address, offer, by=system())
        workspaces.create(company.organization, name=f"More {number}", by=system())
        new_key(company.workspace, ["prompts.read"])


def pages(call: Any, path: str, secret: str, size: int) -> Iterator[dict[str, Any]]:
    number = 0
    while rows := call("GET", f"{path}?page_size={size}&current_page={number}", secret).json()["data"]:
        yield from rows
        number += 1


@pytest.mark.parametrize("endpoint", LISTS, ids=str)
class TestEveryList:
    def test_comes_in_the_envelope(self, acme: Company, call: Any, endpoint: Endpoint) -> None:
        body = call("GET", endpoint.of(acme), acme.secrets["organization_key"]).json()
        assert set(body) == {"object", "total", "data"}
        assert (body["object"], body["total"]) == ("list", len(body["data"]))

    @pytest.mark.parametrize("size", ["page_size", "pageSize"])
    @pytest.mark.parametrize("number", ["current_page", "currentPage", "page"])
    def test_knows_both_spellings_and_counts_from_zero(
        self, acme: Company, call: Any, endpoint: Endpoint, size: str, number: str
    ) -> None:
        path, secret = endpoint.of(acme), acme.secrets["organization_key"]
        whole = call("GET", path, secret).json()
        got = [call("GET", f"{path}?{size}=1&{number}={page}", secret).json() for page in range(whole["total"] + 1)]
        assert [body["data"] for body in got] == [[row] for row in whole["data"]] + [[]]
        assert {body["total"] for body in got} == {whole["total"]}

    def test_page_zero_is_the_first_page(self, acme: Company, call: Any, endpoint: Endpoint) -> None:
        path, secret = endpoint.of(acme), acme.secrets["organization_key"]
        assert call("GET", f"{path}?currentPage=0", secret).content == call("GET", path, secret).content

    @pytest.mark.parametrize("query", ["page_size=0", "page_size=-1", "pageSize=ten", "page_size=", "page_size=1.5",
                                       "page_size=%00", "page_size=٣", "current_page=-1", "page=x", "currentPage=1e3",
                                       f"current_page={'9' * 400}", "page_size=0x10"])  # fmt: skip
    def test_refuses_what_is_no_number(self, acme: Company, call: Any, endpoint: Endpoint, query: str) -> None:
        answer = call("GET", f"{endpoint.of(acme)}?{query}", acme.secrets["organization_key"])
        assert says(answer, 400, "AB01")
        assert answer.json()["error"]["param"] == query.partition("=")[0]

    @pytest.mark.parametrize("query", ["page_size=1000000000", "current_page=999999999999999999"])
    def test_bears_large_numbers(self, acme: Company, call: Any, endpoint: Endpoint, query: str) -> None:
        assert call("GET", f"{endpoint.of(acme)}?{query}", acme.secrets["organization_key"]).status_code == 200

    def test_ignores_what_it_does_not_know(self, acme: Company, globex: Company, call: Any, endpoint: Endpoint) -> None:
        """TI-11: no parameter reaches the database's own words."""
        path, secret = endpoint.of(acme), acme.secrets["organization_key"]
        odd = f"search=a&ordering=organization__name&name__contains=a&organization={globex.organization.pk}"
        odd += "&organization__name=Globex&id__in=1&user__password__startswith=a&role__in=x"
        odd += "&order_by=-id&limit=1&offset=1&fields=digest"
        assert call("GET", f"{path}?{odd}", secret).content == call("GET", path, secret).content

    def test_another_organization_is_nothing(self, world: World, call: Any, endpoint: Endpoint) -> None:
        """TI-03."""
        path, secret = endpoint.of(world.acme), world.acme.secrets["organization_key"]
        own, foreign = world.acme.organization, world.globex.organization
        for named in (foreign.pk, foreign.slug, "nothing", "%00"):
            assert says(call("GET", f"{path}?organisation_id={named}", secret), 404, "AB08")
        for named in (own.pk, own.slug):
            assert call("GET", f"{path}?organisation_id={named}", secret).status_code == 200

    def test_nor_is_another_organizations_workspace(self, world: World, call: Any, endpoint: Endpoint) -> None:
        path, secret, foreign = endpoint.of(world.acme), world.acme.secrets["organization_key"], world.globex.workspace
        for named in (foreign.pk, foreign.slug, "nothing", "%00"):
            assert says(call("GET", f"{path}?workspace_id={named}", secret), 404, "AB08")


@pytest.mark.parametrize("endpoint", LISTS, ids=str)
@pytest.mark.parametrize("key", ["organization_key", "user_key"])
def test_a_list_costs_the_same_however_long_it_is(acme: Company, call: Any, endpoint: Endpoint, key: str) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            call("GET", endpoint.of(acme), acme.secrets[key])
        return len(queries)

    grow(acme, 2)
    cost()  # a first refusal is a line, those after it are counted
    short = cost()
    grow(acme, 10)
    assert cost() == short <= 8


# What each list must hold, said once more in plain queries: the oracle of TI-04.
ORACLE: dict[str, Callable[[Company], Any]] = {
    "/admin/users": lambda c: OrganizationMembership.objects.filter(
        organization_id=c.organization.pk
    ).values_list("user"),
    "/admin/users/invites": lambda c: Invitation.objects.filter(organization_id=c.organization.pk).values_list("pk"),
    "/admin/workspaces": lambda c: Workspace.objects.filter(organization_id=c.organization.pk).values_list("pk"),
    "/admin/workspaces/{workspace}/users": lambda c: WorkspaceMembership.objects.filter(
        workspace_id=c.workspace.pk
    ).values_list("membership__user"),
    "/api-keys": lambda c: ApiKey.objects.filter(organization_id=c.organization.pk).values_list("pk"),
}  # fmt: skip


@pytest.mark.parametrize("endpoint", GROWING, ids=str)
def test_a_list_holds_all_of_ones_own_and_nothing_else(world: World, call: Any, endpoint: Endpoint) -> None:
    """TI-04: every page of every size, for both companies."""
    for company in (world.acme, world.globex):
        grow(company, 12)
    for company in (world.acme, world.globex):
        expected = sorted(str(pk) for (pk,) in ORACLE[endpoint.path](company))
        for size in (1, 7, 1000):
            rows = list(pages(call, endpoint.of(company), company.secrets["organization_key"], size))
            assert sorted(row["id"] for row in rows) == expected


def test_the_newest_comes_first(acme: Company, call: Any) -> None:
    grow(acme, 3)
    for endpoint in GROWING:
        rows = call("GET", endpoint.of(acme), acme.secrets["organization_key"]).json()["data"]
        made = [row["created_at"] for row in rows]
        assert made == sorted(made, reverse=True), str(endpoint)


def test_a_page_holds_a_hundred_and_a_team_fifty(acme: Company, call: Any) -> None:
    people = [UserFactory() for _ in range(101)]
    OrganizationMembership.objects.bulk_create(
        OrganizationMembership(organization=acme.organization, user=user, role="member") for user in people
    )
    WorkspaceMembership.objects.bulk_create(
        WorkspaceMembership(
            organization=acme.organization, workspace=acme.workspace, membership=acme.membership(user), role="member"
        )
        for user in people[:60]
    )
    secret = acme.secrets["organization_key"]
    assert len(call("GET", "/v1/admin/users", secret).json()["data"]) == 100
    team = call("GET", f"/v1/admin/workspaces/{acme.workspace.slug}/users", secret).json()
    assert (team["total"], len(team["data"])) == (64, 50)
