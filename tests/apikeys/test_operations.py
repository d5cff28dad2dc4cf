"""What can happen to a key, in sentences, without HTTP."""

from datetime import timedelta

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.access.actions import DATA_PLANE, Action
from apps.access.actors import UserActor
from apps.access.roles import OrganizationRole, WorkspaceRole
from apps.access.scopes import ALLOWED, FREELY_GIVEN, INERT, KeyType, effective, every_scope
from apps.apikeys import operations as apikeys
from apps.apikeys.models import ApiKey
from apps.audit.models import AuditEvent, AuditNames
from apps.core.clock import now
from apps.core.errors import Conflict, Forbidden, Invalid, Missing, Overreach, Stale
from apps.core.models import new_id
from apps.memberships import operations as memberships
from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from apps.workspaces import operations as workspaces
from apps.workspaces.models import Workspace
from tests.world import Company, system

CALL = ["completions.write"]


def loaded(key: ApiKey) -> ApiKey:
    found: ApiKey = ApiKey.objects.with_places().get(pk=key.pk)
    return found


class TestIssuing:
    def test_shows_the_secret_once_and_stores_its_digest(self, acme: Company) -> None:
        issued = apikeys.issue(acme.workspace, name="ci", scopes=CALL, by=UserActor(acme.manager))
        stored = ApiKey.objects.filter(pk=issued.key.pk).values().get()
        assert issued.secret.clear not in str(stored)
        assert stored["mask"].endswith(issued.secret.clear[-4:])
        assert issued.secret.clear not in repr(issued) + str(issued.secret) + f"{issued.key!r}"

    def test_no_line_of_the_log_holds_the_secret(self, acme: Company) -> None:
        secret = apikeys.issue(acme.workspace, name="ci", scopes=CALL, by=UserActor(acme.manager)).secret.clear
        told = [
            *AuditEvent.objects.values_list("details", flat=True),
            *AuditNames.objects.values_list("names", flat=True),
        ]
        assert not any(secret in str(details) for details in told)

    def test_no_line_of_the_log_holds_whom_a_key_alerts(self, acme: Company) -> None:
        apikeys.update(acme.workspace_key, alert_emails=["private@home.example"], by=UserActor(acme.manager))
        line = AuditEvent.objects.get(event="api_key.updated")
        assert line.details == {"before": {"alert_emails": 0}, "after": {"alert_emails": 1}}

    @pytest.mark.parametrize("person", ["member", "bystander", "suspended"])
    def test_members_issue_none(self, acme: Company, person: str) -> None:
        for user in (None, acme[person]):
            with pytest.raises((Forbidden, Invalid)):
                apikeys.issue(acme.workspace, name="x", scopes=CALL, user=user, by=UserActor(acme[person]))

    @pytest.mark.parametrize("person", ["manager", "workspace_admin", "member"])
    def test_keys_of_the_organization_are_its_admins_business(self, acme: Company, person: str) -> None:
        with pytest.raises(Forbidden) as refusal:
            apikeys.issue(acme.organization, name="x", scopes=["workspaces.list"], by=UserActor(acme[person]))
        assert refusal.value.action == Action.ORGANISATION_SERVICE_API_KEYS_CREATE

    def test_a_manager_issues_a_key_for_somebody_on_the_team(self, acme: Company) -> None:
        key = apikeys.issue(acme.workspace, name="x", scopes=CALL, user=acme.member, by=UserActor(acme.manager)).key
        assert (key.type, key.user) == (KeyType.USER, acme.member)

    def test_a_personal_key_is_for_somebody_who_belongs_there(self, acme: Company, globex: Company) -> None:
        for outsider in (acme.bystander, globex.member, acme.suspended):
            with pytest.raises(Invalid) as refusal:
                apikeys.issue(acme.workspace, name="x", scopes=CALL, user=outsider, by=UserActor(acme.owner))
            assert list(refusal.value.errors) == ["user_id"]

    def test_nobody_gives_a_key_more_than_they_hold(self, acme: Company) -> None:
        """Drop the measuring from apikeys.operations, and this fails."""
        scopes = [s for s in every_scope(KeyType.WORKSPACE) if s not in {"prompts.delete", "workspace_users.create"}]
        narrow = apikeys.issue(acme.workspace, name="narrow", scopes=scopes, by=UserActor(acme.owner)).key
        with pytest.raises(Overreach) as refusal:
            apikeys.issue(acme.workspace, name="wide", scopes=["prompts.read", "prompts.delete"], by=narrow)
        assert refusal.value.beyond == ("prompts.delete",)

    def test_calling_models_may_be_given_by_anyone_who_may_issue(self, acme: Company) -> None:
        key = apikeys.issue(
            acme.workspace, name="x", scopes=[*DATA_PLANE, "prompts.render"], by=acme.organization_key
        ).key
        assert effective(key.scopes, KeyType.WORKSPACE) == FREELY_GIVEN

    @pytest.mark.parametrize(
        "scope", ["", "prompts", "prompts.*", "billing.manage", "organisation_owners.manage", "x.y", "PROMPTS.READ"]
    )
    def test_a_scope_that_is_none_is_refused_by_name(self, acme: Company, scope: str) -> None:
        with pytest.raises(Invalid) as refusal:
            apikeys.issue(acme.organization, name="x", scopes=[scope], by=UserActor(acme.owner))
        assert list(refusal.value.errors) == ["scopes"]

    @pytest.mark.parametrize("scopes", [[], None, "prompts.read", [1], [None], {"prompts.read": True}])
    def test_scopes_are_a_list_of_at_least_one(self, acme: Company, scopes: object) -> None:
        with pytest.raises(Invalid):
            apikeys.issue(acme.workspace, name="x", scopes=scopes, by=UserActor(acme.owner))  # type: ignore[arg-type]

    def test_an_organization_key_never_calls_a_model(self, acme: Company) -> None:
        for scope in (*DATA_PLANE, "prompts.render"):
            with pytest.raises(Invalid):
                apikeys.issue(acme.organization, name="x", scopes=[scope], by=UserActor(acme.owner))

    @pytest.mark.parametrize("key_type", list(KeyType))
    def test_what_the_contract_lists_without_meaning_is_taken_and_never_effective(
        self, acme: Company, key_type: KeyType
    ) -> None:
        place = acme.organization if key_type is KeyType.ORGANIZATION else acme.workspace
        user = acme.member if key_type is KeyType.USER else None
        key = apikeys.issue(place, name="x", scopes=sorted(INERT[key_type]), user=user, by=UserActor(acme.owner)).key
        assert key.actions_in(place) == frozenset()

    def test_an_expiry_lies_ahead(self, acme: Company) -> None:
        with pytest.raises(Invalid, match="future"):
            apikeys.issue(acme.workspace, name="x", scopes=CALL, expires_at=now(), by=UserActor(acme.owner))

    @pytest.mark.parametrize(
        ("setting", "value", "field"),
        [
            ("rate_limits", [{"type": "requests", "unit": "rpd", "value": -1}], "rate_limits[0].value"),
            ("rate_limits", {"type": "requests"}, "rate_limits"),
            ("usage_limits", [], "usage_limits"),
            ("alert_emails", ["a@x.example", "nobody"], "alert_emails"),
            ("alert_emails", ["a@x.example"] * 21, "alert_emails"),
            ("alert_emails", "a@x.example", "alert_emails"),
            ("defaults", {"config_id": "pc-other-1"}, "defaults.config_id"),
            ("defaults", {"allow_config_override": 1}, "defaults.allow_config_override"),
        ],
    )
    def test_a_setting_that_makes_no_sense_is_refused_by_name(
        self, acme: Company, setting: str, value: object, field: str
    ) -> None:
        before = ApiKey.objects.count()
        with pytest.raises(Invalid) as refusal:
            apikeys.issue(acme.workspace, name="x", scopes=CALL, by=UserActor(acme.owner), **{setting: value})
        assert list(refusal.value.errors) == [field]
        assert ApiKey.objects.count() == before


