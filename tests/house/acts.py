"""How each act is made once, through each door: the tables that `test_acts` walks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.test import Client
from django.urls import reverse

from apps.access.actors import UserActor
from apps.apikeys import operations as apikeys
from apps.apikeys import rotation
from apps.apikeys.models import ScopeUse
from apps.memberships import operations as memberships
from apps.streams import operations as streams
from apps.streams.models import Stream, Undelivered
from apps.workspaces import operations as workspaces
from tests.api.endpoints import FAMILIES
from tests.factories import UserFactory
from tests.house.test_surface import page
from tests.world import Company, World

Given = dict[str, Any]


def nothing(acme: Company) -> Given:
    return {}


@dataclass(frozen=True)
class Act:
    """One act: the lines it leaves, who does it, what they fill in, and what must be there first.

    What else a form sends, the page with the form says. More lines than one, or none, take a reason.
    """

    leaves: tuple[str, ...]
    given: Callable[[Company], Given] = nothing
    before: Callable[[Company], Any] = nothing
    by: str = "owner"
    form_on: Callable[[Company], str] | None = None  # the page with the form, where it is not on its own
    at: Callable[[Company], str] | None = None  # the address, where the table of addresses knows another row
    is_bulk: bool = False  # the boxes of a list, ticked, and a question before anything happens
    asks_first: bool = False  # what is sent is shown again with what it would do, and sent once more
    why: str = ""


class Forms(HTMLParser):
    """The forms of a page that are sent by POST, as {path: {field: what a browser sends}}."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page, self.forms = page, dict[str, Given]()
        self._form: Given | None = None
        self._select, self._area = "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name, form = given.get("name", ""), self._form
        if tag == "form":
            to = urlsplit(urljoin(self.page, given.get("action", ""))).path
            self._form = self.forms.setdefault(to, {}) if given.get("method", "").lower() == "post" else None
        elif form is None or "disabled" in given:
            return
        elif tag == "input" and name and given.get("type") not in {"submit", "button", "file"}:
            if given.get("type") not in {"checkbox", "radio"} or "checked" in given:
                usual = "on" if given.get("type") in {"checkbox", "radio"} else ""
                form.setdefault(name, []).append(given.get("value", usual))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in given or self._select not in form):
            form[self._select] = [given.get("value", "")]
        elif tag == "textarea":
            self._area = name
            form[name] = [""]

    def handle_data(self, data: str) -> None:
        if self._form is not None and self._area:
            self._form[self._area] = [self._form[self._area][0] + data.removeprefix("\n")]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        self._select = "" if tag == "select" else self._select
        self._area = "" if tag == "textarea" else self._area


def form_of(browser: Client, shown: str, to: str) -> Given:
    """What the form on one page sends to an address by itself."""
    answer = browser.get(shown)
    assert answer.status_code == 200, (shown, answer.status_code)
    return form_in(answer, urlsplit(shown).path, to)


def form_in(answer: Any, shown: str, to: str) -> Given:
    found = Forms(shown)
    found.feed(answer.content.decode())
    return found.forms.get(to, {})


def there(name: str) -> Callable[[Company], str]:
    """The address of a page."""
    return lambda acme: page(name, acme)


def asking(name: str, query: str) -> Callable[[Company], str]:
    """The address of a page with something chosen on it."""
    return lambda acme: f"{page(name, acme)}?{query}"


def _owner(acme: Company) -> UserActor:
    return UserActor(acme.owner)


def _suspend(acme: Company) -> None:
    memberships.suspend(acme.membership(acme.workspace_admin), by=_owner(acme))


def _used(acme: Company) -> None:
    key = acme.workspace_key
    ScopeUse.objects.create(key=key, organization=acme.organization, scope=key.scopes[0], at=key.created_at)


def _invited(acme: Company) -> None:
    """Somebody with the address of the invitation."""
    UserFactory(email=acme.invitation.email)


def _named(name: str) -> Callable[[Company], Given]:
    return lambda acme: {"name": name}


def _row(acme: Company, person: str) -> str:
    return str(acme.membership(acme[person]).pk)


RECEIVER = "https://siem.example.com/events"


def _stream(acme: Company) -> Stream:
    return streams.create(acme.organization, name="Old", url=RECEIVER, by=_owner(acme)).stream


def _paused_stream(acme: Company) -> None:
    streams.pause(_stream(acme), by=_owner(acme))


def _undelivered(acme: Company) -> None:
    Undelivered.objects.create(organization=acme.organization, stream=_stream(acme), sequence=1, attempts=9)


