"""One line per address, method and reader. An address without a line fails the build.

`ok` means that the reader gets in, whatever the form then says; `no` is 403, `nil` is 404 and `in` leads to sign-in
(401 in the API). Accounts' own pages are allauth's, and the console has its own tests.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from apps.streams.models import Stream
from tests.world import Company, World

PEOPLE = ("owner", "admin", "manager", "member", "bystander", "stranger", "visitor")
PAGES = """
home                         get   ok ok ok  ok  ok  ok  in
accounts:profile             get   ok ok ok  ok  ok  ok  in
accounts:profile             post  ok ok ok  ok  ok  ok  in
accounts:locale              post  ok ok ok  ok  ok  ok  in
accounts:language            post  ok ok ok  ok  ok  ok  ok
onboarding:mine              get   ok ok ok  ok  ok  ok  in
onboarding:close             get   ok ok ok  ok  ok  ok  in
onboarding:close             post  ok ok ok  ok  ok  ok  in
tenancy:switch               get  ok ok ok  ok  ok  ok  in
tenancy:search               get  ok ok ok  ok  ok  ok  in
tenancy:keyboard             get  ok ok ok  ok  ok  ok  in
tenancy:switch-here          get  ok ok ok  ok  ok  nil in
tenancy:search-here          get  ok ok ok  ok  ok  nil in
tenancy:search-there         get  ok ok ok  ok  nil nil in
tenancy:styleguide           get  nil nil nil nil nil nil nil
onboarding:found             get   ok ok ok  ok  ok  ok  in
onboarding:found             post  ok ok ok  ok  ok  ok  in
onboarding:organization      get   ok ok ok  ok  ok  nil in
onboarding:who               get   ok ok ok  ok  ok  nil in
onboarding:cell              get   ok ok ok  ok  ok  nil in
onboarding:security          get   ok ok no  no  no  nil in
onboarding:danger            get   ok no no  no  no  nil in
onboarding:delete            get   ok no no  no  no  nil in
onboarding:delete            post  ok no no  no  no  nil in
onboarding:workspace         get   ok ok ok  ok  nil nil in
organizations:settings       get   ok ok no  no  no  nil in
organizations:settings       post  ok ok no  no  no  nil in
organizations:roles          get   ok ok ok  ok  ok  nil in
audit:list                   get   ok ok no  no  no  nil in
audit:entry                  get   ok ok no  no  no  nil in
audit:export                 post  ok ok no  no  no  nil in
audit:verify                 post  ok ok no  no  no  nil in
audit:checkpoint             post  ok ok no  no  no  nil in
audit:filters                post  ok ok no  no  no  nil in
audit:filter-delete          post  ok ok no  no  no  nil in
streams:list                 get   ok ok no  no  no  nil in
streams:new                  get   ok ok no  no  no  nil in
streams:new                  post  ok ok no  no  no  nil in
streams:stream               get   ok ok no  no  no  nil in
streams:edit                 get   ok ok no  no  no  nil in
streams:edit                 post  ok ok no  no  no  nil in
streams:pause                post  ok ok no  no  no  nil in
streams:resume               post  ok ok no  no  no  nil in
streams:test                 post  ok ok no  no  no  nil in
streams:again                post  ok ok no  no  no  nil in
streams:secret               get   ok ok no  no  no  nil in
streams:secret               post  ok ok no  no  no  nil in
streams:delete               get   ok ok no  no  no  nil in
streams:delete               post  ok ok no  no  no  nil in
workspaces:list              get   ok ok ok  ok  ok  nil in
workspaces:create            get   ok ok no  no  no  nil in
workspaces:create            post  ok ok no  no  no  nil in
workspaces:settings          get   ok ok ok  no  nil nil in
workspaces:settings          post  ok ok ok  no  nil nil in
workspaces:limits            get   ok ok ok  no  nil nil in
workspaces:limits            post  ok ok ok  no  nil nil in
workspaces:danger            get   ok ok ok  no  nil nil in
workspaces:danger            post  ok ok ok  no  nil nil in
workspaces:archive           get   ok ok no  no  nil nil in
workspaces:archive           post  ok ok no  no  nil nil in
workspaces:restore           get   ok ok nil nil nil nil in
workspaces:restore           post  ok ok nil nil nil nil in
apikeys:list                 get   ok ok ok  ok  ok  nil in
apikeys:create               get   ok ok ok  no  no  nil in
apikeys:create               post  ok ok ok  no  no  nil in
apikeys:draft                post  ok ok ok  no  no  nil in
apikeys:key                  get   ok ok ok  no  nil nil in
apikeys:edit                 get   ok ok ok  no  nil nil in
apikeys:edit                 post  ok ok ok  no  nil nil in
apikeys:together             post  ok ok ok  ok  ok  nil in
apikeys:unused               get   ok ok ok  no  nil nil in
apikeys:unused               post  ok ok ok  no  nil nil in
apikeys:edit-draft           post  ok ok ok  no  nil nil in
apikeys:rotate               get   ok ok ok  no  nil nil in
apikeys:rotate               post  ok ok ok  no  nil nil in
apikeys:end-old              get   ok ok ok  no  nil nil in
apikeys:end-old              post  ok ok ok  no  nil nil in
apikeys:reset                get   ok ok ok  no  nil nil in
apikeys:reset                post  ok ok ok  no  nil nil in
apikeys:disable              get   ok ok ok  no  nil nil in
apikeys:disable              post  ok ok ok  no  nil nil in
apikeys:enable               post  ok ok ok  no  nil nil in
apikeys:revoke               get   ok ok ok  no  nil nil in
apikeys:revoke               post  ok ok ok  no  nil nil in
apikeys:policy               get   ok ok no  no  no  nil in
apikeys:policy               post  ok ok no  no  no  nil in
apikeys:workspace-policy     get   ok ok ok  no  nil nil in
apikeys:workspace-policy     post  ok ok ok  no  nil nil in
apikeys:workspace-list       get   ok ok ok  ok  nil nil in
apikeys:workspace-create     get   ok ok ok  no  nil nil in
apikeys:workspace-create     post  ok ok ok  no  nil nil in
apikeys:workspace-draft      post  ok ok ok  no  nil nil in
memberships:members          get   ok ok ok  ok  ok  nil in
memberships:columns          post  ok ok ok  ok  ok  nil in
memberships:members-together post  ok ok no  no  no  nil in
memberships:member           get   ok ok ok  ok  ok  nil in
memberships:member-add       get   ok ok no  no  no  nil in
memberships:member-add       post  ok ok no  no  no  nil in
memberships:role             get   ok ok no  no  no  nil in
memberships:role             post  ok ok no  no  no  nil in
memberships:suspend          get   ok ok no  no  no  nil in
memberships:suspend          post  ok ok no  no  no  nil in
memberships:reactivate       post  ok ok no  no  no  nil in
memberships:remove           get   ok ok no  no  no  nil in
memberships:remove           post  ok ok no  no  no  nil in
memberships:leave            get   ok ok ok  ok  ok  nil in
memberships:leave            post  ok ok ok  ok  ok  nil in
memberships:invitations      get   ok ok no  no  no  nil in
memberships:invite           get   ok ok no  no  no  nil in
memberships:invite           post  ok ok no  no  no  nil in
memberships:check            get   ok ok no  no  no  nil in
memberships:check            post  ok ok no  no  no  nil in
memberships:together         get   ok ok no  no  no  nil in
memberships:together         post  ok ok no  no  no  nil in
memberships:resend           post  ok ok no  no  no  nil in
memberships:copy             get   ok ok no  no  no  nil in
memberships:copy             post  ok ok no  no  no  nil in
memberships:invitation-role  get   ok ok no  no  no  nil in
memberships:invitation-role  post  ok ok no  no  no  nil in
memberships:cancel           get   ok ok no  no  no  nil in
memberships:cancel           post  ok ok no  no  no  nil in
memberships:team             get   ok ok ok  ok  nil nil in
memberships:team-add         get   ok ok ok  no  nil nil in
memberships:team-add         post  ok ok ok  no  nil nil in
memberships:team-role        get   ok ok ok  no  nil nil in
memberships:team-role        post  ok ok ok  no  nil nil in
memberships:team-remove      get   ok ok ok  no  nil nil in
memberships:team-remove      post  ok ok ok  no  nil nil in
memberships:link             get   ok ok ok  ok  ok  ok  ok
memberships:open             get   nil nil nil nil nil nil nil
memberships:accept           post  nil nil nil nil nil nil in
memberships:decline          post  nil nil nil nil nil nil nil
memberships:sign-out         post  nil nil nil nil nil nil nil
memberships:accept-waiting   post  nil nil nil nil nil nil in
memberships:decline-waiting  post  nil nil nil nil nil nil nil
"""
KEYS = ("organization_key", "workspace_key", "user_key", "neighbour", "none")
API = """
users          get     ok  no  no  ok  in
user           get     ok  no  no  nil in
user           put     ok  no  no  nil in
user           delete  ok  no  no  nil in
invites        get     ok  no  no  ok  in
invites        post    ok  no  no  ok  in
invite         get     ok  no  no  nil in
invite         delete  ok  no  no  nil in
resend         post    ok  no  no  nil in
workspaces     get     ok  ok  ok  ok  in
workspaces     post    ok  no  no  ok  in
workspace      get     ok  ok  ok  nil in
workspace      put     ok  ok  no  nil in
workspace      delete  ok  no  no  nil in
members        get     ok  ok  ok  nil in
members        post    ok  ok  no  nil in
member         get     ok  ok  ok  nil in
member         put     ok  ok  no  nil in
member         delete  ok  ok  no  nil in
keys           get     ok  ok  no  ok  in
new-key        post    ok  ok  no  ok  in
key            get     ok  ok  no  nil in
key            put     ok  ok  no  nil in
key            delete  ok  ok  no  nil in
rotate         post    ok  ok  no  nil in
organisations  get     ok  no  no  ok  in
audit-logs     get     ok  no  no  ok  in
whoami         get     ok  ok  ok  ok  in
can            post    ok  ok  ok  ok  in
leaked-keys    post    ok  ok  ok  ok  ok
schema         get     ok  ok  ok  ok  ok
docs           get     ok  ok  ok  ok  ok
"""


def lines(table: str, readers: tuple[str, ...]) -> Iterator[tuple[str, str, str, str]]:
    for line in table.strip().splitlines():
        name, method, *expected = line.split()
        for reader, verdict in zip(readers, expected, strict=True):
            yield name, method, reader, verdict


def served(resolver: Any, prefix: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every address, as (path, name with its namespace, view)."""
    for pattern in resolver.url_patterns:
        path = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from served(pattern, path)
        elif isinstance(pattern, URLPattern):
            yield path, pattern.name or "", pattern.callback


