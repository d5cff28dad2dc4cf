"""Free text: what is kept, and what is refused before it costs anything."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core import text
from apps.core.errors import Invalid

HOSTILE = "a" + "\u0315" * 200_000 + "\u0300" * 200_000  # takes hours to compose


@pytest.mark.parametrize("read", [text.name, text.description])
def test_text_made_to_be_slow_is_refused_before_it_is_composed(read) -> None:
    with pytest.raises(Invalid, match="At most"):
        read(HOSTILE)


@given(st.text(max_size=300))
def test_a_name_that_is_kept_is_one_line_in_composed_form(typed: str) -> None:
    try:
        kept = text.name(typed)
    except Invalid:
        return
    assert kept == unicodedata.normalize("NFC", kept).strip()
    assert 0 < len(kept) <= 255
    assert len(kept.splitlines()) == 1
    assert text.name(kept) == kept
