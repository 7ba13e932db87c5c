"""Codes of a user who was cut off are dead, and right codes pass whatever others did."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from auth_service.otp.invalidation import CodeInvalidator
from shared.errors import ServiceUnavailable
from tests.auth.test_admin import make_admin
from tests.support.accounts import PASSWORD, activate, next_code, post
from tests.support.auth_client import Answer, AuthClient, wrong
from tests.support.database import Connection
from tests.support.waiting import until

MOBILE, EMAIL = "+919876543210", "asha.rao@example.com"
OTHER = "+919876500001"
FRESH = "battery staple horse"


async def be_asha(auth: AuthClient) -> dict[str, Any]:
    """Sign up by phone, then add a mail address, a username and a password."""
    pair = await activate(auth, email=EMAIL, username="asha", password=PASSWORD)
    token = pair["access_token"]
    sent, code = await code_of(auth, "PATCH /me", MOBILE, {"mobile": MOBILE}, token)
    proof = {"mobile": MOBILE, "otp": code, "challenge": sent.body["challenge"]}
    stored = await auth.call("POST", "/me/verify-contact", json=proof, token=token)
    assert stored.status == 200, stored.body
    return pair


async def code_of(
    auth: AuthClient, route: str, to: str, body: dict[str, Any], token: str
) -> tuple[Answer, str]:
    """Ask for a code as a signed-in user, by `METHOD /path`."""
    before = len(await auth.codes(to))
    sent = await auth.call(*route.split(), json=body, token=token)
    assert sent.status == 202, sent.body
    return sent, await auth.code(to, before + 1)


CutOff = Callable[[AuthClient, dict[str, Any], str], Awaitable[Answer]]


async def log_out_all(auth: AuthClient, pair: dict[str, Any], _admin: str) -> Answer:
    return await auth.call("POST", "/logout-all", token=pair["access_token"])


async def log_out_others(auth: AuthClient, pair: dict[str, Any], _admin: str) -> Answer:
    body = {"except_current": True}
    return await auth.call("POST", "/logout-all", json=body, token=pair["access_token"])


async def change_password(auth: AuthClient, pair: dict[str, Any], _admin: str) -> Answer:
    body = {"current_password": PASSWORD, "new_password": FRESH}
    return await auth.call("POST", "/change-password", json=body, token=pair["access_token"])


async def reset_password(auth: AuthClient, pair: dict[str, Any], _admin: str) -> Answer:
    del pair
    _, code = await next_code(auth, EMAIL, "/forgot-password", email=EMAIL)
    return await post(auth, "/reset-password", email=EMAIL, otp=code, new_password=FRESH)


async def delete_account(auth: AuthClient, pair: dict[str, Any], _admin: str) -> Answer:
    return await auth.call("DELETE", "/me", token=pair["access_token"])


def admin_action(
    method: str, what: str, body: dict[str, Any] | None = None, *, then: str = ""
) -> CutOff:
    async def cut_off(auth: AuthClient, pair: dict[str, Any], admin: str) -> Answer:
        path = f"/admin/users/{pair['user']['id']}"
        done = await auth.call(method, f"{path}/{what}", json=body, token=admin)
        if then:
            assert (await auth.call("POST", f"{path}/{then}", token=admin)).status == 200
        return done

    return cut_off


WAYS: dict[str, CutOff] = {
    "logout_all": log_out_all,
    "logout_others": log_out_others,
    "change_password": change_password,
    "reset_password": reset_password,
    "delete": delete_account,
    "disable": admin_action("POST", "disable", then="enable"),
    "revoke_sessions": admin_action("POST", "revoke-sessions"),
    "roles": admin_action("PUT", "roles", {"roles": ["editor"]}),
}


async def ask_every_code(auth: AuthClient, token: str) -> dict[str, tuple[Answer, str]]:
    """One code of every purpose that reaches the user, by number, mail and username."""
    asked = {
        "signup": await next_code(auth, MOBILE, "/signup", phone_number=MOBILE, name="Asha"),
        "login mobile": await next_code(auth, MOBILE, "/login", mobile=MOBILE),
        "login email": await next_code(auth, EMAIL, "/login", email=EMAIL),
        "reset mobile": await next_code(auth, MOBILE, "/forgot-password", mobile=MOBILE),
        "reset email": await next_code(auth, EMAIL, "/forgot-password", email=EMAIL),
        "reset username": await next_code(auth, EMAIL, "/forgot-password", username="asha"),
    }
    asked["step_up"] = await code_of(auth, "POST /step-up", MOBILE, {}, token)
    asked["change"] = await code_of(auth, "PATCH /me", OTHER, {"mobile": OTHER}, token)
    return asked


async def prove(auth: AuthClient, purpose: str, asked: tuple[Answer, str], token: str) -> Answer:
    sent, code = asked
    proof = {"otp": code, "challenge": sent.body["challenge"]}
    kind, _, name = purpose.partition(" ")
    names = {"mobile": {"mobile": MOBILE}, "email": {"email": EMAIL}}
    if kind == "signup":
        return await post(auth, "/signup", phone_number=MOBILE, **proof)
    if kind == "login":
        return await post(auth, "/login", **names[name], **proof)
    if kind == "reset":
        named = names.get(name, {"username": "asha"})
        return await post(auth, "/verify-reset", **named, **proof)
    body = proof if kind == "step_up" else {"mobile": OTHER, **proof}
    path = "/step-up" if kind == "step_up" else "/me/verify-contact"
    return await auth.call("POST", path, json=body, token=token)


@pytest.mark.parametrize("way", WAYS)
async def test_code_after_generation_was_raised_is_otp_invalid(
    auth: AuthClient, auth_db: Connection, way: str
) -> None:
    admin = await make_admin(auth, auth_db)
    pair = await be_asha(auth)
    token = pair["access_token"]
    asked = await ask_every_code(auth, token)
    done = await WAYS[way](auth, pair, admin)
    assert done.status in {200, 204}, done.body
    for purpose, code in asked.items():
        if way in {"logout_others", "change_password"} and purpose == "change":
            continue  # asked for by the session that stays, at an address not yet the user's
        answer = await prove(auth, purpose, code, token)
        assert answer.status in {401, 404}, (way, purpose, answer.body)


async def test_code_asked_just_before_commit_is_otp_invalid(
    auth: AuthClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was asked for after codes were made worthless, while the change was not yet committed."""
    pair = await auth.sign_in(MOBILE)
    asked: list[tuple[Answer, str]] = []
    invalidate = CodeInvalidator.invalidate

    async def then_ask(self: CodeInvalidator, addresses: list[str]) -> None:
        await invalidate(self, addresses)
        if not asked:
            asked.append(await next_code(auth, MOBILE, "/signup", phone_number=MOBILE, name="A"))

    monkeypatch.setattr(CodeInvalidator, "invalidate", then_ask)
    assert (await auth.call("POST", "/logout-all", token=pair["access_token"])).status == 204
    [(sent, code)] = asked
    assert (await auth.enter_code(MOBILE, code, sent.body["challenge"])).code == "otp_invalid"


