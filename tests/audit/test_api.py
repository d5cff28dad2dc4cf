"""`GET /audit-logs`: the organization's log as the wire's clients read it (contract 1.7, 3.12)."""

import json
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.access.actors import UserActor
from apps.audit import api, refusals
from apps.audit.chain import digest_of
from apps.audit.models import AuditEvent, AuditNames
from apps.audit.retention import declared
from apps.core import counting
from apps.core.clock import now, wire
from apps.workspaces import operations as workspaces
from tests.api.endpoints import new_key, says
from tests.world import Company, World, system

PATH = "/v1/audit-logs"
# The fields of the published description, and those that the admin client reads.
DESCRIBED = {
    *("timestamp", "method", "uri", "request_id", "request_body", "query_params", "request_headers", "user_id"),
    *("user_type", "organisation_id", "workspace_id", "response_status_code", "resource_type", "action"),
    *("client_ip", "country"),
}
CLIENTS = {
    *("id", "action", "actor_id", "actor_email", "actor_name", "resource_type", "resource_id", "resource_name"),
    *("workspace_id", "organisation_id", "metadata", "created_at"),
}


@pytest.fixture
def read(acme: Company, call: Any) -> Any:
    """`read(method="PUT")` is what Acme's key is answered."""

    def asked(**query: Any) -> Any:
        said = "&".join(f"{name}={str(value).replace('+', '%2B')}" for name, value in query.items())
        return call("GET", f"{PATH}?{said}", acme.secrets["organization_key"])

    return asked


@pytest.fixture
def found(read: Any) -> Any:
    """The lines, as [(event, door)], newest first."""

    def told(**query: Any) -> Any:
        answer = read(**query)
        assert answer.status_code == 200, answer.content
        return [(row["event"], row["door"]) for row in answer.json()["data"]]

    return told


class TestAnswer:
    def test_has_the_rows_under_both_names(self, acme: Company, read: Any) -> None:
        body = read().json()
        assert set(body) == {"object", "total", "records", "data"}
        assert body["object"] == "list"
        assert body["records"] == body["data"]
        assert body["total"] == len(body["data"]) == AuditEvent.objects.filter(chain=acme.organization.pk).count()

    def test_every_row_has_every_field(self, read: Any) -> None:
        for row in read().json()["data"]:
            assert set(row) >= DESCRIBED | CLIENTS
            assert isinstance(row["id"], str)
            for name in ("request_body", "query_params", "request_headers"):
                assert isinstance(json.loads(row[name]), dict)

    def test_says_what_a_call_did(self, acme: Company, call: Any, read: Any) -> None:
        workspace = acme.workspace
        headers = {"user-agent": "terraform/1.9", "x-portkey-trace-id": "call-17"}
        path = f"/v1/admin/workspaces/{workspace.slug}"
        call("PUT", f"{path}?a=b", acme.secrets["organization_key"], {"name": "Find"}, **headers)
        row = read().json()["data"][0]
        line = AuditEvent.objects.latest("pk")
        assert row == {
            "id": f"{line.chain}-{line.sequence}",
            "timestamp": wire(line.at),
            "created_at": wire(line.at),
            "method": "PUT",
            "uri": path,
            "request_id": "call-17",
            "request_body": json.dumps(line.details, sort_keys=True),
            "query_params": "{}",
            "request_headers": '{"user-agent": "terraform/1.9", "x-portkey-api-key": "****"}',
            "user_id": str(acme.organization_key.pk),
            "user_type": "api_key",
            "organisation_id": str(acme.organization.pk),
            "workspace_id": str(workspace.pk),
            "response_status_code": 200,
            "resource_type": "Workspaces",
            "action": "Update",
            "client_ip": "127.0.0.1",
            "country": None,
            "actor_id": str(acme.organization_key.pk),
            "actor_email": None,
            "actor_name": line.names["actor"],
            "resource_id": str(workspace.pk),
            "resource_name": "Find",
            "metadata": line.details,
            "event": "workspace.updated",
            "sequence": line.sequence,
            "result": "done",
            "count": 1,
            "actor_kind": "key",
            "actor_role": line.actor_role,
            "door": "api",
            "digest": digest_of(line).hex(),
        }
        assert json.loads(row["request_body"])["after"] == {"name": "Find"}

    def test_says_what_a_person_did(self, acme: Company, sign_in: Any, read: Any) -> None:
        path = f"/o/{acme.organization.slug}/w/{acme.workspace.slug}/settings/"
        sign_in(acme.member).post(path, {"name": "Mine"})
        row = read().json()["data"][0]
        assert (row["event"], row["result"], row["response_status_code"]) == ("access.refused", "refused", 403)
        assert (row["resource_type"], row["action"], row["method"]) == ("Workspaces", "Update", "POST")
        assert (row["user_type"], row["user_id"]) == ("user", str(acme.member.pk))
        assert (row["actor_email"], row["actor_name"]) == (acme.member.email, "Member of Acme")
        assert json.loads(row["request_headers"]) == {"cookie": "****"}
        assert row["metadata"] == {"action": "workspaces.update"}

    def test_says_what_a_job_did(self, acme: Company, read: Any) -> None:
        workspaces.update(acme.workspace, name="Find", by=system())
        row = read().json()["data"][0]
        assert (row["user_type"], row["user_id"], row["actor_email"]) == ("system", None, None)
        assert (row["method"], row["uri"], row["request_headers"], row["client_ip"]) == ("", "", "{}", None)

    def test_says_what_an_operator_did(self, world: World, sign_in: Any, read: Any) -> None:
        sign_in(world.operator).post(f"/admin/organizations/organization/{world.acme.organization.pk}/suspend/")
        sign_in(world.operator).post(f"/admin/organizations/organization/{world.acme.organization.pk}/resume/")
        row = read().json()["data"][0]
        assert (row["user_type"], row["actor_kind"], row["door"]) == ("user", "operator", "admin")
        assert row["actor_email"] == world.operator.email

    def test_bears_erased_names(self, acme: Company, read: Any) -> None:
        workspaces.update(acme.workspace, name="Find", by=UserActor(acme.owner))
        with declared():
            AuditNames.objects.filter(chain=acme.organization.pk).update(names={}, address="")
        row = read().json()["data"][0]
        assert (row["actor_email"], row["resource_name"], row["client_ip"]) == (None, None, None)
        assert row["actor_name"] == "Owner of Acme", "who is still a member is found by id"

    def test_reading_leaves_no_line(self, acme: Company, read: Any) -> None:
        before = AuditEvent.objects.count()
        read()
        assert AuditEvent.objects.count() == before


