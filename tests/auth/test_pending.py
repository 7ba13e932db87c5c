"""What is signed out while nobody can be told: done here, and said to be pending elsewhere."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.support.accounts import PASSWORD, activate, next_code, post
from tests.support.auth_client import Answer, AuthClient

EMAIL, NEW = "asha@example.com", "battery staple horse"
Act = Callable[[AuthClient, Any], Awaitable[Answer]]


@pytest.fixture
def publishing_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auth_service.revocation.service.PUBLISH_TIMEOUT_SECONDS", 0)


async def _change_password(auth: AuthClient, pair: Any) -> Answer:
    body = {"current_password": PASSWORD, "new_password": NEW}
    return await auth.call("POST", "/change-password", token=pair["access_token"], json=body)


async def _reset_password(auth: AuthClient, _pair: Any) -> Answer:
    _, code = await next_code(auth, EMAIL, "/forgot-password", email=EMAIL)
    return await post(auth, "/reset-password", email=EMAIL, otp=code, new_password=NEW)


async def _sign_out_everywhere(auth: AuthClient, pair: Any) -> Answer:
    return await auth.call("POST", "/logout-all", token=pair["access_token"])


async def _sign_out_another(auth: AuthClient, pair: Any) -> Answer:
    token = pair["access_token"]
    listed = (await auth.call("GET", "/sessions", token=token)).body["items"]
    other = next(item["id"] for item in listed if not item["current"])
    return await auth.call("DELETE", f"/sessions/{other}", token=token)


async def _reuse_refresh_token(auth: AuthClient, pair: Any) -> Answer:
    token = pair["refresh_token"]
    for _ in range(2):  # so that it is two generations old, which no retry explains
        renewed = await post(auth, "/refresh", refresh_token=token)
        assert renewed.status == 200, renewed.body
        token = renewed.body["refresh_token"]
    return await post(auth, "/refresh", refresh_token=pair["refresh_token"])


@pytest.mark.usefixtures("publishing_times_out")
@pytest.mark.parametrize(
    "act",
    [_change_password, _reset_password, _sign_out_everywhere, _sign_out_another],
)
async def test_revocation_that_cannot_be_published_is_done_and_pending(
    auth: AuthClient, act: Act
) -> None:
    mine = await activate(auth, email=EMAIL, password=PASSWORD)
    other = (await post(auth, "/login", email=EMAIL, password=PASSWORD)).body
    pending = await act(auth, mine)
    assert (pending.status, pending.code) == (503, "revocation_pending")
    assert int(pending.headers["Retry-After"]) >= 1
    gone = await auth.call("GET", "/me", token=other["access_token"])
    assert gone.code == "token_revoked"


@pytest.mark.usefixtures("publishing_times_out")
async def test_reused_refresh_token_ends_the_session_though_publishing_fails(
    auth: AuthClient,
) -> None:
    pair = await activate(auth, email=EMAIL, password=PASSWORD)
    pending = await _reuse_refresh_token(auth, pair)
    assert (pending.status, pending.code) == (503, "revocation_pending")
    gone = await auth.call("GET", "/me", token=pair["access_token"])
    assert gone.code == "token_revoked"
