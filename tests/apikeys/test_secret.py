"""How secrets are made, recognised and digested."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.access.scopes import KeyType
from apps.apikeys import secret
from apps.apikeys.secret import ALPHABET, digests_of_invitation, digests_of_key, new_invitation_token, new_key


@pytest.mark.parametrize(
    ("key_type", "prefix"), [(KeyType.ORGANIZATION, "gtho_"), (KeyType.WORKSPACE, "gthw_"), (KeyType.USER, "gthu_")]
)
def test_ten_thousand_keys_are_well_formed_and_all_different(key_type: KeyType, prefix: str) -> None:
    made = {new_key(key_type).clear for _ in range(10_000 if key_type is KeyType.USER else 100)}
    assert len(made) in {100, 10_000}
    for clear in made:
        assert clear.startswith(prefix)
        assert len(clear) == 5 + 32 + 6
        assert digests_of_key(clear)


@given(st.text(max_size=60))
def test_anything_else_is_no_key(text: str) -> None:
    assert digests_of_key(text) == []
    assert digests_of_key("gthw_" + text) == []


@given(st.integers(0, 42), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed(position: int, character: str) -> None:
    clear = new_key(KeyType.WORKSPACE).clear
    changed = clear[:position] + character + clear[position + 1 :]
    assert (digests_of_key(changed) == []) is (changed != clear)


def test_a_key_is_no_invitation_and_an_invitation_no_key() -> None:
    assert digests_of_invitation(new_key(KeyType.USER).clear) == []
    assert digests_of_key(new_invitation_token().clear) == []


def test_the_digest_depends_on_the_pepper(settings: object) -> None:
    made = new_key(KeyType.USER)
    before = made.digest
    settings.KEY_PEPPERS = {2: "q" * 40}  # type: ignore[attr-defined]
    assert made.digest != before


def test_an_older_pepper_still_verifies(settings: object) -> None:
    made = new_key(KeyType.USER)
    before = made.digest
    settings.KEY_PEPPERS = {2: "q" * 40, **settings.KEY_PEPPERS}  # type: ignore[attr-defined]
    assert before in digests_of_key(made.clear)
    assert secret.pepper_version() == 2


def test_a_secret_shows_only_its_mask() -> None:
    made = new_key(KeyType.USER)
    assert made.clear not in f"{made} {made!r}"
    assert str(made) == f"gthu_********{made.clear[-4:]}"
