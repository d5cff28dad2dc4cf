"""Goal 4: what it costs to recognise a key, beside what others take for it, whoever owns one key or fifty.

uv run --group bench python -m tests.benchmarks.bench_keys --database postgres:///bench_large
"""

import argparse
import logging
import os
import random
import secrets
import statistics
import sys
from collections.abc import Callable
from math import sqrt
from time import perf_counter_ns
from typing import Any, NamedTuple

from django.conf import settings

if "knox" not in settings.INSTALLED_APPS:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.peers"
    os.execv(sys.executable, [sys.executable, "-m", "tests.benchmarks.bench_keys", *sys.argv[1:]])

from django.core.management import call_command
from django.db import connection, transaction
from knox.models import AuthToken
from rest_framework.authtoken.models import Token
from rest_framework_api_key.models import APIKey
from rich.progress import track

from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.access.scopes import KeyType
from apps.accounts.models import User
from apps.apikeys import operations as apikeys
from apps.apikeys.models import ApiKey
from apps.apikeys.secret import ALPHABET, PREFIXES, _checksum
from apps.memberships import operations as memberships
from apps.memberships.models import OrganizationMembership
from apps.organizations.models import Organization
from apps.workspaces import operations as workspaces
from tests.benchmarks.databases import connect, using
from tests.benchmarks.fill import LARGE
from tests.benchmarks.freshness import BENCHMARK
from tests.benchmarks.measuring import PREPARED, Results, Setting, Verdict, Way, console, judge, race, tell
from tests.benchmarks.stacks import caller

ROWS = 100_000  # of each library that is measured beside us; of ours there are more
OWNERS = 20  # of each number of keys
FEW, MANY = "1 key", "50 keys"
KEY = "HTTP_X_PORTKEY_API_KEY"
FLOOR = "DRF, no authentication"
ORGANIZATION, WORKSPACE, PERSON = "ours, organization key", "ours, workspace key", "ours, person's key"
BEFORE = "ours, workspace key, through the ORM"
PEER, TOKEN, KNOX = "djangorestframework-api-key", "DRF TokenAuthentication", "django-rest-knox"
JUNK_KEY, JUNK_BEARER = "ours, no key at all", "ours, 1 MB of nothing"
UNKNOWN, NEAR, REVOKED = "unknown", "unknown, 20 characters of a live one", "revoked"

# With "none" as behind a pooler that allows no more; with "all" the ORM's, so that the others have their share.
PLANS: dict[str, dict[str, Any]] = {"ours": {"prepare_threshold": 3}, "none": {}, "all": PREPARED}

Credentials = dict[str, str]  # {way: secret}


class Asked(NamedTuple):
    """One request: whose secrets, and how a request is made."""

    call: Callable[..., int]
    secrets: Credentials


