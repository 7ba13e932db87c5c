"""Access tokens: what they claim and how they are verified, without network or database."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar
from uuid import UUID

import jwt
from jwt.utils import base64url_decode, base64url_encode

from shared.clock import Clock
from shared.errors import TokenInvalid
from shared.jwks import PublicKey

TOKEN_TYPE = "at+jwt"  # noqa: S105 - RFC 9068 §2.1, not a secret
MAX_TOKEN_BYTES = 4096
LEEWAY_SECONDS = 30
LONGEST_LIFE_SECONDS = 3600
CACHE_SIZE = 20_000
T = TypeVar("T")
_HEADER = {"alg", "typ", "kid"}


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified access token says. Times are Unix seconds. Source: RFC 9068 §2.2."""

    sub: UUID
    sid: UUID
    jti: str
    gen: int
    iat: int
    nbf: int
    exp: int
    auth_time: int
    amr: tuple[str, ...]
    roles: tuple[str, ...]
    csrf: str | None = None

    @classmethod
    def parse(cls, payload: Mapping[str, Any]) -> Self:
        """Return the claims, each of its own type.

        Raises:
            TokenInvalid: one is missing or mistyped.
        """
        try:
            return cls(
                sub=UUID(_of(str, payload["sub"])),
                sid=UUID(_of(str, payload["sid"])),
                jti=_of(str, payload["jti"]),
                gen=_of(int, payload["gen"]),
                iat=_of(int, payload["iat"]),
                nbf=_of(int, payload["nbf"]),
                exp=_of(int, payload["exp"]),
                auth_time=_of(int, payload["auth_time"]),
                amr=tuple(_of(str, word) for word in _of(list, payload["amr"])),
                roles=tuple(_of(str, word) for word in _of(list, payload["roles"])),
                csrf=_of(str, payload["csrf"]) if "csrf" in payload else None,
            )
        except (KeyError, ValueError, TypeError):
            raise TokenInvalid from None


class KeyUnknown(TokenInvalid):
    """The token names a key that is not in the set."""


def _of(kind: type[T], value: object) -> T:
    if type(value) is not kind:  # a bool is an int to isinstance
        raise TypeError
    return value


def _decoded(segment: str) -> bytes:
    """Return what the segment encodes; one content has one text. Source: RFC 4648 §3.3, §3.5."""
    content = base64url_decode(segment)
    if base64url_encode(content) != segment.encode():  # the decoder passes over what is no letter
        raise ValueError
    return content


def _parsed(segment: str) -> dict[str, Any]:
    members = _DECODER.decode(_decoded(segment).decode())
    if type(members) is not dict:
        raise TypeError
    return members


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError
    return members


_DECODER = json.JSONDecoder(object_pairs_hook=_unique)


class TokenVerifier:
    """Tells whose an access token is; one seen before is recognised by its whole text.

    A changed key set empties the cache. `exp` is looked at every time. The answer says nothing of
    revocation: that is the revocation cache's.
    """

    def __init__(
        self, issuer: str, audience: str, clock: Clock, *, cache_size: int = CACHE_SIZE
    ) -> None:
        """Verify tokens of `issuer` for `audience`; no key is known before `use`."""
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._cache_size = cache_size
        self._keys: dict[str, PublicKey] = {}
        self._headers: dict[str, PublicKey] = {}
        self._seen: dict[str, Claims] = {}

    @property
    def ready(self) -> bool:
        """Whether there is a key to verify with."""
        return bool(self._keys)

    def use(self, keys: Mapping[str, PublicKey]) -> None:
        """Verify with these keys from now on, and forget what others vouched for."""
        if dict(keys) != self._keys:
            self._keys = dict(keys)
            self._headers.clear()
            self._seen.clear()

    def verify(self, token: str) -> Claims:
        """Return what the token claims.

        Raises:
            TokenInvalid: it is forged, malformed, for somebody else, expired or not yet valid.
        """
        claims = self._seen.get(token)
        if claims is None:
            claims = self._verify_first(token)
        now = self._clock.now().timestamp()
        if not claims.nbf - LEEWAY_SECONDS <= now < claims.exp + LEEWAY_SECONDS:
            self._seen.pop(token, None)
            raise TokenInvalid
        return claims

    def verify_ignoring_expiry(self, token: str) -> Claims:
        """Return what a token claims that may have expired: whose it was, not that it counts.

        Raises:
            KeyUnknown: its key is not known, perhaps not any more.
            TokenInvalid: it is forged or malformed.
        """
        return self._read(token)

    def _verify_first(self, token: str) -> Claims:
        claims = self._read(token)
        self._remember(token, claims)
        return claims

    def _read(self, token: str) -> Claims:
        """Return the claims of a token that a key of the set has signed.

        PyJWT checks the signature. Its `decode_complete` would also split the token, for a third of
        a bare verification more: decision 22.
        """
        if len(token) > MAX_TOKEN_BYTES:
            raise TokenInvalid
        text, _, signature = token.rpartition(".")
        header, _, payload = text.partition(".")
        try:
            key = self._headers.get(header) or self._key_of(header)
            if not key.signed(text.encode(), _decoded(signature)):
                raise TokenInvalid
            claims = self._claims_of(payload)
        except (ValueError, TypeError, RecursionError):
            raise TokenInvalid from None
        self._headers[header] = key  # tokens of one key begin alike; what nobody signed is not kept
        return claims

    def _key_of(self, header: str) -> PublicKey:
        """Return the key that the header names; three members, no more, and none of them twice."""
        members = _parsed(header)
        if set(members) != _HEADER or members["typ"] != TOKEN_TYPE:
            raise TokenInvalid
        key = self._keys.get(str(members["kid"]))
        if key is None:
            raise KeyUnknown
        if members["alg"] != key.algorithm or members["kid"] != key.kid:
            raise TokenInvalid
        return key

    def _claims_of(self, payload: str) -> Claims:
        members = _parsed(payload)
        if members.get("iss") != self._issuer or members.get("aud") != self._audience:
            raise TokenInvalid
        return Claims.parse(members)

    def _remember(self, token: str, claims: Claims) -> None:
        if len(self._seen) >= self._cache_size:  # the oldest leaves: dictionaries keep their order
            del self._seen[next(iter(self._seen))]
        self._seen[token] = claims


def unverified(token: str) -> Claims:
    """Return what a token claims, whoever made it; for what is proven in another way.

    Raises:
        TokenInvalid: it has not the form of one.
    """
    if len(token) > MAX_TOKEN_BYTES:
        raise TokenInvalid
    try:
        payload = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise TokenInvalid from None
    return Claims.parse(payload)


def bearer(header: str | None) -> str | None:
    """Return the token of an `Authorization: Bearer` header, None for any other. RFC 6750 §2.1."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None
