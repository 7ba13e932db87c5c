"""A browser's session: three cookies, and what has to stand beside them."""

import hmac
from dataclasses import dataclass
from uuid import UUID

from aiohttp import web

from auth_service.device.model import LIFE_SECONDS
from auth_service.resources import KEYRING, SETTINGS, SIGNER, VERIFIER
from auth_service.session.errors import RefreshInvalid
from auth_service.session.schemas import RefreshBody, Transport
from shared.credentials import (
    ACCESS,
    CSRF,
    DEVICE,
    REFRESH,
    find_cookie,
    find_credential,
    require_origin,
)
from shared.errors import TokenInvalid, TokenMissing
from shared.tokens import Claims, KeyUnknown, unverified

REFRESH_PATH = "/v1/auth"


@dataclass(frozen=True, slots=True)
class Grant:
    """A refresh token as it was presented; `session_id`: the one that it must belong to."""

    token: str
    transport: Transport
    session_id: UUID | None = None


def require_issuable(request: web.Request, transport: Transport) -> None:
    """Pass a request that may be answered with tokens; asked before anything is spent for it.

    Raises:
        CsrfFailed: another site's page asks for cookies: its visitor would be signed in unasked.
        ServiceUnavailable: there is no key to sign with.
    """
    if transport == "cookie":
        require_origin(request, request.app[SETTINGS].public_origin, may_be_missing=True)
    request.app[SIGNER].require_key()


def csrf_of(request: web.Request, session_id: UUID) -> str:
    """Return what a browser's changes in this session have to be accompanied by."""
    return request.app[KEYRING].mac("csrf", session_id.bytes).hex()


def set_access(response: web.Response, token: str, csrf: str, life: int) -> None:
    """Put the access token where scripts cannot read it, and beside it what they have to show.

    `life` is the session's, in seconds: an expired access token still says whose the refresh
    token beside it is.
    """
    response.set_cookie(
        ACCESS, token, max_age=life, path="/", secure=True, httponly=True, samesite="Lax"
    )
    response.set_cookie(CSRF, csrf, max_age=life, path="/", secure=True, samesite="Strict")


def set_refresh(response: web.Response, token: str, life: int) -> None:
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


def set_device(response: web.Response, token: str) -> None:
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


def clear(request: web.Request, response: web.Response) -> web.Response:
    """Take the cookies away from a request that was answered for the sake of cookies."""
    credential = find_credential(request)
    if credential is None or credential.in_cookie:
        set_access(response, "", "", 0)
        set_refresh(response, "", 0)
    return response


def find_grant(request: web.Request, body: RefreshBody) -> Grant:
    """Return the refresh token of the body, else of the cookie.

    Raises:
        RefreshInvalid: there is none, or the cookie was planted: it counts only beside an access
            token, expired or not, of the same session, since another host of this site can set it.
        CsrfFailed: the cookie does not come from our own pages.
    """
    if body.refresh_token is not None:
        require_issuable(request, body.transport)
        return Grant(body.refresh_token, body.transport)
    token = find_cookie(request, REFRESH)
    if token is None:
        raise RefreshInvalid
    require_origin(request, request.app[SETTINGS].public_origin)
    require_issuable(request, "cookie")
    return Grant(token, "cookie", _session_of_access(request))


def _session_of_access(request: web.Request) -> UUID:
    cookie = find_cookie(request, ACCESS)
    if not cookie:
        raise RefreshInvalid
    try:
        try:
            return request.app[VERIFIER].identify(cookie).sid
        except KeyUnknown:
            return _session_of_retired_key(request, unverified(cookie))
    except TokenInvalid:
        raise RefreshInvalid from None


def _session_of_retired_key(request: web.Request, claims: Claims) -> UUID:
    """Return the session of a token whose key is no longer kept; its `csrf` proves the session."""
    proofs = request.app[KEYRING].macs("csrf", claims.sid.bytes)
    shown = (claims.csrf or "").encode("utf-8", "replace")
    if not any(hmac.compare_digest(shown, proof.hex().encode()) for proof in proofs):
        raise RefreshInvalid
    return claims.sid


def find_leaver(request: web.Request) -> Claims | str:
    """Return what a request to sign out shows: its access token's claims, else a refresh cookie.

    A revoked access token is taken too; an expired one of a cookie gives way to the other cookie.

    Raises:
        TokenMissing, TokenInvalid: it shows neither.
        CsrfFailed: cookies ask for it, and nothing shows that our own page did.
    """
    credential = find_credential(request)
    if credential is not None and not credential.in_cookie:
        return request.app[VERIFIER].verify(credential.token)
    refresh = find_cookie(request, REFRESH)
    if credential is None and not refresh:
        raise TokenMissing
    require_origin(request, request.app[SETTINGS].public_origin)
    if credential is not None:
        try:
            claims = request.app[VERIFIER].verify(credential.token)
        except TokenInvalid:
            if not refresh:
                raise
        else:
            credential.require_intent(request, claims)
            return claims
    return refresh or ""
