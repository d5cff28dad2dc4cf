"""Fills an empty PostgreSQL database to any size, with the rows that the product's own operations would write.

    uv run python -m tests.benchmarks.fill --memberships 1000000 --database postgres:///bench_large

Everything is written set-wise and in one transaction: all of it, or, when it is interrupted, nothing. The audit log
stays empty.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection, models, transaction
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from apps.access.actions import Action
from apps.access.roles import OrganizationRole, WorkspaceRole, actions_of
from apps.access.rows import permission_ids
from apps.access.scopes import KeyType
from apps.accounts.models import User
from apps.apikeys.models import ApiKey, ApiKeyWord
from apps.apikeys.secret import pepper_version
from apps.memberships.models import MemberWord, OrganizationMembership, WorkspaceMembership
from apps.organizations.models import Organization, OrganizationGroupPermission, OrganizationRoleGroup
from apps.workspaces.models import Workspace, WorkspaceGroupPermission, WorkspaceRoleGroup, WorkspaceWord
from apps.workspaces.operations import DEFAULT_NAME
from tests.benchmarks import sample
from tests.benchmarks.databases import connect, using
from tests.benchmarks.setwise import Insert, without_indexes

InGroup = User.groups.through
LARGE, SMALL = "large", "small-1"  # the slugs of the large organization, and of the first small one


@dataclass(frozen=True)
class Size:
    """How many of everything: half of the memberships in one large organization, half in small ones.

    A small organization has 10 members, 10 workspaces with 9 of them in each, and 10 keys: 100 memberships.
    """

    memberships: int

    @property
    def small_organizations(self) -> int:
        return self.memberships // 200

    @property
    def members(self) -> int:
        """In the large organization, whose people are on four teams each; it has as many keys."""
        return self.memberships // 10

    @property
    def workspaces(self) -> int:
        """In the large organization, with a team of eight each."""
        return self.memberships // 20

    @property
    def teams_of_heavy(self) -> int:
        """One person has a hundredth of all memberships, and is on the team of a page of 50 workspaces at least."""
        return max(50, self.memberships // 100)

    @property
    def one_team_in(self) -> int:
        """Of the teams of the large organization, that person is on one in so many."""
        return max(1, self.workspaces // self.teams_of_heavy)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memberships", type=int, default=1000, help="whole thousands (1000)")
    parser.add_argument("--database", required=True, help="the address of an empty PostgreSQL database")
    given = parser.parse_args()
    if given.memberships < 1000 or given.memberships % 1000:
        parser.error("--memberships takes whole thousands.")
    console = Console()
    with using(connect(given.database)):
        call_command("migrate", verbosity=0)
        refuse_unless_empty()
        fill(Size(given.memberships), console)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        _report(sample.compare(Organization.objects.filter(slug__in=[LARGE, SMALL])), console)


def _report(found: sample.Findings, console: Console) -> None:
    console.print(f"{found.pairs} pairs of a person and a workspace looked at: {len(found.disagreements)} disagree.")
    if found.drift or found.disagreements:
        raise SystemExit(f"The rows are not what the operations would write: {found.drift}, {found.disagreements[:5]}")


def refuse_unless_empty() -> None:
    for model in (User, Organization, Group):
        if model._base_manager.exists():
            name, held = connection.settings_dict["NAME"], model._meta.verbose_name_plural
            raise SystemExit(f"The database {name} holds {held} already. Give an empty one: dropdb, createdb.")


@transaction.atomic
def fill(size: Size, console: Console) -> None:
    columns = TextColumn("{task.description:<36}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        with connection.cursor() as cursor:
            for statement in progress.track([*_numbers(), *_who_is_where(size)], description="who is where"):
                cursor.execute(statement)
        inserts = [*_people(), *_places(), *_words(), *_groups(), *_grants()]
        with without_indexes([insert.model for insert in inserts], progress):
            for insert in inserts:
                insert.run(progress)
        # Its index has a condition, which PostgreSQL would spell otherwise after putting it up again.
        _second_factors().run(progress)


def _numbers() -> Iterator[str]:
    """How an id and an instant follow from a number: in the order of time, as the product's own ids are."""
    yield """
        CREATE OR REPLACE FUNCTION pg_temp.id_of(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
            SELECT (lpad(to_hex((1735689600 + n) * 1000), 12, '0') || '7' || substr(md5(kind || n), 1, 3)
                    || '8' || substr(md5(kind || n), 4, 15))::uuid $$"""
    yield """
        CREATE OR REPLACE FUNCTION pg_temp.moment_of(n bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
            SELECT to_timestamp(1735689600 + n) $$"""


