"""Every route that issues tokens, in every state of a user's factors: none before the factor."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from shared.opaque_tokens import encode_token
from tests.contract.test_token_issuing import issuing_routes
from tests.support.accounts import PASSWORD, activate, next_code, post, register
from tests.support.auth_client import Answer, AuthClient
from tests.support.authenticator import begin, enrol, refresh
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.passkey_client import ORIGIN, a_passkey, add, login, login_options, signed
from tests.support.software_authenticator import UP, SoftwareAuthenticator

NUMBER, EMAIL = "+919876543210", "asha@example.com"
REQUIRED, ENROLMENT = "mfa_required", "mfa_enrolment_required"
SESSIONS = "select count(*) from sessions"
REFRESH_TOKENS = "select count(*) from tokens where scope = 'refresh'"
UNKNOWN_TICKET = encode_token("cht_", bytes(32))
FACTOR = UUID(int=7)
PROBLEM = {"type", "title", "status", "detail", "code", "request_id"}
MEMBERS = {
    REQUIRED: PROBLEM | {"mfa_ticket", "methods", "expires_in"},
    ENROLMENT: PROBLEM | {"mfa_ticket", "expires_in"},
}


@dataclass
class World:
    """A user with a password and both contacts, to whom one more activation code has gone."""

    auth: AuthClient
    db: Connection
    clock: MovableClock
    pair: dict[str, Any]
    activation: dict[str, str]
    passkey: SoftwareAuthenticator
    pending: object = FACTOR

    @property
    def token(self) -> str:
        return str(self.pair["access_token"])


@pytest.fixture
async def world(
    serving_auth: Callable[..., Any], auth_db: Connection, clock: MovableClock
) -> AsyncIterator[World]:
    """auth_service where editors need a second factor."""
    async with serving_auth(
        mfa_required_roles="editor", webauthn_rp_id="localhost", webauthn_origins=ORIGIN
    ) as auth:
        registered, code = await register(auth, mobile=NUMBER)
        activation = {"mobile": NUMBER, "otp": code, "challenge": registered.body["challenge"]}
        pair = await activate(auth, mobile=NUMBER, email=EMAIL, password=PASSWORD)
        await auth_db.execute("update users set email_verified = true where status = 'active'")
        yield World(auth, auth_db, clock, pair, activation, a_passkey())


# ------------------------------------------------------------------ states of the user's factors


async def no_factor(world: World) -> None:
    """The user has never added one."""


async def pending_app(world: World) -> None:
    world.pending = (await begin(world.auth, world.clock, world.token)).id


async def app(world: World) -> None:
    await enrol(world.auth, world.clock, world.token)
    world.pair = await refresh(world.auth, world.pair)


async def app_without_recovery_codes(world: World) -> None:
    await app(world)
    await world.db.execute("delete from recovery_codes")


async def passkey(world: World) -> None:
    await add(world.auth, world.token, world.passkey)


async def passkey_without_user_verification(world: World) -> None:
    world.passkey = a_passkey(flags=UP)
    await passkey(world)


async def app_and_passkey(world: World) -> None:
    await app(world)
    await passkey(world)


async def removed_app(world: World) -> None:
    factor = await enrol(world.auth, world.clock, world.token)
    token = (await refresh(world.auth, world.pair))["access_token"]
    assert (await world.auth.call("DELETE", f"/me/factors/{factor.id}", token=token)).status == 204


State = Callable[[World], Awaitable[None]]
WITHOUT: list[State] = [no_factor, pending_app, removed_app]
WITH: list[State] = [
    *(app, app_without_recovery_codes, passkey),
    *(passkey_without_user_verification, app_and_passkey),
]
STATES = [
    *((state, "", "") for state in WITHOUT),
    *((state, "", REQUIRED) for state in WITH),
    *((state, "editor", ENROLMENT) for state in WITHOUT),
    *((state, "editor", REQUIRED) for state in WITH),
]
"""State, role, and what the first step of a sign-in answers; "": tokens."""


# ------------------------------------------------------------------ first steps


async def by_signup(world: World, **transport: Any) -> Answer:
    sent, code = await next_code(world.auth, NUMBER, "/signup", phone_number=NUMBER, name="Asha")
    body = {"otp": code, "challenge": sent.body["challenge"]}
    return await post(world.auth, "/signup", mobile=NUMBER, **body, **transport)


async def by_login_code(world: World, **transport: Any) -> Answer:
    sent, code = await next_code(world.auth, NUMBER, "/login", mobile=NUMBER)
    body = {"otp": code, "challenge": sent.body["challenge"]}
    return await post(world.auth, "/login", mobile=NUMBER, **body, **transport)


async def by_password(world: World, **transport: Any) -> Answer:
    return await post(world.auth, "/login", email=EMAIL, password=PASSWORD, **transport)


async def by_activation(world: World, **transport: Any) -> Answer:
    return await post(world.auth, "/verify-otp", **world.activation, **transport)


# ------------------------------------------------------------------ all that a ticket could open


async def by_wrong_factor(world: World, ticket: str, **transport: Any) -> list[Answer]:
    challenge = "A" * 43
    options = {"public_key": {"rpId": "localhost", "challenge": challenge}, "challenge": challenge}
    proofs: list[dict[str, Any]] = [
        {"method": "totp", "otp": "000000"},
        {"method": "recovery_code", "recovery_code": "0" * 20},
        {"method": "passkey", **signed(world.passkey, options)},
    ]
    return [
        await post(world.auth, "/mfa/verify", mfa_ticket=ticket, **proof, **transport)
        for proof in proofs
    ]


async def by_unverified_passkey(world: World, ticket: str, **transport: Any) -> list[Answer]:
    response = signed(world.passkey, await login_options(world.auth), flags=UP)
    return [await login(world.auth, response, **transport)]


async def by_own_app(world: World, ticket: str, **transport: Any) -> list[Answer]:
    """The thief adds an authenticator of his own, by the password alone."""
    begun = await post(world.auth, "/me/factors/totp", mfa_ticket=ticket)
    path = f"/me/factors/totp/{world.pending}/confirm"
    body = {"mfa_ticket": ticket, "otp": "000000"}
    return [begun, await post(world.auth, path, **body, **transport)]


async def by_own_passkey(world: World, ticket: str, **transport: Any) -> list[Answer]:
    begun = await post(world.auth, "/me/factors/passkeys/options", mfa_ticket=ticket)
    options = {"rp": {"id": "localhost"}, "user": {"id": "AAAA"}, "challenge": "A" * 43}
    credential = a_passkey().create(options)
    body = {"mfa_ticket": ticket, "challenge": "A" * 43, "credential": credential, **transport}
    return [begun, await world.auth.call("POST", "/me/factors/passkeys", json=body)]


async def by_refresh(world: World, ticket: str, **transport: Any) -> list[Answer]:
    return [await post(world.auth, "/refresh", refresh_token=ticket)]


async def by_step_up(world: World, ticket: str, **transport: Any) -> list[Answer]:
    body = {"password": PASSWORD}
    return [await world.auth.call("POST", "/step-up", token=ticket, json=body)]


FIRST_STEPS: dict[str, list[Callable[..., Awaitable[Answer]]]] = {
    "POST /signup": [by_signup],
    "POST /login": [by_login_code, by_password],
    "POST /verify-otp": [by_activation],
}
"""Each way to sign in by one factor."""
LATER_STEPS: dict[str, Callable[..., Awaitable[list[Answer]]]] = {
    "POST /mfa/verify": by_wrong_factor,
    "POST /passkeys/login": by_unverified_passkey,
    "POST /me/factors/totp/{id}/confirm": by_own_app,
    "POST /me/factors/passkeys": by_own_passkey,
    "POST /refresh": by_refresh,
    "POST /step-up": by_step_up,
}
"""Each other route, without a right factor; with the ticket of a sign-in by password."""


def test_routes_that_issue_tokens_are_all_tried() -> None:
    assert issuing_routes() == set(FIRST_STEPS) | set(LATER_STEPS)


def require_no_tokens(answer: Answer) -> None:
    assert answer.status in {401, 403}, answer.body
    assert not {"access_token", "refresh_token", "csrf"} & set(answer.body)
    assert "Set-Cookie" not in answer.headers


async def stored(world: World) -> tuple[int, int]:
    """How many sessions and refresh tokens there are."""
    counts = [await world.db.fetchval(query) for query in (SESSIONS, REFRESH_TOKENS)]
    return counts[0], counts[1]


async def first_steps(world: World, code: str, transport: str) -> str:
    """Try each first step; return the ticket of the sign-in by password, if there is one."""
    ticket = UNKNOWN_TICKET
    for step in (step for steps in FIRST_STEPS.values() for step in steps):
        answer = await step(world, transport=transport)
        if not code:
            assert answer.status == 200, answer.body
            assert ("Set-Cookie" in answer.headers) is (transport == "cookie")
            continue
        require_no_tokens(answer)
        assert answer.code == code
        assert set(answer.body) - {"channel"} == MEMBERS[code]
        if step is by_password:
            ticket = answer.body["mfa_ticket"]
    return ticket


@pytest.mark.parametrize("transport", ["body", "cookie"])
@pytest.mark.parametrize(("state", "role", "code"), STATES)
async def test_route_before_the_factor_issues_no_token(
    world: World, state: State, role: str, code: str, transport: str
) -> None:
    await state(world)
    await world.db.execute(
        "update users set roles = $1 where status = 'active'", [role] if role else []
    )
    before = await stored(world)
    ticket = await first_steps(world, code, transport)
    assert (await stored(world) == before) is bool(code)
    before = await stored(world)
    for route in issuing_routes() - set(FIRST_STEPS):
        for answer in await LATER_STEPS[route](world, ticket, transport=transport):
            require_no_tokens(answer)
    assert await stored(world) == before