class TestWhoMay:
    @pytest.mark.parametrize("key", ["workspace_key", "user_key"])
    def test_no_key_of_a_workspace(self, acme: Company, call: Any, key: str) -> None:
        answer = call("GET", PATH, acme.secrets[key])
        assert says(answer, 403, "AB03")
        assert answer.json()["error"]["action"] == "audit_logs.list"

    def test_an_organizations_key_with_the_scope(self, acme: Company, call: Any) -> None:
        assert call("GET", PATH, new_key(acme.organization, ["audit_logs.list"])).status_code == 200
        assert says(call("GET", PATH, new_key(acme.organization, ["workspaces.list"])), 403, "AB03")
        assert says(call("GET", PATH), 401, "AB02")

    def test_each_organization_reads_its_own(self, world: World, call: Any) -> None:
        for company, other in ((world.acme, world.globex), (world.globex, world.acme)):
            rows = call("GET", PATH, company.secrets["organization_key"]).json()["data"]
            assert {row["organisation_id"] for row in rows} == {str(company.organization.pk)}
            for foreign in (other.organization.pk, other.organization.slug, "nothing"):
                path = f"{PATH}?organisation_id={foreign}"
                assert says(call("GET", path, company.secrets["organization_key"]), 404, "AB08")

    def test_ids_of_others_find_nothing(self, world: World, read: Any) -> None:
        theirs = AuditEvent.objects.filter(chain=world.globex.organization.pk).exclude(actor_id=None).first()
        assert read(resource_id=world.globex.workspace.pk).json()["total"] == 0
        assert read(actor_id=theirs.actor_id if theirs else world.globex.owner.pk).json()["total"] == 0
        assert says(read(workspace_id=world.globex.workspace.pk), 404, "AB08")

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
    def test_nobody_writes(self, acme: Company, call: Any, method: str) -> None:
        assert says(call(method, PATH, acme.secrets["organization_key"], {}), 405, "AB04")


