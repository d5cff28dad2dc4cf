"""Everything the domain may refuse. Surfaces translate it; nobody else invents HTTP."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils.translation import gettext as _


class DomainError(Exception):
    """A request that the rules of the product refuse, said to the person who made it."""


class Forbidden(DomainError):
    """In a place you belong to, an act you do not hold the right for (product P10)."""

    def __init__(self, action: str, place: object, *, roles: Sequence[str] = ()) -> None:
        message = _("This needs the permission %(action)s, which you do not have in %(place)s.")
        super().__init__(message % {"action": action, "place": place})
        self.action, self.place, self.roles = action, place, tuple(roles)


class Missing(DomainError):
    """What was asked for is not there, or not for you: the two are told apart nowhere."""

    def __init__(self, what: str = "") -> None:
        super().__init__(_("There is no such %(thing)s.") % {"thing": what} if what else _("Not found."))


class Conflict(DomainError):
    """The act is allowed, but not in the state things are in."""


class Stale(Conflict):
    """Somebody else changed the same thing after it was read (product 5.1)."""

    def __init__(self) -> None:
        super().__init__(_("Somebody changed this after you opened it. Look at the new version, then try again."))


class Invalid(DomainError):
    """What was sent does not make sense, said field by field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(next(iter(errors.values())))
        self.errors = dict(errors)


class Overreach(Invalid):
    """Asking to hand out more than one holds (product P4, P12); names what was too much."""

    def __init__(self, field: str, beyond: Sequence[str]) -> None:
        listed = ", ".join(sorted(beyond))
        message = _("You cannot hand out what you do not hold yourself: %(scopes)s.") % {"scopes": listed}
        super().__init__({field: message})
        self.beyond = tuple(sorted(beyond))


class Closed(DomainError):
    """The place exists and is yours, but nothing may happen in it now (product P22)."""


class TooMany(DomainError):
    """The act is allowed, but not this often; says after how many seconds it will be."""

    def __init__(self, message: str, *, wait: int) -> None:
        super().__init__(message)
        self.wait = wait


class Exhausted(DomainError):
    """What was granted is used up; says when it starts again, if it does (contract rules 58, 59)."""

    def __init__(self, message: str, *, resets_at: datetime | None = None) -> None:
        super().__init__(message)
        self.resets_at = resets_at


class Unavailable(DomainError):
    """Something that the act cannot do without does not answer; says after how many seconds to try again."""

    def __init__(self, message: str, *, wait: int) -> None:
        super().__init__(message)
        self.wait = wait
