"""Somebody reports a secret that they found where it does not belong (beyond 11).

Nobody is told what became of a report: junk, unknown, real and revoked secrets are answered alike. Whoever holds a
secret can find out by calling with it, so time is not made equal by waiting: a real one costs its lock and its lines.
Tokens of invitations are treated as unknown: to cancel one for a stranger would let anybody who saw it end it, and it
ends by itself, with its first use or after seven days.
"""

import re
import unicodedata
from dataclasses import replace
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from django.db import transaction
from django.utils.translation import gettext as _

from apps.access.actors import Actor, Origin, SystemActor
from apps.apikeys import keeping, lookup, notices, pace, policy
from apps.apikeys.models import ApiKey, Notice
from apps.apikeys.policy import OnLeak
from apps.apikeys.secret import Secret
from apps.audit.events import Event
from apps.core import logs
from apps.core.clock import now
from apps.core.errors import DomainError, TooMany
from apps.core.networks import neighbourhood

SOURCE_LENGTH: Final = 500
A_MINUTE, SECONDS = 30, 60  # reports from one address
TOLD_FOR: Final = timedelta(days=1)
_HOST: Final = re.compile(r"[a-z0-9.-]{1,253}")


def report(token: str, *, source: str = "", origin: Origin) -> None:
    """Takes a report and answers nothing. What cannot be a key costs no query. Raises TooMany."""
    refuse_haste(origin.address)
    token = token.strip()
    found = lookup.find(token)
    if found is None:
        return
    leaked = Secret(token)
    hidden = replace(origin, agent=cleaned(origin.agent, leaked))
    by = SystemActor(reason="leak report", actions=[], origin=hidden)
    try:
        take_in(found, leaked, source=cleaned(source, leaked), by=by)
    except DomainError:  # revoked since, or of a suspended organization, where no key is let in
        return


@transaction.atomic
def take_in(key: ApiKey, leaked: Secret, *, source: str, by: SystemActor) -> bool:
    """Writes a leak down, tells the key's people, and disables the key where the organization asks for that.

    A disabled or expired key is told of too, as it can come back; one in an archived workspace as well. Answers
    whether it was news: the same secret is told of once a day, and nothing happens to a key meanwhile that somebody
    has let in again. Raises Missing for a revoked key, Closed in a suspended organization.
    """
    key = keeping.lock_key(key, by, even_archived=True)
    known = key.notices.filter(kind=Notice.Kind.LEAKED, created_at__gt=now() - TOLD_FOR, details__mask=leaked.mask)
    if known.exists():
        return False
    asks_to_disable = policy.KeyPolicy.of(key.organization).on_leak == OnLeak.DISABLE
    facts = {"mask": leaked.mask, "source": host_of(source)}
    keeping.record(Event.API_KEY_LEAKED, key, by, after=facts, names={"source": source})
    if asks_to_disable and key.status == ApiKey.Status.ACTIVE:
        _disable(key, by)
    is_disabled = key.status == ApiKey.Status.DISABLED
    return notices.owe(key, Notice.Kind.LEAKED, now(), mask=leaked.mask, source=source, disabled=is_disabled)


def refuse_haste(address: str) -> None:
    """Counts one report from an address; of IPv6, from its network, as whoever has one address there has them all.

    Raises TooMany.
    """
    if pace.is_too_much(f"leak reports {neighbourhood(address)}", most=A_MINUTE, seconds=SECONDS):
        raise TooMany(_("Too many reports from here. Try again in a minute."), wait=pace.rest(SECONDS))


def cleaned(words: str, leaked: Secret) -> str:
    """The reporter's words as they are kept: one line, cut, without the secret or anything that looks like one."""
    words = "".join(sign for sign in words if unicodedata.category(sign) != "Cf")  # nothing unseen splits the secret
    for part in (leaked.clear, leaked.clear.partition("_")[2]):
        words = words.replace(part, "****")
    line = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in words[: 2 * SOURCE_LENGTH])
    masked: str = logs.scrub(None, "", {"source": line})["source"]
    return " ".join(masked.split())[:SOURCE_LENGTH]


def host_of(source: str) -> str:
    """What of it is a fact about no person, for the log, which never forgets: the host of a web address."""
    try:
        host = urlsplit(source.partition(" ")[0]).hostname or ""
    except ValueError:
        host = ""
    return host if _HOST.fullmatch(host) else ""


def _disable(key: ApiKey, by: Actor) -> None:
    key.revise({"status": ApiKey.Status.DISABLED}, by=by)
    keeping.record(Event.API_KEY_DISABLED, key, by, before={"mask": key.mask})
