"""What templates may ask: whether a button would be answered, and how to show a person, a name, an action."""

from dataclasses import dataclass
from typing import Any, NamedTuple
from zlib import crc32

from django import template
from django.contrib.messages.storage.base import Message
from django.template import Context

from apps.access import gate
from apps.access.actions import Action
from apps.access.roles import REACHING_INTO_WORKSPACES, WorkspaceRole
from apps.core import text
from apps.tenancy import wording
from apps.tenancy.tenant import Tenant
from apps.tenancy.undo import unpacked
from apps.workspaces.models import Workspace

register = template.Library()
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"


@register.filter
def may(tenant: Tenant | None, action: str) -> bool:
    """`{% if tenant|may:"prompts.publish" %}`: never show what the server would refuse.

    An unknown action is an error.
    """
    return tenant is not None and tenant.may(Action(action))


@register.simple_tag
def may_in(actor: Any, action: str, place: Any) -> bool:
    """The same for one place among many: `{% may_in request.actor "workspaces.update" workspace as editable %}`."""
    return gate.may(actor, Action(action), place)


@dataclass(frozen=True)
class Standing:
    """What somebody is in a workspace: the roles they have there, and whether their organization role reaches in."""

    roles: list[str]
    is_through_organization: bool


@register.simple_tag
def standing_in(actor: Any, workspace: Workspace) -> Standing:
    """`{% standing_in request.actor workspace as standing %}`: one query for the places not looked at before (P17)."""
    held = actor.held_in(workspace)
    roles = [role.label for role in WorkspaceRole if role in held.here]
    return Standing(roles, bool(held.above & REACHING_INTO_WORKSPACES))


class Sorting(NamedTuple):
    """How a column's heading looks and where it leads: which way it is sorted now, and what a click asks for."""

    way: str
    next: str


@register.simple_tag(takes_context=True)
def sorting(context: Context, by: str, first: str = "") -> Sorting:
    """`{% sorting "joined" "-" as turned %}`: the first click sorts as `first` says, the next one turns it round."""
    now = context.get("sort", "")
    if now not in {by, f"-{by}"}:
        return Sorting("", f"{first}{by}")
    return Sorting("down", by) if now.startswith("-") else Sorting("up", f"-{by}")


@register.filter
def undo(message: Message) -> dict[str, Any] | None:
    """`{% with undo=message|undo %}`: where and what to post to take back what the message tells, if it can be."""
    return unpacked(message.extra_tags)


@register.filter
def in_words(action: str) -> str:
    return wording.in_words(action)


@register.filter
def program(agent: str) -> str:
    return wording.program(agent)


@register.filter
def isolated(name: Any) -> str:
    """A name where no markup is possible, in a title or an option, so that its direction stays its own (P20)."""
    return f"{_FIRST_STRONG_ISOLATE}{name}{_POP_ISOLATE}"


@register.filter(name="is")
def is_(thing: Any, other: Any) -> bool:
    """Whether two things are one, for `{% with %}`, which cannot compare."""
    return bool(thing == other)


@register.filter
def hue(thing: Any) -> int:
    """One of six colours, always the same for the same person or place."""
    return crc32(str(getattr(thing, "pk", thing)).encode()) % 6


@register.filter
def amid(label: Any) -> str:
    """A label inside a sentence: `{{ role|amid }}`."""
    return text.amid(label)


@register.filter
def initials(thing: Any) -> str:
    words = ["".join(filter(str.isalnum, word)) for word in str(thing).replace("@", " ").replace(".", " ").split()]
    return "".join(word[0] for word in list(filter(None, words))[:2]).upper() or "?"