class TestTime:
    @pytest.fixture
    def later(self, acme: Company) -> Iterator[datetime]:
        """Forty days on, when the workspace has just been renamed."""
        with time_machine.travel(now().replace(microsecond=0) + timedelta(days=40), tick=False):
            workspaces.update(acme.workspace, name="Later", by=system())
            yield now()

    def test_is_the_last_thirty_days_by_default(self, later: datetime, found: Any, read: Any) -> None:
        assert found() == [("workspace.updated", "code")]
        everything = read(start_time=wire(later - timedelta(days=41))).json()["total"]
        assert everything == read(start_time="2000-01-01T00:00:00Z").json()["total"] > 1

    def test_is_thirty_days_before_an_end(self, later: datetime, found: Any) -> None:
        before = found(end_time=wire(later - timedelta(days=11)))
        assert before
        assert ("workspace.updated", "code") not in before
        assert found(end_time=wire(later - timedelta(seconds=1))) == []

    @pytest.mark.parametrize(
        "spelt",
        [
            "%Y-%m-%dT%H:%M:%SZ",
            "%Y-%m-%dT%H:%M:%S.000Z",
            "%Y-%m-%dT%H:%M:%S+00:00",
            "%Y-%m-%d %H:%M:%S",
            "%Y%m%dT%H%M%SZ",
        ],
    )
    def test_is_read_as_iso_8601_and_includes_both_ends(self, later: datetime, found: Any, spelt: str) -> None:
        moment = later.strftime(spelt)
        assert found(start_time=moment, end_time=moment) == [("workspace.updated", "code")]

    def test_may_be_told_in_any_zone(self, later: datetime, found: Any) -> None:
        there = later.astimezone(timezone(timedelta(hours=5, minutes=45)))
        assert found(start_time=there.isoformat()) == [("workspace.updated", "code")]
        assert found(start_time=(there + timedelta(seconds=1)).isoformat()) == []

    @pytest.mark.parametrize("name", ["start_time", "end_time"])
    @pytest.mark.parametrize("spelt", ["yesterday", "2020-13-01", "1589716800", "%00", "2020-05-17T25:00Z",
                                       "0000-01-01T00:00:00Z", "2020-05-17T12:00:00Z;"])  # fmt: skip
    def test_that_cannot_be_read_is_refused_by_name(self, read: Any, name: str, spelt: str) -> None:
        answer = read(**{name: spelt})
        assert says(answer, 400, "AB01")
        assert answer.json()["error"]["param"] == name

    def test_that_runs_backwards_is_refused(self, read: Any) -> None:
        answer = read(start_time="2020-02-01T00:00:00Z", end_time="2020-01-01T00:00:00Z")
        assert says(answer, 400, "AB01")
        assert answer.json()["error"]["param"] == "end_time"

    @pytest.mark.parametrize("spelt", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00"])
    def test_bears_the_ends_of_the_calendar(self, read: Any, spelt: str) -> None:
        for name in ("start_time", "end_time"):
            assert read(**{name: spelt}).status_code == 200


class TestFilters:
    @pytest.fixture(autouse=True)
    def _acts(self, acme: Company, sign_in: Any, call: Any) -> None:
        """Acts of a person, of a key and of a job, and a refusal."""
        call("POST", "/v1/admin/workspaces", acme.secrets["organization_key"], {"name": "Lab"})
        call("PUT", f"/v1/admin/workspaces/{acme.workspace.pk}", acme.secrets["workspace_key"], {"description": "x"})
        call("DELETE", f"/v1/api-keys/{acme.user_key.pk}", acme.secrets["organization_key"])
        sign_in(acme.member).post(f"/o/{acme.organization.slug}/w/{acme.workspace.slug}/settings/", {"name": "Mine"})
        workspaces.update(acme.other_workspace, description="y", by=system())

    def test_by_method(self, found: Any) -> None:
        assert found(method="PUT") == [("workspace.updated", "api")]
        assert found(method="DELETE") == [("api_key.revoked", "api")]
        assert found(method="POST") == [("access.refused", "page"), ("workspace.created", "api")]

    def test_by_uri(self, acme: Company, found: Any) -> None:
        assert found(uri=f"/v1/admin/workspaces/{acme.workspace.pk}") == [("workspace.updated", "api")]
        assert found(uri="/v1/admin/workspaces") == [("workspace.created", "api")]

    def test_by_request(self, found: Any, read: Any) -> None:
        row = read(method="DELETE").json()["data"][0]
        assert found(request_id=row["request_id"]) == [("api_key.revoked", "api")]

    @pytest.mark.parametrize("name", ["user_id", "actor_id"])
    def test_by_who_acted(self, acme: Company, found: Any, name: str) -> None:
        assert found(**{name: acme.member.pk}) == [("access.refused", "page")]
        assert found(**{name: acme.workspace_key.pk}) == [("workspace.updated", "api")]
        assert found(**{name: uuid.uuid4()}) == []

    def test_by_kind_of_actor(self, found: Any) -> None:
        assert found(user_type="user")[0] == ("access.refused", "page")
        assert [event for event, _ in found(user_type="api_key")] == [
            *("api_key.revoked", "workspace.updated", "workspace.created"),
        ]
        assert found(user_type="system")[0] == ("workspace.updated", "code")
        assert found(user_type="nobody") == []

    @pytest.mark.parametrize("spelling", ["pk", "slug"])
    def test_by_workspace(self, acme: Company, found: Any, read: Any, spelling: str) -> None:
        assert found(workspace_id=getattr(acme.other_workspace, spelling))[0] == ("workspace.updated", "code")
        rows = read(workspace_id=getattr(acme.workspace, spelling)).json()["data"]
        assert {row["workspace_id"] for row in rows} == {str(acme.workspace.pk)}
        assert len(rows) == AuditEvent.objects.filter(workspace_id=acme.workspace.pk).count()

    def test_by_answer(self, found: Any) -> None:
        assert found(response_status_code=403) == [("access.refused", "page")]
        assert found(response_status_code=404) == []
        assert ("access.refused", "page") not in found(response_status_code=200)

    def test_by_what_it_was_about(self, acme: Company, found: Any) -> None:
        assert found(resource_id=acme.user_key.pk) == [("api_key.revoked", "api"), ("api_key.issued", "command")]

    def test_by_the_contracts_words(self, found: Any) -> None:
        assert found(resource_type="API%20Keys", action="Delete") == [("api_key.revoked", "api")]
        assert found(resource_type="workspaces", action="update", user_type="user") == [("access.refused", "page")]
        assert found(resource_type="Labels") == []

    def test_by_address_and_country(self, found: Any) -> None:
        assert len(found(client_ip="127.0.0.1")) == 4
        assert len(found(client_ip="127.0.0.0/8")) == 4, "networks are read too"
        for nothing in ("10.1.1.1", "nowhere", "1.2.3/99"):
            assert found(client_ip=nothing) == []
        assert found(country="DE") == []

    def test_together_narrow_each_other(self, acme: Company, found: Any) -> None:
        assert found(method="PUT", user_type="api_key", response_status_code=200) == [("workspace.updated", "api")]
        assert found(method="PUT", user_type="user") == []
        assert found(method="PUT", user_type="", uri="") == [("workspace.updated", "api")], "what is empty is not asked"
        assert found(user_id=acme.member.pk, actor_id=acme.owner.pk) == []

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            *(("user_id", "nobody"), ("actor_id", "%00"), ("user_type", "robot"), ("method", "PATCH")),
            *(("response_status_code", "ok"), ("response_status_code", "9" * 30), ("response_status_code", "-1")),
            *(("uri", "%00"), ("request_id", "%00"), ("resource_id", "%00"), ("client_ip", "%00")),
            *(("resource_type", "x" * 301), ("action", "%00"), ("page_size", "-1"), ("page_size", "ten")),
            *(("current_page", "-1"), ("currentPage", "1.5")),
        ],
    )
    def test_that_make_no_sense_are_refused_by_name(self, read: Any, name: str, value: str) -> None:
        answer = read(**{name: value})
        assert says(answer, 400, "AB01")
        assert answer.json()["error"]["param"] == name


