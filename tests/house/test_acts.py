"""No route is missed: every address that changes something leaves its line, and every refusal leaves one, too.

The routes are those of the URLconf, so that one without an example here fails the build.
"""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.db import DatabaseError
from django.db.models import Model
from django.test import Client
from django.urls import get_resolver

from apps.accounts.models import User
from apps.apikeys import operations as apikeys
from apps.audit import appending
from apps.audit.events import Event
from apps.audit.models import INSTALLATION, AuditEvent, AuditNames, AuditWord
from apps.core import outbound
from apps.organizations.models import Organization
from tests.accounts.signing_in import recently, with_app
from tests.api.endpoints import new_key, rolled_back, says
from tests.conftest import key_named
from tests.console.desk import Desk, address, as_shown, latest, state, verbs
from tests.console.desk import lines as lines_since
from tests.console.desk import pages as console_pages
from tests.factories import PASSWORD
from tests.house import acts
from tests.house.acts import Call, form_in, form_of
from tests.house.test_surface import PAGES, PEOPLE, lines, methods, page, pages, served
from tests.world import Company, World, system

TRACE = "x-portkey-trace-id"
AGENT = "walker/1.0"
FORMS = {name for name, (_, view) in pages().items() if "post" in methods(view)}


@pytest.fixture(autouse=True)
def _receivers_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent out arrives, without a network."""
    monkeypatch.setattr(outbound, "check", lambda destination: [])
    monkeypatch.setattr(outbound, "post", lambda *args, **kwargs: 200)


def test_every_page_that_takes_a_form_has_an_example() -> None:
    assert acts.PAGES.keys() & acts.NO_ACTS.keys() == set()
    assert acts.PAGES.keys() | acts.NO_ACTS.keys() == FORMS


def test_more_lines_than_one_and_fewer_take_a_reason() -> None:
    for name, act in acts.PAGES.items():
        assert bool(act.why) is (len(act.leaves) != 1), name
    assert all(acts.NO_ACTS.values())


def person(acme: Company, by: str) -> User:
    return User.objects.get(email=acme.invitation.email) if by == "invited" else acme[by]


def send(browser: Client, acme: Company, name: str) -> Any:
    """Sends the form of a page as a browser does: looked at, filled in and, where that is asked, confirmed."""
    act = acts.PAGES[name]
    to = act.at(acme) if act.at else page(name, acme)
    shown = act.form_on(acme) if act.form_on else to if "get" in methods(pages()[name][1]) else ""
    if name in {"memberships:accept", "memberships:decline"}:
        browser.get(f"/invitations/{acme.secrets['invitation']}/")
    sent = {**(form_of(browser, shown, to) if shown and not act.is_bulk else {}), **act.given(acme)}
    if act.is_bulk:
        foreseen = browser.post(to, sent).context or {}
        sent |= {"confirmed": "on"} | ({"seen": foreseen["seen"]} if "seen" in foreseen else {})
    if act.asks_first:
        sent |= form_in(browser.post(to, sent), to, to)
    before = latest()
    answer = browser.post(to, sent, headers={TRACE: "walk-1", "user-agent": AGENT})
    return to, answer, lines_since(before)


def chain_of(acme: Company, name: str, event: str) -> Any:
    """Where a line belongs: what is of an account alone, in the log of the installation."""
    if event.startswith("account.") or event == Event.AUDIT_LOG_NAMES_ERASED:
        return INSTALLATION
    return Organization.objects.get(name="Initech").pk if name == "onboarding:found" else acme.organization.pk


@pytest.mark.parametrize("name", sorted(acts.PAGES))
def test_an_act_on_a_page_leaves_its_line(world: World, name: str) -> None:
    acme, act = world.acme, acts.PAGES[name]
    act.before(acme)
    who = person(acme, act.by)
    to, answer, left = send(recently(who), acme, name)
    assert answer.status_code in {200, 302}, answer.content[-3000:]
    assert [line.event for line in left] == list(act.leaves)
    for line in left:
        assert line.chain == chain_of(acme, name, line.event)
        assert (line.status, line.code, line.count) == ("done", 200, 1)
        assert (line.actor_kind, line.actor_id) == ("person", who.pk)
        assert (line.door, line.method, line.uri, line.request_id) == ("page", "POST", urlsplit(to).path, "walk-1")
        assert (line.names["address"], line.names["agent"]) == ("127.0.0.1", AGENT)


def refused_readers(name: str) -> list[str]:
    """Who is told 403, by the table of addresses."""
    return [
        reader
        for page, method, reader, verdict in lines(PAGES, PEOPLE)
        if (page, method, verdict) == (name, "post", "no")
    ]


@pytest.mark.parametrize("name", sorted(name for name in FORMS if refused_readers(name)))
def test_a_refusal_on_a_page_leaves_one_line(world: World, sign_in: Any, name: str) -> None:
    acme, to = world.acme, page(name, world.acme)
    who = acme[refused_readers(name)[0]]
    before = latest()
    assert sign_in(who).post(to, {}, headers={TRACE: "walk-2"}).status_code == 403
    [line] = lines_since(before)
    assert (line.event, line.status, line.code) == ("access.refused", "refused", 403)
    assert (line.chain, line.actor_kind, line.actor_id) == (acme.organization.pk, "person", who.pk)
    assert (line.door, line.method, line.uri, line.request_id) == ("page", "POST", to, "walk-2")


SERVED = {
    (name, method.upper())
    for path, name, view in served(get_resolver())
    if path.startswith("v1/") and name != "unserved"
    for method in methods(view) - {"get"}
}


def test_every_call_that_writes_has_an_example() -> None:
    assert {(one.name, one.method) for one in acts.CALLS} | acts.NO_CALLS.keys() == SERVED
    assert all(bool(one.why) is (len(one.leaves) != 1) for one in acts.CALLS)


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("one", acts.CALLS, ids=str)
def test_a_call_leaves_its_line(acme: Company, call: Any, one: Call, version: str) -> None:
    to, before = one.address(acme, version), latest()
    headers = {TRACE: "walk-3", "user-agent": AGENT}
    answer = call(one.method, to, acme.secrets["organization_key"], one.body(acme), **headers)
    assert answer.status_code == 200, answer.content
    left = lines_since(before)
    assert [line.event for line in left] == list(one.leaves)
    for line in left:
        assert (line.chain, line.status, line.code) == (acme.organization.pk, "done", 200)
        assert (line.actor_kind, line.actor_id) == ("key", acme.organization_key.pk)
        assert (line.door, line.method, line.uri, line.request_id) == ("api", one.method, to, "walk-3")
        assert (line.names["address"], line.names["agent"]) == ("127.0.0.1", AGENT)


@pytest.mark.parametrize("one", acts.CALLS, ids=str)
def test_a_refused_call_leaves_one_line(acme: Company, call: Any, one: Call) -> None:
    secret = new_key(acme.organization, ["organisations.read"])
    key, to, before = key_named(secret), one.address(acme), latest()
    answer = call(one.method, to, secret, one.body(acme), **{TRACE: "walk-4"})
    assert says(answer, 403, "AB03")
    [line] = lines_since(before)
    assert (line.event, line.status, line.code) == ("access.refused", "refused", 403)
    assert line.details == {"action": answer.json()["error"]["action"]}
    assert (line.chain, line.actor_kind, line.actor_id) == (acme.organization.pk, "key", key.pk)
    assert (line.door, line.method, line.uri, line.request_id) == ("api", one.method, to, "walk-4")


def test_a_report_of_a_leak_is_written_where_the_key_is(acme: Company, call: Any) -> None:
    before = latest()
    assert call("POST", "/v1/leaked-keys", None, {"token": acme.secrets["workspace_key"]}).status_code == 200
    left = lines_since(before)
    assert [line.event for line in left] == ["api_key.leaked", "api_key.disabled"]
    assert {(line.chain, line.door, line.uri) for line in left} == {(acme.organization.pk, "api", "/v1/leaked-keys")}


def offered(desk: Desk, model: type[Model], console_page: Any) -> Iterator[str]:
    """What the console lets an operator do with rows of a model: forms that write, and verbs."""
    if desk.get("add", model).status_code == 200:
        yield "add"
    row = model._default_manager.first()
    form = desk.get("change", row).context.get("adminform") if row is not None else None
    if form is not None and form.form.fields:
        yield "change"
    yield from verbs(console_page)


def test_every_act_of_the_console_has_an_example(desk: Desk) -> None:
    found = {(model._meta.label_lower, act) for model, one in console_pages() for act in offered(desk, model, one)}
    assert acts.CONSOLE.keys() == found
    assert all(bool(verb.why) is (len(verb.leaves) != 1) for verb in acts.CONSOLE.values())


def at_the_console(desk: Desk, world: World, model: str, act: str) -> Any:
    verb = acts.CONSOLE[model, act]
    row, given = verb.row(world), verb.given(world.acme)
    if act == "add":
        return address("add", type(row)), desk.add(type(row), **given)
    sent = as_shown(desk.get("change", row)) if act == "change" else {}
    return address(act, row), desk.browser.post(address(act, row), {**sent, **given})


@pytest.fixture
def desk(world: World) -> Desk:
    """The operator's, whose requests are told apart."""
    made = Desk(world.operator)
    made.browser.defaults |= {"HTTP_X_PORTKEY_TRACE_ID": "walk-5", "HTTP_USER_AGENT": AGENT}
    return made


