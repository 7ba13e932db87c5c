"""Derived keys: one per purpose, the first signs and seals, every one verifies and opens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_service.keyring import LABELS, Keyring, Label, SealBrokenError
from shared.entropy import SystemEntropy

OLD, NEW = b"o" * 40, b"n" * 40


def keyring(*secrets: bytes) -> Keyring:
    return Keyring(secrets, SystemEntropy())


@given(st.binary(max_size=200), st.sampled_from(LABELS))
def test_keyring_sealed_text_is_opened(plain: bytes, label: Label) -> None:
    assert keyring(OLD).open(label, keyring(OLD).seal(label, plain)) == plain


def test_keyring_seals_differ_and_hide_their_text() -> None:
    ring = keyring(OLD)
    sealed = {ring.seal("otp", b"123456") for _ in range(100)}
    assert len(sealed) == 100
    assert not any(b"123456" in each for each in sealed)


def test_keyring_after_rotation_opens_until_its_key_is_dropped() -> None:
    sealed = keyring(OLD).seal("delivery", b"plain")
    assert keyring(NEW, OLD).open("delivery", sealed) == b"plain"
    with pytest.raises(SealBrokenError):
        keyring(NEW).open("delivery", sealed)


def test_keyring_first_key_seals() -> None:
    sealed = keyring(NEW, OLD).seal("delivery", b"plain")
    assert keyring(NEW).open("delivery", sealed) == b"plain"
    with pytest.raises(SealBrokenError):
        keyring(OLD).open("delivery", sealed)


def test_keyring_seal_of_another_purpose_is_broken() -> None:
    sealed = keyring(OLD).seal("otp", b"plain")
    for label in LABELS:
        if label != "otp":
            with pytest.raises(SealBrokenError):
                keyring(OLD).open(label, sealed)


@given(st.integers(0, 200), st.integers(1, 255))
def test_keyring_seal_with_altered_byte_is_broken(place: int, change: int) -> None:
    sealed = bytearray(keyring(OLD).seal("otp", b"plain"))
    sealed[place % len(sealed)] ^= change
    with pytest.raises(SealBrokenError):
        keyring(OLD).open("otp", bytes(sealed))


@given(st.binary(max_size=60))
def test_keyring_random_bytes_are_no_seal(sealed: bytes) -> None:
    with pytest.raises(SealBrokenError):
        keyring(OLD, NEW).open("otp", sealed)


def test_keyring_mac_depends_on_message_purpose_and_key() -> None:
    macs = {
        keyring(secret).mac(label, message)
        for secret in (OLD, NEW)
        for label in LABELS
        for message in (b"one", b"two")
    }
    assert len(macs) == 2 * len(LABELS) * 2


def test_keyring_macs_cover_every_key_in_order() -> None:
    both = keyring(NEW, OLD)
    assert both.macs("refresh", b"x") == [
        keyring(NEW).mac("refresh", b"x"),
        keyring(OLD).mac("refresh", b"x"),
    ]
    assert both.mac("refresh", b"x") == both.macs("refresh", b"x")[0]
