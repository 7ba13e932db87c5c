"""Pages of other origins in a real browser: another port, another host of the same site."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Browser, Error, async_playwright

from tests.browser.conftest import CHROMIUM, PATIENCE_MS, QUIET
from tests.support.ports import own_port
from tests.support.running_stack import running_stack

APP = Path(__file__).with_name("app.js").read_text()


@asynccontextmanager
async def serving_pages(port: int) -> AsyncIterator[None]:
    """Serve an empty page under every name of this machine."""

    async def empty(_request: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>app</title>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", empty)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield
    await runner.cleanup()


@pytest.fixture
async def pages() -> AsyncIterator[int]:
    """A port with pages."""
    port = own_port()
    async with serving_pages(port):
        yield port


@pytest.fixture(scope="session")
def shop() -> Iterator[tuple[str, int]]:
    """The address of a stack on a host of its own, and the port of the app's pages."""
    port, pages_port = own_port(), own_port()
    url = f"http://api.shop.localhost:{port}"
    listed = f"http://app.shop.localhost:{pages_port}"
    with running_stack(port, f"http://localhost:{port}", PUBLIC_URL=url, CORS_ORIGINS=listed):
        yield url, pages_port


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        await browser.close()


async def run_app(browser: Browser, page_url: str, api: str, number: str, **how: bool) -> Any:
    """Return what the app's page saw."""
    context = await browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    await page.goto(page_url)
    seen = await page.evaluate(APP, {"api": api, "number": number, **how})
    await context.close()
    return seen


def assert_whole_journey(seen: dict[str, Any], number: str, *, by_cookies: bool) -> None:
    assert seen.pop("location").startswith("/v1/media/creatives/")
    assert seen == {
        "signedUp": 201,
        "hasToken": not by_cookies,
        "me": number,
        "csrfRepeated": True,
        "uploaded": 201,
        "file": [200, 64],
        "etag": True,
        "refreshed": 200,
        "signedOut": 204,
        "refused": [401, "token_missing" if by_cookies else "token_revoked"],
        "requestId": True,
        "unknown": "not_found",
    }


@pytest.mark.parametrize(
    ("host", "number", "by_cookies"),
    [
        ("localhost", "+919876500101", False),
        ("localhost", "+919876500102", True),
        ("127.0.0.1", "+919876500103", False),
    ],
)
async def test_page_of_another_port_signs_up_uploads_and_signs_out(
    chromium: Browser, address: str, pages: int, host: str, number: str, *, by_cookies: bool
) -> None:
    page_url = f"http://{host}:{pages}/"
    seen = await run_app(chromium, page_url, address, number, byCookies=by_cookies)
    assert_whole_journey(seen, number, by_cookies=by_cookies)


@pytest.mark.parametrize(
    ("number", "by_cookies"), [("+919876500104", False), ("+919876500105", True)]
)
async def test_page_of_a_sibling_host_signs_up_uploads_and_signs_out(
    chromium: Browser, shop: tuple[str, int], number: str, *, by_cookies: bool
) -> None:
    api, port = shop
    async with serving_pages(port):
        page_url = f"http://app.shop.localhost:{port}/"
        seen = await run_app(chromium, page_url, api, number, byCookies=by_cookies)
    assert_whole_journey(seen, number, by_cookies=by_cookies)


@pytest.mark.parametrize("by_cookies", [False, True])
async def test_page_of_a_sibling_host_that_is_not_listed_reads_nothing(
    chromium: Browser, shop: tuple[str, int], *, by_cookies: bool
) -> None:
    api, port = shop
    async with serving_pages(port):
        page_url = f"http://evil.shop.localhost:{port}/"
        with pytest.raises(Error, match="Failed to fetch"):
            await run_app(chromium, page_url, api, "+919876500106", byCookies=by_cookies)