def methods(view: Any) -> set[str]:
    actions = getattr(view, "actions", None)
    if actions:
        return set(actions) - {"head"}
    cls = getattr(view, "view_class", None) or getattr(view, "cls", None)
    offered = set(getattr(cls, "http_method_names", [])) - {"head", "options", "trace"}
    return {method for method in offered if hasattr(cls, method)}


def pages() -> dict[str, tuple[str, Any]]:
    """Our own pages, as {"app:name": (path, view)}."""
    found = {}
    for path, name, view in served(get_resolver()):
        module = getattr(getattr(view, "view_class", view), "__module__", "")
        if module.startswith("apps.") and not path.startswith(("v1", "v2", "admin/")):
            found[name if name == "home" else f"{module.split('.')[1]}:{name}"] = (path, view)
    return found


def test_every_page_has_a_line() -> None:
    """Add an address, or a method to one, and this fails until it says who gets in."""
    ours = {(name, method) for name, (_, view) in pages().items() for method in methods(view)}
    assert ours == {(name, method) for name, method, *_ in lines(PAGES, PEOPLE)}


def test_every_endpoint_has_a_line() -> None:
    for mount in ("v1/", "v2/"):
        ours = {
            (name, method)
            for path, name, view in served(get_resolver())
            if path.startswith(mount) and name != "unserved"
            for method in methods(view)
        }
        assert ours == {(name, method) for name, method, *_ in lines(API, KEYS)}


