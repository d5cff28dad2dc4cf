"""What can happen to a workspace, in sentences, without HTTP."""

from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command

from apps.access.actions import Action
from apps.access.actors import UserActor
from apps.apikeys import operations as apikeys
from apps.apikeys.models import ApiKey
from apps.audit.models import AuditEvent
from apps.core.clock import now
from apps.core.errors import Conflict, Forbidden, Invalid, Missing, Stale
from apps.workspaces import operations as workspaces
from apps.workspaces.models import Workspace
from apps.workspaces.types import WorkspaceType
from tests.world import Company, system


class TestCreating:
    def test_opens_a_workspace_with_a_slug_of_its_own(self, acme: Company) -> None:
        workspace = workspaces.create(acme.organization, name="Research & Things", by=UserActor(acme.admin))
        assert workspace.slug.startswith("ws-resear-")
        assert UserActor(acme.owner).belongs_to(workspace)
        line = AuditEvent.objects.get(event="workspace.created", target_id=str(workspace.pk))
        assert (line.chain, line.workspace_id) == (acme.organization.pk, workspace.pk)

    def test_a_name_without_ascii_still_has_a_slug(self, acme: Company) -> None:
        assert workspaces.create(acme.organization, name="研究", by=system()).slug.startswith("ws-space-")

    def test_two_may_have_the_same_name(self, acme: Company) -> None:
        slugs = {workspaces.create(acme.organization, name="Same", by=system()).slug for _ in range(3)}
        assert len(slugs) == 3

    @pytest.mark.parametrize("person", ["member", "manager", "workspace_admin", "bystander"])
    def test_members_may_not(self, acme: Company, person: str) -> None:
        with pytest.raises(Forbidden) as refusal:
            workspaces.create(acme.organization, name="No", by=UserActor(acme[person]))
        assert refusal.value.action == Action.WORKSPACES_CREATE

    def test_a_workspace_key_may_not_even_with_the_scope(self, acme: Company) -> None:
        acme.workspace_key.scopes = ["workspaces.create"]
        with pytest.raises(Forbidden):
            workspaces.create(acme.organization, name="No", by=acme.workspace_key)

    @pytest.mark.parametrize(
        "name", ["", "   ", "x" * 256, "two\nlines", "nul\0", "bell\x07", "half \ud800", "para\u2029graph"]
    )
    def test_a_name_is_one_line_of_text(self, acme: Company, name: str) -> None:
        with pytest.raises(Invalid) as refusal:
            workspaces.create(acme.organization, name=name, by=system())
        assert list(refusal.value.errors) == ["name"]

    @pytest.mark.parametrize(
        "name", ["x" * 255, "<script>alert(1)</script>", "=cmd()", "\u202edesrever", "日本語 👩‍💻"]
    )
    def test_any_other_text_is_a_name(self, acme: Company, name: str) -> None:
        workspace = workspaces.create(acme.organization, name=name, by=system())
        assert Workspace.objects.get(pk=workspace.pk).name == name

    def test_a_type_is_one_of_ours(self, acme: Company) -> None:
        with pytest.raises(Invalid, match="type"):
            workspaces.create(acme.organization, name="x", kind="casino", by=system())


class TestTypes:
    def test_a_feature_outside_the_type_is_nobodys(self, acme: Company) -> None:
        vault = workspaces.create(acme.organization, name="Vault", kind=WorkspaceType.SECRETS, by=system())
        held = UserActor(acme.owner).actions_in(vault)
        assert Action.PROMPTS_LIST not in held
        assert Action.WORKSPACE_USERS_CREATE in held
        assert not acme.owner.has_perm("workspaces.prompts_list", vault)

    def test_it_does_not_count_for_keys_either(self, acme: Company) -> None:
        vault = workspaces.create(acme.organization, name="Vault", kind=WorkspaceType.SECRETS, by=system())
        assert Action.PROMPTS_LIST not in acme.organization_key.actions_in(vault)


