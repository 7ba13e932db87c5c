"""The verifier's memory and its keys: what is remembered, for whom, and when it is forgotten."""

import json
import os
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.utils import base64url_encode

from shared.errors import ServiceUnavailable, TokenInvalid
from shared.jwks import JwksFile, PublicKey, parse_jwks
from shared.tokens import TokenVerifier
from tests.support.clock import MovableClock
from tests.support.tokens import Mint

ISSUER, AUDIENCE = "https://id.example", "cheershare"


def new_mint(kid: str) -> Mint:
    return Mint(Ed25519PrivateKey.generate(), ISSUER, AUDIENCE, kid=kid)


OURS, NEXT = new_mint("ours"), new_mint("next")


def entry(mint: Mint, **more: Any) -> dict[str, Any]:
    jwk = OKPAlgorithm.to_jwk(mint.key.public_key(), as_dict=True)
    return {**jwk, "kid": mint.kid, "use": "sig", **more}


def key_set(*mints: Mint) -> dict[str, Any]:
    return {"keys": [entry(mint) for mint in mints]}


def verifying(*mints: Mint, **options: Any) -> TokenVerifier:
    verifier = TokenVerifier(ISSUER, AUDIENCE, MovableClock(), **options)
    verifier.set_keys(parse_jwks(key_set(*mints)))
    return verifier


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens whose signature was really checked."""
    seen: list[str] = []
    signed = PublicKey.verify

    def counting(self: PublicKey, text: bytes, signature: bytes) -> bool:
        seen.append(f"{text.decode()}.{base64url_encode(signature).decode()}")
        return signed(self, text, signature)

    monkeypatch.setattr(PublicKey, "verify", counting)
    return seen


def test_known_token_is_verified_without_its_signature(checked: list[str]) -> None:
    verifier, token = verifying(OURS), OURS.token(uuid4())
    assert verifier.verify(token) == verifier.verify(token)
    assert checked == [token]


def test_tokens_that_differ_in_subject_are_both_verified(checked: list[str]) -> None:
    verifier, one, other = verifying(OURS), uuid4(), uuid4()
    same = {"sid": str(uuid4()), "jti": "same", "iat": 1}
    tokens = {user: OURS.token(user, **same) for user in (one, other)}
    for _ in range(2):
        assert {user: verifier.verify(token).sub for user, token in tokens.items()} == {
            one: one,
            other: other,
        }
    assert sorted(checked) == sorted(tokens.values())


def test_known_signature_on_another_payload_is_invalid(checked: list[str]) -> None:
    verifier = verifying(OURS)
    known, other = OURS.token(uuid4()), OURS.token(uuid4())
    verifier.verify(known)
    mixed = ".".join([*other.split(".")[:2], known.rpartition(".")[2]])
    with pytest.raises(TokenInvalid):
        verifier.verify(mixed)
    for changed in (known + "=", known + " ", known[:-1], known.swapcase()):
        with pytest.raises(TokenInvalid):
            verifier.verify(changed)


def test_token_cache_is_bounded_and_drops_the_oldest(checked: list[str]) -> None:
    verifier = verifying(OURS, cache_size=3)
    tokens = [OURS.token(uuid4()) for _ in range(4)]
    for token in tokens:
        verifier.verify(token)
    assert len(verifier._seen) == 3
    checked.clear()
    for token in reversed(tokens):
        verifier.verify(token)
    assert checked == [tokens[0]]


def test_token_cache_keeps_no_refused_tokens() -> None:
    verifier = verifying(OURS)
    for token in ("a.b.c", NEXT.token(uuid4()), OURS.token(uuid4(), exp=1)):
        with pytest.raises(TokenInvalid):
            verifier.verify(token)
    assert len(verifier._seen) == 0


def test_token_cache_is_cleared_by_changed_keys(checked: list[str]) -> None:
    verifier, token = verifying(OURS), OURS.token(uuid4())
    verifier.verify(token)
    verifier.set_keys(parse_jwks(key_set(OURS, NEXT)))
    verifier.verify(token)
    assert checked == [token, token]
    verifier.set_keys(parse_jwks(key_set(NEXT)))
    with pytest.raises(TokenInvalid):
        verifier.verify(token)


def test_token_cache_is_cleared_by_another_key_of_the_same_kid() -> None:
    impostor = new_mint("ours")
    verifier, token = verifying(OURS), OURS.token(uuid4())
    verifier.verify(token)
    verifier.set_keys(parse_jwks(key_set(impostor)))
    with pytest.raises(TokenInvalid):
        verifier.verify(token)
    verifier.verify(impostor.token(uuid4()))


def test_token_cache_is_kept_by_the_same_keys(checked: list[str]) -> None:
    verifier, token = verifying(OURS), OURS.token(uuid4())
    verifier.verify(token)
    verifier.set_keys(parse_jwks(key_set(OURS)))
    verifier.verify(token)
    assert checked == [token]


def test_verifier_without_keys_is_not_ready_and_judges_no_token() -> None:
    verifier = TokenVerifier(ISSUER, AUDIENCE, MovableClock())
    assert not verifier.has_keys
    with pytest.raises(ServiceUnavailable):
        verifier.verify(OURS.token(uuid4()))
    verifier.set_keys(parse_jwks(key_set(OURS)))
    assert verifier.has_keys


RSA = {**RSAAlgorithm.to_jwk(generate_rsa(65537, 2048).public_key(), as_dict=True), "kid": "r"}
P384 = {**ECAlgorithm.to_jwk(generate_private_key(SECP384R1()).public_key(), as_dict=True)}
P256 = {**ECAlgorithm.to_jwk(generate_private_key(SECP256R1()).public_key(), as_dict=True)}
ED448 = {**OKPAlgorithm.to_jwk(Ed448PrivateKey.generate().public_key(), as_dict=True)}


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "keys",
        {},
        {"keys": None},
        {"keys": "abc"},
        {"keys": [None]},
        {"keys": ["x"]},
        {"keys": [{}]},
        {"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "h"}]},
        {"keys": [RSA]},
        {"keys": [P384 | {"kid": "p"}]},
        {"keys": [ED448 | {"kid": "e"}]},
        {"keys": [P256 | {"kid": "p", "y": P256["x"]}]},
        {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "short", "kid": "o"}]},
        {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "o"}]},
        {"keys": [entry(OURS), {"kty": "?"}]},
    ],
)
def test_jwks_invalid_document_is_refused(document: Any) -> None:
    with pytest.raises(ValueError, match="not a set of Ed25519 or P-256 keys"):
        parse_jwks(document)


def test_jwks_key_without_kid_is_ignored() -> None:
    nameless = {name: value for name, value in entry(OURS).items() if name != "kid"}
    assert parse_jwks({"keys": [nameless]}) == {}


def test_jwks_key_keeps_its_own_algorithm() -> None:
    assert parse_jwks({"keys": [entry(OURS, alg="HS256")]})["ours"].algorithm == "EdDSA"


def test_jwks_file_is_read_only_when_changed(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(key_set(OURS)))
    file = JwksFile(path)
    assert set(file.read_if_changed() or {}) == {"ours"}
    assert file.read_if_changed() is None
    path.write_text(json.dumps(key_set(OURS, NEXT)))
    assert set(file.read_if_changed() or {}) == {"ours", "next"}
    assert file.read_if_changed() is None


def test_jwks_file_replaced_with_same_size_and_time_is_read(tmp_path: Path) -> None:
    path, other = tmp_path / "jwks.json", tmp_path / "other.json"
    path.write_text(json.dumps(key_set(new_mint("a"))))
    other.write_text(json.dumps(key_set(new_mint("b"))))
    for each in (path, other):
        os.utime(each, (1_800_000_000, 1_800_000_000))
    file = JwksFile(path)
    assert set(file.read_if_changed() or {}) == {"a"}
    other.replace(path)
    assert set(file.read_if_changed() or {}) == {"b"}


@pytest.mark.parametrize("broken", ["", "{", "null", "{}", '{"keys": []}', '{"keys": {}}', "\xff"])
def test_jwks_file_broken_raises_until_it_is_mended(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(key_set(OURS)))
    file = JwksFile(path)
    file.read_if_changed()
    path.write_text(broken, encoding="latin-1")
    for _ in range(2):
        with pytest.raises(ValueError, match=r".") as wrong:
            file.read_if_changed()
        assert "OKP" not in str(wrong.value)
    path.write_text(json.dumps(key_set(NEXT)))
    assert set(file.read_if_changed() or {}) == {"next"}


def test_jwks_file_missing_raises_until_it_exists(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    file = JwksFile(path)
    with pytest.raises(OSError, match=r"jwks\.json"):
        file.read_if_changed()
    path.write_text(json.dumps(key_set(OURS)))
    assert set(file.read_if_changed() or {}) == {"ours"}
