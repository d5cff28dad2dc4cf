"""`whoami/can`: what the gate would say, why, and nothing else."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.access import gate
from apps.access.actions import Action, Level
from apps.access.actors import UserActor
from apps.access.roles import actions_of, holders, title
from apps.access.scopes import ALLOWED, INERT, PEOPLE_ONLY, KeyType, every_scope
from apps.apikeys import reasons
from apps.apikeys.models import ApiKey
from apps.apikeys.reasons import Reason
from apps.audit.models import AuditEvent
from apps.organizations.models import Organization
from apps.replays.models import KeptAnswer
from apps.workspaces import operations as workspaces
from apps.workspaces.models import Workspace
from apps.workspaces.types import WorkspaceType
from tests.api.endpoints import new_key, rolled_back, says
from tests.conftest import key_named
from tests.world import Company, World, system

PEOPLE = ("owner", "admin", "manager", "workspace_admin", "member")


@pytest.fixture
def can(call: Any) -> Any:
    """`can(secret, "prompts.read", workspace)` is the answer."""

    def asked(secret: str, action: str, workspace: str | None = None, **more: Any) -> Any:
        named = {"workspace_id": workspace} if workspace else {}
        return call("POST", "/v1/whoami/can", secret, {"action": action, **named, **more})

    return asked


def place_of(company: Company, key_type: KeyType) -> Organization | Workspace:
    return company.organization if key_type is KeyType.ORGANIZATION else company.workspace


@pytest.fixture
def vault(acme: Company) -> Workspace:
    """A workspace of the other type, where most features are not."""
    return workspaces.create(acme.organization, name="Vault", kind=WorkspaceType.SECRETS, by=system())


class TestTheVerdict:
    """It is the gate's, for whatever key, action and place."""

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_is_the_gates(self, acme: Company, vault: Workspace, can: Any, data: st.DataObject) -> None:
        """Decide it anywhere else, and this fails."""
        key_type = data.draw(st.sampled_from(list(KeyType)))
        possible = sorted({*ALLOWED[key_type], *INERT[key_type]})
        scopes = data.draw(st.lists(st.sampled_from(possible), min_size=1, max_size=8, unique=True))
        action = data.draw(st.sampled_from([Action(s) for s in scopes if s in ALLOWED[key_type]] * 9 + list(Action)))
        home = place_of(acme, key_type)
        person = acme[data.draw(st.sampled_from(PEOPLE))] if key_type is KeyType.USER else None
        places = [None, acme.workspace, *([vault, acme.default] if key_type is KeyType.ORGANIZATION else [])]
        named = data.draw(st.sampled_from(places))
        with rolled_back():
            secret = new_key(home, scopes, person)
            answer = can(secret, action, named and data.draw(st.sampled_from([named.slug, str(named.pk)])))
            key = key_named(secret)
            workspace = named or key.workspace
            place = workspace if workspace and action.level is Level.WORKSPACE else acme.organization
            may = gate.may(key, action, place)
        assert answer.status_code == 200, answer.content
        said = answer.json()
        assert (said["allowed"], said["code"] == "allowed") == (may, may)
        assert (said["action"], said["place"]["id"]) == (action, str(place.pk))

    @pytest.mark.parametrize("action", list(Action))
    def test_is_that_of_the_endpoints_own_question(self, acme: Company, can: Any, action: Action) -> None:
        for label in ("organization_key", "workspace_key", "user_key"):
            key = ApiKey.objects.with_places().get(pk=getattr(acme, label).pk)
            place = acme.workspace if action.level is Level.WORKSPACE and key.workspace else acme.organization
            assert can(acme.secrets[label], action).json()["allowed"] is gate.may(key, action, place)

    def test_is_shaped_like_this(self, acme: Company, can: Any) -> None:
        workspace = acme.workspace
        assert can(acme.secrets["user_key"], "prompts.publish").json() == {
            "allowed": False,
            "action": "prompts.publish",
            "place": {
                "id": str(workspace.pk),
                "slug": workspace.slug,
                "name": "Acme Search",
                "object": "workspace",
            },
            "code": "person_lacks",
            "reason": "The key carries prompts.publish, but the person it belongs to does not hold it in Acme Search. "
            "Who holds it: Organization owner, Organization admin, Workspace admin, Workspace manager.",
            "roles": ["Organization owner", "Organization admin", "Workspace admin", "Workspace manager"],
        }


