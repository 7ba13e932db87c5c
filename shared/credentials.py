"""Credentials of a request: a bearer token, or the cookies of a browser.

A browser sends its cookies with requests of foreign pages too. So a request with cookies must prove
that our own pages made it: by a token that only they can read, or by the `Origin` header.
"""

import hmac
from dataclasses import dataclass

import structlog
from aiohttp import web

from shared.cors import ALLOWED_ORIGINS, MAX_LOGGED_ORIGIN
from shared.errors import CsrfFailed, MalformedRequest
from shared.origins import AllowedOrigins
from shared.tokens import Claims, parse_bearer_token

ACCESS_COOKIE = "__Host-access"
REFRESH_COOKIE = "__Secure-refresh"
CSRF_COOKIE = "__Host-csrf"
DEVICE_COOKIE = "__Host-device"
CSRF_HEADER = "X-CSRF-Token"
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_CSRF_ADVICE = (
    f"send {CSRF_HEADER} with `csrf` of the sign-in's answer, as the cookie {CSRF_COOKIE} has it"
)
log = structlog.get_logger()
_BLANKS = " \t"  # browsers take other white space for a part of the name


@dataclass(frozen=True, slots=True)
class Credential:
    """An access token, and whether a cookie brought it."""

    token: str
    in_cookie: bool

    def require_csrf_token(self, request: web.Request, claims: Claims) -> None:
        """Accept a request of our own page, or one that needs no proof of it.

        Raises:
            CsrfFailed: a cookie asks for a change without the CSRF token.
        """
        if not self.in_cookie or request.method in SAFE_METHODS:
            return
        shown = request.headers.getall(CSRF_HEADER, [])
        if claims.csrf is None or len(shown) != 1:
            raise CsrfFailed(_CSRF_ADVICE)
        if not hmac.compare_digest(shown[0].encode("utf-8", "replace"), claims.csrf.encode()):
            raise CsrfFailed(_CSRF_ADVICE)


def find_credential(request: web.Request) -> Credential | None:
    """Return the request's access token; a bearer token takes precedence over cookies.

    Raises:
        MalformedRequest: the cookie occurs twice.
    """
    token = parse_bearer_token(request.headers.get("Authorization"))
    if token is not None:
        return Credential(token, in_cookie=False)
    cookie = find_cookie(request, ACCESS_COOKIE)
    return Credential(cookie, in_cookie=True) if cookie else None


def find_cookie(request: web.Request, name: str) -> str | None:
    """Return a cookie of a request without bearer token; None when there is none.

    Raises:
        MalformedRequest: it occurs twice, so one of them was planted.
    """
    found = find_cookies(request, name)
    if len(found) > 1:
        raise MalformedRequest("a cookie was sent twice")
    return found[0] if found else None


def find_cookies(request: web.Request, name: str) -> list[str]:
    """Return every value of a cookie, in the order sent; none beside a bearer token."""
    if parse_bearer_token(request.headers.get("Authorization")) is not None:
        return []
    found = []
    for pair in ";".join(request.headers.getall("Cookie", [])).split(";"):
        given, separator, value = pair.partition("=")
        if separator and given.strip(_BLANKS) == name:
            found.append(value.strip(_BLANKS))
    return found


def require_own_origin(request: web.Request, *, may_be_missing: bool = False) -> None:
    """Accept a request of a page that may use our cookies, by its `Origin`.

    `may_be_missing`: browsers always send it with requests of foreign pages.

    Raises:
        CsrfFailed: the origin is another one, or missing.
    """
    origins, allowed = request.headers.getall("Origin", []), request.app[ALLOWED_ORIGINS]
    if not origins and may_be_missing:
        return
    if len(origins) != 1 or origins[0] not in allowed:
        raise CsrfFailed(_origin_advice(origins, allowed))


def _origin_advice(origins: list[str], allowed: AllowedOrigins) -> str:
    """Log a foreign origin; return what to do, which in development names the settings."""
    if len(origins) == 1:
        differs = " and ".join(allowed.find_differences(origins[0]))
        origin = origins[0][:MAX_LOGGED_ORIGIN]
        log.warning("origin.refused", origin=origin, differs=differs, setting="PUBLIC_URL")
        if allowed.development:
            return (
                f"the page's origin differs from PUBLIC_URL ({allowed.own}) in its {differs}: set "
                "PUBLIC_URL to the address in the browser, or list the origin in CORS_ORIGINS"
            )
    return f"send Origin: {allowed.own} (PUBLIC_URL), as that site's own pages do"
