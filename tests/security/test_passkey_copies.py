"""Copies of passkeys, and sign-ins and registrations at the same time."""

import asyncio

import pytest

from auth_service.rate_limit.model import TICKET_OPTIONS_RATES
from shared.limits import Rate
from tests.support.auth_client import Answer, AuthClient
from tests.support.authenticator import ask_for_factor
from tests.support.database import Connection, count_waiting
from tests.support.passkey_client import (
    a_passkey,
    add,
    ask,
    creation_options,
    login,
    login_options,
    send_new,
    sign_in_alone,
    sign_in_by_both,
    signed,
    step_up,
    step_up_options,
    user_with_passkey,
)
from tests.support.waiting import until

NUMBER = "+919876543210"
SESSIONS = "select count(*) from sessions"
COPIES = "select details from audit_events where event = 'passkey.copy_suspected' order by id"


@pytest.fixture
async def auth(passkey_auth: AuthClient) -> AuthClient:
    return passkey_auth


async def test_copy_of_a_passkey_is_refused_everywhere_and_audited(
    auth: AuthClient, auth_db: Connection
) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    passkey = a_passkey(sign_count=5)
    await add(auth, token, passkey)
    for count in (0, 4, 5):
        refused = await sign_in_by_both(auth, NUMBER, passkey, sign_count=count)
        assert refused.code == "mfa_invalid"
        assert (await sign_in_alone(auth, passkey, sign_count=count)).code == "credential_invalid"
        response = signed(passkey, await step_up_options(auth, token), sign_count=count)
        assert (await step_up(auth, token, response)).code == "mfa_invalid"
    assert [one["details"] for one in await auth_db.fetch(COPIES)] == [
        f'{{"stored": "5", "received": "{count}"}}' for count in (0, 4, 5) for _ in range(3)
    ]
    assert (await sign_in_alone(auth, passkey, sign_count=6)).status == 200


async def test_stranger_with_a_credential_id_raises_no_alarm(
    auth: AuthClient, auth_db: Connection
) -> None:
    passkey = await user_with_passkey(auth, NUMBER, sign_count=5)
    forged = a_passkey(credential_id=passkey.credential_id, user_handle=passkey.user_handle)
    before = await auth_db.fetchval("select count(*) from audit_events")
    assert (await sign_in_alone(auth, forged)).code == "credential_invalid"
    assert await auth_db.fetchval("select count(*) from audit_events") == before


async def test_two_sign_ins_at_once_with_one_counter_are_one(
    auth: AuthClient, auth_db: Connection
) -> None:
    """Both have compared the counter before either stored it."""
    passkey = await user_with_passkey(auth, NUMBER, sign_count=5)
    responses = [signed(passkey, await login_options(auth), sign_count=6) for _ in range(2)]
    before = await auth_db.fetchval(SESSIONS)
    async with auth_db.transaction():
        await auth_db.execute("select 1 from users for update")
        racing = [asyncio.ensure_future(login(auth, response)) for response in responses]

        async def both_wait() -> bool:
            return await count_waiting(auth_db) == 2

        await until(both_wait)
    answers = await asyncio.gather(*racing)
    assert sorted(answer.status for answer in answers) == [200, 401]
    assert await auth_db.fetchval(SESSIONS) == before + 1


async def test_sign_ins_at_once_without_a_counter_all_count(auth: AuthClient) -> None:
    """Synchronised passkeys have no counter, and are on several devices."""
    passkey = await user_with_passkey(auth, NUMBER)
    responses = [signed(passkey, await login_options(auth)) for _ in range(4)]
    answers = await asyncio.gather(*(login(auth, response) for response in responses))
    assert [answer.status for answer in answers] == [200] * 4


async def test_registration_sent_twice_at_once_stores_one_passkey(
    auth: AuthClient, auth_db: Connection
) -> None:
    token = (await auth.sign_in(NUMBER))["access_token"]
    passkey = a_passkey()
    first, second = [(await creation_options(auth, token)).body for _ in range(2)]
    answers = await asyncio.gather(
        *(send_new(auth, token, passkey, options) for options in (first, second, second))
    )
    assert [answer.status for answer in answers].count(201) == 1
    assert await auth_db.fetchval("select count(*) from factors") == 1


async def test_passkey_options_have_a_limit(
    auth: AuthClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each challenge takes memory for 5 minutes, and anybody may ask for one."""
    rates = (Rate(2, 300_000),)
    monkeypatch.setattr("auth_service.rate_limit.model.PASSKEY_OPTIONS_RATES", rates)
    for _ in range(2):
        await login_options(auth)
    require_limited(await auth.call("POST", "/passkeys/options"))


async def test_passkey_options_of_a_ticket_have_a_limit_that_strangers_cannot_fill(
    auth: AuthClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mobile network has many strangers on one address."""
    await user_with_passkey(auth, NUMBER)
    ticket, other = await ask_for_factor(auth, NUMBER), await ask_for_factor(auth, NUMBER)
    monkeypatch.setattr("auth_service.rate_limit.model.PASSKEY_OPTIONS_RATES", (Rate(1, 300_000),))
    await login_options(auth)
    require_limited(await auth.call("POST", "/passkeys/options"))
    for _ in range(TICKET_OPTIONS_RATES[0].max_events):
        assert (await ask(auth, ticket)).status == 200
    require_limited(await ask(auth, ticket))
    assert (await ask(auth, other)).status == 200


def require_limited(refused: Answer) -> None:
    assert (refused.status, refused.code) == (429, "rate_limited")
    assert refused.body["limit"] == "passkey_options"
