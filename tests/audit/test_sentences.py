"""The log as people read it: a sentence for every event, with names that are marked and escaped."""

import pytest
from django.utils.html import strip_tags

from apps.access.actors import NobodyActor, UserActor
from apps.apikeys import operations as apikeys
from apps.audit import lines, refusals, sentences
from apps.audit.events import Event
from apps.audit.models import AuditEvent, AuditNames
from apps.audit.retention import declared
from apps.memberships import operations as memberships
from apps.tenancy.tenant import Tenant
from apps.workspaces import operations as workspaces
from tests.world import Company, system


def _reader(acme: Company, role: str = "owner") -> Tenant:
    return Tenant(UserActor(acme[role]), acme.organization)


def _newest(acme: Company, number: int = 1) -> list[lines.Line]:
    tenant = _reader(acme)
    return lines.lines(lines.of(tenant)[:number], tenant)


def _said(acme: Company) -> str:
    return strip_tags(_newest(acme)[0].sentence)


@pytest.mark.parametrize("event", list(Event))
def test_every_event_has_a_sentence(event: Event) -> None:
    line = AuditEvent(event=event, actor_kind="person", target_type="x", target_id="1", details={})
    said = sentences.sentence(line)
    assert said.endswith(".")
    assert "{" not in said


def test_a_change_of_role_says_who_whose_and_from_what_to_what(acme: Company) -> None:
    memberships.change_role(acme.membership(acme.bystander), "admin", by=UserActor(acme.owner))
    assert _said(acme) == "Owner of Acme changed Bystander of Acme's role from member to admin."


def test_a_place_on_a_team_says_person_and_workspace_apart(acme: Company) -> None:
    placed = acme.placed(acme.member)
    memberships.change_workspace_role(placed, "manager", by=UserActor(acme.owner))
    assert _said(acme) == "Owner of Acme changed Member of Acme's role in Acme Search from member to manager."


def test_what_ended_with_it_is_counted(acme: Company) -> None:
    memberships.remove(acme.membership(acme.member), by=UserActor(acme.owner))
    assert _said(acme) == "Owner of Acme removed Member of Acme, who was member; 1 key was revoked."


def test_a_renaming_says_both_names_and_another_change_says_what(acme: Company) -> None:
    workspaces.update(acme.workspace, name="Lab", by=UserActor(acme.owner))
    assert _said(acme) == "Owner of Acme renamed Acme Search to Lab."
    workspaces.update(acme.workspace, description="x", color="red", by=UserActor(acme.owner))
    assert _said(acme) == "Owner of Acme changed the color and the description of the workspace Lab."


def test_keys_jobs_and_nobody_are_named_as_what_they_are(acme: Company) -> None:
    workspaces.update(acme.workspace, name="Lab", by=acme.workspace_key)
    assert _said(acme) == "The API key Acme workspace key renamed Acme Search to Lab."
    den = workspaces.update(acme.workspace, name="Den", by=system())
    assert _said(acme) == "Gatehouse (the tests) renamed Lab to Den."
    refusals.refused("workspaces.delete", actor=NobodyActor(), place=den)
    assert _said(acme) == "Somebody who was not signed in tried to archive workspaces in Den and was refused."


def test_a_name_is_never_markup(acme: Company) -> None:
    workspaces.update(acme.workspace, name="<script>alert(1)</script>{actor}", by=UserActor(acme.owner))
    said = _newest(acme)[0].sentence
    assert "<script>" not in said
    assert "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;{actor}</bdi>" in said


def test_erased_names_leave_a_sentence(acme: Company) -> None:
    memberships.change_role(acme.membership(acme.bystander), "admin", by=UserActor(acme.owner))
    with declared():
        AuditNames.objects.update(names={})
    said = sentences.sentence(AuditEvent.objects.select_related("side").latest("id"))
    assert strip_tags(said) == "Somebody changed something whose name was erased's role from member to admin."


def test_a_page_of_lines_costs_the_same_however_long(acme: Company, django_assert_num_queries: object) -> None:
    tenant = _reader(acme)
    tenant.actor.belongs_to(acme.organization)
    for number in (1, 20):
        with django_assert_num_queries(1):  # type: ignore[operator]
            assert len(lines.lines(lines.of(tenant)[:number], tenant)) == number


def test_a_link_leads_where_the_target_is_and_the_reader_may_go(acme: Company, globex: Company) -> None:
    workspaces.update(acme.workspace, name="Lab", by=UserActor(acme.owner))
    (line,) = _newest(acme)
    assert line.link == f"/o/{acme.organization.slug}/w/{acme.workspace.slug}/"
    bystander = _reader(acme, "bystander")
    assert lines.lines(lines.of(bystander)[:1], bystander)[0].link == ""
    acme.workspace.delete()
    assert _newest(acme)[0].link == ""


def test_lines_are_those_of_the_place(acme: Company, globex: Company) -> None:
    workspaces.update(globex.workspace, name="Elsewhere", by=UserActor(globex.owner))
    workspaces.update(acme.other_workspace, name="Next door", by=UserActor(acme.owner))
    tenant = Tenant(UserActor(acme.owner), acme.organization, acme.workspace)
    said = " ".join(line.sentence for line in lines.lines(lines.of(tenant), tenant))
    assert "Elsewhere" not in said
    assert "Next door" not in said


def test_what_is_about_a_person_and_what_is_about_a_key(acme: Company) -> None:
    tenant = _reader(acme)
    memberships.suspend(acme.membership(acme.bystander), by=UserActor(acme.owner))
    workspaces.update(acme.workspace, name="Lab", by=UserActor(acme.manager))
    apikeys.revoke(acme.user_key, by=UserActor(acme.owner))
    assert lines.of_person(acme.bystander.pk, tenant)[0].event == Event.MEMBERSHIP_SUSPENDED
    assert lines.of_person(acme.manager.pk, tenant)[0].event == Event.WORKSPACE_UPDATED
    assert [line.event for line in lines.about(acme.user_key, tenant)] == [Event.API_KEY_REVOKED, Event.API_KEY_ISSUED]
