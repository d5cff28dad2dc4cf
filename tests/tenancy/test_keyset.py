"""Long lists page by page: every row once, whatever they are sorted by, in both directions."""

from typing import Any

import pytest
from django.http import QueryDict

from apps.core.errors import Invalid
from apps.memberships.models import OrganizationMembership
from apps.memberships.querysets import SEEN
from apps.tenancy import keyset
from apps.tenancy.keyset import Order, Page
from tests.world import Company, World

ORDERS = {
    "joined": keyset.NEWEST_FIRST,
    "name": Order("name_key"),
    "e-mail": Order("address_key"),
    "role": Order("role"),
    "seen": Order(SEEN, descending=True),
}


def members(acme: Company) -> Any:
    return OrganizationMembership.objects.filter(organization=acme.organization)


def turned(rows: Any, order: Order, **query: str | None) -> Page:
    asked = QueryDict(mutable=True)
    asked.update({name: value for name, value in query.items() if value})
    return keyset.page(rows, asked, 3, order)


@pytest.mark.parametrize("order", [*ORDERS.values(), *(order.reversed() for order in ORDERS.values())], ids=str)
def test_every_row_comes_once_there_and_back(acme: Company, order: Order) -> None:
    expected = [row.pk for row in order.applied(members(acme))]
    page = turned(members(acme), order)
    there, pages = [row.pk for row in page.rows], [page]
    while page.older:
        page = turned(members(acme), order, after=page.older)
        pages.append(page)
        there += [row.pk for row in page.rows]
    assert there == expected
    assert page.older is None
    assert pages[0].newer is None
    for earlier in reversed(pages[:-1]):
        page = turned(members(acme), order, before=page.newer)
        assert [row.pk for row in page.rows] == [row.pk for row in earlier.rows]


@pytest.mark.parametrize(
    ("order", "bookmark"),
    [
        (ORDERS["name"], "1-" + "0" * 32),  # an instant, where names are sorted
        (ORDERS["joined"], "~YQ-" + "0" * 32),  # a name, where instants are
        (ORDERS["name"], "~____-" + "0" * 32),
        (ORDERS["name"], "~AA-" + "0" * 32),
        (ORDERS["joined"], "ffffffffffffffff-" + "0" * 32),
        (ORDERS["seen"], "~-" + "0" * 32),
        (ORDERS["name"], "nonsense"),
    ],
)
def test_a_bookmark_nobody_handed_out_is_refused(acme: Company, order: Order, bookmark: str) -> None:
    for way in (keyset.OLDER, keyset.NEWER):
        with pytest.raises(Invalid, match="Start from the first page"):
            turned(members(acme), order, **{way: bookmark})


@pytest.mark.parametrize("sort", ["name", "-name", "role", "nonsense", "-", "--name", "\0", "joined"])
def test_a_list_opens_however_it_is_asked_to_be_sorted(world: World, sign_in: Any, sort: str) -> None:
    acme = world.acme
    answer = sign_in(acme.owner).get(f"/o/{acme.organization.slug}/members/", {"sort": sort, "size": "999"})
    assert answer.status_code == 200
