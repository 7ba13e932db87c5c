"""Second factors in a real browser: added, and used to sign in, on a page of auth_service's own."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from playwright.async_api import Page

from auth_service.app import create_app
from auth_service.settings import AuthSettings
from shared.entropy import SystemEntropy
from shared.server import listening
from tests.browser.conftest import open_page
from tests.browser.test_passkeys import PLATFORM, add_authenticator
from tests.support.auth_client import AuthClient
from tests.support.authenticator import Authenticator
from tests.support.clock import MovableClock
from tests.support.ports import own_port
from tests.support.waiting import until

NUMBER = "+919876543210"
PAGE = Path(__file__).with_name("second_factors.html").read_text()


@pytest.fixture
async def auth(
    auth_settings: Callable[..., AuthSettings], clock: MovableClock
) -> AsyncIterator[AuthClient]:
    """auth_service at `localhost`, with no setting of passkeys."""
    port = own_port()
    address = f"http://localhost:{port}"
    app = create_app(auth_settings(public_url=address), clock=clock, entropy=SystemEntropy())
    async with listening(app, "127.0.0.1", port), ClientSession(address) as http:
        client = AuthClient(http)
        await until(client.ready)
        yield client


@pytest.fixture
async def page(auth: AuthClient) -> AsyncIterator[Page]:
    async with open_page(str(auth.http._base_url)) as page:
        await page.route("**/page", lambda one: one.fulfill(content_type="text/html", body=PAGE))
        await page.goto("/page")
        yield page


async def call(page: Page, function: str, *arguments: Any) -> dict[str, Any]:
    """Call a function of the page."""
    script = f"arguments => {function}(...arguments)"
    answer: dict[str, Any] = await page.evaluate(script, list(arguments))
    return answer


async def is_signed_in(page: Page) -> bool:
    status: int = await page.evaluate("me()")
    return status == 200


async def sign_out(page: Page) -> None:
    assert (await call(page, "post", "/logout", {}))["status"] == 204
    assert not await is_signed_in(page)


async def sign_in_by_code(page: Page, auth: AuthClient) -> dict[str, Any]:
    """What the page reads once it has sent the code: tokens' place, or the ticket."""
    before = len(await auth.codes(NUMBER))
    sent = await call(page, "post", "/signup", {"phone_number": NUMBER, "name": "Asha"})
    proof = {"phone_number": NUMBER, "otp": await auth.code(NUMBER, before + 1)}
    body = proof | {"challenge": sent["challenge"], "transport": "cookie"}
    return await call(page, "post", "/signup", body)


async def ask_for_factor(page: Page, auth: AuthClient) -> str:
    asked = await sign_in_by_code(page, auth)
    assert (asked["status"], asked["code"]) == (403, "mfa_required")
    assert not await is_signed_in(page)
    return str(asked["mfa_ticket"])


async def test_browser_adds_a_passkey_and_signs_in_by_autofill_and_second_step(
    page: Page, auth: AuthClient
) -> None:
    await add_authenticator(page, PLATFORM)
    assert (await sign_in_by_code(page, auth))["status"] == 201
    added = await call(page, "addPasskey")
    assert (added["status"], added["name"], added["backed_up"]) == (201, "Laptop", True)
    await sign_out(page)
    done = await call(page, "signInByPasskey")
    assert (done["status"], done["user"]["phone_number"]) == (200, NUMBER)
    assert await is_signed_in(page)
    await sign_out(page)
    done = await call(page, "provePasskey", await ask_for_factor(page, auth))
    assert done["status"] == 200
    assert await is_signed_in(page)


async def test_browser_adds_an_app_and_signs_in_by_its_code_and_by_a_recovery_code(
    page: Page, auth: AuthClient, clock: MovableClock
) -> None:
    await sign_in_by_code(page, auth)
    begun = await call(page, "post", "/me/factors/totp", {"name": "Phone"})
    app = Authenticator(begun["id"], begun["secret"], clock)
    path = f"/me/factors/totp/{app.id}/confirm"
    recovery_codes = (await call(page, "post", path, {"otp": app.code()}))["recovery_codes"]
    await page.set_content(begun["qr_svg"])
    assert await page.locator("svg").is_visible()
    await page.goto("/page")
    await page.context.clear_cookies()
    for proof in (
        {"method": "totp", "otp": app.next_code()},
        {"method": "recovery_code", "recovery_code": recovery_codes[0].upper()},
    ):
        ticket = await ask_for_factor(page, auth)
        done = await call(page, "prove", proof | {"mfa_ticket": ticket})
        assert done["status"] == 200
        assert await is_signed_in(page)
        await sign_out(page)
