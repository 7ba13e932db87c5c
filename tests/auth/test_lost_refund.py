"""Redis goes away after a proof was used: what is stored stands, and its answer goes out."""

from typing import Any

import pytest

from shared.errors import ServiceUnavailable
from shared.redis import BatchedRedis
from tests.support.accounts import PASSWORD, activate, post
from tests.support.auth_client import AuthClient
from tests.support.authenticator import ask_for_factor, enrol, verify
from tests.support.clock import MovableClock
from tests.support.database import Connection

NUMBER, EMAIL = "+919876543210", "asha@example.com"


@pytest.fixture
def no_refunds(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = BatchedRedis.execute

    async def execute(redis: BatchedRedis, *command: Any) -> Any:
        if command[0] == "LREM":
            raise ServiceUnavailable
        return await whole(redis, *command)

    monkeypatch.setattr(BatchedRedis, "execute", execute)


@pytest.mark.usefixtures("no_refunds")
async def test_sign_in_whose_try_cannot_be_refunded_is_answered(
    auth: AuthClient, auth_db: Connection, clock: MovableClock
) -> None:
    """Else the session, the ticket and the code would be lost, and no client would hold them."""
    pair = await activate(auth, mobile=NUMBER, email=EMAIL, password=PASSWORD)
    await auth_db.execute("update users set email_verified = true")
    token = pair["access_token"]
    assert (await post(auth, "/login", email=EMAIL, password=PASSWORD)).status == 200
    stepped_up = await auth.call("POST", "/step-up", token=token, json={"password": PASSWORD})
    assert stepped_up.status == 200
    app = await enrol(auth, clock, token)
    signed_in = await verify(auth, await ask_for_factor(auth, NUMBER), app.next_code())
    assert signed_in.status == 200
    stepped_up = await auth.call("POST", "/step-up", token=token, json={"otp": app.next_code()})
    assert stepped_up.status == 200
