"""Access tokens: every forgery and every slip is refused, and the cache never mixes two up."""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import OKPAlgorithm

from shared.errors import TokenInvalid
from shared.jwks import parse_jwks
from shared.tokens import MAX_TOKEN_BYTES, TokenVerifier
from tests.support.clock import MovableClock
from tests.support.raw_tokens import (
    CLAIMS,
    ED25519,
    JWKS,
    MINT,
    P256,
    USER,
    b64,
    header,
    new_verifier,
    raw_token,
)


def fresh_token() -> str:
    """One that is good from now on, for ten minutes."""
    now = int(datetime.now(UTC).timestamp())
    return MINT.token(USER, iat=now, nbf=now, exp=now + 600)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def verifier(clock: MovableClock) -> TokenVerifier:
    return new_verifier(clock)


def expect_invalid(verifier: TokenVerifier, token: str) -> None:
    for _ in range(2):  # a refusal leaves nothing behind that a second try could find
        with pytest.raises(TokenInvalid):
            verifier.verify(token)


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (raw_token(header(), CLAIMS | {"exp": 1_000_000_000}), "expired"),
        (raw_token(header(), CLAIMS | {"nbf": 9_000_000_000}), "compare the clocks"),
        (raw_token(header(), CLAIMS)[:-6] + "AAAAAA", "forged or altered"),
        (raw_token(header(kid="strange"), CLAIMS), "another stack, or an old key"),
        (raw_token(header(), CLAIMS | {"aud": "elsewhere"}), "JWT_AUDIENCE"),
        (raw_token(header(typ="JWT"), CLAIMS), "no access token of ours"),
        ("undefined", "no access token of ours"),
        ("a" * (MAX_TOKEN_BYTES + 1), "no access token of ours"),
    ],
    ids=lambda value: value[:20],
)
def test_refused_token_has_reason_for_developers_alone(
    verifier: TokenVerifier, token: str, reason: str
) -> None:
    with pytest.raises(TokenInvalid) as refused:
        verifier.verify(token)
    assert reason in (refused.value.reason or "")
    assert refused.value.detail == TokenInvalid.advice


def test_valid_token_gives_its_claims(verifier: TokenVerifier) -> None:
    claims = verifier.verify(raw_token(header(), CLAIMS))
    assert claims.sub == USER
    assert claims.sid == UUID(CLAIMS["sid"])
    assert (claims.jti, claims.gen) == (CLAIMS["jti"], CLAIMS["gen"])
    assert (claims.iat, claims.nbf, claims.exp) == tuple(CLAIMS[k] for k in ("iat", "nbf", "exp"))
    assert (claims.amr, claims.roles) == (("otp",), ())
    assert claims.auth_time == CLAIMS["auth_time"]


def test_es256_token_is_verified(verifier: TokenVerifier) -> None:
    token = jwt.encode(CLAIMS, P256, "ES256", {"kid": "ec", "typ": "at+jwt"})
    assert verifier.verify(token).sub == USER


def unsigned_token() -> str:
    return f"{b64(header(alg='none'))}.{b64(CLAIMS)}."


def hmac_with(key: bytes) -> Callable[[], str]:
    def forge() -> str:
        text = f"{b64(header(alg='HS256'))}.{b64(CLAIMS)}"
        return f"{text}.{b64(hmac.digest(key, text.encode(), hashlib.sha256))}"

    return forge


def foreign_key(**more: Any) -> Callable[[], str]:
    def forge() -> str:
        text = f"{b64(header(**more))}.{b64(CLAIMS)}"
        return f"{text}.{b64(Ed25519PrivateKey.generate().sign(text.encode()))}"

    return forge


def of_the_other_key() -> str:
    """Signed by our P-256 key, under the name of the Ed25519 one."""
    return jwt.encode(CLAIMS, P256, "ES256", {"kid": "ed", "typ": "at+jwt"})


def other_payload() -> str:
    head, _, signature = raw_token(header(), CLAIMS).split(".")
    return f"{head}.{b64(CLAIMS | {'sub': str(uuid4())})}.{signature}"


PUBLIC = ED25519.public_key()
PEM = PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
RAW = PUBLIC.public_bytes(Encoding.Raw, PublicFormat.Raw)
FOREIGN = OKPAlgorithm.to_jwk(Ed25519PrivateKey.generate().public_key(), as_dict=True)


@pytest.mark.parametrize(
    "forge",
    [
        unsigned_token,
        hmac_with(PEM),
        hmac_with(RAW),
        hmac_with(JWKS["keys"][0]["x"].encode()),
        hmac_with(b""),
        foreign_key(),
        foreign_key(kid="unknown"),
        foreign_key(jwk=FOREIGN),
        foreign_key(jku="https://evil.example/jwks.json"),
        foreign_key(x5u="https://evil.example/cert.pem"),
        foreign_key(x5c=["MIIB"]),
        foreign_key(kid="../../dev/null"),
        of_the_other_key,
        other_payload,
    ],
)
def test_forged_token_is_invalid(verifier: TokenVerifier, forge: Callable[[], str]) -> None:
    expect_invalid(verifier, forge())


