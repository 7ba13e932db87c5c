"""Nobody gets into an account with what they claimed before its owner came."""

import asyncio
from typing import Any

import pytest

from tests.auth.test_admin import make_admin
from tests.support.accounts import PASSWORD, activate, next_code, post, register, to_of
from tests.support.auth_client import AuthClient
from tests.support.clock import MovableClock
from tests.support.database import Connection

MOBILE, EMAIL = "+919876543210", "asha.rao@example.com"
OWN = "the password of the owner"
MALLORY: dict[str, str] = {
    "email": EMAIL,
    "username": "mallory",
    "first_name": "Mallory",
    "password": PASSWORD,
}
OWNER: dict[str, str] = {
    "email": EMAIL,
    "username": "asha",
    "first_name": "Asha",
    "password": OWN,
}


async def verify(auth: AuthClient, code: str, challenge: str | None = None, **to: str) -> Any:
    body = {**(to or {"email": EMAIL}), "otp": code}
    body |= {"challenge": challenge} if challenge else {}
    answer = await post(auth, "/verify-otp", **body)
    assert answer.status == 200, answer.body
    return answer.body["user"]


async def login(auth: AuthClient, password: str, **name: str) -> int:
    name = name or {"email": EMAIL}
    return (await post(auth, "/login", **name, password=password)).status


async def register_again(auth: AuthClient, body: dict[str, str]) -> tuple[str, str]:
    """Register beside what is there already: challenge and code."""
    [to] = to_of(body).values()
    before = len(await auth.codes(to))
    answer = await post(auth, "/register", **body)
    assert answer.status == 201, answer.body
    return str(answer.body["challenge"]), await auth.code(to, before + 1)


@pytest.mark.parametrize("owner_first", [False, True])
async def test_activation_without_handle_drops_every_claimed_password(
    auth: AuthClient, *, owner_first: bool
) -> None:
    first, second = (OWNER, MALLORY) if owner_first else (MALLORY, OWNER)
    await register_again(auth, first)
    _, code = await register_again(auth, second)
    user = await verify(auth, code)
    assert (user["username"], user["first_name"], user["name"]) == (None, None, "")
    for password in (PASSWORD, OWN):
        assert await login(auth, password) == 401
        assert await login(auth, password, username="mallory") == 401
        assert await login(auth, password, username="asha") == 401


@pytest.mark.parametrize("owner_first", [False, True])
async def test_activation_with_handle_keeps_its_registration(
    auth: AuthClient, *, owner_first: bool
) -> None:
    bodies = (OWNER, MALLORY) if owner_first else (MALLORY, OWNER)
    sent = {body["username"]: await register_again(auth, body) for body in bodies}
    challenge, code = sent["asha"]
    user = await verify(auth, code, challenge)
    assert (user["username"], user["first_name"], user["name"]) == ("asha", "Asha", "Asha")
    assert await login(auth, OWN) == 200
    assert await login(auth, PASSWORD) == 401
    assert await login(auth, PASSWORD, username="mallory") == 401


async def test_activation_by_resent_code_drops_every_claimed_password(auth: AuthClient) -> None:
    await register_again(auth, OWNER)
    await register_again(auth, MALLORY)
    again, code = await next_code(auth, EMAIL, "/resend-otp", email=EMAIL)
    user = await verify(auth, code, again.body["challenge"])
    assert user["username"] is None
    for password in (PASSWORD, OWN):
        assert await login(auth, password) == 401


async def test_registration_of_activated_address_is_discarded(
    auth: AuthClient, auth_db: Connection
) -> None:
    attackers, attackers_code = await register_again(auth, MALLORY)
    owners, owners_code = await register_again(auth, OWNER)
    user = await verify(auth, owners_code, owners)
    assert await auth_db.fetchval("select count(*) from users") == 1
    # Even proven afterwards, it is the owner's account that is entered, as it is.
    again = await verify(auth, attackers_code, attackers)
    assert again == user | {"last_login_at": again["last_login_at"]}
    assert await login(auth, PASSWORD) == 401
    assert await login(auth, OWN) == 200


async def test_signup_by_phone_drops_registration_of_that_number(auth: AuthClient) -> None:
    registered, code = await register(auth, mobile=MOBILE, **MALLORY)
    pair = await auth.sign_in(MOBILE, "Asha")
    assert (pair["user"]["username"], pair["user"]["email"]) == (None, None)
    assert await login(auth, PASSWORD, username="mallory") == 403  # waits, and is nobody's
    assert (await post(auth, "/resend-otp", mobile=MOBILE)).code == "user_not_registered"
    entered = await verify(auth, code, registered.body["challenge"], mobile=MOBILE)
    assert entered["id"] == pair["user"]["id"]
    assert (entered["username"], entered["name"]) == (None, "Asha")


