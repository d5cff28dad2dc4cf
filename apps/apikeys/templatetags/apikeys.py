"""What templates may ask about a key: whether a button would be answered, and what of its scopes counts."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django import template
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from apps.access.actions import Action
from apps.access.scopes import KeyType, effective
from apps.apikeys import limit_fields, sayings, visibility
from apps.apikeys.models import ApiKey
from apps.apikeys.presets import Row
from apps.limits.terms import MICRO
from apps.tenancy import wording
from apps.tenancy.wording import in_words

register = template.Library()


class Granted(NamedTuple):
    """Of one feature: what a key was given, in a word, what of that counts now, and what does not."""

    label: str
    held: frozenset[Action]
    counts: frozenset[Action]

    @property
    def idle(self) -> frozenset[Action]:
        return self.held - self.counts

    @property
    def verbs(self) -> str:
        """What of it does not count, in a few words."""
        return ", ".join(sorted({action.verb for action in self.idle}))


@register.simple_tag
def may_key(actor: Any, verb: str, key: ApiKey) -> bool:
    """`{% may_key request.actor "update" key as editable %}`: never show what the server would refuse."""
    return visibility.may(actor, verb, key)


@register.simple_tag
def granted(row: Row, key: ApiKey, counted: frozenset[Action]) -> Granted:
    """`{% granted row key counted as scopes %}`: a row of the table of a key that is there already."""
    kind = KeyType(key.type)
    held = effective(key.scopes, kind) & row.feature.everything
    level = row.feature.level_of(held, kind)
    return Granted(str(level.label) if level else _("Custom"), held, held & counted)


@register.filter
def acts(actions: Collection[Action]) -> str:
    """`{{ row.lacking|acts }}`: "publish prompts and remove members"."""
    return get_text_list(sorted({str(in_words(action)) for action in actions}), _("and"))


@register.filter
def rate_unit(unit: str) -> str:
    return str(limit_fields.UNITS.get(unit, unit))


@register.filter
def thing(resource: str) -> str:
    return str(wording.thing(resource))


@register.filter
def rhythm(policy: Mapping[str, Any] | None) -> str:
    """`{{ key.rotation_policy|rhythm }}`: "Every Monday"."""
    return sayings.rhythm(policy)


@register.filter
def lasting(length: timedelta | int) -> str:
    """`{{ milliseconds|lasting }}`: "6 hours"."""
    return sayings.lasting(length)


@register.filter
def calendar_day(moment: datetime) -> str:
    """`{{ key.next_rotation_at|calendar_day }}`: "Monday 30 Nov 2026, 00:00 UTC"."""
    return sayings.calendar_day(moment)


@register.filter
def bar(share: float | None) -> int:
    """`{{ budget.share|bar }}`: hundredths of a bar that are full."""
    return round(100 * (share or 0))


@register.filter
def dollars(amount: int) -> str:
    """`{{ budget.used|dollars }}`: millionths of a dollar, as people write them."""
    return f"{amount / MICRO:,.2f}"
