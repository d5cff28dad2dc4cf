"""Lines of the log as people read them: one sentence for every event, made when it is read."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.audit.events import Event
from apps.audit.models import AuditEvent
from apps.tenancy.wording import in_words

Known = Mapping[uuid.UUID, str]  # what people and places are called now, by id

_SENTENCES: Final[Mapping[Event, Promise]] = {
    Event.ORGANIZATION_FOUNDED: gettext_lazy("{actor} founded {target}."),
    Event.ORGANIZATION_UPDATED: gettext_lazy("{actor} changed {fields} of {target}."),
    Event.ORGANIZATION_SUSPENDED: gettext_lazy("{actor} suspended {target}."),
    Event.ORGANIZATION_RESUMED: gettext_lazy("{actor} opened {target} again."),
    Event.ORGANIZATION_DELETED: gettext_lazy("{actor} deleted {target}."),
    Event.WORKSPACE_CREATED: gettext_lazy("{actor} created the workspace {target}."),
    Event.WORKSPACE_UPDATED: gettext_lazy("{actor} changed {fields} of the workspace {target}."),
    Event.WORKSPACE_ARCHIVED: gettext_lazy("{actor} archived the workspace {target}."),
    Event.WORKSPACE_RESTORED: gettext_lazy("{actor} restored the workspace {target}."),
    Event.WORKSPACE_DELETED: gettext_lazy("{actor} deleted the workspace {target}."),
    Event.INVITATION_CREATED: gettext_lazy("{actor} invited {target} as {after}."),
    Event.INVITATION_RESENT: gettext_lazy("{actor} sent the invitation of {target} again."),
    Event.INVITATION_LINK_COPIED: gettext_lazy("{actor} copied the invitation link of {target}."),
    Event.INVITATION_TAKEN_OVER: gettext_lazy("{actor} stands for the invitation of {target} from now on."),
    Event.INVITATION_CANCELLED: gettext_lazy("{actor} cancelled the invitation of {target}."),
    Event.INVITATION_ROLE_CHANGED: gettext_lazy(
        "{actor} changed the role that waits for {target} from {before} to {after}."
    ),
    Event.INVITATION_ACCEPTED: gettext_lazy("{actor} accepted the invitation of {target}."),
    Event.INVITATION_DECLINED: gettext_lazy("{actor} declined the invitation of {target}."),
    Event.MEMBERSHIP_CREATED: gettext_lazy("{actor} added {target} as {after}."),
    Event.MEMBERSHIP_ROLE_CHANGED: gettext_lazy("{actor} changed {target}'s role from {before} to {after}."),
    Event.MEMBERSHIP_REMOVED: gettext_lazy("{actor} removed {target}, who was {before}{keys}."),
    Event.MEMBERSHIP_LEFT: gettext_lazy("{actor} left the organization{keys}."),
    Event.MEMBERSHIP_SUSPENDED: gettext_lazy("{actor} suspended {target}."),
    Event.MEMBERSHIP_REACTIVATED: gettext_lazy("{actor} reactivated {target}."),
    Event.WORKSPACE_MEMBERSHIP_CREATED: gettext_lazy("{actor} added {target} to the team of {workspace} as {after}."),
    Event.WORKSPACE_MEMBERSHIP_ROLE_CHANGED: gettext_lazy(
        "{actor} changed {target}'s role in {workspace} from {before} to {after}."
    ),
    Event.WORKSPACE_MEMBERSHIP_REMOVED: gettext_lazy("{actor} took {target} off the team of {workspace}{keys}."),
    Event.API_KEY_ISSUED: gettext_lazy("{actor} created the API key {target}."),
    Event.API_KEY_UPDATED: gettext_lazy("{actor} changed {fields} of the API key {target}."),
    Event.API_KEY_REVOKED: gettext_lazy("{actor} revoked the API key {target}."),
    Event.API_KEY_DISABLED: gettext_lazy("{actor} disabled the API key {target}."),
    Event.API_KEY_ENABLED: gettext_lazy("{actor} enabled the API key {target} again."),
    Event.API_KEY_ROTATED: gettext_lazy("{actor} rotated the API key {target}."),
    Event.API_KEY_COLLECTED: gettext_lazy("{actor} collected the new secret of the API key {target}."),
    Event.API_KEY_TRANSITION_ENDED: gettext_lazy("{actor} ended the old secret of the API key {target}."),
    Event.API_KEY_EXPIRED: gettext_lazy("The API key {target} expired."),
    Event.API_KEY_EXHAUSTED: gettext_lazy("The API key {target} used up its budget."),
    Event.API_KEY_USAGE_RESET: gettext_lazy("{actor} set the use of the API key {target} back to nothing."),
    Event.API_KEY_LEAKED: gettext_lazy("Somebody reported that the secret of the API key {target} has leaked."),
    Event.KEY_POLICY_CHANGED: gettext_lazy("{actor} changed {fields} in the key policy of {target}."),
    Event.ACCOUNT_RENAMED: gettext_lazy("{actor} changed the name of the account {target}."),
    Event.ACCOUNT_DEACTIVATED: gettext_lazy("{actor} deactivated the account {target}."),
    Event.ACCOUNT_REACTIVATED: gettext_lazy("{actor} reactivated the account {target}."),
    Event.ACCOUNT_LOCALE_CHANGED: gettext_lazy("{actor} changed the language or time zone of the account {target}."),
    Event.ACCOUNT_FACTOR_ADDED: gettext_lazy("{actor} added a second factor to the account {target}."),
    Event.ACCOUNT_FACTOR_REMOVED: gettext_lazy("{actor} removed a second factor from the account {target}."),
    Event.ACCOUNT_RECOVERY_CODES_RENEWED: gettext_lazy("{actor} renewed the recovery codes of the account {target}."),
    Event.ACCOUNT_RECOVERY_CODE_USED: gettext_lazy("{actor} signed in to the account {target} with a recovery code."),
    Event.ACCOUNT_CLOSED: gettext_lazy("{actor} closed the account {target}."),
    Event.ACCOUNT_SIGNED_UP: gettext_lazy("{actor} made the account {target}."),
    Event.ACCOUNT_SIGNED_IN: gettext_lazy("{actor} signed in."),
    Event.ACCOUNT_SIGNED_OUT: gettext_lazy("{actor} signed out."),
    Event.ACCOUNT_SESSIONS_ENDED: gettext_lazy("{actor} ended other sessions of the account {target}."),
    Event.ACCOUNT_PASSWORD_CHANGED: gettext_lazy("{actor} changed the password of the account {target}."),
    Event.ACCOUNT_ADDRESS_ADDED: gettext_lazy("{actor} asked for another address for the account {target}."),
    Event.ACCOUNT_ADDRESS_REMOVED: gettext_lazy("{actor} took an address off the account {target}."),
    Event.ACCOUNT_ADDRESS_CHANGED: gettext_lazy("{actor} changed the address of the account {target}."),
    Event.ACCOUNT_ADDRESS_VERIFIED: gettext_lazy("{actor} proved the address of the account {target}."),
    Event.LIST_EXPORTED: gettext_lazy("{actor} downloaded {list} of {target}."),
    Event.AUDIT_LOG_EXPORTED: gettext_lazy("{actor} downloaded the audit log of {target}."),
    Event.AUDIT_LOG_VERIFIED: gettext_lazy("{actor} verified the audit log of {target}."),
    Event.AUDIT_LOG_CHECKPOINT_TAKEN: gettext_lazy("{actor} took a checkpoint of the audit log of {target}."),
    Event.AUDIT_LOG_SHORTENED: gettext_lazy("{actor} deleted lines of the audit log whose time was over."),
    Event.AUDIT_LOG_NAMES_ERASED: gettext_lazy("{actor} erased somebody's names in the audit log."),
    Event.STREAM_CREATED: gettext_lazy("{actor} created the audit stream {target}."),
    Event.STREAM_UPDATED: gettext_lazy("{actor} changed {fields} of the audit stream {target}."),
    Event.STREAM_PAUSED: gettext_lazy("{actor} paused the audit stream {target}."),
    Event.STREAM_RESUMED: gettext_lazy("{actor} resumed the audit stream {target}."),
    Event.STREAM_TESTED: gettext_lazy("{actor} sent a test to the audit stream {target}."),
    Event.STREAM_RESENT: gettext_lazy("{actor} sent undelivered lines of the audit stream {target} again."),
    Event.STREAM_DELETED: gettext_lazy("{actor} deleted the audit stream {target}."),
    Event.ROLES_REPAIRED: gettext_lazy("{actor} repaired the role groups of {target}."),
    Event.ACCESS_REFUSED: gettext_lazy("{actor} tried to {act} in {target} and was refused."),
    Event.SIGN_IN_REFUSED: gettext_lazy("{actor} tried to sign in and was refused."),
    Event.CREDENTIALS_REFUSED: gettext_lazy("{actor} called with a key that is not let in."),
    Event.CALL_THROTTLED: gettext_lazy("{actor} called too often and was refused."),
}
_UNKNOWN: Final = gettext_lazy("{actor} did something to {target} that is not known here.")
# The same events where something more can be said, or less.
_JOINED: Final = gettext_lazy("{target} joined as {after}.")
_RENAMED: Final = gettext_lazy("{actor} renamed {old} to {new}.")

FIELDS: Final[Mapping[str, Promise]] = {
    "url": gettext_lazy("the address it is sent to"),
    "secret": gettext_lazy("the signing secret"),
    "name": gettext_lazy("the name"),
    "description": gettext_lazy("the description"),
    "color": gettext_lazy("the color"),
    "icon": gettext_lazy("the icon"),
    "delete_protected": gettext_lazy("the protection from deletion"),
    "defaults": gettext_lazy("the defaults"),
    "usage_limits": gettext_lazy("the budget"),
    "rate_limits": gettext_lazy("the rate limits"),
    "scopes": gettext_lazy("the permissions"),
    "expires_at": gettext_lazy("the expiry"),
    "alert_emails": gettext_lazy("who is told about its budget"),
    "status": gettext_lazy("the status"),
    "rotation_policy": gettext_lazy("the rotation"),
    "next_rotation_at": gettext_lazy("the next rotation"),
    "allowed_addresses": gettext_lazy("from where it may call"),
    "max_days": gettext_lazy("the longest life"),
    "expiry_required": gettext_lazy("whether keys must end"),
    "max_keys": gettext_lazy("the number of keys"),
    "service_only": gettext_lazy("whether people may hold keys"),
    "addresses_required": gettext_lazy("whether keys must say from where they call"),
    "rotation_days": gettext_lazy("how often personal keys rotate"),
    "on_leak": gettext_lazy("what a leak report does"),
}
_LISTS: Final[Mapping[str, Promise]] = {
    "members": gettext_lazy("the list of members"),
    "invitations": gettext_lazy("the list of invitations"),
    "workspaces": gettext_lazy("the list of workspaces"),
    "api-keys": gettext_lazy("the list of API keys"),
}
ROLES: Final[Mapping[str, Promise]] = {
    "owner": gettext_lazy("owner"),
    "admin": gettext_lazy("admin"),
    "manager": gettext_lazy("manager"),
    "member": gettext_lazy("member"),
}
_KINDS: Final[Mapping[str, Promise]] = {
    "key": gettext_lazy("The API key {name}"),
    "operator": gettext_lazy("The operator {name}"),
    "system": gettext_lazy("Gatehouse ({name})"),
}
_DOORS: Final[Mapping[str, Promise]] = {
    "page": gettext_lazy("on a page"),
    "api": gettext_lazy("over the API"),
    "admin": gettext_lazy("in the console"),
    "command": gettext_lazy("by a command"),
}


def sentence(line: AuditEvent, known: Known | None = None) -> SafeString:
    """Who did what to whom, in the reader's language: "Ana changed Bo's role from member to admin."

    Arguments: `known` is what people and places are called now; without it, what the line itself remembers.
    """
    template, parts = _template(line), _parts(line, known or {})
    return format_html(str(template), **{name: part() for name, part in parts.items() if f"{{{name}}}" in template})


def door(line: AuditEvent) -> str:
    """Through which door: "over the API"."""
    return str(_DOORS.get(line.door, ""))


def actor(line: AuditEvent, known: Known) -> SafeString:
    """Who acted. Names may have been erased; the line itself stays."""
    name = (known.get(line.actor_id) if line.actor_id else None) or line.names.get("actor")
    if line.actor_kind == "nobody":
        return format_html("{}", _("Somebody who was not signed in"))
    if not name:
        return format_html("{}", _("Somebody"))
    return format_html(str(_KINDS.get(line.actor_kind, "{name}")), name=_named(name))


def _template(line: AuditEvent) -> str:
    details = line.details
    if line.event not in set(Event):
        return str(_UNKNOWN)  # somebody has altered it, as a verification tells
    event = Event(line.event)
    if event is Event.MEMBERSHIP_CREATED and details.get("person") == str(line.actor_id):
        return str(_JOINED)
    if event.value.endswith(".updated") and set(details.get("after", ())) == {"name"}:
        return str(_RENAMED)
    return str(_SENTENCES[event])


def _parts(line: AuditEvent, known: Known) -> dict[str, Callable[[], Any]]:
    before, after = line.details.get("before", {}), line.details.get("after", {})
    target, workspace = _target(line, known)
    return {
        "actor": lambda: actor(line, known),
        "target": lambda: _named(target) if line.target_type else format_html("{}", _("this installation")),
        "workspace": lambda: _named(workspace),
        "before": lambda: _role(before.get("role")),
        "after": lambda: _role(after.get("role")),
        "old": lambda: _named(before.get("name")),
        "new": lambda: _named(after.get("name")),
        "fields": lambda: get_text_list([str(FIELDS.get(name, name)) for name in sorted(after)], _("and")),
        "keys": lambda: _keys(line.details.get("keys_revoked", 0)),
        "list": lambda: str(_LISTS.get(line.details.get("list", ""), "")),
        "act": lambda: in_words(line.details.get("action", "")),
    }


def _target(line: AuditEvent, known: Known) -> tuple[str, str]:
    """What the line is about, and the workspace it happened in, which a place on a team ends with."""
    workspace = line.names.get("workspace") or (known.get(line.workspace_id, "") if line.workspace_id else "")
    target = line.names.get("target", "")
    return (target.removesuffix(f" in {workspace}") if workspace else target), workspace


def _named(name: str | None) -> SafeString:
    return format_html("<bdi>{}</bdi>", name) if name else format_html("{}", _("something whose name was erased"))


def _role(role: str | None) -> str:
    return str(ROLES[role]) if role and role in ROLES else _("somebody with another role")


def _keys(revoked: int) -> str:
    if not revoked:
        return ""
    return ngettext("; %(count)s key was revoked", "; %(count)s keys were revoked", revoked) % {"count": revoked}
