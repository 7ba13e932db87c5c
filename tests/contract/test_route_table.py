"""Who may call what, tried on every route there is: a new route cannot be forgotten here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auth_service.app import interface
from media_service.app import INTERFACE as MEDIA
from shared.opaque_tokens import encode_token
from shared.openapi import Operation
from tests.conftest import AUDIENCE, ISSUER
from tests.contract.conftest import Services
from tests.support.browser import ACCESS, sign_in
from tests.support.database import Connection
from tests.support.tokens import Mint

FEED_TOKEN = encode_token("chf_", bytes(32))
"""Of our form, and of no feed."""

ALICE, BOB = "+919876543210", "+919876543211"

OPEN = {
    "POST /v1/auth/signup",
    "POST /v1/auth/login",
    "POST /v1/auth/forgot-password",
    "POST /v1/auth/verify-reset",
    "POST /v1/auth/reset-password",
    "POST /v1/auth/register",
    "POST /v1/auth/resend-otp",
    "POST /v1/auth/verify-otp",
    "POST /v1/auth/mfa/verify",  # by the ticket of a sign-in
    "POST /v1/auth/me/factors/totp",  # by a token, or by such a ticket
    "POST /v1/auth/me/factors/totp/{id}/confirm",  # likewise
    "POST /v1/auth/me/factors/passkeys/options",
    "POST /v1/auth/me/factors/passkeys",
    "POST /v1/auth/mfa/passkey-options",  # by the ticket of a sign-in
    "POST /v1/auth/passkeys/options",
    "POST /v1/auth/passkeys/login",
    "POST /v1/auth/refresh",
    "POST /v1/auth/callbacks/twilio",  # signed by Twilio
    "GET /v1/auth/.well-known/jwks.json",
    "GET /v1/auth/pages/reset-password",  # pages without data; the link's fragment stays in them
    "GET /v1/auth/pages/activate",
    "GET /v1/auth/dev/inbox",
    "GET /v1/media/products/public",
    "GET /v1/media/products/{id}/photo",  # of a visible product; a hidden one's reads the token
    "HEAD /v1/media/products/{id}/photo",
    "GET /v1/media/feed/{token}.ics",  # calendar programs cannot sign in: the address is the key
}
"""What needs no access token. Whoever adds a line says why in the review."""


@dataclass(frozen=True)
class Route:
    """An operation and where it is mounted."""

    prefix: str
    operation: Operation

    def __str__(self) -> str:
        return f"{self.operation.method} {self.prefix}{self.operation.path}"

    @property
    def needs_token(self) -> bool:
        return self.operation.needs_token

    def path(self, identifier: object) -> str:
        """The path of a thing, or of `its id/the id of a part`; without one no part is found."""
        thing, _, its_part = str(identifier).partition("/")
        values = {"id": thing, "did": its_part or thing, "token": FEED_TOKEN}
        return self.operation.path.format(**values)


def routes() -> Iterator[Route]:
    for service in (interface(development=True), MEDIA):
        for operation in service.operations:
            yield Route(service.prefix, operation)


ROUTES = list(routes())
FOR_A_ROLE = [route for route in ROUTES if route.operation.role is not None]


def test_route_table_lists_routes_of_both_services() -> None:
    assert len(ROUTES) >= 13
    assert {route.prefix for route in ROUTES} == {"/v1/auth", "/v1/media"}


def test_route_table_open_routes_are_listed() -> None:
    assert {str(route) for route in ROUTES if not route.needs_token} == OPEN


def test_route_table_admin_routes_need_the_admin_role() -> None:
    assert {str(route) for route in FOR_A_ROLE} == {
        str(route) for route in ROUTES if route.operation.path.startswith("/admin")
    }
    assert {route.operation.role for route in FOR_A_ROLE} == {"admin"}
    assert len(FOR_A_ROLE) >= 9


@pytest.mark.parametrize("roles", [[], ["editor"], ["admin"], ["admin", "editor"]])
async def test_admin_routes_without_the_role_are_403(
    services: Services, auth_db: Connection, roles: list[str]
) -> None:
    await services.auth.sign_in(ALICE)
    await auth_db.execute("update users set roles = $1", roles)
    token = (await services.auth.sign_in(ALICE))["access_token"]
    for route in FOR_A_ROLE:
        method, path = route.operation.method, route.path(uuid4())
        answer = await services.call(route.prefix, method, path, token)
        allowed = "admin" in roles
        assert (answer.status == 403) is not allowed, str(route)
        assert allowed or answer.code == "forbidden"


async def statuses(services: Services, token: str | None, **headers: str) -> dict[str, object]:
    """What each guarded route answers: its code, or its status where there is no body."""
    found: dict[str, object] = {}
    for route in ROUTES:
        if route.needs_token:
            answer = await services.call(
                route.prefix, route.operation.method, route.path(uuid4()), token, headers=headers
            )
            assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
            head = route.operation.method == "HEAD"
            found[str(route)] = answer.code if answer.status == 401 and not head else answer.status
    return found


def all_answer(code: str) -> dict[str, object]:
    return {
        str(route): 401 if route.operation.method == "HEAD" else code
        for route in ROUTES
        if route.needs_token
    }


async def test_guarded_routes_without_token_are_token_missing(services: Services) -> None:
    assert await statuses(services, None) == all_answer("token_missing")
    basic = await statuses(services, None, Authorization="Basic YTpi")
    assert basic == all_answer("token_missing")


async def test_guarded_routes_by_cookie_without_csrf_change_nothing(services: Services) -> None:
    """Another site's page makes a browser send its cookies; it cannot read what goes with them."""
    browser = await sign_in(services.auth, ALICE)
    headers = {"Cookie": f"{ACCESS}={browser.jar[ACCESS]}", "Origin": ISSUER}
    for route in ROUTES:
        if not route.needs_token:
            continue
        answer = await services.call(
            route.prefix, route.operation.method, route.path(uuid4()), headers=headers
        )
        assert answer.headers["Vary"] == "Authorization, Cookie, Origin", str(route)
        if route.operation.method not in {"GET", "HEAD"}:
            assert (answer.status, answer.code) == (403, "csrf_failed"), str(route)
        else:
            assert answer.status not in {400, 401}, str(route)


async def test_guarded_routes_cookie_sent_twice_is_400(
    services: Services,
) -> None:
    browser = await sign_in(services.auth, ALICE)
    headers = {"Cookie": f"{ACCESS}={browser.jar[ACCESS]}; {ACCESS}=planted"}
    for route in ROUTES:
        if route.needs_token:
            answer = await services.call(
                route.prefix, route.operation.method, route.path(uuid4()), headers=headers
            )
            assert answer.status == 400, str(route)


def foreign() -> str:
    return Mint(Ed25519PrivateKey.generate(), ISSUER, AUDIENCE).token(uuid4())


def unsigned() -> str:
    claims = jwt.decode(foreign(), options={"verify_signature": False})
    return jwt.encode(claims, "", algorithm="none", headers={"typ": "at+jwt", "kid": "suite"})


@pytest.mark.parametrize("make", [foreign, unsigned, lambda: "garbage", lambda: "a.b.c"])
async def test_guarded_routes_foreign_token_is_token_invalid(
    services: Services, make: Callable[[], str]
) -> None:
    assert await statuses(services, make()) == all_answer("token_invalid")
