"""From where a key may call: IPv4, IPv6 and networks, as the outermost trusted proxy saw the caller."""

from typing import Any

import pytest
from django.test import Client

from apps.access.actors import UserActor
from apps.apikeys import operations as apikeys
from tests.world import Company


def narrowed(acme: Company, *networks: str) -> None:
    apikeys.update(acme.workspace_key, allowed_addresses=list(networks), by=UserActor(acme.manager))


def status(acme: Company, address: str, **headers: str) -> int:
    return (
        Client(REMOTE_ADDR=address).get("/v1/whoami", headers={**acme.headers("workspace_key"), **headers}).status_code
    )


@pytest.mark.parametrize(
    ("networks", "address", "expected"),
    [
        (["10.1.2.3"], "10.1.2.3", 200),
        (["10.1.2.3"], "10.1.2.4", 401),
        (["10.0.0.0/8"], "10.255.255.255", 200),
        (["10.0.0.0/8"], "11.0.0.0", 401),
        (["10.1.2.3/8"], "10.9.9.9", 200),
        (["2001:db8::/32"], "2001:db8::1", 200),
        (["2001:db8::/32"], "2001:db9::1", 401),
        (["2001:db8::/32"], "10.1.2.3", 401),
        (["192.168.0.0/16", "::1"], "::1", 200),
        (["10.1.2.3"], "::ffff:10.1.2.3", 200),
        (["::ffff:10.1.2.3"], "10.1.2.3", 200),
        (["::ffff:10.0.0.0/104"], "10.9.9.9", 200),
        (["0.0.0.0/1"], "::1", 401),
        (["10.1.2.3"], "", 401),
        (["10.1.2.3"], "unix:", 401),
    ],
)
def test_a_key_is_heard_from_where_it_says(acme: Company, networks: list[str], address: str, expected: int) -> None:
    narrowed(acme, *networks)
    assert status(acme, address) == expected


def test_what_is_refused_looks_like_any_other_bad_key(acme: Company) -> None:
    narrowed(acme, "10.1.2.3")
    bad = Client(REMOTE_ADDR="10.9.9.9").get("/v1/whoami", headers=acme.headers("workspace_key"))
    none = Client(REMOTE_ADDR="10.9.9.9").get("/v1/whoami", headers={"x-portkey-api-key": "nonsense"})
    assert bad.json() == none.json()


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-Connecting-IP", "True-Client-IP"])
def test_what_a_caller_writes_counts_for_nothing(acme: Company, name: str) -> None:
    """RL-02."""
    narrowed(acme, "10.1.2.3")
    assert status(acme, "10.9.9.9", **{name: "10.1.2.3"}) == 401


def test_only_the_trusted_proxys_word_counts(acme: Company, settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    narrowed(acme, "10.1.2.3")
    assert status(acme, "172.16.0.1", **{"X-Forwarded-For": "10.1.2.3"}) == 200
    assert status(acme, "172.16.0.1", **{"X-Forwarded-For": "10.1.2.3, 10.9.9.9"}) == 401


def test_they_are_kept_in_one_spelling_and_once(acme: Company) -> None:
    narrowed(acme, " 10.1.2.3/8", "10.0.0.0/8", "10.1.2.3/32", "2001:DB8:0::1")
    acme.workspace_key.refresh_from_db()
    assert acme.workspace_key.allowed_addresses == ["10.0.0.0/8", "10.1.2.3", "2001:db8::1"]


def test_none_is_from_anywhere(acme: Company) -> None:
    narrowed(acme)
    acme.workspace_key.refresh_from_db()
    assert acme.workspace_key.allowed_addresses is None
    assert status(acme, "203.0.113.9") == 200