class TestRights:
    def test_a_key_opens_its_own_place_and_no_other_door(self, acme: Company, globex: Company) -> None:
        key = loaded(acme.workspace_key)
        assert key.actions_in(acme.workspace)
        for place in (acme.other_workspace, acme.organization, globex.workspace, globex.organization):
            assert key.actions_in(place) == frozenset()
            assert not key.belongs_to(place)

    def test_an_organization_key_reaches_into_its_workspaces_alone(self, acme: Company, globex: Company) -> None:
        key = loaded(acme.organization_key)
        assert Action.PROMPTS_DELETE in key.actions_in(acme.other_workspace)
        assert key.actions_in(globex.workspace) == frozenset()

    def test_a_personal_key_does_what_its_person_may_do_now(self, acme: Company) -> None:
        """Drop the intersection with the person, and this fails."""
        assert Action.PROMPTS_DELETE not in loaded(acme.user_key).actions_in(acme.workspace)
        memberships.change_workspace_role(acme.placed(acme.member), WorkspaceRole.MANAGER, by=system())
        assert Action.PROMPTS_DELETE in loaded(acme.user_key).actions_in(acme.workspace)
        memberships.change_workspace_role(acme.placed(acme.member), WorkspaceRole.MEMBER, by=system())
        assert Action.PROMPTS_DELETE not in loaded(acme.user_key).actions_in(acme.workspace)

    def test_a_key_made_by_an_admin_does_not_outgrow_them_through_itself(self, acme: Company) -> None:
        key = apikeys.issue(
            acme.workspace, name="x", scopes=every_scope(KeyType.USER), user=acme.admin, by=UserActor(acme.admin)
        ).key
        memberships.change_role(acme.membership(acme.admin), OrganizationRole.MEMBER, by=system())
        assert not loaded(key).is_let_in

    @pytest.mark.parametrize("key_type", list(KeyType))
    def test_no_type_of_key_carries_what_is_for_people(self, key_type: KeyType) -> None:
        assert not ALLOWED[key_type] & {
            Action.BILLING_MANAGE,
            Action.ORGANISATIONS_DELETE,
            Action.ORGANISATION_OWNERS_MANAGE,
        }

    def test_expiry_counts_at_use(self, acme: Company) -> None:
        soon = now() + timedelta(hours=1)
        key = apikeys.issue(acme.workspace, name="x", scopes=CALL, expires_at=soon, by=UserActor(acme.owner)).key
        assert loaded(key).is_let_in
        with time_machine.travel(soon, tick=False):
            assert not loaded(key).is_let_in
            assert loaded(key).shown_status == "expired"

    def test_a_suspended_organizations_keys_are_not_let_in(self, acme: Company) -> None:
        organizations.set_status(acme.organization, Organization.Status.SUSPENDED, by=system())
        for key in (acme.organization_key, acme.workspace_key, acme.user_key):
            assert not loaded(key).is_let_in


