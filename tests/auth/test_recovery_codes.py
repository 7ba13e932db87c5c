"""Recovery codes: shown once, each good once, told and audited."""

import asyncio
from typing import Any

import pytest

from tests.support.auth_client import Answer, AuthClient, many_at_once
from tests.support.authenticator import (
    Authenticator,
    ask_for_factor,
    begin,
    confirm,
    enrol,
    first_step,
    insert_tickets,
    refresh,
)
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.tokens import unverified_claims
from tests.support.waiting import until

NUMBER, OTHER = "+919876543210", "+919876543211"


async def enrol_with_codes(
    auth: AuthClient, clock: MovableClock, pair: dict[str, Any]
) -> tuple[Authenticator, list[str]]:
    """The first factor of a user, and the recovery codes that come with it."""
    app = await begin(auth, clock, pair["access_token"])
    confirmed = await confirm(auth, pair["access_token"], app, app.code())
    codes: list[str] = confirmed.body["recovery_codes"]
    assert len(codes) == 10
    return app, codes


async def recover(auth: AuthClient, ticket: str, code: str) -> Answer:
    body = {"mfa_ticket": ticket, "method": "recovery_code", "recovery_code": code}
    return await auth.call("POST", "/mfa/verify", json=body)


async def left(auth: AuthClient, token: str) -> int:
    return int((await auth.call("GET", "/me/factors", token=token)).body["recovery_codes_left"])


