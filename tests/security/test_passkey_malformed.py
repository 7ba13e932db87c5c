"""Passkeys: malformed responses raise `CredentialInvalid`, and no error of a parser below it."""

import base64
import secrets
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auth_service.passkey.errors import CredentialInvalid
from tests.support.long_runs import amount
from tests.support.passkeys import (
    SHOP,
    USER_ID,
    an_authenticator,
    created,
    register,
    registered,
    verify,
)
from tests.support.software_authenticator import ES256, b64url, cose_key, new_key

SLOW_PATTERN = cbor2.CBORTag(35, "(?i)" + "[\x01-\uffff]" * 400)
"""A decoder that acts on this tag compiles a regular expression, for seconds."""
CHALLENGE = secrets.token_bytes(32)
AUTHENTICATOR = an_authenticator()
NEW = created(AUTHENTICATOR, CHALLENGE)
PASSKEY = registered(AUTHENTICATOR)
SIGNED = AUTHENTICATOR.get(SHOP.authentication_options(CHALLENGE))
PARTS = [(one, name) for one in (NEW, SIGNED) for name in one["response"] if name != "userHandle"]


def check(original: dict[str, Any], credential: object) -> None:
    """Verify a credential as the original is verified."""
    if original is NEW:
        SHOP.verify_registration(credential, CHALLENGE)
    else:
        verify(credential, CHALLENGE, PASSKEY)


def with_part(original: dict[str, Any], name: str, value: object) -> dict[str, Any]:
    return original | {"response": original["response"] | {name: value}}


@pytest.mark.parametrize("original", [NEW, SIGNED], ids=["new", "signed"])
@pytest.mark.parametrize("name", ["id", "rawId", "type", "response"])
@pytest.mark.parametrize("value", [None, 1, "", "é", [], {}, "A" * 10_000])
def test_credential_malformed_member_is_refused(
    original: dict[str, Any], name: str, value: object
) -> None:
    check(original, original)
    with pytest.raises(CredentialInvalid):
        check(original, original | {name: value})


@pytest.mark.parametrize(("original", "name"), PARTS)
@pytest.mark.parametrize("value", [None, 1, "", "A", "====", "é", "A B=", [], {}, "A" * 100_000])
def test_credential_malformed_part_is_refused(
    original: dict[str, Any], name: str, value: object
) -> None:
    with pytest.raises(CredentialInvalid):
        check(original, with_part(original, name, value))


@pytest.mark.parametrize("value", [1, "A", "é", [], {}, False, "A" * 1000])
def test_credential_malformed_user_handle_is_refused(value: object) -> None:
    credential = with_part(SIGNED, "userHandle", value)
    with pytest.raises(CredentialInvalid):
        verify(credential, CHALLENGE, PASSKEY, USER_ID)


@pytest.mark.parametrize("original", [NEW, SIGNED], ids=["new", "signed"])
@pytest.mark.parametrize("credential", [None, 1, "", "{}", [], {}])
def test_credential_that_is_none_is_refused(original: dict[str, Any], credential: object) -> None:
    with pytest.raises(CredentialInvalid):
        check(original, credential)


@pytest.mark.long
@settings(max_examples=amount(300, 5_000), deadline=None)
@given(
    part=st.sampled_from(PARTS),
    place=st.integers(0, 4000),
    piece=st.binary(min_size=1, max_size=12),
)
def test_credential_altered_anywhere_raises_no_other_error(
    part: tuple[dict[str, Any], str], place: int, piece: bytes
) -> None:
    original, name = part
    data = bytearray(base64.urlsafe_b64decode(original["response"][name] + "=="))
    place %= len(data)
    data[place : place + len(piece)] = piece
    altered = with_part(original, name, b64url(bytes(data)))
    try:
        check(original, altered)
    except CredentialInvalid:
        return
    # nothing signs a registration; in an authentication no bit is free
    assert original is NEW or altered == original


@pytest.mark.parametrize(
    "attestation",
    [
        b"",
        b"\xa0",
        b"\x80",
        b"\x60",
        b"\xbf\xff",
        b"\xbb" + b"\xff" * 8,
        cbor2.dumps({"authData": "text"}),
        cbor2.dumps({1: b"", "authData": b""}),
        cbor2.dumps({"authData": b""}) + b"\0",
        cbor2.dumps({"fmt": "none", "attStmt": {}}),
        b"\xa2" + 2 * (b"\x68authData\x41" + b"\0"),
        b"\xa1\x67attStmt" + b"\x81" * 20_000,
        b"\xa1\x68authData\x5a\xff\xff\xff\xff",
        b"\xa1\x68authData\x59",
    ],
)
def test_registration_malformed_attestation_object_is_refused(attestation: bytes) -> None:
    with pytest.raises(CredentialInvalid):
        check(NEW, with_part(NEW, "attestationObject", b64url(attestation)))


@pytest.mark.parametrize(
    "value",
    [SLOW_PATTERN, [SLOW_PATTERN], {"a": {"b": SLOW_PATTERN}}, cbor2.CBORTag(2, b"1")],
)
def test_tag_in_authenticator_data_is_refused_before_decoding(value: object) -> None:
    extensions: dict[str, Any] = {"extensions": {"tagged": value}}
    signed = AUTHENTICATOR.get(SHOP.authentication_options(CHALLENGE), **extensions)
    with pytest.raises(
        CredentialInvalid,
    ) as refused:
        verify(signed, CHALLENGE, PASSKEY)
    assert "without tags" in (refused.value.reason or "")
    for forged in (extensions, {"key": cbor2.dumps({1: value})}):
        with pytest.raises(CredentialInvalid) as refused:
            check(NEW, created(an_authenticator(), CHALLENGE, **forged))
        assert "without tags" in (refused.value.reason or "")


def test_key_with_unneeded_members_is_bounded() -> None:
    key = cose_key(new_key(ES256), ES256)
    assert register(an_authenticator(), key=cbor2.dumps(key | {-70000: bytes(3000)})).public_key
    with pytest.raises(CredentialInvalid):
        register(an_authenticator(), key=cbor2.dumps(key | {-70000: bytes(4096)}))
