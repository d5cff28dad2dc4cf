"""`Idempotency-Key`: what is sent twice happens once, and nobody but the caller hears of it (CC-05, CF-11)."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, resolve
from rest_framework import serializers

from apps.access.actors import UserActor
from apps.apikeys import operations as apikeys
from apps.apikeys.models import ApiKey
from apps.audit.models import AuditEvent
from apps.core.clock import now
from apps.memberships.models import Invitation
from apps.onboarding import operations as onboarding
from apps.replays import operations as replays
from apps.replays.models import KeptAnswer
from apps.tenancy.api import TenantViewSet
from apps.tenancy.fields import ShownOnce
from apps.tenancy.idempotency import without_secrets
from apps.workspaces import operations as workspaces
from apps.workspaces.models import Workspace
from tests.api.endpoints import ENDPOINTS, Endpoint, filled, new_key, rolled_back, says
from tests.world import Company, World, system

POSTS = [endpoint for endpoint in ENDPOINTS if endpoint.method == "POST"]
WORKSPACES, INVITES = "/v1/admin/workspaces", "/v1/admin/users/invites"
A_SECRET = re.compile(r"gth[a-z]_[0-9A-Za-z]{20}")
SOUNDS_SECRET = re.compile(r"key$|secret|token|link|password|code$", re.IGNORECASE)


@pytest.fixture
def post(call: Any, acme: Company) -> Any:
    """`post(path, body, "key")` is a POST with that Idempotency-Key, by Acme's organization key unless told."""

    def posted(path: str, body: Any = None, key: str | None = "once", secret: str | None = None) -> Any:
        headers = {} if key is None else {"Idempotency-Key": key}
        return call("POST", path, secret or acme.secrets["organization_key"], body, **headers)

    return posted


def is_replay(answer: Any) -> bool:
    return answer.headers.get("Idempotent-Replayed") == "true"


def named(name: str) -> int:
    return Workspace.objects.filter(name=name).count()


class TestTheSameCall:
    def test_happens_once_and_is_answered_twice(self, post: Any) -> None:
        first, second = post(WORKSPACES, {"name": "Once"}), post(WORKSPACES, {"name": "Once"})
        assert (first.status_code, is_replay(first)) == (200, False)
        assert (second.status_code, is_replay(second), second.content) == (200, True, first.content)
        assert named("Once") == 1
        assert AuditEvent.objects.filter(event="workspace.created", actor_kind="key").count() == 1

    def test_is_told_apart_by_its_own_trace(self, post: Any) -> None:
        answers = [post(WORKSPACES, {"name": "Once"}) for _ in range(2)]
        assert answers[0]["x-portkey-trace-id"] != answers[1]["x-portkey-trace-id"]

    def test_may_lay_out_its_json_otherwise(self, post: Any) -> None:
        post(WORKSPACES, '{"name": "Once", "description": "x"}')
        assert is_replay(post(WORKSPACES, '{ "description":"x","name":"\\u004fnce" }'))

    def test_without_a_key_happens_twice(self, post: Any) -> None:
        assert not any(is_replay(post(WORKSPACES, {"name": "Twice"}, key=None)) for _ in range(2))
        assert (named("Twice"), KeptAnswer.objects.count()) == (2, 0)

    def test_with_another_key_happens_twice(self, post: Any) -> None:
        assert not any(is_replay(post(WORKSPACES, {"name": "Twice"}, key=key)) for key in ("a", "b"))
        assert named("Twice") == 2

    def test_of_another_actor_is_another_call(self, world: World, post: Any) -> None:
        secrets = [None, new_key(world.acme.organization), world.globex.secrets["organization_key"]]
        assert not any(is_replay(post(WORKSPACES, {"name": "Thrice"}, secret=secret)) for secret in secrets)
        assert named("Thrice") == 3

    def test_without_a_body_happens_once_too(self, acme: Company, post: Any) -> None:
        resend = f"{INVITES}/{acme.invitation.pk}/resend"
        first = post(resend)
        digest = Invitation.objects.get(pk=acme.invitation.pk).copied_digest
        assert (is_replay(first), is_replay(post(resend))) == (False, True)
        assert Invitation.objects.get(pk=acme.invitation.pk).copied_digest == digest


