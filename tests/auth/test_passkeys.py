"""Passkeys that honest browsers, apps and authenticators make, however unusual, are accepted."""

import base64
import json
import secrets
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from auth_service.passkey.errors import PasskeysUnavailable
from auth_service.passkey.model import AuthenticatorState, Passkey
from tests.support.passkeys import (
    APP,
    OTHER_PAGE,
    PAGE,
    SHOP,
    USER_ID,
    a_user,
    an_authenticator,
    authenticate,
    created,
    register,
    registered,
    verify,
)
from tests.support.software_authenticator import BE, BS, EDDSA, ES256, RS256, UP, UV, b64url

CHALLENGE = secrets.token_bytes(32)
PASSKEY = Passkey(b"\1\2\3", USER_ID, b"", 0, ("hybrid", "internal"))


def test_registration_options_prefer_a_discoverable_passkey_without_attestation() -> None:
    options = SHOP.registration_options(a_user(), CHALLENGE, [PASSKEY])
    assert json.loads(json.dumps(options)) == {
        "rp": {"id": "shop.example", "name": "Shop"},
        "user": {
            "id": b64url(USER_ID.bytes),
            "name": "asha@shop.example",
            "displayName": "Asha Rao",
        },
        "challenge": b64url(CHALLENGE),
        "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in (-7, -8, -257)],
        "timeout": 300_000,
        "excludeCredentials": [
            {"id": "AQID", "type": "public-key", "transports": ["hybrid", "internal"]}
        ],
        "authenticatorSelection": {
            "residentKey": "preferred",
            "requireResidentKey": False,
            "userVerification": "preferred",
        },
        "attestation": "none",
    }


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"username": "asha"}, "asha"),
        ({"email": None, "phone_number": "+919876543210", "phone_verified": True}, "+919876543210"),
        ({"email_verified": False}, str(USER_ID)),
    ],
)
def test_registration_options_name_the_user_by_what_is_verified(
    changes: dict[str, Any], name: str
) -> None:
    user = a_user(**changes, name="")
    assert SHOP.registration_options(user, CHALLENGE, ())["user"]["name"] == name


def test_authentication_options_of_an_only_factor_name_no_passkey() -> None:
    assert SHOP.authentication_options(CHALLENGE) == {
        "challenge": b64url(CHALLENGE),
        "timeout": 300_000,
        "rpId": "shop.example",
        "allowCredentials": [],
        "userVerification": "required",
    }


def test_authentication_options_of_a_second_factor_name_the_users_passkeys() -> None:
    options = SHOP.authentication_options(CHALLENGE, [PASSKEY])
    assert [one["id"] for one in options["allowCredentials"]] == ["AQID"]
    assert options["userVerification"] == "preferred"


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "192.168.1.5"])
def test_options_of_an_address_are_refused_with_the_cure(address: str) -> None:
    party = replace(SHOP, id=address)
    with pytest.raises(PasskeysUnavailable, match="localhost"):
        party.registration_options(a_user(), CHALLENGE, ())
    with pytest.raises(PasskeysUnavailable, match="localhost"):
        party.authentication_options(CHALLENGE)


@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256])
@pytest.mark.parametrize("origin", [PAGE, OTHER_PAGE, APP])
def test_passkey_of_each_algorithm_and_origin_is_accepted(algorithm: int, origin: str) -> None:
    authenticator = an_authenticator(algorithm=algorithm, origin=origin)
    passkey = registered(authenticator)
    assert authenticate(authenticator, passkey).user_verified
    assert authenticate(authenticator, passkey, USER_ID).user_verified


@pytest.mark.parametrize("counts", [(0, 0, 0), (0, 1, 2), (7, 8, 4_294_967_295)])
def test_passkey_with_a_sign_count_that_stays_0_or_rises_is_accepted(
    counts: tuple[int, int, int],
) -> None:
    authenticator = an_authenticator(sign_count=counts[0])
    passkey = registered(authenticator)
    for count in counts[1:]:
        state = authenticate(authenticator, passkey, sign_count=count)
        assert state.sign_count == count
        passkey = replace(passkey, sign_count=count)


@pytest.mark.parametrize(
    ("flags", "state"),
    [
        (UP | UV, AuthenticatorState(0, True, False, False)),
        (UP | UV | BE, AuthenticatorState(0, True, True, False)),
        (UP | UV | BE | BS, AuthenticatorState(0, True, True, True)),
        (UP, AuthenticatorState(0, False, False, False)),
    ],
)
def test_passkey_state_is_what_its_authenticator_says(
    flags: int, state: AuthenticatorState
) -> None:
    authenticator = an_authenticator(flags=flags)
    assert register(authenticator).state == state
    assert authenticate(authenticator, registered(authenticator), USER_ID) == state


def test_passkey_that_becomes_eligible_for_backup_is_accepted() -> None:
    # KeePassXC's update to 2.7.12 did so to every passkey; servers that compared locked users out
    authenticator = an_authenticator()
    passkey = registered(authenticator)
    assert authenticate(authenticator, passkey, flags=UP | UV | BE | BS).backup_eligible