class TestTheReason:
    def said(self, answer: Any) -> tuple[str, str]:
        return answer.json()["code"], answer.json()["reason"]

    def test_of_a_yes_names_the_place(self, acme: Company, can: Any) -> None:
        secret = acme.secrets["organization_key"]
        for workspace, name in ((None, "Acme"), (acme.workspace.slug, "Acme Search")):
            answer = can(secret, "prompts.publish", workspace)
            assert self.said(answer) == ("allowed", f"This key may do prompts.publish in {name}.")

    def test_is_the_kind_of_key(self, acme: Company, can: Any) -> None:
        code, reason = self.said(can(new_key(acme.workspace), "workspaces.create"))
        assert code == "kind_cannot"
        assert reason.startswith("A workspace-service key cannot do workspaces.create, whatever its scopes; ")
        assert "a key of the type organisation-service can" in reason
        assert "Organization admin" in reason

    @pytest.mark.parametrize("action", sorted(PEOPLE_ONLY))
    def test_is_that_no_key_can(self, acme: Company, can: Any, action: Action) -> None:
        code, reason = self.said(can(new_key(acme.organization), action))
        assert (code, "no key can, only people" in reason) == ("kind_cannot", True)
        assert reason.endswith("Who holds it: Organization owner.")

    def test_is_the_place(self, acme: Company, vault: Workspace, can: Any) -> None:
        code, reason = self.said(can(new_key(acme.organization), "prompts.read", vault.slug))
        assert (code, reason.startswith("Nobody may do prompts.read in Vault")) == ("place_closed", True)

    def test_is_the_scopes(self, acme: Company, can: Any) -> None:
        code, reason = self.said(can(new_key(acme.workspace, ["prompts.read"]), "prompts.publish"))
        assert code == "not_in_scopes"
        assert reason.startswith("prompts.publish is not among the scopes of this key. Who holds it: ")

    def test_is_the_scopes_and_the_person(self, acme: Company, can: Any) -> None:
        secret = new_key(acme.workspace, ["prompts.read"], acme.member)
        assert "Nor does the person" in self.said(can(secret, "prompts.publish"))[1]
        assert "Nor does the person" not in self.said(can(secret, "prompts.update"))[1]

    def test_is_the_person(self, acme: Company, can: Any) -> None:
        assert self.said(can(new_key(acme.workspace, user=acme.member), "prompts.publish"))[0] == "person_lacks"
        assert self.said(can(new_key(acme.workspace, user=acme.manager), "prompts.publish"))[0] == "allowed"

    @pytest.mark.parametrize("action", list(Action))
    def test_tells_what_would_help(self, acme: Company, action: Action) -> None:
        """Each code by what it promises: what is named as missing is what is missing."""
        for label in ("organization_key", "workspace_key", "user_key"):
            key = ApiKey.objects.with_places().get(pk=getattr(acme, label).pk)
            key_type = KeyType(key.type)
            for scopes in (key.scopes, []):
                key.scopes = scopes
                found = reasons.verdict(key, action, key.place).code
                key.scopes = every_scope(key_type)
                with_all = gate.may(key, action, key.place)
                key.scopes = scopes
                person_may = key.user is None or gate.may(UserActor(key.user), action, key.place)
                if found is Reason.KIND_CANNOT:
                    assert (with_all, action in ALLOWED[key_type]) == (False, False)
                elif found is Reason.NOT_IN_SCOPES:
                    assert (action in scopes, with_all) == (False, person_may)
                elif found is Reason.PERSON_LACKS:
                    assert (action in scopes, person_may) == (True, False)
                else:
                    assert found is Reason.ALLOWED

    @pytest.mark.parametrize("action", list(Action))
    def test_names_the_roles_of_the_matrix(self, acme: Company, action: Action) -> None:
        told = reasons.verdict(acme.workspace_key, action, acme.workspace).roles
        assert told == [title(role) for role in holders(action)]
        assert told
        assert all(action in actions_of(role) for role in holders(action))

    def test_of_a_place_the_key_is_not_in_is_never_a_yes(self, acme: Company, globex: Company) -> None:
        for place in (globex.workspace, globex.organization, acme.other_workspace):
            verdict = reasons.verdict(acme.workspace_key, Action.PROMPTS_READ, place)
            assert (verdict.allowed, verdict.code) == (False, Reason.PLACE_CLOSED)