class TestSearch:
    """`q`, in the language of the page."""

    def test_finds_what_the_page_finds(self, acme: Company, found: Any) -> None:
        workspaces.update(acme.workspace, name="Find", by=UserActor(acme.manager))
        refusals.refused("workspaces.delete", actor=UserActor(acme.member), place=acme.workspace)
        assert found(q=f"actor:{acme.member.email}%20result:refused") == [("access.refused", "code")]
        assert found(q="action:workspace.updated", user_type="user") == [("workspace.updated", "code")]
        assert found(q="action:workspace.updated", user_type="system") == []

    def test_may_name_a_time_of_its_own(self, acme: Company, read: Any) -> None:
        with time_machine.travel(now() + timedelta(days=40), tick=False):
            assert read().json()["total"] == read(q="result:done").json()["total"] == 0
            assert read(q="after:41d").json()["total"] == len(AuditEvent.objects.filter(chain=acme.organization.pk))

    @pytest.mark.parametrize("said", ["casino:royale", "%22open", "result:maybe", "x" * 2001, "%00"])
    def test_that_cannot_be_read_is_refused_by_name(self, read: Any, said: str) -> None:
        answer = read(q=said)
        assert says(answer, 400, "AB01")
        assert answer.json()["error"]["param"] == "q"


class TestPages:
    def test_are_as_long_as_asked_and_count_from_zero(self, read: Any) -> None:
        whole = read().json()["data"]
        got = [read(page_size=3, current_page=page).json() for page in range(len(whole) // 3 + 2)]
        assert [row for body in got for row in body["data"]] == whole
        assert {body["total"] for body in got} == {len(whole)}
        assert got[-1]["data"] == got[-1]["records"] == []
        assert read(pageSize=3, currentPage=1).json() == got[1]

    def test_hold_a_hundred_at_most_and_by_default(self, acme: Company, read: Any) -> None:
        for number in range(101):
            workspaces.update(acme.workspace, name=f"Name {number}", by=system())
        for query in ({}, {"page_size": 100}, {"page_size": 101}, {"page_size": 10**9}):
            assert len(read(**query).json()["data"]) == 100

    def test_of_nothing_only_count(self, acme: Company, read: Any) -> None:
        body = read(page_size=0).json()
        assert (body["data"], body["total"]) == ([], AuditEvent.objects.filter(chain=acme.organization.pk).count())

    def test_come_newest_first(self, acme: Company, read: Any) -> None:
        workspaces.update(acme.workspace, name="Newest", by=system())
        rows = read().json()["data"]
        assert rows[0]["resource_name"] == "Newest"
        assert [row["sequence"] for row in rows] == list(range(len(rows), 0, -1))

    def test_are_counted_no_further_than_anybody_reads(
        self, read: Any, monkeypatch: pytest.MonkeyPatch, acme: Company
    ) -> None:
        """Yet whoever goes on as long as the total says that there is more has read every line."""
        monkeypatch.setattr(api, "COUNTED", 5)
        there, bounds, seen, page, total = AuditEvent.objects.filter(chain=acme.organization.pk).count(), [], [], 0, 1
        count = counting.count
        monkeypatch.setattr(counting, "count", lambda most, rows: bounds.append(most) or count(most, rows))
        while page * 3 < total:
            body = read(page_size=3, current_page=page).json()
            seen, page, total = [*seen, *body["data"]], page + 1, body["total"]
        assert len({row["id"] for row in seen}) == len(seen) == total == there
        assert bounds[:3] == [5, 6, 9]
        assert read(page_size=3).json()["total"] == 6, "one more than was counted"

    def test_cost_the_same_however_many_lines_there_are(self, acme: Company, read: Any) -> None:
        def cost() -> int:
            with CaptureQueriesContext(connection) as queries:
                read()
            return len(queries)

        short = cost()
        for number in range(30):
            workspaces.update(acme.workspace, name=f"Name {number}", by=UserActor(acme.owner))
            refusals.refused("workspaces.delete", actor=UserActor(acme.member), place=acme.workspace)
        assert cost() == short <= 5


LINES, ACTORS = 4000, 400
INDEXES = [
    ({}, "audit_by_time"),
    ({"actor_id": uuid.UUID(int=7)}, "audit_of_actor"),
    ({"resource_id": "7"}, "audit_of_target"),
    ({"request_id": "7"}, "audit_of_request"),
    ({"client_ip": "10.0.0.7"}, "audit_of_address"),
]


@pytest.mark.postgresql
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite plans otherwise")
def test_an_index_leads_to_the_lines(acme: Company, read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _fill(acme.organization.pk)
    count, asked = counting.count, []
    monkeypatch.setattr(counting, "count", lambda most, rows: asked.append(rows["lines"]) or count(most, rows))
    for query, index in INDEXES:
        assert read(**query).json()["total"] >= LINES // ACTORS
        assert index in (plan := asked[-1].order_by().values("pk")[:100].explain()), plan


def _fill(chain: uuid.UUID) -> None:
    """Lines of many actors over a few days, as they would be found there, though not chained."""
    kept = AuditEvent.objects.filter(chain=chain).earliest("sequence")
    plain = {field.attname: getattr(kept, field.attname) for field in kept._meta.fields if not field.primary_key}
    made = AuditEvent.objects.bulk_create(
        AuditEvent(
            **plain
            | {"sequence": 10_000 + number, "at": now() - timedelta(hours=6 * (number // ACTORS))}
            | {"target_id": str(number % ACTORS), "request_id": str(number % ACTORS)}
            | {"actor_id": uuid.UUID(int=number % ACTORS)}
        )
        for number in range(LINES)
    )
    AuditNames.objects.bulk_create(
        AuditNames(line=line, chain=chain, address=f"10.0.0.{line.target_id}") for line in made
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE audit_auditevent, audit_auditnames")
        # So few lines are read from end to end as fast.
        cursor.execute("SET LOCAL enable_seqscan = off")
