"""What letters about keys say: in the language and the time zone that are active, about the key as it is now.

What a kind needs beyond that is in the notice's details:
- rotated: `mode` auto or manual, `until` when the old secret works, and who did it as `by_kind` and `by`, an id;
- alert, exhausted: `unit` cost or tokens, `spent` and `limit` (cost in micro-USD), `resets_at` or None;
- leaked: `mask` of the secret that was found, `source` in the reporter's words, and whether that `disabled` the key.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.access.actors import UserActor
from apps.accounts.models import User
from apps.apikeys.models import ApiKey, Notice

MICRO: Final = 1_000_000
FIRST_ISOLATE, END_OF_ISOLATE = "\u2068", "\u2069"


@dataclass(frozen=True)
class Letter:
    """What one reader is sent, but for its frame."""

    subject: str
    said: tuple[str, ...]
    key: str
    place: str
    organization: str
    link: str


def letter(notice: Notice) -> Letter:
    """The letter about a notice. Nothing of the key is in it but its name, its place and its mask."""
    key = notice.key
    subject, *said = _SAYINGS[notice.kind](notice)
    shown = {"key": isolated(key.name), "mask": notice.details.get("mask") or mask_in_use(key)}
    return Letter(
        subject=" ".join(subject.split()),
        said=tuple(said),
        key=_("%(key)s (%(mask)s)") % shown,
        place=isolated(str(key.place)),
        organization=isolated(str(key.organization)),
        link=link_to(key),
    )


def link_to(key: ApiKey) -> str:
    """The key's page, always on the configured host (IN-10)."""
    page = reverse("apikeys:key", kwargs={"organization": key.organization.slug, "pk": key.pk})
    return f"{settings.BASE_URL}{page}"


def mask_in_use(key: ApiKey) -> str:
    """The mask of the secret that people have: one that waits to be collected was never seen by anybody."""
    return key.previous_mask or key.mask if key.awaits_collection else key.mask


def isolated(name: str) -> str:
    """A name that cannot turn the sentence around it: in other scripts, or with signs that change the direction."""
    return name if name.isascii() else f"{FIRST_ISOLATE}{name}{END_OF_ISOLATE}"


def moment(at: datetime) -> str:
    """To the minute, with the zone it is told in."""
    told = date_format(timezone.localtime(at), pgettext("date format", "j F Y, H:i"))
    return _("%(moment)s (%(zone)s)") % {"moment": told, "zone": timezone.get_current_timezone_name()}


def _rotated(notice: Notice) -> Iterator[str]:
    named = {"key": isolated(notice.key.name), "who": isolated(_author(notice))}
    if notice.details.get("mode") == "auto":
        yield _("A new secret of %(key)s waits to be collected") % named
        yield (
            _("The secret of %(key)s has changed, as its calendar says. Collect the new one on the key's page.") % named
        )
    else:
        yield _("%(key)s has a new secret") % named
        yield _("%(who)s gave %(key)s a new secret. If nobody was meant to, revoke the key.") % named
    if until := notice.details.get("until"):
        yield _until(datetime.fromisoformat(until))


def _rotates_soon(notice: Notice) -> Iterator[str]:
    named = {"key": isolated(notice.key.name), "moment": moment(notice.about)}
    yield _("The secret of %(key)s changes soon") % named
    yield _("By its calendar, the secret of %(key)s changes on %(moment)s.") % named
    yield _(
        "The new secret is then collected on the key's page, and the old one works on beside it for the time that "
        "the key's settings give."
    )


def _transition_ends_soon(notice: Notice) -> Iterator[str]:
    yield _("The old secret of %(key)s ends soon") % {"key": isolated(notice.key.name)}
    yield _until(notice.about)
    if notice.key.awaits_collection:
        yield _("Nobody has collected the new secret yet. Collect it on the key's page before then.")
    else:
        yield _("Make sure that every program has the new one.")


def _expires_soon(notice: Notice) -> Iterator[str]:
    named = {"key": isolated(notice.key.name), "moment": moment(notice.about)}
    yield _("%(key)s expires soon") % named
    yield _("%(key)s works until %(moment)s. Give it a later end, or replace it before then.") % named


