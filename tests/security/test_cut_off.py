"""What was begun before a user was cut off comes to nothing after it, and devices are strangers."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from auth_service.otp.invalidation import CodeInvalidator
from auth_service.password.service import PasswordResetService
from auth_service.signup.service import PhoneSignInService
from tests.auth.test_admin import make_admin
from tests.security.test_codes import EMAIL, MOBILE, be_asha, log_out_others
from tests.support.accounts import PASSWORD, activate, next_code, post
from tests.support.auth_client import AuthClient
from tests.support.database import Connection

FRESH = "battery staple horse"
THIEF, NEAR = "192.0.2.66", "192.0.2.99"


@pytest.mark.parametrize("what", ["link", "ticket"])
async def test_reset_link_and_ticket_after_logout_of_others_are_otp_invalid(
    auth: AuthClient, what: str
) -> None:
    pair = await be_asha(auth)
    _, code = await next_code(auth, EMAIL, "/forgot-password", email=EMAIL)
    if what == "link":
        mail = str((await auth.inbox(EMAIL))[0]["text"])
        ticket = mail.split("#reset_ticket=")[1].split(maxsplit=1)[0]
    else:
        ticket = (await post(auth, "/verify-reset", email=EMAIL, otp=code)).body["reset_ticket"]
    assert (await log_out_others(auth, pair, "")).status == 204
    done = await post(auth, "/reset-password", reset_ticket=ticket, new_password=FRESH)
    assert (done.status, done.code) == (401, "otp_invalid")


@pytest.mark.parametrize("how", ["signup", "login"])
@pytest.mark.parametrize("except_current", [True, False])
async def test_sign_in_in_progress_is_ended_by_logout_all(
    auth: AuthClient, monkeypatch: pytest.MonkeyPatch, how: str, *, except_current: bool
) -> None:
    """The code is proven. The sign-in waits for the user's row, which the sign-out has locked."""
    pair = await be_asha(auth)
    ask: dict[str, Any] = {"mobile": MOBILE}
    if how == "signup":
        ask = {"phone_number": MOBILE, "name": "Asha"}
    sent, code = await next_code(auth, MOBILE, f"/{how}", **ask)
    ask.pop("name", None)
    proof = {**ask, "otp": code, "challenge": sent.body["challenge"]}
    tasks: list[asyncio.Task[Any]] = []
    invalidate = CodeInvalidator.invalidate

    async def after_sign_in_began(self: CodeInvalidator, addresses: list[str]) -> None:
        if not tasks:
            tasks.append(asyncio.create_task(post(auth, f"/{how}", **proof)))
            await asyncio.sleep(0.3)
            assert not tasks[0].done()
        await invalidate(self, addresses)

    monkeypatch.setattr(CodeInvalidator, "invalidate", after_sign_in_began)
    body = {"except_current": except_current}
    out = await auth.call("POST", "/logout-all", json=body, token=pair["access_token"])
    assert out.status == 204
    entered = await tasks[0]
    assert (entered.status, entered.code) == (401, "otp_invalid")


