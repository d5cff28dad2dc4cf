"""`organisations`: the organization a key is for."""

from typing import Any

from apps.organizations import operations
from tests.api.endpoints import new_key, says
from tests.world import Company, system


def test_there_is_exactly_one_and_it_is_the_keys(acme: Company, globex: Company, call: Any) -> None:
    operations.update(acme.organization, description="We make everything.", by=system())
    for company, description in ((acme, "We make everything."), (globex, None)):
        body = call("GET", "/v1/organisations", company.secrets["organization_key"]).json()
        assert (body["object"], body["total"], len(body["data"])) == ("list", 1, 1)
        shown = body["data"][0]
        assert set(shown) == {"id", "slug", "name", "description", "status", "created_at", "last_updated_at", "object"}
        assert (shown["id"], shown["slug"]) == (str(company.organization.pk), company.organization.slug)
        assert (shown["name"], shown["status"]) == (company.organization.name, "active")
        assert (shown["description"], shown["object"]) == (description, "organisation")


def test_the_second_page_is_empty(acme: Company, call: Any) -> None:
    body = call("GET", "/v1/organisations?current_page=1", acme.secrets["organization_key"]).json()
    assert (body["total"], body["data"]) == (1, [])


def test_it_needs_its_own_scope(acme: Company, call: Any) -> None:
    assert call("GET", "/v1/organisations", new_key(acme.organization, ["organisations.read"])).status_code == 200
    for secret in (acme.secrets["workspace_key"], new_key(acme.organization, ["workspaces.read"])):
        answer = call("GET", "/v1/organisations", secret)
        assert says(answer, 403, "AB03")
        assert answer.json()["error"]["action"] == "organisations.read"


def test_a_suspended_organizations_keys_are_not_let_in(acme: Company, call: Any) -> None:
    operations.set_status(acme.organization, acme.organization.Status.SUSPENDED, by=system())
    assert says(call("GET", "/v1/organisations", acme.secrets["organization_key"]), 401, "AB02")
