"""Founding and ending organizations, closing accounts."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from apps.access.actions import Action
from apps.access.actors import Origin, UserActor
from apps.access.roles import OrganizationRole
from apps.access.scopes import KeyType, every_scope
from apps.accounts.models import User
from apps.apikeys import operations as apikeys
from apps.apikeys.models import ApiKey
from apps.apikeys.secret import digests_of_key
from apps.audit.models import AuditEvent
from apps.core.clock import now
from apps.core.errors import Closed, Conflict, Forbidden, Invalid
from apps.memberships.models import OrganizationMembership
from apps.onboarding import operations as onboarding
from apps.organizations.models import Organization
from apps.tenancy.admin import OperatorActor
from apps.workspaces import operations as workspaces
from tests.factories import UserFactory
from tests.world import Company, World, system


class TestFounding:
    def test_makes_owner_default_workspace_and_master_key(self, db: None) -> None:
        founder = UserFactory()
        in_90_days = now() + timedelta(days=90)
        founded = onboarding.found_organization(
            founder, name="Initech", key_expires_at=in_90_days, by=UserActor(founder)
        )
        assert founded.owner.role == OrganizationRole.OWNER
        assert (founded.workspace.name, founded.workspace.is_default) == ("Shared Team Workspace", True)
        assert founded.master_key is not None
        key = founded.master_key.key
        assert (key.name, key.expires_at) == ("Master key", in_90_days)
        assert key.scopes == every_scope(KeyType.ORGANIZATION)
        assert Action.BILLING_MANAGE in UserActor(founder).actions_in(founded.organization)

    def test_leaves_a_line_for_each_thing_it_made(self, db: None) -> None:
        founder = UserFactory()
        founded = onboarding.found_organization(founder, name="Initech", by=UserActor(founder))
        lines = AuditEvent.objects.filter(chain=founded.organization.pk).order_by("sequence")
        assert [line.event for line in lines] == [
            "organization.founded",
            "membership.created",
            "workspace.created",
            "api_key.issued",
        ]
        assert [line.sequence for line in lines] == [1, 2, 3, 4]

    def test_the_key_can_be_left_out(self, db: None) -> None:
        founder = UserFactory()
        founded = onboarding.found_organization(founder, name="Initech", with_master_key=False, by=UserActor(founder))
        assert founded.master_key is None
        assert not founded.organization.api_keys.exists()

    def test_it_is_all_or_nothing(self, db: None) -> None:
        founder, before = UserFactory(), AuditEvent.objects.count()
        with pytest.raises(Invalid):
            onboarding.found_organization(founder, name="Initech", key_expires_at=now(), by=UserActor(founder))
        assert not Organization.objects.filter(name="Initech").exists()
        assert AuditEvent.objects.count() == before

    def test_where_operators_found_nobody_else_does(self, db: None, settings: object) -> None:
        settings.FOUNDING = "operators"  # type: ignore[attr-defined]
        founder = UserFactory()
        with pytest.raises(Closed):
            onboarding.found_organization(founder, name="Initech", by=UserActor(founder))
        assert onboarding.found_organization(founder, name="Initech", by=system()).owner.user == founder

    def test_somebody_who_is_shut_out_owns_nothing_new(self, db: None) -> None:
        founder = UserFactory(is_active=False)
        with pytest.raises(Conflict, match="deactivated"):
            onboarding.found_organization(founder, name="Initech", by=system())

    def test_a_key_founds_nothing(self, acme: Company) -> None:
        with pytest.raises(Closed):
            onboarding.found_organization(acme.owner, name="Initech", by=acme.organization_key)


class TestEnding:
    def test_takes_everything_but_the_log(self, acme: Company, globex: Company) -> None:
        organization = acme.organization
        onboarding.delete_organization(organization, typed_name="Acme", by=UserActor(acme.owner))
        assert not Organization.objects.filter(pk=organization.pk).exists()
        assert not ApiKey.objects.filter(organization=organization.pk).exists()
        assert not OrganizationMembership.objects.filter(user=acme.owner).exists()
        assert AuditEvent.objects.filter(chain=organization.pk, event="organization.deleted").exists()
        assert User.objects.filter(pk=acme.owner.pk).exists()
        assert ApiKey.objects.with_places().get(pk=globex.organization_key.pk).is_let_in

    @pytest.mark.parametrize("person", ["admin", "member", "manager"])
    def test_is_for_owners(self, acme: Company, person: str) -> None:
        with pytest.raises(Forbidden):
            onboarding.delete_organization(acme.organization, typed_name="Acme", by=UserActor(acme[person]))

    def test_is_for_no_key(self, acme: Company) -> None:
        with pytest.raises(Forbidden):
            onboarding.delete_organization(acme.organization, typed_name="Acme", by=acme.organization_key)

    def test_takes_the_name_typed(self, acme: Company) -> None:
        with pytest.raises(Invalid):
            onboarding.delete_organization(acme.organization, typed_name="acme", by=UserActor(acme.owner))

    def test_stops_at_a_protected_workspace(self, acme: Company) -> None:
        workspaces.update(acme.workspace, delete_protected=True, by=system())
        with pytest.raises(Conflict, match="Acme Search"):
            onboarding.delete_organization(acme.organization, typed_name="Acme", by=UserActor(acme.owner))


class TestAccounts:
    def test_a_deactivated_person_holds_nothing_anywhere(self, world: World) -> None:
        onboarding.deactivate_account(world.acme.manager, by=system())
        gone = User.objects.get(pk=world.acme.manager.pk)
        assert UserActor(gone).actions_in(world.acme.workspace) == frozenset()
        onboarding.reactivate_account(gone, by=system())
        back = User.objects.get(pk=gone.pk)
        assert UserActor(back).belongs_to(world.acme.workspace)

    def test_their_keys_are_not_let_in(self, acme: Company) -> None:
        onboarding.deactivate_account(acme.member, by=system())
        assert not ApiKey.objects.with_places().get(pk=acme.user_key.pk).is_let_in

    def test_only_operators_do_it(self, acme: Company) -> None:
        for act in (onboarding.deactivate_account, onboarding.reactivate_account):
            with pytest.raises(Forbidden):
                act(acme.member, by=UserActor(acme.owner))

    def test_an_operator_does_not_do_it_to_themselves(self, world: World) -> None:
        operator = OperatorActor(world.operator, Origin("admin"))
        with pytest.raises(Conflict, match="your own account"):
            onboarding.deactivate_account(world.operator, by=operator)

    def test_it_is_a_line_of_the_installations_own_chain(self, acme: Company) -> None:
        onboarding.deactivate_account(acme.member, by=system())
        assert AuditEvent.objects.get(event="account.deactivated").chain.int == 0


class TestBootstrap:
    def test_founds_without_a_browser(self, db: None, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("bootstrap", email="First@Initech.example", organization="Initech")
        made = json.loads(capsys.readouterr().out)
        assert made["person"]["email"] == "first@initech.example"
        assert "/accounts/password/reset/key/" in made["person"]["set_password_link"]
        key = ApiKey.objects.with_places().get(digest__in=digests_of_key(made["master_key"]["key"]))
        assert key.is_let_in
        assert str(key.organization_id) == made["organization"]["id"]

    def test_a_password_is_a_good_one(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BOOTSTRAP_PASSWORD", "a")
        with pytest.raises(CommandError, match="too short"):
            call_command("bootstrap", email="a@b.example", organization="Initech")

    def test_an_address_that_somebody_may_have_taken_founds_nothing(self, db: None) -> None:
        UserFactory(email="first@initech.example", verified=False)
        with pytest.raises(CommandError, match="has not proved"):
            call_command("bootstrap", email="first@initech.example", organization="Initech")

    def test_takes_a_person_who_is_there(self, acme: Company, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("bootstrap", email=acme.owner.email, organization="Second", no_master_key=True)
        made = json.loads(capsys.readouterr().out)
        assert made["person"] == {"id": str(acme.owner.pk), "email": acme.owner.email, "set_password_link": None}
        assert made["master_key"] is None

    @pytest.mark.parametrize(
        ("email", "organization"), [("nobody", "Initech"), ("a@b.example", ""), ("a@b.example", "x" * 300)]
    )
    def test_says_what_is_wrong_and_makes_nothing(self, db: None, email: str, organization: str) -> None:
        people = User.objects.count()
        with pytest.raises(CommandError):
            call_command("bootstrap", email=email, organization=organization)
        assert User.objects.count() == people


def test_an_ended_organizations_keys_and_ids_are_nothing_to_a_new_one(acme: Company) -> None:
    old = acme.organization.slug
    onboarding.delete_organization(acme.organization, typed_name="Acme", by=UserActor(acme.owner))
    founded = onboarding.found_organization(acme.admin, name="Acme", by=system())
    assert founded.organization.slug != old
    assert not UserActor(acme.owner).belongs_to(founded.organization)
    assert not ApiKey.objects.filter(digest__in=digests_of_key(acme.secrets["organization_key"])).exists()


def test_issuing_is_part_of_founding(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure half-way leaves nothing half done."""

    def fails(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(apikeys, "issue", fails)
    founder = UserFactory()
    with pytest.raises(RuntimeError):
        onboarding.found_organization(founder, name="Initech", by=UserActor(founder))
    assert not Organization.objects.filter(name="Initech").exists()
    assert not founder.groups.exists()
