"""Access tokens: their claims and their verification, without network or database."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import jwt
from jwt.utils import base64url_decode, base64url_encode
from pydantic import AfterValidator, StrictInt, StrictStr, TypeAdapter, ValidationError

from shared.clock import Clock
from shared.errors import ServiceUnavailable, TokenInvalid
from shared.jwks import PublicKey
from shared.validation import refuse_duplicate_names

TOKEN_TYPE = "at+jwt"  # noqa: S105 - RFC 9068 §2.1, not a secret
MAX_TOKEN_BYTES = 4096
LEEWAY_SECONDS = 30
LONGEST_LIFE_SECONDS = 3600
CACHE_SIZE = 20_000
_HEADER = {"alg", "typ", "kid"}
_LONG = 10**9
_MALFORMED = "This is no access token of ours: send `access_token` as it was answered"


def _require_text(claim: str | None) -> str:
    """Refuse null in a claim that may be left out."""
    if claim is None:
        raise ValueError
    return claim


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a verified access token. Times are Unix seconds. Source: RFC 9068 §2.2.

    `rot`: how often the session's refresh token had been exchanged when this one was signed.
    """

    sub: UUID
    sid: UUID
    jti: StrictStr
    gen: StrictInt
    iat: StrictInt
    nbf: StrictInt
    exp: StrictInt
    auth_time: StrictInt
    amr: tuple[StrictStr, ...]
    roles: tuple[StrictStr, ...]
    csrf: Annotated[StrictStr | None, AfterValidator(_require_text)] = None
    rot: StrictInt = 0

    @staticmethod
    def parse(payload: Mapping[str, Any]) -> "Claims":
        """Return the claims, each of its own type.

        Raises:
            TokenInvalid: one is missing or mistyped.
        """
        try:
            return _CLAIMS.validate_python(payload)
        except ValidationError:
            raise TokenInvalid from None


_CLAIMS = TypeAdapter(Claims)


class KeyUnknown(TokenInvalid):
    """The token names a key that is not in the set."""


def _decode_segment(segment: str) -> bytes:
    """Return the decoded segment; only its canonical text is accepted. RFC 4648 §3.3, §3.5."""
    content = base64url_decode(segment)
    if base64url_encode(content) != segment.encode():  # the decoder skips others
        raise ValueError
    return content


def _parse_object(segment: str) -> dict[str, Any]:
    members = _DECODER.decode(_decode_segment(segment).decode())
    if type(members) is not dict:
        raise TypeError
    return members


_DECODER = json.JSONDecoder(object_pairs_hook=refuse_duplicate_names)


class TokenVerifier:
    """Verifies access tokens; caches the claims of each one by its whole text.

    A changed key set empties the cache. `exp` is checked every time. The result says nothing of
    revocation: that is the revocation cache's.
    """

    def __init__(
        self, issuer: str, audience: str, clock: Clock, *, cache_size: int = CACHE_SIZE
    ) -> None:
        """Verify tokens of `issuer` for `audience`; no key is known before `set_keys`."""
        self.issuer = issuer
        self.audience = audience
        self._clock = clock
        self._cache_size = cache_size
        self._keys: dict[str, PublicKey] = {}
        self._headers: dict[str, PublicKey] = {}
        self._seen: dict[str, Claims] = {}
        self.keys_error = ""
        """Why the keys could not be read last, for operators."""

    @property
    def has_keys(self) -> bool:
        """Return whether there is a key to verify with."""
        return bool(self._keys)

    def set_keys(self, keys: Mapping[str, PublicKey]) -> None:
        """Verify with these keys from now on; empty the cache when they differ."""
        if dict(keys) != self._keys:
            self._keys = dict(keys)
            self._headers.clear()
            self._seen.clear()

    def verify(self, token: str) -> Claims:
        """Return what the token claims.

        Raises:
            TokenInvalid: it is forged, malformed, for another audience, expired or not yet valid.
        """
        claims = self._seen.get(token)
        if claims is None:
            claims = self.verify_ignoring_expiry(token)
            if len(self._seen) >= self._cache_size:
                del self._seen[next(iter(self._seen))]  # the oldest: dictionaries keep their order
            self._seen[token] = claims
        now = self._clock.now().timestamp()
        if not claims.nbf - LEEWAY_SECONDS <= now < claims.exp + LEEWAY_SECONDS:
            self._seen.pop(token, None)
            raise TokenInvalid(reason=_reason_of_time(claims, int(now)))
        return claims

    def verify_ignoring_expiry(self, token: str) -> Claims:
        """Return the claims of a token that may have expired; it grants nothing.

        PyJWT checks the signature. Its `decode_complete` would also split the token, for a third of
        a bare verification more: decision 22.

        Raises:
            KeyUnknown: its key is not in the set, or was removed.
            ServiceUnavailable: the set is empty, so nothing is known of any token.
            TokenInvalid: it is forged or malformed.
        """
        if len(token) > MAX_TOKEN_BYTES:
            raise TokenInvalid(reason=_MALFORMED)
        text, _, signature = token.rpartition(".")
        header, _, payload = text.partition(".")
        try:
            key = self._headers.get(header) or self._require_key(header)
            if not key.verify(text.encode(), _decode_segment(signature)):
                raise TokenInvalid(
                    reason="The signature is not that of the token's key: it was forged or altered"
                )
            members = _parse_object(payload)
            if members.get("iss") != self.issuer or members.get("aud") != self.audience:
                raise TokenInvalid(
                    reason="The token is of another JWT_ISSUER, or for another JWT_AUDIENCE"
                )
            claims = Claims.parse(members)
        except (ValueError, TypeError, RecursionError):
            raise TokenInvalid(reason=_MALFORMED) from None
        self._headers[header] = key  # tokens of one key share their header
        return claims

    def _require_key(self, header: str) -> PublicKey:
        """Return the key that the header names; three members, no more, and none of them twice."""
        members = _parse_object(header)
        if set(members) != _HEADER or members["typ"] != TOKEN_TYPE:
            raise TokenInvalid(reason=_MALFORMED)
        if not self._keys:
            raise ServiceUnavailable(detail="No key to verify tokens with")
        key = self._keys.get(str(members["kid"]))
        if key is None:
            raise KeyUnknown(
                reason="The key set lacks the token's key: another stack, or an old key, signed it"
            )
        if members["alg"] != key.algorithm or members["kid"] != key.kid:
            raise TokenInvalid(reason=_MALFORMED)
        return key


def _reason_of_time(claims: Claims, now: int) -> str:
    """Say how long a token of ours has expired, or will be early."""
    early = claims.nbf - now
    if early > 0:
        return f"The token is ours and becomes valid in {min(early, _LONG)} s: compare the clocks"
    return f"The token is ours and expired {min(now - claims.exp, _LONG)} s ago: refresh it"


def parse_unverified(token: str) -> Claims:
    """Return a token's claims without checking its signature; the caller has another proof.

    Raises:
        TokenInvalid: it is malformed.
    """
    if len(token) > MAX_TOKEN_BYTES:
        raise TokenInvalid
    try:
        payload = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise TokenInvalid from None
    return Claims.parse(payload)


def parse_bearer_token(header: str | None) -> str | None:
    """Return the token of an `Authorization: Bearer` header, None for any other. RFC 6750 §2.1."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None
