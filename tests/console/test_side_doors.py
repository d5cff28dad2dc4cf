"""What the console has no door for: every way round the operations that Django or another package would open."""

import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.core.exceptions import ImproperlyConfigured
from django.db.models import BinaryField, Model
from django.test import RequestFactory
from django.urls import reverse

from apps.access.actors import UserActor
from apps.accounts.models import User
from apps.apikeys.models import ApiKey
from apps.audit.models import AuditEvent, AuditWord
from apps.core.search import Word
from apps.organizations.models import Organization
from apps.tenancy.admin import ReadOnlyAdmin, TenantModelAdmin
from tests.console.desk import Desk, address, latest, lines, pages, state
from tests.world import Company, World

PAGES = [pytest.param(model, page, id=model._meta.label_lower) for model, page in pages()]
OURS = [model for config in apps.get_app_configs() if config.name.startswith("apps.") for model in config.get_models()]
SECRET_COLUMNS = {"password", "session_key", "data", "session_data", "key"}


def test_every_model_of_ours_has_a_page() -> None:
    """Words follow the names of rows that have pages, and are nobody's to look after."""
    ours = [model for model in OURS if not issubclass(model, Word | AuditWord)]
    assert [model._meta.label for model in ours if model not in admin.site._registry] == []


def test_every_page_is_ours() -> None:
    assert [model._meta.label for model, page in pages() if not isinstance(page, ReadOnlyAdmin)] == []


def test_groups_have_no_page() -> None:
    """ES-11: role groups follow the matrix, and nobody edits one by hand."""
    assert Group not in admin.site._registry


def test_a_page_that_another_package_brings_is_not_taken() -> None:
    admin.site.register(Group, admin.ModelAdmin)
    admin.site.register(Group)
    assert not admin.site.is_registered(Group)


@pytest.mark.parametrize("base", [ReadOnlyAdmin, TenantModelAdmin])
@pytest.mark.parametrize("act", ["add", "change", "delete", "delete many"])
def test_a_page_that_names_no_operation_cannot_write(base: type[ReadOnlyAdmin], act: str, world: World) -> None:
    """Breakage: give the base class Django's own save_model."""

    class Plain(base):  # type: ignore[misc,valid-type]
        fields = ("name",)

    page, request = Plain(Organization, admin.site), _request_of(world)
    form = type("Sent", (), {"changed_data": [], "cleaned_data": {"version": 1}})()
    with pytest.raises(ImproperlyConfigured, match="through an operation"):
        if act == "delete":
            page.delete_model(request, world.acme.organization)
        elif act == "delete many":
            page.delete_queryset(request, Organization.objects.all())
        else:
            page.save_model(request, world.acme.organization, form, act == "change")


def test_a_page_names_what_it_shows() -> None:
    class Silent(ReadOnlyAdmin):
        pass

    with pytest.raises(ImproperlyConfigured, match="name the fields"):
        Silent(Organization, admin.site)


@pytest.mark.parametrize(("model", "page"), PAGES)
def test_no_page_names_a_column_that_holds_a_secret(model: type[Model], page: Any) -> None:
    fields = page.fields or [name for _, options in page.fieldsets for name in options["fields"]]
    named = {*fields, *page.list_display, *page.list_filter, *page.narrowed_by, *page.search_fields}
    plain = [field for field in model._meta.fields if not field.is_relation]
    secret = {f.name for f in plain if isinstance(f, BinaryField) or f.name in SECRET_COLUMNS}
    assert {str(name).partition("__")[0] for name in named} & secret == set()


@pytest.mark.parametrize(("model", "page"), PAGES)
def test_no_page_deletes_in_bulk(desk: Desk, model: type[Model], page: Any) -> None:
    assert (page.actions, page.get_actions(_request_of_desk(desk))) == (None, {})
    before = state()
    keys = list(model._default_manager.values_list("pk", flat=True)[:3])
    sent = {"action": "delete_selected", "_selected_action": keys, "post": "yes", "index": "0", "select_across": "1"}
    assert desk.browser.post(address("changelist", model), sent).status_code < 500
    assert state() == before


@pytest.mark.parametrize(("model", "page"), PAGES)
def test_django_deletes_nothing(desk: Desk, model: type[Model], page: Any) -> None:
    """A row that can be deleted has a verb in place of Django's own page; the rest refuse."""
    row = model._default_manager.first()
    if row is None or "delete" in page.actions_detail:
        return
    before, last = state(without="audit"), latest()
    assert desk.browser.post(address("delete", row), {"post": "yes"}).status_code == 403
    assert state(without="audit") == before
    assert [line.event for line in lines(last)] == ["access.refused"]


@pytest.mark.parametrize("lookup", ["digest", "digest__startswith", "digest__gt", "organization__slug__startswith"])
def test_a_digest_cannot_be_guessed_through_a_filter(desk: Desk, lookup: str) -> None:
    assert desk.get("changelist", ApiKey, **{lookup: "a"}).status_code == 400


@pytest.mark.parametrize("lookup", ["password__startswith", "password", "emailaddress__email", "groups__name"])
def test_a_password_cannot_be_guessed_through_a_filter(desk: Desk, lookup: str) -> None:
    assert desk.get("changelist", User, **{lookup: "md5"}).status_code == 400


def test_the_audit_log_has_no_door_at_all(desk: Desk, acme: Company) -> None:
    """AD-06: not even for the operator."""
    line = AuditEvent.objects.first()
    for page in ("change", "delete"):
        assert desk.browser.post(address(page, line), {"post": "yes", "event": "forged"}).status_code == 403
    assert desk.add(AuditEvent, event="forged").status_code == 403
    assert not AuditEvent.objects.filter(event="forged").exists()