class TestUpdating:
    def test_changes_what_is_named(self, acme: Company) -> None:
        key = apikeys.update(acme.workspace_key, name="renamed", rate_limits=None, by=UserActor(acme.manager))
        assert (key.name, key.scopes) == ("renamed", acme.workspace_key.scopes)

    def test_widening_is_measured_and_keeping_is_not(self, acme: Company) -> None:
        key = apikeys.issue(acme.workspace, name="x", scopes=["prompts.delete"], by=UserActor(acme.owner)).key
        narrow = apikeys.issue(
            acme.workspace,
            name="narrow",
            scopes=["workspace_service_api_keys.update", "prompts.read"],
            by=UserActor(acme.owner),
        ).key
        apikeys.update(key, scopes=["prompts.delete", "prompts.read"], by=narrow)
        with pytest.raises(Overreach):
            apikeys.update(key, scopes=["prompts.delete", "prompts.publish"], by=narrow)

    @pytest.mark.parametrize("person", ["member", "bystander"])
    def test_members_may_not_even_their_own(self, acme: Company, person: str) -> None:
        with pytest.raises(Forbidden):
            apikeys.update(acme.user_key, name="mine", by=UserActor(acme[person]))

    def test_a_stale_edit_is_refused(self, acme: Company) -> None:
        apikeys.update(acme.workspace_key, name="newer", by=system())
        with pytest.raises(Stale):
            apikeys.update(acme.workspace_key, name="older", version=acme.workspace_key.version, by=system())

    def test_a_revoked_one_is_not_there(self, acme: Company) -> None:
        apikeys.revoke(acme.workspace_key, by=system())
        for act in (
            lambda: apikeys.update(acme.workspace_key, name="x", by=system()),
            lambda: apikeys.revoke(acme.workspace_key, by=system()),
        ):
            with pytest.raises(Missing):
                act()


class TestDisabling:
    def test_turns_the_key_away_until_it_is_enabled(self, acme: Company) -> None:
        key = apikeys.disable(acme.workspace_key, by=UserActor(acme.manager))
        assert (loaded(key).is_let_in, loaded(key).shown_status) == (False, "disabled")
        apikeys.enable(key, by=UserActor(acme.manager))
        assert loaded(key).is_let_in
        assert loaded(key).scopes == acme.workspace_key.scopes

    def test_is_a_line_of_the_log_each_time(self, acme: Company) -> None:
        apikeys.disable(acme.workspace_key, by=UserActor(acme.manager))
        apikeys.enable(acme.workspace_key, by=UserActor(acme.manager))
        lines = AuditEvent.objects.filter(target_id=str(acme.workspace_key.pk)).order_by("-id")
        assert [line.event for line in lines[:2]] == ["api_key.enabled", "api_key.disabled"]

    @pytest.mark.parametrize("person", ["member", "bystander"])
    def test_needs_the_right_to_update(self, acme: Company, person: str) -> None:
        for key in (acme.workspace_key, acme.organization_key, acme.user_key):
            for act in (apikeys.disable, apikeys.enable):
                with pytest.raises(Forbidden):
                    act(key, by=UserActor(acme[person]))

    def test_twice_is_said_to_be_so(self, acme: Company) -> None:
        apikeys.disable(acme.workspace_key, by=system())
        with pytest.raises(Conflict, match="disabled already"):
            apikeys.disable(acme.workspace_key, by=system())
        apikeys.enable(acme.workspace_key, by=system())
        with pytest.raises(Conflict, match="active already"):
            apikeys.enable(acme.workspace_key, by=system())

    def test_refuses_what_was_decided_on_an_older_version(self, acme: Company) -> None:
        apikeys.update(acme.workspace_key, name="newer", by=system())
        for act in (apikeys.disable, apikeys.enable, apikeys.revoke):
            with pytest.raises(Stale):
                act(acme.workspace_key, version=acme.workspace_key.version, by=system())

    def test_never_brings_a_revoked_one_back(self, acme: Company) -> None:
        apikeys.revoke(acme.workspace_key, by=system())
        with pytest.raises(Missing):
            apikeys.enable(acme.workspace_key, by=system())


