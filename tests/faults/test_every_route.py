"""Every route while a server that it stands on is away: put off, never broken, never half done."""

import asyncio
from collections.abc import Callable
from typing import Any

from shared.opaque_tokens import encode_token
from tests.contract.test_route_table import ROUTES, Route
from tests.faults.stack import BreakableStack, kill
from tests.support.accounts import PASSWORD, activate
from tests.support.auth_client import Answer, read
from tests.support.media_client import FORM, form, part, picture_form
from tests.support.pictures import encode

EMAIL, NUMBER = "asha@example.com", "+919876543210"
NEW = "battery staple horse"
# Administrators' routes are left out, since none of these users is one.
TRIED = [route for route in ROUTES if route.operation.role is None]
NOBODY = "00000000-0000-7000-8000-000000000000"
CODE = {"email": EMAIL, "otp": "000000"}
TICKET = encode_token("cht_", bytes(32))
PRODUCT = {"name": "Lamp", "price": 1, "currency": "EUR"}
PHOTO = part("photo", encode(), '; filename="lamp.jpg"')
BODIES: dict[str, dict[str, Any]] = {
    "POST /v1/auth/signup": {"phone_number": NUMBER, "name": "Asha"},
    "POST /v1/auth/register": {"email": "meera@example.com", "password": PASSWORD},
    "POST /v1/auth/resend-otp": {"email": EMAIL},
    "POST /v1/auth/verify-otp": CODE,
    "POST /v1/auth/login": {"email": EMAIL, "password": PASSWORD},
    "POST /v1/auth/forgot-password": {"email": EMAIL},
    "POST /v1/auth/verify-reset": CODE,
    "POST /v1/auth/reset-password": {**CODE, "new_password": NEW},
    "POST /v1/auth/change-password": {"current_password": PASSWORD, "new_password": NEW},
    "POST /v1/auth/step-up": {"password": PASSWORD},
    "POST /v1/auth/mfa/verify": {"mfa_ticket": TICKET, "method": "totp", "otp": "000000"},
    "POST /v1/auth/mfa/passkey-options": {"mfa_ticket": TICKET},
    "POST /v1/auth/passkeys/login": {"challenge": "A" * 43, "credential": {}},
    "POST /v1/auth/me/factors/passkeys": {"challenge": "A" * 43, "credential": {}},
    "POST /v1/auth/me/factors/totp/{id}/confirm": {"otp": "000000"},
    "PATCH /v1/auth/me/factors/{id}": {"name": "Key"},
    "POST /v1/auth/me/verify-contact": {"mobile": NUMBER, "otp": "000000"},
    "PATCH /v1/auth/me": {"name": "Asha Rao"},
    "PATCH /v1/media/creatives/{id}": {"title": "Diwali"},
    "POST /v1/media/creatives/{id}/link": {"expires_in": 60},
    "POST /v1/media/products": PRODUCT,
    "PATCH /v1/media/products/{id}": {"price": 2},
    "POST /v1/media/webhooks": {"url": "https://receiver.example/", "events": ["*"]},
    "PATCH /v1/media/webhooks/{id}": {"status": "disabled"},
    "POST /v1/media/webhooks/{id}/redeliver": {"since": "2026-01-01"},
}
FORMS = {
    "POST /v1/media/creatives": picture_form(),
    "PUT /v1/media/products/{id}/photo": form(PHOTO),
}
QUERIES = {
    "GET /v1/media/scheduled": {"timezone": "UTC"},
    "GET /v1/auth/dev/inbox": {"to": EMAIL},
    "GET /v1/media/products/public": {"q": "lamp"},
}


async def every_answer(stack: BreakableStack, break_it: Callable[[], None]) -> dict[str, Answer]:
    """What each route answers to a right request of a user of its own, once something is broken."""
    # on a busy machine the routes take longer than a cache is fresh by default
    async with stack.both(revocation_max_staleness=25) as (auth, media):
        await activate(auth, email=EMAIL, password=PASSWORD)
        login = {"email": EMAIL, "password": PASSWORD}
        refresh_token = (await auth.call("POST", "/login", json=login)).body["refresh_token"]
        tokens = await stack.tokens(len(TRIED))
        await asyncio.to_thread(break_it)
        http = {"/v1/auth": auth.http, "/v1/media": media.http}
        answers: dict[str, Answer] = {}
        for route, token in zip(TRIED, tokens, strict=True):
            options = request_of(route, refresh_token)
            options["headers"]["Authorization"] = f"Bearer {token.text}"
            product = route.operation.id_pattern is not None
            path = route.prefix + route.path("PR-000000000000" if product else NOBODY)
            async with http[route.prefix].request(route.operation.method, path, **options) as sent:
                answers[str(route)] = await read(sent)
        return answers


def request_of(route: Route, refresh_token: str) -> dict[str, Any]:
    name = str(route)
    if name in FORMS:
        return {"data": FORMS[name], "headers": {**FORM}}
    headers = {"If-Match": '"1"'} if route.operation.method == "PATCH" else {}
    options: dict[str, Any] = {"headers": headers, "params": QUERIES.get(name, {})}
    if name == "POST /v1/auth/refresh":
        return options | {"json": {"refresh_token": refresh_token}}
    return options | ({"json": BODIES[name]} if name in BODIES else {})


def test_request_bodies_name_existing_routes() -> None:
    assert {*BODIES, *FORMS, *QUERIES} <= {str(route) for route in ROUTES}


async def test_routes_without_postgresql_are_503_where_they_need_it(stack: BreakableStack) -> None:
    """What needs nothing but Redis or a file is answered as ever."""

    try:
        answers = await every_answer(stack, lambda: kill(stack.postgres))
    finally:
        stack.postgres.start()
    assert {name: one.status for name, one in answers.items() if one.status != 503} == {
        "POST /v1/auth/signup": 202,
        "POST /v1/auth/verify-otp": 401,
        "POST /v1/auth/verify-reset": 401,
        "POST /v1/auth/reset-password": 401,
        "POST /v1/auth/passkeys/options": 200,
        "POST /v1/auth/passkeys/login": 401,
        "GET /v1/auth/.well-known/jwks.json": 200,
        "GET /v1/auth/dev/inbox": 200,
        "GET /v1/auth/pages/reset-password": 200,
        "GET /v1/auth/pages/activate": 200,
        "POST /v1/auth/callbacks/twilio": 403,
        "GET /v1/media/timezones": 200,
    }


async def test_routes_without_redis_are_503_where_they_need_it(stack: BreakableStack) -> None:
    """What counts, sends or signs out is put off; the rest goes on while the cache is fresh."""
    answers = await every_answer(stack, lambda: kill(stack.valkey))
    assert [name for name, one in answers.items() if one.status == 503] == [
        "POST /v1/auth/signup",
        "POST /v1/auth/register",
        "POST /v1/auth/verify-otp",
        "POST /v1/auth/login",
        "POST /v1/auth/forgot-password",
        "POST /v1/auth/verify-reset",
        "POST /v1/auth/reset-password",
        "POST /v1/auth/change-password",
        "POST /v1/auth/logout",
        "POST /v1/auth/logout-all",
        "POST /v1/auth/step-up",
        "POST /v1/auth/passkeys/options",
        "POST /v1/auth/passkeys/login",
        "GET /v1/auth/dev/inbox",
    ]
    # the ticket that names no sign-in is looked for in PostgreSQL
    for route in ("POST /v1/auth/mfa/verify", "POST /v1/auth/mfa/passkey-options"):
        assert answers.pop(route).code == "mfa_ticket_invalid"
    assert {one.status for one in answers.values()} <= {200, 201, 204, 403, 404, 503}
