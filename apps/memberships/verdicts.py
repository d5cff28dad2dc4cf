"""What would become of each address of a pasted list: said before anybody is asked, and writing nothing."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import TextChoices, Value
from django.utils.translation import gettext_lazy as _

from apps.accounts.addresses import normalized
from apps.core.errors import Invalid
from apps.memberships.models import Invitation, OrganizationMembership
from apps.memberships.pasting import Pasted
from apps.organizations.models import Organization


class Standing(TextChoices):
    """What an address is to an organization. Whether it has an account somewhere is nobody's business here."""

    WELCOME = "welcome", _("Can be invited")
    MEMBER = "member", _("Already a member")
    INVITED = "invited", _("Already invited")
    MALFORMED = "malformed", _("Not an address")
    TWICE = "twice", _("Twice in the list")
    REFUSED = "refused", _("Not invited")


@dataclass(frozen=True)
class Verdict:
    """One entry, the address in it where there is one, and why it cannot be invited."""

    typed: str
    address: str
    standing: Standing
    reason: str = ""

    @property
    def is_welcome(self) -> bool:
        return self.standing is Standing.WELCOME

    @property
    def is_to_mend(self) -> bool:
        """Whether somebody should look at it. What stands twice is invited once, and needs no looking."""
        return self.standing not in {Standing.WELCOME, Standing.TWICE}


def judge(organization: Organization, entries: Iterable[Pasted]) -> list[Verdict]:
    """A verdict for each entry, in order, in one query however many there are."""
    read = [_address_of(entry) for entry in entries]
    known = _known(organization, {verdict.address for verdict in read if verdict.is_welcome})
    seen: set[str] = set()
    judged = []
    for verdict in read:
        standing, reason = known.get(verdict.address, (verdict.standing, verdict.reason))
        if verdict.address and verdict.address in seen:
            standing, reason = Standing.TWICE, ""
        seen.add(verdict.address)
        judged.append(Verdict(verdict.typed, verdict.address, standing, str(reason)))
    return judged


def _address_of(entry: Pasted) -> Verdict:
    try:
        return Verdict(entry.typed, normalized(entry.address), Standing.WELCOME)
    except Invalid as refusal:
        return Verdict(entry.typed, "", Standing.MALFORMED, str(refusal))


def _known(organization: Organization, addresses: set[str]) -> dict[str, tuple[Standing, str]]:
    """The addresses that the organization has dealt with already."""
    asked = Invitation.objects.pending().filter(organization=organization, email__in=addresses)
    members = OrganizationMembership.objects.filter(organization=organization, user__email__in=addresses)
    found = asked.values_list("email", Value(Standing.INVITED)).union(
        members.values_list("user__email", Value(Standing.MEMBER))
    )
    reasons = {Standing.INVITED: str(_("Send that invitation again, or cancel it first."))}
    return {address: (Standing(standing), reasons.get(Standing(standing), "")) for address, standing in found}