class TestAnotherCall:
    def test_with_the_same_key_is_422_and_does_nothing(self, acme: Company, post: Any) -> None:
        post(WORKSPACES, {"name": "Once"})
        others = [
            post(WORKSPACES, {"name": "Other"}),
            post(f"{WORKSPACES}?x=1", {"name": "Once"}),
            post("/v2/admin/workspaces", {"name": "Once"}),
            post(INVITES, {"email": "new@elsewhere.example", "role": "member"}),
        ]
        for answer in others:
            assert says(answer, 422, "AB01")
            assert "POST /v1/admin/workspaces" in answer.json()["message"]
        assert (named("Other"), named("Once"), Invitation.objects.filter(email="new@elsewhere.example").count()) == (
            0, 1, 0,
        )  # fmt: skip


class TestTheKey:
    @pytest.mark.parametrize("key", ["", " ", "x" * 256, "a\x01b", "a\x7f", "a\tb", "a\nb", "a\0b", "schlüssel", " x"])
    def test_that_cannot_be_one_is_400_and_does_nothing(self, post: Any, key: str) -> None:
        answer = post(WORKSPACES, {"name": "Once"}, key=key)
        assert says(answer, 400, "AB01")
        assert answer.json()["error"]["param"] == "Idempotency-Key"
        assert (named("Once"), KeptAnswer.objects.count()) == (0, 0)

    @pytest.mark.parametrize("key", ["x", "x" * 255, "order 5/2026 #1", '"quoted"', "~!%00"])
    def test_may_be_any_printable_text(self, post: Any, key: str) -> None:
        assert [is_replay(post(WORKSPACES, {"name": "Once"}, key=key)) for _ in range(2)] == [False, True]

    @pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
    def test_is_not_heard_with_other_methods(self, acme: Company, call: Any, method: str) -> None:
        path, body = f"{WORKSPACES}/{acme.workspace.slug}", {"description": "x", "force_delete": True}
        sent = body if method in {"PUT", "DELETE"} else None
        for key in ("once", "\x01"):
            with rolled_back():
                answer = call(method, path, acme.secrets["organization_key"], sent, **{"Idempotency-Key": key})
            assert (answer.status_code, is_replay(answer)) == (200, False)
        assert KeptAnswer.objects.count() == 0

    def test_is_not_heard_before_who_asks_is_known(self, acme: Company, call: Any) -> None:
        bad = {"Idempotency-Key": "\x01"}
        assert call("POST", WORKSPACES, None, {"name": "x"}, **bad).status_code == 401
        assert call("POST", WORKSPACES, acme.secrets["workspace_key"], {"name": "x"}, **bad).status_code == 403
        assert call("POST", "/v1/whoami", acme.secrets["workspace_key"], {}, **bad).status_code == 405

    def test_does_not_make_a_broken_body_good(self, post: Any) -> None:
        for body in ("{", "[]", '"text"', "5"):
            assert says(post(WORKSPACES, body), 400, "AB01")
        assert KeptAnswer.objects.count() == 0


class TestARefusedCall:
    """Only what was done is kept: a refusal frees the key, and what it wrote down stays."""

    def test_frees_its_key(self, post: Any) -> None:
        assert post(WORKSPACES, {"name": ""}).status_code == 400
        answer = post(WORKSPACES, {"name": "Good"})
        assert (answer.status_code, is_replay(answer), named("Good")) == (200, False, 1)

    def test_that_is_refused_by_the_operation_is_written_down_and_undone(self, acme: Company, post: Any) -> None:
        maker = new_key(acme.organization, ["organisation_service_api_keys.create"])
        wanted = {"name": "Too much", "scopes": ["audit_logs.list"]}
        before = AuditEvent.objects.filter(event="access.refused").count()
        for _ in range(2):
            answer = post("/v1/api-keys/organisation/service", wanted, secret=maker)
            assert (answer.status_code, is_replay(answer)) == (400, False)
            # The second is counted to the first.
            assert AuditEvent.objects.filter(event="access.refused").count() == before + 1
        assert not ApiKey.objects.filter(name="Too much").exists()
        assert KeptAnswer.objects.count() == 0

    def test_that_fails_half_way_leaves_nothing(self, post: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*args: Any, **kwargs: Any) -> None:
            raise IntegrityError("the disk is full")

        with monkeypatch.context() as patched:
            patched.setattr(replays, "keep", fail)
            assert says(post(WORKSPACES, {"name": "Half"}), 500, "AB10")
        assert (named("Half"), KeptAnswer.objects.count()) == (0, 0)
        assert not AuditEvent.objects.filter(event="workspace.created", actor_kind="key").exists()
        assert is_replay(post(WORKSPACES, {"name": "Half"})) is False
        assert named("Half") == 1


