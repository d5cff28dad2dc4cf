"""E-mail addresses in the one form they are compared and stored in (product 5.2)."""

import re
import unicodedata

import idna
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext as _

from apps.core.errors import Invalid

ADDRESS_LENGTH = 254
# Quoted local parts are left out: they may hold line breaks, and name mailboxes that have a plain name, too.
_LOCAL_PART = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+")
_is_well_formed = EmailValidator()


def normalized(address: str, *, field: str = "email") -> str:
    """NFC, lower case, the domain as IDNA writes it.

    The part before the @ must be plain ASCII as typed: look-alike letters would otherwise fold onto somebody
    else's address. Raises Invalid.
    """
    if len(address) > 2 * ADDRESS_LENGTH:
        raise Invalid({field: _too_long()})
    local, at, domain = address.strip().rpartition("@")
    if at and not _LOCAL_PART.fullmatch(local):
        message = _("The part before the @ can only hold plain letters, digits and the usual signs.")
        raise Invalid({field: message})
    try:
        whole = f"{local.lower()}{at}{_ascii_domain(domain)}"
        _is_well_formed(whole)
    except (ValidationError, idna.IDNAError, UnicodeError):
        message = _("%(text)s is not an e-mail address.") % {"text": _shown(address)}
        raise Invalid({field: message}) from None
    if len(whole) > ADDRESS_LENGTH:
        raise Invalid({field: _too_long()})
    return whole


def _too_long() -> str:
    return _("An e-mail address has at most %(number)d characters.") % {"number": ADDRESS_LENGTH}


def _ascii_domain(domain: str) -> str:
    if domain.startswith("["):
        raise UnicodeError("Mail goes to names, not to numbers.")
    domain = unicodedata.normalize("NFC", domain).lower()
    return domain if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")


def _shown(address: str) -> str:
    printable = "".join(character if character.isprintable() else "�" for character in address.strip())
    return printable if len(printable) <= 80 else f"{printable[:77]}..."
