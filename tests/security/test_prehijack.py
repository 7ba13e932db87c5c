"""A stranger who registers an address before its owner keeps nothing of what they chose."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.support.accounts import PASSWORD, next_code, post
from tests.support.auth_client import Answer, AuthClient
from tests.support.clock import MovableClock

MOBILE, EMAIL = "+919876543210", "asha.rao@example.com"
STRANGERS_MAIL = "mallory@example.com"
BY_MAIL = {"email": EMAIL, "username": "mallory", "password": PASSWORD, "first_name": "Mallory"}
BY_PHONE = {**BY_MAIL, "mobile": MOBILE, "email": STRANGERS_MAIL}
ADDRESSES = [({"email": EMAIL}, BY_MAIL), ({"mobile": MOBILE}, BY_PHONE)]


@pytest.fixture(params=["reveal", "conceal"])
async def served(
    request: pytest.FixtureRequest, serving_auth: Callable[..., Any]
) -> AsyncIterator[AuthClient]:
    async with serving_auth(account_disclosure=request.param) as auth:
        yield auth


async def register(auth: AuthClient, body: dict[str, str]) -> Answer:
    answer = await post(auth, "/register", **body)
    assert answer.status in {201, 202}, answer.body
    return answer


def address_of(to: dict[str, str]) -> str:
    [address] = to.values()
    return address


async def passwords_that_work(auth: AuthClient) -> list[str]:
    names = ({"email": EMAIL}, {"email": STRANGERS_MAIL}, {"username": "mallory"})
    tried = [(name, await post(auth, "/login", **name, password=PASSWORD)) for name in names]
    return [str(name) for name, answer in tried if answer.status == 200]


async def verify(auth: AuthClient, to: dict[str, str], code: str, **proof: str) -> dict[str, Any]:
    answer = await post(auth, "/verify-otp", **to, otp=code, **proof)
    assert answer.status == 200, answer.body
    user: dict[str, Any] = answer.body["user"]
    return user


@pytest.mark.parametrize(("to", "claim"), ADDRESSES)
@pytest.mark.parametrize("with_handle", [True, False])
async def test_activation_by_resent_code_without_handle_drops_the_claims(
    served: AuthClient, to: dict[str, str], claim: dict[str, str], *, with_handle: bool
) -> None:
    await register(served, claim)
    await served.code(address_of(to))
    sent, code = await next_code(served, address_of(to), "/resend-otp", **to)
    proof = {"challenge": sent.body["challenge"]} if with_handle else {}
    user = await verify(served, to, code, **proof)
    assert (user["username"], user["first_name"], user["name"]) == (None, None, "")
    assert user["email"] in {None, EMAIL}
    assert await passwords_that_work(served) == []


@pytest.mark.parametrize(("to", "claim"), ADDRESSES)
@pytest.mark.parametrize("with_handle", [True, False])
@pytest.mark.parametrize("resends", [1, 2])
async def test_activation_by_resent_code_with_handle_keeps_the_registration(
    served: AuthClient,
    clock: MovableClock,
    to: dict[str, str],
    claim: dict[str, str],
    resends: int,
    *,
    with_handle: bool,
) -> None:
    """Also long after the first code has expired, and by the handle of a resent one.

    Without its own handle the code may have been typed by somebody else than who asked for it.
    """
    handle, code = (await register(served, claim)).body["challenge"], ""
    await served.code(address_of(to))
    for _ in range(resends):
        clock.advance(minutes=40)
        sent, code = await next_code(served, address_of(to), "/resend-otp", **to, challenge=handle)
        handle = sent.body["challenge"]
    user = await verify(served, to, code, **({"challenge": handle} if with_handle else {}))
    kept = ("mallory", "Mallory") if with_handle else (None, None)
    assert (user["username"], user["first_name"]) == kept
    assert bool(await passwords_that_work(served)) is with_handle


@pytest.mark.parametrize(("to", "claim"), ADDRESSES)
async def test_activation_with_handle_of_another_registration_drops_the_claims(
    served: AuthClient, to: dict[str, str], claim: dict[str, str]
) -> None:
    """A handle counts for the registration, at the address, that it was given for."""
    elsewhere = await register(served, {"email": "elsewhere@example.com"})
    await register(served, claim)
    await served.code(address_of(to))
    handle = elsewhere.body["challenge"]
    sent, code = await next_code(served, address_of(to), "/resend-otp", **to, challenge=handle)
    user = await verify(served, to, code, challenge=sent.body["challenge"])
    assert user["username"] is None
    assert await passwords_that_work(served) == []


@pytest.mark.parametrize(("to", "claim"), ADDRESSES)
async def test_activation_first_code_of_only_registration_keeps_it(
    served: AuthClient, to: dict[str, str], claim: dict[str, str]
) -> None:
    await register(served, claim)
    user = await verify(served, to, await served.code(address_of(to)))
    assert user["username"] == "mallory"


@pytest.mark.parametrize(("to", "claim"), ADDRESSES)
async def test_activation_first_code_among_several_without_handle_drops_claims(
    served: AuthClient, to: dict[str, str], claim: dict[str, str]
) -> None:
    await register(served, claim)
    await served.code(address_of(to))
    await register(served, dict(to))
    user = await verify(served, to, await served.code(address_of(to), 2))
    assert user["username"] is None
    assert await passwords_that_work(served) == []
