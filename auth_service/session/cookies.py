"""A browser's session: three cookies, what has to stand beside them, and the device's cookie."""

import hmac
from dataclasses import dataclass
from uuid import UUID

from aiohttp import web

from auth_service.device.model import LIFE_SECONDS
from auth_service.opaque_tokens import has_valid_checksum
from auth_service.resources import KEYRING, SETTINGS, SIGNER, VERIFIER
from auth_service.session.errors import RefreshInvalid
from auth_service.session.schemas import RefreshBody, Transport
from shared.credentials import (
    ACCESS,
    CSRF,
    DEVICE,
    REFRESH,
    Credential,
    find_cookie,
    find_cookies,
    find_credential,
    require_origin,
)
from shared.errors import CsrfFailed, MalformedRequest, TokenInvalid, TokenMissing
from shared.tokens import Claims, KeyUnknown, unverified

REFRESH_PATH = "/v1/auth"
MAX_REFRESH_VALUES = 4
"""How many different values of the refresh cookie are looked up. Others are ignored."""


@dataclass(frozen=True, slots=True)
class PresentedRefreshToken:
    """Refresh tokens as presented; `session_id`: the session that one must belong to.

    Only a cookie brings more than one: another host of the site can plant further values.
    """

    tokens: tuple[str, ...]
    transport: Transport
    session_id: UUID | None = None


def require_can_issue(request: web.Request, transport: Transport) -> None:
    """Pass a request that may be answered with tokens; asked before anything is spent for it.

    Raises:
        CsrfFailed: another site's page asks for cookies: its visitor would be signed in unasked.
        ServiceUnavailable: there is no key to sign with.
    """
    if transport == "cookie":
        require_origin(request, request.app[SETTINGS].public_origin, may_be_missing=True)
    request.app[SIGNER].require_key()


def csrf_token(request: web.Request, session_id: UUID) -> str:
    """Return what a browser's changes in this session have to be accompanied by."""
    return request.app[KEYRING].mac("csrf", session_id.bytes).hex()


def set_access_cookies(response: web.Response, token: str, csrf: str, life: int) -> None:
    """Put the access token where scripts cannot read it, and beside it what they have to show.

    `life` is the session's, in seconds: an expired access token still says whose the refresh
    token beside it is.
    """
    response.set_cookie(
        ACCESS, token, max_age=life, path="/", secure=True, httponly=True, samesite="Lax"
    )
    response.set_cookie(CSRF, csrf, max_age=life, path="/", secure=True, samesite="Strict")


def set_refresh_cookie(response: web.Response, token: str, life: int) -> None:
    """Put the refresh token where auth_service alone gets it, and only from our own pages."""
    response.set_cookie(
        REFRESH,
        token,
        max_age=life,
        path=REFRESH_PATH,
        secure=True,
        httponly=True,
        samesite="Strict",
    )


def set_device_cookie(response: web.Response, token: str) -> None:
    """Put the device token where no script reads it; it outlives the session."""
    response.set_cookie(
        DEVICE,
        token,
        max_age=LIFE_SECONDS,
        path="/",
        secure=True,
        httponly=True,
        samesite="Strict",
    )


def clear_cookies(request: web.Request, response: web.Response) -> web.Response:
    """Take the cookies away from a request that was answered for the sake of cookies."""
    credential = find_credential(request)
    if credential is None or credential.in_cookie:
        set_access_cookies(response, "", "", 0)
        set_refresh_cookie(response, "", 0)
    return response