def _expired(notice: Notice) -> Iterator[str]:
    named = {"key": isolated(notice.key.name), "moment": moment(notice.about)}
    yield _("%(key)s has expired") % named
    yield _("%(key)s ended on %(moment)s: whatever calls with it is turned away. A later end lets it in again.") % named


def _alert(notice: Notice) -> Iterator[str]:
    named = {"key": isolated(notice.key.name), **_spending(notice.details)}
    yield _("%(key)s nears the end of its budget") % named
    yield _("%(key)s has used %(spent)s of %(limit)s.") % named
    yield _("When all of it is used, whatever calls with the key is turned away.")
    yield from _starts_anew(notice.details)


def _exhausted(notice: Notice) -> Iterator[str]:
    named = {"key": isolated(notice.key.name), **_spending(notice.details)}
    yield _("%(key)s has used up its budget") % named
    yield _("%(key)s has used %(spent)s of %(limit)s: whatever calls with it is turned away.") % named
    yield from _starts_anew(notice.details)


def _leaked(notice: Notice) -> Iterator[str]:
    facts = notice.details
    named = {"key": isolated(notice.key.name), "organization": isolated(str(notice.organization)), **facts}
    yield _("The secret of %(key)s has leaked") % named
    yield _("Somebody has found a secret of %(key)s and reported it here: %(mask)s. It is real.") % named
    if facts.get("disabled"):
        yield (
            _("The key was disabled at once, as the policy of %(organization)s asks. Revoke it and make another one.")
            % named
        )
    else:
        yield _("Whoever else found it can use it until you revoke the key. Revoke it now and make another one.")
    if facts.get("source"):
        named["source"] = isolated(facts["source"])
        yield _("Found here, in the words of whoever reported it, which nobody has checked: %(source)s") % named


def _until(at: datetime) -> str:
    said = _("The old secret works until %(moment)s. After that, whatever still calls with it is turned away.")
    return said % {"moment": moment(at)}


def _starts_anew(facts: Mapping[str, str | None]) -> Iterator[str]:
    if resets_at := facts.get("resets_at"):
        yield _("The budget starts anew on %(moment)s.") % {"moment": moment(datetime.fromisoformat(resets_at))}


def _spending(facts: Mapping[str, int | str | None]) -> dict[str, str]:
    return {name: _amount(facts.get("unit"), int(facts.get(name) or 0)) for name in ("spent", "limit")}


def _amount(unit: object, amount: int) -> str:
    if unit == "cost":
        dollars = number_format(Decimal(amount) / MICRO, 2, force_grouping=True)
        return pgettext("an amount of money", "%(dollars)s USD") % {"dollars": dollars}
    return _("%(number)s tokens") % {"number": number_format(amount, force_grouping=True)}


def _author(notice: Notice) -> str:
    """Who it was, as the people of the key may be told; by an id, so that no name is kept with the notice."""
    kind, author = notice.details.get("by_kind"), notice.details.get("by")
    rows = {UserActor.kind: User.objects, ApiKey.kind: ApiKey.objects}.get(str(kind))
    found = rows.filter(pk=author).first() if rows is not None and author else None
    if found is None:
        return _("Somebody who runs this installation")
    return _("The API key %(key)s") % {"key": found} if kind == ApiKey.kind else str(found)


_SAYINGS: Final[Mapping[str, Callable[[Notice], Iterator[str]]]] = {
    Notice.Kind.ROTATED: _rotated,
    Notice.Kind.ROTATES_SOON: _rotates_soon,
    Notice.Kind.TRANSITION_ENDS_SOON: _transition_ends_soon,
    Notice.Kind.EXPIRES_SOON: _expires_soon,
    Notice.Kind.EXPIRED: _expired,
    Notice.Kind.ALERT: _alert,
    Notice.Kind.EXHAUSTED: _exhausted,
    Notice.Kind.LEAKED: _leaked,
}
