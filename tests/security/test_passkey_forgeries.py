"""Passkeys: each forgery alone is refused, by one error, whatever the parsers below it raise."""

import secrets
from typing import Any

import pytest

from auth_service.passkey.errors import CredentialInvalid, SignCountNotIncreased
from tests.support.passkeys import (
    OTHER_USER_ID,
    PAGE,
    SHOP,
    USER_ID,
    an_authenticator,
    authenticate,
    created,
    register,
    registered,
    verify,
)
from tests.support.software_authenticator import (
    AT,
    BS,
    EDDSA,
    ES256,
    RS256,
    UP,
    UV,
    b64url,
    new_key,
)

CHALLENGE = secrets.token_bytes(32)
EVIL = "https://evil.example"
NESTED = b'{"type":' + b"[" * 2000
CLIENT_DATA: dict[str, dict[str, Any]] = {
    "another site": {"origin": EVIL},
    "our name inside another": {"origin": f"{PAGE}.evil.example"},
    "another name before ours": {"origin": "https://evil-shop.example"},
    "without https": {"origin": "http://app.shop.example"},
    "another port": {"origin": f"{PAGE}:8443"},
    "a path": {"origin": f"{PAGE}/"},
    "other case": {"origin": PAGE.upper()},
    "the domain itself, not listed": {"origin": "https://shop.example"},
    "another subdomain": {"origin": "https://cdn.shop.example"},
    "another Android app": {"origin": "android:apk-key-hash:" + "A" * 43},
    "opaque origin": {"origin": "null"},
    "no origin": {"origin": None},
    "list of origins": {"origin": [PAGE]},
    "payment": {"type": "payment.get"},
    "empty type": {"type": ""},
    "no type": {"type": None},
    "another challenge": {"challenge": b64url(secrets.token_bytes(32))},
    "shorter challenge": {"challenge": b64url(CHALLENGE[:16])},
    "empty challenge": {"challenge": ""},
    "no challenge": {"challenge": None},
    "number as challenge": {"challenge": 1},
    "in a frame": {"client_data": {"crossOrigin": True}},
    "in a frame, as text": {"client_data": {"crossOrigin": "true"}},
    "in another's frame": {"client_data": {"crossOrigin": True, "topOrigin": EVIL}},
    "top page alone": {"client_data": {"topOrigin": EVIL}},
    "list of top pages": {"client_data": {"crossOrigin": True, "topOrigin": [PAGE]}},
    "no JSON": {"client_data_text": b"type"},
    "no object": {"client_data_text": b"[]"},
    "null": {"client_data_text": b"null"},
    "no member": {"client_data_text": b"{}"},
    "deeply nested": {"client_data_text": NESTED},
    "no UTF-8": {"client_data_text": b'{"type":"\xff"}'},
    "huge number": {"client_data_text": b'{"a":' + b"9" * 4000 + b"}"},
    "too long": {"client_data": {"other": "x" * 4096}},
}
DATA: dict[str, dict[str, Any]] = {
    "another domain": {"rp_id": "evil.example"},
    "our page's host": {"rp_id": "app.shop.example"},
    "no domain": {"rp_id": ""},
    "user absent": {"flags": UV | AT},
    "backed up, but not eligible": {"flags": UP | UV | BS | AT},
}


def refuse_registration(**forged: Any) -> None:
    authenticator = an_authenticator()
    credential = created(authenticator, CHALLENGE, **forged)
    with pytest.raises(CredentialInvalid):
        SHOP.verify_registration(credential, CHALLENGE)


def refuse_authentication(**forged: Any) -> None:
    authenticator = an_authenticator()
    passkey = registered(authenticator)
    credential = authenticator.get(SHOP.authentication_options(CHALLENGE), **forged)
    with pytest.raises(CredentialInvalid) as refused:
        verify(credential, CHALLENGE, passkey)
    assert not isinstance(refused.value, SignCountNotIncreased)


@pytest.mark.parametrize("forged", CLIENT_DATA.values(), ids=CLIENT_DATA)
def test_registration_forged_client_data_is_refused(forged: dict[str, Any]) -> None:
    refuse_registration(**forged)


@pytest.mark.parametrize("forged", CLIENT_DATA.values(), ids=CLIENT_DATA)
def test_authentication_forged_client_data_is_refused(forged: dict[str, Any]) -> None:
    refuse_authentication(**forged)


@pytest.mark.parametrize("forged", DATA.values(), ids=DATA)
def test_registration_forged_authenticator_data_is_refused(forged: dict[str, Any]) -> None:
    refuse_registration(**forged)


@pytest.mark.parametrize("forged", DATA.values(), ids=DATA)
def test_authentication_forged_authenticator_data_is_refused(forged: dict[str, Any]) -> None:
    flags = {"flags": forged["flags"] & ~AT} if "flags" in forged else {}
    refuse_authentication(**(forged | flags))


def test_registration_of_an_assertion_is_refused() -> None:
    refuse_registration(type="webauthn.get")


