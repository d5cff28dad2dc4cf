"""The page that describes the API: Swagger from our own files, under the same strict policy as every page."""

from typing import Any

import pytest

from tests.world import Company

pytestmark = pytest.mark.browser


def test_an_endpoint_can_be_tried_on_the_page(acme: Company, visitor: Any) -> None:
    reader = visitor()
    page = reader.go("/v1/docs")
    page.get_by_role("button", name="Authorize").click()
    page.get_by_label("Value:").first.fill(acme.secrets["workspace_key"])
    page.get_by_role("button", name="Apply credentials").first.click()
    page.get_by_role("button", name="Close").first.click()
    page.locator("#operations-API_keys-whoami_retrieve .opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.get_by_text(str(acme.workspace_key.pk)).first.wait_for()
    assert reader.troubles == []