async def test_code_restored_after_logout_all_is_otp_invalid(
    auth: AuthClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database fails after the code was consumed, and the sign-out comes before it is back."""
    pair = await auth.sign_in(MOBILE)
    sent, code = await next_code(auth, MOBILE, "/signup", phone_number=MOBILE, name="A")
    with monkeypatch.context() as patched:

        async def fail(*_: Any) -> Any:
            out = await auth.call("POST", "/logout-all", token=pair["access_token"])
            assert out.status == 204
            raise ConnectionError

        patched.setattr(PhoneSignInService, "_create_session", fail)
        assert (await auth.enter_code(MOBILE, code, sent.body["challenge"])).status >= 500
    assert (await auth.enter_code(MOBILE, code, sent.body["challenge"])).code == "otp_invalid"
    assert (await auth.enter_code(MOBILE, code)).code == "otp_invalid"


async def announced(auth: AuthClient) -> int:
    await asyncio.sleep(0.2)
    return len([one for one in await auth.inbox(EMAIL) if "sign-in" in str(one["subject"])])


@pytest.mark.parametrize("shows_device", [True, False])
@pytest.mark.parametrize("way", ["logout_all", "reset", "revoke"])
async def test_new_device_notice_after_revocation_is_sent_again(
    serving_auth: Callable[..., Any], auth_db: Connection, way: str, *, shows_device: bool
) -> None:
    """By the device that they showed, or by their network and program."""
    async with serving_auth(trusted_proxies="127.0.0.1") as auth:
        admin = await make_admin(auth, auth_db)
        owner = await activate(auth, email=EMAIL, username="asha", password=PASSWORD)
        login = {"username": "asha", "password": PASSWORD}
        thief = await post(auth, "/login", address=THIEF, **login)
        if way == "logout_all":
            await auth.call("POST", "/logout-all", token=owner["access_token"])
        elif way == "reset":
            _, code = await next_code(auth, EMAIL, "/forgot-password", email=EMAIL)
            login["password"] = FRESH
            done = await post(auth, "/reset-password", email=EMAIL, otp=code, new_password=FRESH)
            assert done.status == 200
        else:
            path = f"/admin/users/{owner['user']['id']}/revoke-sessions"
            assert (await auth.call("POST", path, token=admin)).status == 204
        before = await announced(auth)
        again = login | ({"device": thief.body["device"]} if shows_device else {})
        assert (await post(auth, "/login", address=NEAR, **again)).status == 200
        assert await announced(auth) == before + 1


async def test_new_device_notice_for_own_device_after_logout_of_others_is_not_sent(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth(trusted_proxies="127.0.0.1") as auth:
        owner = await activate(auth, email=EMAIL, username="asha", password=PASSWORD)
        body = {"except_current": True}
        await auth.call("POST", "/logout-all", json=body, token=owner["access_token"])
        before = await announced(auth)
        again = {"username": "asha", "password": PASSWORD, "device": owner["device"]}
        assert (await post(auth, "/login", address=THIEF, **again)).status == 200
        assert await announced(auth) == before


async def test_login_limit_former_username_holder_counts_as_stranger(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth() as open_auth:
        former = await activate(
            open_auth, email="other@example.com", username="asha", password=PASSWORD
        )
        renamed = await open_auth.call(
            "PATCH", "/me", json={"username": "other"}, token=former["access_token"]
        )
        assert renamed.status == 200
        await activate(open_auth, email=EMAIL, username="asha", password=PASSWORD)
    limits = {"trusted_proxies": "127.0.0.1", "limit_login_failures": "2/hour"}
    async with serving_auth(**limits) as auth:
        guess = {"username": "asha", "password": "guess wrong", "address": THIEF}
        for _ in range(2):
            assert (await post(auth, "/login", **guess)).status == 401
        assert (await post(auth, "/login", **guess, device=former["device"])).status == 429


@pytest.mark.parametrize("exchanged", [True, False])
async def test_reset_in_progress_is_ended_by_logout_of_others(
    auth: AuthClient, monkeypatch: pytest.MonkeyPatch, *, exchanged: bool
) -> None:
    """The code is proven, and the sign-out comes before the password, or the ticket, is stored."""
    pair = await be_asha(auth)
    sent, code = await next_code(auth, EMAIL, "/forgot-password", email=EMAIL)
    proof = {"email": EMAIL, "otp": code, "challenge": sent.body["challenge"]}
    find_unchanged = PasswordResetService._require_unchanged

    async def then_sign_out(*arguments: Any) -> Any:
        account = await find_unchanged(*arguments)
        assert (await log_out_others(auth, pair, "")).status == 204
        return account

    monkeypatch.setattr(PasswordResetService, "_require_unchanged", then_sign_out)
    if exchanged:
        done = await post(auth, "/verify-reset", **proof)
    else:
        done = await post(auth, "/reset-password", **proof, new_password=FRESH)
    assert (done.status, done.code) == (401, "otp_invalid")
    assert (await auth.call("GET", "/me", token=pair["access_token"])).status == 200


async def test_logout_of_others_beyond_limit_is_429(auth: AuthClient) -> None:
    """Else one stolen session ends whatever its owner begins. Ending itself too is free."""
    stolen = (await activate(auth, email=EMAIL, password=PASSWORD))["access_token"]
    body = {"except_current": True}
    statuses = [
        (await auth.call("POST", "/logout-all", json=body, token=stolen)).status for _ in range(6)
    ]
    assert statuses == [204] * 5 + [429]
    _, code = await next_code(auth, EMAIL, "/login", email=EMAIL)
    owner = await post(auth, "/login", email=EMAIL, otp=code)
    assert owner.status == 200
    out = await auth.call("POST", "/logout-all", token=owner.body["access_token"])
    assert out.status == 204
    assert (await auth.call("GET", "/me", token=stolen)).status == 401