def read_refresh_credential(request: web.Request, body: RefreshBody) -> PresentedRefreshToken:
    """Return the refresh token of the body, else the values of the cookie.

    A cookie's value counts only beside an access token, expired or not, of the same session:
    another host of this site can plant the one, not the other.

    Raises:
        RefreshInvalid: there is none, or no access cookie names a session.
        CsrfFailed: the cookie does not come from our own pages.
    """
    if body.refresh_token is not None:
        require_can_issue(request, body.transport)
        return PresentedRefreshToken((body.refresh_token,), body.transport)
    tokens = _refresh_cookie_values(request)
    if not tokens:
        raise RefreshInvalid
    require_origin(request, request.app[SETTINGS].public_origin)
    require_can_issue(request, "cookie")
    try:
        claims = _verify_ignoring_expiry(request, find_cookie(request, ACCESS) or "")
    except TokenInvalid:
        raise RefreshInvalid from None
    return PresentedRefreshToken(tokens, "cookie", claims.sid)


def _refresh_cookie_values(request: web.Request) -> tuple[str, ...]:
    """Return the first different values of the refresh cookie that could be tokens of ours."""
    values = [
        value for value in find_cookies(request, REFRESH) if has_valid_checksum("chr_", value)
    ]
    return tuple(dict.fromkeys(values))[:MAX_REFRESH_VALUES]


def _verify_ignoring_expiry(request: web.Request, access: str) -> Claims:
    """Return what an access cookie claims, also an expired one.

    Raises:
        TokenInvalid: it is forged or malformed.
    """
    try:
        return request.app[VERIFIER].verify_ignoring_expiry(access)
    except KeyUnknown:
        return _verify_retired_key(request, unverified(access))


def _verify_retired_key(request: web.Request, claims: Claims) -> Claims:
    """Return the claims of a token whose key is no longer kept; its `csrf` proves the session.

    Raises:
        TokenInvalid: it does not.
    """
    proofs = request.app[KEYRING].macs("csrf", claims.sid.bytes)
    shown = (claims.csrf or "").encode("utf-8", "replace")
    if not any(hmac.compare_digest(shown, proof.hex().encode()) for proof in proofs):
        raise TokenInvalid
    return claims


def read_logout_credential(request: web.Request) -> Claims | PresentedRefreshToken:
    """Return what a request to sign out shows: its access token's claims, else a refresh cookie.

    A revoked access token is taken too. A valid access cookie needs its CSRF token and no other
    cookie, so that nothing planted beside it keeps its user from signing out.

    Raises:
        TokenMissing, TokenInvalid: it shows neither.
        CsrfFailed: cookies ask for it, and nothing shows that our own page did.
        MalformedRequest: the access cookie occurs twice; or the refresh cookie does, and no access
            cookie says which value is meant.
    """
    credential = find_credential(request)
    if credential is None:
        return _read_refresh_cookie(request)
    if not credential.in_cookie:
        return request.app[VERIFIER].verify(credential.token)
    require_origin(request, request.app[SETTINGS].public_origin)
    try:
        claims = request.app[VERIFIER].verify(credential.token)
    except TokenInvalid:
        return _read_expired_access_cookie(request, credential)
    credential.require_intent(request, claims)
    return claims


def _read_refresh_cookie(request: web.Request) -> PresentedRefreshToken:
    token = find_cookie(request, REFRESH)
    if not token:
        raise TokenMissing
    require_origin(request, request.app[SETTINGS].public_origin)
    return PresentedRefreshToken((token,), "cookie")


def _read_expired_access_cookie(
    request: web.Request, credential: Credential
) -> Claims | PresentedRefreshToken:
    """Return the session of an expired access cookie: by its CSRF token, else by a refresh cookie.

    Raises:
        TokenInvalid: nothing else is shown.
        MalformedRequest: several refresh cookies, and a forged access cookie beside them.
    """
    tokens = _refresh_cookie_values(request)
    try:
        claims = _verify_ignoring_expiry(request, credential.token)
    except TokenInvalid:
        if not tokens:
            raise
        if len(tokens) > 1:
            raise MalformedRequest("a cookie was sent twice") from None
        return PresentedRefreshToken(tokens, "cookie")
    try:
        credential.require_intent(request, claims)
    except CsrfFailed:
        if not tokens:
            raise
        return PresentedRefreshToken(tokens, "cookie", claims.sid)
    return claims