async def test_activation_by_mobile_leaves_claimed_email_unverified(
    auth: AuthClient,
) -> None:
    await activate(auth, mobile=MOBILE, **MALLORY)
    pair = await activate(auth, **OWNER)  # the mail's owner comes later
    assert (pair["user"]["email"], pair["user"]["email_verified"]) == (EMAIL, True)
    assert await login(auth, OWN) == 200
    assert await login(auth, PASSWORD) == 401
    sent = await post(auth, "/forgot-password", username="mallory")
    assert sent.status == 202
    assert "reset" not in str(await auth.inbox(EMAIL))


async def test_activation_claimed_email_verified_elsewhere_is_dropped(auth: AuthClient) -> None:
    _, code = await register(auth, mobile=MOBILE, **MALLORY)
    await activate(auth, **OWNER)
    user = await verify(auth, code, mobile=MOBILE)
    assert (user["phone_number"], user["email"]) == (MOBILE, None)


@pytest.mark.parametrize("by", ["the user", "an administrator"])
async def test_account_end_with_unverified_email_leaves_owners_codes(
    auth: AuthClient, auth_db: Connection, by: str
) -> None:
    pair = await activate(auth, mobile=MOBILE, **MALLORY)
    await activate(auth, **OWNER)
    sent, code = await next_code(auth, EMAIL, "/login", email=EMAIL)
    forgot, other = await next_code(auth, EMAIL, "/forgot-password", email=EMAIL)
    if by == "the user":
        ended = await auth.call("DELETE", "/me", token=pair["access_token"])
    else:
        path = f"/admin/users/{pair['user']['id']}/disable"
        ended = await auth.call("POST", path, token=await make_admin(auth, auth_db))
    assert ended.status in {200, 204}, ended.body
    body = {"email": EMAIL, "otp": other, "challenge": forgot.body["challenge"]}
    assert (await post(auth, "/verify-reset", **body)).status == 200
    body = {"email": EMAIL, "otp": code, "challenge": sent.body["challenge"]}
    assert (await post(auth, "/login", **body)).status == 200


async def test_activation_taken_username_is_dropped(auth: AuthClient) -> None:
    _, code = await register(auth, email=EMAIL, username="asha", password=OWN)
    await activate(auth, email="other@example.com", username="ASHA", password=PASSWORD)
    user = await verify(auth, code)
    assert (user["username"], user["name"]) == (None, "")
    assert await login(auth, OWN) == 200
    assert await login(auth, PASSWORD, username="asha") == 200
    assert await login(auth, OWN, username="asha") == 401


async def test_activation_20_at_once_of_one_username_give_it_to_one(
    auth: AuthClient, auth_db: Connection
) -> None:
    addresses = [f"asha{i}@example.com" for i in range(20)]
    codes = {to: (await register(auth, email=to, username="asha"))[1] for to in addresses}
    users = await asyncio.gather(*(verify(auth, codes[to], email=to) for to in addresses))
    assert sorted(user["username"] or "" for user in users) == [""] * 19 + ["asha"]
    assert await auth_db.fetchval("select count(*) from users where status = 'active'") == 20


async def test_activation_two_registrations_at_once_make_one_account(
    auth: AuthClient, auth_db: Connection
) -> None:
    first, second = await register_again(auth, MALLORY), await register_again(auth, OWNER)
    users = await asyncio.gather(
        verify(auth, first[1], first[0]), verify(auth, second[1], second[0])
    )
    assert users[0]["id"] == users[1]["id"]
    assert users[0]["username"] == users[1]["username"]
    assert await auth_db.fetchval("select count(*) from users") == 1


async def test_activation_beside_phone_signup_makes_one_account(
    auth: AuthClient, auth_db: Connection
) -> None:
    for round_ in range(10):
        number = f"+9198765{round_:05d}"
        _, code = await register(auth, mobile=number)
        await auth.request_code(number)
        other = await auth.code(number, 2)
        verified, entered = await asyncio.gather(
            post(auth, "/verify-otp", mobile=number, otp=code), auth.enter_code(number, other)
        )
        assert verified.status == 200
        assert entered.status in {200, 201}
        assert verified.body["user"]["id"] == entered.body["user"]["id"]
    held = "select count(*) from users where phone_verified"
    assert await auth_db.fetchval(held) == 10


async def test_registration_after_seven_days_is_ignored(
    auth: AuthClient, clock: MovableClock
) -> None:
    await register(auth, **MALLORY)
    clock.advance(days=7, seconds=1)
    assert (await post(auth, "/resend-otp", email=EMAIL)).code == "user_not_registered"
    assert (await post(auth, "/login", email=EMAIL)).code == "user_not_registered"
    _, code = await register_again(auth, OWNER)
    await verify(auth, code)  # the only one that is open
    assert await login(auth, OWN) == 200