class TestAfterwards:
    """The replay is an answer to a caller who might ask now, not to one who might ask then."""

    def test_a_revoked_key_hears_nothing(self, acme: Company, post: Any) -> None:
        post(WORKSPACES, {"name": "Once"})
        apikeys.revoke(acme.organization_key, by=UserActor(acme.owner))
        assert says(post(WORKSPACES, {"name": "Once"}), 401, "AB02")

    def test_a_key_that_lost_the_scope_hears_nothing(self, acme: Company, post: Any) -> None:
        post(WORKSPACES, {"name": "Once"})
        apikeys.update(acme.organization_key, scopes=["workspaces.list"], by=system())
        assert says(post(WORKSPACES, {"name": "Once"}), 403, "AB03")

    def test_a_key_of_an_archived_workspace_hears_nothing(self, acme: Company, post: Any) -> None:
        made = {"name": "Made", "scopes": ["completions.write"]}
        secret = new_key(acme.workspace)
        assert post("/v1/api-keys/workspace/service", made, secret=secret).status_code == 200
        workspaces.archive(acme.workspace, even_if_used=True, by=UserActor(acme.owner))
        assert post("/v1/api-keys/workspace/service", made, secret=secret).status_code == 401

    def test_a_workspace_that_is_gone_is_gone(self, acme: Company, post: Any) -> None:
        body = {"users": [{"id": str(acme.bystander.pk), "role": "member"}]}
        team = f"{WORKSPACES}/{acme.workspace.slug}/users"
        issue = {"name": "Made", "scopes": ["completions.write"], "workspace_id": acme.workspace.slug}
        assert post(team, body, key="team").status_code == 200
        assert post("/v1/api-keys/workspace/service", issue, key="issue").status_code == 200
        workspaces.archive(acme.workspace, even_if_used=True, by=UserActor(acme.owner))
        assert says(post(team, body, key="team"), 404, "AB08")
        assert says(post("/v1/api-keys/workspace/service", issue, key="issue"), 404, "AB08")

    def test_a_day_later_it_is_a_new_call(self, post: Any) -> None:
        with time_machine.travel(now() - timedelta(hours=24, seconds=1), tick=False):
            post(WORKSPACES, {"name": "Daily"})
        assert not is_replay(post(WORKSPACES, {"name": "Daily"}))
        assert is_replay(post(WORKSPACES, {"name": "Daily"}))
        assert (named("Daily"), KeptAnswer.objects.count()) == (2, 1)

    def test_the_purge_forgets_what_is_older_than_a_day(self, post: Any) -> None:
        for hours in (23, 25, 100):
            with time_machine.travel(now() - timedelta(hours=hours), tick=False):
                post(WORKSPACES, {"name": "Old"}, key=f"{hours} hours")
        assert replays.purge() == 2
        assert [kept.key for kept in KeptAnswer.objects.all()] == ["23 hours"]
        assert replays.purge() == 0

    def test_an_organization_takes_its_answers_along(self, acme: Company, post: Any) -> None:
        post(WORKSPACES, {"name": "Once"})
        onboarding.delete_organization(acme.organization, typed_name="Acme", by=UserActor(acme.owner))
        assert KeptAnswer.objects.count() == 0


