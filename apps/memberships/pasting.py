"""Addresses as people paste them: from a list, a spreadsheet, or the line of a letter that names its readers."""

import re
from typing import Final, NamedTuple

# Between entries. A comma may also stand inside a name, which is why it is looked at separately.
_ENDS: Final = "\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029;\uff1b"
_COMMAS: Final = ",\uff0c\u3001\u060c"
_LINE: Final = re.compile(rf'(?:"[^"\n\r]*"|[^"{_ENDS}])+')
_PART: Final = re.compile(rf'(?:"[^"\n\r]*"|[^"{_COMMAS}])+')
_BRACKETED: Final = re.compile(r"<([^<>]*)>[\s.]*$")
_AROUND: Final = " \u00a0\u200b\ufeff'\"<>()[]"


class Pasted(NamedTuple):
    """One entry: as it stands in the list, and what in it should be the address."""

    typed: str
    address: str


def entries(text: str) -> list[Pasted]:
    """What was pasted, entry by entry: `a@x, b@x`, one a line, `Ana <a@x>`, `"Doe, Jane" <j@x>`, `Doe, Jane <j@x>`."""
    if text.count('"') % 2:  # one that is never closed: none of them is taken for the sign around a name
        text = text.replace('"', " ")
    return [_read(part) for line in _LINE.findall(text) for part in _parts(line)]


def _parts(line: str) -> list[str]:
    """A name before the comma belongs to the bracketed address behind it; many mail programs write people so."""
    parts: list[str] = []
    for part in (found.strip() for found in _PART.findall(line)):
        if not part:
            continue
        if parts and _is_bare_name(parts[-1]) and _BRACKETED.search(part):
            parts[-1] = f"{parts[-1]}, {part}"
        else:
            parts += part.split() if part.count("@") > 1 and "<" not in part else [part]
    return parts


def _is_bare_name(part: str) -> bool:
    return not re.search(r"[@<>.\d]", part)


def _read(part: str) -> Pasted:
    bracketed = _BRACKETED.search(part)
    address = (bracketed[1] if bracketed else part).strip(_AROUND)
    return Pasted(part, re.sub(r"^mailto:", "", address, flags=re.IGNORECASE).strip(_AROUND))
