"""Opaque secrets: recognisable, checked by a checksum, stored only as a digest."""

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.opaque_tokens import ALPHABET, encode_token, has_valid_checksum, hash_token

SECRETS = st.binary(min_size=32, max_size=32)


@given(SECRETS)
def test_token_encoded_is_well_formed_with_fixed_length(secret: bytes) -> None:
    token = encode_token("chr_", secret)
    assert has_valid_checksum("chr_", token)
    assert len(token) == 4 + 43 + 6
    assert set(token[4:]) <= set(ALPHABET)


@given(SECRETS, SECRETS)
def test_tokens_of_two_secrets_differ(one: bytes, other: bytes) -> None:
    assert (encode_token("chr_", one) == encode_token("chr_", other)) == (one == other)


@given(SECRETS, st.data())
def test_token_with_one_wrong_character_fails_its_checksum(
    secret: bytes, data: st.DataObject
) -> None:
    token = encode_token("chr_", secret)
    place = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(st.sampled_from(ALPHABET).filter(lambda c: c != token[place]))
    assert not has_valid_checksum("chr_", token[:place] + character + token[place + 1 :])


@given(st.text(max_size=80))
def test_token_of_any_text_never_crashes_the_check(text: str) -> None:
    assert not has_valid_checksum("chr_", text)
    assert not has_valid_checksum("chr_", f"chr_{text}")


@pytest.mark.parametrize("change", [str.lower, str.upper, lambda t: t + "0", lambda t: t[:-1]])
def test_token_in_another_case_or_length_fails_its_checksum(change: Callable[[str], str]) -> None:
    token = encode_token("chr_", bytes(range(32)))
    assert not has_valid_checksum("chr_", change(token))


def test_token_hash_is_sha_256() -> None:
    token = encode_token("chr_", bytes(range(32)))
    assert hash_token(token) == hashlib.sha256(token.encode()).digest()