def _of_stream(name: str) -> Callable[[Company], str]:
    return lambda acme: reverse(f"streams:{name}", args=[acme.organization.slug, acme.organization.streams.get().pk])


MEMBER_WITH_KEY = "the person's key ends with the place, each with a line of its own"
PAGES: Mapping[str, Act] = {
    "accounts:profile": Act(("account.renamed",), lambda acme: {"first_name": "Ana"}),
    "accounts:locale": Act(
        ("account.locale_changed",),
        lambda acme: {"language": "de"},
        form_on=there("accounts:profile"),
    ),
    "onboarding:close": Act(
        ("api_key.revoked", "membership.left", "account.closed", "account.signed_out"),
        lambda acme: {"typed": acme.member.email},
        by="member",
        why="the organization's log tells who left, the installation's of the account and its last session",
    ),
    "onboarding:found": Act(
        ("organization.founded", "membership.created", "workspace.created", "api_key.issued"),
        _named("Initech"),
        why="an organization begins with its owner, its first workspace and, unless one does without, its first key",
    ),
    "onboarding:delete": Act(("organization.deleted",), lambda acme: {"typed": acme.organization.name}),
    "organizations:settings": Act(("organization.updated",), _named("Other")),
    "workspaces:create": Act(("workspace.created",), _named("Lab")),
    "workspaces:settings": Act(("workspace.updated",), _named("Find")),
    "workspaces:limits": Act(("workspace.updated",), lambda acme: {"cost_limit": "5"}),
    "workspaces:danger": Act(("workspace.updated",), lambda acme: {"delete_protected": "on"}),
    "workspaces:archive": Act(("workspace.archived",), lambda acme: {"typed": acme.workspace.name}),
    "workspaces:restore": Act(
        ("workspace.restored",), before=lambda acme: workspaces.archive(acme.other_workspace, by=_owner(acme))
    ),
    "apikeys:create": Act(("api_key.issued",), _named("New")),
    "apikeys:workspace-create": Act(("api_key.issued",), _named("New")),
    "apikeys:edit": Act(("api_key.updated",), _named("Other")),
    "apikeys:together": Act(
        ("api_key.disabled", "api_key.disabled"),
        lambda acme: {
            "act": "disable",
            "chosen": [str(acme.workspace_key.pk), str(acme.user_key.pk)],
        },
        is_bulk=True,
        why="one line for each key",
    ),
    "apikeys:unused": Act(("api_key.updated",), before=_used),
    "apikeys:rotate": Act(("api_key.rotated",)),
    "apikeys:end-old": Act(
        ("api_key.transition_ended",), before=lambda acme: rotation.rotate(acme.workspace_key, by=_owner(acme))
    ),
    "apikeys:reset": Act(("api_key.usage_reset",)),
    "apikeys:disable": Act(("api_key.disabled",)),
    "apikeys:enable": Act(
        ("api_key.enabled",),
        before=lambda acme: apikeys.disable(acme.workspace_key, by=_owner(acme)),
        form_on=there("apikeys:key"),
    ),
    "apikeys:revoke": Act(("api_key.revoked",), lambda acme: {"typed": acme.workspace_key.name}),
    "apikeys:policy": Act(("key_policy.changed",), lambda acme: {"max_days": "365"}, asks_first=True),
    "apikeys:workspace-policy": Act(("key_policy.changed",), lambda acme: {"max_days": "365"}, asks_first=True),
    "memberships:members-together": Act(
        ("membership.suspended", "membership.suspended"),
        lambda acme: {"act": "suspend", "chosen": [_row(acme, "member"), _row(acme, "manager")]},
        is_bulk=True,
        why="one line for each member",
    ),
    "memberships:member-add": Act(
        ("workspace_membership.created",), lambda acme: {"workspace": acme.other_workspace.slug}
    ),
    "memberships:role": Act(("membership.role_changed",), form_on=asking("memberships:role", "role=admin")),
    "memberships:suspend": Act(("membership.suspended",)),
    "memberships:reactivate": Act(("membership.reactivated",), before=_suspend, form_on=there("memberships:member")),
    "memberships:remove": Act(("membership.removed",), lambda acme: {"typed": acme.workspace_admin.email}),
    "memberships:leave": Act(
        ("api_key.revoked", "membership.left"),
        by="member",
        why=MEMBER_WITH_KEY,
    ),
    "memberships:invite": Act(("invitation.created",), lambda acme: {"emails": "new@elsewhere.example"}),
    "memberships:together": Act(
        ("invitation.cancelled",), lambda acme: {"act": "cancel", "chosen": [str(acme.invitation.pk)]}, is_bulk=True
    ),
    "memberships:resend": Act(("invitation.resent",), form_on=there("memberships:invitations")),
    "memberships:copy": Act(("invitation.link_copied",)),
    "memberships:invitation-role": Act(("invitation.role_changed",), lambda acme: {"role": "admin"}),
    "memberships:cancel": Act(("invitation.cancelled",)),
    "memberships:team-add": Act(("workspace_membership.created",), lambda acme: {"people": [_row(acme, "bystander")]}),
    "memberships:team-role": Act(
        ("workspace_membership.role_changed",), form_on=asking("memberships:team-role", "role=member")
    ),
    "memberships:team-remove": Act(("workspace_membership.removed",)),
    "memberships:accept": Act(
        ("invitation.accepted", "membership.created", "workspace_membership.created"),
        before=_invited,
        by="invited",
        why="the answer, the membership, and the place on the team that was promised",
    ),
    "memberships:decline": Act(("invitation.declined",), before=_invited, by="invited"),
    "memberships:accept-waiting": Act(
        ("invitation.accepted", "membership.created", "workspace_membership.created"),
        before=_invited,
        by="invited",
        why="the answer, the membership, and the place on the team that was promised",
    ),
    "memberships:decline-waiting": Act(("invitation.declined",), before=_invited, by="invited"),
    "audit:export": Act(("audit_log.exported",), lambda acme: {"format": "csv"}),
    "audit:verify": Act(("audit_log.verified",)),
    "audit:checkpoint": Act(("audit_log.checkpoint_taken",)),
    "streams:new": Act(("stream.created",), lambda acme: {"name": "SIEM", "url": RECEIVER}),
    "streams:edit": Act(("stream.updated",), _named("Other"), before=_stream, at=_of_stream("edit")),
    "streams:pause": Act(("stream.paused",), before=_stream, at=_of_stream("pause"), form_on=_of_stream("stream")),
    "streams:resume": Act(
        ("stream.resumed",), before=_paused_stream, at=_of_stream("resume"), form_on=_of_stream("stream")
    ),
    "streams:test": Act(("stream.tested",), before=_stream, at=_of_stream("test"), form_on=_of_stream("stream")),
    "streams:again": Act(("stream.resent",), before=_undelivered, at=_of_stream("again"), form_on=_of_stream("stream")),
    "streams:secret": Act(("stream.updated",), before=_stream, at=_of_stream("secret")),
    "streams:delete": Act(("stream.deleted",), before=_stream, at=_of_stream("delete")),
}
# Addresses that take a POST and do nothing that anybody would have to answer for, each with the reason.
NO_ACTS: Mapping[str, str] = {
    "accounts:language": "the language of the pages in this browser, in a cookie",
    "apikeys:draft": "what a form would mean, shown while it is filled in",
    "apikeys:edit-draft": "what a form would mean, shown while it is filled in",
    "apikeys:workspace-draft": "what a form would mean, shown while it is filled in",
    "memberships:check": "what would become of the addresses, shown before they are invited",
    "memberships:columns": "which columns this reader sees",
    "memberships:sign-out": "a sign-out, of which the tests of signing in and out tell",
    "audit:filters": "a search that this reader keeps",
    "audit:filter-delete": "a search that this reader keeps no more",
}