class TestSecrets:
    """What is shown once is shown once: no row holds it, and no repeated call brings it back."""

    @pytest.mark.parametrize("endpoint", POSTS, ids=str)
    def test_of_every_endpoint_stay_out_of_the_row_and_of_the_replay(
        self, acme: Company, post: Any, endpoint: Endpoint
    ) -> None:
        """Answer a secret in a plain field, and this fails."""
        body = filled(endpoint.body, acme)
        first, second = (post(endpoint.of(acme), body) for _ in range(2))
        assert (first.status_code, second.status_code) == (200, 200), first.content
        assert is_replay(second) is (not is_question(endpoint))
        assert not A_SECRET.search(repr(list(KeptAnswer.objects.values())))
        assert not A_SECRET.search(second.content.decode())
        shown = {name for name, value in first.json().items() if A_SECRET.search(str(value))}
        assert second.json() == {**first.json(), **dict.fromkeys(shown)}

    def test_are_found_by_the_walk_above(self, acme: Company, post: Any) -> None:
        """If nothing were ever shown, nothing could be forgotten."""
        answers = [post(e.of(acme), filled(e.body, acme), key=None).content.decode() for e in POSTS]
        assert sum(bool(A_SECRET.search(answer)) for answer in answers) >= 5

    def test_in_a_body_cannot_be_guessed_from_its_digest(self, post: Any, settings: Any) -> None:
        """The digest is keyed: whoever has the row alone has nothing to try guesses on."""
        post(WORKSPACES, {"name": "Once"})
        settings.SECRET_KEY = "another-" + "y" * 50
        assert post(WORKSPACES, {"name": "Once"}).status_code == 422

    def test_every_endpoint_is_walked(self) -> None:
        assert {resolve(f"/v1{walked(endpoint)}").url_name for endpoint in POSTS} == {name for name, _, _ in served()}

    def test_every_field_that_sounds_like_one_is_shown_once(self) -> None:
        """Name a field `token` in the answer to a POST, and this fails until it is a ShownOnce."""
        for name, view, action in served():
            shape = view.cls.answers.get(action)
            for field, kind in (shape().fields if shape else {}).items():
                if SOUNDS_SECRET.search(field) and not isinstance(kind, serializers.ChoiceField):
                    assert isinstance(kind, ShownOnce), f"{name}: {field}"

    def test_deep_in_an_answer_are_found(self) -> None:
        class Part(serializers.Serializer):
            token, name = ShownOnce(), serializers.CharField()

        class Whole(serializers.Serializer):
            one, many = Part(), Part(many=True)
            free = serializers.JSONField()

        part, kept = {"token": "x", "name": "n"}, {"token": None, "name": "n"}
        said = {"one": part, "many": [part, part], "free": {"a": 1}}
        assert without_secrets(Whole(), said) == {"one": kept, "many": [kept, kept], "free": {"a": 1}}
        assert without_secrets(Whole(many=True), [said])[0]["one"] == kept
        assert without_secrets(Whole(), {"one": None}) == {"one": None}
        assert without_secrets(None, {}) == {}

    @pytest.mark.parametrize("said", [{"secret": "x"}, {"id": 1, "extra": 2}])
    def test_cannot_hide_in_what_no_serializer_declares(self, said: dict[str, Any]) -> None:
        class Known(serializers.Serializer):
            id = serializers.CharField()

        with pytest.raises(RuntimeError, match="No serializer declares"):
            without_secrets(Known() if "id" in said else None, said)


def is_question(endpoint: Endpoint) -> bool:
    found = resolve(f"/v1{walked(endpoint)}").func
    return found.actions["post"] in found.cls.questions


def walked(endpoint: Endpoint) -> str:
    return re.sub(r"{\w+}", "x", endpoint.path)


def served() -> list[tuple[str, Any, str]]:
    """Every POST of a tenant's API, as (name, view, the handler's name)."""
    [table] = [pattern for pattern in get_resolver().url_patterns if str(pattern.pattern) == "v1/"]
    found = [(pattern.name, pattern.callback) for pattern in table.url_patterns if hasattr(pattern.callback, "actions")]
    return [
        (name, view, view.actions["post"])
        for name, view in found
        if "post" in view.actions and issubclass(view.cls, TenantViewSet)
    ]


def asked_of_the_database(act: Any) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        assert act().status_code == 200
    frame = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")
    return [query["sql"] for query in asked if not query["sql"].startswith(frame)]


class TestTheCost:
    def test_is_nothing_without_a_key_and_three_statements_with_one(self, post: Any) -> None:
        post(WORKSPACES, {"name": "Warm"}, key=None)
        plain = asked_of_the_database(lambda: post(WORKSPACES, {"name": "Plain"}, key=None))
        keyed = asked_of_the_database(lambda: post(WORKSPACES, {"name": "Keyed"}))
        assert not any("replays_" in sql or "advisory" in sql for sql in plain)
        assert len(keyed) - len(plain) == (3 if connection.vendor == "postgresql" else 2)

    def test_of_a_replay_is_less_than_that_of_the_call(self, post: Any) -> None:
        first = asked_of_the_database(lambda: post(WORKSPACES, {"name": "Once"}))
        assert len(asked_of_the_database(lambda: post(WORKSPACES, {"name": "Once"}))) < len(first) / 2


class TestTheRow:
    def test_is_one_for_each_actor_and_key(self, acme: Company, post: Any) -> None:
        post(WORKSPACES, {"name": "Once"})
        kept = KeptAnswer.objects.get()
        assert (kept.actor_id, kept.key, kept.call) == (acme.organization_key.pk, "once", "POST /v1/admin/workspaces")
        assert json.loads(kept.answer)["name"] == "Once"
        kept.pk = None
        with pytest.raises(IntegrityError), transaction.atomic():
            kept.save(force_insert=True)

    @pytest.mark.django_db(transaction=True)
    def test_is_looked_for_inside_a_transaction_alone(self, acme: Company) -> None:
        with pytest.raises(RuntimeError, match="inside the transaction"):
            replays.find(replays.Call(acme.organization_key.pk, "once", "POST /", ""))
