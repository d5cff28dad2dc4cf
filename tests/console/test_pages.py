"""Every page of the console, for every kind of reader: who gets in, what it shows, and that looking changes nothing."""

import base64
import re
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import BinaryField, Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_tasks_db.models import DBTaskResult

from apps.access.actors import UserActor
from apps.accounts.models import User
from apps.apikeys.models import ApiKey, Caller, LastUse, Notice, ScopeUse
from apps.audit import checkpoints, refusals
from apps.audit.models import AuditEvent, AuditHead
from apps.core.clock import now
from apps.limits import operations as limits
from apps.memberships.models import Invitation
from apps.organizations.models import OrganizationUserPermission
from apps.replays.models import KeptAnswer
from apps.streams.models import Stream, Undelivered
from apps.workspaces.models import WorkspaceUserPermission
from tests.console.desk import Desk, address, pages, state, verbs
from tests.world import Company, World

PAGES = [pytest.param(model, page, id=model._meta.label_lower) for model, page in pages()]
ADDED_TO = {"organization", "workspace", "workspacemembership", "invitation", "apikey"}
LINK = re.compile(rb'href="(/admin/[^"#]*|\?[^"#]*)"')


@pytest.fixture(autouse=True)
def _a_row_of_each(world: World) -> None:
    """Also of those that a quiet world has none of."""
    UserSession.objects.create(
        user=world.acme.owner, ip="203.0.113.9", session_key="canary-session-key", user_agent="x"
    )
    DBTaskResult.objects.create(
        task_path="apps.memberships.tasks.send_invitation", args_kwargs={"args": [], "kwargs": {}}
    )
    _limited_and_used(world.acme)
    checkpoints.take_all()
    refusals.refused("workspaces.delete", actor=UserActor(world.acme.member), place=world.acme.workspace)
    stream = Stream.objects.create(
        organization=world.acme.organization, kind="syslog", name="Logs", url="syslog+udp://x"
    )
    Undelivered.objects.create(
        organization=world.acme.organization, stream=stream, sequence=1, attempts=12, error="refused"
    )
    for model, place in (
        (OrganizationUserPermission, world.acme.organization),
        (WorkspaceUserPermission, world.acme.workspace),
    ):
        permission = Permission.objects.filter(content_type__model=place._meta.model_name).first()
        model.objects.bulk_create([model(content_object=place, user=world.stranger, permission=permission)])


def _limited_and_used(acme: Company) -> None:
    key, at = acme.workspace_key, now()
    noted = {"organization": acme.organization, "key": key}
    LastUse.objects.create(**noted, at=at, agent="curl/8", route="GET /v1/whoami")
    Caller.objects.create(**noted, first_at=at, at=at, agent="curl/8")
    ScopeUse.objects.create(**noted, scope="prompts.read", at=at)
    Notice.objects.create(**noted, kind=Notice.Kind.ALERT, about=at)
    key.usage_limits = {"type": "tokens", "credit_limit": 100}
    key.rate_limits = [{"type": "requests", "unit": "rpd", "value": 100}]
    limits.admit(key, tokens=1)
    KeptAnswer.objects.create(
        organization=acme.organization,
        actor_id=key.pk,
        key="canary",
        call="POST /v1",
        digest=b"1",
        status=200,
        answer="",
    )


def every_address() -> Iterator[str]:
    """Each list and add page, and each page of the newest row of each kind, verbs included."""
    for model, page in pages():
        yield address("changelist", model)
        yield address("add", model)
        row = model._default_manager.order_by("-pk").first()
        yield from (address(verb, row) for verb in ("change", "history", "delete", *verbs(page)))


@pytest.mark.parametrize(("model", "page"), PAGES)
def test_the_operator_gets_in(desk: Desk, model: type[Model], page: Any) -> None:
    row = model._default_manager.order_by("-pk").first()
    assert row is not None
    assert desk.get("changelist", model).status_code == 200
    assert desk.get("add", model).status_code == (200 if model._meta.model_name in ADDED_TO else 403)
    assert desk.get("change", row).status_code == 200
    assert desk.get("history", row).status_code == (302 if page.history_of(row) else 404)
    assert desk.get("delete", row).status_code == (200 if "delete" in verbs(page) else 403)
    for verb in verbs(page):
        assert desk.get(verb, row).status_code == 200


def test_a_visitor_is_led_to_sign_in(world: World) -> None:
    """AD-01: on the site's own page, with its limits and second factors."""
    visitor = Client()
    for path in every_address():
        answer = visitor.get(path)
        assert answer.status_code == 302
        assert visitor.get(answer.url).url.startswith(reverse("account_login"))


@pytest.mark.parametrize("person", ["owner", "admin", "member"])
def test_people_who_are_not_staff_stay_outside(acme: Company, person: str) -> None:
    desk = Desk(acme[person])
    for path in every_address():
        answer = desk.browser.get(path)
        assert (answer.status_code, answer.url.partition("?")[0]) == (302, reverse("admin:login"))
        assert desk.browser.post(path, {}).status_code == 302
    assert desk.browser.get(reverse("admin:login")).status_code == 403


