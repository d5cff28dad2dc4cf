"""What templates may ask: whether a button would be answered, and how to show a person."""

from typing import Any
from zlib import crc32

from django import template

from apps.access import gate
from apps.access.actions import Action
from apps.tenancy.tenant import Tenant

register = template.Library()


@register.filter
def may(tenant: Tenant | None, action: str) -> bool:
    """`{% if tenant|may:"prompts.publish" %}`: never show what the server would refuse. An unknown action is an error."""
    return tenant is not None and tenant.may(Action(action))


@register.simple_tag
def may_in(actor: Any, action: str, place: Any) -> bool:
    """The same for one place among many: `{% may_in request.actor "workspaces.update" workspace as editable %}`."""
    return gate.may(actor, Action(action), place)


@register.filter
def hue(thing: Any) -> int:
    """One of six colours, always the same for the same person or place."""
    return crc32(str(getattr(thing, "pk", thing)).encode()) % 6


@register.filter
def initials(thing: Any) -> str:
    words = str(thing).replace("@", " ").replace(".", " ").split()
    return "".join(word[0] for word in words[:2]).upper() or "?"
