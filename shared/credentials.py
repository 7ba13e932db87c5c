"""What a request shows for itself: a bearer token, or the cookies of a browser.

A browser sends its cookies whoever made it ask, so what they ask for must be shown to come from our
own pages: by a token that only they can read, or by the origin that the browser names.
"""

import hmac
from dataclasses import dataclass

from aiohttp import web

from shared.errors import CsrfFailed, MalformedRequest
from shared.tokens import Claims, bearer

ACCESS = "__Host-access"
REFRESH = "__Secure-refresh"
CSRF = "__Host-csrf"
DEVICE = "__Host-device"
CSRF_HEADER = "X-CSRF-Token"
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_WANTED = f"send {CSRF_HEADER} with the value of the cookie {CSRF}"
_BLANKS = " \t"  # a browser takes other blanks for a part of a name that nobody guards


@dataclass(frozen=True, slots=True)
class Credential:
    """An access token, and whether a cookie brought it."""

    token: str
    in_cookie: bool

    def require_intent(self, request: web.Request, claims: Claims) -> None:
        """Pass what our own page asked for, or what needs no more than the token.

        Raises:
            CsrfFailed: a cookie asks for a change, and nothing shows that our page did.
        """
        if not self.in_cookie or request.method in SAFE_METHODS:
            return
        shown = request.headers.getall(CSRF_HEADER, [])
        if claims.csrf is None or len(shown) != 1:
            raise CsrfFailed(_WANTED)
        if not hmac.compare_digest(shown[0].encode("utf-8", "replace"), claims.csrf.encode()):
            raise CsrfFailed(_WANTED)


def find_credential(request: web.Request) -> Credential | None:
    """Return the request's access token: the bearer's, which makes cookies count for nothing.

    Raises:
        MalformedRequest: the cookie occurs twice.
    """
    token = bearer(request.headers.get("Authorization"))
    if token is not None:
        return Credential(token, in_cookie=False)
    cookie = find_cookie(request, ACCESS)
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
    if bearer(request.headers.get("Authorization")) is not None:
        return []
    found = []
    for pair in ";".join(request.headers.getall("Cookie", [])).split(";"):
        given, separator, value = pair.partition("=")
        if separator and given.strip(_BLANKS) == name:
            found.append(value.strip(_BLANKS))
    return found


def require_origin(request: web.Request, own: str, *, may_be_missing: bool = False) -> None:
    """Pass what the browser says comes from our own pages.

    `may_be_missing`: no browser leaves it out of what another page asks for.

    Raises:
        CsrfFailed: another origin asked, or it is not said which.
    """
    origins = request.headers.getall("Origin", [])
    if origins != [own] and (origins or not may_be_missing):
        raise CsrfFailed(f"send Origin: {own} (PUBLIC_URL), as that site's own pages do")
