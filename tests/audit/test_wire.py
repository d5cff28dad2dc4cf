"""The wire's two words for every line: none is missing, and whoever asks for them finds the lines that carry them."""

import pytest

from apps.access.actions import Action
from apps.access.actors import UserActor
from apps.audit import refusals, wire
from apps.audit.events import Event
from apps.audit.models import AuditEvent
from apps.workspaces import operations as workspaces
from tests.world import Company, system

# Contract 3.12, rule 80.
CONTRACT_TYPES = {
    *("Workspaces", "API Keys", "Integrations", "Model Catalog", "Configs", "Prompts"),
    *("Guardrails", "Collections", "Organization", "Labels"),
}
CONTRACT_ACTIONS = {"Create", "Update", "Delete", "Publish", "Export", "Rotate", "Manage", "Duplicate"}


@pytest.mark.parametrize("event", list(Event))
def test_every_event_has_its_words(event: Event) -> None:
    resource, action = wire.words_of(AuditEvent(event=event))
    assert resource in wire.RESOURCE_TYPES
    assert action in CONTRACT_ACTIONS


def test_what_the_contract_has_a_word_for_is_called_so() -> None:
    families = {"organization": "Organization", "workspace": "Workspaces", "api_key": "API Keys"}
    for event in Event:
        family = event.value.partition(".")[0]
        if family in families:
            assert wire.WORDS[event][0] == families[family] in CONTRACT_TYPES


@pytest.mark.parametrize("action", list(Action))
def test_a_refusal_is_called_what_was_tried(action: Action) -> None:
    line = AuditEvent(event=Event.ACCESS_REFUSED, details={"action": action.value})
    resource, word = wire.words_of(line)
    assert resource
    assert word in CONTRACT_ACTIONS | {"Read"}
    if action.verb in {"create", "update", "delete", "publish", "export", "rotate", "duplicate"}:
        assert word == action.verb.title()


def test_a_refusal_of_what_nobody_knows_any_more_has_words_too() -> None:
    line = AuditEvent(event=Event.ACCESS_REFUSED, details={"action": "casino.play"})
    assert wire.words_of(line) == ("Organization", "Manage")


@pytest.mark.parametrize("resource", [None, *wire.RESOURCE_TYPES])
@pytest.mark.parametrize("action", [None, *wire.ACTIONS])
def test_who_asks_for_words_finds_the_lines_that_carry_them(
    acme: Company, resource: str | None, action: str | None
) -> None:
    """The narrowing in the database and the words of each line are the same table read from two sides."""
    workspaces.update(acme.workspace, name="Other", by=system())
    for tried in ("workspaces.delete", "prompts.publish", "audit_logs.list", "installation.operate"):
        refusals.refused(tried, actor=UserActor(acme.member), place=acme.workspace)
    every = {line.pk: wire.words_of(line) for line in AuditEvent.objects.all()}
    found = set(AuditEvent.objects.filter(wire.in_words(resource, action)).values_list("pk", flat=True))
    assert found == {pk for pk, words in every.items() if resource in (None, words[0]) and action in (None, words[1])}


def test_case_does_not_matter_and_unknown_words_find_nothing(acme: Company) -> None:
    found = AuditEvent.objects.filter(wire.in_words("api keys", "CREATE"))
    assert {line.event for line in found} == {"api_key.issued"}
    assert not AuditEvent.objects.filter(wire.in_words("Labels", None)).exists()
    assert not AuditEvent.objects.filter(wire.in_words(None, "Casino")).exists()
