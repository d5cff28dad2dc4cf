"""The pages of the log: who may read it, what they show, how they are narrowed, proved, and taken away."""

import csv
import gzip
import io
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.access.actors import Origin, UserActor
from apps.accounts.models import User
from apps.audit import facets, log, refusals, saved, search
from apps.audit.events import Event
from apps.audit.models import AuditEvent, AuditFold, AuditHead
from apps.audit.views import ActMixin
from apps.core.clock import now
from apps.memberships import operations as memberships
from apps.workspaces import operations as workspaces
from tests.conftest import key_named
from tests.world import Company, World, system

QUERIES = 8
HTMX = {"HX-Request": "true", "HX-Target": "list"}
PARTS = 'owner actor:owner person:member -key:x target:search workspace:search action:api_key "two words" -after:24h'


def page(company: Company) -> str:
    return f"/o/{company.organization.slug}/audit/"


def text(answer: Any) -> str:
    return str(answer.content.decode())


def sequences(answer: Any) -> list[int]:
    return [line.row.sequence for line in answer.context["lines"]]


def q(address: str) -> str:
    return parse_qs(urlsplit(address).query).get("q", [""])[0]


def crowd(company: Company, number: int) -> None:
    """That many lines more."""
    for n in range(number):
        workspaces.update(company.workspace, description=f"Take {n}", by=UserActor(company.owner))


def last(company: Company) -> AuditEvent:
    return AuditEvent.objects.filter(chain=company.organization.pk).latest("sequence")


class TestWhoMayReadIt:
    @pytest.mark.parametrize("person", ["owner", "admin"])
    def test_those_who_run_the_organization_do(self, sign_in: Any, acme: Company, person: str) -> None:
        answer = sign_in(acme[person]).get(page(acme))
        assert answer.status_code == 200
        assert page(acme) in text(answer)

    @pytest.mark.parametrize("path", ["", "3/"])
    @pytest.mark.parametrize("person", ["manager", "member", "bystander", "workspace_admin"])
    def test_others_of_the_organization_are_refused(self, sign_in: Any, acme: Company, person: str, path: str) -> None:
        answer = sign_in(acme[person]).get(f"{page(acme)}{path}")
        assert answer.status_code == 403
        assert f'href="{page(acme)}"' not in text(answer)

    @pytest.mark.parametrize("path", ["export/", "verify/", "checkpoint/", "filters/", "filters/delete/"])
    def test_acts_are_refused_to_them_too(self, sign_in: Any, acme: Company, path: str) -> None:
        before = last(acme).sequence
        sent = {"format": "csv", "name": "x", "q": ""}
        assert sign_in(acme.member).post(f"{page(acme)}{path}", sent).status_code == 403
        assert {line.event for line in AuditEvent.objects.filter(sequence__gt=before, chain=acme.organization.pk)} == {
            "access.refused"
        }
        assert sign_in(acme.owner).get(f"{page(acme)}{path}").status_code == 405

    def test_it_is_nothing_to_strangers(self, sign_in: Any, world: World) -> None:
        for person in (world.stranger, world.globex.owner, world.operator):
            for path in ("", "3/"):
                assert sign_in(person).get(f"{page(world.acme)}{path}").status_code == 404
            assert sign_in(person).post(f"{page(world.acme)}export/", {"format": "csv"}).status_code == 404

    def test_a_line_of_another_organization_is_nothing(self, sign_in: Any, acme: Company, globex: Company) -> None:
        crowd(globex, 3)
        theirs = last(globex).sequence
        assert sign_in(acme.owner).get(f"{page(acme)}{theirs}/").status_code == 404
        assert sign_in(acme.owner).get(f"{page(acme)}{10**30}/").status_code == 404