def page(name: str, acme: Company) -> str:
    route, _ = pages()[name]
    workspace = acme.other_workspace if name == "workspaces:restore" else acme.workspace
    known = {
        "organization": acme.organization.slug,
        "workspace": workspace.slug,
        "token": acme.secrets["invitation"],
        "pk": _row(name, acme),
        "sequence": 3,
        "role": "workspace-manager",
        "row": "prompts",
    }
    arguments = {key: value for key, value in known.items() if f":{key}>" in route}
    return reverse(name, kwargs=arguments)


def _row(name: str, acme: Company) -> Any:
    if name.startswith("apikeys:"):
        return acme.workspace_key.pk
    if name.startswith("streams:"):
        return streamed(acme).pk
    if "team" in name:
        return acme.placed(acme.workspace_admin).pk
    if name.rpartition(":")[2] in {"member", "member-add", "role", "suspend", "reactivate", "remove"}:
        return acme.membership(acme.workspace_admin).pk
    return acme.invitation.pk


def streamed(acme: Company, **given: Any) -> Stream:
    """A stream of the organization, which leads nowhere."""
    told = {"name": "SIEM", "kind": "webhook", "url": "https://siem.invalid/", "sealed_secret": "x", **given}
    stream: Stream = Stream.objects.create(organization=acme.organization, created_by_kind="system", **told)
    return stream


