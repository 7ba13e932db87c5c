"""The cookies of a browser's session, and the credentials in requests to refresh or log out."""

import hmac
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from aiohttp import web

from auth_service.device.model import LIFE_SECONDS
from auth_service.resources import KEYRING, VERIFIER
from auth_service.session.errors import RefreshInvalid
from auth_service.session.schemas import LogoutBody, RefreshBody, Transport
from auth_service.signing.resources import SIGNER
from shared.credentials import (
    ACCESS_COOKIE,
    CSRF_COOKIE,
    DEVICE_COOKIE,
    REFRESH_COOKIE,
    Credential,
    find_cookie,
    find_cookies,
    find_credential,
    require_own_origin,
)
from shared.errors import CsrfFailed, MalformedRequest, TokenInvalid, TokenMissing
from shared.opaque_tokens import has_valid_checksum
from shared.tokens import Claims, KeyUnknown, parse_bearer_token, parse_unverified

REFRESH_PATH = "/v1/auth"
MAX_REFRESH_VALUES = 4
"""The most values of the refresh cookie that are looked up; others are ignored."""


@dataclass(frozen=True, slots=True)
class PresentedRefreshToken:
    """The refresh tokens of a request; `session_id`: the session that one must belong to.

    Only a cookie has more than one: another host of the site can plant further values.
    """

    tokens: tuple[str, ...]
    transport: Transport
    session_id: UUID | None = None


def require_can_issue_tokens(request: web.Request, transport: Transport) -> None:
    """Return if the answer may carry tokens; call it before a code or token is consumed.

    Raises:
        CsrfFailed: another site's page requests cookies, which would sign its visitor in.
        ServiceUnavailable: there is no key to sign with.
    """
    if transport == "cookie":
        require_own_origin(request, may_be_missing=True)
    request.app[SIGNER].require_key()


def csrf_token(request: web.Request, session_id: UUID) -> str:
    """Return the CSRF token that a browser has to send with each change in this session."""
    return request.app[KEYRING].mac("csrf", session_id.bytes).hex()


def read_csrf_token(request: web.Request) -> str | None:
    """Return the CSRF token of an authenticated request's access cookie; None for a bearer token.

    It is the one in the cookie, not `csrf_token`: secrets may have been rotated since.
    """
    credential = find_credential(request)
    if credential is None or not credential.in_cookie:
        return None
    return request.app[VERIFIER].verify(credential.token).csrf


def set_access_cookies(response: web.Response, token: str, csrf: str, life: int) -> None:
    """Set the access token's cookie, hidden from scripts, and the CSRF token's, visible to them.

    `life`: the session's, in seconds, because an expired access token still identifies the session
    of the refresh token beside it.
    """
    response.set_cookie(
        ACCESS_COOKIE, token, max_age=life, path="/", secure=True, httponly=True, samesite="Lax"
    )
    response.set_cookie(CSRF_COOKIE, csrf, max_age=life, path="/", secure=True, samesite="Strict")


def set_refresh_cookie(response: web.Response, token: str, life: int) -> None:
    """Set the refresh token's cookie, which only our own pages send, and only to auth_service."""
    _set_strict_cookie(response, REFRESH_COOKIE, token, life, path=REFRESH_PATH)


def set_device_cookie(response: web.Response, token: str) -> None:
    """Set the device token's cookie, hidden from scripts; it outlives the session."""
    _set_strict_cookie(response, DEVICE_COOKIE, token, LIFE_SECONDS)


def _set_strict_cookie(
    response: web.Response, name: str, token: str, life: int, path: str = "/"
) -> None:
    response.set_cookie(
        name, token, max_age=life, path=path, secure=True, httponly=True, samesite="Strict"
    )


def clear_cookies(request: web.Request, response: web.Response) -> web.Response:
    """Delete the session's cookies, unless the request used another credential."""
    credential = find_credential(request)
    if credential is None or credential.in_cookie:
        set_access_cookies(response, "", "", 0)
        set_refresh_cookie(response, "", 0)
    return response