def test_the_console_keeps_no_history_of_its_own(desk: Desk, acme: Company) -> None:
    desk.change(acme.organization, name="Renamed")
    desk.act("suspend", acme.organization)
    assert not LogEntry.objects.exists()


def test_the_history_of_a_row_is_the_log(desk: Desk, acme: Company) -> None:
    desk.change(acme.workspace, name="Renamed")
    answer = desk.browser.get(address("history", acme.workspace), follow=True)
    listed = [line.event for line in answer.context["cl"].result_list]
    assert listed == ["workspace.updated", "workspace.created"]


def test_the_theme_s_search_is_not_served(desk: Desk) -> None:
    assert desk.browser.get(reverse("admin:search"), {"s": "acme", "page": "x"}).status_code == 404


def test_passwords_are_changed_on_the_site_s_own_page(desk: Desk) -> None:
    assert desk.browser.get(reverse("admin:password_change")).url == reverse("account_change_password")


def test_a_superuser_is_nobody_special_in_an_organization(world: World) -> None:
    """P16: only /admin/ makes an operator."""
    root = UserActor(world.operator)
    assert not root.belongs_to(world.acme.organization)
    assert not root.belongs_to(world.acme.workspace)
    assert root.actions_in(world.acme.organization) == frozenset()


def test_a_superuser_is_nobody_special_on_pages(desk: Desk, acme: Company) -> None:
    members = f"/o/{acme.organization.slug}/members/"
    assert Desk(acme.owner).browser.get(members).status_code == 200
    assert desk.browser.get(members).status_code == 404


def test_nothing_of_the_console_comes_from_another_host(desk: Desk, acme: Company) -> None:
    for page in (desk.browser.get(reverse("admin:index")), desk.get("change", acme.organization)):
        assert "default-src 'none'" in page["Content-Security-Policy"]
        assert re.findall(rb"(?:src|href|action)=[\"'](?:https?:)?//", page.content) == []


def test_what_goes_wrong_at_the_console_carries_its_policy_too(desk: Desk, acme: Company) -> None:
    policy = desk.browser.get(reverse("admin:index"))["Content-Security-Policy"]
    assert desk.browser.get("/accounts/login/")["Content-Security-Policy"] != policy
    for browser, path, status in (
        (desk.browser, "/admin/nope/", 404),
        (desk.browser, address("add", User), 403),
        (desk.browser, f"{address('changelist', ApiKey)}?q=%00", 400),
        (Desk(acme.member).browser, reverse("admin:login"), 403),
        (Desk(None).browser, reverse("admin:index"), 302),
    ):
        answer = browser.get(path)
        assert (answer.status_code, answer["Content-Security-Policy"]) == (status, policy)


@pytest.mark.parametrize("query", [{"q": "\0"}, {"status__exact": "\0"}, {"\0": "1"}, {"organization": "\0"}])
def test_nul_in_an_address_is_a_bad_request(desk: Desk, query: dict[str, str]) -> None:
    assert desk.get("changelist", ApiKey, **query).status_code in (200, 302, 400)


@pytest.mark.parametrize(
    "query",
    [
        {"organization": "nonsense"},
        {"status__exact": "nonsense"},
        {"q": "x " * 5000},
        {"q": '"'},
        {"p": "99999999999999999999"},
        {"p": "x"},
        {"o": "9.9.-x"},
        {"all": ""},
        {"_to_field": "digest"},
        {"_popup": "1"},
        {"nonsense": "1"},
    ],
)
def test_nonsense_in_an_address_is_never_an_error_of_ours(desk: Desk, query: dict[str, str]) -> None:
    for model, _ in pages():
        assert desk.get("changelist", model, **query).status_code in (200, 302, 400)


@pytest.mark.parametrize("given", ["nonsense", "", "-1", "9" * 30, str(2**62), "01a2" * 8])
def test_a_list_narrowed_to_nonsense_is_empty_or_refused(desk: Desk, given: str) -> None:
    for model, page in pages():
        for name in page.narrowed_by:
            answer = desk.get("changelist", model, **{name: given})
            assert answer.status_code in (302, 400) or not answer.context["cl"].result_list


@pytest.mark.parametrize("given", ["nonsense", "", "1", "99999999999999999999999", "a/b", "\u2028", "_5F"])
def test_nonsense_for_an_id_is_not_found(desk: Desk, given: str) -> None:
    for model, page in pages():
        for verb in ("change", "history", *page.actions_detail):
            path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{verb}", args=["HERE"])
            assert desk.browser.get(path.replace("HERE", given or "%20")).status_code in (404, 200, 302)


def test_nonsense_in_a_form_is_said_on_the_form(desk: Desk, acme: Company) -> None:
    before = latest()
    for model, page in pages():
        for field in page.add_fields if isinstance(page, TenantModelAdmin) else ():
            for nonsense in ("x" * 3000, "nonsense", "\0", "\u2028\r\n"):
                assert desk.add(model, **{field: nonsense}).status_code == 200
                assert desk.get("add", model, **{field: nonsense.replace("\0", "")[:99]}).status_code == 200
    assert lines(before) == []


def _request_of(world: World) -> Any:
    return _request(world.operator)


def _request_of_desk(desk: Desk) -> Any:
    return _request(desk.person)


def _request(person: Any) -> Any:
    request: Any = RequestFactory().get("/admin/")
    request.user, request.origin = person, UserActor(person).origin
    return request