class TestTheQuestion:
    def test_may_be_asked_by_a_key_that_may_nothing(self, acme: Company, can: Any) -> None:
        secret = new_key(acme.workspace, ["workspaces.create"])  # taken on creation, never effective
        assert not key_named(secret).actions_in(acme.workspace)
        assert can(secret, "prompts.read").json()["code"] == "not_in_scopes"
        assert can(secret, "workspaces.create").json()["code"] == "kind_cannot"

    def test_needs_a_key(self, acme: Company, call: Any, sign_in: Any) -> None:
        assert says(call("POST", "/v1/whoami/can", None, {"action": "prompts.read"}), 401, "AB02")
        assert sign_in(acme.owner).post("/v1/whoami/can").status_code == 401

    def test_about_another_place_is_404_whatever_it_is(self, world: World, can: Any) -> None:
        acme, globex = world.acme, world.globex
        for label in ("organization_key", "workspace_key", "user_key"):
            nothing = can(acme.secrets[label], "prompts.read", "ws-nothing-000000")
            assert says(nothing, 404, "AB08")
            foreign = [globex.workspace.slug, str(globex.workspace.pk)]
            foreign += [acme.other_workspace.slug] if label != "organization_key" else []
            for reference in foreign:
                for action in ("prompts.read", "nonsense"):
                    assert can(acme.secrets[label], action, reference).content == nothing.content

    def test_about_another_organization_is_404(self, world: World, can: Any) -> None:
        secret, globex = world.acme.secrets["organization_key"], world.globex.organization
        assert says(can(secret, "prompts.read", organisation_id=str(globex.pk)), 404, "AB08")
        assert can(secret, "prompts.read", organisation_id=world.acme.organization.slug).status_code == 200

    def test_about_an_archived_workspace_is_404(self, acme: Company, can: Any) -> None:
        workspaces.archive(acme.other_workspace, by=system())
        assert says(can(acme.secrets["organization_key"], "prompts.read", acme.other_workspace.slug), 404, "AB08")

    @pytest.mark.parametrize("action", ["nonsense", "", "prompts", "PROMPTS.READ", "prompts read", None, 5, [], {}])
    def test_about_no_action_is_400(self, acme: Company, can: Any, action: Any) -> None:
        answer = can(acme.secrets["organization_key"], action)
        assert says(answer, 400, "AB01")
        assert answer.json()["error"]["param"] == "action"

    def test_that_says_more_is_refused_by_name(self, acme: Company, can: Any) -> None:
        answer = can(acme.secrets["organization_key"], "prompts.read", actor="me", object="x")
        assert says(answer, 400, "AB01")
        assert [mistake["param"] for mistake in answer.json()["error"]["errors"]] == ["actor", "object"]

    def test_changes_nothing_and_leaves_no_line(self, acme: Company, can: Any) -> None:
        before = AuditEvent.objects.count()
        assert not can(acme.secrets["user_key"], "prompts.publish").json()["allowed"]
        assert AuditEvent.objects.count() == before

    def test_is_answered_anew_each_time(self, acme: Company, call: Any) -> None:
        """A verdict of yesterday would be worse than none: an Idempotency-Key is not heard."""
        secret, body = acme.secrets["workspace_key"], {"action": "prompts.read"}
        for expected in (True, False):
            answer = call("POST", "/v1/whoami/can", secret, body, **{"Idempotency-Key": "once"})
            assert (answer.json()["allowed"], "Idempotent-Replayed" in answer) == (expected, False)
            ApiKey.objects.filter(pk=acme.workspace_key.pk).update(scopes=["completions.write"])
        assert not KeptAnswer.objects.exists()

    def test_costs_a_few_queries(self, acme: Company, can: Any, django_assert_max_num_queries: Any) -> None:
        with django_assert_max_num_queries(3):
            can(acme.secrets["organization_key"], "prompts.publish", acme.workspace.slug)
        with django_assert_max_num_queries(3):
            can(acme.secrets["user_key"], "prompts.publish")