@dataclass(frozen=True)
class Call:
    """One call: its address by the name and arguments of the route, what it sends, and the lines it leaves."""

    name: str
    method: str
    leaves: tuple[str, ...]
    args: Callable[[Company], Given] = nothing
    body: Callable[[Company], Any] = nothing
    why: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.name} {self.leaves[-1]}"

    def address(self, acme: Company, version: str = "v1") -> str:
        return reverse(f"{version}:{self.name}", kwargs=self.args(acme))


def _user(acme: Company) -> Given:
    return {"user": str(acme.member.pk)}


def _invite(acme: Company) -> Given:
    return {"invite": str(acme.invitation.pk)}


def _workspace(acme: Company) -> Given:
    return {"workspace": acme.workspace.slug}


def _placed(acme: Company) -> Given:
    return _workspace(acme) | _user(acme)


def _calls_on_keys() -> Iterator[Call]:
    kinds = {"organization_key": ("organisation", "service"), "workspace_key": ("workspace", "service")}
    for name, (place, kind) in {**kinds, "user_key": ("workspace", "user")}.items():
        one = partial(_key, name)
        new = partial(_new_key, name)
        yield Call("new-key", "POST", ("api_key.issued",), partial(_kind, place, kind), new)
        yield Call("key", "PUT", ("api_key.updated",), one, _named("Other"))
        yield Call("key", "DELETE", ("api_key.revoked",), one)
        yield Call("rotate", "POST", ("api_key.rotated",), one)