async def test_recovery_code_signs_in_once_and_notifies(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    pair = await auth.sign_in(NUMBER)
    await auth_db.execute("update users set email = 'a@example.com', email_verified = true")
    _, codes = await enrol_with_codes(auth, clock, pair)
    asked = await first_step(auth, NUMBER)
    assert asked.body["methods"] == ["totp", "recovery_code"]
    done = await recover(auth, asked.body["mfa_ticket"], codes[0].upper().replace("-", " "))
    assert done.status == 200, done.body
    token = done.body["access_token"]
    assert unverified_claims(token)["acr"] == "aal2"
    assert await left(auth, token) == 9
    for contact in (NUMBER, "a@example.com"):

        async def told(contact: str = contact) -> bool:
            texts = [str(item["text"]) for item in await auth.inbox(contact)]
            return any("recovery code" in text and "Codes left: 9" in text for text in texts)

        await until(told)
    refused = await recover(auth, await ask_for_factor(auth, NUMBER), codes[0])
    assert (refused.status, refused.code) == (401, "mfa_invalid")
    used = await auth_db.fetch("select * from audit_events where event = 'recovery_code.used'")
    assert [event["outcome"] for event in used] == ["success"]


async def test_recovery_codes_are_stored_hashed(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    _, codes = await enrol_with_codes(auth, clock, await auth.sign_in(NUMBER))
    stored = b"".join(row["hash"] for row in await auth_db.fetch("select * from recovery_codes"))
    assert len(stored) == 10 * 32
    assert not [code for code in codes if code.replace("-", "").encode() in stored]


async def test_recovery_codes_come_with_the_first_factor_alone(
    auth: AuthClient, clock: MovableClock
) -> None:
    pair = await auth.sign_in(NUMBER)
    await enrol_with_codes(auth, clock, pair)
    token = (await refresh(auth, pair))["access_token"]
    second = await begin(auth, clock, token)
    confirmed = await confirm(auth, token, second, second.code())
    assert "recovery_codes" not in confirmed.body
    assert await left(auth, token) == 10


async def test_recovery_codes_replaced_invalidate_the_old_ones_and_notify(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    pair = await auth.sign_in(NUMBER)
    await auth_db.execute("update users set email = 'a@example.com', email_verified = true")
    _, old = await enrol_with_codes(auth, clock, pair)
    refused = await auth.call("POST", "/me/recovery-codes", token=pair["access_token"])
    assert (refused.status, refused.code) == (403, "step_up_required")
    token = (await refresh(auth, pair))["access_token"]
    new = (await auth.call("POST", "/me/recovery-codes", token=token)).body["recovery_codes"]
    assert len(new) == 10
    assert not set(old) & set(new)
    for contact in (NUMBER, "a@example.com"):

        async def told(contact: str = contact) -> bool:
            texts = [str(item["text"]) for item in await auth.inbox(contact)]
            return any("ew recovery codes were made" in text for text in texts)

        await until(told)
    ticket = await ask_for_factor(auth, NUMBER)
    assert (await recover(auth, ticket, old[0])).code == "mfa_invalid"
    assert (await recover(auth, ticket, new[0])).status == 200


async def test_recovery_codes_without_a_factor_are_409(auth: AuthClient) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    refused = await auth.call("POST", "/me/recovery-codes", token=token)
    assert (refused.status, refused.code) == (409, "conflict")


async def test_recovery_codes_go_with_the_last_factor(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    pair = await auth.sign_in(NUMBER)
    first, _ = await enrol_with_codes(auth, clock, pair)
    pair = await refresh(auth, pair)
    second = await enrol(auth, clock, pair["access_token"])
    for app, expected in ((first, 10), (second, 0)):
        proof = {"otp": app.next_code()}
        fresh = await auth.call("POST", "/step-up", token=pair["access_token"], json=proof)
        path, token = f"/me/factors/{app.id}", fresh.body["access_token"]
        assert (await auth.call("DELETE", path, token=token)).status == 204
        assert await auth_db.fetchval("select count(*) from recovery_codes") == expected


async def test_recovery_code_steps_up(auth: AuthClient, clock: MovableClock) -> None:
    pair = await auth.sign_in(NUMBER)
    _, codes = await enrol_with_codes(auth, clock, pair)
    token = pair["access_token"]
    for code, status in ((codes[0], 200), (codes[0], 401)):
        answer = await auth.call("POST", "/step-up", token=token, json={"recovery_code": code})
        assert answer.status == status
    assert (await auth.call("POST", "/step-up", token=token)).body["methods"] == [
        "totp",
        "recovery_code",
    ]


async def test_recovery_code_of_another_user_is_refused(
    auth: AuthClient, clock: MovableClock
) -> None:
    _, codes = await enrol_with_codes(auth, clock, await auth.sign_in(OTHER))
    await enrol(auth, clock, (await auth.sign_in(NUMBER))["access_token"])
    assert (await recover(auth, await ask_for_factor(auth, NUMBER), codes[0])).status == 401


async def test_recovery_code_used_by_many_at_once_signs_in_once(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    _, codes = await enrol_with_codes(auth, clock, await auth.sign_in(NUMBER))
    tickets = await insert_tickets(auth_db, 50)
    async with many_at_once(auth) as crowd:
        answers = await asyncio.gather(*(recover(crowd, ticket, codes[0]) for ticket in tickets))
    assert sorted(answer.status for answer in answers) == [200, *[401] * 49]


async def test_recovery_code_works_when_guesses_have_used_up_the_codes_of_the_app(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    app, codes = await enrol_with_codes(auth, clock, await auth.sign_in(NUMBER))
    tickets = await insert_tickets(auth_db, 6)
    wrong = {"method": "totp", "otp": app.wrong()}
    for ticket in tickets[:5]:
        for _ in range(5):
            await auth.call("POST", "/mfa/verify", json={"mfa_ticket": ticket, **wrong})
    refused = await auth.call("POST", "/mfa/verify", json={"mfa_ticket": tickets[5], **wrong})
    assert refused.status == 429
    assert (await recover(auth, tickets[5], codes[0])).status == 200


async def test_recovery_codes_guessed_end_the_ticket(auth: AuthClient, clock: MovableClock) -> None:
    _, codes = await enrol_with_codes(auth, clock, await auth.sign_in(NUMBER))
    ticket = await ask_for_factor(auth, NUMBER)
    for _ in range(5):
        assert (await recover(auth, ticket, "0" * 20)).code == "mfa_invalid"
    assert (await recover(auth, ticket, codes[0])).code == "mfa_ticket_invalid"


@pytest.mark.parametrize(
    "body",
    [
        {"method": "totp"},
        {"method": "totp", "recovery_code": "0" * 20},
        {"method": "recovery_code", "otp": "123456"},
        {"method": "recovery_code", "recovery_code": "0" * 20, "otp": "123456"},
        {"method": "recovery_code", "recovery_code": "0" * 19},
        {"method": "recovery_code", "recovery_code": "u" * 20},
        {"method": "sms", "otp": "123456"},
    ],
)
async def test_second_step_with_another_proof_than_its_method_is_422(
    auth: AuthClient, body: dict[str, str]
) -> None:
    answer = await auth.call("POST", "/mfa/verify", json={"mfa_ticket": "cht_", **body})
    assert (answer.status, answer.code) == (422, "validation_failed")