class TestUpdating:
    def test_changes_what_is_named_and_nothing_else(self, acme: Company) -> None:
        changed = workspaces.update(
            acme.workspace, description="What we search", color="green", by=UserActor(acme.manager)
        )
        assert (changed.name, changed.description, changed.color) == ("Acme Search", "What we search", "green")
        line = AuditEvent.objects.get(event="workspace.updated")
        assert line.details["after"] == {"description": "What we search", "color": "green"}

    def test_the_same_again_leaves_no_line(self, acme: Company) -> None:
        workspaces.update(acme.workspace, name=acme.workspace.name, by=UserActor(acme.manager))
        assert not AuditEvent.objects.filter(event="workspace.updated").exists()

    def test_a_stale_edit_is_refused(self, acme: Company) -> None:
        workspaces.update(acme.workspace, name="Newer", by=system())
        with pytest.raises(Stale):
            workspaces.update(acme.workspace, name="Older", version=acme.workspace.version, by=system())

    @pytest.mark.parametrize("person", ["member", "bystander"])
    def test_members_may_not(self, acme: Company, person: str) -> None:
        with pytest.raises(Forbidden):
            workspaces.update(acme.workspace, name="Mine", by=UserActor(acme[person]))

    def test_a_manager_stays_in_their_own(self, acme: Company, globex: Company) -> None:
        for elsewhere in (acme.other_workspace, globex.workspace):
            with pytest.raises(Forbidden):
                workspaces.update(elsewhere, name="Mine", by=UserActor(acme.manager))

    def test_protection_is_taken_off_only_by_who_may_delete(self, acme: Company) -> None:
        workspaces.update(acme.workspace, delete_protected=True, by=UserActor(acme.manager))
        with pytest.raises(Forbidden) as refusal:
            workspaces.update(acme.workspace, delete_protected=False, by=UserActor(acme.manager))
        assert refusal.value.action == Action.WORKSPACES_DELETE
        workspaces.update(acme.workspace, delete_protected=False, by=UserActor(acme.admin))

    @pytest.mark.parametrize(
        ("setting", "value", "field"),
        [
            ("usage_limits", {}, "usage_limits"),
            ("usage_limits", [{"type": "gold"}], "usage_limits[0].type"),
            ("usage_limits", [{"credit_limit": 0}], "usage_limits[0].credit_limit"),
            ("usage_limits", [{"credit_limit": True}], "usage_limits[0].credit_limit"),
            ("usage_limits", [{"credit_limit": 10.5}], "usage_limits[0].credit_limit"),
            ("usage_limits", [{"credit_limit": 2**63}], "usage_limits[0].credit_limit"),
            (
                "usage_limits",
                [{"periodic_reset": "weekly", "periodic_reset_days": 3}],
                "usage_limits[0].periodic_reset_days",
            ),
            ("usage_limits", [{"next_usage_reset_at": "soon"}], "usage_limits[0].next_usage_reset_at"),
            ("rate_limits", [{"type": "requests", "unit": "rps", "value": 1}], "rate_limits[0].unit"),
            ("rate_limits", [{"type": "requests", "unit": "rpm"}], "rate_limits[0].value"),
            ("rate_limits", [{"type": ["requests"], "unit": "rpm", "value": 1}], "rate_limits[0].type"),
            ("defaults", [], "defaults"),
            ("defaults", {"metadata": {"a": 1}}, "defaults.metadata"),
            ("defaults", {"metadata": {"a": "x" * 256}}, "defaults.metadata"),
            ("defaults", {"metadata": {"a": "half \ud800"}}, "defaults.metadata"),
            ("defaults", {"metadata": {"nul\0": "a"}}, "defaults.metadata"),
            ("defaults", {"input_guardrails": ["pg-none"]}, "defaults.input_guardrails"),
            ("color", "mauve", "color"),
        ],
    )
    def test_a_setting_that_makes_no_sense_is_refused_by_name(
        self, acme: Company, setting: str, value: object, field: str
    ) -> None:
        if value == []:
            value = ["x"]
        with pytest.raises(Invalid) as refusal:
            workspaces.update(acme.workspace, **{setting: value}, by=system())
        assert list(refusal.value.errors) == [field]

    def test_limits_are_kept_as_the_wire_spells_them(self, acme: Company) -> None:
        limits = {
            "usage_limits": [{"type": "cost", "credit_limit": 10}],
            "rate_limits": [{"type": "requests", "unit": "rpm", "value": 5}],
        }
        workspace = workspaces.update(acme.workspace, **limits, by=system())
        workspace.refresh_from_db()
        assert workspace.usage_limits[0]["credit_limit"] == 10
        assert workspace.rate_limits == limits["rate_limits"]