@pytest.mark.parametrize("way", ["logout_all", "change_password", "delete", "revoke_sessions"])
async def test_cut_off_without_redis_changes_nothing(
    auth: AuthClient, auth_db: Connection, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    admin = await make_admin(auth, auth_db)
    pair = await be_asha(auth)
    kept = "select generation, password from users where email = $1"
    before = await auth_db.fetchrow(kept, EMAIL)

    async def away(*_: Any) -> None:
        raise ServiceUnavailable

    monkeypatch.setattr(CodeInvalidator, "invalidate", away)
    done = await WAYS[way](auth, pair, admin)
    assert (done.status, done.code) == (503, "service_unavailable")
    assert await auth_db.fetchrow(kept, EMAIL) == before
    assert (await auth.call("GET", "/me", token=pair["access_token"])).status == 200


async def test_right_code_with_handle_passes_beside_neighbours_wrong_codes(
    serving_auth: Callable[..., Any],
) -> None:
    """Fifty wrong codes from one address refuse no neighbour's right one."""
    limits = {"limit_wrong_per_ip": "5/hour", "limit_wrong_per_destination": "2/hour"}
    async with serving_auth(**limits) as auth:
        for number in range(4):
            to = f"+91987650010{number}"
            sent = await auth.request_code(to)
            for _ in range(3):
                await auth.enter_code(to, wrong(await auth.code(to)), sent.body["challenge"])
        sent = await auth.request_code(MOBILE)
        code = await auth.code(MOBILE)
        refused = await auth.enter_code(MOBILE, wrong(code), sent.body["challenge"])
        assert (refused.status, refused.code) == (429, "rate_limited")
        assert (await auth.enter_code(MOBILE, code, sent.body["challenge"])).status == 201


async def test_wrong_codes_beyond_limit_use_up_their_challenge(
    serving_auth: Callable[..., Any],
) -> None:
    async with serving_auth(limit_wrong_per_ip="1/hour") as auth:
        sent = await auth.request_code(MOBILE)
        code = await auth.code(MOBILE)
        statuses = [
            (await auth.enter_code(MOBILE, wrong(code), sent.body["challenge"])).status
            for _ in range(3)
        ]
        assert statuses == [401, 429, 429]
        assert (await auth.enter_code(MOBILE, code, sent.body["challenge"])).code == "otp_invalid"


async def test_code_without_handle_survives_sends_that_a_limit_drops(
    serving_auth: Callable[..., Any],
) -> None:
    """Strangers' asks that queue nothing do not make the owner's code worthless."""
    limits = {"trusted_proxies": "127.0.0.1", "limit_send_total_per_destination": "2/hour"}
    async with serving_auth(account_disclosure="conceal", **limits) as auth:
        await activate_concealed(auth)
        code = await auth.code(EMAIL, 2)
        for client in range(3):
            address = f"203.0.113.{client}"
            assert (await post(auth, "/login", address=address, email=EMAIL)).status == 202
        assert len(await auth.codes(EMAIL)) == 2
        assert (await post(auth, "/login", email=EMAIL, otp=code)).status == 200


async def activate_concealed(auth: AuthClient) -> None:
    """An account with a mail address, and a code for signing in on its way."""
    sent = await post(auth, "/register", email=EMAIL)
    proof = {"otp": await auth.code(EMAIL), "challenge": sent.body["challenge"]}
    pair = await post(auth, "/verify-otp", email=EMAIL, **proof)
    assert pair.status == 200, pair.body
    assert (await post(auth, "/login", email=EMAIL)).status == 202


async def test_codes_wrong_and_proven_show_in_metrics(
    serving_auth: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auth_service.app.FUNNEL_SECONDS", 0.05)
    async with serving_auth() as auth:
        await auth.request_code(OTHER)
        sent = await auth.request_code(MOBILE)
        code = await auth.code(MOBILE)
        for _ in range(2):
            await auth.enter_code(MOBILE, wrong(code), sent.body["challenge"])
        await auth.enter_code(MOBILE, code, sent.body["challenge"])

        async def is_shown() -> bool:
            async with auth.http.get("/metrics") as metrics:
                text = await metrics.text()
            return {"otp_wrong_total 2.0", "otp_conversion_ratio 0.5"} <= set(text.splitlines())

        await until(is_shown)
