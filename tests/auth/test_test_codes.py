"""`TEST_CODES`: reviewers and tests sign in with a code that is never sent."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from auth_service.delivery.model import STREAM
from tests.support.accounts import PASSWORD, post
from tests.support.auth_client import AuthClient
from tests.support.database import Connection
from tests.support.providers import FakeProvider

NUMBER, CODE = "+919999900001", "123456"
MAIL, MAIL_CODE = "reviewer@example.com", "654321"
OTHER = "+919876543210"
TEST_CODES = f"{NUMBER}:{CODE}, Reviewer@Example.com:{MAIL_CODE}"


@pytest.fixture
def serving_test_codes(serving_auth: Callable[..., Any]) -> Callable[..., Any]:
    return lambda **changes: serving_auth(test_codes=TEST_CODES, **changes)


async def read_test_code_events(database: Connection) -> list[tuple[str, Any]]:
    rows = await database.fetch(
        "select outcome, details from audit_events where event = 'test_code.used' order by id"
    )
    return [(row["outcome"], json.loads(row["details"])) for row in rows]


async def test_test_code_signs_up_and_in_without_a_message(
    serving_with: Callable[..., Any], twilio: FakeProvider, redis: Redis, auth_db: Connection
) -> None:
    async with serving_with("twilio", test_codes=TEST_CODES) as auth:
        sent = await auth.request_code(NUMBER)
        assert sent.status == 202
        assert CODE not in str(sent.body)
        assert (await auth.enter_code(NUMBER, CODE, sent.body["challenge"])).status == 201
        await auth.request_code(NUMBER)
        agent = {"User-Agent": "Another/1"}  # a sign-in from a new device, with a notice
        assert (await auth.enter_code(NUMBER, CODE, headers=agent)).status == 200
        await auth.request_code(OTHER)
        [message] = await twilio.received(1)  # the queue is first in, first out
        assert message["to"] == OTHER
        assert await redis.xlen(STREAM) <= 1
    details = {"purpose": "signup", "to": "…01"}
    assert await read_test_code_events(auth_db) == [("success", details), ("success", details)]


async def test_test_code_works_for_every_purpose(
    serving_test_codes: Callable[..., Any], auth_db: Connection
) -> None:
    async with serving_test_codes() as auth:
        registered = {"email": MAIL, "username": "reviewer", "password": PASSWORD}
        sent = await post(auth, "/register", **registered)
        body = {"email": MAIL, "otp": MAIL_CODE, "challenge": sent.body["challenge"]}
        token = (await post(auth, "/verify-otp", **body)).body["access_token"]
        await post(auth, "/login", email=MAIL)
        assert (await post(auth, "/login", email=MAIL, otp=MAIL_CODE)).status == 200
        await auth.call("POST", "/step-up", token=token, json={})
        stepped = await auth.call("POST", "/step-up", token=token, json={"otp": MAIL_CODE})
        assert stepped.status == 200
        fresh = stepped.body["access_token"]
        await auth.call("PATCH", "/me", token=fresh, json={"mobile": NUMBER})
        proof = {"mobile": NUMBER, "otp": CODE}
        proven = await auth.call("POST", "/me/verify-contact", token=fresh, json=proof)
        assert proven.status == 200
        await post(auth, "/forgot-password", username="reviewer")
        reset = {"username": "reviewer", "otp": MAIL_CODE}
        assert (await post(auth, "/verify-reset", **reset)).status == 200
        assert await auth.inbox(MAIL) == await auth.inbox(NUMBER) == []
    purposes = [details["purpose"] for _, details in await read_test_code_events(auth_db)]
    assert purposes == ["verify", "login", "step_up", "change_contact", "reset_password"]


async def test_test_code_before_its_request_is_otp_invalid(
    serving_test_codes: Callable[..., Any],
) -> None:
    async with serving_test_codes() as auth:
        refused = await auth.enter_code(NUMBER, CODE)
        assert (refused.status, refused.code) == (401, "otp_invalid")
        await auth.request_code(NUMBER)
        assert (await auth.enter_code(NUMBER, CODE)).status == 201
        assert (await auth.enter_code(NUMBER, CODE)).status == 401


async def test_test_code_for_another_number_is_otp_invalid(
    serving_test_codes: Callable[..., Any],
) -> None:
    async with serving_test_codes() as auth:
        await auth.request_code(OTHER)
        code = await auth.code(OTHER)
        assert code != CODE
        assert (await auth.enter_code(OTHER, CODE)).status == 401


async def test_test_code_guesses_beyond_limit_are_refused(
    serving_test_codes: Callable[..., Any],
) -> None:
    async with serving_test_codes() as auth:
        sent = await auth.request_code(NUMBER)
        for _ in range(3):
            assert (await auth.enter_code(NUMBER, "000000", sent.body["challenge"])).status == 401
        assert (await auth.enter_code(NUMBER, CODE, sent.body["challenge"])).status == 401
    async with serving_test_codes(limit_send_per_destination="1/hour") as auth:
        await auth.request_code(NUMBER)
        assert (await auth.request_code(NUMBER)).code == "rate_limited"


async def test_concealed_address_without_account_takes_no_test_code(
    serving_test_codes: Callable[..., Any],
) -> None:
    async with serving_test_codes(account_disclosure="conceal") as auth:
        assert (await post(auth, "/login", email=MAIL)).status == 202
        assert (await post(auth, "/login", email=MAIL, otp=MAIL_CODE)).status == 401


async def test_test_code_whose_use_cannot_be_audited_stays_valid(
    serving_test_codes: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving_test_codes() as auth:
        await auth.request_code(NUMBER)
        with monkeypatch.context() as broken:

            async def away(*_: object) -> None:
                raise ConnectionError

            broken.setattr("auth_service.audit.repository.insert_event", away)
            assert (await auth.enter_code(NUMBER, CODE)).status >= 500
        assert (await auth.enter_code(NUMBER, CODE)).status == 201


async def test_test_code_is_in_no_log(
    serving_test_codes: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving_test_codes() as auth:
        await auth.sign_in(OTHER)
        await auth.request_code(NUMBER)
        await auth.enter_code(NUMBER, "000000")
        await auth.enter_code(NUMBER, CODE)
    await asyncio.sleep(0)
    shown = "".join(capsys.readouterr())
    assert "request.answered" in shown
    assert CODE not in shown


async def test_codes_without_test_codes_setting_work_as_before(auth: AuthClient) -> None:
    await auth.request_code(NUMBER)
    assert await auth.code(NUMBER)
