"""The combined flow: ask for a code, send it back."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import auth_service
from tests.support.auth_client import AuthClient, wrong
from tests.support.clock import MovableClock
from tests.support.database import Connection
from tests.support.long_runs import amount
from tests.support.waiting import until

NUMBER = "+919876543210"
SIDE_BY_SIDE = 10


async def test_signup_new_number_right_code_creates_user(auth: AuthClient) -> None:
    sent = await auth.request_code(NUMBER, "  Asha Rao ")
    assert sent.status == 202
    assert sent.body == {
        "message": "OTP sent successfully",
        "challenge": sent.body["challenge"],
        "channel": "sms",
        "expires_in": 300,
        "resend_after": 0,
    }
    answer = await auth.enter_code(NUMBER, await auth.code(NUMBER), sent.body["challenge"])
    assert answer.status == 201
    assert answer.body["token_type"] == "Bearer"
    assert answer.body["user"]["name"] == "Asha Rao"
    assert answer.body["user"]["phone_number"] == NUMBER
    assert answer.body["user"]["phone_verified"] is True
    assert answer.body["user"]["email"] is None
    assert answer.body["expires_in"] == 600
    assert 1_209_590 <= answer.body["refresh_expires_in"] <= 1_209_600
    me = await auth.call("GET", "/me", token=answer.body["access_token"])
    assert me.status == 200
    assert me.body == answer.body["user"]


async def test_signup_known_number_signs_in_and_keeps_name(auth: AuthClient) -> None:
    first = await auth.sign_in(NUMBER, "Asha")
    await auth.request_code("98765 43210", "Mallory")
    answer = await auth.enter_code("09876543210", await auth.code(NUMBER, 2))
    assert answer.status == 200
    assert answer.body["user"]["id"] == first["user"]["id"]
    assert answer.body["user"]["name"] == "Asha"


async def test_signup_400_right_codes_at_once_succeed_once(auth: AuthClient) -> None:
    await auth.request_code(NUMBER)
    code = await auth.code(NUMBER)
    answers = await asyncio.gather(*(auth.enter_code(NUMBER, code) for _ in range(400)))
    statuses = [answer.status for answer in answers]
    assert statuses.count(201) == 1
    assert statuses.count(401) == 399
    assert {a.code for a in answers if a.status == 401} == {"otp_invalid"}


async def test_signup_right_code_after_100_wrong_is_otp_invalid(auth: AuthClient) -> None:
    await auth.request_code(NUMBER)
    code = await auth.code(NUMBER)
    answers = await asyncio.gather(*(auth.enter_code(NUMBER, wrong(code)) for _ in range(100)))
    assert {answer.status for answer in answers} == {401}
    assert (await auth.enter_code(NUMBER, code)).code == "otp_invalid"


@pytest.mark.long
async def test_signup_right_code_beside_two_wrong_succeeds(auth: AuthClient) -> None:
    async def play(round_: int) -> None:
        number = f"+9198765{round_:05d}"
        sent = await auth.request_code(number)
        assert sent.status == 202
        code = await auth.code(number)
        attempts = [wrong(code), code, wrong(code)]
        attempts = attempts[round_ % 3 :] + attempts[: round_ % 3]
        answers = await asyncio.gather(*(auth.enter_code(number, each) for each in attempts))
        assert sorted(answer.status for answer in answers) == [201, 401, 401]

    for first in range(0, amount(60, 200), SIDE_BY_SIDE):
        await asyncio.gather(*map(play, range(first, first + SIDE_BY_SIDE)))


async def test_signup_older_code_is_otp_invalid(auth: AuthClient) -> None:
    await auth.request_code(NUMBER)
    older = await auth.code(NUMBER)
    newer = older
    while newer == older:
        before = len(await auth.inbox(NUMBER))
        await auth.request_code(NUMBER)
        newer = await auth.code(NUMBER, before + 1)
    assert (await auth.enter_code(NUMBER, older)).code == "otp_invalid"
    assert (await auth.enter_code(NUMBER, newer)).status == 201


async def test_signup_code_with_handle_survives_guesses_without_it(auth: AuthClient) -> None:
    sent = await auth.request_code(NUMBER)
    code = await auth.code(NUMBER)
    await auth.request_code(NUMBER)  # a stranger asks for another code
    for _ in range(5):  # and guesses
        await auth.enter_code(NUMBER, wrong(code))
    assert (await auth.enter_code(NUMBER, code, sent.body["challenge"])).status == 201


async def test_signup_code_for_another_number_is_otp_invalid(auth: AuthClient) -> None:
    sent = await auth.request_code(NUMBER)
    code = await auth.code(NUMBER)
    other = await auth.enter_code("+919876543211", code, sent.body["challenge"])
    assert other.code == "otp_invalid"
    assert (await auth.enter_code(NUMBER, code, sent.body["challenge"])).status == 201


async def test_signup_code_after_five_minutes_is_otp_invalid(
    auth: AuthClient, clock: MovableClock
) -> None:
    await auth.request_code(NUMBER)
    code = await auth.code(NUMBER)
    clock.advance(seconds=301)
    assert (await auth.enter_code(NUMBER, code)).code == "otp_invalid"


async def test_signup_malformed_code_uses_no_attempt(auth: AuthClient) -> None:
    await auth.request_code(NUMBER)
    code = await auth.code(NUMBER)
    for nonsense in ("12345", "1234567", "12345a", "१२३४५६", " 12345"):
        assert (await auth.enter_code(NUMBER, nonsense)).code == "validation_failed"
    assert (await auth.enter_code(NUMBER, code)).status == 201


async def test_signup_100_sends_at_once_send_one_message(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth(otp_cooldown=30) as auth:
        answers = await asyncio.gather(*(auth.request_code(NUMBER) for _ in range(100)))
        accepted = [answer for answer in answers if answer.status == 202]
        refused = [answer for answer in answers if answer.status == 429]
        assert (len(accepted), len(refused)) == (1, 99)
        assert {answer.code for answer in refused} == {"rate_limited"}
        assert all(0 < int(answer.headers["Retry-After"]) <= 30 for answer in refused)
        assert await auth.code(NUMBER)
        await auth.sign_in("+919876543299")  # the queue is first in, first out: no more came
        assert len(await auth.inbox(NUMBER)) == 1


async def test_signup_code_for_number_moved_meanwhile_creates_new_user(
    auth: AuthClient, auth_db: Connection
) -> None:
    first = await auth.sign_in(NUMBER, "Asha")
    await auth.request_code(NUMBER, "Meera")
    code = await auth.code(NUMBER, 2)
    async with auth_db.transaction():
        await auth_db.execute("update users set phone_number = '+919876543211'")
        entering = asyncio.create_task(auth.enter_code(NUMBER, code))

        async def waits() -> bool:
            return bool(await auth_db.fetchval("select 1 from pg_locks where not granted"))

        await until(waits)
    answer = await entering
    assert (answer.status, answer.body["user"]["name"]) == (201, "Meera")
    assert answer.body["user"]["id"] != first["user"]["id"]


def test_sessions_are_inserted_in_one_place() -> None:
    """Else whoever has a second factor would be let in without it by the other place."""
    code = Path(auth_service.__file__).parent
    inserting = re.compile(r"into sessions|(def )?insert_session_sql\(", re.IGNORECASE)
    found = [
        (path.relative_to(code).as_posix(), match[0])
        for path in sorted(code.rglob("*.py"))
        for match in inserting.finditer(path.read_text())
    ]
    assert found == [
        ("session/repository.py", "def insert_session_sql("),
        ("session/repository.py", "INTO sessions"),
        ("session/sign_in/repository.py", "insert_session_sql("),
    ]