@pytest.mark.parametrize("handle", [None, b""])
def test_security_key_without_user_handle_is_accepted_as_second_factor(
    handle: bytes | None,
) -> None:
    authenticator = an_authenticator(flags=UP)
    passkey = registered(authenticator)
    assert not authenticate(authenticator, passkey, USER_ID, user_handle=handle).user_verified


@pytest.mark.parametrize(
    "statement",
    [
        {"fmt": "packed", "attStmt": {"alg": -7, "sig": b"\1", "x5c": [b"no certificate"]}},
        {"fmt": "android-safetynet", "attStmt": {"ver": "1", "response": b"no token"}},
        {"fmt": "of-next-year", "attStmt": {"nested": [[[[[{"deeply": 1.5}]]]]]}},
        {"fmt": None, "attStmt": None},
        {"attStmt": {"sig": b"none has no signature"}},
    ],
)
def test_registration_with_unrequested_statement_is_accepted(
    statement: dict[str, Any],
) -> None:
    assert register(an_authenticator(), attestation=statement).public_key


@pytest.mark.parametrize("extensions", [{"credProtect": 2}, {"hmac-secret": True, "minPin": 4}])
def test_passkey_with_extensions_is_accepted(extensions: dict[str, Any]) -> None:
    authenticator = an_authenticator()
    assert register(authenticator, extensions=extensions).credential_id
    state = authenticate(authenticator, registered(authenticator), extensions=extensions)
    assert state.user_verified


@pytest.mark.parametrize("length", [1, 16, 64, 1023])
def test_credential_id_of_each_length_is_accepted(length: int) -> None:
    authenticator = an_authenticator(credential_id=secrets.token_bytes(length))
    assert authenticate(authenticator, registered(authenticator)).user_verified


def test_rsa_key_of_4096_bits_is_accepted() -> None:
    key = generate_private_key(65537, 4096)
    authenticator = an_authenticator(algorithm=RS256, key=key)
    assert authenticate(authenticator, registered(authenticator)).user_verified


@pytest.mark.parametrize(
    "client_data",
    [
        {"androidPackageName": "example.shop"},
        {"other_keys_can_be_added_here": "do not compare clientDataJSON against a template"},
        {"crossOrigin": True, "topOrigin": OTHER_PAGE},
        {"tokenBinding": {"status": "supported"}},
        {"tokenBinding": "unused"},
        {"hashAlgorithm": "SHA-256", "clientExtensions": {}},
    ],
)
def test_client_data_with_more_members_is_accepted(client_data: dict[str, Any]) -> None:
    authenticator = an_authenticator()
    assert register(authenticator, client_data=client_data).credential_id
    state = authenticate(authenticator, registered(authenticator), client_data=client_data)
    assert state.user_verified


def test_client_data_as_ios_writes_it_is_accepted() -> None:
    # other order, escaped slashes, no crossOrigin
    authenticator = an_authenticator()
    passkey = registered(authenticator)
    members = {"origin": PAGE, "challenge": b64url(CHALLENGE), "type": "webauthn.get"}
    text = json.dumps(members).replace("/", "\\/").encode()
    signed = authenticator.get(SHOP.authentication_options(CHALLENGE), client_data_text=text)
    assert verify(signed, CHALLENGE, passkey).user_verified


def padded(text: str) -> str:
    return text + "=" * (-len(text) % 4)


def standard(text: str) -> str:
    return base64.b64encode(base64.urlsafe_b64decode(padded(text))).decode()


@pytest.mark.parametrize("encode", [padded, standard])
def test_credential_padded_or_in_the_other_alphabet_is_accepted(encode: Any) -> None:
    authenticator = an_authenticator(credential_id=b"\xfb\xff\xfe\xff")
    passkey = registered(authenticator)
    new = created(authenticator, CHALLENGE)
    signed = authenticator.get(SHOP.authentication_options(CHALLENGE))
    for credential in (new, signed):
        credential["id"] = credential["rawId"] = encode(credential["id"])
        parts = credential["response"]
        credential["response"] = {name: encode(text) for name, text in parts.items()}
    assert SHOP.verify_registration(new, CHALLENGE).credential_id == passkey.credential_id
    assert verify(signed, CHALLENGE, passkey).user_verified


@pytest.mark.parametrize("attachment", ["platform", "cross-platform", "", "of-next-year", None, 1])
def test_credential_with_what_browsers_add_is_accepted(attachment: object) -> None:
    authenticator = an_authenticator()
    new = created(authenticator, CHALLENGE)
    signed = authenticator.get(SHOP.authentication_options(CHALLENGE))
    added = {
        "authenticatorAttachment": attachment,
        "clientExtensionResults": {"credProps": {"rk": True}, "appid": False},
    }
    new["response"] |= {
        "transports": ["internal", "hybrid", "of-next-year", 1, [], "internal"],
        "publicKeyAlgorithm": -7,
        "publicKey": "AAAA",
        "authenticatorData": "AAAA",
    }
    passkey = SHOP.verify_registration(new | added, CHALLENGE)
    assert passkey.transports == ("hybrid", "internal")
    assert verify(signed | added, CHALLENGE, registered(authenticator)).user_verified
