"""The language of the log's search: what it reads, what it writes back, and which lines each part of it finds."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from apps.access.actors import Actor, Origin, SystemActor, UserActor
from apps.access.roles import OrganizationRole
from apps.accounts import operations as accounts
from apps.accounts.models import User
from apps.apikeys import operations as apikeys
from apps.audit import log, refusals, search, subjects, times
from apps.audit.addresses import _beginnings, ipaddress
from apps.audit.events import Event
from apps.audit.models import AuditEvent, AuditWord
from apps.audit.search import Query, Term
from apps.core.clock import now
from apps.core.errors import Invalid
from apps.memberships import operations as memberships
from apps.workspaces import operations as workspaces
from tests.conftest import key_named
from tests.factories import UserFactory
from tests.world import Company, system

TEXTS = st.text(max_size=12)
VALUES = {
    "result": st.sampled_from(["done", "refused"]),
    "door": st.sampled_from(search.DOORS),
    "action": st.sampled_from([*Event, "api_key", "create"]),
    "ip": st.sampled_from(["10.0.0.1", "10.", "10.0.0.0/15", "2001:db8::1"]),
    "after": st.sampled_from(["7d", "24h", "start", "2026-11-22", "2026-11-22T10:00:00+01:00"]),
}


def terms() -> st.SearchStrategy[Term]:
    def build(name: str) -> st.SearchStrategy[Term]:
        free = TEXTS.map(lambda text: " ".join(text.replace("\0", " ").split())).filter(bool)
        negated = st.booleans() if name != "after" else st.just(value=False)
        return st.builds(Term, st.just(name), VALUES.get(name, free), negated)

    return st.sampled_from(["", "actor", "person", "key", "target", "workspace", *VALUES]).flatmap(build)


def found(company: Company, text: str, **more: Any) -> list[AuditEvent]:
    rows = AuditEvent.objects.order_by("-pk")
    return list(search.find(rows, search.parse(text), chain=company.organization.pk, **more))


def events(company: Company, text: str) -> set[str]:
    return {line.event for line in found(company, text)}


def renamed(company: Company, by: Actor, name: str = "Elsewhere") -> AuditEvent:
    """One line more, of the workspace and whoever it is."""
    workspaces.update(company.workspace, name=name, by=by)
    return AuditEvent.objects.latest("pk")


def person(user: User, address: str = "10.1.2.3", door: str = "page", request_id: str = "r-1") -> UserActor:
    return UserActor(user, Origin(door, request_id, address, "Firefox"))


class TestTheLanguage:
    @given(st.lists(terms(), max_size=search.PARTS).map(lambda parts: Query(tuple(dict.fromkeys(parts)))))
    def test_reads_back_what_it_writes(self, query: Query) -> None:
        assert search.parse(str(query)) == query

    @given(st.text(max_size=80))
    def test_reads_anything_or_says_why_not(self, text: str) -> None:
        try:
            query = search.parse(text)
        except Invalid as refusal:
            assert str(refusal)
        else:
            assert search.parse(str(query)) == query
            assert str(search.parse(str(query))) == str(query)

    @pytest.mark.parametrize(
        ("typed", "written"),
        [
            ("  actor:ana   result:ok ", "actor:ana result:done"),
            ("RESULT:Denied", "result:refused"),
            ('"two  words" -"x y"', '"two words" -"x y"'),
            ('actor:"ana kovac" -action:api_key.rotated', 'actor:"ana kovac" -action:api_key.rotated'),
            ('"foo:bar" "-x"', '"foo:bar" "-x"'),
            ("a a -a", "a -a"),
            ("-after:7D", "before:7d"),
            ("ip:10.0.0.9/24", "ip:10.0.0.0/24"),
            ("ip:2001:DB8:0::1", "ip:2001:db8::1"),
            ("a\0b", "a b"),
            ("- --", '-"-"'),
            ("12:30 fe80::1", "12:30 fe80::1"),
        ],
    )
    def test_has_one_way_to_write_each_search(self, typed: str, written: str) -> None:
        assert str(search.parse(typed)) == written

    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            ("foo:bar", "“foo:” is not known"),
            ("actor:", "must be"),
            ('-actor:""', "must be"),
            ('"abc', "quotation mark"),
            ('actor:"abc', "quotation mark"),
            ("result:maybe", "“done” or “refused”"),
            ("door:window", "one of page"),
            ("action:nonsense", "No action begins"),
            ("ip:elsewhere", "no IP address"),
            ("ip:10.0.0.0/99", "no IP address"),
            ("ip:0.0.0.0/0", "no IP address"),
            ("after:99999-01-01", "no time"),
            ("after:2026-02-30", "no time"),
            ("before:0001-01-01", "no time"),
            ("before:9999-12-31", "no time"),
            ("after:99999d", "no time"),
            ("after:soon", "no time"),
            ("x" * 10_000, "at most 2000"),
            (" ".join(f"w{n}" for n in range(21)), "at most 20"),
        ],
    )
    def test_says_what_it_cannot_read(self, typed: str, said: str) -> None:
        with pytest.raises(Invalid) as refusal:
            search.parse(typed)
        assert said in str(refusal.value)

    def test_a_part_is_replaced_and_taken_away(self) -> None:
        query = search.parse("actor:ana after:7d before:24h")
        assert str(query.having("after", "30d")) == "actor:ana after:30d"
        assert str(query.having("result", "done")) == "actor:ana after:7d before:24h result:done"
        assert str(query.having("actor", "")) == "after:7d before:24h"
        assert str(query.without(query.terms[0])) == "after:7d before:24h"

    def test_what_is_kept_for_ever_names_nobody(self) -> None:
        text = f"ana actor:ana person:{uuid.UUID(int=5)} ip:10.0.0.1 -target:x result:done"
        kept = str(search.parse(text).unnamed())
        assert kept == f"… actor:… person:{uuid.UUID(int=5)} ip:… -target:… result:done"


class TestWhoDidIt:
    def test_is_found_by_the_beginning_of_their_address(self, acme: Company) -> None:
        mine = renamed(acme, person(acme.manager))
        assert mine in found(acme, "actor:manager@ac")
        assert mine in found(acme, f"actor:{acme.manager.pk}")
        assert mine not in found(acme, "actor:bystander")

    def test_is_everybody_else_with_a_minus(self, acme: Company) -> None:
        mine, other = renamed(acme, person(acme.manager)), renamed(acme, system(), name="Again")
        assert mine not in found(acme, "-actor:manager")
        assert other in found(acme, "-actor:manager")

    def test_is_found_by_a_name_the_log_never_wrote_beside_their_acts(self, acme: Company) -> None:
        user = UserFactory(email="ak@crowd.example", first_name="Ana", last_name="Kovač")
        memberships.join(user, acme.organization, OrganizationRole.ADMIN, by=system())
        mine = renamed(acme, person(user))
        assert mine in found(acme, "actor:kovac")
        assert mine in found(acme, 'actor:"ana ko"')
        assert mine not in found(acme, 'actor:"ana x"')

    def test_is_found_by_name_and_address_once_they_have_left(self, acme: Company) -> None:
        user = UserFactory(email="ak@crowd.example", first_name="Ana", last_name="Kovač")
        membership = memberships.join(user, acme.organization, OrganizationRole.ADMIN, by=system())
        mine = renamed(acme, person(user))
        memberships.remove(membership, by=UserActor(acme.owner))
        for text in ("actor:kovac", "actor:ak@crowd", f"actor:{user.pk}", "person:kovac", "kovac"):
            assert mine in found(acme, text), text

    def test_is_found_by_what_they_are_called_now(self, acme: Company) -> None:
        mine = renamed(acme, person(acme.manager))
        accounts.rename(acme.manager, first_name="Zoltan", last_name="", by=UserActor(acme.manager))
        assert mine in found(acme, "actor:zoltan")

    def test_is_not_whoever_has_a_place_in_a_workspace_of_that_name(self, acme: Company) -> None:
        mine = renamed(acme, person(acme.manager))
        assert mine not in found(acme, "actor:search")


class TestAPerson:
    def test_is_what_they_did_and_what_was_done_to_them(self, acme: Company) -> None:
        did = renamed(acme, person(acme.admin))
        memberships.change_role(acme.membership(acme.bystander), "admin", by=UserActor(acme.owner))
        suffered = AuditEvent.objects.latest("pk")
        assert did in found(acme, "person:admin@")
        assert suffered in found(acme, "person:bystander")
        assert suffered in found(acme, f"person:{acme.bystander.pk}")
        assert did not in found(acme, "person:bystander")

    def test_is_nobody_of_a_line_that_tells_of_none(self, acme: Company) -> None:
        did, other = renamed(acme, person(acme.admin)), renamed(acme, system(), name="Again")
        rest = found(acme, "-person:admin@")
        assert other in rest
        assert did not in rest


class TestAKey:
    def test_is_everything_by_it_and_nothing_about_it(self, acme: Company) -> None:
        key = key_named(acme.secrets["organization_key"])
        by_it = renamed(acme, key)
        for text in (f"key:{key.pk}", "key:acme"):
            assert found(acme, text) == [by_it], text
        assert by_it not in found(acme, f"-key:{key.pk}")
        assert "api_key.issued" in events(acme, f"-key:{key.pk}")

    def test_is_found_once_it_is_revoked(self, acme: Company) -> None:
        issued = apikeys.issue(acme.workspace, name="deploy", scopes=["logs.view"], by=UserActor(acme.owner)).key
        by_it = renamed(acme, key_named(acme.secrets["organization_key"]))
        apikeys.revoke(issued, by=UserActor(acme.owner))
        assert {line.event for line in found(acme, "target:deploy")} == {"api_key.issued", "api_key.revoked"}
        assert by_it not in found(acme, "target:deploy")


class TestEachOtherPart:
    def test_a_target(self, acme: Company) -> None:
        mine = renamed(acme, person(acme.owner), name="Zanzibar")
        for text in ("target:zanz", f"target:{acme.workspace.pk}", "zanzibar"):
            assert mine in found(acme, text), text
            assert mine not in found(acme, f"-{text}"), text
        assert found(acme, "-target:zanz")

    def test_free_words_must_all_match(self, acme: Company) -> None:
        mine = renamed(acme, person(acme.manager), name="Zanzibar")
        assert mine in found(acme, "zanzibar manager")
        assert mine not in found(acme, "zanzibar bystander")
        assert found(acme, "nobody-is-called-so") == []

    @pytest.mark.parametrize(
        ("action", "expected"),
        [
            ("api_key", {"api_key.issued"}),
            ("api_key.issued", {"api_key.issued"}),
            ("workspace", {"workspace.created"}),
            ("workspace_m", {"workspace_membership.created"}),
        ],
    )
    def test_an_action_is_an_event_its_group_or_how_it_begins(
        self, acme: Company, action: str, expected: set[str]
    ) -> None:
        assert events(acme, f"action:{action}") == expected
        assert not events(acme, f"-action:{action}") & expected
        assert events(acme, f"-action:{action}")

    def test_an_action_is_a_verb_of_the_wire_and_refusals_are_what_was_tried(self, acme: Company) -> None:
        refusals.refused("workspaces.delete", actor=UserActor(acme.member), place=acme.workspace)
        refused = AuditEvent.objects.latest("pk")
        assert "workspace.created" in events(acme, "action:create")
        assert refused in found(acme, "action:delete")
        assert refused in found(acme, "-action:create")
        assert "workspace.created" not in events(acme, "-action:create")

    def test_a_workspace_by_name_slug_or_id(self, acme: Company) -> None:
        here = {line.pk for line in AuditEvent.objects.filter(workspace_id=acme.workspace.pk)}
        for value in (acme.workspace.slug, str(acme.workspace.pk), '"Acme Search"'):
            assert {line.pk for line in found(acme, f"workspace:{value}")} == here, value
            assert not {line.pk for line in found(acme, f"-workspace:{value}")} & here, value
        assert found(acme, f"-workspace:{acme.workspace.slug}")

    def test_a_workspace_that_was_renamed_by_its_old_name(self, acme: Company) -> None:
        mine = renamed(acme, person(acme.owner), name="Zanzibar")
        assert mine in found(acme, 'workspace:"acme search"')

    @pytest.mark.parametrize("value", ["10.1.2.3", "10.1.", "10.1.2.0/24", "10.1.2.0/25", "10.0.0.0/11", "10.1.2.3/32"])
    def test_an_address(self, acme: Company, value: str) -> None:
        mine, other = renamed(acme, person(acme.owner)), renamed(acme, person(acme.owner, "10.100.1.1"), name="Again")
        assert found(acme, f"ip:{value}") == [mine]
        assert mine not in found(acme, f"-ip:{value}")
        assert other in found(acme, f"-ip:{value}")

    @pytest.mark.parametrize("network", ["10.0.0.0/7", "10.16.0.0/12", "10.1.0.0/17", "10.1.2.3/32", "10.1.2.128/25"])
    def test_a_network_is_cut_into_few_beginnings(self, network: str) -> None:
        wanted = ipaddress.ip_network(network, strict=False)
        assert len(_beginnings(wanted)) <= 128
        for address in (wanted[0], wanted[-1], wanted[wanted.num_addresses // 2]):
            assert any(f"{address}.".startswith(f"{each.rstrip('.')}.") for each in _beginnings(wanted))

    def test_a_result(self, acme: Company) -> None:
        refusals.refused("workspaces.delete", actor=UserActor(acme.member), place=acme.workspace)
        refused = AuditEvent.objects.latest("pk")
        assert found(acme, "result:refused") == found(acme, "-result:done") == [refused]
        assert refused not in found(acme, "result:ok")
        assert found(acme, "result:ok") == found(acme, "-result:denied")

    def test_a_door_and_a_request(self, acme: Company) -> None:
        mine = renamed(acme, person(acme.owner, door="api", request_id="r-77"))
        assert found(acme, "door:api") == found(acme, "request:r-77") == [mine]
        assert mine not in found(acme, "-door:api")
        assert mine not in found(acme, "-request:r-77")
        assert len(found(acme, "-door:api")) == len(found(acme, "-request:r-77")) == len(found(acme, "")) - 1


class TestWhen:
    @pytest.fixture
    def old(self, acme: Company, monkeypatch: pytest.MonkeyPatch) -> AuditEvent:
        """A line that says it is ten days old; it is the newest of its chain."""
        monkeypatch.setattr(log, "now", lambda: now() - timedelta(days=10))
        return renamed(acme, person(acme.owner))

    def test_is_bounded_by_what_each_line_says(self, acme: Company, old: AuditEvent) -> None:
        later = now() + timedelta(days=1)
        assert old in found(acme, "after:11d")
        assert old in found(acme, "before:9d", moment=later)
        assert len(found(acme, "after:9d")) == len(found(acme, "")) - 1
        assert old not in found(acme, "after:9d")
        assert found(acme, "-before:9d") == found(acme, "after:9d")

    def test_is_a_window_only_where_nothing_is_said(self, acme: Company, old: AuditEvent) -> None:
        assert old not in found(acme, "", window=search.WINDOW)
        assert old in found(acme, "after:start", window=search.WINDOW)
        assert old in found(acme, "before:24h", window=search.WINDOW)
        assert old in found(acme, "")
        assert found(acme, "before:start") == []

    def test_is_a_day_in_the_zone_of_the_reader_or_an_instant(self, acme: Company, settings: Any) -> None:
        query = search.parse("after:2026-11-22 before:2026-11-22T10:00+02:00")
        settings.TIME_ZONE = "UTC"
        instants = [search._instant(term.value, now()) for term in query.terms]
        assert instants == [datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 22, 8, tzinfo=UTC)]

    def test_forgives_lines_that_waited_for_their_place(self, acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
        """Two at once: the later line took its time first, and then waited for the other."""
        monkeypatch.setattr(times, "CLOSEST", 1)
        base = now() + timedelta(hours=1)
        monkeypatch.setattr(log, "now", lambda: base + timedelta(minutes=2))
        first = renamed(acme, person(acme.owner))
        monkeypatch.setattr(log, "now", lambda: base)
        second = renamed(acme, person(acme.owner), name="Again")
        edge = (base + timedelta(minutes=1)).isoformat().replace("+00:00", "Z")
        assert found(acme, f"after:{edge}") == [first]
        assert second in found(acme, f"before:{edge}")
        assert first not in found(acme, f"before:{edge}")

    def test_is_read_no_further_than_it_goes(self, acme: Company, old: AuditEvent, monkeypatch: Any) -> None:
        """The bound is at work: it believes the one line it asks, and that one is wrong."""
        monkeypatch.setattr(times, "CLOSEST", 1)
        assert found(acme, "after:9d") == []


class TestIsolation:
    def test_nothing_of_another_organization_is_ever_found(self, acme: Company, globex: Company) -> None:
        theirs = renamed(globex, person(globex.owner, "10.9.9.9", request_id="r-9"), name="Secret project")
        ids = (globex.owner.pk, globex.workspace.pk, globex.organization.pk, globex.user_key.pk)
        parts = ["actor", "person", "key", "target", "workspace"]
        texts = [f"{part}:{row_id}" for part in parts for row_id in ids]
        texts += ["secret", "ip:10.9.9.9", "request:r-9", f"workspace:{globex.workspace.slug}", "actor:owner@globex"]
        for text in (*texts, *(f"-{each}" for each in texts)):
            lines = found(acme, text)
            assert theirs not in lines, text
            assert {line.chain for line in lines} <= {acme.organization.pk}, text
        assert theirs in found(globex, "secret")

    def test_the_words_of_another_organization_name_nobody(self, acme: Company, globex: Company) -> None:
        renamed(globex, person(globex.owner), name="Secret project")
        assert subjects.find([("secret", True), ("globex", True)], acme.organization.pk) == {
            "secret": frozenset(),
            "globex": frozenset(),
        }


class TestTheCost:
    def test_all_words_are_one_query(self, acme: Company) -> None:
        text = f'ana -bo actor:owner person:"x y" key:k target:t workspace:w -actor:{uuid.UUID(int=7)}'
        with CaptureQueriesContext(connection) as asked:
            search.find(AuditEvent.objects.all(), search.parse(text), chain=acme.organization.pk)
        assert len(asked) == 1

    def test_no_words_are_none(self, acme: Company) -> None:
        with CaptureQueriesContext(connection) as asked:
            search.find(AuditEvent.objects.all(), search.parse("result:done after:7d"), chain=acme.organization.pk)
        assert len(asked) == 0

    def test_a_word_that_means_too_many_is_refused(self, acme: Company) -> None:
        chain = acme.organization.pk
        AuditWord.objects.bulk_create(
            AuditWord(chain=chain, word=f"crowd{n}", subject=str(uuid.uuid4())) for n in range(subjects.MOST + 1)
        )
        with pytest.raises(Invalid, match="Write more of the name"):
            found(acme, "crowd")
        assert found(acme, "crowd499") == []

    def test_what_the_system_did_is_found_too(self, acme: Company) -> None:
        mine = renamed(acme, SystemActor(reason="the night", actions=system()._actions))
        assert mine in found(acme, "target:elsewhere -actor:owner")
