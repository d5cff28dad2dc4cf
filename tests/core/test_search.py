"""Finding by how words begin, and lists that follow what people and things are called."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils.crypto import get_random_string

from apps.access.actors import UserActor
from apps.accounts import operations as accounts
from apps.core import search
from apps.memberships.models import MemberWord, OrganizationMembership
from apps.workspaces import operations as workspaces
from apps.workspaces.models import Workspace
from tests.world import Company, World


def found(acme: Company, asked: str) -> list[str]:
    members = OrganizationMembership.objects.filter(organization=acme.organization)
    return sorted(str(member) for member in search.matching(members, asked, acme.organization))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ana Kovač", ["ana", "kovac"]),
        ("Jean-Luc O'Neil", ["jean-luc", "o'neil", "jean", "luc", "o", "neil"]),
        ("ana@acme.example", ["ana@acme.example", "ana", "acme", "example"]),
        ("ÅNGSTRÖM Straße", ["angstrom", "strasse"]),
        ("東京 チーム", ["東京", "チーム"]),
        (" ", []),
    ],
)
def test_words_are_what_people_would_type(text: str, words: list[str]) -> None:
    assert search.words_of(text) == [search.folded(word) for word in words]


def test_a_word_is_no_longer_than_its_column_and_a_row_has_only_so_many() -> None:
    words = search.words_of("x" * 300, " ".join(get_random_string(5) for _ in range(100)))
    assert len(words) <= 40
    assert max(map(len, words)) == search.WORD_LENGTH


def test_every_word_asked_begins_one_of_the_row(acme: Company) -> None:
    assert found(acme, "work adm") == ["Workspace Admin of Acme"]
    assert found(acme, "ADMIN workspace") == ["Workspace Admin of Acme"]
    assert found(acme, "kspace") == []
    assert found(acme, "manager@acme.ex") == ["Manager of Acme"]
    assert found(acme, "admin owner") == []


@pytest.mark.parametrize("asked", ["%", "_", "a%", "\\", "\0", "'", "a" * 5000, "\U0010ffff", "\U0001d56c"])
def test_nothing_typed_is_a_pattern(acme: Company, asked: str) -> None:
    assert found(acme, asked) in ([], found(acme, ""))


def test_somebody_elses_people_are_not_found(world: World) -> None:
    globex = OrganizationMembership.objects.filter(organization=world.globex.organization)
    assert not search.matching(globex, "acme", world.globex.organization).exists()
    assert not search.matching(globex, "globex", world.acme.organization).exists()


def test_a_person_who_is_called_otherwise_is_found_and_sorted_otherwise(acme: Company) -> None:
    accounts.rename(acme.member, first_name="Zoë", last_name="Ångström", by=UserActor(acme.member))
    assert found(acme, "angs") == ["Zoë Ångström"]
    assert found(acme, "member acme") == ["Zoë Ångström"]  # by the address, still
    assert acme.membership(acme.member).name_key == "zoe angstrom"
    assert not MemberWord.objects.filter(row=acme.membership(acme.member), word="of").exists()


def test_a_workspace_that_is_called_otherwise_is_found_otherwise(acme: Company) -> None:
    workspaces.update(acme.workspace, name="Übersetzung", by=UserActor(acme.owner))
    there = Workspace.objects.filter(organization=acme.organization)
    assert search.matching(there, "uber", acme.organization).get() == acme.workspace
    assert Workspace.objects.get(pk=acme.workspace.pk).name_key == "ubersetzung"


def test_a_key_is_found_by_its_name_and_by_what_one_sees_of_its_secret(acme: Company) -> None:
    keys = type(acme.workspace_key).objects.filter(organization=acme.organization)
    assert acme.workspace_key in search.matching(keys, acme.secrets["workspace_key"][-4:], acme.organization)
    assert acme.workspace_key in search.matching(keys, acme.workspace_key.name[:3], acme.organization)


def test_a_word_of_one_organization_never_leads_to_anothers_row(world: World) -> None:
    strange = MemberWord(organization=world.globex.organization, row=world.acme.membership(world.acme.owner), word="x")
    with pytest.raises(IntegrityError), transaction.atomic():
        strange.save()
        connection.check_constraints()
