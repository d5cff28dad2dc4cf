"""The page of the log, its searches and its file, over ten thousand lines and over ten million, in one database.

uv run python -m tests.benchmarks.bench_log --database postgres:///bench_log --lines 10000000

Fills the database on its first run, set-wise and without a chain: the lines are read here, not verified.
"""

import argparse
import logging
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.test import Client

from apps.access.roles import OrganizationRole
from apps.accounts.models import User
from apps.audit.models import AuditEvent, AuditHead, AuditNames
from apps.memberships import operations as memberships
from apps.memberships.models import OrganizationMembership
from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from tests.benchmarks.databases import connect, using
from tests.benchmarks.freshness import BENCHMARK
from tests.benchmarks.measuring import Setting, Verdict, Way, judge, race, tell

FEW, MANY = "few", "many"
PEOPLE = 2_000
ASKED = (
    *("", "after%3Astart", "q=after%3A30d", "q=result%3Arefused+after%3Astart", "q=-result%3Arefused+after%3Astart"),
    *("q=person-7+after%3Astart", "q=nobody+after%3Astart"),
    *("q=action%3Aapi_key.updated+after%3Astart", "q=-action%3Aworkspace+after%3Astart", "q=door%3Aapi+after%3Astart"),
    *("q=ip%3A192.0.2.7+after%3Astart", "q=before%3A90d+after%3Astart", "q=target%3Akey-77+after%3Astart"),
)


def main() -> None:
    given = _arguments()
    logging.disable()
    with using(connect(given.database)):
        call_command("migrate", verbosity=0)
        slugs = {FEW: _filled(FEW, 10_000), MANY: _filled(MANY, given.lines)}
        settings = {name: Setting(connections[DEFAULT_DB_ALIAS], _visitor(slug)) for name, slug in slugs.items()}
        results = race("pages of the log", WAYS, settings, given.rounds)
    rows = [
        (
            way.name,
            results.queries[FEW, way.name],
            results.queries[MANY, way.name],
            results.milliseconds(FEW, way.name),
            results.milliseconds(MANY, way.name),
            results.growth(way.name, after=MANY, before=FEW),
        )
        for way in WAYS
    ]
    tell(f"10 000 lines and {given.lines}", ("", "queries", "many", "ms, few", "ms, many", "many / few"), rows)
    judge([Verdict(name or "the page", growth, 1.5) for name, *_, growth in rows])


def _ways() -> Sequence[Way]:
    def way(asked: str) -> Way:
        return Way(asked, lambda visitor: _shown(visitor[0].get(f"/o/{visitor[1]}/audit/?{asked}")))

    return [way(asked) for asked in ASKED]


def _shown(response: Any) -> int:
    if response.status_code != 200:
        raise SystemExit(f"{response.status_code}: {response.content[:500]!r}")
    return int(response.status_code)


WAYS = _ways()


def _visitor(slug: str) -> Any:
    organization = Organization.objects.get(slug=slug)
    owner = OrganizationMembership.objects.filter(organization=organization, role=OrganizationRole.OWNER)[0].user
    browser = Client()
    browser.force_login(owner)
    return lambda: (browser, slug)


def _filled(name: str, lines: int) -> str:
    found = Organization.objects.filter(name=name).first()
    if found is not None:
        return str(found.slug)
    with transaction.atomic():
        made = organizations.create(name=name, by=BENCHMARK)
        owner = User.objects.create(email=f"owner@{name}.example")
        memberships.join(owner, made, OrganizationRole.OWNER, by=BENCHMARK)
        with _without_indexes():
            _write(made.pk, lines)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return str(made.slug)


@contextmanager
def _without_indexes() -> Iterator[None]:
    """They are made anew afterwards, which is faster than writing ten million lines into them."""
    found = [(model, index) for model in (AuditEvent, AuditNames) for index in model._meta.indexes]
    with connection.schema_editor() as editor:
        for model, index in found:
            editor.remove_index(model, index)
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with connection.schema_editor() as editor:
        for model, index in found:
            editor.add_index(model, index)


def _write(chain: uuid.UUID, lines: int) -> None:
    """Lines over a year, newest last: of two thousand people and as many keys, one in fifty refused."""
    start = AuditHead.objects.get(chain=chain).sequence
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO audit_auditevent (chain, sequence, form, at, event, status, actor_kind, actor_id, actor_role,
              target_type, target_id, door, method, uri, request_id, code, count, details, names_digest,
              previous, digest)
            SELECT %(chain)s, %(start)s + n, 2, now() - (%(lines)s - n) * (interval '365 days' / %(lines)s),
              (array['workspace.updated', 'api_key.updated', 'membership.role_changed', 'invitation.created',
                     'api_key.issued', 'workspace.created', 'api_key.disabled', 'access.refused'])[1 + n %% 8],
              CASE WHEN n %% 50 = 0 THEN 'refused' ELSE 'done' END, 'person',
              md5('person' || (n * 7919) %% %(people)s || %(chain)s)::uuid, 'organization:admin', 'apikeys.apikey',
              md5('key' || (n * 104729) %% %(people)s || %(chain)s)::uuid::text,
              CASE WHEN n %% 3 = 0 THEN 'api' ELSE 'page' END, 'PUT', '/v1/x', md5(n::text),
              200, 1, '{"after":{"name":"b"},"before":{"name":"a"}}', '', '', ''
            FROM generate_series(1, %(lines)s::bigint) n
            """,
            {"chain": chain, "start": start, "lines": lines, "people": PEOPLE},
        )
        cursor.execute(
            """
            INSERT INTO audit_auditnames (line_id, chain, address, names, salt)
            SELECT id, chain, '192.0.2.' || sequence %% 250, '{"actor":"person@bench.example","target":"key"}', ''
            FROM audit_auditevent WHERE chain = %s AND sequence > %s
            """,
            [chain, start],
        )
        for kind, said in (("person", ("person-{}@bench.example", "person-{}")), ("key", ("key-{}",))):
            for pattern in said:
                cursor.execute(
                    "INSERT INTO audit_auditword (chain, word, subject) SELECT %s, replace(%s, '{}', n::text), "
                    "md5(%s || n || %s)::uuid::text FROM generate_series(0, %s) n",
                    [chain, pattern, kind, chain, PEOPLE - 1],
                )
    AuditHead.objects.filter(chain=chain).update(sequence=start + lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", default="postgres:///bench_log")
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=15)
    return parser.parse_args()


if __name__ == "__main__":
    main()