class TestTheList:
    def test_tells_who_did_what_with_which_result_and_through_which_door(self, sign_in: Any, acme: Company) -> None:
        refusals.refused("workspaces.delete", actor=UserActor(acme.member, Origin("api")), place=acme.workspace)
        said = text(sign_in(acme.owner).get(page(acme)))
        assert "tried to archive workspaces in" in said
        assert "Refused" in said
        assert "Done" in said
        assert "over the API" in said

    def test_counts_what_was_folded(self, sign_in: Any, acme: Company) -> None:
        for _ in range(6):
            refusals.refused("workspaces.delete", actor=UserActor(acme.member), place=acme.workspace)
        AuditFold.objects.update(until=now())
        refusals.settle()
        assert "\N{MULTIPLICATION SIGN}5" in text(sign_in(acme.owner).get(page(acme)))

    def test_is_of_the_last_week_and_says_so(self, sign_in: Any, acme: Company, monkeypatch: Any) -> None:
        moment = now() - search.timedelta(days=8)
        monkeypatch.setattr(log, "now", lambda: moment)
        crowd(acme, 1)
        old, browser = last(acme).sequence, sign_in(acme.owner)
        answer = browser.get(page(acme))
        assert old not in sequences(answer)
        assert "of the last 7 days" in text(answer)
        wider = dict(answer.context["wider"])
        assert [q(href) for href in wider.values()] == ["after:30d", "after:start"]
        for href in wider.values():
            answer = browser.get(href)
            assert old in sequences(answer)
            assert "of the last 7 days" not in text(answer)

    def test_finds_nothing_and_offers_more(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        answer = browser.get(page(acme), {"q": "nobody-is-called-so"})
        assert "No entries match" in text(answer)
        assert "Widen to 30 days" in text(answer)
        assert "Widen to 30 days" not in text(browser.get(page(acme), {"q": "nobody-is-called-so after:30d"}))

    def test_goes_page_by_page_both_ways(self, sign_in: Any, acme: Company) -> None:
        crowd(acme, 120)
        browser, asked, seen = sign_in(acme.owner), {}, []
        while True:
            answer = browser.get(page(acme), {"q": "actor:owner", **asked})
            seen.append(sequences(answer))
            if not answer.context["page"].older:
                break
            asked = {"after": answer.context["page"].older}
        flat = [number for part in seen for number in part]
        assert flat == sorted(set(flat), reverse=True)
        assert len(flat) == answer.context["total"].number > 120
        assert [len(part) for part in seen[:2]] == [50, 50]
        back = browser.get(page(acme), {"q": "actor:owner", "before": answer.context["page"].newer})
        assert sequences(back) == seen[-2]

    @pytest.mark.parametrize("mark", ["x", "-1", "1" * 40, "٣", ""])
    def test_refuses_a_mark_nobody_handed_out(self, sign_in: Any, acme: Company, mark: str) -> None:
        for name in ("after", "before"):
            assert sign_in(acme.owner).get(page(acme), {name: mark}).status_code == 400

    def test_a_mark_of_another_organization_leads_nowhere(self, sign_in: Any, acme: Company, globex: Company) -> None:
        crowd(globex, 9)
        answer = sign_in(acme.owner).get(page(acme), {"before": str(last(globex).sequence)})
        assert sequences(answer) == []

    def test_links_to_what_is_there_and_may_be_opened(self, sign_in: Any, acme: Company) -> None:
        gone, root = acme.membership(acme.bystander), f"/o/{acme.organization.slug}"
        browser = sign_in(acme.owner)
        assert f'href="{root}/members/{gone.pk}/"' in text(browser.get(page(acme)))
        memberships.remove(acme.membership(acme.bystander), by=UserActor(acme.owner))
        said = text(browser.get(page(acme)))
        assert f'href="{root}/members/{gone.pk}/"' not in said
        assert f'href="{root}/keys/{acme.workspace_key.pk}/"' in said

    def test_names_are_marked_and_escaped(self, sign_in: Any, acme: Company) -> None:
        workspaces.update(acme.workspace, name="<script>x</script>", by=UserActor(acme.owner))
        browser = sign_in(acme.owner)
        for asked in ({}, {"q": '"<script>x</script>"'}, {"q": "<script>:x"}):
            assert "<script>x" not in text(browser.get(page(acme), asked))
        assert "<script>x" not in text(browser.get(f"{page(acme)}{last(acme).sequence}/"))


class TestTheSearch:
    @pytest.mark.parametrize(
        "asked",
        ["foo:bar", '"open', "actor:", "after:99999-01-01", "x" * 10_000, "result:no", "ip:1.2.3.4/99", "action:zzz"],
    )
    def test_that_cannot_be_read_is_said_at_the_box(self, sign_in: Any, acme: Company, asked: str) -> None:
        answer = sign_in(acme.owner).get(page(acme), {"q": asked})
        assert answer.status_code == 400
        assert 'role="alert"' in text(answer)
        assert 'aria-invalid="true"' in text(answer)
        assert answer.context["asked"] == asked[: search.TEXT]
        assert sequences(answer) == []

    @pytest.mark.parametrize("asked", ["a\0b", "\0", "\u202e", "-", "%", "_", "\\", "' OR 1=1", "{x}", "%s", "ﬀ", "😀"])
    def test_that_is_odd_is_text(self, sign_in: Any, acme: Company, asked: str) -> None:
        for value in (asked, f"actor:x{asked}", f'workspace:"x{asked}x"', f"request:x{asked}"):
            assert sign_in(acme.owner).get(page(acme), {"q": value}).status_code in {200, 400}, value

    def test_is_mirrored_in_chips_that_each_go_away(self, sign_in: Any, acme: Company) -> None:
        answer = sign_in(acme.owner).get(page(acme), {"q": "actor:owner -result:refused after:30d"})
        chips = answer.context["chips"]
        assert [chip.said for chip in chips] == ["By: owner", "Result: not Refused", "Last 30 days"]
        assert [q(chip.without) for chip in chips] == [
            "-result:refused after:30d",
            "actor:owner after:30d",
            "actor:owner -result:refused",
        ]
        assert all(chip.without.replace("&", "&amp;") in text(answer) for chip in chips)

    def test_says_names_in_chips_where_an_id_is_asked(self, sign_in: Any, acme: Company) -> None:
        crowd(acme, 1)
        answer = sign_in(acme.owner).get(page(acme), {"q": f"actor:{acme.owner.pk}"})
        assert [chip.said for chip in answer.context["chips"]] == [f"By: {acme.owner.get_full_name()}"]

    def test_is_mirrored_in_the_dropdowns(self, sign_in: Any, acme: Company) -> None:
        asked = f"result:refused action:api_key.rotated door:api workspace:{acme.workspace.slug} after:30d"
        shown = {each.name: each for each in sign_in(acme.owner).get(page(acme), {"q": asked}).context["facets"]}
        assert {name: each.value for name, each in shown.items()} == {
            "time": "30d",
            "result": "refused",
            "action": "api_key.rotated",
            "workspace": acme.workspace.slug,
            "door": "api",
        }
        assert shown["action"].is_other
        assert not shown["workspace"].is_other

    @pytest.mark.parametrize(
        ("shown", "given", "written"),
        [
            ("", {"result": "refused"}, "x result:refused"),
            ("", {"time": "30d", "door": "api"}, "x after:30d door:api"),
            ("result:done", {"result": ""}, "x"),
            ("result:done", {"result": "done"}, "x result:done"),
            ("-result:done", {"result": ""}, "x -result:done"),
            ("after:2026-01-01 before:24h", {"time": "after:2026-01-01 before:24h"}, "x after:2026-01-01 before:24h"),
            ("after:2026-01-01 before:24h", {"time": ""}, "x"),
            ("", {"action": "api_key", "workspace": "two words"}, 'x action:api_key workspace:"two words"'),
        ],
    )
    def test_is_written_by_a_dropdown_that_was_moved(
        self, sign_in: Any, acme: Company, shown: str, given: dict[str, str], written: str
    ) -> None:
        sent = {"q": f"x {shown}".strip(), "shown": shown, **given}
        answer = sign_in(acme.owner).get(page(acme), sent)
        assert answer.status_code == 302
        assert answer["Location"] == facets.address(page(acme), written)

    def test_typed_into_the_box_wins_over_dropdowns_that_were_not_moved(self, sign_in: Any, acme: Company) -> None:
        sent = {"q": "result:done", "shown": "", "result": "", "time": "", "action": "", "workspace": "", "door": ""}
        assert q(sign_in(acme.owner).get(page(acme), sent)["Location"]) == "result:done"

    @pytest.mark.parametrize("given", [{"result": "x"}, {"door": "x"}, {"action": "zzz"}, {"time": "soon"}])
    def test_is_not_written_by_a_dropdown_that_was_never_offered(
        self, sign_in: Any, acme: Company, given: dict[str, str]
    ) -> None:
        assert sign_in(acme.owner).get(page(acme), {"q": "", "shown": "", **given}).status_code == 400

    def test_swaps_the_list_alone_and_keeps_the_address_true(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        answer = browser.get(page(acme), {"q": "actor:owner", "shown": "", "result": "refused"}, headers=HTMX)
        assert answer.status_code == 200
        assert "<h1" not in text(answer)
        assert q(answer["HX-Push-Url"]) == "actor:owner result:refused"
        wrong = browser.get(page(acme), {"q": "foo:bar"}, headers=HTMX)
        assert wrong.status_code == 400
        assert "foo:" in text(wrong)
        assert "<h1" not in text(wrong)


class TestTheCost:
    @pytest.mark.parametrize("asked", ["", PARTS, "nobody-is-called-so", "ip:10.0.0.0/9 result:refused after:start"])
    def test_is_as_many_queries_for_few_lines_as_for_many(self, sign_in: Any, acme: Company, asked: str) -> None:
        browser = sign_in(acme.owner)
        browser.get(page(acme))
        counts = []
        for more in (0, 60):
            crowd(acme, more)
            with CaptureQueriesContext(connection) as queries:
                assert browser.get(page(acme), {"q": asked}).status_code == 200
            counts.append(len(queries))
        assert counts[0] == counts[1] <= QUERIES

    def test_of_one_line_is_no_more(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        browser.get(page(acme))
        with CaptureQueriesContext(connection) as queries:
            browser.get(f"{page(acme)}{last(acme).sequence}/")
        assert len(queries) <= QUERIES

    def test_of_a_full_page_over_the_wire_is_small(self, sign_in: Any, acme: Company) -> None:
        crowd(acme, 60)
        assert len(gzip.compress(sign_in(acme.owner).get(page(acme)).content)) < 12 * 1024


class TestOneLine:
    def test_tells_before_and_after_and_all_that_is_known(self, sign_in: Any, acme: Company) -> None:
        origin = Origin("page", "r-77", "10.1.2.3", "Firefox", "POST", "/o/x/")
        by = UserActor(acme.owner, origin)
        workspaces.update(acme.workspace, name="Elsewhere", by=by)
        line = last(acme)
        answer = sign_in(acme.owner).get(f"{page(acme)}{line.sequence}/")
        said = re.sub(r"\s+", " ", text(answer))
        for fact in ("r-77", "10.1.2.3", "Firefox", "POST /o/x/", "HTTP status", "Acme Search", "Elsewhere"):
            assert fact in said, fact
        assert bytes(line.digest).hex() in said
        assert bytes(line.previous).hex() in said
        assert "owner of the organization" in said
        assert answer.context["changes"] == [("The name", "Acme Search", "Elsewhere")]

    def test_leads_on(self, sign_in: Any, acme: Company) -> None:
        key = key_named(acme.secrets["organization_key"])
        key.origin = Origin("api", "r-9")
        workspaces.update(acme.workspace, name="Elsewhere", by=key)
        browser = sign_in(acme.owner)
        leads = {lead.said: lead.href for lead in browser.get(f"{page(acme)}{last(acme).sequence}/").context["leads"]}
        assert {said: q(href) for said, href in leads.items()} == {
            "Everything by this key": f"key:{key.pk} after:start",
            "Everything that happened to it": f"target:{acme.workspace.pk} after:start",
            "Everything in this request": "request:r-9 after:start",
        }
        for href in leads.values():
            assert last(acme).sequence in sequences(browser.get(href))

    def test_leads_to_both_people(self, sign_in: Any, acme: Company) -> None:
        memberships.change_role(acme.membership(acme.bystander), "admin", by=UserActor(acme.owner))
        line = last(acme)
        leads = sign_in(acme.owner).get(f"{page(acme)}{line.sequence}/").context["leads"]
        asked = {q(lead.href) for lead in leads}
        assert {f"person:{acme.owner.pk} after:start", f"person:{acme.bystander.pk} after:start"} <= asked

    def test_opens_in_the_list(self, sign_in: Any, acme: Company) -> None:
        browser, address = sign_in(acme.owner), f"{page(acme)}{last(acme).sequence}/"
        assert f'hx-get="{address}"' in text(browser.get(page(acme)))
        part = browser.get(address, headers={"HX-Request": "true"})
        assert "<h1" not in text(part)
        assert bytes(last(acme).digest).hex() in text(part)

    @pytest.mark.parametrize("event", list(Event))
    def test_is_there_for_every_event(self, sign_in: Any, acme: Company, event: Event) -> None:
        odd = {"before": {}, "after": {"x": [1, {"y": None}], "role": "owner"}, "action": "x", "n": True}
        log.record(event, actor=system(), target=acme.workspace, organization_id=acme.organization.pk, **odd)
        browser = sign_in(acme.owner)
        assert browser.get(f"{page(acme)}{last(acme).sequence}/").status_code == 200
        assert browser.get(page(acme)).status_code == 200


def rows(answer: Any, kind: str) -> list[dict[str, Any]]:
    content = b"".join(answer.streaming_content).decode()
    if kind == "csv":
        return list(csv.DictReader(io.StringIO(content.lstrip("\ufeff"))))
    return [json.loads(line) for line in content.splitlines()]


class TestTheFile:
    @pytest.mark.parametrize("kind", ["csv", "jsonl"])
    @pytest.mark.parametrize("asked", ["", "actor:owner", "-actor:owner action:create", "nobody-is-called-so"])
    def test_holds_what_the_screen_holds(self, sign_in: Any, acme: Company, kind: str, asked: str) -> None:
        browser = sign_in(acme.owner)
        screen = browser.get(page(acme), {"q": asked})
        answer = browser.post(f"{page(acme)}export/", {"q": asked, "format": kind})
        assert [int(row["sequence"]) for row in rows(answer, kind)] == sequences(screen)
        assert answer["Content-Disposition"] == f'attachment; filename="audit-log.{kind}"'
        assert answer["Cache-Control"] == "no-store"

    def test_is_read_to_its_end(self, sign_in: Any, acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("apps.audit.exports.CHUNK", 7)
        browser = sign_in(acme.owner)
        shown = sequences(browser.get(page(acme)))
        assert len(shown) > 14
        answer = browser.post(f"{page(acme)}export/", {"q": "", "format": "jsonl"})
        assert [row["sequence"] for row in rows(answer, "jsonl")] == shown

    def test_asks_for_its_last_part_as_for_its_first(
        self, sign_in: Any, acme: Company, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("apps.audit.exports.CHUNK", 3)
        answer = sign_in(acme.owner).post(f"{page(acme)}export/", {"q": "", "format": "jsonl"})
        with CaptureQueriesContext(connection) as queries:
            assert len(rows(answer, "jsonl")) > 9
        asked = [re.sub(r"[0-9]+", "0", query["sql"]) for query in queries]
        assert len(asked) > 3
        assert len(set(asked)) == 1

    def test_tells_all_of_a_line(self, sign_in: Any, acme: Company) -> None:
        by = UserActor(acme.owner, Origin("page", "r-77", "10.1.2.3", "Firefox", "POST", "/o/x/"))
        workspaces.update(acme.workspace, name="=cmd()", by=by)
        line, sent = last(acme), {"q": "request:r-77"}
        browser = sign_in(acme.owner)
        told = rows(browser.post(f"{page(acme)}export/", {**sent, "format": "jsonl"}), "jsonl")[0]
        assert told["details"] == line.details
        assert told["digest"] == bytes(line.digest).hex()
        expected = ("owner@acme.example", "10.1.2.3", "Firefox", "=cmd()", "POST")
        assert (told["actor"], told["address"], told["agent"], told["target"], told["method"]) == expected
        cells = rows(browser.post(f"{page(acme)}export/", {**sent, "format": "csv"}), "csv")[0]
        assert cells["target"] == "'=cmd()"
        assert json.loads(cells["details"]) == line.details

    def test_is_written_down_before_its_first_byte(self, sign_in: Any, acme: Company) -> None:
        sent = {"q": "RESULT:ok  after:30d", "format": "csv"}
        answer = sign_in(acme.owner).post(f"{page(acme)}export/", sent)
        line = last(acme)
        assert (line.event, line.actor_id) == (Event.AUDIT_LOG_EXPORTED, acme.owner.pk)
        assert line.details == {"filter": "result:done after:30d", "format": "csv"}
        assert str(line.sequence) not in {row["sequence"] for row in rows(answer, "csv")}

    def test_leaves_no_name_for_ever(self, sign_in: Any, acme: Company) -> None:
        sign_in(acme.owner).post(f"{page(acme)}export/", {"q": "actor:bystander@acme.example", "format": "csv"})
        assert last(acme).details["filter"] == "actor:… after:7d"

    @pytest.mark.parametrize(
        ("asked", "kept"),
        [("", "after:7d"), ("result:done", "result:done after:7d"), ("after:start", "after:start")],
    )
    def test_of_a_search_without_a_time_is_written_down_as_of_the_last_week(
        self, sign_in: Any, acme: Company, asked: str, kept: str
    ) -> None:
        sign_in(acme.owner).post(f"{page(acme)}export/", {"q": asked, "format": "csv"})
        assert last(acme).details["filter"] == kept

    @pytest.mark.parametrize("sent", [{"format": "xml"}, {}, {"format": "csv", "q": "foo:bar"}])
    def test_that_cannot_be_is_refused_and_not_written_down(
        self, sign_in: Any, acme: Company, sent: dict[str, str]
    ) -> None:
        before = last(acme).sequence
        assert sign_in(acme.owner).post(f"{page(acme)}export/", sent).status_code == 400
        assert last(acme).sequence == before


class TestProof:
    def test_says_that_all_is_whole_and_when(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        assert "Chain not verified yet" in text(browser.get(page(acme)))
        number = last(acme).sequence
        assert "The log is whole" in text(browser.post(f"{page(acme)}verify/"))
        assert last(acme).event == Event.AUDIT_LOG_VERIFIED
        said = re.sub(r"<[^>]+>", "", text(browser.get(page(acme))))
        assert f"Chain verified just now · {number} entries" in said

    def test_names_what_is_wrong(self, sign_in: Any, acme: Company) -> None:
        AuditHead.objects.filter(chain=acme.organization.pk).update(digest=b"x" * 32)
        browser = sign_in(acme.owner)
        answer = browser.post(f"{page(acme)}verify/")
        assert "not as it was written" in text(answer)
        assert all(str(fault) in text(answer) for fault in answer.context["report"].faults)
        assert answer.context["report"].faults
        assert "Chain broken" in text(browser.get(page(acme)))

    def test_names_no_more_than_fifty(self, sign_in: Any, acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("apps.audit.views.FAULTS", 0)
        AuditHead.objects.filter(chain=acme.organization.pk).update(digest=b"x" * 32)
        answer = sign_in(acme.owner).post(f"{page(acme)}verify/")
        assert answer.context["more"] == len(answer.context["report"].faults) > 0

    def test_a_checkpoint_is_a_file(self, sign_in: Any, acme: Company) -> None:
        answer = sign_in(acme.owner).post(f"{page(acme)}checkpoint/")
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer["Cache-Control"] == "no-store"
        taken = json.loads(answer.content)
        assert (taken["sequence"], taken["head"]) == (last(acme).sequence, bytes(last(acme).digest).hex())

    def test_acts_want_their_token(self, acme: Company) -> None:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(acme.owner)
        for path in ("verify/", "checkpoint/", "export/", "filters/", "filters/delete/"):
            assert browser.post(f"{page(acme)}{path}", {"format": "csv"}).status_code == 403


class TestSavedSearches:
    def test_are_kept_applied_and_deleted(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        answer = browser.post(f"{page(acme)}filters/", {"name": "Refusals", "q": "result:DENIED"})
        assert answer["Location"] == facets.address(page(acme), "result:refused")
        kept, href, is_now = browser.get(answer["Location"]).context["saved"][0]
        assert (kept.name, kept.q, is_now) == ("Refusals", "result:refused", True)
        assert href in text(browser.get(page(acme)))
        browser.post(f"{page(acme)}filters/delete/", {"name": "Refusals"})
        assert browser.get(page(acme)).context["saved"] == []

    def test_are_each_readers_own_and_each_organizations(self, sign_in: Any, acme: Company, globex: Company) -> None:
        memberships.join(acme.owner, globex.organization, "admin", by=system())
        browser = sign_in(acme.owner)
        browser.post(f"{page(acme)}filters/", {"name": "Mine", "q": "result:done"})
        browser.post(f"{page(globex)}filters/", {"name": "Theirs", "q": "result:done"})
        assert [each.name for each, *_ in browser.get(page(acme)).context["saved"]] == ["Mine"]
        assert [each.name for each, *_ in browser.get(page(globex)).context["saved"]] == ["Theirs"]
        assert sign_in(acme.admin).get(page(acme)).context["saved"] == []

    def test_of_the_same_name_take_each_others_place(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        for asked in ("result:done", "result:refused"):
            browser.post(f"{page(acme)}filters/", {"name": "Mine", "q": asked})
        assert [each.q for each, *_ in browser.get(page(acme)).context["saved"]] == ["result:refused"]

    @pytest.mark.parametrize(("path", "names"), [("", ["Old", "Meanwhile", "Mine"]), ("delete/", ["Meanwhile"])])
    def test_are_not_lost_to_another_one_that_is_saved_meanwhile(
        self, sign_in: Any, acme: Company, monkeypatch: pytest.MonkeyPatch, path: str, names: list[str]
    ) -> None:
        """The other one is written after this request has read who asks."""
        browser, here, post = sign_in(acme.owner), acme.organization.pk, ActMixin.dispatch

        def late(view: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
            kept = saved.adding(request.user.preferences[saved.PREFERENCE], here, "Meanwhile", "")
            User.objects.filter(pk=acme.owner.pk).update(preferences={saved.PREFERENCE: kept})
            return post(view, request, *args, **kwargs)

        browser.post(f"{page(acme)}filters/", {"name": "Old", "q": ""})
        with monkeypatch.context() as patch:
            patch.setattr(ActMixin, "dispatch", late)
            sent = {"name": "Mine" if not path else "Old", "q": "result:done"}
            assert browser.post(f"{page(acme)}filters/{path}", sent).status_code == 302
        assert [each.name for each, *_ in browser.get(page(acme)).context["saved"]] == names

    def test_are_twenty_at_most(self, sign_in: Any, acme: Company) -> None:
        browser = sign_in(acme.owner)
        for number in range(saved.MOST):
            assert browser.post(f"{page(acme)}filters/", {"name": f"n{number}", "q": ""}).status_code == 302
        assert browser.post(f"{page(acme)}filters/", {"name": "more", "q": ""}).status_code == 409
        assert browser.post(f"{page(acme)}filters/", {"name": "n3", "q": "x"}).status_code == 302
        assert len(browser.get(page(acme)).context["saved"]) == saved.MOST

    @pytest.mark.parametrize(
        "sent",
        [{"name": "", "q": ""}, {"name": "x" * 61, "q": ""}, {"name": "a\nb", "q": ""}, {"name": "x", "q": "foo:x"}],
    )
    def test_that_make_no_sense_are_refused(self, sign_in: Any, acme: Company, sent: dict[str, str]) -> None:
        browser = sign_in(acme.owner)
        assert browser.post(f"{page(acme)}filters/", sent).status_code == 400
        assert browser.get(page(acme)).context["saved"] == []

    @pytest.mark.parametrize("kept", [7, "x", [], {"x": 1}, None])
    def test_are_none_where_what_was_kept_makes_no_sense(self, sign_in: Any, acme: Company, kept: Any) -> None:
        here = str(acme.organization.pk)
        for value in (kept, {here: kept}, {here: [kept, ["a"], ["b", 1], ["good", "result:done"]]}):
            acme.owner.preferences = {saved.PREFERENCE: value}
            acme.owner.save()
            names = [each.name for each, *_ in sign_in(acme.owner).get(page(acme)).context["saved"]]
            assert names in ([], ["good"])