def _who_is_where(size: Size) -> Iterator[str]:
    """Everybody and every place by number, and by position in their organization.

    Position 0 is the owner, 1 the admin, and 2 in the large organization the person with most memberships.
    """
    yield f"""
        CREATE TEMP TABLE companies ON COMMIT DROP AS
        SELECT 0 AS n, {size.members} AS members, {size.workspaces} AS workspaces, 8 AS team
        UNION ALL SELECT n, 10, 10, 9 FROM generate_series(1, {size.small_organizations}) n"""
    yield """
        CREATE TEMP TABLE people ON COMMIT DROP AS
        SELECT row_number() OVER (ORDER BY companies.n, position) - 1 AS n, companies.n AS company, position
        FROM companies, generate_series(0, members - 1) position"""
    yield """
        CREATE TEMP TABLE places ON COMMIT DROP AS
        SELECT row_number() OVER (ORDER BY companies.n, position) - 1 AS n, companies.n AS company, position,
               members, team
        FROM companies, generate_series(0, workspaces - 1) position"""
    yield f"""
        CREATE TEMP TABLE seats ON COMMIT DROP AS
        SELECT row_number() OVER (ORDER BY places.n, seat) - 1 AS n, places.n AS place, places.company, seat,
               people.n AS person
        FROM places CROSS JOIN generate_series(0, 8) seat
        JOIN people ON people.company = places.company AND people.position = CASE
            WHEN places.company > 0 THEN mod(places.position + seat, members)
            WHEN mod(places.position, {size.one_team_in}) = 0 AND seat = mod(places.position, team) THEN 2
            ELSE 3 + mod(places.position * team + seat, members - 3) END
        WHERE seat < team"""
    yield """
        CREATE TEMP TABLE keys ON COMMIT DROP AS
        SELECT people.n, people.company, seats.place, seats.person FROM people
        JOIN companies ON companies.n = people.company
        JOIN places ON places.company = people.company AND places.position = mod(people.position, workspaces)
        JOIN seats ON seats.place = places.n AND seat = 2"""
    yield "ANALYZE people, places, seats"


def _people() -> Iterator[Insert]:
    email = "'person' || n || '@company' || company || '.example'"
    name = {"first_name": "'Person ' || n", "last_name": "'of Company ' || company"}
    yield Insert(User, "people", {"id": _id("person"), **_made_at(), "email": email, "password": "'!'", **name})
    yield Insert(EmailAddress, "people", {"user": _id("person"), "email": email, "verified": "true", "primary": "true"})
    organization = f"CASE n WHEN 0 THEN '{LARGE}' ELSE 'small-' || n END"
    yield Insert(Organization, "companies", {**_row("company"), "name": "'Company ' || n", "slug": organization})
    member = {
        "organization": _id("company", "company"),
        "user": _id("person"),
        "role": f"({_array(OrganizationRole)})[least(position, 2) + 1]",
        "status": "CASE mod(n, 100) WHEN 99 THEN 'suspended' ELSE 'active' END",
        "name_key": "'person ' || n || ' of company ' || company",
        "address_key": email,
        # One in five was never here, the others up to 200 days ago.
        "last_active_at": "CASE mod(n, 5) WHEN 4 THEN NULL ELSE now() - mod(n, 200) * interval '1 day' END",
    }
    yield Insert(OrganizationMembership, "people", {**_row("member"), **member})


def _second_factors() -> Insert:
    """One person in three has one."""
    factor = {"user": _id("person"), "type": "'totp'", "data": "'{}'", "created_at": "pg_temp.moment_of(n)"}
    return Insert(Authenticator, "people WHERE mod(n, 3) = 1", factor)


def _places() -> Iterator[Insert]:
    workspace = {
        "organization": _id("company", "company"),
        "name": f"CASE position WHEN 0 THEN '{DEFAULT_NAME}' ELSE 'Workspace ' || n END",
        "name_key": f"CASE position WHEN 0 THEN lower('{DEFAULT_NAME}') ELSE 'workspace ' || n END",
        "slug": "'ws-worksp-' || lpad(to_hex(n), 6, '0')",
        "is_default": "position = 0",
    }
    yield Insert(Workspace, "places", {**_row("place"), **workspace})
    seat = {
        "organization": _id("company", "company"),
        "workspace": _id("place", "place"),
        "membership": _id("member", "person"),
        "role": f"({_array(WorkspaceRole)})[least(seat, 2) + 1]",
    }
    yield Insert(WorkspaceMembership, "seats", {**_row("seat"), **seat})
    key = {
        "organization": _id("company", "company"),
        "workspace": f"CASE WHEN mod(n, 3) > 0 THEN {_id('place', 'place')} END",
        "user": f"CASE WHEN mod(n, 3) = 2 THEN {_id('person', 'person')} END",
        "type": f"({_array(KeyType)})[mod(n, 3) + 1]",
        "name": "'Key ' || n",
        "name_key": "'key ' || n",
        "scopes": f"'{json.dumps([Action.WORKSPACES_READ])}'",
        "digest": "sha256(convert_to('key ' || n, 'UTF8'))",
        "pepper_version": str(pepper_version()),
        "mask": "'gth_********' || lpad(to_hex(mod(n, 65536)), 4, '0')",
    }
    yield Insert(ApiKey, "keys", {**_row("key"), **key})


