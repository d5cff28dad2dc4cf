"""Addresses: the one form they are kept in, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.accounts.addresses import normalized
from apps.core.errors import Invalid


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Ana@Example.COM", "ana@example.com"),
        ("  ana+tag@example.com ", "ana+tag@example.com"),
        ("o'brien@example.com", "o'brien@example.com"),
        ("ana@b\u00fccher.example", "ana@xn--bcher-kva.example"),
    ],
)
def test_an_address_has_one_form(typed: str, kept: str) -> None:
    assert normalized(typed) == kept
    assert normalized(kept) == kept


@pytest.mark.parametrize(
    "typed",
    [
        '"a\x0b\x0bdear\\ customer/"@x.example',
        '"member"@acme.example',
        '"\x1b[31mred"@example.com',
        "a@[127.0.0.1]",
        "a@@example.com",
        "a b@example.com",
        "\u212aelvin@example.com",
        "ana@example.com\r\nBcc: x@example.com",
        "ana@" + "a" * 100_000 + ".example",
        "a" * 100_000 + "@example.com",
    ],
)
def test_what_is_no_plain_address_is_refused(typed: str) -> None:
    with pytest.raises(Invalid):
        normalized(typed)


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_is_taken_is_one_printable_line_of_ascii(local: str, domain: str) -> None:
    try:
        kept = normalized(f"{local}@{domain}")
    except Invalid:
        return
    assert kept.isascii()
    assert kept.isprintable()
    assert kept == kept.lower()
    assert kept.count("@") == 1