class TestArchiving:
    def test_ends_keys_at_once_and_hides_it_from_members(self, acme: Company) -> None:
        workspaces.archive(acme.workspace, by=UserActor(acme.admin))
        workspace = Workspace.objects.select_related("organization").get(pk=acme.workspace.pk)
        assert not UserActor(acme.manager).belongs_to(workspace)
        assert UserActor(acme.owner).belongs_to(workspace)
        for key in (acme.workspace_key, acme.user_key):
            assert not ApiKey.objects.with_places().get(pk=key.pk).is_let_in

    def test_leaves_owners_only_reading(self, acme: Company) -> None:
        workspaces.archive(acme.workspace, by=UserActor(acme.admin))
        workspace = Workspace.objects.select_related("organization").get(pk=acme.workspace.pk)
        held = UserActor(acme.owner).actions_in(workspace)
        assert Action.WORKSPACES_READ in held
        assert {action.verb for action in held} <= {"list", "read", "view"}
        assert not acme.owner.has_perm("workspaces.prompts_create", workspace)

    def test_restoring_gives_all_back(self, acme: Company) -> None:
        workspaces.archive(acme.workspace, by=UserActor(acme.admin))
        workspaces.restore(acme.workspace, by=UserActor(acme.admin))
        workspace = Workspace.objects.select_related("organization").get(pk=acme.workspace.pk)
        assert UserActor(acme.manager).belongs_to(workspace)
        assert ApiKey.objects.with_places().get(pk=acme.workspace_key.pk).is_let_in

    def test_nothing_changes_in_it_meanwhile(self, acme: Company) -> None:
        workspaces.archive(acme.workspace, by=UserActor(acme.admin))
        with pytest.raises(Forbidden):
            workspaces.update(acme.workspace, name="No", by=UserActor(acme.owner))
        with pytest.raises(Conflict, match="archived"):
            apikeys.issue(acme.workspace, name="No", scopes=["completions.write"], by=UserActor(acme.owner))

    def test_the_default_workspace_stays(self, acme: Company) -> None:
        with pytest.raises(Conflict, match="default workspace"):
            workspaces.archive(acme.default, by=UserActor(acme.owner))

    def test_a_protected_one_stays(self, acme: Company) -> None:
        workspaces.update(acme.workspace, delete_protected=True, by=system())
        with pytest.raises(Conflict, match="protected"):
            workspaces.archive(acme.workspace, by=UserActor(acme.owner))

    def test_one_in_use_stays_unless_that_is_meant(self, acme: Company) -> None:
        with pytest.raises(Conflict, match="all API keys are deleted"):
            workspaces.archive(acme.workspace, even_if_used=False, by=UserActor(acme.owner))
        workspaces.archive(acme.other_workspace, even_if_used=False, by=UserActor(acme.owner))

    @pytest.mark.parametrize("person", ["member", "manager", "workspace_admin", "bystander"])
    def test_members_may_not(self, acme: Company, person: str) -> None:
        for act in (workspaces.archive, workspaces.restore, workspaces.delete):
            with pytest.raises(Forbidden):
                act(acme.workspace, by=UserActor(acme[person]))

    def test_twice_is_a_conflict(self, acme: Company) -> None:
        workspaces.archive(acme.workspace, by=system())
        with pytest.raises(Conflict, match="archived already"):
            workspaces.archive(acme.workspace, by=system())


class TestDeleting:
    def test_an_open_one_is_archived_first(self, acme: Company) -> None:
        with pytest.raises(Conflict, match="Archive"):
            workspaces.delete(acme.workspace, by=system())

    def test_ends_everything_in_it_but_the_log(self, acme: Company) -> None:
        workspaces.archive(acme.workspace, by=system())
        workspaces.delete(acme.workspace, by=UserActor(acme.owner))
        assert not Workspace.objects.filter(pk=acme.workspace.pk).exists()
        assert not ApiKey.objects.filter(pk=acme.workspace_key.pk).exists()
        assert AuditEvent.objects.filter(workspace_id=acme.workspace.pk, event="workspace.deleted").exists()
        with pytest.raises(Missing):
            workspaces.delete(acme.workspace, by=system())

    def test_after_thirty_days_nothing_is_restored(self, acme: Company) -> None:
        workspaces.archive(acme.workspace, by=system())
        with time_machine.travel(now() + timedelta(days=30), tick=False), pytest.raises(Conflict, match="are over"):
            workspaces.restore(acme.workspace, by=UserActor(acme.owner))

    def test_a_purge_looks_again_before_it_deletes(self, acme: Company) -> None:
        """One that was restored and archived anew since the list was made has thirty days of its own."""
        workspaces.archive(acme.workspace, by=system())
        with pytest.raises(Conflict, match="kept for 30 days"):
            workspaces.delete(acme.workspace, only_if_due=True, by=system())

    def test_after_thirty_days_the_tick_does_it(self, acme: Company, capsys: pytest.CaptureFixture[str]) -> None:
        workspaces.archive(acme.workspace, by=system())
        for days, purged in ((29, 0), (31, 1), (32, 0)):
            with time_machine.travel(now() + timedelta(days=days), tick=False):
                call_command("tick")
            assert f"{purged} archived" in capsys.readouterr().out