class TestSendingTheSameWishTwice:
    def test_makes_one_key_and_shows_it_once(self, acme: Company) -> None:
        by, once = UserActor(acme.manager), new_id()
        made = apikeys.issue(acme.workspace, name="ci", scopes=CALL, once=once, by=by)
        assert made.key.pk == once
        with pytest.raises(apikeys.AlreadyShown) as refusal:
            apikeys.issue(acme.workspace, name="ci", scopes=CALL, once=once, by=by)
        assert refusal.value.key == made.key
        assert ApiKey.objects.filter(name="ci").count() == 1


class TestRevoking:
    @pytest.mark.parametrize("person", ["owner", "admin"])
    def test_reaches_a_leaked_key_in_an_archived_workspace_without_restoring_it(
        self, acme: Company, person: str
    ) -> None:
        """Ask the archived workspace instead of its organization, and this fails."""
        workspaces.archive(acme.workspace, by=system())
        for key in (acme.workspace_key, acme.user_key):
            apikeys.revoke(loaded(key), by=UserActor(acme[person]))
            assert loaded(key).is_revoked
        assert Workspace.objects.get(pk=acme.workspace.pk).is_archived

    @pytest.mark.parametrize("person", ["manager", "workspace_admin", "bystander"])
    def test_in_an_archived_workspace_is_no_longer_its_teams_business(self, acme: Company, person: str) -> None:
        workspaces.archive(acme.workspace, by=system())
        with pytest.raises(Forbidden):
            apikeys.revoke(loaded(acme.workspace_key), by=UserActor(acme[person]))

    def test_is_final_and_at_once(self, acme: Company) -> None:
        apikeys.revoke(acme.workspace_key, by=UserActor(acme.manager))
        assert not loaded(acme.workspace_key).is_let_in
        assert AuditEvent.objects.filter(event="api_key.revoked", target_id=str(acme.workspace_key.pk)).count() == 1

    def test_people_revoke_their_own(self, acme: Company) -> None:
        apikeys.revoke(acme.user_key, by=UserActor(acme.member))
        assert loaded(acme.user_key).is_revoked

    def test_but_no_key_its_own_persons(self, acme: Company) -> None:
        with pytest.raises(Forbidden):
            apikeys.revoke(acme.user_key, by=loaded(acme.user_key))

    @pytest.mark.parametrize("person", ["member", "bystander"])
    def test_members_revoke_nobody_elses(self, acme: Company, person: str) -> None:
        for key in (acme.workspace_key, acme.organization_key):
            with pytest.raises(Forbidden):
                apikeys.revoke(key, by=UserActor(acme[person]))

    def test_a_manager_revokes_no_key_of_another_workspace_or_of_the_organization(
        self, acme: Company, globex: Company
    ) -> None:
        for key in (acme.organization_key, globex.workspace_key):
            with pytest.raises(Forbidden):
                apikeys.revoke(key, by=UserActor(acme.manager))


SCOPES = st.sets(st.sampled_from(sorted(ALLOWED[KeyType.WORKSPACE])), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(held=SCOPES, wanted=SCOPES)
def test_a_key_gives_exactly_what_it_holds(acme: Company, held: set[Action], wanted: set[Action]) -> None:
    """ES-04: issued if, and only if, wanted ⊆ held, the freely given ones aside."""
    scopes = [*held, "workspace_service_api_keys.create"]
    creator = apikeys.issue(acme.workspace, name="creator", scopes=scopes, by=UserActor(acme.owner)).key
    may = wanted <= held | FREELY_GIVEN | {Action.WORKSPACE_SERVICE_API_KEYS_CREATE}
    if may:
        issued = apikeys.issue(acme.workspace, name="made", scopes=sorted(wanted), by=creator)
        assert issued.key.actions_in(acme.workspace) == wanted
    else:
        with pytest.raises(Overreach):
            apikeys.issue(acme.workspace, name="made", scopes=sorted(wanted), by=creator)
