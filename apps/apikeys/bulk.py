"""One act on many keys: what would become of each, and then what did, each by an operation of its own."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, ClassVar, Final, NamedTuple, Protocol

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from apps.access.actors import Actor
from apps.apikeys import operations, policy, visibility
from apps.apikeys.models import ApiKey
from apps.core.errors import Conflict, DomainError, Missing

MOST: Final = 500
SEEN_LENGTH: Final = 24


class Verdict(NamedTuple):
    """What an act would do to one of the keys: nothing, where it is so already, or where something forbids it."""

    key: Any
    said: str
    is_same: bool = False
    refusal: str = ""
    lately: str = ""  # who called with it just now

    @property
    def is_change(self) -> bool:
        return not (self.is_same or self.refusal)

    @property
    def seen(self) -> str:
        """What a form carries of it, to tell whether it is still what somebody had in front of them.

        How many call just now is told, but not held on to: it changes all the time.
        """
        return sha256(f"{self.key.pk} {self.key.version} {self.said} {self.refusal}".encode()).hexdigest()[:SEEN_LENGTH]


class Result(NamedTuple):
    """What became of one of them, and why where nothing did."""

    key: Any
    said: str
    is_done: bool = True


class Act(Protocol):
    """Something done to many keys, one after the other."""

    name: ClassVar[str]

    def ask(self, key: Any) -> None:
        """Raises what the operation would. Writes nothing."""

    def is_so(self, key: Any) -> bool:
        """Whether the operation would find nothing to do."""

    def said(self, key: Any) -> str: ...

    def run(self, key: Any) -> object: ...


@dataclass(frozen=True)
class Disable:
    by: Actor
    name: ClassVar[str] = "disable"

    def ask(self, key: Any) -> None:
        _refuse("update", key, self.by)

    def is_so(self, key: Any) -> bool:
        return bool(key.status == ApiKey.Status.DISABLED)

    def said(self, key: Any) -> str:
        return _("Is disabled already") if self.is_so(key) else _("Is turned away until it is enabled again")

    def run(self, key: Any) -> object:
        return operations.disable(key, version=key.version, by=self.by)


@dataclass(frozen=True)
class SetExpiry:
    ends_at: datetime | None
    by: Actor
    name: ClassVar[str] = "expiry"

    def ask(self, key: Any) -> None:
        _refuse("update", key, self.by)
        if not self.is_so(key):
            # Of what the place asks of keys, this changes only the end; the operation asks all of it again.
            kept = {"allowed_addresses": key.allowed_addresses, "rotation": key.rotation_policy}
            policy.check(key.type, key.place, expires_at=self.ends_at, **kept)

    def is_so(self, key: Any) -> bool:
        return bool(key.expires_at == self.ends_at)

    def said(self, key: Any) -> str:
        before, after = _day(key.expires_at), _day(self.ends_at)
        if self.is_so(key):
            return _("Ends then already: %(day)s") % {"day": after}
        return _("%(before)s becomes %(after)s") % {"before": before, "after": after}

    def run(self, key: Any) -> object:
        return operations.update(key, version=key.version, by=self.by, expires_at=self.ends_at)


@dataclass(frozen=True)
class Revoke:
    by: Actor
    name: ClassVar[str] = "revoke"

    def ask(self, key: Any) -> None:
        _refuse("delete", key, self.by)

    def is_so(self, key: Any) -> bool:
        return False

    def said(self, key: Any) -> str:
        return _("Ends, for good")

    def run(self, key: Any) -> object:
        return operations.revoke(key, version=key.version, by=self.by)


LABELS: Final[dict[str, Promise]] = {
    Disable.name: gettext_lazy("Disable"),
    SetExpiry.name: gettext_lazy("Set an expiry"),
    Revoke.name: gettext_lazy("Revoke"),
}


def foresee(act: Act, keys: Iterable[Any]) -> list[Verdict]:
    """What the act would do to each of them, by the questions that its operation asks."""
    return [_foreseen(act, key) for key in keys]


def perform(act: Act, foreseen: Iterable[Verdict]) -> list[Result]:
    """Does it to all that it would change, each in a transaction of its own: one refusal undoes nothing else."""
    return [_done(act, verdict) for verdict in foreseen if not verdict.is_same]


def _foreseen(act: Act, key: Any) -> Verdict:
    try:
        act.ask(key)
    except DomainError as refusal:
        return Verdict(key, "", refusal=str(refusal))
    return Verdict(key, act.said(key), act.is_so(key), lately=_lately(key))


def _done(act: Act, verdict: Verdict) -> Result:
    if verdict.refusal:
        return Result(verdict.key, verdict.refusal, is_done=False)
    try:
        act.run(verdict.key)
    except DomainError as refusal:
        return Result(verdict.key, str(refusal), is_done=False)
    return Result(verdict.key, verdict.said)


def _refuse(verb: str, key: ApiKey, by: Actor) -> None:
    """Raises what the operation would say to this key and whoever asks: it is gone, it is not theirs, it is shut."""
    if key.is_revoked:
        raise Missing("API key")
    visibility.require(by, verb, key)
    if verb != "delete" and key.workspace is not None and key.workspace.is_archived:
        raise Conflict(_("%(workspace)s is archived. Restore it first.") % {"workspace": key.workspace})


def _lately(key: Any) -> str:
    """How many called with it within the last hour."""
    count = key.callers_now
    said = ngettext("%(n)s caller in the last hour", "%(n)s callers in the last hour", count)
    return said % {"n": count} if count else ""


def _day(moment: datetime | None) -> str:
    if moment is None:
        return _("Never")
    return date_format(localtime(moment), pgettext("date format", "j M Y"))
