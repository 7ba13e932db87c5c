"""Codes used again, tickets in other hands, guesses: attacks on the second step of a sign-in."""

import asyncio
from uuid import UUID

import pytest

from auth_service.factor.sign_in import MAX_TRIES
from shared.opaque_tokens import encode_token
from tests.support.accounts import PASSWORD, activate, next_code, post
from tests.support.auth_client import Answer, AuthClient, many_at_once
from tests.support.authenticator import (
    ask_for_factor,
    enrol,
    insert_tickets,
    refresh,
    user_with_app,
    verify,
)
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.long_runs import amount

NUMBER, OTHER = "+919876543210", "+919876543211"
EMAIL = "asha@example.com"
SESSIONS = "select count(*) from sessions"


# ------------------------------------------------------------------ each code once


async def test_code_replayed_by_any_ticket_or_session_is_refused(
    auth: AuthClient, clock: MovableClock
) -> None:
    app = await user_with_app(auth, clock, NUMBER)
    first, second = [await ask_for_factor(auth, NUMBER) for _ in range(2)]
    earlier, code = app.code(), app.next_code()
    done = await verify(auth, first, code)
    assert done.status == 200
    token = done.body["access_token"]
    for used in (code, earlier):  # neither it nor one before it
        assert (await verify(auth, second, used)).code == "mfa_invalid"
        refused = await auth.call("POST", "/step-up", token=token, json={"otp": used})
        assert refused.code == "mfa_invalid"
    clock.advance(seconds=20)  # the window still covers the step
    assert (await verify(auth, second, code)).code == "mfa_invalid"
    assert (await verify(auth, second, app.next_code())).status == 200


async def test_code_that_confirmed_the_factor_is_used(
    auth: AuthClient, clock: MovableClock
) -> None:
    app = await user_with_app(auth, clock, NUMBER)
    assert (await verify(auth, await ask_for_factor(auth, NUMBER), app.code())).status == 401