def test_a_superuser_who_is_deactivated_stays_outside(world: World) -> None:
    desk = Desk(world.operator)
    User.objects.filter(pk=world.operator.pk).update(is_active=False)
    assert desk.browser.get(reverse("admin:index")).status_code == 302


def test_looking_changes_nothing(desk: Desk, acme: Company) -> None:
    """Every GET and HEAD of every address, those of the verbs and their links included."""
    before = state()
    for path in list(every_address()):
        desk.browser.get(path)
        desk.browser.head(path)
    assert state() == before


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_verb_answers_no_other_method(desk: Desk, acme: Company, method: str) -> None:
    before = state()
    for model, page in pages():
        row = model._default_manager.order_by("-pk").first()
        for verb in verbs(page):
            assert getattr(desk.browser, method)(address(verb, row)).status_code == 405
    assert state() == before


def test_a_verb_takes_no_post_from_another_site(world: World) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(world.operator)
    for verb in ("suspend", "delete"):
        assert browser.post(address(verb, world.acme.organization), {"typed_name": "Acme"}).status_code == 403


def test_no_page_shows_a_secret_a_digest_or_a_hash(desk: Desk, acme: Company, globex: Company) -> None:
    """AD-02: everything one can reach from everywhere, against all that must stay unseen."""
    unseen = list(_unseen(acme, globex))
    assert len(unseen) > 100
    reached = set(every_address())
    for path in list(reached):
        reached |= _links_on(desk.browser.get(path), path)
    for path in reached:
        page = desk.browser.get(path).content
        assert [secret for secret in unseen if secret in page] == [], path


@pytest.mark.parametrize(("model", "page"), PAGES)
def test_a_list_asks_the_same_of_the_database_however_long_it_is(
    desk: Desk, model: type[Model], page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    for length in (50, 1, 50):
        monkeypatch.setattr(page, "list_per_page", length)
        with CaptureQueriesContext(connection) as queries:
            desk.get("changelist", model)
        asked.append(len(queries))
    # The first look also notes where the person is signed in. Then: session, person, count, rows.
    assert asked[1:] == [4, 4]


@pytest.mark.parametrize(("model", "page"), PAGES)
def test_a_list_finds_rows(desk: Desk, model: type[Model], page: Any) -> None:
    assert desk.get("changelist", model, q="acme").status_code == 200
    for name in page.list_filter:
        asked = getattr(name, "parameter_name", f"{name}__exact")
        assert desk.get("changelist", model, **{asked: "active"}).status_code in (200, 302)


def test_a_row_is_found_by_its_id(desk: Desk, acme: Company) -> None:
    found = desk.get("changelist", ApiKey, q=str(acme.user_key.pk)).context["cl"].result_list
    assert list(found) == [acme.user_key]


def test_a_role_group_says_what_it_holds(desk: Desk, acme: Company) -> None:
    group = acme.workspace.role_groups.get(role="member")
    page = desk.get("change", group).content.decode()
    assert "configs: create, list, read" in page
    assert "configs: create, delete" not in page


def test_a_page_that_ends_something_says_what_else_ends(desk: Desk, acme: Company) -> None:
    said = desk.get("delete", acme.organization).context["says"]
    assert "3 workspaces, 8 memberships and 3 keys" in said
    assert "1 personal key" in desk.get("remove", acme.membership(acme.member)).context["says"]


def test_names_are_never_markup(desk: Desk, acme: Company) -> None:
    desk.change(acme.workspace, name="<script>alert(1)</script>")
    for page in (
        desk.get("changelist", type(acme.workspace)),
        desk.get("change", acme.workspace),
        desk.get("archive", acme.workspace),
        desk.get("changelist", ApiKey, workspace=acme.workspace.pk),
        desk.browser.get(reverse("admin:index")),
    ):
        assert b"<script>alert" not in page.content


def _links_on(page: Any, path: str) -> set[str]:
    found = {link.decode().replace("&amp;", "&") for link in LINK.findall(page.content)}
    found = {f"{path.partition('?')[0]}{link}" if link.startswith("?") else link for link in found}
    return {link for link in found if "logout" not in link and "/change/" not in link}


def _unseen(*companies: Company) -> Iterator[bytes]:
    for company in companies:
        yield from (secret.encode() for secret in company.secrets.values())
    for model in (ApiKey, Invitation, AuditEvent, AuditHead):
        for column in (f.name for f in model._meta.fields if isinstance(f, BinaryField)):
            for value in model._default_manager.values_list(column, flat=True):
                if value:
                    yield bytes(value).hex().encode()
                    yield base64.b64encode(bytes(value))
                    yield base64.urlsafe_b64encode(bytes(value))
    yield from (password.encode() for password in User.objects.values_list("password", flat=True))
    yield from (key.encode() for key in Session.objects.values_list("session_key", flat=True))
    yield b"canary-session-key"