def read_refresh_credential(request: web.Request, body: RefreshBody) -> PresentedRefreshToken:
    """Return the refresh token of the body, else the values of the cookie.

    A cookie counts only with an access token, expired or not, of the same session: another host of
    this site can plant the first, not the second.

    Raises:
        RefreshInvalid: there is none, or no access cookie identifies a session.
        CsrfFailed: the cookie does not come from our own pages.
    """
    if body.refresh_token is not None:
        require_can_issue_tokens(request, body.transport)
        return PresentedRefreshToken((body.refresh_token,), body.transport)
    tokens = _refresh_cookie_values(request)
    if not tokens:
        raise RefreshInvalid
    require_own_origin(request)
    require_can_issue_tokens(request, "cookie")
    try:
        claims = _verify_ignoring_expiry(request, find_cookie(request, ACCESS_COOKIE) or "")
    except TokenInvalid:
        raise RefreshInvalid from None
    return PresentedRefreshToken(tokens, "cookie", claims.sid)


def _refresh_cookie_values(request: web.Request) -> tuple[str, ...]:
    """Return the first distinct values of the refresh cookie that can be our tokens."""
    values = [
        value
        for value in find_cookies(request, REFRESH_COOKIE)
        if has_valid_checksum("chr_", value)
    ]
    return tuple(dict.fromkeys(values))[:MAX_REFRESH_VALUES]


def _verify_ignoring_expiry(request: web.Request, access: str) -> Claims:
    """Return the claims of an access cookie, expired or not.

    If its key was retired, its `csrf` claim proves the session.

    Raises:
        TokenInvalid: it is forged or malformed.
    """
    try:
        return request.app[VERIFIER].verify_ignoring_expiry(access)
    except KeyUnknown:
        claims = parse_unverified(access)
    proofs = request.app[KEYRING].macs("csrf", claims.sid.bytes)
    shown = (claims.csrf or "").encode("utf-8", "replace")
    if not any(hmac.compare_digest(shown, proof.hex().encode()) for proof in proofs):
        raise TokenInvalid
    return claims


def read_logout_credentials(
    request: web.Request, body: LogoutBody
) -> list[Claims | PresentedRefreshToken]:
    """Return the credentials whose sessions a logout ends.

    They are a refresh token in the body, and a bearer token beside it if that is valid. Without the
    former there is one credential, of `_read_logout_credential`, which raises its errors.
    """
    if not body.refresh_token:
        return [_read_logout_credential(request)]
    credentials: list[Claims | PresentedRefreshToken] = [
        PresentedRefreshToken((body.refresh_token,), "body")
    ]
    bearer = parse_bearer_token(request.headers.get("Authorization"))
    with suppress(TokenInvalid):
        credentials.append(request.app[VERIFIER].verify(bearer or ""))
    return credentials


def _read_logout_credential(request: web.Request) -> Claims | PresentedRefreshToken:
    """Return an access token's claims, else a refresh cookie.

    A revoked access token is accepted too. A valid access cookie needs its CSRF token and no other
    cookie, so that a planted cookie cannot prevent a logout.

    Raises:
        TokenMissing, TokenInvalid: there is neither.
        CsrfFailed: the cookies do not come from our own page.
        MalformedRequest: the access cookie occurs twice; or the refresh cookie does, without an
            access cookie that identifies the session.
    """
    credential = find_credential(request)
    if credential is None:
        return _read_refresh_cookie(request)
    if not credential.in_cookie:
        return request.app[VERIFIER].verify(credential.token)
    require_own_origin(request)
    try:
        claims = request.app[VERIFIER].verify(credential.token)
    except TokenInvalid:
        return _read_expired_access_cookie(request, credential)
    credential.require_csrf_token(request, claims)
    return claims


def _read_refresh_cookie(request: web.Request) -> PresentedRefreshToken:
    token = find_cookie(request, REFRESH_COOKIE)
    if not token:
        raise TokenMissing
    require_own_origin(request)
    return PresentedRefreshToken((token,), "cookie")


def _read_expired_access_cookie(
    request: web.Request, credential: Credential
) -> Claims | PresentedRefreshToken:
    """Return the session of an expired access cookie: by its CSRF token, else by a refresh cookie.

    Raises:
        TokenInvalid: there is neither.
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
        credential.require_csrf_token(request, claims)
    except CsrfFailed:
        if not tokens:
            raise
        return PresentedRefreshToken(tokens, "cookie", claims.sid)
    return claims
