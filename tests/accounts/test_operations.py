"""What can happen to a person's account itself."""

import pytest

from apps.access.actors import UserActor
from apps.accounts import operations as accounts
from apps.audit.models import AuditEvent
from apps.core.errors import Invalid, Missing
from tests.world import Company, system


def test_a_person_says_what_they_are_called(acme: Company) -> None:
    accounts.rename(acme.member, first_name=" Ana ", last_name="", by=UserActor(acme.member))
    acme.member.refresh_from_db()
    assert str(acme.member) == "Ana"
    line = AuditEvent.objects.get(event="account.renamed")
    assert (line.actor_id, line.details) == (acme.member.pk, {})


def test_nobody_else_does(acme: Company) -> None:
    """P21: no role in an organization, no key and no job changes what is a person's own."""
    for by in (UserActor(acme.owner), acme.user_key, system()):
        with pytest.raises(Missing):
            accounts.rename(acme.member, first_name="X", last_name="", by=by)


@pytest.mark.parametrize("name", ["x" * 151, "two\nlines", "nul\0"])
def test_a_part_of_a_name_is_one_line(acme: Company, name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        accounts.rename(acme.member, first_name=name, last_name="", by=UserActor(acme.member))
    assert list(refusal.value.errors) == ["first_name"]
