"""What the audit trail says of second factors: how one was skipped, and each refused use."""

import json
from collections.abc import Callable
from typing import Any

from auth_service.factor.sign_in import MAX_TRIES
from auth_service.token.repository import MAX_RECORDED_REFUSALS
from shared.opaque_tokens import encode_token
from tests.support.accounts import PASSWORD, activate, post
from tests.support.auth_client import AuthClient
from tests.support.authenticator import (
    Authenticator,
    ask_for_factor,
    enrol,
    first_step,
    insert_tickets,
    user_with_app,
    verify,
)
from tests.support.clock import MovableClock
from tests.support.database import Connection

NUMBER, OTHER, EMAIL = "+919876543210", "+919876543211", "asha@example.com"
SIGN_INS = "select * from audit_events where event = 'user.signed_in' order by id"


async def refusals(auth_db: Connection) -> list[tuple[str, str]]:
    """User and reason of each failed sign-in."""
    rows = await auth_db.fetch(SIGN_INS)
    failed = [row for row in rows if row["outcome"] == "failure"]
    return [(str(row["user_id"]), json.loads(row["details"])["reason"]) for row in failed]


async def test_sign_in_of_a_remembered_device_is_audited_as_such(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    app = await user_with_app(auth, clock, NUMBER)
    ticket = await ask_for_factor(auth, NUMBER)
    pair = (await verify(auth, ticket, app.next_code(), remember_device=True)).body
    assert (await first_step(auth, NUMBER, device=pair["device"])).status == 200
    details = [json.loads(row["details"]) for row in await auth_db.fetch(SIGN_INS)]
    assert details == [
        {"method": "otp sms mfa"},
        {"method": "otp sms", "second_factor": "remembered"},
    ]


async def test_ticket_that_is_dead_expired_or_of_another_device_is_audited_for_its_user(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    pair = await auth.sign_in(NUMBER)
    app = await enrol(auth, clock, pair["access_token"])
    user_id = pair["user"]["id"]
    bound = await ask_for_factor(auth, NUMBER, device=pair["device"])
    dead, expired = await ask_for_factor(auth, NUMBER), await ask_for_factor(auth, NUMBER)
    for _ in range(MAX_TRIES):
        assert (await verify(auth, dead, app.wrong())).code == "mfa_invalid"
    for ticket in (bound, dead):
        assert (await verify(auth, ticket, app.next_code())).code == "mfa_ticket_invalid"
    clock.advance(minutes=10)
    unknown = encode_token("cht_", bytes(32))
    for ticket in (expired, unknown, "garbage"):
        assert (await verify(auth, ticket, app.next_code())).code == "mfa_ticket_invalid"
    expected = ["mfa_invalid"] * MAX_TRIES + ["mfa_ticket_invalid"] * 3
    assert await refusals(auth_db) == [(user_id, reason) for reason in expected]


async def test_refused_ticket_is_audited_a_few_times_alone(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    """Else its holder could fill the table."""
    app = await user_with_app(auth, clock, NUMBER)
    ticket = await ask_for_factor(auth, NUMBER)
    clock.advance(minutes=10)
    for _ in range(MAX_RECORDED_REFUSALS + 2):
        assert (await verify(auth, ticket, app.code())).code == "mfa_ticket_invalid"
    assert len(await refusals(auth_db)) == MAX_RECORDED_REFUSALS


async def test_guess_beyond_the_limit_is_audited(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    app = await user_with_app(auth, clock, NUMBER)
    *tickets, last = await insert_tickets(auth_db, 5)
    for ticket in tickets:
        for _ in range(MAX_TRIES):
            await verify(auth, ticket, app.wrong())
    assert (await verify(auth, last, app.code())).code == "rate_limited"
    assert [reason for _, reason in await refusals(auth_db)][-2:] == [
        "mfa_invalid",
        "rate_limited",
    ]


async def test_refused_enrolment_ticket_is_audited_for_its_user(
    serving_auth: Callable[..., Any], auth_db: Connection
) -> None:
    async with serving_auth(mfa_required_roles="editor") as auth:
        pair = await activate(auth, mobile=NUMBER, email=EMAIL, password=PASSWORD)
        await auth_db.execute("update users set roles = '{editor}', email_verified = true")
        device, path = pair["device"], "/me/factors/totp"
        by_code = await first_step(auth, NUMBER, device=device)
        by_password = await post(auth, "/login", email=EMAIL, password=PASSWORD)
        foreign = await post(auth, path, mfa_ticket=by_code.body["mfa_ticket"])
        path = f"{path}/01980000-0000-7000-8000-000000000001/confirm"
        early = await post(auth, path, mfa_ticket=by_password.body["mfa_ticket"], otp="123456")
        for refused in (foreign, early):
            assert (refused.status, refused.code) == (401, "mfa_ticket_invalid")
    assert await refusals(auth_db) == [(pair["user"]["id"], "mfa_ticket_invalid")] * 2


async def test_refused_codes_of_an_enrolment_ticket_are_audited_a_few_times_alone(
    serving_auth: Callable[..., Any], auth_db: Connection, clock: MovableClock
) -> None:
    """A ticket has no limit of requests, and a stolen password is enough to get one."""
    async with serving_auth(mfa_required_roles="editor") as auth:
        await activate(auth, mobile=NUMBER, email=EMAIL, password=PASSWORD)
        await auth_db.execute("update users set roles = '{editor}', email_verified = true")
        by_password = await post(auth, "/login", email=EMAIL, password=PASSWORD)
        stolen = {"mfa_ticket": by_password.body["mfa_ticket"]}
        await auth.code(NUMBER, 2)  # else it may come after the code that is asked for below
        for _ in range(MAX_RECORDED_REFUSALS + 2):
            assert (await post(auth, "/me/factors/totp", **stolen)).code == "otp_invalid"
        asked = await first_step(auth, NUMBER)
        proven = {"mfa_ticket": asked.body["mfa_ticket"]}
        begun = (await post(auth, "/me/factors/totp", **proven)).body
        path = f"/me/factors/totp/{begun['id']}/confirm"
        app = Authenticator(begun["id"], begun["secret"], clock)
        for _ in range(MAX_RECORDED_REFUSALS + 2):
            assert (await post(auth, path, otp=app.wrong(), **proven)).code == "mfa_invalid"
    reasons = [reason for _, reason in await refusals(auth_db)]
    assert reasons == [
        *["otp_invalid"] * MAX_RECORDED_REFUSALS,
        *["mfa_invalid"] * MAX_RECORDED_REFUSALS,
    ]