def _words() -> Iterator[Insert]:
    """By which words people, workspaces and keys are found."""
    person = """string_to_array(lower(first_name || ' ' || last_name), ' ') || email::text
        || regexp_split_to_array(email, '[@.]')"""
    place = "string_to_array(lower(name), ' ') || slug::text || string_to_array(slug, '-')"
    key = "string_to_array(lower(name), ' ') || right(mask, 4)"
    people = f"{_table(OrganizationMembership)} found JOIN {_table(User)} person ON person.id = user_id"
    for words, source, texts in (
        (MemberWord, people, person),
        (WorkspaceWord, f"{_table(Workspace)} found", place),
        (ApiKeyWord, f"{_table(ApiKey)} found", key),
    ):
        every = f"{source}, LATERAL (SELECT DISTINCT unnest({texts}) AS word) told"
        yield Insert(words, every, {"organization": "organization_id", "row": "found.id", "word": "word"})


def _groups() -> Iterator[Insert]:
    """The groups that stand for roles, and everybody who is active in those of their memberships."""
    for place, group, roles in (
        (Organization, OrganizationRoleGroup, OrganizationRole),
        (Workspace, WorkspaceRoleGroup, WorkspaceRole),
    ):
        kind = place._meta.model_name
        every = f'"{place._meta.db_table}", unnest({_array(roles)}) WITH ORDINALITY roles (role, place)'
        yield Insert(Group, f"{every} ORDER BY created_at, id, place", {"name": f"'{kind} ' || id || ' ' || role"})
        parts = {"group_ptr": "id", kind: "split_part(name, ' ', 2)::uuid", "role": "split_part(name, ' ', 3)"}
        yield Insert(group, f"auth_group WHERE starts_with(name, '{kind} ')", parts)
    active = f"""{_table(OrganizationMembership)} member
        JOIN {_table(OrganizationRoleGroup)} role USING (organization_id, role) WHERE status = 'active'"""
    yield Insert(InGroup, active, {"user": "user_id", "group": "group_ptr_id"})
    seated = f"""{_table(WorkspaceMembership)} seat
        JOIN {_table(OrganizationMembership)} member ON member.id = seat.membership_id AND member.status = 'active'
        JOIN {_table(WorkspaceRoleGroup)} role ON role.workspace_id = seat.workspace_id AND role.role = seat.role"""
    yield Insert(InGroup, seated, {"user": "member.user_id", "group": "group_ptr_id"})


def _grants() -> Iterator[Insert]:
    """guardian's rows: for each role group, the permissions that the matrix gives its role."""
    for place, group, grant, roles in (
        (Organization, OrganizationRoleGroup, OrganizationGroupPermission, OrganizationRole),
        (Workspace, WorkspaceRoleGroup, WorkspaceGroupPermission, WorkspaceRole),
    ):
        permissions = permission_ids(place)
        matrix = ", ".join(
            f"('{role}', {permissions[action]})"
            for role in roles
            for action in sorted(actions_of(role) & permissions.keys())
        )
        source = f"""{_table(group)} JOIN (VALUES {matrix}) matrix (role, permission) USING (role)
            WHERE group_ptr_id BETWEEN %s AND %s ORDER BY group_ptr_id"""
        columns = {
            "group": "group_ptr_id",
            "permission": "permission",
            "content_object": f"{place._meta.model_name}_id",
        }
        yield Insert(grant, source, columns, batches=50)


def _row(kind: str) -> dict[str, str]:
    """What every row of the product has: its id, its instants, and that a job made it."""
    authors = {"created_by_kind": "'system'", "updated_by_kind": "'system'"}
    return {"id": _id(kind), **_made_at(), "updated_at": "pg_temp.moment_of(n)", **authors}


def _made_at() -> dict[str, str]:
    return {"created_at": "pg_temp.moment_of(n)"}


def _id(kind: str, number: str = "n") -> str:
    return f"pg_temp.id_of('{kind}', {number})"


def _array(choices: type[models.TextChoices]) -> str:
    return f"ARRAY{[str(choice) for choice in choices]}"


def _table(model: type[models.Model]) -> str:
    return f'"{model._meta.db_table}"'


if __name__ == "__main__":
    main()
