"""Use cases as a caller without HTTP runs them, built by the composition root."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from ipaddress import ip_address

import pytest

from auth_service.client import Client
from auth_service.destination import Destination
from auth_service.otp.errors import NoActiveChallenge
from auth_service.session.model import BY_CODE, SignInContext
from auth_service.settings import AuthSettings
from auth_service.wiring import Wiring
from shared.entropy import SystemEntropy
from tests.support.clock import MovableClock

NUMBER = Destination("sms", "+919876543210")
CLIENT = Client(ip_address("203.0.113.9"), "Phone/1", "request")
CODE = "123456"


@pytest.fixture
async def wiring(
    auth_settings: Callable[..., AuthSettings],
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Wiring]:
    monkeypatch.setattr("auth_service.otp.code_source.generate_code", lambda _entropy: CODE)
    built = Wiring(auth_settings(), clock=clock, entropy=SystemEntropy())
    async with built.open_database(), built.open_redis():
        yield built


async def test_signup_right_code_creates_user_once(wiring: Wiring) -> None:
    service = wiring.phone_sign_in
    context = SignInContext(CLIENT, BY_CODE["sms"])
    challenge = await service.request_code(NUMBER, "Asha", CLIENT)
    result = await service.verify_code(NUMBER, CODE, challenge.handle, context)
    assert (result.is_new, result.signed_in.user.name) == (True, "Asha")
    with pytest.raises(NoActiveChallenge):
        await service.verify_code(NUMBER, CODE, challenge.handle, context)


async def test_refresh_exchanged_token_gets_same_successor_again(wiring: Wiring) -> None:
    signup, refresh = wiring.phone_sign_in, wiring.refresh
    context = SignInContext(replace(CLIENT, request_id="another"), BY_CODE["sms"])
    await signup.request_code(NUMBER, "Asha", CLIENT)
    result = await signup.verify_code(NUMBER, CODE, None, context)
    tokens = [result.signed_in.refresh_token]
    first = await refresh.refresh(tokens, session_id=None, origin=context.origin)
    again = await refresh.refresh(tokens, session_id=None, origin=context.origin)
    assert first.refresh_token == again.refresh_token


async def test_wiring_part_that_several_services_use_is_built_once(wiring: Wiring) -> None:
    assert wiring.challenges is wiring.challenges
    assert wiring.publisher is wiring.publisher
