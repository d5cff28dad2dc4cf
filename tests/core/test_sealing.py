"""Secrets that are read again: each opens in its own place, with its own key, or not at all."""

from typing import Any

import pytest

from apps.core import sealing
from apps.core.sealing import Unreadable

HERE = "app.Model.field:1"


def test_a_secret_comes_back() -> None:
    assert sealing.unseal(sealing.seal("sésame", place=HERE), place=HERE) == "sésame"


def test_no_two_seals_are_alike() -> None:
    assert len({sealing.seal("sesame", place=HERE) for _ in range(1000)}) == 1000


def test_a_seal_opens_nowhere_else() -> None:
    with pytest.raises(Unreadable):
        sealing.unseal(sealing.seal("sesame", place=HERE), place="app.Model.field:2")


def test_an_older_key_opens_what_it_sealed(settings: Any) -> None:
    older = sealing.seal("sesame", place=HERE)
    settings.ENCRYPTION_KEYS = {2: "a-newer-key-" + "n" * 40, **settings.ENCRYPTION_KEYS}
    assert sealing.unseal(older, place=HERE) == "sesame"
    assert sealing.seal("sesame", place=HERE).startswith("v1.2.")
    settings.ENCRYPTION_KEYS = {2: "a-newer-key-" + "n" * 40}
    with pytest.raises(Unreadable):
        sealing.unseal(older, place=HERE)


@pytest.mark.parametrize("change", [lambda s: s[:-2] + "AA", lambda s: s.replace("v1.1", "v1.2"), lambda s: s[3:]])
def test_what_was_altered_is_refused(change: Any) -> None:
    with pytest.raises(Unreadable):
        sealing.unseal(change(sealing.seal("sesame", place=HERE)), place=HERE)


@pytest.mark.parametrize("junk", ["", "v1", "v1.1.", "v1.x.AAAA", "v1.1.é", "..", "v1.1.AAAA"])
def test_junk_is_refused(junk: str) -> None:
    with pytest.raises(Unreadable):
        sealing.unseal(junk, place=HERE)
