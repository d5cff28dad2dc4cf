"""What people type as names and descriptions: free text in any script, without what could forge a line."""

import unicodedata

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.core.errors import Invalid

NAME_LENGTH = 255
TEXT_LENGTH = 2000
# Control and line separators break log lines, mail headers and CSV; surrogates cannot be stored (product P20).
FORBIDDEN_IN_NAMES = {"Cc", "Cs", "Zl", "Zp"}


def composed(value: str, longest: int, *, field: str) -> str:
    """The text in Unicode's composed form, without the space around it.

    What is far too long is refused before it is composed: that takes quadratic time on text made for it.
    """
    if len(value) > 4 * longest:
        message = _("At most %(most)d characters are taken; these are %(given)d.")
        raise Invalid({field: message % {"most": longest, "given": len(value)}})
    return unicodedata.normalize("NFC", value).strip()


def name(value: str, *, field: str = "name") -> str:
    """A name as it is kept.

    Raises Invalid when it is empty, over 255 characters long, or holds a line break or control character.
    """
    value = composed(value, NAME_LENGTH, field=field)
    if not value:
        raise Invalid({field: _("A name is needed.")})
    if len(value) > NAME_LENGTH:
        message = _("A name has at most %(most)d characters; this one has %(given)d.")
        raise Invalid({field: message % {"most": NAME_LENGTH, "given": len(value)}})
    if any(unicodedata.category(character) in FORBIDDEN_IN_NAMES for character in value):
        raise Invalid({field: _("A name cannot hold line breaks or control characters.")})
    return value


def description(value: str | None, *, field: str = "description") -> str:
    """A description as it is kept: line breaks are welcome, other control characters are not."""
    value = composed(value or "", TEXT_LENGTH, field=field)
    if len(value) > TEXT_LENGTH:
        message = _("A description has at most %(most)d characters; this one has %(given)d.")
        raise Invalid({field: message % {"most": TEXT_LENGTH, "given": len(value)}})
    if any(unicodedata.category(c) in {"Cc", "Cs"} and c not in "\n\r\t" for c in value):
        raise Invalid({field: _("A description cannot hold control characters.")})
    return value


def amid(label: object) -> str:
    """A label inside a sentence, in small letters where the language writes its nouns so."""
    is_small = pgettext("how nouns are written inside a sentence: small or capital", "small") == "small"
    return str(label).lower() if is_small else str(label)