def _kind(place: str, kind: str, acme: Company) -> Given:
    return {"type": place, "sub_type": kind}


def _key(name: str, acme: Company) -> Given:
    return {"id": str(getattr(acme, name).pk)}


def _new_key(name: str, acme: Company) -> Given:
    body: Given = {"name": "New", "scopes": [f"{FAMILIES[name]}.create"]}
    body |= {"scopes": ["completions.write"], "workspace_id": acme.workspace.slug} if "org" not in name else {}
    return body | ({"user_id": str(acme.member.pk)} if name == "user_key" else {})


KEYS_END = "the person's key ends with the place, with a line of its own"
CALLS: Sequence[Call] = (
    Call("user", "PUT", ("membership.role_changed",), _user, lambda acme: {"role": "admin"}),
    Call("user", "DELETE", ("api_key.revoked", "membership.removed"), _user, why=KEYS_END),
    Call(
        "invites",
        "POST",
        ("invitation.created",),
        body=lambda acme: {"email": "new@elsewhere.example", "role": "member"},
    ),
    Call("invite", "DELETE", ("invitation.cancelled",), _invite),
    Call(
        "resend",
        "POST",
        ("invitation.resent", "invitation.link_copied"),
        _invite,
        why="the letter goes again, and the answer hands out a link beside it",
    ),
    Call("workspaces", "POST", ("workspace.created",), body=_named("Another")),
    Call(
        "workspaces",
        "POST",
        ("workspace.created", "workspace_membership.created"),
        body=lambda acme: {"name": "Another", "users": [str(acme.member.pk)]},
        why="one line for each who joins at once",
    ),
    Call("workspace", "PUT", ("workspace.updated",), _workspace, _named("Find")),
    Call("workspace", "DELETE", ("workspace.archived",), _workspace, lambda acme: {"force_delete": True}),
    Call(
        "members",
        "POST",
        ("workspace_membership.created",),
        _workspace,
        lambda acme: {"user_id": str(acme.bystander.pk), "role": "member"},
    ),
    Call("member", "PUT", ("workspace_membership.role_changed",), _placed, lambda acme: {"role": "manager"}),
    Call("member", "DELETE", ("api_key.revoked", "workspace_membership.removed"), _placed, why=KEYS_END),
    *_calls_on_keys(),
)
# Calls that write and are no acts of a key, each with the reason.
NO_CALLS: Mapping[tuple[str, str], str] = {
    ("can", "POST"): "a question, which changes nothing",
    ("leaked-keys", "POST"): "a report by anybody, with a test of its own",
}


@dataclass(frozen=True)
class Verb:
    """One act at the console, on the row of a model: what is filled in, what is there first, the lines it leaves."""

    row: Callable[[Any], Any]
    leaves: tuple[str, ...]
    given: Callable[[Company], Given] = nothing
    before: Callable[[Any], Any] = nothing
    why: str = ""


def _archived(world: World) -> None:
    workspaces.archive(world.acme.workspace, by=_owner(world.acme))


def _deactivated(world: World) -> None:
    world.acme.member.is_active = False
    world.acme.member.save(update_fields=["is_active"])


def _organization(world: World) -> Any:
    return world.acme.organization


def _suspended(world: World) -> None:
    organization = world.acme.organization
    organization.status = "suspended"
    organization.save(update_fields=["status"])


def _the_workspace(world: World) -> Any:
    return world.acme.workspace


def _membership(world: World) -> Any:
    return world.acme.membership(world.acme.member)


def _seat(world: World) -> Any:
    return world.acme.placed(world.acme.member)


def _invitation(world: World) -> Any:
    return world.acme.invitation


def _the_key(world: World) -> Any:
    return world.acme.workspace_key


def _member(world: World) -> Any:
    return world.acme.member


