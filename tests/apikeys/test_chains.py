"""However acts on keys follow one another, nobody comes to hold more than was handed to them (ES-04 to ES-06).

`CHAINS=100000 pytest tests/apikeys/test_chains.py` is the long run.
"""

import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.access.actors import Actor, UserActor
from apps.access.scopes import ALLOWED, FREELY_GIVEN, KeyType
from apps.apikeys import keeping, operations, rotation
from apps.apikeys import operations as apikeys
from apps.apikeys.models import ApiKey
from apps.core.errors import DomainError
from tests.api.endpoints import rolled_back
from tests.world import Company

CHAINS = int(os.environ.get("CHAINS", "2000"))
LINKS = 8
RIGHTS = [f"workspace_service_api_keys.{verb}" for verb in ("create", "update", "rotate")]
SCOPES = st.lists(st.sampled_from(sorted(ALLOWED[KeyType.WORKSPACE])), min_size=1, max_size=6, unique=True)
# Who acts and on which key are numbers into whoever there is by then.
LINK = st.tuples(st.sampled_from(["issue", "widen", "rotate"]), st.integers(0, 99), st.integers(0, 99), SCOPES)
CHAIN = st.tuples(SCOPES, st.lists(LINK, min_size=1, max_size=LINKS))


def held(actor: Actor, acme: Company) -> set[str]:
    return {action.value for action in actor.actions_in(acme.workspace)}


def key_of(acme: Company, scopes: list[str]) -> ApiKey:
    return ApiKey(
        organization=acme.organization, workspace=acme.workspace, type=KeyType.WORKSPACE, scopes=scopes, name="k"
    )


def follow(acme: Company, actors: list[Actor], link: Any) -> tuple[Actor, ApiKey] | None:
    """Tries one act; answers who came to hold which secret, or nothing where it was refused."""
    act, who, which, scopes = link
    by = actors[who % len(actors)]
    keys = [actor for actor in actors if isinstance(actor, ApiKey)]
    try:
        if act == "issue":
            apikeys.gate.require(by, operations.action_on(KeyType.WORKSPACE, "create"), acme.workspace)
            measured = operations.measure(scopes, KeyType.WORKSPACE, acme.workspace, by=by)
            actors.append(key_of(acme, measured))
            return by, actors[-1]  # type: ignore[return-value]
        target = keys[which % len(keys)]
        if act == "widen":
            apikeys.gate.require(by, operations.action_on(KeyType.WORKSPACE, "update"), acme.workspace)
            added = sorted(set(scopes) - set(target.scopes))
            keeping.refuse_overreach(added, KeyType.WORKSPACE, acme.workspace, by)
            target.scopes = scopes
            return None
        rotation.ask_to_rotate(target, by)
        return by, target
    except DomainError:
        return None


@settings(
    max_examples=CHAINS,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(chain=CHAIN)
def test_no_chain_of_acts_leads_beyond_where_it_began(acme: Company, chain: Any) -> None:
    first, links = chain
    beginner = key_of(acme, [*first, *RIGHTS])
    actors: list[Actor] = [beginner]
    bound = held(beginner, acme) | {action.value for action in FREELY_GIVEN}
    for link in links:
        before = {id(actor): held(actor, acme) for actor in actors}
        handed = follow(acme, actors, link)
        for actor in actors:
            assert held(actor, acme) <= bound, link
        if handed is not None:
            by, key = handed
            assert held(key, acme) <= before[id(by)] | {action.value for action in FREELY_GIVEN}, link


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chain=CHAIN)
def test_nor_does_one_through_the_operations(acme: Company, chain: Any) -> None:
    """The same with rows, locks and lines, and with a manager beside the keys."""
    first, links = chain
    with rolled_back():
        scopes = [*first, *RIGHTS]
        beginner = apikeys.issue(acme.workspace, name="first", scopes=scopes, by=UserActor(acme.owner)).key
        actors: list[Any] = [beginner]
        bound = held(beginner, acme) | {action.value for action in FREELY_GIVEN}
        for act, who, which, wanted in links:
            by, target = actors[who % len(actors)], actors[which % len(actors)]
            try:
                if act == "issue":
                    actors.append(apikeys.issue(acme.workspace, name="next", scopes=wanted, by=by).key)
                elif act == "widen":
                    actors[which % len(actors)] = apikeys.update(target, scopes=wanted, by=by)
                else:
                    rotation.rotate(target, by=by)
            except DomainError:
                continue
            rows = ApiKey.objects.with_places().filter(pk__in=[actor.pk for actor in actors])
            assert all(held(key, acme) <= bound for key in rows), (act, wanted)
