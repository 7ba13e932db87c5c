"""The whole stack as `make run` starts it, and a browser that looks at it."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.local.processes import CHECKOUT
from tests.support.running_stack import stack_address

PATIENCE_MS = 30_000  # a machine that is busy with other things is slow, not wrong
SCREENSHOTS = CHECKOUT / "var" / "screenshots"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
# whoever tests asks nobody on the network; a root's Chromium has no sandbox to offer
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """BASE_URL, or a stack of our own."""
    with stack_address() as url:
        yield url


@pytest.fixture
async def page(address: str) -> AsyncIterator[Page]:
    async with open_page(address) as page:
        yield page


@asynccontextmanager
async def open_page(address: str) -> AsyncIterator[Page]:
    """An empty browser's page; what its console or network had to complain of fails the test."""
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        context = await browser.new_context(base_url=address, timezone_id="Asia/Kolkata")
        context.set_default_timeout(PATIENCE_MS)
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda said: complaints.append(said.text) if said.type == "error" else None
        )
        yield page
        await browser.close()
    # a refusal that a test provokes is reported by the browser as a resource that failed to load
    assert [text for text in complaints if "Failed to load resource" not in text] == []