CONSOLE: Mapping[tuple[str, str], Verb] = {
    ("organizations.organization", "add"): Verb(
        _organization,
        ("organization.founded", "membership.created", "workspace.created"),
        lambda acme: {"name": "Initech", "founder": acme.bystander.email, "lifetime": "90"},
        why="an organization begins with its owner and its first workspace",
    ),
    ("organizations.organization", "change"): Verb(_organization, ("organization.updated",), _named("Other")),
    ("organizations.organization", "suspend"): Verb(_organization, ("organization.suspended",)),
    ("organizations.organization", "resume"): Verb(_organization, ("organization.resumed",), before=_suspended),
    ("organizations.organization", "delete"): Verb(
        _organization, ("organization.deleted",), lambda acme: {"typed_name": acme.organization.name}
    ),
    ("workspaces.workspace", "add"): Verb(
        _the_workspace,
        ("workspace.created",),
        lambda acme: {"organization": acme.organization.pk, "name": "Lab", "kind": "secrets"},
    ),
    ("workspaces.workspace", "change"): Verb(_the_workspace, ("workspace.updated",), _named("Find")),
    ("workspaces.workspace", "archive"): Verb(_the_workspace, ("workspace.archived",)),
    ("workspaces.workspace", "restore"): Verb(_the_workspace, ("workspace.restored",), before=_archived),
    ("workspaces.workspace", "delete"): Verb(_the_workspace, ("workspace.deleted",), before=_archived),
    ("memberships.organizationmembership", "change"): Verb(
        _membership, ("membership.role_changed",), lambda acme: {"role": "admin"}
    ),
    ("memberships.organizationmembership", "suspend"): Verb(_membership, ("membership.suspended",)),
    ("memberships.organizationmembership", "reactivate"): Verb(
        lambda world: world.acme.membership(world.acme.suspended), ("membership.reactivated",)
    ),
    ("memberships.organizationmembership", "remove"): Verb(
        _membership, ("api_key.revoked", "membership.removed"), why=KEYS_END
    ),
    ("memberships.workspacemembership", "add"): Verb(
        _seat,
        ("workspace_membership.created",),
        lambda acme: {"workspace": acme.workspace.pk, "member": acme.bystander.email, "role": "member"},
    ),
    ("memberships.workspacemembership", "change"): Verb(
        _seat, ("workspace_membership.role_changed",), lambda acme: {"role": "admin"}
    ),
    ("memberships.workspacemembership", "remove"): Verb(
        _seat, ("api_key.revoked", "workspace_membership.removed"), why=KEYS_END
    ),
    ("memberships.invitation", "add"): Verb(
        _invitation,
        ("invitation.created",),
        lambda acme: {
            "organization": acme.organization.pk,
            "email": "new@elsewhere.example",
            "role": "member",
            "workspace_role": "member",
        },
    ),
    ("memberships.invitation", "resend"): Verb(_invitation, ("invitation.resent",)),
    ("memberships.invitation", "copy_link"): Verb(_invitation, ("invitation.link_copied",)),
    ("memberships.invitation", "cancel"): Verb(_invitation, ("invitation.cancelled",)),
    ("apikeys.apikey", "add"): Verb(
        _the_key,
        ("api_key.issued",),
        lambda acme: {"workspace": acme.workspace.pk, "name": "New", "scopes": ["completions.write"]},
    ),
    ("apikeys.apikey", "change"): Verb(_the_key, ("api_key.updated",), _named("Other")),
    ("apikeys.apikey", "rotate"): Verb(_the_key, ("api_key.rotated",)),
    ("apikeys.apikey", "end_old_secret"): Verb(
        _the_key,
        ("api_key.transition_ended",),
        before=lambda world: rotation.rotate(world.acme.workspace_key, by=_owner(world.acme)),
    ),
    ("apikeys.apikey", "disable"): Verb(_the_key, ("api_key.disabled",)),
    ("apikeys.apikey", "enable"): Verb(
        _the_key,
        ("api_key.enabled",),
        before=lambda world: apikeys.disable(world.acme.workspace_key, by=_owner(world.acme)),
    ),
    ("apikeys.apikey", "revoke"): Verb(_the_key, ("api_key.revoked",)),
    ("accounts.user", "deactivate"): Verb(_member, ("account.deactivated",)),
    ("accounts.user", "reactivate"): Verb(_member, ("account.reactivated",), before=_deactivated),
    ("accounts.user", "erase_names"): Verb(
        _member,
        ("audit_log.names_erased",),
        before=_deactivated,
    ),
}
# Rows that nobody sees who may not do this to them: for everybody else they are not there (product P10).
UNSEEN = {
    *(("accounts.user", act) for act in ("deactivate", "reactivate", "erase_names")),
    *(("apikeys.apikey", act) for act in ("rotate", "end_old_secret", "disable", "enable", "revoke")),
    *(("memberships.invitation", act) for act in ("resend", "copy_link", "cancel")),
    *(("workspaces.workspace", act) for act in ("restore", "delete")),
}