@pytest.mark.parametrize(
    "strange",
    [
        header(crit=["exp"]),
        header(crit=[]),
        header(b64=False, crit=["b64"]),
        header(jwk=FOREIGN),
        header(jku="https://id.example/jwks.json"),
        header(x5u="https://id.example"),
        header(x5c=[]),
        header(cty="JWT"),
        header(zip="DEF"),
        header(typ="JWT"),
        header(typ="at+JWT "),
        header(typ=None),
        header(alg="ES256"),
        header(alg="eddsa"),
        header(alg=["EdDSA"]),
        header(alg=None),
        header(kid="ec"),
        header(kid="unknown"),
        header(kid=None),
        header(kid=["ed"]),
        header(kid=1),
        {"alg": "EdDSA", "typ": "at+jwt"},
        {"alg": "EdDSA", "kid": "ed"},
        {"typ": "at+jwt", "kid": "ed"},
        {},
        b'{"alg":"EdDSA","typ":"at+jwt","kid":"ec","kid":"ed"}',
        b'{"alg":"EdDSA","typ":"at+jwt","kid":"ed","alg":"EdDSA"}',
        b'[["alg","EdDSA"],["typ","at+jwt"],["kid","ed"]]',
        b"[]",
        b"null",
        b"x",
        b"\xff",
        b"[" * 2000,
    ],
    ids=lambda head: str(head)[:50],
)
def test_token_unexpected_header_is_invalid(
    verifier: TokenVerifier, strange: bytes | dict[str, Any]
) -> None:
    expect_invalid(verifier, raw_token(strange, CLAIMS))


@pytest.mark.parametrize("name", sorted(CLAIMS))
def test_token_missing_claim_is_invalid(verifier: TokenVerifier, name: str) -> None:
    expect_invalid(verifier, raw_token(header(), {k: v for k, v in CLAIMS.items() if k != name}))


NO_NUMBERS: list[object] = [None, "1", 1.5, True, [], {}]
NO_TEXTS: list[object] = [None, 1, True, [], {}]
NO_UUIDS: list[object] = [*NO_TEXTS, "", "x", "0190c8a0"]
NO_LISTS: list[object] = [None, "otp", 1, {}, [1], [None], [["otp"]]]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[(n, v) for n in ("iat", "nbf", "exp", "auth_time", "gen") for v in NO_NUMBERS],
        *[(n, v) for n in ("sub", "sid") for v in NO_UUIDS],
        *[("jti", v) for v in NO_TEXTS],
        *[(n, v) for n in ("amr", "roles") for v in NO_LISTS],
        *[("aud", v) for v in (*NO_TEXTS, "other", "Cheershare", ["other"], [1])],
        *[("iss", v) for v in (*NO_TEXTS, "https://id.example/", "https://evil.example")],
    ],
)
def test_token_invalid_claim_is_invalid(verifier: TokenVerifier, name: str, value: object) -> None:
    expect_invalid(verifier, raw_token(header(), CLAIMS | {name: value}))


@pytest.mark.parametrize(
    "payload", [b"", b"null", b"[]", b"1", b'"x"', b"{", b"\xff", b"[" * 2000, b"9" * 3000],
    ids=lambda payload: payload[:10].hex(),
)  # fmt: skip
def test_token_payload_no_object_is_invalid(verifier: TokenVerifier, payload: bytes) -> None:
    expect_invalid(verifier, raw_token(header(), payload))


def test_signed_token_with_a_duplicate_claim_is_invalid(verifier: TokenVerifier) -> None:
    text = json.dumps(CLAIMS)
    expect_invalid(verifier, raw_token(header(), f'{{"sub": "{uuid4()}", {text[1:]}'.encode()))


def test_known_header_with_another_signature_is_invalid(verifier: TokenVerifier) -> None:
    verifier.verify(raw_token(header(), CLAIMS))
    expect_invalid(verifier, foreign_key()())
    expect_invalid(verifier, other_payload())


def test_known_header_of_a_removed_key_is_invalid(verifier: TokenVerifier) -> None:
    verifier.verify(raw_token(header(), CLAIMS))
    verifier.set_keys({"ec": parse_jwks(JWKS)["ec"]})
    expect_invalid(verifier, raw_token(header(), CLAIMS | {"jti": "another"}))


def test_signed_token_with_huge_numbers_is_invalid(verifier: TokenVerifier) -> None:
    expect_invalid(verifier, raw_token(header(), CLAIMS | {"nbf": 10**400}))
    expect_invalid(verifier, raw_token(header(), CLAIMS | {"exp": -(10**400)}))


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "...", "a.b", "a.b.c", "a.b.c.d", "é.é.é", "\ud800.a.b", "\0", "e30.e30.e30"],
    ids=ascii,
)
def test_malformed_token_is_invalid(verifier: TokenVerifier, token: str) -> None:
    expect_invalid(verifier, token)


@given(st.text())
def test_token_of_any_text_is_invalid(text: str) -> None:
    expect_invalid(new_verifier(MovableClock()), text)


def test_token_above_4_kib_is_invalid(verifier: TokenVerifier) -> None:
    small, huge = (raw_token(header(), CLAIMS | {"roles": ["x" * n]}) for n in (2000, 3000))
    assert len(small) <= MAX_TOKEN_BYTES == 4096 < len(huge)
    verifier.verify(small)
    expect_invalid(verifier, huge)


@pytest.mark.parametrize("known", [False, True])
def test_token_expires_by_the_given_clock(clock: MovableClock, *, known: bool) -> None:
    verifier, token = new_verifier(clock), fresh_token()
    if known:
        verifier.verify(token)
    clock.advance(seconds=600 + 25)  # the leeway is 30 s
    verifier.verify(token)
    clock.advance(seconds=10)
    expect_invalid(verifier, token)


@pytest.mark.parametrize("known", [False, True])
def test_token_before_its_nbf_is_invalid(clock: MovableClock, *, known: bool) -> None:
    verifier, token = new_verifier(clock), fresh_token()
    if known:
        verifier.verify(token)
    clock.offset = timedelta(seconds=-25)
    verifier.verify(token)
    clock.offset = timedelta(seconds=-35)
    expect_invalid(verifier, token)