@pytest.mark.long
async def test_code_used_by_many_at_once_signs_in_once(
    auth: AuthClient,
    auth_db: Connection,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With as many tickets, and without the limit that lets 20 of them try."""
    monkeypatch.setattr("auth_service.rate_limit.model.TOTP_RATES", ())
    app = await user_with_app(auth, clock, NUMBER)
    tickets = await insert_tickets(auth_db, amount(200, 1000))
    clock.advance(seconds=30)
    code = app.code()
    async with many_at_once(auth) as crowd:
        answers = await asyncio.gather(*(verify(crowd, ticket, code) for ticket in tickets))
    statuses = [answer.status for answer in answers]
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 401, 503}
    assert await auth_db.fetchval(SESSIONS) == 2


async def test_ticket_used_by_many_at_once_signs_in_once(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    app = await user_with_app(auth, clock, NUMBER)
    ticket, code = await ask_for_factor(auth, NUMBER), app.next_code()
    async with many_at_once(auth) as crowd:
        answers = await asyncio.gather(*(verify(crowd, ticket, code) for _ in range(50)))
    assert [answer.status for answer in answers].count(200) == 1
    assert await auth_db.fetchval(SESSIONS) == 2


# ------------------------------------------------------------------ tickets


async def test_ticket_used_expired_or_unknown_is_refused(
    auth: AuthClient, clock: MovableClock
) -> None:
    app = await user_with_app(auth, clock, NUMBER)
    used, expiring = [await ask_for_factor(auth, NUMBER) for _ in range(2)]
    assert (await verify(auth, used, app.next_code())).status == 200
    clock.advance(minutes=10)
    unknown = encode_token("cht_", bytes(32))
    for ticket in (used, expiring, unknown, "cht_", "garbage"):
        refused = await verify(auth, ticket, app.next_code())
        assert (refused.status, refused.code) == (401, "mfa_ticket_invalid")


async def test_ticket_with_the_code_of_another_user_is_refused(
    auth: AuthClient, clock: MovableClock
) -> None:
    first, second = [await user_with_app(auth, clock, number) for number in (NUMBER, OTHER)]
    ticket = await ask_for_factor(auth, NUMBER)
    assert (await verify(auth, ticket, second.next_code())).code == "mfa_invalid"
    done = await verify(auth, ticket, first.code())
    assert done.body["user"]["phone_number"] == NUMBER


async def test_ticket_of_a_reset_and_of_a_sign_in_do_not_replace_each_other(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    pair = await activate(auth, mobile=NUMBER, email=EMAIL, password=PASSWORD)
    await auth_db.execute("update users set email_verified = true")
    app = await enrol(auth, clock, pair["access_token"])
    _, code = await next_code(auth, EMAIL, "/forgot-password", email=EMAIL)
    reset = (await post(auth, "/verify-reset", email=EMAIL, otp=code)).body["reset_ticket"]
    assert (await verify(auth, reset, app.next_code())).code == "mfa_ticket_invalid"
    ticket = await ask_for_factor(auth, NUMBER)
    body = {"reset_ticket": ticket, "new_password": "another correct horse"}
    assert (await post(auth, "/reset-password", **body)).code == "otp_invalid"


async def test_ticket_tried_five_times_is_dead(auth: AuthClient, clock: MovableClock) -> None:
    app = await user_with_app(auth, clock, NUMBER)
    ticket = await ask_for_factor(auth, NUMBER)
    for _ in range(MAX_TRIES):
        assert (await verify(auth, ticket, app.wrong())).code == "mfa_invalid"
    assert (await verify(auth, ticket, app.next_code())).code == "mfa_ticket_invalid"


async def test_ticket_of_a_device_is_refused_to_another_and_loses_no_try(
    auth: AuthClient, clock: MovableClock
) -> None:
    pair = await auth.sign_in(NUMBER)
    app = await enrol(auth, clock, pair["access_token"])
    device = pair["device"]
    stranger = (await auth.sign_in(OTHER))["device"]
    ticket = await ask_for_factor(auth, NUMBER, device=device)
    code = app.next_code()
    for other in [{}, {"device": stranger}] * MAX_TRIES:
        assert (await verify(auth, ticket, code, **other)).code == "mfa_ticket_invalid"
    assert (await verify(auth, ticket, code, device=device)).status == 200


@pytest.mark.parametrize("ending", ["logout-all", "logout others", "password", "disabled"])
async def test_ticket_dies_with_the_access_of_its_user(
    auth: AuthClient, auth_db: Connection, clock: MovableClock, ending: str
) -> None:
    pair = await activate(auth, mobile=NUMBER, email=EMAIL, password=PASSWORD)
    app = await enrol(auth, clock, pair["access_token"])
    token = (await refresh(auth, pair))["access_token"]
    ticket = await ask_for_factor(auth, NUMBER)
    if ending == "password":
        body = {"current_password": PASSWORD, "new_password": "another correct horse"}
        ended = await auth.call("POST", "/change-password", token=token, json=body)
    elif ending == "disabled":
        administrator = await administrator_token(auth, auth_db)
        user_id = pair["user"]["id"]
        ended = await auth.call("POST", f"/admin/users/{user_id}/disable", token=administrator)
    else:
        kept = {"except_current": ending == "logout others"}
        ended = await auth.call("POST", "/logout-all", token=token, json=kept)
    assert ended.status in {200, 204}
    refused = await verify(auth, ticket, app.next_code())
    assert (refused.status, refused.code) == (401, "mfa_ticket_invalid")


async def administrator_token(auth: AuthClient, auth_db: Connection) -> str:
    user_id = (await auth.sign_in(OTHER))["user"]["id"]
    await auth_db.execute("update users set roles = '{admin}' where id = $1", UUID(user_id))
    return str((await auth.sign_in(OTHER))["access_token"])


# ------------------------------------------------------------------ guessing


async def test_guesses_of_a_stranger_stop_at_twenty_a_day_and_leave_the_owners_device(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    pair = await auth.sign_in(NUMBER)
    app = await enrol(auth, clock, pair["access_token"])
    tickets = await insert_tickets(auth_db, 5)
    for ticket in tickets[:4]:
        for _ in range(MAX_TRIES):
            assert (await verify(auth, ticket, app.wrong())).code == "mfa_invalid"
    refused = await verify(auth, tickets[4], app.next_code())
    assert (refused.status, refused.code) == (429, "rate_limited")
    ticket = await ask_for_factor(auth, NUMBER, device=pair["device"])
    assert (await verify(auth, ticket, app.code(), device=pair["device"])).status == 200
    clock.advance(days=1)
    ticket = await ask_for_factor(auth, NUMBER)
    assert (await verify(auth, ticket, app.code())).status == 200


async def test_guesses_in_a_stolen_session_stop_at_twenty_a_day(
    auth: AuthClient, clock: MovableClock
) -> None:
    stolen, pair = await auth.sign_in(NUMBER), await auth.sign_in(NUMBER)
    app = await enrol(auth, clock, pair["access_token"])

    async def guess(token: str, code: str) -> Answer:
        return await auth.call("POST", "/step-up", token=token, json={"otp": code})

    for _ in range(20):
        assert (await guess(stolen["access_token"], app.wrong())).code == "mfa_invalid"
    refused = await guess(stolen["access_token"], app.next_code())
    assert (refused.status, refused.code) == (429, "rate_limited")
    assert (await guess(pair["access_token"], app.code())).status == 200


async def test_right_codes_do_not_count_as_guesses(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    app = await user_with_app(auth, clock, NUMBER)
    for ticket in await insert_tickets(auth_db, 19):
        assert (await verify(auth, ticket, app.next_code())).status == 200
    for ticket in await insert_tickets(auth_db, 4):
        for _ in range(MAX_TRIES):
            assert (await verify(auth, ticket, app.wrong())).code == "mfa_invalid"
