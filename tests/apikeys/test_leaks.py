"""A secret found where it does not belong: reporters learn nothing, its people are told (beyond 11)."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail as outgoing
from django.test import Client
from time_machine import Traveller

from apps.access.actors import UserActor
from apps.access.scopes import KeyType
from apps.apikeys import leaks, policy, rotation
from apps.apikeys import operations as apikeys
from apps.apikeys.models import ApiKey, Notice
from apps.apikeys.secret import new_invitation_token, new_key
from apps.audit.models import AuditEvent, AuditNames
from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from apps.workspaces import operations as workspaces
from tests.api.endpoints import says
from tests.world import Company, system

START = datetime(2030, 1, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FOUND_AT = "https://github.com/somebody/dotfiles/blob/main/.env"


@pytest.fixture(autouse=True)
def clock() -> Iterator[Traveller]:
    with time_machine.travel(START, tick=False) as frozen:
        yield frozen


@pytest.fixture
def report(call: Any, django_capture_on_commit_callbacks: Any) -> Any:
    """`report(token)` is what a stranger sends, with the jobs it leaves behind."""

    def reported(token: Any, source: Any = FOUND_AT, version: str = "v1", **headers: str) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return call("POST", f"/{version}/leaked-keys", None, {"token": token, "source": source}, **headers)

    return reported


def loaded(key: ApiKey) -> ApiKey:
    found: ApiKey = ApiKey.objects.with_places().get(pk=key.pk)
    return found


def lines(event: str = "api_key.leaked") -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(event=event).order_by("pk"))


def tell_only(company: Company) -> None:
    policy.change(company.organization, on_leak="tell", by=UserActor(company.owner))


class TestTheAnswer:
    def test_is_the_same_whatever_was_reported(self, acme: Company, report: Any) -> None:
        revoked = acme.secrets["user_key"]
        apikeys.revoke(acme.user_key, by=UserActor(acme.owner))
        tokens = [
            acme.secrets["workspace_key"],
            acme.secrets["workspace_key"],
            revoked,
            new_key(KeyType.WORKSPACE).clear,
            new_invitation_token().clear,
            acme.secrets["invitation"],
            "junk",
            "",
            "x" * 900_000,
            "gthw_\u00e4\u202e' OR 1=1--",
        ]
        answers = [report(token, version=version) for token in tokens for version in ("v1", "v2")]
        assert {answer.status_code for answer in answers} == {200}
        assert {answer.content for answer in answers} == {b'{"object":"leak-report"}'}
        for answer in answers:
            del answer.headers["x-portkey-trace-id"], answer.headers["x-portkey-request-id"]
        assert len({json.dumps(dict(answer.headers), sort_keys=True) for answer in answers}) == 1

    @pytest.mark.parametrize("body", [None, "", "{", "[]", '"gthw_"', {}, {"token": None}, {"token": 7}, {"token": []}])
    def test_is_400_only_for_what_is_no_report(self, acme: Company, call: Any, body: Any) -> None:
        answer = call("POST", "/v1/leaked-keys", None, body)
        assert says(answer, 400, "AB01")

    @pytest.mark.parametrize("source", [None, 7, ["x"], {"a": 1}, "x" * 5000])
    def test_is_no_other_for_a_source_that_makes_no_sense(self, acme: Company, report: Any, source: Any) -> None:
        assert report(acme.secrets["workspace_key"], source).status_code == 200
        assert len(lines()) == 1

    def test_needs_no_key_and_takes_no_notice_of_one(self, acme: Company, report: Any) -> None:
        for key in (acme.secrets["organization_key"], "junk"):
            assert report("junk", **{"x-portkey-api-key": key}).status_code == 200

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
    def test_is_given_to_a_post_alone(self, acme: Company, call: Any, method: str) -> None:
        assert call(method, "/v1/leaked-keys").status_code == 405

    @pytest.mark.parametrize(
        "junk", ["", "junk", "gthw_" + "a" * 38, "gthx_" + "a" * 38, "x" * 100_000, "gthi_" + "a" * 38]
    )
    def test_to_junk_costs_no_query(self, acme: Company, call: Any, django_assert_num_queries: Any, junk: str) -> None:
        with django_assert_num_queries(0):
            call("POST", "/v1/leaked-keys", None, {"token": junk})

    def test_to_a_token_of_an_invitation_costs_none_either_and_ends_nothing(
        self, acme: Company, call: Any, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(0):
            call("POST", "/v1/leaked-keys", None, {"token": acme.secrets["invitation"]})
        acme.invitation.refresh_from_db()
        assert acme.invitation.status == "pending"

    def test_to_an_unknown_key_costs_one(self, acme: Company, call: Any, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(1):
            call("POST", "/v1/leaked-keys", None, {"token": new_key(KeyType.USER).clear})


class TestALiveKey:
    def test_is_disabled_at_once_and_its_people_are_told(self, acme: Company, report: Any, call: Any) -> None:
        secret = acme.secrets["user_key"]
        report(secret)
        assert loaded(acme.user_key).status == ApiKey.Status.DISABLED
        assert call("GET", "/v1/whoami", secret).status_code == 401
        people = {acme.owner.email, acme.second_owner.email, acme.admin.email, acme.member.email}
        assert {letter.to[0] for letter in outgoing.outbox} == people
        letter = outgoing.outbox[0]
        assert letter.subject == "The secret of Acme user key has leaked"
        for part in (FOUND_AT, "The key was disabled at once", acme.user_key.mask):
            assert part in letter.body

    def test_has_a_line_for_the_report_and_one_for_the_end(self, acme: Company, report: Any) -> None:
        report(acme.secrets["workspace_key"])
        [leaked], [disabled] = lines(), lines("api_key.disabled")
        assert leaked.details == {"after": {"mask": acme.workspace_key.mask, "source": "github.com"}}
        assert (leaked.actor_kind, leaked.door) == ("system", "api")
        assert leaked.workspace_id == acme.workspace.pk
        assert leaked.names["source"] == FOUND_AT
        assert (disabled.actor_kind, disabled.target_id) == ("system", str(acme.workspace_key.pk))

    def test_is_only_told_of_where_the_organization_wants_that(self, acme: Company, report: Any) -> None:
        tell_only(acme)
        report(acme.secrets["workspace_key"])
        assert loaded(acme.workspace_key).status == ApiKey.Status.ACTIVE
        assert "until you revoke the key" in outgoing.outbox[0].body
        assert lines("api_key.disabled") == []

    def test_is_recognised_by_the_secret_before_this_one(self, acme: Company, report: Any, clock: Traveller) -> None:
        old = acme.secrets["workspace_key"]
        made = rotation.rotate(loaded(acme.workspace_key), by=UserActor(acme.owner))
        report(old)
        assert len(lines()) == 1
        assert loaded(acme.workspace_key).status == ApiKey.Status.DISABLED
        assert outgoing.outbox[-1].body.count(acme.workspace_key.mask) == 2
        assert made.secret.mask not in outgoing.outbox[-1].body

    def test_not_by_one_that_has_ended(self, acme: Company, report: Any, clock: Traveller) -> None:
        old = acme.secrets["workspace_key"]
        rotation.rotate(loaded(acme.workspace_key), by=UserActor(acme.owner))
        clock.shift(timedelta(minutes=30))
        report(old)
        assert lines() == []

    def test_is_told_of_once_a_day(self, acme: Company, report: Any, clock: Traveller) -> None:
        for hours in (0, 1, 22):
            clock.shift(timedelta(hours=hours))
            report(acme.secrets["workspace_key"])
        assert (len(lines()), Notice.objects.count(), len(outgoing.outbox)) == (1, 1, 3)
        clock.shift(timedelta(hours=1))
        report(acme.secrets["workspace_key"])
        assert (len(lines()), Notice.objects.count(), len(outgoing.outbox)) == (2, 2, 6)

    def test_but_its_other_secret_is_another_leak(self, acme: Company, report: Any, clock: Traveller) -> None:
        tell_only(acme)
        report(acme.secrets["workspace_key"])
        clock.shift(timedelta(minutes=1))
        made = rotation.rotate(loaded(acme.workspace_key), by=UserActor(acme.owner))
        report(made.secret.clear)
        assert len(lines()) == 2

    def test_that_people_let_in_again_is_not_ended_again_the_same_day(self, acme: Company, report: Any) -> None:
        report(acme.secrets["workspace_key"])
        apikeys.enable(loaded(acme.workspace_key), by=UserActor(acme.owner))
        report(acme.secrets["workspace_key"])
        assert loaded(acme.workspace_key).status == ApiKey.Status.ACTIVE


class TestAKeyAtRest:
    def test_a_disabled_one_is_told_of_as_it_can_come_back(self, acme: Company, report: Any) -> None:
        apikeys.disable(acme.workspace_key, by=UserActor(acme.owner))
        report(acme.secrets["workspace_key"])
        assert len(lines()) == 1
        assert len(lines("api_key.disabled")) == 1
        assert len(outgoing.outbox) == 3

    def test_an_expired_one_is_disabled_so_that_no_later_end_lets_it_in(
        self, acme: Company, report: Any, clock: Traveller
    ) -> None:
        apikeys.update(acme.workspace_key, expires_at=START + DAY, by=UserActor(acme.owner))
        clock.shift(DAY)
        report(acme.secrets["workspace_key"])
        assert loaded(acme.workspace_key).status == ApiKey.Status.DISABLED

    def test_one_in_an_archived_workspace_is_disabled_before_anybody_restores_it(
        self, acme: Company, report: Any
    ) -> None:
        workspaces.archive(acme.workspace, by=UserActor(acme.owner))
        report(acme.secrets["workspace_key"])
        assert loaded(acme.workspace_key).status == ApiKey.Status.DISABLED

    def test_a_revoked_one_is_over(self, acme: Company, report: Any) -> None:
        apikeys.revoke(acme.workspace_key, by=UserActor(acme.owner))
        report(acme.secrets["workspace_key"])
        assert (lines(), outgoing.outbox) == ([], [])

    def test_nothing_happens_in_a_suspended_organization(self, acme: Company, report: Any) -> None:
        organizations.set_status(acme.organization, Organization.Status.SUSPENDED, by=system())
        assert report(acme.secrets["workspace_key"]).status_code == 200
        assert (lines(), outgoing.outbox) == ([], [])


class TestNothingOfItIsKept:
    def test_neither_the_log_nor_the_audit_nor_a_letter_has_the_secret(
        self, acme: Company, report: Any, call: Any, capfd: Any, caplog: Any
    ) -> None:
        secret = acme.secrets["workspace_key"]
        bare = secret.partition("_")[2]
        report(secret, f"{FOUND_AT}?a={secret}&b={bare}\r\nBcc: x@x.example", **{"User-Agent": f"scanner {secret}"})
        call("POST", f"/v1/leaked-keys?token={secret}", None, {"token": [secret]})
        call("POST", "/v1/leaked-keys", None, '{"token": "' + secret)
        kept = [line.details for line in AuditEvent.objects.all()]
        kept += [side.names for side in AuditNames.objects.all()]
        kept += [notice.details for notice in Notice.objects.all()]
        kept += [str(letter.message()) + letter.body for letter in outgoing.outbox]
        assert len(lines()) == 1
        assert bare not in json.dumps(kept)
        assert bare not in caplog.text + "".join(capfd.readouterr())
        assert "\n" not in Notice.objects.get().details["source"]

    def test_the_answer_to_a_mistake_does_not_repeat_it(self, acme: Company, call: Any) -> None:
        secret = acme.secrets["workspace_key"]
        for body in ({"token": [secret]}, '{"token": "' + secret, f'["{secret}"]'):
            assert secret not in call("POST", "/v1/leaked-keys", None, body).content.decode()

    @pytest.mark.parametrize(
        ("source", "kept"),
        [
            (FOUND_AT, "github.com"),
            ("http://ann@paste.example:81/ann", "paste.example"),
            ("found by ann@acme.example", ""),
            ("https://[", ""),
            ("http://h\u00e9.example/", ""),
            ("", ""),
        ],
    )
    def test_the_log_keeps_the_host_and_no_person(self, source: str, kept: str) -> None:
        assert leaks.host_of(source) == kept

    def test_a_long_source_is_cut(self, acme: Company, report: Any) -> None:
        report(acme.secrets["workspace_key"], "word " * 1000)
        assert len(Notice.objects.get().details["source"]) <= leaks.SOURCE_LENGTH


class TestThePace:
    def test_an_address_may_report_so_often_in_a_minute(
        self, acme: Company, report: Any, clock: Traveller, django_assert_num_queries: Any
    ) -> None:
        clock.shift(timedelta(seconds=20))
        for _ in range(leaks.A_MINUTE):
            assert report("junk").status_code == 200
        refused = report(acme.secrets["workspace_key"])
        assert says(refused, 429, "AB09")
        assert refused["Retry-After"] == "40"
        assert lines() == []
        clock.shift(timedelta(seconds=40))
        assert report("junk").status_code == 200

    def test_the_next_address_is_not_held_up(self, acme: Company, monkeypatch: Any) -> None:
        monkeypatch.setattr(leaks, "A_MINUTE", 1)

        def status(address: str) -> int:
            sent = Client().post(
                "/v1/leaked-keys", {"token": "junk"}, content_type="application/json", REMOTE_ADDR=address
            )
            return int(sent.status_code)

        assert [status("192.0.2.1"), status("192.0.2.1"), status("192.0.2.2")] == [200, 429, 200]
        assert [status("2001:db8::1"), status("2001:db8::2"), status("2001:db8:0:1::1")] == [200, 429, 200]
        assert [status("::ffff:192.0.2.3"), status("192.0.2.3"), status("::ffff:192.0.2.4")] == [200, 429, 200]

    def test_what_the_caller_writes_about_its_address_does_not_count(
        self, acme: Company, report: Any, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr(leaks, "A_MINUTE", 1)
        report("junk", **{"X-Forwarded-For": "192.0.2.1"})
        assert report("junk", **{"X-Forwarded-For": "192.0.2.2"}).status_code == 429