SAID = {403: "no", 404: "nil", 401: "in"}


def verdict_of(answer: Any) -> str:
    if answer.status_code == 302 and "/accounts/login/" in answer["Location"]:
        return "in"
    assert answer.status_code < 500, answer.content[:500]
    return SAID.get(answer.status_code, "ok")


@pytest.mark.parametrize(("name", "method", "reader", "expected"), list(lines(PAGES, PEOPLE)))
def test_a_page_lets_in_whom_it_says(
    world: World, sign_in: Any, name: str, method: str, reader: str, expected: str
) -> None:
    acme = world.acme
    person = (
        {"stranger": world.stranger, "visitor": None}.get(reader) if reader in {"stranger", "visitor"} else acme[reader]
    )
    browser: Client = sign_in(person)
    assert verdict_of(getattr(browser, method)(page(name, acme))) == expected


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize(("name", "method", "reader", "expected"), list(lines(API, KEYS)))
def test_an_endpoint_lets_in_whom_it_says(
    world: World, call: Any, version: str, name: str, method: str, reader: str, expected: str
) -> None:
    acme = world.acme
    secret = {"neighbour": world.globex.secrets["organization_key"], "none": None}.get(reader, acme.secrets.get(reader))
    known = {
        "user": str(acme.workspace_admin.pk),
        "invite": str(acme.invitation.pk),
        "workspace": acme.workspace.slug,
        "id": str(acme.workspace_key.pk),
        "type": "workspace",
        "sub_type": "service",
    }
    wanted = {
        "user": ["user"],
        "invite": ["invite"],
        "resend": ["invite"],
        "workspace": ["workspace"],
        "members": ["workspace"],
    }
    wanted |= {"member": ["workspace", "user"], "key": ["id"], "rotate": ["id"], "new-key": ["type", "sub_type"]}
    url = reverse(f"{version}:{name}", kwargs={key: known[key] for key in wanted.get(name, [])})
    body = {} if method in {"post", "put", "delete"} else None
    assert verdict_of(call(method.upper(), url, secret, body)) == expected