@pytest.mark.parametrize(("model", "act"), sorted(acts.CONSOLE))
def test_an_act_at_the_console_leaves_its_line(world: World, desk: Desk, model: str, act: str) -> None:
    acts.CONSOLE[model, act].before(world)
    before = latest()
    to, answer = at_the_console(desk, world, model, act)
    left = lines_since(before)
    assert answer.status_code == 302 or "shown_once" in str(answer.template_name), answer.status_code
    assert [line.event for line in left] == list(acts.CONSOLE[model, act].leaves)
    name = "onboarding:found" if (model, act) == ("organizations.organization", "add") else ""
    for line in left:
        assert line.chain == chain_of(world.acme, name, line.event)
        assert (line.status, line.code) == ("done", 200)
        assert (line.actor_kind, line.actor_id) == ("operator", world.operator.pk)
        assert (line.door, line.method, line.uri, line.request_id) == ("admin", "POST", to, "walk-5")
        assert (line.names["address"], line.names["agent"]) == ("127.0.0.1", AGENT)


@pytest.mark.parametrize(("model", "act"), sorted(acts.CONSOLE))
def test_a_refusal_at_the_console_leaves_one_line(world: World, model: str, act: str) -> None:
    """Of staff who may not do this to the row. Who cannot see the row is answered as if there were none."""
    acme, verb = world.acme, acts.CONSOLE[model, act]
    verb.before(world)
    acme.member.is_staff = acme.member.is_active = True
    acme.member.save(update_fields=["is_staff", "is_active"])
    staff, row = Desk(acme.member), verb.row(world)
    is_seen = act == "add" or staff.get("change", row).status_code == 200
    to = address("add", type(row)) if act == "add" else address(act, row)
    before = latest()
    answer = staff.browser.post(to, verb.given(acme), headers={TRACE: "walk-6"})
    left = lines_since(before)
    if (model, act) in acts.UNSEEN:
        assert (answer.status_code, left) == (404, [])
        return
    assert answer.status_code == 403
    [line] = left
    assert (line.event, line.status, line.code) == ("access.refused", "refused", 403)
    assert (line.actor_kind, line.actor_id) == ("person", acme.member.pk)
    if is_seen and act != "add":
        assert line.chain == acme.organization.pk
    else:
        assert line.chain in {acme.organization.pk, INSTALLATION}, "no row says which organization it would be in"
    assert (line.door, line.method, line.uri, line.request_id) == ("admin", "POST", to, "walk-6")