def main() -> None:
    given = _arguments()
    logging.disable()
    database = connect(given.database, **PLANS[given.plans])
    database.settings_dict["CONN_MAX_AGE"] = None  # as with a pool: connecting is not what is measured
    with using(database):
        call_command("migrate", verbosity=0)
        _fill_peers()
        owners = {FEW: _owners(1), MANY: _owners(50)}
        unheard = _unheard()
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    call = caller()
    ways = {name: Setting(database, _drawn(call, drawn)) for name, drawn in owners.items()}
    lowest = given.lowest
    recognised = race("recognised", WAYS, ways, given.rounds, is_of_lowest=lowest)
    junk = race("junk", JUNK, {FEW: Setting(database, lambda: call)}, given.rounds // 2, is_of_lowest=lowest)
    with using(database):
        timing = _timing(call, unheard, given.samples)
    _show(recognised, junk)
    judge(_verdicts(recognised, junk, timing))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", default="postgres:///bench_large", help="filled with 1 000 000 memberships")
    parser.add_argument("--rounds", type=int, default=1000, help="how often each way is timed (1000)")
    parser.add_argument("--samples", type=int, default=5000, help="of each secret that is not let in (5000)")
    parser.add_argument("--plans", choices=PLANS, default="ours", help="whose plans PostgreSQL keeps (ours)")
    parser.add_argument("--lowest", action="store_true", help="the lowest tenth, not medians: on a busy machine")
    return parser.parse_args()


def _asks(stack: str, way: str, header: str = KEY, form: str = "{}") -> Way:
    return Way(way, lambda asked: asked.call(stack, header, form.format(asked.secrets[way])) == 200)


BEARER = "HTTP_AUTHORIZATION"
WAYS = [
    Way(FLOOR, lambda asked: asked.call("drf") == 200),
    _asks("ours", ORGANIZATION),
    _asks("ours", WORKSPACE),
    _asks("ours", PERSON),
    _asks("orm", BEFORE),
    _asks("api-key", PEER, BEARER, "Api-Key {}"),
    _asks("token", TOKEN, BEARER, "Token {}"),
    _asks("knox", KNOX, BEARER, "Token {}"),
]
JUNK = [
    Way(FLOOR, lambda call: call("drf") == 200),
    Way(JUNK_KEY, lambda call: call("ours", KEY, "gtho_" + "a" * 38) == 401),
    Way(JUNK_BEARER, lambda call: call("ours", BEARER, "Bearer " + MEGABYTE) == 401),
]
MEGABYTE = "x" * 1_000_000


def _drawn(call: Callable[..., int], owners: list[Credentials]) -> Callable[[], Asked]:
    return lambda: Asked(call, random.choice(owners))


# Who has how many keys.


@transaction.atomic
def _owners(count: int) -> list[Credentials]:
    """Members of the large organization with so many keys of each sort in a workspace of theirs; one is presented.

    The organization itself has tens of thousands; beside the owners of one, a small one's key is presented.
    """
    large = Organization.objects.get(slug=LARGE)
    few = Organization.objects.exclude(pk=large.pk).order_by("pk")[:OWNERS]
    members = OrganizationMembership.objects.active().filter(organization=large, role=OrganizationRole.MEMBER)
    keyless = members.exclude(user__in=ApiKey.objects.exclude(user=None).values("user"))
    people = keyless.select_related("organization", "user").order_by("pk")[:OWNERS]
    owned = [large] * OWNERS if count > 1 else few
    return [_owner(*pair, count) for pair in track(list(zip(people, owned, strict=True)), f"{count} keys each")]


def _owner(membership: OrganizationMembership, organization: Organization, count: int) -> Credentials:
    workspace = workspaces.create(membership.organization, name="of the benchmark", by=BENCHMARK)
    memberships.add_to_workspace(workspace, membership, WorkspaceRole.MEMBER, by=BENCHMARK)
    mine: Credentials = {ORGANIZATION: _issue(organization, 0)}
    AuthToken.objects.filter(user=membership.user).delete()
    for number in range(count):
        mine[WORKSPACE] = mine[BEFORE] = _issue(workspace, number)
        mine[PERSON] = _issue(workspace, number, user=membership.user)
        _, mine[KNOX] = AuthToken.objects.create(membership.user)
    _, mine[PEER] = APIKey.objects.create_key(name="one")
    mine[TOKEN] = Token.objects.get_or_create(user=membership.user)[0].key
    return mine


def _issue(place: Any, number: int, **more: Any) -> str:
    made = apikeys.issue(place, name=f"bench {number}", scopes=["workspaces.read"], by=BENCHMARK, **more)
    return made.secret.clear


def _fill_peers() -> None:
    """As many rows for the others, in the shape their own code writes."""
    hexadecimal = "encode(sha256(convert_to({} || n || random(), 'UTF8')), 'hex')"
    numbers = f"generate_series(1, {ROWS}) n"
    people = f'(SELECT id, row_number() OVER (ORDER BY id) n FROM "{User._meta.db_table}" LIMIT {ROWS}) person'
    one, two = hexadecimal.format("'a'"), hexadecimal.format("'b'")
    key, token, knox = (model._meta.db_table for model in (APIKey, Token, AuthToken))
    hashed = f"'sha512$$' || {one} || {two}"
    with connection.cursor() as cursor:
        if not APIKey.objects.exists():
            cursor.execute(
                f'INSERT INTO "{key}" (id, prefix, hashed_key, created, name, revoked) '
                f"SELECT prefix || '.' || hash, prefix, hash, now(), 'Key ' || n, false FROM "
                f"(SELECT n, lpad(to_hex(n), 8, '0') prefix, {hashed} hash FROM {numbers}) made"
            )
        if not Token.objects.exists():
            cursor.execute(
                f'INSERT INTO "{token}" (key, user_id, created) SELECT left({one}, 40), id, now() FROM {people}'
            )
        if not AuthToken.objects.exists():
            cursor.execute(
                f'INSERT INTO "{knox}" (digest, token_key, user_id, created, expiry) '
                f"SELECT {one} || {two}, left({one}, 15), id, now(), now() + interval '10 hours' FROM {people}"
            )


# What cannot be told apart by waiting for the answer (AK-09).


def _unheard() -> dict[str, list[str]]:
    """Well-formed secrets that are not let in: of nobody, close to a live one, and once somebody's."""
    workspace = ApiKey.objects.with_places().filter(name="bench 0", type=KeyType.WORKSPACE).latest("pk").workspace
    gone = []
    for number in range(OWNERS):
        made = apikeys.issue(workspace, name=f"gone {number}", scopes=["workspaces.read"], by=BENCHMARK)
        apikeys.revoke(made.key, by=BENCHMARK)
        gone.append(made.secret.clear)
    live = [_issue(workspace, number) for number in range(OWNERS)]
    return {
        UNKNOWN: [_well_formed(PREFIXES[KeyType.WORKSPACE]) for _ in range(OWNERS)],
        NEAR: [_well_formed(clear[:20]) for clear in live],
        REVOKED: gone,
    }


def _well_formed(beginning: str) -> str:
    body = beginning + "".join(secrets.choice(ALPHABET) for _ in range(37 - len(beginning)))
    return body + _checksum(body)


def _timing(call: Callable[..., int], unheard: dict[str, list[str]], count: int) -> dict[str, float]:
    """Welch's t of each against the unknown ones, over what is left when the slowest tenth of each is cut off."""
    samples: dict[str, list[float]] = {name: [] for name in unheard}
    for number in track(range(count), "timing", console=console, transient=True):
        for name in random.sample(list(unheard), len(unheard)):
            clear = unheard[name][number % OWNERS]
            start = perf_counter_ns()
            status = call("ours", KEY, clear)
            samples[name].append((perf_counter_ns() - start) / 1e3)
            if status != 401:
                raise SystemExit(f"{name}: {status}")
    kept = {name: sorted(each)[: len(each) * 9 // 10] for name, each in samples.items()}
    found = {name: _welch(each, kept[UNKNOWN]) for name, each in kept.items()}
    rows = [[name, statistics.mean(each), statistics.stdev(each), found[name]] for name, each in kept.items()]
    tell(f"Secrets that are not let in, {count} of each", ("", "µs", "spread", "Welch's t"), rows)
    return {name: abs(found[name]) for name in (NEAR, REVOKED)}


def _welch(one: list[float], other: list[float]) -> float:
    spread = sqrt(statistics.variance(one) / len(one) + statistics.variance(other) / len(other))
    return (statistics.mean(one) - statistics.mean(other)) / spread


def _show(results: Results, junk: Results) -> None:
    rows: list[list[object]] = []
    for way in WAYS:
        cells: list[object] = [way.name, results.queries[FEW, way.name]]
        for owner in (FEW, MANY):
            cells += [results.milliseconds(owner, way.name) * 1000, results.over(owner, way.name, FLOOR)]
        rows.append([*cells, results.growth(way.name, after=MANY, before=FEW)])
    for way in JUNK[1:]:
        timed = junk.milliseconds(FEW, way.name) * 1000, junk.over(FEW, way.name, FLOOR)
        rows.append([way.name, junk.queries[FEW, way.name], *timed, "-", "-", "-"])
    headings = ("", "queries", "µs, 1 key", "x DRF", "µs, 50 keys", "x DRF", "50 / 1")
    tell("A request by a caller with", headings, rows, caption=f"Answers that differ: {results.disagreements}")


def _verdicts(results: Results, junk: Results, timing: dict[str, float]) -> list[Verdict]:
    ours = ORGANIZATION, WORKSPACE, PERSON
    both = FEW, MANY

    def worst(way: str, beside: str) -> float:
        return max(results.over(owner, way, beside) for owner in both)

    return [
        *(Verdict(f"{way}, against DRF without authentication", worst(way, FLOOR), 3) for way in ours),
        *(Verdict(f"{way}, against {PEER}", worst(way, PEER), 0.5) for way in ours),
        *(Verdict(f"{way}, against {KNOX}", worst(way, KNOX), 0.25) for way in ours),
        *(Verdict(f"{way}, 50 keys against 1", results.growth(way, after=MANY, before=FEW), 1.15) for way in ours),
        *(Verdict(f"{way}, queries", results.queries[MANY, way], 1, "") for way in ours),
        *(Verdict(f"{way}, queries", junk.queries[FEW, way], 0, "") for way in (JUNK_KEY, JUNK_BEARER)),
        *(Verdict(f"{name}, told from an unknown one: Welch's t", found, 4.5, "") for name, found in timing.items()),
        Verdict("calls that were answered otherwise than they should", results.disagreements, 0, ""),
    ]


if __name__ == "__main__":
    main()