def test_authentication_by_a_registration_is_refused() -> None:
    refuse_authentication(type="webauthn.create")


def test_registration_without_attested_credential_is_refused() -> None:
    refuse_registration(flags=UP | UV)


@pytest.mark.parametrize("length", [1024, 4000])
def test_registration_long_credential_id_is_refused(length: int) -> None:
    with pytest.raises(CredentialInvalid):
        register(an_authenticator(credential_id=bytes(length)))


def test_registration_other_credential_id_than_attested_is_refused() -> None:
    credential = created(an_authenticator(), CHALLENGE)
    name = b64url(bytes(32))
    with pytest.raises(CredentialInvalid):
        SHOP.verify_registration(credential | {"id": name, "rawId": name}, CHALLENGE)


def test_authentication_forged_signature_is_refused() -> None:
    refuse_authentication(signature=secrets.token_bytes(71))
    refuse_authentication(signature=b"\0")


@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256])
def test_authentication_by_another_key_is_refused(algorithm: int) -> None:
    authenticator = an_authenticator(algorithm=algorithm)
    passkey = registered(authenticator)
    authenticator.key = new_key(algorithm)
    with pytest.raises(CredentialInvalid):
        authenticate(authenticator, passkey)


@pytest.mark.parametrize("algorithm", [EDDSA, RS256])
def test_authentication_by_another_algorithm_is_refused(algorithm: int) -> None:
    authenticator = an_authenticator()
    passkey = registered(authenticator)
    authenticator.algorithm, authenticator.key = algorithm, new_key(algorithm)
    with pytest.raises(CredentialInvalid):
        authenticate(authenticator, passkey)


def test_authentication_altered_data_under_a_right_signature_is_refused() -> None:
    authenticator = an_authenticator(flags=UP)
    passkey = registered(authenticator)
    options = SHOP.authentication_options(CHALLENGE)
    unverified = authenticator.get(options)
    verified = authenticator.get(options, flags=UP | UV)
    unverified["response"]["authenticatorData"] = verified["response"]["authenticatorData"]
    with pytest.raises(CredentialInvalid):
        verify(unverified, CHALLENGE, passkey)


def test_authentication_as_only_factor_without_user_verification_is_refused() -> None:
    refuse_authentication(flags=UP)


@pytest.mark.parametrize("handle", [OTHER_USER_ID.bytes, b"\0", None, b""])
def test_authentication_as_only_factor_without_the_owners_handle_is_refused(
    handle: bytes | None,
) -> None:
    refuse_authentication(user_handle=handle)


def test_authentication_as_second_factor_with_anothers_handle_is_refused() -> None:
    authenticator = an_authenticator()
    with pytest.raises(CredentialInvalid):
        authenticate(
            authenticator, registered(authenticator), USER_ID, user_handle=OTHER_USER_ID.bytes
        )


@pytest.mark.parametrize("handle", [USER_ID.bytes, OTHER_USER_ID.bytes, None])
def test_authentication_by_own_passkey_as_anothers_second_factor_is_refused(
    handle: bytes | None,
) -> None:
    # as in CVE-2025-26788, where the passkey of any user completed another user's sign-in
    authenticator = an_authenticator()
    with pytest.raises(CredentialInvalid):
        authenticate(authenticator, registered(authenticator), OTHER_USER_ID, user_handle=handle)


def test_authentication_by_another_passkey_than_stored_is_refused() -> None:
    authenticator, other = an_authenticator(), an_authenticator()
    registered(other)
    with pytest.raises(CredentialInvalid):
        authenticate(other, registered(authenticator))


def test_authentication_repeated_for_a_new_challenge_is_refused() -> None:
    authenticator = an_authenticator()
    passkey = registered(authenticator)
    credential = authenticator.get(SHOP.authentication_options(CHALLENGE))
    verify(credential, CHALLENGE, passkey)
    with pytest.raises(CredentialInvalid):
        verify(credential, secrets.token_bytes(32), passkey)


@pytest.mark.parametrize(("stored", "received"), [(5, 5), (5, 4), (5, 0), (1, 0)])
def test_authentication_sign_count_not_increased_is_reported(stored: int, received: int) -> None:
    authenticator = an_authenticator()
    passkey = registered(authenticator, sign_count=stored)
    with pytest.raises(SignCountNotIncreased) as refused:
        authenticate(authenticator, passkey, sign_count=received)
    assert (refused.value.stored, refused.value.received) == (stored, received)
    assert refused.value.code == CredentialInvalid.code


def test_authentication_forged_response_is_no_report_of_a_copy() -> None:
    # else anyone who knows a credential id could fill the audit log with alarms
    authenticator = an_authenticator()
    passkey = registered(authenticator, sign_count=5)
    with pytest.raises(CredentialInvalid) as refused:
        authenticate(authenticator, passkey, sign_count=1, signature=secrets.token_bytes(71))
    assert not isinstance(refused.value, SignCountNotIncreased)