def test_nothing_else_at_the_console_writes(desk: Desk) -> None:
    """Every other address under /admin/, whatever is posted to it, changes no row, and leaves no line of a deed."""
    known = {f"{model.replace('.', '_')}_{act}" for model, act in acts.CONSOLE}
    rows = {model._meta.label_lower.replace(".", "_"): model._default_manager.first() for model, _ in console_pages()}
    tried, before, was = 0, latest(), rows_of_all()
    for path, name, _ in served(get_resolver()):
        if path.startswith("admin/") and name not in known and name != "logout":
            row = rows.get("_".join(name.split("_")[:2]))
            to = "/" + path.replace("<path:object_id>", str(row.pk if row is not None else 1))
            sent = {"post": "yes", "name": "x", "action": "delete_selected", "_selected_action": "1"}
            assert desk.browser.post(re.sub(r"[<(].*", "1", to), sent).status_code < 500, path
            tried += 1
    assert tried > 100
    assert {line.status for line in lines_since(before)} <= {"refused"}
    assert rows_of_all() == was


def rows_of_all() -> dict[str, str]:
    """Every table but the log's own."""
    return {model: told for model, told in state().items() if not model.startswith("audit.")}


class TestAnActAndItsLine:
    """One transaction: neither without the other."""

    SAID = "disk full at /var/lib/data: INSERT INTO audit_auditevent"

    @pytest.fixture
    def broken(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
        """Once called, no line can be written."""

        def fail(*args: Any) -> bool:
            raise DatabaseError(self.SAID)

        return lambda: monkeypatch.setattr(appending, "append", fail)

    @pytest.fixture
    def late(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
        """Once called, whatever fails does so when the line has been written."""
        write = appending.append

        def fail(*args: Any) -> bool:
            write(*args)
            raise DatabaseError(self.SAID)

        return lambda: monkeypatch.setattr(appending, "append", fail)

    @pytest.fixture(params=["broken", "late"])
    def fault(self, request: pytest.FixtureRequest) -> Any:
        return request.getfixturevalue(request.param)

    @pytest.mark.parametrize(
        "name",
        [
            *("organizations:settings", "workspaces:create", "workspaces:archive", "apikeys:create", "apikeys:rotate"),
            *("apikeys:revoke", "memberships:invite", "memberships:role", "memberships:remove", "memberships:leave"),
            *("accounts:profile", "onboarding:found", "onboarding:delete"),
        ],
    )
    def test_on_a_page(self, world: World, fault: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        acme, act = world.acme, acts.PAGES[name]
        browser = recently(person(acme, act.by))
        browser.raise_request_exception = False
        post, was = browser.post, dict[str, str]()

        def posted(*args: Any, **kwargs: Any) -> Any:
            was.update(state())
            fault()
            return post(*args, **kwargs)

        monkeypatch.setattr(browser, "post", posted)
        _, answer, left = send(browser, acme, name)
        text = answer.content.decode()
        assert answer.status_code == 500
        assert "Gatehouse" in text
        assert "disk full" not in text
        assert "audit_auditevent" not in text
        assert "Traceback" not in text
        assert left == []
        assert state() == was

    @pytest.mark.parametrize("one", acts.CALLS, ids=str)
    def test_over_the_api(self, acme: Company, call: Any, fault: Any, one: Call) -> None:
        was = state()
        fault()
        answer = call(one.method, one.address(acme), acme.secrets["organization_key"], one.body(acme))
        assert says(answer, 500, "AB10")
        assert "disk full" not in answer.content.decode()
        assert state() == was

    @pytest.mark.parametrize("one", [one for one in acts.CALLS if one.method == "POST"], ids=str)
    def test_is_not_kept_as_an_answer(self, acme: Company, call: Any, broken: Any, one: Call) -> None:
        """A call that names itself, and failed for its line, may be made again."""
        was = state()
        broken()
        headers = {"idempotency-key": "walk"}
        answer = call(one.method, one.address(acme), acme.secrets["organization_key"], one.body(acme), **headers)
        assert says(answer, 500, "AB10")
        assert state() == was

    @pytest.mark.parametrize(
        ("model", "act"),
        [
            *(("organizations.organization", "change"), ("organizations.organization", "suspend")),
            *(("workspaces.workspace", "add"), ("apikeys.apikey", "add"), ("apikeys.apikey", "revoke")),
            *(("memberships.organizationmembership", "change"), ("accounts.user", "deactivate")),
        ],
    )
    def test_at_the_console(self, world: World, desk: Desk, fault: Any, model: str, act: str) -> None:
        desk.browser.raise_request_exception = False
        was = state()
        fault()
        _, answer = at_the_console(desk, world, model, act)
        assert answer.status_code == 500
        assert "disk full" not in answer.content.decode()
        assert state() == was

    def test_is_undone_with_what_is_around_it(self, acme: Company, call: Any) -> None:
        was = state()
        with rolled_back():
            for one in (one for one in acts.CALLS if one.method == "PUT"):
                call(one.method, one.address(acme), acme.secrets["organization_key"], one.body(acme))
            assert state() != was
        assert state() == was


SECRET = re.compile(r"gth[a-z]_[0-9A-Za-z]{38}|whsec_[0-9A-Za-z+/=]{40,}")
MAKES_A_SECRET = {
    *("api_key.issued", "api_key.rotated", "invitation.created", "invitation.resent", "invitation.link_copied"),
    "stream.created",
}
WRONG = "wrong-horse-battery"


@dataclass
class Walked:
    """What was made in the walk, and what was told of it where everybody who looks after things may read."""

    secrets: set[str] = field(default_factory=set)
    told: list[str] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)

    @contextmanager
    def act(self, capture: Any) -> Iterator[Callable[[Any], None]]:
        """Undoes an act when what it made and what it left were looked at."""
        with rolled_back():
            before = latest()
            with capture(execute=True):
                yield self.made
            self.look(before)

    def made(self, answer: Any) -> None:
        """Takes the secrets that an answer shows."""
        self.secrets |= set(SECRET.findall(unescape(answer.content.decode())))

    def look(self, before: int) -> None:
        """Reads all that the log keeps of this."""
        kept = [AuditEvent.objects.filter(pk__gt=before), AuditNames.objects.filter(line__gt=before)]
        self.told += [str(list(rows.values())) for rows in (*kept, AuditWord.objects.all())]


class TestSecrets:
    """What is made and used in the walk opens doors: it stands in no line, no log record and no error."""

    @pytest.fixture
    def records(self) -> Iterator[StringIO]:
        """What the process logs meanwhile, as it is written out."""
        out, root = StringIO(), logging.getLogger()
        handler, level = logging.StreamHandler(out), root.level
        handler.setFormatter(next(each.formatter for each in root.handlers if "Processor" in repr(each.formatter)))
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        yield out
        root.setLevel(level)
        root.removeHandler(handler)

    @pytest.fixture
    def walked(
        self, world: World, call: Any, desk: Desk, records: StringIO, django_capture_on_commit_callbacks: Any
    ) -> Walked:
        """Every act that makes a secret, through every door, and the sign-ins with theirs."""
        acme, walk, capture = world.acme, Walked(), django_capture_on_commit_callbacks
        walk.secrets |= {*acme.secrets.values(), *world.globex.secrets.values(), PASSWORD, WRONG}
        for one in (one for one in acts.CALLS if MAKES_A_SECRET & {*one.leaves}):
            with walk.act(capture) as made:
                made(call(one.method, one.address(acme), acme.secrets["organization_key"], one.body(acme)))
        pages_with = [name for name, act in acts.PAGES.items() if MAKES_A_SECRET & {*act.leaves}]
        for name in (*pages_with, "streams:secret"):
            with walk.act(capture) as made:
                acts.PAGES[name].before(acme)
                made(send(recently(acme.owner), acme, name)[1])
        for model, act in (key for key, verb in acts.CONSOLE.items() if MAKES_A_SECRET & {*verb.leaves}):
            with walk.act(capture) as made:
                made(at_the_console(desk, world, model, act)[1])
        with walk.act(capture):
            _, secret, codes = with_app(acme.member)
            walk.secrets |= {secret, *codes}
        self._fail(world, call, walk, capture)
        return walk

    def _fail(self, world: World, call: Any, walk: Walked, capture: Any) -> None:
        """Calls and pages that are refused, with a secret in each."""
        acme, known = world.acme, world.acme.secrets["workspace_key"]
        poor = new_key(acme.organization, ["organisations.read"])
        walk.secrets |= {poor}
        with walk.act(capture):
            apikeys.disable(acme.workspace_key, by=system())
            browser = Client()
            walk.answers += [
                call("GET", "/v1/whoami", known),
                call("GET", "/v1/whoami", known[:-1] + "0"),
                call("GET", "/v1/whoami", None, authorization=f"Bearer {known}"),
                call("POST", "/v1/leaked-keys", None, {"token": known[:-1] + "0"}),
                call("GET", f"/v1/nothing/{known}", poor),
                call("GET", f"/v1/api-keys/{known}", poor),
                call("GET", f"/v1/admin/workspaces/{known}", poor),
                call("POST", "/v1/api-keys/workspace/service", poor, {"name": "x", "scopes": [known]}),
                browser.get(f"/invitations/{known}/"),
                browser.get(f"/o/{known}/"),
                browser.post("/accounts/login/", {"login": acme.owner.email, "password": WRONG}),
                browser.post("/accounts/password/reset/key/1-set-password/", {"password1": WRONG}),
                recently(acme.member).get(f"/o/{acme.organization.slug}/keys/{known}/"),
            ]
            walk.secrets |= {known[:-1] + "0"}

    def test_are_in_no_line_no_record_no_error_and_no_letter_but_their_own(
        self, walked: Walked, records: StringIO
    ) -> None:
        assert {secret[:5] for secret in walked.secrets} >= {"gtho_", "gthw_", "gthu_", "gthi_", "whsec"}
        assert len(walked.secrets) > 30
        told, logged = "\n".join(walked.told), records.getvalue()
        for event in ("api_key.issued", "invitation.created", "stream.created", "credentials.refused"):
            assert f"'{event}'" in told
        assert "/v1/nothing/" in logged
        assert [secret for secret in walked.secrets if secret in told] == [], "in the audit log"
        assert [secret for secret in walked.secrets if secret in logged] == [], "in the log of the process"
        for answer in walked.answers:
            text = unescape(answer.content.decode())
            assert [secret for secret in walked.secrets if secret in text] == [], answer.request["PATH_INFO"]
        assert mail.outbox
        for letter in mail.outbox:
            other = getattr(letter, "alternatives", "")
            text = unescape(f"{letter.subject} {letter.body} {other}")
            carried = [secret for secret in walked.secrets if secret in text]
            assert carried == [secret for secret in carried if secret.startswith("gthi_")], letter.subject
            assert len(set(carried)) <= 1

    @pytest.mark.parametrize("secret", ["workspace_key", "invitation"])
    def test_in_a_path_where_an_id_belongs_are_masked(self, acme: Company, call: Any, secret: str) -> None:
        """Somebody who takes a key for its id: the refusal is written, and with it the path, for ever."""
        clear, before = acme.secrets[secret], latest()
        poor = new_key(acme.organization, ["organisations.read"])
        assert call("PUT", f"/v1/admin/users/{clear}", poor, {"role": "admin"}).status_code == 403
        walk = Walked()
        walk.look(before)
        assert "/v1/admin/users/" in walk.told[0]
        assert clear not in "".join(walk.told)
